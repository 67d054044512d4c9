// Events as people see them: those that wait or run, and those that were given up.

import { Conflict, type Database } from '#storage/database.ts'
import type { Clock } from '#lib/clock.ts'
import { LATEST } from '../model.ts'
import { qualifiedArn } from '../names.ts'
import type { GivenUpEvent, QueuedEvent } from './model.ts'
import { findEvent, listGivenUp, listWaiting, transactions, type ListedEvent } from './store.ts'

/** An event without what it carries. Times as ISO 8601 has them. */
export interface ShownEvent {
  requestId: string
  functionArn: string
  state: 'waiting' | 'running' | 'given up'
  acceptedAt: string
  attempts: number
  /** Of one that waits. */
  dueAt?: string
  lastError?: string
  /** Of one that was given up. */
  givenUpAt?: string
  condition?: string
  /** Why its record did not reach a destination. */
  undelivered?: readonly string[]
}

export interface EventListing {
  /** The latest of an account's events: at most `limit` that wait or run, then at most so many that were given up. */
  list(accountId: string, limit: number): Promise<ShownEvent[]>
  /** One event of the account, with the text that its function gets. */
  find(accountId: string, requestId: string): Promise<ShownEvent & { payload: string } | undefined>
  /** An event that was given up gets its attempts anew. Undefined when there is no such event. */
  retry(accountId: string, requestId: string): Promise<ShownEvent | undefined>
}

export interface EventListingOptions {
  database: Database
  clock: Clock
  /** Told of an event that may run again. */
  wake: () => void
}

export function createEventListing({ database, clock, wake }: EventListingOptions): EventListing {
  return {
    async list(accountId, limit) {
      const [waiting, givenUp] = [await listWaiting(database, { accountId, limit }), await listGivenUp(database, { accountId, limit })]
      return [...waiting, ...givenUp].map(shown)
    },
    async find(accountId, requestId) {
      const found = await findEvent(database, requestId)
      if (!found || found.event.accountId !== accountId) return undefined
      return { ...shown(found), payload: Buffer.from(found.payload).toString('utf8') }
    },
    async retry(accountId, requestId) {
      const nowMs = clock.now()
      try {
        const event = await database.transact(transactions.retry, { id: requestId, accountId, nowMs })
        wake()
        return shown({ event, turn: { dueAtMs: nowMs, lease: '' } })
      } catch (error) {
        if (error instanceof Conflict && error.reason === 'event missing') return undefined
        throw error
      }
    },
  }
}

function shown({ event, turn }: ListedEvent): ShownEvent {
  const { id, acceptedAtMs, attempts, lastError } = event
  const about = { requestId: id, functionArn: qualifiedArn({ ...event, qualifier: event.qualifier ?? LATEST }), acceptedAt: timeOf(acceptedAtMs), attempts, ...(lastError ? { lastError } : {}) }
  if (isGivenUp(event)) {
    const { givenUpAtMs, condition, undelivered } = event
    return { ...about, state: 'given up', givenUpAt: timeOf(givenUpAtMs), condition, ...(undelivered ? { undelivered } : {}) }
  }
  return turn?.lease ? { ...about, state: 'running' } : { ...about, state: 'waiting', ...(turn ? { dueAt: timeOf(turn.dueAtMs) } : {}) }
}

function isGivenUp(event: QueuedEvent | GivenUpEvent): event is GivenUpEvent {
  return 'givenUpAtMs' in event
}

function timeOf(atMs: number): string {
  return new Date(atMs).toISOString()
}
