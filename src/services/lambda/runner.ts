// The one way in which events get to functions, whoever sent them: a place among those that may run, an environment, and what is counted.

import type { Clock } from '#lib/clock.ts'
import { AwsError } from '#aws/errors.ts'
import { createAdmission, type ThrottleReason } from './concurrency/admission.ts'
import type { ConcurrencyDirectory } from './concurrency/limits.ts'
import type { FunctionSnapshot } from './directory.ts'
import type { Measurements } from './measurements.ts'
import type { EnvironmentEvent, Outcome } from './runtime/environment.ts'
import type { Pool } from './runtime/pool.ts'
import type { ResponseSink } from './runtime/response-stream.ts'

export interface Runner {
  /**
   * Lets an event run. Resolves once it has its place; the outcome comes later.
   *
   * @throws TooManyRequestsException when the function or the account has no place left; what `Pool.run` throws.
   */
  run(snapshot: FunctionSnapshot, event: EnvironmentEvent, sink?: ResponseSink): Promise<{ outcome: Promise<Outcome> }>
  /** How many more events of a function would be let in now. `none ever` without any reserved concurrency. */
  room(snapshot: FunctionSnapshot): Promise<number | 'none ever'>
}

export interface RunnerOptions {
  pool: Pool
  concurrency: ConcurrencyDirectory
  measurements: Measurements
  clock: Clock
  /** Called whenever a place has become free. */
  onRoom: () => void
}

export function createRunner({ pool, concurrency, measurements, clock, onRoom }: RunnerOptions): Runner {
  const admission = createAdmission()
  return {
    async run(snapshot, event, sink) {
      const limits = await concurrency.limitsOf(snapshot)
      const measured = measurements.of(snapshot.record)
      const noteThrottle = (error: unknown) => { if (isThrottle(error)) measured.throttles++ }
      let leave: (() => void) | undefined
      try {
        leave = admission.admit(snapshot.record, limits)
        measured.concurrentExecutions++
        const outcome = pool.run(snapshot, event, sink)
        return { outcome: follow(outcome) }
      } catch (error) {
        end()
        noteThrottle(error)
        throw error
      }

      function end(): void {
        if (!leave) return
        leave()
        measured.concurrentExecutions--
        onRoom()
      }

      async function follow(running: Promise<Outcome>): Promise<Outcome> {
        const startedAtMs = clock.monotonic()
        try {
          const outcome = await running
          measured.invocations++
          if (outcome.functionError) measured.errors++
          measurements.observe(measured.duration, outcome.durationMs ?? clock.monotonic() - startedAtMs)
          return outcome
        } catch (error) {
          noteThrottle(error)
          throw error
        } finally {
          end()
        }
      }
    },
    async room(snapshot) {
      const limits = await concurrency.limitsOf(snapshot)
      return limits.reserved === 0 ? 'none ever' : admission.room(snapshot.record, limits)
    },
  }
}

/** Whether an invocation was refused because too many run. */
export function isThrottle(error: unknown): error is AwsError & { members: { Reason: ThrottleReason } } {
  return error instanceof AwsError && error.code === 'TooManyRequestsException'
}
