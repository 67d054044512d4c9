// Asynchronous invocation: events are accepted into the store, and run by every process that shares it, each taking what it has room for.

import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Database } from '#storage/database.ts'
import { tooManyRequests } from '../concurrency/admission.ts'
import type { FunctionDirectory } from '../directory.ts'
import { EVENT_LEASE_MS, EVENT_POLL_MS, EVENTS_AT_ONCE_MAX, EVENTS_WAITING_MAX, GIVEN_UP_EVENTS_MAX, GIVEN_UP_EVENTS_MS_MAX } from '../limits.ts'
import type { Measurements } from '../measurements.ts'
import type { Runner } from '../runner.ts'
import { attempt } from './attempts.ts'
import type { Deliveries } from './deliveries.ts'
import { queueOf, type QueuedEvent } from './model.ts'
import { sharesOf, type Demand } from './shares.ts'
import { countEvents, listQueues, transactions, type DueQueue, type Stored } from './store.ts'

export interface Events {
  /**
   * Keeps an event until its function has run. Resolves once it is flushed to disk.
   *
   * @throws TooManyRequestsException when too many of the function's events wait already.
   */
  accept(stored: Stored<QueuedEvent>): Promise<void>
  /** Begins to take events, also those that were left by a process that is no more. */
  start(): void
  /** An event has come into the store by another way. */
  wake(): void
  /** An invocation has ended. */
  onRoom(): void
  /** Events that run at this moment. */
  running(): number
  /** Takes no more events, and takes failures from then on as none of the functions' own. */
  beginClose(): void
  /** Resolves when no event runs any more; what was interrupted runs again later. */
  endClose(): Promise<void>
}

export interface EventsOptions {
  database: Database
  directory: FunctionDirectory
  runner: Runner
  deliveries: Deliveries
  measurements: Measurements
  clock: Clock
  random: RandomSource
  log: Log
  eventsWaitingMax?: number
}

/** How often the store is asked anew how many events wait: other processes change that, and records that became events. */
const COUNT_EVERY_MS = 30_000
const PRUNE_EVERY_MS = 3_600_000
const PRUNED_AT_ONCE_MAX = 1_000
const PROBE_EVERY_MS = 1_000
/** Where the function's own events fill its room, the next one has its turn when one of them ends. */
const PROBE_BESIDE_OWN_EVERY_MS = 30_000
const QUEUES_PROBED_MAX = 10_000
const STORE_PAUSE_MS = 1_000

export function createEvents(options: EventsOptions): Events {
  const { database, directory, runner, measurements, clock, random, log, eventsWaitingMax = EVENTS_WAITING_MAX } = options
  const lease = random.uuid()
  const running = new Map<string, string>()
  const closing = new AbortController()
  let waking = new AbortController()
  let waiting = new Map<string, number>()
  let countedAtMs = -Infinity
  let prunedAtMs = -Infinity
  let renewedAtMs = clock.monotonic()
  let turn = 0
  /** Some events wait for nothing but room. */
  let isBlocked = false
  const probed = new Map<string, number>()
  let ended: Promise<void> | undefined
  // The store may have been emptied.
  const stopListening = database.onChange((change) => { if (!change) countedAtMs = -Infinity })

  function wake(): void {
    waking.abort('awake')
  }

  async function run(): Promise<void> {
    // A file has one process: whatever its last one was doing is to be done again, at once.
    let isFirst = database.engine === 'sqlite'
    for (;;) {
      waking = new AbortController()
      if (closing.signal.aborted) return
      try {
        if (isFirst) await database.transact(transactions.releaseAll, { dueAtMs: clock.now() })
        isFirst = false
        await renew()
        await lookAfter()
        await takeDue()
      } catch (error) {
        if (closing.signal.aborted) return
        log.error({ err: error }, 'the store of events could not be used')
        await clock.sleep(STORE_PAUSE_MS, closing.signal)
      }
      await clock.sleep(EVENT_POLL_MS, waking.signal)
    }
  }

  /** Says in time that what runs here still does. */
  async function renew(): Promise<void> {
    if (running.size === 0 || clock.monotonic() - renewedAtMs < EVENT_LEASE_MS / 3) return
    renewedAtMs = clock.monotonic()
    await database.transact(transactions.renew, { ids: [...running.keys()], lease, untilMs: clock.now() + EVENT_LEASE_MS })
  }

  async function lookAfter(): Promise<void> {
    const now = clock.monotonic()
    if (now - countedAtMs > COUNT_EVERY_MS) await recount()
    if (now - prunedAtMs < PRUNE_EVERY_MS) return
    const pruned = await database.transact(transactions.prune, { beforeMs: clock.now() - GIVEN_UP_EVENTS_MS_MAX, keptMax: GIVEN_UP_EVENTS_MAX, limit: PRUNED_AT_ONCE_MAX })
    if (pruned < PRUNED_AT_ONCE_MAX) prunedAtMs = now
  }

  async function recount(): Promise<void> {
    countedAtMs = clock.monotonic()
    waiting = await countEvents(database)
  }

  async function takeDue(): Promise<void> {
    if (running.size >= EVENTS_AT_ONCE_MAX) return
    const nowMs = clock.now()
    const due = (await listQueues(database)).filter(({ dueAtMs }) => dueAtMs <= nowMs)
    if (due.length === 0) return
    // Who was asked first last time is asked last now.
    turn = (turn + 1) % due.length
    isBlocked = false
    const demands = await Promise.all([...due.slice(turn), ...due.slice(0, turn)].map(demandOf))
    const queues = sharesOf(demands, { placesMax: EVENTS_AT_ONCE_MAX, runningTotal: running.size })
    if (queues.length === 0) return
    const claimed = await database.transact(transactions.claim, { queues, nowMs, untilMs: nowMs + EVENT_LEASE_MS, lease })
    for (const stored of claimed) void start(stored)
  }

  async function demandOf({ queue }: Pick<DueQueue, 'queue'>): Promise<Demand> {
    const own = runningOf(queue)
    const [accountId, region, name] = queue.split('/') as [string, string, string]
    const snapshot = await directory.find({ accountId, region, name, qualifier: undefined })
    const room = snapshot ? await runner.room(snapshot) : 'none ever'
    // Events that will never run are to be told so.
    if (room === 'none ever') return { queue, running: own, room: Infinity }
    if (room > 0) return { queue, running: own, room }
    isBlocked = true
    return { queue, running: own, room: mayProbe(queue, own === 0 ? PROBE_EVERY_MS : PROBE_BESIDE_OWN_EVERY_MS) ? 1 : 0 }
  }

  /** Where others leave a function's events no room, one of them finds out now and then: it is throttled, and may turn out to be too old. */
  function mayProbe(queue: string, everyMs: number): boolean {
    const now = clock.monotonic()
    if (probed.size >= QUEUES_PROBED_MAX) probed.clear()
    if (now - (probed.get(queue) ?? -Infinity) < everyMs) return false
    probed.set(queue, now)
    return true
  }

  function runningOf(queue: string): number {
    let count = 0
    for (const one of running.values()) if (one === queue) count++
    return count
  }

  async function start(stored: Stored<QueuedEvent>): Promise<void> {
    const queue = queueOf(stored.event)
    running.set(stored.event.id, queue)
    try {
      for (;;) {
        try {
          const settled = await attempt(stored, { lease, isClosing: () => closing.signal.aborted }, options)
          if (settled === 'done' || settled === 'given up') count(queue, -1)
          if (settled === 'interrupted') await database.transact(transactions.putBack, { event: stored.event, dueAtMs: clock.now(), lease })
          return
        } catch (error) {
          log.error({ err: error, requestId: stored.event.id }, 'an event could not be settled')
          if (closing.signal.aborted) return
          await clock.sleep(STORE_PAUSE_MS, closing.signal)
        }
      }
    } finally {
      running.delete(stored.event.id)
      wake()
    }
  }

  function count(queue: string, change: 1 | -1): void {
    const next = (waiting.get(queue) ?? 0) + change
    if (next > 0) waiting.set(queue, next)
    else waiting.delete(queue)
  }

  return {
    wake,
    running: () => running.size,
    async accept(stored) {
      const { event } = stored
      const queue = queueOf(event)
      if (countedAtMs === -Infinity) await recount()
      if ((waiting.get(queue) ?? 0) >= eventsWaitingMax) throw tooManyRequests('CallerRateLimitExceeded')
      count(queue, 1)
      try {
        // One that may run at once is taken with the same flush.
        const isNext = ended !== undefined && !closing.signal.aborted && (waiting.get(queue) ?? 0) <= runningOf(queue) + 1
        const isTaken = isNext && sharesOf([await demandOf({ queue })], { placesMax: EVENTS_AT_ONCE_MAX, runningTotal: running.size }).length > 0
        const nowMs = clock.now()
        await database.transact(transactions.accept, { ...stored, ...(isTaken ? { dueAtMs: nowMs + EVENT_LEASE_MS, lease } : { dueAtMs: nowMs, lease: '' }) })
        measurements.of(event).asyncEventsReceived++
        if (isTaken) void start(stored)
        else wake()
      } catch (error) {
        count(queue, -1)
        throw error
      }
    },
    onRoom() { if (isBlocked) wake() },
    start() { ended ??= run() },
    beginClose() {
      closing.abort('closed')
      wake()
      stopListening()
    },
    async endClose() {
      await ended
      while (running.size > 0) await clock.sleep(5)
    },
  }
}
