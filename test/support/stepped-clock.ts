// A clock that goes as the system's does, and can be put forward: for what happens after minutes and hours.

import { systemClock, type Clock } from '#lib/clock.ts'

export interface SteppedClock extends Clock {
  /** Puts both of its times forward. Who sleeps longer than that is woken by so much earlier. */
  step(ms: number): void
}

export function steppedClock(): SteppedClock {
  let aheadMs = 0
  const sleeping = new Set<() => void>()
  const clock: SteppedClock = {
    now: () => systemClock.now() + aheadMs,
    monotonic: () => systemClock.monotonic() + aheadMs,
    async sleep(ms, signal) {
      const untilMs = clock.monotonic() + ms
      for (let leftMs = ms; leftMs > 0 && !signal?.aborted; leftMs = untilMs - clock.monotonic()) {
        const stepped = new AbortController()
        const wake = () => { stepped.abort('stepped') }
        sleeping.add(wake)
        signal?.addEventListener('abort', wake, { once: true })
        await systemClock.sleep(leftMs, stepped.signal)
        signal?.removeEventListener('abort', wake)
        sleeping.delete(wake)
      }
    },
    step(ms) {
      aheadMs += ms
      for (const wake of [...sleeping]) wake()
    },
  }
  return clock
}
