// For tests of `@connections`: callers with their policies, connections held in memory, and the API before them.

import { createAuthenticator } from '#aws/authenticate.ts'
import { createAuthorizer } from '#aws/authorize.ts'
import type { UserCaller } from '#aws/caller.ts'
import type { RequestFacts } from '#aws/dispatch.ts'
import { compilePolicy } from '#aws/policy/compile.ts'
import { parsePolicy } from '#aws/policy/parse.ts'
import type { SigningCredentials } from '#aws/sigv4/sign.ts'
import type { TraceStep } from '#aws/trace.ts'
import { systemClock, type Clock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import { accountId, snapshotOf, sourceOf } from '../http/gateway.testing.ts'
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
  /** Users by name, with the statements of their policies; one whose name begins with `other` is of account 222222222222. */
  users: Readonly<Record<string, readonly object[]>>
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
  const callers = Object.entries(users).map(([userName, statements]) => {
    const account = userName.startsWith('other') ? '222222222222' : accountId
    const caller: UserCaller = { is: 'user', accountId: account, userName, arn: `arn:aws:iam::${account}:user/${userName}`, userId: `AIDA${userName}`, accessKeyId: `AKIA${userName}` }
    const policies = statements.length === 0 ? [] : [compilePolicy(parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), 'identity'), userName)]
    return { caller, policies }
  })
  const secretOf = (accessKeyId: string) => `secret of ${accessKeyId}`
  const identity = {
    findCredential: async (accessKeyId: string) => {
      const found = callers.find(({ caller }) => caller.accessKeyId === accessKeyId)
      return found ? { caller: found.caller, secretAccessKey: secretOf(accessKeyId) } : { refused: 'unknown key' as const }
    },
    policiesFor: async ({ arn }: { arn: string }) => ({ identity: callers.find(({ caller }) => caller.arn === arn)?.policies ?? [] }),
  }
  const errors: unknown[] = []
  let last: ReturnType<Managed['last']> | undefined
  const management = createConnectionManagement({
    connections, clock, random: systemRandom, region: 'us-east-1',
    snapshots: sourceOf(() => snapshotOf({}, { protocolType })),
    authenticator: createAuthenticator({ identity, clock }), authorizer: createAuthorizer({ identity, clock }),
    log: { error: ({ err }) => { errors.push(err) } },
    onTrace: (trace, facts) => { last = { facts, steps: trace.steps() } },
  })
  return {
    management, held, errors,
    keyOf: (user) => ({ accessKeyId: `AKIA${user}`, secretAccessKey: secretOf(`AKIA${user}`) }),
    last: () => last!,
  }
}
