// Reads the text of a JSONPath. Source: Jayway JsonPath 2.10, its README and the behaviour of that release.

import { numberFrom, parseJson } from '../json.ts'
import { Source } from '../velocity/source.ts'
import { TemplateError } from '../velocity/errors.ts'
import { parseFilter } from './filter.ts'
import { JsonPath, JsonPathError, type FunctionArgument, type Token } from './path.ts'

const dottedName = /[^.[\](\s)]+/y
const filterName = /[^.[\]\s()=!<>~&|,}]+/y
const functionName = /([A-Za-z]+)\s*\(/y
const wholeNumber = /-?\d+/y
const sliceOrIndexes = /\s*-?\d*\s*(?::\s*-?\d*\s*|(?:,\s*-?\d+\s*)*)\]/y

/** Paths longer than this are refused, characters. */
const PATH_CHARACTERS_MAX = 10_000

/** @throws JsonPathError */
export function parsePath(text: string): JsonPath {
  const trimmed = text.trim()
  if (trimmed === '') throw new JsonPathError('path can not be null or empty')
  if (trimmed.length > PATH_CHARACTERS_MAX) throw new JsonPathError(`the path is longer than ${PATH_CHARACTERS_MAX} characters`)
  if (trimmed.endsWith('.')) throw new JsonPathError("Path must not end with a '.' or '..'")
  // A path without a root is taken from the root.
  const source = new Source(/^[$@]/.test(trimmed) ? trimmed : `$.${trimmed}`)
  try {
    const path = parseSteps(source, dottedName)
    if (!source.isAtEnd) source.fail("expected '.' or '['")
    return path
  } catch (error) {
    if (error instanceof TemplateError) throw new JsonPathError(`Could not parse the path ${text}: ${error.message}`)
    throw error
  }
}

/** A path inside a filter: it ends where an operator begins. */
export function parseFilterPath(source: Source): JsonPath {
  return parseSteps(source, filterName)
}

function parseSteps(source: Source, name: RegExp): JsonPath {
  const startsAt = source.peek() === '$' ? 'document' : 'item'
  source.position++
  const tokens: Token[] = []
  for (;;) {
    if (source.startsWith('..')) {
      source.position += 2
      tokens.push({ is: 'scan' })
      if (source.peek() !== '[') tokens.push(parseDotted(source, name))
    } else if (source.peek() === '.') {
      source.position++
      tokens.push(parseDotted(source, name))
    } else if (source.peek() === '[') tokens.push(parseBracketed(source))
    else return new JsonPath(tokens, startsAt)
  }
}

function parseDotted(source: Source, name: RegExp): Token {
  if (source.peek() === '*') {
    source.position++
    return { is: 'wildcard' }
  }
  const start = source.position
  const image = source.take(functionName)
  if (image !== undefined) return { is: 'function', name: image.replace(/\s*\($/, ''), args: parseFunctionArguments(source) }
  source.position = start
  const property = source.take(name) ?? source.fail('expected the name of a property')
  if (source.peek() === ' ' && name === dottedName) {
    throw new JsonPathError("Use brackets and quotes for a property that contains blanks: ['my prop'].")
  }
  return { is: 'properties', names: [property] }
}

function parseFunctionArguments(source: Source): FunctionArgument[] {
  const args: FunctionArgument[] = []
  for (;;) {
    source.skipSpace()
    if (source.peek() === ')') break
    if (source.peek() === '$' || source.peek() === '@') args.push({ path: parseSteps(source, filterName) })
    else args.push({ value: parseLiteral(source) ?? source.fail('expected an argument') })
    source.skipSpace()
    if (source.peek() !== ',') break
    source.position++
  }
  source.expect(')', 'a closing parenthesis')
  return args
}

const quotedText = /"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'/y
const numberText = /-?\d+(\.\d+)?([eE][+-]?\d+)?/y
const wordText = /(?:true|false|null)(?![A-Za-z0-9_])/y

/** A quoted text, number, true, false, null, list or object; undefined (and nothing taken) for anything else. */
export function parseLiteral(source: Source): ReturnType<typeof parseJson> | undefined {
  const quoted = source.take(quotedText)
  if (quoted !== undefined) return unquote(quoted)
  const number = source.take(numberText)
  if (number !== undefined) return numberFrom(number, /[.eE]/.test(number))
  const word = source.take(wordText)
  if (word !== undefined) return word === 'null' ? null : word === 'true'
  if (source.peek() !== '[' && source.peek() !== '{') return undefined
  const start = source.position
  skipNested(source)
  // Jayway lets texts in lists stand in single quotes.
  const json = source.text.slice(start, source.position)
    .replace(/'((?:[^'\\]|\\[\s\S])*)'/g, (_, inner: string) => JSON.stringify(unquote(`'${inner}'`)))
  return parseJson(json)
}

function skipNested(source: Source): void {
  let depth = 0
  do {
    if (source.isAtEnd) source.fail('expected a closing bracket')
    if (source.take(quotedText) !== undefined) continue
    const character = source.peek()
    if (character === '[' || character === '{') depth++
    else if (character === ']' || character === '}') depth--
    source.position++
  } while (depth > 0)
}

function unquote(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(u[0-9a-fA-F]{4}|[\s\S])/g, (_, escaped: string) => {
    if (escaped.length > 1) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
    return { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }[escaped] ?? escaped
  })
}

function parseBracketed(source: Source): Token {
  source.position++
  source.skipSpace()
  if (source.peek() === '?') {
    source.position++
    source.skipSpace()
    const matches = parseFilter(source)
    source.skipSpace()
    source.expect(']', 'a closing bracket')
    return { is: 'filter', matches }
  }
  if (source.peek() === '*') {
    source.position++
    source.skipSpace()
    source.expect(']', 'a closing bracket')
    return { is: 'wildcard' }
  }
  if (source.peek() === "'" || source.peek() === '"') return parseNames(source)
  if (!source.looksAt(sliceOrIndexes)) source.fail("expected ?, ', 0-9, *")
  const end = source.text.indexOf(']', source.position)
  const inside = source.text.slice(source.position, end)
  source.position = end + 1
  if (inside.includes(':')) {
    const [from, to] = inside.split(':').map((bound) => (bound.trim() === '' ? undefined : Number(bound)))
    return { is: 'slice', from, to }
  }
  const indexes = inside.split(',').map((index) => index.trim())
  if (indexes.some((index) => !new RegExp(`^${wholeNumber.source}$`).test(index))) source.fail("expected ?, ', 0-9, *")
  return { is: 'indexes', indexes: indexes.map(Number) }
}

function parseNames(source: Source): Token {
  const names: string[] = []
  for (;;) {
    source.skipSpace()
    names.push(unquote(source.take(quotedText) ?? source.fail('expected a property in quotes')))
    source.skipSpace()
    if (source.peek() !== ',') break
    source.position++
  }
  source.expect(']', 'a comma or a closing bracket')
  return { is: 'properties', names }
}
