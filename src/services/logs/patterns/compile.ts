// A filter pattern, compiled once and asked for every event.

import { compileFields } from './fields.ts'
import { compileJson } from './json.ts'
import { Scanner } from './scanner.ts'
import { compileTerms } from './terms.ts'

export { PatternRefusal } from './refusal.ts'

/**
 * The test that a pattern is. An empty pattern matches everything.
 *
 * @throws PatternRefusal with the sentence for the client.
 */
export function compilePattern(pattern: string): (message: string) => boolean {
  const scanner = new Scanner(pattern).skipSpace()
  switch (scanner.peek()) {
    case '{': return compileJson(scanner)
    case '[': return compileFields(scanner)
    default: return compileTerms(scanner)
  }
}
