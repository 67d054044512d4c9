// For tests of several processes on one store: each a store of its own with connections held in memory. Run as a program, it is one that can be killed.

import { writeSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { systemClock, type Clock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import type { Store } from '#storage/database.ts'
import { openDatabase, type Engine } from '#storage/open.ts'
import { newConnectionId } from '../connection-ids.ts'
import type { ConnectionFacts, ConnectionKey, Connections } from '../connections.ts'
import { claimNode } from './claim-node.ts'
import { migrations } from './migrations.ts'
import { createSharedConnections, type SharedConnections } from './shared-connections.ts'

export const facts: ConnectionFacts = { connectedAtMs: 1, lastActiveAtMs: 2, sourceIp: '192.0.2.1', userAgent: undefined }

export interface MemoryConnections extends Connections {
  /** A new connection, of one API and stage. */
  open(nodeTag: string): ConnectionKey
  /** What was sent to it, in order. */
  received(key: ConnectionKey): string[]
  /** Its client does not read any more. */
  fill(key: ConnectionKey): void
  /** What is sent to it stays under way until `until` resolves; sends under way are counted in `begun`. */
  stall(key: ConnectionKey, until: Promise<void>): void
  begun: number
}

interface Held {
  key: ConnectionKey
  messages: string[]
  isFull: boolean
  stalled: Promise<void> | undefined
}

export function createMemoryConnections(): MemoryConnections {
  const held = new Map<string, Held>()
  const find = ({ connectionId, apiId, stageName }: ConnectionKey) => {
    const found = held.get(connectionId)
    return found?.key.apiId === apiId && found.key.stageName === stageName ? found : undefined
  }
  return {
    begun: 0,
    open(nodeTag) {
      const key = { connectionId: newConnectionId(nodeTag, systemRandom), apiId: 'a1b2c3d4e5', stageName: 'live' }
      held.set(key.connectionId, { key, messages: [], isFull: false, stalled: undefined })
      return key
    },
    received: (key) => find(key)!.messages,
    fill: (key) => { find(key)!.isFull = true },
    stall: (key, until) => { find(key)!.stalled = until },
    describe: async (key) => find(key) ? facts : 'gone',
    async send(key, message) {
      this.begun++
      const found = find(key)
      if (!found) return 'gone'
      if (found.isFull) return 'full'
      await found.stalled
      found.messages.push(message.toString())
      return 'sent'
    },
    disconnect: async ({ connectionId, ...key }) => find({ connectionId, ...key }) && held.delete(connectionId) ? 'closed' : 'gone',
  }
}

export interface TestNode<OwnClock extends Clock> {
  store: Store
  clock: OwnClock
  nodeTag: string
  local: MemoryConnections
  shared: SharedConnections
  /** What it logged. */
  logged: string[]
}

export function openStore(engine: Engine): Promise<Store> {
  return openDatabase({ engine, store: 'core', migrations, transactionModules: [new URL('./store.ts', import.meta.url)], clock: systemClock })
}

/** A process of its own as far as the store can tell; it closes with the test. */
export async function startNodeWith<OwnClock extends Clock>(t: TestContext, engine: Engine, clock: OwnClock): Promise<TestNode<OwnClock>> {
  const [store, local, logged] = [await openStore(engine), createMemoryConnections(), [] as string[]]
  const { nodeTag } = await claimNode({ database: store, clock, random: systemRandom })
  const note = (_facts: unknown, message: string) => { logged.push(message) }
  const shared = createSharedConnections({ local, nodeTag, database: store, clock, log: { warn: note, error: note } as never })
  t.after(async () => {
    await shared.close()
    await store.close()
  })
  await shared.start()
  return { store, clock, nodeTag, local, shared, logged }
}

// `URL`: says on stdout the key of a connection on which nothing that is sent ever arrives, then each message that it began to send.
if (import.meta.main) {
  const store = await openStore({ url: process.argv[2]! })
  const { nodeTag } = await claimNode({ database: store, clock: systemClock, random: systemRandom })
  const local = createMemoryConnections()
  const sending: Connections = {
    ...local,
    send: (_key, message) => {
      writeSync(1, `${message.toString()}\n`)
      return new Promise(() => {})
    },
  }
  await createSharedConnections({ local: sending, nodeTag, database: store, clock: systemClock, log: { warn() {}, error() {} } as never }).start()
  writeSync(1, `${JSON.stringify(local.open(nodeTag))}\n`)
}
