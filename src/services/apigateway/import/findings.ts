// What an import has to say: errors that refuse it, and warnings that go with the answer or, if asked for, refuse it too.

import { AwsError } from '#aws/errors.ts'
import { errors } from '../errors.ts'

export interface Findings {
  warn(text: string): void
  /** Runs a step of the import; AWS's refusal of it becomes an error of the import. */
  attempt<Result>(what: string, step: () => Result): Result | undefined
  readonly warnings: readonly string[]
  /** The same findings so far, to add to apart: for a step that may run again. */
  copy(): Findings
  /** @throws BadRequestException when there are errors, or warnings and `failOnWarnings`. */
  settle(options: { failOnWarnings: boolean }): void
}

/** Messages kept of one import; the rest is counted. */
const FINDINGS_MAX = 200

/** The wording is AWS's, as reports of refused imports show it. */
export function createFindings(refusalsSoFar: readonly string[] = [], warningsSoFar: readonly string[] = []): Findings {
  const refusals = [...refusalsSoFar]
  const warnings = [...warningsSoFar]
  return {
    warnings,
    copy: () => createFindings(refusals, warnings),
    warn: (text) => { if (warnings.length < FINDINGS_MAX) warnings.push(text) },
    attempt(what, step) {
      try {
        return step()
      } catch (error) {
        if (!(error instanceof AwsError)) throw error
        if (refusals.length < FINDINGS_MAX) refusals.push(`${what}: ${error.message}`)
        return undefined
      }
    },
    settle({ failOnWarnings }) {
      if (refusals.length > 0) {
        const also = warnings.length > 0 ? `\nAdditionally, these warnings were found:${lines(warnings)}` : ''
        throw errors.BadRequestException(`Errors found during import:${lines(refusals)}${also}`)
      }
      if (failOnWarnings && warnings.length > 0) throw errors.BadRequestException(`Warnings found during import:${lines(warnings)}`)
    },
  }
}

const lines = (texts: readonly string[]): string => texts.map((text) => `\n\t${text}`).join('')
