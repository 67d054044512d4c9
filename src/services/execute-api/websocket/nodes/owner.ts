// Does what other processes ask about the connections of this one, and answers them.

import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Database } from '#storage/database.ts'
import type { Connections } from '../connections.ts'
import { BATCH_MAX, CLOSE_MS_MAX, TAKEN_AT_ONCE_MAX } from './limits.ts'
import type { Answer, NodeAnswer, NodeRequest } from './messages.ts'
import { transactions } from './store.ts'
import { createBatches, oneAtATime } from './turns.ts'

export interface OwnerOptions {
  local: Connections
  nodeTag: string
  database: Database
  clock: Clock
  log: Pick<Log, 'warn' | 'error'>
}

export interface Owner {
  /** There may be requests. */
  takeRequests(): void
  /** Takes no more, and answers what it took if that ends soon. */
  close(): Promise<void>
}

/**
 * A request leaves the store before it is done, so a process that ends in between does it never rather than twice.
 * Requests for one connection are done in the order in which each process asked; those for different connections do not wait for each other.
 */
export function createOwner({ local, nodeTag, database, clock, log }: OwnerOptions): Owner {
  /** By connection: when what was taken for it is done. */
  const working = new Map<string, Promise<void>>()
  let taken = 0
  let isClosing = false

  const answering = createBatches<NodeAnswer>(BATCH_MAX, async (answers) => {
    try {
      await database.transact(transactions.answer, { answers })
    } catch (error) {
      log.warn({ because: (error as Error).message, answers: answers.length }, 'other processes were not answered about connections of this one')
    }
  })

  const taking = oneAtATime(async () => {
    const limit = Math.min(BATCH_MAX, TAKEN_AT_ONCE_MAX - taken)
    if (isClosing || limit === 0) return
    try {
      const { requests, dropped } = await database.transact(transactions.take, { ownerTag: nodeTag, limit, nowMs: clock.now() })
      for (const request of requests) enqueue(request)
      if (requests.length + dropped === limit) taking.ask()
    } catch (error) {
      log.warn({ because: (error as Error).message }, 'what other processes ask about connections of this one could not be read')
    }
  })

  function enqueue(request: NodeRequest): void {
    const { connectionId } = request.key
    taken++
    const done: Promise<void> = (working.get(connectionId) ?? Promise.resolve()).then(() => work(request)).then(() => {
      if (working.get(connectionId) === done) working.delete(connectionId)
      // Nothing was taken while all places were.
      if (taken-- === TAKEN_AT_ONCE_MAX) taking.ask()
    })
    working.set(connectionId, done)
  }

  async function work(request: NodeRequest): Promise<void> {
    const { askingTag, number, deadlineMs } = request
    // Whoever asked has been told that there was no answer.
    if (clock.now() >= deadlineMs) return
    answering.add({ askingTag, number, deadlineMs, answer: await answerTo(request) })
  }

  async function answerTo({ kind, key, message }: NodeRequest): Promise<Answer> {
    try {
      if (kind === 'send') return await local.send(key, Buffer.from(message!))
      return await local[kind](key)
    } catch (error) {
      log.error({ err: error, connectionId: key.connectionId, kind }, 'what another process asked about a connection failed')
      return 'failed'
    }
  }

  return {
    takeRequests: () => { taking.ask() },
    async close() {
      isClosing = true
      await taking.idle()
      const done = new AbortController()
      await Promise.race([Promise.all(working.values()), clock.sleep(CLOSE_MS_MAX, done.signal)])
      done.abort('done')
      await answering.idle()
    },
  }
}
