// When calls that wait are worth another environment: by how long those at work need, and what a start costs.

/** What is known of a version's environments. Milliseconds. */
export interface Pace {
  /** How long its invocations took of late; undefined before the first one has ended. */
  durationMs: number | undefined
  /** How long its starts took of late. */
  startMs: number
}

export interface Crowd {
  waiting: number
  /** At work or starting. */
  environments: number
  starting: number
  oldestWaitMs: number
}

/**
 * Ours: a call waits at least so long for an environment that is at work before another one is started, and so long again for each start that
 * is under way. AWS starts an environment for each call that finds none idle.
 */
export const PATIENCE_MS = 10

/** Before anything was measured. Ours: what a start of Node takes on a machine that does nothing else. */
export const newPace: Pace = { durationMs: undefined, startMs: 100 }

/**
 * Whether to start another environment.
 *
 * A start takes processor time that environments at work would have used. It is worth that where the calls that wait would wait longer for
 * those at work than a start takes; where nothing is known of the function yet; and where a call has waited longer than all this says it would.
 */
export function isWorthStarting({ waiting, environments, starting, oldestWaitMs }: Crowd, { durationMs, startMs }: Pace): boolean {
  if (waiting === 0) return false
  if (environments === 0) return true
  if (oldestWaitMs < PATIENCE_MS * (1 + starting)) return false
  if (durationMs === undefined) return true
  const expectedMs = durationMs * waiting / environments
  return expectedMs > startMs || oldestWaitMs > 2 * startMs + expectedMs
}

/** So much of a new value, the rest of what was known. */
const NEWEST_SHARE = 0.2

export function afterInvocation(pace: Pace, durationMs: number): Pace {
  return { ...pace, durationMs: blend(pace.durationMs, durationMs) }
}

export function afterStart(pace: Pace, startMs: number): Pace {
  return { ...pace, startMs: blend(pace.startMs, startMs) }
}

function blend(known: number | undefined, newest: number): number {
  return known === undefined ? newest : known * (1 - NEWEST_SHARE) + newest * NEWEST_SHARE
}
