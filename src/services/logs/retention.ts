// Deletes what may go, in the background and in small steps: events past their group's retention, events of deleted groups and streams.

import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Database } from '#storage/database.ts'
import { retainedFromMs } from './model.ts'
import { hasPurges, listRetainingGroups, SWEEP_ROWS_MAX, transactions } from './store.ts'

const SWEEP_EVERY_MS = 60_000
/** Between two steps of one sweep, so that others' writes come in between. */
const STEP_PAUSE_MS = 20

/** Sweeps once a minute until closed. */
export function startRetention({ database, clock, log }: { database: Database, clock: Clock, log: Log }): { close(): Promise<void> } {
  const end = new AbortController()
  const running = (async () => {
    for (;;) {
      await clock.sleep(SWEEP_EVERY_MS, end.signal)
      if (end.signal.aborted) return
      try {
        await sweep({ database, clock, signal: end.signal })
      } catch (error) {
        log.error({ err: error }, 'sweeping the logs failed')
      }
    }
  })()
  return {
    async close() {
      end.abort()
      await running
    },
  }
}

/** Deletes everything that may go now. Resolves early when the signal aborts. */
export async function sweep({ database, clock, signal }: { database: Database, clock: Clock, signal?: AbortSignal }): Promise<void> {
  const goesOn = async (hasMore: boolean) => {
    if (!hasMore || signal?.aborted) return false
    await clock.sleep(STEP_PAUSE_MS, signal)
    return !signal?.aborted
  }
  if (await hasPurges(database)) {
    while (await goesOn(await database.transact(transactions.sweepDeleted, undefined))) { /* a step at a time */ }
  }
  for (const group of await listRetainingGroups(database)) {
    const step = { groupId: group.id, beforeMs: retainedFromMs(group, clock.now()) }
    while (await goesOn(await database.transact(transactions.sweepGroup, step) === SWEEP_ROWS_MAX)) { /* a step at a time */ }
    if (signal?.aborted) return
  }
}
