// Calls that may find nothing, or find it only after a while.

import { setTimeout as sleep } from 'node:timers/promises'

/** What a call answers; undefined when it fails with an error of this name. */
export async function absentWhen<Answer>(errorName: string, call: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call()
  } catch (error) {
    if ((error as Error).name === errorName) return undefined
    throw error
  }
}

const ATTEMPTS_MAX = 10

/** Tries again for some seconds while a call fails with such a message: on AWS a new role takes a while until services can assume it. */
export async function withPatience<Answer>(message: RegExp, call: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      if (!message.test((error as Error).message) || attempt === ATTEMPTS_MAX) throw error
      await sleep(1000)
    }
  }
}
