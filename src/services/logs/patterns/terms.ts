// Patterns for unstructured lines: terms that must, may or must not occur.

import type { Scanner } from './scanner.ts'

type Test = (message: string) => boolean

/**
 * `ERROR "two words"` needs both; `?A ?B` needs one of them; `-DEBUG` must not occur; `%regex%` is searched for. Case counts, and a
 * term may be part of a word. A term of other characters than letters, digits and underscores needs quotes.
 *
 * Source: the guide, "Using filter patterns to match terms in unstructured log events"; it says that `?` terms count for nothing
 * beside terms that must or must not occur.
 */
export function compileTerms(scanner: Scanner): Test {
  const required: Test[] = []
  const optional: Test[] = []
  const excluded: Test[] = []
  while (!scanner.skipSpace().isAtEnd) {
    const list = scanner.take('?') ? optional : scanner.take('-') ? excluded : required
    list.push(readTerm(scanner))
  }
  if (required.length === 0 && excluded.length === 0) {
    return optional.length === 0 ? () => true : (message) => optional.some((matches) => matches(message))
  }
  return (message) => required.every((matches) => matches(message)) && !excluded.some((matches) => matches(message))
}

function readTerm(scanner: Scanner): Test {
  if (scanner.peek() === '%') return scanner.percent()
  const term = scanner.peek() === '"' ? scanner.quoted() : scanner.match(/[\p{L}\p{N}_]+/u)
  if (term === undefined) throw scanner.refuse()
  if (!scanner.isAtEnd && !/\s/.test(scanner.peek())) throw scanner.refuse()
  return (message) => message.includes(term)
}
