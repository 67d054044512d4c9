// The methods of java.lang.String.

import { JavaList, noSuchMethod, toText, type Value } from '../../values.ts'
import { expandReplacement } from '#lib/java-regex.ts'
import { formatText } from './format.ts'
import { hashOf, ofOne, ofText, plain, toInt, type Methods } from './method.ts'

export const stringMethods: Methods<string> = {
  length: plain((text) => text.length),
  isEmpty: plain((text) => text === ''),
  isBlank: plain((text) => text.trim() === ''),
  toString: plain((text) => text),
  toLowerCase: plain((text) => text.toLowerCase()),
  toUpperCase: plain((text) => text.toUpperCase()),
  intern: plain((text) => text),
  // Java's trim takes away everything up to U+0020 and nothing else.
  trim: plain(trim),
  strip: plain((text) => text.trim()),
  hashCode: plain(hashOf),
  getBytes: (text, args) => (args.length <= 1 ? new JavaList([...Buffer.from(text)], 'array') : noSuchMethod),
  toCharArray: plain((text) => new JavaList(text.split(''), 'array')),
  equals: ofOne((text, other) => text === other),
  equalsIgnoreCase: ofOne((text, other) => typeof other === 'string' && text.toLowerCase() === other.toLowerCase()),
  compareTo: ofText(compare),
  compareToIgnoreCase: ofText((text, other) => compare(text.toLowerCase(), other.toLowerCase())),
  concat: ofText((text, other) => text + other),
  contains: ofText((text, part) => text.includes(part)),
  endsWith: ofText((text, end) => text.endsWith(end)),
  startsWith: (text, [start, from, ...more]) => {
    if (typeof start !== 'string' || more.length > 0) return noSuchMethod
    return from === undefined ? text.startsWith(start) : text.startsWith(start, toInt(from) ?? 0)
  },
  indexOf: (text, [part, from, ...more]) => {
    const searched = searchedText(part)
    return searched === undefined || more.length > 0 ? noSuchMethod : text.indexOf(searched, toInt(from) ?? 0)
  },
  lastIndexOf: (text, [part, from, ...more]) => {
    const searched = searchedText(part)
    return searched === undefined || more.length > 0 ? noSuchMethod : text.lastIndexOf(searched, toInt(from) ?? Number.POSITIVE_INFINITY)
  },
  charAt: (text, args) => {
    const index = args.length === 1 ? toInt(args[0]) : undefined
    if (index === undefined) return noSuchMethod
    if (index < 0 || index >= text.length) throw new RangeError(`String index out of range: ${index}`)
    return text[index]
  },
  substring: (text, args) => {
    const from = toInt(args[0])
    const to = args.length < 2 ? text.length : toInt(args[1])
    if (from === undefined || to === undefined || args.length > 2) return noSuchMethod
    if (from < 0 || to > text.length || from > to) throw new RangeError(`begin ${from}, end ${to}, length ${text.length}`)
    return text.slice(from, to)
  },
  repeat: (text, args) => {
    const times = args.length === 1 ? toInt(args[0]) : undefined
    if (times === undefined) return noSuchMethod
    // The caller checks the length of what comes back; this keeps it from being built first.
    if (times < 0 || times * text.length > 50_000_000) throw new RangeError(`count is out of range: ${times}`)
    return text.repeat(times)
  },
  replace: (text, [from, to, ...more]) =>
    typeof from === 'string' && typeof to === 'string' && more.length === 0 ? text.replaceAll(from, () => to) : noSuchMethod,
  replaceAll: (text, [pattern, replacement, ...more], patterns) => {
    if (typeof pattern !== 'string' || typeof replacement !== 'string' || more.length > 0) return noSuchMethod
    return replaceMatches(text, text.matchAll(patterns.get(pattern, 'anywhere')), replacement)
  },
  replaceFirst: (text, [pattern, replacement, ...more], patterns) => {
    if (typeof pattern !== 'string' || typeof replacement !== 'string' || more.length > 0) return noSuchMethod
    const first = text.matchAll(patterns.get(pattern, 'anywhere')).next().value
    return replaceMatches(text, first ? [first] : [], replacement)
  },
  matches: ofText((text, pattern, patterns) => patterns.get(pattern, 'whole text').test(text)),
  split: (text, [pattern, limit, ...more], patterns) => {
    if (typeof pattern !== 'string' || more.length > 0) return noSuchMethod
    return new JavaList(split(text, patterns.get(pattern, 'anywhere'), toInt(limit) ?? 0), 'array')
  },
  format: (_, [format, ...args]) => (typeof format === 'string' ? formatText(format, args) : noSuchMethod),
  join: (_, [separator, list, ...more]) => {
    if (typeof separator !== 'string') return noSuchMethod
    const items = list instanceof JavaList && more.length === 0 ? list.items : [list, ...more]
    return items.map(toText).join(separator)
  },
  valueOf: ofOne((_, value) => toText(value)),
}

function trim(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && text.charCodeAt(from) <= 0x20) from++
  while (to > from && text.charCodeAt(to - 1) <= 0x20) to--
  return text.slice(from, to)
}

/** `indexOf` takes text or the code of a character. */
function searchedText(part: Value): string | undefined {
  if (typeof part === 'string') return part
  const code = toInt(part)
  return code === undefined ? undefined : String.fromCodePoint(code)
}

function compare(text: string, other: string): number {
  const shared = Math.min(text.length, other.length)
  for (let index = 0; index < shared; index++) {
    const difference = text.charCodeAt(index) - other.charCodeAt(index)
    if (difference !== 0) return difference
  }
  return text.length - other.length
}

function replaceMatches(text: string, matches: Iterable<RegExpExecArray>, replacement: string): string {
  let result = ''
  let end = 0
  for (const match of matches) {
    result += text.slice(end, match.index) + expandReplacement(replacement, match)
    end = match.index + match[0].length
  }
  return result + text.slice(end)
}

/** Java drops empty pieces at the end unless a limit is given, and an empty match at the start gives no piece. */
function split(text: string, pattern: RegExp, limit: number): string[] {
  const pieces: string[] = []
  let start = 0
  for (const match of text.matchAll(pattern)) {
    if (limit > 0 && pieces.length === limit - 1) break
    const end = match.index + match[0].length
    if (end === 0 || (match[0] === '' && match.index === text.length)) continue
    pieces.push(text.slice(start, match.index))
    start = end
  }
  if (pieces.length === 0) return [text]
  pieces.push(text.slice(start))
  if (limit === 0) while (pieces.length > 0 && pieces.at(-1) === '') pieces.pop()
  return pieces
}
