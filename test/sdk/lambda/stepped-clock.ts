// A clock that tests set forward: time goes on by itself, and by as much more as a test says. Sleeps are real.

import { systemClock, type Clock } from '#lib/clock.ts'

export interface SteppedClock extends Clock {
  step(ms: number): void
}

export function steppedClock(): SteppedClock {
  let ahead = 0
  return {
    ...systemClock,
    now: () => systemClock.now() + ahead,
    step(ms) { ahead += ms },
  }
}
