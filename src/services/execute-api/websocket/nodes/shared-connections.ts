// Connections wherever they are held: in this process, or in another that shares the store.

import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Database } from '#storage/database.ts'
import { isConnectionId, nodeTagOf } from '../connection-ids.ts'
import type { ConnectionKey, Connections } from '../connections.ts'
import { createAsker } from './asker.ts'
import { BEAT_MS, NODE_KEPT_MS, NODE_VALID_MS, OUTSTANDING_MAX, ROWS_KEPT_MS, SWEEP_EVERY_MS } from './limits.ts'
import type { Outcomes, RequestKind } from './messages.ts'
import { createOwner } from './owner.ts'
import { ANSWERS_CHANGED, NODE_LEFT, REQUESTS_CHANGED, transactions } from './store.ts'
import { oneAtATime } from './turns.ts'

export interface SharedConnectionsOptions {
  /** Those of this process. */
  local: Connections
  /** As `claimNode` gave it; the ids of `local` begin with it. */
  nodeTag: string
  database: Database
  clock: Clock
  log: Pick<Log, 'warn' | 'error'>
}

/**
 * Connections of every process. Beyond what `Connections` promises: an answer from another process takes a few commits, and when there is none within
 * `ANSWER_MS_MAX` the promise rejects with a sentence; `gone` and `sent` are never guessed, and a message is never delivered twice.
 * `send` is `full` also when too many requests wait for other processes.
 */
export interface SharedConnections extends Connections {
  /** From now on other processes are asked and answered. */
  start(): Promise<void>
  /** Answers what it can, gives up what waits, and says to the others that this process is gone. Its own connections stay as they are. */
  close(): Promise<void>
}

/** Too many requests wait for other processes already. What was asked was not done. */
export class TooManyOutstanding extends Error {
  constructor() {
    super(`${OUTSTANDING_MAX} requests about connections wait for other processes already`)
    this.name = 'TooManyOutstanding'
  }
}

export function createSharedConnections(options: SharedConnectionsOptions): SharedConnections {
  return options.database.engine === 'sqlite' ? alone(options) : together(options)
}

/** Only one process can use the embedded engine's store, so what it does not hold was an earlier one's. */
function alone({ local, nodeTag, database, clock }: SharedConnectionsOptions): SharedConnections {
  return {
    ...connectionsOf(local, nodeTag, async () => 'gone'),
    // A backup of processes that shared a store may have been restored into this one.
    start: () => sweep(database, clock),
    async close() {},
  }
}

function together({ local, nodeTag, database, clock, log }: SharedConnectionsOptions): SharedConnections {
  const asker = createAsker({ nodeTag, database, clock, log })
  const owner = createOwner({ local, nodeTag, database, clock, log })
  const closing = new AbortController()
  let beating: Promise<void> | undefined
  let stopListening = () => {}

  /** Whatever may have changed. */
  function lookAgain(): void {
    owner.takeRequests()
    asker.readAnswers()
    asker.checkOwners()
  }

  const renewing = oneAtATime(async () => {
    if (closing.signal.aborted) return
    try {
      await database.transact(transactions.renew, { tag: nodeTag, aliveUntilMs: clock.now() + NODE_VALID_MS })
    } catch (error) {
      log.warn({ because: (error as Error).message }, 'other processes were not told that this one is there')
    }
  })

  async function beat(): Promise<void> {
    let sweptAtMs = clock.monotonic()
    while (!closing.signal.aborted) {
      await clock.sleep(BEAT_MS, closing.signal)
      if (closing.signal.aborted) return
      renewing.ask()
      lookAgain()
      if (clock.monotonic() - sweptAtMs < SWEEP_EVERY_MS) continue
      sweptAtMs = clock.monotonic()
      await sweep(database, clock).catch((error: Error) => { log.warn({ because: error.message }, 'what processes asked each other long ago was not removed') })
    }
  }

  return {
    ...connectionsOf(local, nodeTag, (kind, key, message) => {
      if (!beating) throw new Error('other processes are not asked about connections before this one has started')
      return asker.ask(kind, key, message)
    }),
    async start() {
      stopListening = database.onChange((change) => {
        if (!change) {
          // The store may have been emptied, of this process too.
          renewing.ask()
          lookAgain()
        } else if (change.topic === NODE_LEFT) asker.checkOwners()
        else if (change.key !== nodeTag) return
        else if (change.topic === REQUESTS_CHANGED) owner.takeRequests()
        else if (change.topic === ANSWERS_CHANGED) asker.readAnswers()
      })
      renewing.ask()
      await renewing.idle()
      beating = beat()
      lookAgain()
    },
    async close() {
      closing.abort('closing')
      await beating
      await Promise.all([asker.close(), owner.close(), renewing.idle()])
      stopListening()
      try {
        // After the answers: who sees that this process has left finds them.
        await database.transact(transactions.leave, { tag: nodeTag, nowMs: clock.now() })
      } catch (error) {
        log.warn({ because: (error as Error).message }, 'other processes were not told that this one has left')
      }
    },
  }
}

type Elsewhere = (kind: RequestKind, key: ConnectionKey, message: Buffer | null) => Promise<Outcomes[RequestKind] | 'busy'>

function connectionsOf(local: Connections, nodeTag: string, elsewhere: Elsewhere): Connections {
  const isHere = ({ connectionId }: ConnectionKey) => nodeTagOf(connectionId) === nodeTag

  async function ask<Kind extends RequestKind>(kind: Kind, key: ConnectionKey, message: Buffer | null = null): Promise<Outcomes[Kind] | 'busy'> {
    // The key is kept as it was now, whatever the caller does with its object.
    return isConnectionId(key.connectionId) ? await elsewhere(kind, { ...key }, message) as Outcomes[Kind] | 'busy' : 'gone' as Outcomes[Kind]
  }

  return {
    async describe(key) {
      return isHere(key) ? local.describe(key) : unlessBusy(await ask('describe', key))
    },
    async send(key, message) {
      if (isHere(key)) return local.send(key, message)
      const outcome = await ask('send', key, message)
      return outcome === 'busy' ? 'full' : outcome
    },
    async disconnect(key) {
      return isHere(key) ? local.disconnect(key) : unlessBusy(await ask('disconnect', key))
    },
  }
}

function unlessBusy<Outcome>(outcome: Outcome | 'busy'): Outcome {
  if (outcome === 'busy') throw new TooManyOutstanding()
  return outcome
}

async function sweep(database: Database, clock: Clock): Promise<void> {
  const nowMs = clock.now()
  await database.transact(transactions.sweep, { deadlineBeforeMs: nowMs - ROWS_KEPT_MS, aliveBeforeMs: nowMs - NODE_KEPT_MS })
}
