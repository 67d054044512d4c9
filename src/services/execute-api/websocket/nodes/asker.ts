// Asks other processes about the connections that they hold, and waits for what they answer.

import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Database } from '#storage/database.ts'
import { nodeTagOf } from '../connection-ids.ts'
import type { ConnectionKey } from '../connections.ts'
import { ANSWER_MS_MAX, BATCH_MAX, OUTSTANDING_BYTES_MAX, OUTSTANDING_MAX } from './limits.ts'
import type { Answer, NodeRequest, RequestKind } from './messages.ts'
import { listAlive, listAnswers, transactions } from './store.ts'
import { createBatches, oneAtATime } from './turns.ts'

export interface AskerOptions {
  nodeTag: string
  database: Database
  clock: Clock
  log: Pick<Log, 'warn'>
}

export interface Asker {
  /**
   * Asks the process that holds a connection. `gone` when that process is not there; `busy` when too many requests wait already, and nothing was asked.
   *
   * @throws Error when there is no answer in time, or none that can be had: what was asked may or may not have been done, the sentence says which.
   */
  ask(kind: RequestKind, key: ConnectionKey, message: Buffer | null): Promise<Exclude<Answer, 'failed'> | 'busy'>
  /** There may be answers. */
  readAnswers(): void
  /** Processes may have left. */
  checkOwners(): void
  /** Gives up all that waits. */
  close(): Promise<void>
}

/** A request that waits for its answer. */
interface Outstanding {
  request: NodeRequest
  resolve(answer: Exclude<Answer, 'failed'>): void
  reject(error: Error): void
  over: AbortController
}

export function createAsker({ nodeTag, database, clock, log }: AskerOptions): Asker {
  const outstanding = new Map<number, Outstanding>()
  let outstandingBytes = 0
  let lastNumber = 0
  let isClosing = false

  /** Ends a request's wait, once. */
  function settle(number: number, how: (asked: Outstanding) => void): void {
    const asked = outstanding.get(number)
    if (!asked) return
    outstanding.delete(number)
    outstandingBytes -= asked.request.message?.length ?? 0
    asked.over.abort('settled')
    how(asked)
  }

  function settleWith(number: number, answer: Answer): void {
    settle(number, ({ request, resolve, reject }) => {
      if (answer === 'failed') reject(new Error(`the process that holds connection ${request.key.connectionId} failed to ${request.kind}; its log says why`))
      else resolve(answer)
    })
  }

  const asking = createBatches<number>(BATCH_MAX, async (numbers) => {
    const requests = numbers.flatMap((number) => outstanding.get(number)?.request ?? [])
    if (requests.length === 0) return
    try {
      for (const number of await database.transact(transactions.ask, { requests, nowMs: clock.now() })) settleWith(number, 'gone')
    } catch (error) {
      for (const { number } of requests) settle(number, ({ reject }) => { reject(error as Error) })
    }
  })

  const givingUp = createBatches<NodeRequest>(BATCH_MAX, async (requests) => {
    try {
      const withdrawn = await database.transact(transactions.withdraw, { requests: requests.map(({ askingTag, number, ownerTag }) => ({ askingTag, number, ownerTag })), nowMs: clock.now() })
      for (const { number, answer, isOwnerAlive, wasWaiting } of withdrawn) {
        if (answer !== undefined) settleWith(number, answer)
        // With its process a connection is gone, whether or not that had begun to do what was asked.
        else if (!isOwnerAlive) settleWith(number, 'gone')
        else settle(number, ({ request, reject }) => { reject(unanswered(request, wasWaiting)) })
      }
    } catch (error) {
      for (const { number } of requests) settle(number, ({ reject }) => { reject(error as Error) })
    }
  })

  function unanswered({ kind, key: { connectionId } }: NodeRequest, wasWaiting: boolean): Error {
    const why = isClosing ? 'this process closes' : `the process that holds it did not answer within ${ANSWER_MS_MAX} ms`
    return new Error(`${kind} of connection ${connectionId} was given up, as ${why}; ${wasWaiting ? 'it was not done' : 'it may have been done'}`)
  }

  const reading = oneAtATime(async () => {
    try {
      const answers = await listAnswers(database, { askingTag: nodeTag, limit: BATCH_MAX })
      if (answers.length === 0) return
      for (const { number, answer } of answers) settleWith(number, answer)
      await database.transact(transactions.forget, { askingTag: nodeTag, numbers: answers.map(({ number }) => number) })
      if (answers.length === BATCH_MAX) reading.ask()
    } catch (error) {
      log.warn({ because: (error as Error).message }, 'what other processes answered about their connections could not be read')
    }
  })

  const checking = oneAtATime(async () => {
    const waiting = [...outstanding.values()].map(({ request }) => request)
    if (waiting.length === 0) return
    try {
      const alive = await listAlive(database, { tags: waiting.map(({ ownerTag }) => ownerTag), nowMs: clock.now() })
      for (const request of waiting) if (!alive.has(request.ownerTag)) givingUp.add(request)
    } catch (error) {
      log.warn({ because: (error as Error).message }, 'which processes are there could not be read')
    }
  })

  async function giveUpLate({ request, over }: Outstanding): Promise<void> {
    await clock.sleep(ANSWER_MS_MAX, over.signal)
    if (outstanding.has(request.number)) givingUp.add(request)
  }

  return {
    async ask(kind, key, message) {
      if (isClosing) throw new Error('this process closes and asks no other any more')
      const bytes = message?.length ?? 0
      if (outstanding.size >= OUTSTANDING_MAX || outstandingBytes + bytes > OUTSTANDING_BYTES_MAX) return 'busy'
      const number = ++lastNumber
      const request: NodeRequest = { askingTag: nodeTag, number, ownerTag: nodeTagOf(key.connectionId), kind, key, message, deadlineMs: clock.now() + ANSWER_MS_MAX }
      outstandingBytes += bytes
      return new Promise((resolve, reject) => {
        const asked = { request, resolve, reject, over: new AbortController() }
        outstanding.set(number, asked)
        void giveUpLate(asked)
        asking.add(number)
      })
    },
    readAnswers: () => { reading.ask() },
    checkOwners: () => { checking.ask() },
    async close() {
      isClosing = true
      await asking.idle()
      for (const { request } of outstanding.values()) givingUp.add(request)
      await Promise.all([givingUp.idle(), reading.idle(), checking.idle()])
    },
  }
}
