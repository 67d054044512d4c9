// What a transaction found in its way, in the service's errors.

import type { AwsError } from '#aws/errors.ts'
import { Conflict } from '#storage/database.ts'

/** Waits for a transaction; a conflict that has an answer here is refused with it. */
export function refusingConflicts(answers: Readonly<Record<string, () => AwsError>>): (transaction: Promise<unknown>) => Promise<void> {
  return async (transaction) => {
    try {
      await transaction
    } catch (error) {
      const answer = error instanceof Conflict && Object.hasOwn(answers, error.reason) ? answers[error.reason] : undefined
      throw answer ? answer() : error
    }
  }
}
