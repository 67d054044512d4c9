// JSON in and out of templates: numbers keep their kind, keys their order, and text is escaped as the library that AWS uses does it.

import { JavaDouble, JavaList, JavaMap, toText, type Value } from './values.ts'

/** The text is not JSON. `reason` is a clause; `offset` counts characters. */
export class JsonSyntaxError extends Error {
  readonly offset: number
  constructor(reason: string, text: string, offset: number) {
    const before = text.slice(0, offset)
    const line = before.split('\n').length
    super(`${reason}\n at [Source: (String); line: ${line}, column: ${offset - before.lastIndexOf('\n')}]`)
    this.name = 'JsonSyntaxError'
    this.offset = offset
  }
}

/** Values nested deeper than this are refused. */
const JSON_DEPTH_MAX = 512

/** Doubles with more characters keep every digit. Observed: json-smart 2.6.0 (BigDecimal past 18 characters). */
const DOUBLE_CHARACTERS_MAX = 18

/**
 * Parses one JSON value (RFC 8259).
 * @throws JsonSyntaxError
 */
export function parseJson(text: string): Value {
  let position = 0
  let depth = 0

  function fail(reason: string): never {
    throw new JsonSyntaxError(reason, text, position)
  }

  function unexpected(expected: string): never {
    const character = text[position]
    if (character === undefined) fail('Unexpected end-of-input')
    fail(`Unexpected character ('${character}' (code ${character.charCodeAt(0)})): was expecting ${expected}`)
  }

  function skipSpace(): void {
    for (;;) {
      const code = text.charCodeAt(position)
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return
      position++
    }
  }

  function value(): Value {
    skipSpace()
    switch (text[position]) {
      case '{': return object()
      case '[': return array()
      case '"': return string()
      case 't': return word('true', true)
      case 'f': return word('false', false)
      case 'n': return word('null', null)
      default: return number()
    }
  }

  function word<W extends Value>(spelling: string, meaning: W): W {
    if (!text.startsWith(spelling, position) || /[A-Za-z0-9_$]/.test(text[position + spelling.length] ?? '')) unrecognized()
    position += spelling.length
    return meaning
  }

  function unrecognized(): never {
    const token = /[A-Za-z0-9_$]*/y
    token.lastIndex = position
    const found = token.exec(text)?.[0] ?? ''
    fail(`Unrecognized token '${found}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')`)
  }

  function number(): Value {
    const pattern = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
    pattern.lastIndex = position
    const match = pattern.exec(text)
    if (!match) {
      if (/[A-Za-z_$]/.test(text[position] ?? '')) unrecognized()
      return unexpected('a valid value (JSON String, Number, Array, Object or token \'null\', \'true\' or \'false\')')
    }
    position += match[0].length
    return numberFrom(match[0], match[1] !== undefined || match[2] !== undefined)
  }

  function string(): string {
    const start = ++position
    for (;;) {
      const code = text.charCodeAt(position)
      if (code === 34) return text.slice(start, position++)
      if (code === 92 || code < 32 || Number.isNaN(code)) break
      position++
    }
    let result = text.slice(start, position)
    for (;;) {
      const character = text[position]
      if (character === undefined) fail('Unexpected end-of-input: was expecting closing quote for a string value')
      if (character === '"') { position++; return result }
      if (character < ' ') {
        fail(`Illegal unquoted character ((CTRL-CHAR, code ${character.charCodeAt(0)})): has to be escaped using backslash to be included in string value`)
      }
      position++
      result += character === '\\' ? escape() : character
    }
  }

  function escape(): string {
    const character = text[position++]
    switch (character) {
      case 'n': return '\n'
      case 't': return '\t'
      case 'r': return '\r'
      case 'b': return '\b'
      case 'f': return '\f'
      case '"': case '\\': case '/': return character
      case 'u': {
        const digits = text.slice(position, position + 4)
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) return unexpected('a hex-digit for character escape sequence')
        position += 4
        return String.fromCharCode(Number.parseInt(digits, 16))
      }
      default:
        position--
        return fail(`Unrecognized character escape '${character ?? ''}'`)
    }
  }

  function enter(): void {
    if (++depth > JSON_DEPTH_MAX) fail(`Values are nested deeper than ${JSON_DEPTH_MAX}`)
    position++
    skipSpace()
  }

  function array(): JavaList {
    const items: Value[] = []
    enter()
    if (text[position] !== ']') {
      for (;;) {
        items.push(value())
        skipSpace()
        if (text[position] === ']') break
        if (text[position] !== ',') unexpected('comma to separate Array entries')
        position++
      }
    }
    position++
    depth--
    return new JavaList(items, 'json')
  }

  function object(): JavaMap {
    const entries = new Map<Value, Value>()
    enter()
    if (text[position] !== '}') {
      for (;;) {
        skipSpace()
        if (text[position] !== '"') unexpected('double-quote to start field name')
        const key = string()
        skipSpace()
        if (text[position] !== ':') unexpected('a colon to separate field name and value')
        position++
        entries.set(key, value())
        skipSpace()
        if (text[position] === '}') break
        if (text[position] !== ',') unexpected('comma to separate Object entries')
        position++
      }
    }
    position++
    depth--
    return new JavaMap(entries)
  }

  const result = value()
  skipSpace()
  if (position < text.length) unexpected('end of input')
  return result
}

/** A number from its digits: whole numbers keep every digit. */
export function numberFrom(digits: string, isFraction: boolean): Value {
  if (isFraction) return digits.length > DOUBLE_CHARACTERS_MAX ? new JavaDouble(Number(digits), digits) : new JavaDouble(Number(digits))
  const whole = Number(digits)
  return Number.isSafeInteger(whole) ? (whole === 0 ? 0 : whole) : BigInt(digits)
}

/**
 * Prints a value as JSON without spaces. Lists that print themselves also escape `/`; `$input.json` does not.
 *
 * Observed: json-smart 2.6.0 under json-path 2.10.0, which prints lists as recorded from AWS.
 */
export function printJson(value: Value, slashes: 'with escaped slashes' | 'with plain slashes'): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return quote(value, slashes)
  if (value instanceof JavaList) return `[${value.items.map((item) => printJson(item, slashes)).join(',')}]`
  if (value instanceof JavaMap) {
    let text = ''
    for (const [key, member] of value.entries) text += `${text === '' ? '' : ','}${quote(toText(key), slashes)}:${printJson(member, slashes)}`
    return `{${text}}`
  }
  if (typeof value !== 'object' || value instanceof JavaDouble) return toText(value)
  return quote(toText(value), slashes)
}

// U+2000 to U+20FF are escaped too, which turns typographic quotes and dashes into \u forms.
const escapedCharacters = /["\\\p{Cc}\u2000-\u20ff]/u
const escapedCharactersAll = /["\\\p{Cc}\u2000-\u20ff]/gu
const shortEscapes: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function quote(text: string, slashes: 'with escaped slashes' | 'with plain slashes'): string {
  let escaped = text
  if (escapedCharacters.test(text)) {
    escaped = text.replace(escapedCharactersAll, (character) =>
      shortEscapes[character] ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`)
  }
  if (slashes === 'with escaped slashes' && escaped.includes('/')) escaped = escaped.replaceAll('/', '\\/')
  return `"${escaped}"`
}
