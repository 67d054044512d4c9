// What an import has to say: errors that refuse it, warnings that may, and information.

import { AwsError } from '#aws/errors.ts'
import { errors } from '../errors.ts'

export interface Findings {
  warn(text: string): void
  inform(text: string): void
  /** Runs a step of the import; AWS's refusal of it becomes a warning, and what was to be made is left out. */
  attempt<Result>(what: string, step: () => Result): Result | undefined
  /** What refuses the import whatever it is told to do about warnings. To throw. */
  refusal(text: string): AwsError
  readonly warnings: readonly string[]
  readonly information: readonly string[]
  /** @throws BadRequestException when there are warnings and `failOnWarnings`. */
  settle(options: { failOnWarnings: boolean }): void
}

/** Messages kept of one import, of each kind. Ours. */
const FINDINGS_MAX = 200

/**
 * Seen in reports: `Warnings found during import:` and `Unable to create integration for resource at path 'GET /pets': … Ignoring.`, in users' logs of
 * ImportApi.
 */
export function createFindings(): Findings {
  const warnings: string[] = []
  const information: string[] = []
  const warn = (text: string) => { if (warnings.length < FINDINGS_MAX) warnings.push(text) }
  return {
    warnings,
    information,
    warn,
    inform: (text) => { if (information.length < FINDINGS_MAX) information.push(text) },
    attempt(what, step) {
      try {
        return step()
      } catch (error) {
        if (!(error instanceof AwsError)) throw error
        warn(`${what}: ${error.message.replace(/\.$/, '')}. Ignoring.`)
        return undefined
      }
    },
    refusal: (text) => errors.BadRequestException(`Errors found during import:\n\t${text}`),
    settle({ failOnWarnings }) {
      if (failOnWarnings && warnings.length > 0) throw errors.BadRequestException(`Warnings found during import:${warnings.map((text) => `\n\t${text}`).join('')}`)
    },
  }
}
