// Expressions and references: everything that stands after `$` or between the parentheses of a directive.

import type { BinaryOperator, Expression, Reference, Step } from './nodes.ts'
import type { Source } from './source.ts'
import { parseInterpolated } from './parse.ts'

const identifier = /[A-Za-z_][A-Za-z0-9_-]*/y
const dotAndLetter = /\.[A-Za-z]/y
const numberPattern = /-?\d+(?:\.(?!\.)\d*(?:[eE][+-]?\d+)?|[eE][+-]?\d+)?|-?\.\d+(?:[eE][+-]?\d+)?/y
const doubleQuoted = /"(?:[^"]|"")*"/y
const singleQuoted = /'(?:[^']|'')*'/y
const rangeAhead = /\[\s*(?:\$|-?\d+\s*\.\.)/y
const wordOperators: Readonly<Record<string, BinaryOperator>> = {
  and: '&&', or: '||', eq: '==', ne: '!=', lt: '<', le: '<=', gt: '>', ge: '>=',
}
const operatorLevels: readonly (readonly BinaryOperator[])[] = [['||'], ['&&'], ['==', '!='], ['<', '<=', '>', '>='], ['+', '-'], ['*', '/', '%']]
const symbolOperator = /\|\||&&|==|!=|<=|>=|[<>+\-*/%]/y
const wordOperator = /(?:and|or|eq|ne|lt|le|gt|ge)(?![A-Za-z0-9_])/y
/** A minus that touches a digit belongs to the number: `5 -3` is two numbers side by side, which is an error. */
const negativeNumber = /-(?:\d|\.\d)/y

/** Expressions nested deeper than this are refused. */
const EXPRESSION_DEPTH_MAX = 200

/** A whole expression, as `#if` and `#set` take it. */
export function parseExpression(source: Source, depth = 0): Expression {
  if (depth > EXPRESSION_DEPTH_MAX) source.fail(`expected at most ${EXPRESSION_DEPTH_MAX} nested expressions`)
  return parseLevel(source, 0, depth)
}

function parseLevel(source: Source, level: number, depth: number): Expression {
  const operators = operatorLevels[level]
  if (operators === undefined) return parseUnary(source, depth)
  let left = parseLevel(source, level + 1, depth)
  for (;;) {
    const at = source.position
    const operator = peekOperator(source)
    if (operator === undefined || !operators.includes(operator.operator)) return left
    source.position = operator.end
    left = { is: 'binary', operator: operator.operator, left, right: parseLevel(source, level + 1, depth), at }
  }
}

function peekOperator(source: Source): { operator: BinaryOperator, end: number } | undefined {
  const start = source.position
  if (source.looksAt(negativeNumber)) return undefined
  const taken = source.take(symbolOperator) ?? source.take(wordOperator)
  const end = source.position
  source.position = start
  if (taken === undefined) return undefined
  return { operator: wordOperators[taken] ?? taken as BinaryOperator, end }
}

const notWord = /not(?![A-Za-z0-9_])/y

function parseUnary(source: Source, depth: number): Expression {
  source.skipSpace()
  if (source.peek() === '!' || source.looksAt(notWord)) {
    source.position += source.peek() === '!' ? 1 : 3
    return { is: 'not', operand: parseUnary(source, depth + 1) }
  }
  let primary: Expression
  if (source.peek() === '(') {
    source.position++
    primary = parseExpression(source, depth + 1)
    source.expect(')', 'a closing parenthesis')
  } else primary = parseOperand(source, depth)
  source.skipSpace()
  return primary
}

/** A literal or a reference: what method arguments, list items and map entries may be. Space around it is taken. */
export function parseParameter(source: Source, depth = 0): Expression {
  if (depth > EXPRESSION_DEPTH_MAX) source.fail(`expected at most ${EXPRESSION_DEPTH_MAX} nested expressions`)
  source.skipSpace()
  const operand = parseOperand(source, depth)
  source.skipSpace()
  return operand
}

const trueWord = /true(?![A-Za-z0-9_])/y
const falseWord = /false(?![A-Za-z0-9_])/y

function parseOperand(source: Source, depth: number): Expression {
  switch (source.peek()) {
    case '$': return parseReference(source) ?? source.fail('expected a reference')
    case '"': case "'": return parseString(source)
    case '[': return parseList(source, depth)
    case '{': return parseMap(source, depth)
  }
  if (source.take(trueWord)) return { is: 'literal', value: true }
  if (source.take(falseWord)) return { is: 'literal', value: false }
  return parseNumber(source) ?? source.fail('expected a value')
}

function parseNumber(source: Source): Expression | undefined {
  const digits = source.take(numberPattern)
  if (digits === undefined) return undefined
  if (/[.eE]/.test(digits)) return { is: 'literal', value: { double: Number(digits) } }
  const whole = Number(digits)
  return { is: 'literal', value: Number.isSafeInteger(whole) ? whole : BigInt(digits) }
}

function parseString(source: Source): Expression {
  const start = source.position
  const quote = source.peek()
  const image = source.take(quote === '"' ? doubleQuoted : singleQuoted)
  if (image === undefined) return source.fail(`expected a closing ${quote}`, start)
  const text = image.slice(1, -1).replaceAll(quote + quote, quote)
  if (quote === "'") return { is: 'literal', value: text }
  const unescaped = text.replace(/\\u([0-9a-fA-F]{4})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
  if (!/[$#]/.test(unescaped)) return { is: 'literal', value: unescaped }
  return { is: 'interpolated', parts: parseInterpolated(unescaped, source, start) }
}

function parseList(source: Source, depth: number): Expression {
  const start = source.position
  if (source.looksAt(rangeAhead)) {
    const range = parseRange(source)
    if (range) return range
    source.position = start
  }
  source.position++
  const items: Expression[] = []
  if (source.peek() === ']') {
    source.position++
    return { is: 'list', items }
  }
  for (;;) {
    items.push(parseParameter(source, depth + 1))
    if (source.peek() !== ',') break
    source.position++
  }
  source.expect(']', 'a comma or a closing bracket')
  return { is: 'list', items }
}

function parseRange(source: Source): Expression | undefined {
  const at = source.position++
  const from = parseRangeEnd(source)
  if (!source.startsWith('..')) return undefined
  source.position += 2
  const to = parseRangeEnd(source)
  source.expect(']', 'a closing bracket')
  return { is: 'range', from, to, at }
}

const wholeNumber = /-?\d+/y

function parseRangeEnd(source: Source): Expression {
  source.skipSpace()
  const digits = source.take(wholeNumber)
  const end = digits === undefined ? parseParameter(source) : { is: 'literal' as const, value: Number(digits) }
  source.skipSpace()
  return end
}

function parseMap(source: Source, depth: number): Expression {
  source.position++
  const entries: { key: Expression, value: Expression }[] = []
  source.skipSpace()
  if (source.peek() === '}') {
    source.position++
    return { is: 'map', entries }
  }
  for (;;) {
    const key = parseParameter(source, depth + 1)
    source.expect(':', 'a colon')
    entries.push({ key, value: parseParameter(source, depth + 1) })
    if (source.peek() !== ',') break
    source.position++
  }
  source.expect('}', 'a comma or a closing brace')
  return { is: 'map', entries }
}

/**
 * A reference at a `$`, or undefined (and nothing taken) when what follows cannot be one: `$5`, `$(`, `$ `.
 * Once a name has begun, everything after it must be right.
 */
export function parseReference(source: Source): Reference | undefined {
  const start = source.position
  source.position++
  if (source.peek() === '!') source.position++
  const isFormal = source.peek() === '{'
  if (isFormal) source.position++
  const name = source.take(identifier)
  if (name === undefined) {
    source.position = start
    return undefined
  }
  const path = parsePath(source)
  if (isFormal) source.expect('}', 'a closing brace')
  return { is: 'reference', name, path, literal: source.text.slice(start, source.position), at: start }
}

/**
 * The word right after a method call or an index, or undefined. Velocity's lexer takes such a word for a reference without a `$`:
 * it prints, but what follows it like a property is lost (`$input.params('host')example.com` prints no `.com`; `${…}` avoids it).
 * Observed: Apache Velocity 1.7.
 */
export function parseTrailingWord(source: Source, before: Reference): string | undefined {
  const last = before.path.at(-1)
  if (last === undefined || last.is === 'property' || before.literal.endsWith('}')) return undefined
  if (source.looksAt(trueWord) || source.looksAt(falseWord)) source.fail('expected text or a directive')
  let words = ''
  for (;;) {
    const word = source.take(identifier)
    if (word === undefined) return words
    words += word
    const ending = parsePath(source).at(-1)
    if (ending === undefined || ending.is === 'property') return words
  }
}

function parsePath(source: Source): Step[] {
  const path: Step[] = []
  parseIndexes(source, path)
  while (source.looksAt(dotAndLetter)) {
    source.position++
    const at = source.position
    const member = source.take(identifier)!
    if (source.peek() === '(') path.push({ is: 'method', name: member, args: parseArguments(source), at })
    else path.push({ is: 'property', name: member })
    parseIndexes(source, path)
  }
  return path
}

function parseArguments(source: Source): Expression[] {
  source.position++
  const args: Expression[] = []
  if (source.peek() === ')') {
    source.position++
    return args
  }
  for (;;) {
    args.push(parseParameter(source))
    if (source.peek() !== ',') break
    source.position++
  }
  source.expect(')', 'a comma or a closing parenthesis')
  return args
}

function parseIndexes(source: Source, path: Step[]): void {
  while (source.peek() === '[') {
    const at = source.position++
    const index = parseParameter(source)
    source.expect(']', 'a closing bracket')
    path.push({ is: 'index', index, at })
  }
}
