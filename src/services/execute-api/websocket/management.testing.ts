// For tests of `@connections`: callers with their policies, connections held in memory, and the API before them.

import type { RequestFacts } from '#aws/dispatch.ts'
import type { SigningCredentials } from '#aws/sigv4/sign.ts'
import type { TraceStep } from '#aws/trace.ts'
import { systemClock, type Clock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import { snapshotOf, sourceOf } from '../http/gateway.testing.ts'
import { callersOf, type GivenUsers } from './callers.testing.ts'
import type { ConnectionFacts, ConnectionKey, Connections } from './connections.ts'
import { createConnectionManagement, type ConnectionManagement } from './management.ts'

/** What a test sees of a connection. `isFull`: its client does not read. */
export interface HeldConnection extends ConnectionFacts {
  received: Buffer[]
  isFull?: boolean
}

/** Connections by `{api}/{stage}/{id}`. */
export function connectionsIn(held: Map<string, HeldConnection>): Connections {
  const nameOf = ({ apiId, stageName, connectionId }: ConnectionKey) => `${apiId}/${stageName}/${connectionId}`
  return {
    async describe(key) {
      const found = held.get(nameOf(key))
      if (!found) return 'gone'
      const { connectedAtMs, lastActiveAtMs, sourceIp, userAgent } = found
      return { connectedAtMs, lastActiveAtMs, sourceIp, userAgent }
    },
    async send(key, message) {
      const found = held.get(nameOf(key))
      if (!found) return 'gone'
      if (found.isFull) return 'full'
      found.received.push(message)
      return 'sent'
    },
    disconnect: async (key) => held.delete(nameOf(key)) ? 'closed' : 'gone',
  }
}

export interface ManagementGiven {
  users: GivenUsers
  held?: Map<string, HeldConnection>
  clock?: Clock
  connections?: Connections
  protocolType?: 'HTTP' | 'WEBSOCKET'
}

export interface Managed {
  management: ConnectionManagement
  held: Map<string, HeldConnection>
  keyOf(user: string): SigningCredentials
  /** Of the last request. */
  last(): { facts: RequestFacts, steps: readonly TraceStep[] }
  /** What the log was told. */
  errors: unknown[]
}

export function managementOver({ users, held = new Map(), clock = systemClock, connections = connectionsIn(held), protocolType = 'WEBSOCKET' }: ManagementGiven): Managed {
  const { authenticator, authorizer, keyOf } = callersOf(users, clock)
  const errors: unknown[] = []
  let last: ReturnType<Managed['last']> | undefined
  const management = createConnectionManagement({
    connections, clock, random: systemRandom, region: 'us-east-1',
    snapshots: sourceOf(() => snapshotOf({}, { protocolType })),
    authenticator, authorizer,
    log: { error: ({ err }) => { errors.push(err) } },
    onTrace: (trace, facts) => { last = { facts, steps: trace.steps() } },
  })
  return {
    management, held, errors, keyOf,
    last: () => last!,
  }
}
