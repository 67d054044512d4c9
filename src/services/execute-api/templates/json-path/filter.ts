// The filters of a JSONPath: `[?(@.price < 10 && @.name in ['a', 'b'])]`.

import { isNumber, JavaDouble, javaEquals, JavaList, JavaMap, toText, type Value } from '../values.ts'
import { compileJavaPattern } from '#lib/java-regex.ts'
import type { Source } from '../velocity/source.ts'
import { parseFilterPath, parseLiteral } from './parse.ts'

export type Filter = (document: Value, item: Value) => boolean

/** A side of a comparison. A path that leads nowhere gives undefined, which equals nothing. */
type Operand = { pattern: RegExp } | { read: (document: Value, item: Value) => Value }

/** Reads `(…)` after the question mark. */
export function parseFilter(source: Source): Filter {
  source.expect('(', 'an opening parenthesis')
  const filter = parseOr(source)
  source.skipSpace()
  source.expect(')', 'a closing parenthesis')
  return filter
}

function parseOr(source: Source): Filter {
  let left = parseAnd(source)
  for (;;) {
    source.skipSpace()
    if (!source.startsWith('||')) return left
    source.position += 2
    const [first, second] = [left, parseAnd(source)]
    left = (document, item) => first(document, item) || second(document, item)
  }
}

function parseAnd(source: Source): Filter {
  let left = parseTerm(source)
  for (;;) {
    source.skipSpace()
    if (!source.startsWith('&&')) return left
    source.position += 2
    const [first, second] = [left, parseTerm(source)]
    left = (document, item) => first(document, item) && second(document, item)
  }
}

function parseTerm(source: Source): Filter {
  source.skipSpace()
  if (source.peek() === '!' && source.peek(1) !== '=') {
    source.position++
    const term = parseTerm(source)
    return (document, item) => !term(document, item)
  }
  if (source.peek() === '(') return parseFilter(source)
  return parseComparison(source)
}

const comparison = /===|!==|==|=~|!=|<=|>=|<|>|(?:in|nin|subsetof|anyof|noneof|contains|all|size|empty|type)(?![A-Za-z0-9_])/iy

function parseComparison(source: Source): Filter {
  const left = parseOperand(source)
  source.skipSpace()
  const operator = source.take(comparison)?.toLowerCase()
  if (operator === undefined) {
    // A path alone asks whether it leads anywhere; null counts.
    return (document, item) => 'read' in left && left.read(document, item) !== undefined
  }
  source.skipSpace()
  const right = parseOperand(source)
  if (operator === '=~') return compilePatternMatch(left, right, source)
  const compare = comparisons[operator]
  if (compare === undefined || !('read' in left) || !('read' in right)) return source.fail('expected a comparison')
  return (document, item) => compare(left.read(document, item), right.read(document, item))
}

function parseOperand(source: Source): Operand {
  source.skipSpace()
  if (source.peek() === '@' || source.peek() === '$') {
    const path = parseFilterPath(source)
    return { read: (document, item) => path.read(document, item) }
  }
  const regex = source.take(/\/((?:[^/\\]|\\[\s\S])*)\/([a-zA-Z]*)/y)
  if (regex !== undefined) {
    const end = regex.lastIndexOf('/')
    const flags = regex.slice(end + 1).replace(/[^ims]/g, '')
    return { pattern: compileJavaPattern((flags === '' ? '' : `(?${flags})`) + regex.slice(1, end), 'whole text') }
  }
  const value = parseLiteral(source)
  if (value === undefined) source.fail('expected a path or a value')
  return { read: () => value }
}

/** A pattern must match the whole text; of a list, any item. */
function compilePatternMatch(left: Operand, right: Operand, source: Source): Filter {
  const pattern = 'pattern' in right ? right.pattern : 'pattern' in left ? left.pattern : source.fail('expected a pattern')
  const other = 'read' in left ? left : 'read' in right ? right : source.fail('expected a value')
  return (document, item) => {
    const value = other.read(document, item)
    if (value === undefined || value === null) return false
    return value instanceof JavaList ? value.items.some((each) => pattern.test(toText(each))) : pattern.test(toText(value))
  }
}

const comparisons: Readonly<Record<string, (left: Value, right: Value) => boolean>> = {
  '==': equals,
  '!=': (left, right) => !equals(left, right),
  '===': (left, right) => typeOf(left) === typeOf(right) && equals(left, right),
  '!==': (left, right) => typeOf(left) !== typeOf(right) || !equals(left, right),
  '<': (left, right) => order(left, right, (sign) => sign < 0),
  '<=': (left, right) => order(left, right, (sign) => sign <= 0),
  '>': (left, right) => order(left, right, (sign) => sign > 0),
  '>=': (left, right) => order(left, right, (sign) => sign >= 0),
  in: (left, right) => has(right, left),
  nin: (left, right) => !has(right, left),
  contains: (left, right) => (typeof left === 'string' ? typeof right === 'string' && left.includes(right) : has(left, right)),
  all: (left, right) => left instanceof JavaList && right instanceof JavaList && right.items.every((item) => has(left, item)),
  subsetof: (left, right) => left instanceof JavaList && right instanceof JavaList && left.items.every((item) => has(right, item)),
  anyof: (left, right) => left instanceof JavaList && right instanceof JavaList && left.items.some((item) => has(right, item)),
  noneof: (left, right) => left instanceof JavaList && right instanceof JavaList && !left.items.some((item) => has(right, item)),
  size: (left, right) => typeof right === 'number' && sizeOf(left) === right,
  empty: (left, right) => typeof right === 'boolean' && sizeOf(left) !== undefined && (sizeOf(left) === 0) === right,
  type: (left, right) => typeOf(left) === right,
}

function equals(left: Value, right: Value): boolean {
  if (left === undefined || right === undefined) return false
  if (isNumber(left) || isNumber(right)) {
    const [first, second] = [toNumber(left), toNumber(right)]
    return first !== undefined && first === second
  }
  return javaEquals(left, right)
}

/** Text that spells a number equals the number. */
function toNumber(value: Value): number | undefined {
  if (isNumber(value)) return value instanceof JavaDouble ? value.value : Number(value)
  return typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value)) ? Number(value) : undefined
}

function order(left: Value, right: Value, isWanted: (sign: number) => boolean): boolean {
  if (isNumber(left) && isNumber(right)) return isWanted(Math.sign(toNumber(left)! - toNumber(right)!))
  return typeof left === 'string' && typeof right === 'string' && isWanted(left < right ? -1 : left > right ? 1 : 0)
}

function has(list: Value, value: Value): boolean {
  return list instanceof JavaList && list.items.some((item) => equals(item, value))
}

function sizeOf(value: Value): number | undefined {
  if (typeof value === 'string') return value.length
  if (value instanceof JavaList) return value.items.length
  return value instanceof JavaMap ? value.entries.size : undefined
}

function typeOf(value: Value): string {
  if (value === undefined) return 'undefined'
  if (value === null) return 'null'
  if (isNumber(value)) return 'number'
  if (value instanceof JavaList) return 'list'
  return value instanceof JavaMap ? 'map' : typeof value
}
