// IAM and STS without a wire: operations run as the dispatcher runs them, access first, for any caller of any account.

import assert from 'node:assert/strict'
import type { Clock } from '#lib/clock.ts'
import { headersFromRaw } from '#lib/http.ts'
import { systemRandom } from '#lib/random.ts'
import { createSealer } from '#lib/seal.ts'
import { createAuthorizer } from '#aws/authorize.ts'
import type { Caller } from '#aws/caller.ts'
import { AwsError } from '#aws/errors.ts'
import type { Credential } from '#aws/identity.ts'
import type { Call, Permission, ServiceDefinition } from '#aws/service.ts'
import { startTrace } from '#aws/trace.ts'
import { createIam, type Iam } from '#services/iam/index.ts'
import { createSts } from '#services/sts/index.ts'
import type { Database } from '#storage/database.ts'

export interface IamInProcess {
  iam: Iam
  /** Runs an operation of IAM or STS as `caller` (or the first account's root). Answers its output. */
  run(name: string, input?: object, caller?: Caller): Promise<any>
  /** What a key stands for now; fails when it is refused. */
  credential(accessKeyId: string, sessionToken?: string): Promise<Credential>
  /** The root of an account, which is made when it is missing. */
  root(accountId: string): Promise<Caller>
  /** A new user with one inline policy, if given, made by the root of the account. */
  user(name: string, policy?: string, accountId?: string): Promise<Caller>
  /** Moves the clock. */
  tick(ms: number): void
}

const anonymous: Caller = { is: 'anonymous', accountId: '', arn: '', userId: '' }

/** The account that operations run in unless a caller of another is given. */
export const firstAccountId = '123456789012'

export async function startIam(database: Database): Promise<IamInProcess> {
  let nowMs = Date.parse('2026-05-01T10:00:00Z')
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => {} }
  const iam = createIam({ database, clock, random: systemRandom, sealer: createSealer(Buffer.alloc(32, 7)) })
  const sts = createSts({ iam, clock })
  const authorizer = createAuthorizer({ identity: iam.identity, clock })

  function callAs({ errors }: ServiceDefinition, caller: Caller): Call {
    const call: Call = {
      requestId: 'r', caller, scope: { accountId: caller.accountId, region: 'us-east-1' }, atMs: nowMs, trace: startTrace('r', () => 0),
      request: { headers: headersFromRaw([]), remoteAddress: '127.0.0.1', isSecure: false },
      require: async (permission: Permission) => {
        const { allowed, message } = await authorizer.decide(call, permission)
        if (!allowed) throw new AwsError(errors.accessDenied.code, errors.accessDenied.status, message)
      },
    }
    return call
  }

  const server: IamInProcess = {
    iam,
    async run(name, input = {}, caller) {
      const definition: ServiceDefinition = (name in sts.definition.operations ? sts : iam).definition
      const operation = definition.operations[name]!
      const by = caller ?? (operation.isUnsigned ? anonymous : await server.root(firstAccountId))
      const refusal = definition.refusesCaller?.(by, name)
      if (refusal) throw refusal
      const call = callAs(definition, by)
      for (const permission of await operation.access(input, call, definition.service)) await call.require(permission)
      return operation.run(input, call, definition.service)
    },
    async credential(accessKeyId, sessionToken) {
      const found = await iam.identity.findCredential(accessKeyId, sessionToken)
      assert.ok('caller' in found, JSON.stringify(found))
      return found
    },
    async root(accountId) {
      const rootAccessKeyId = `AKIAROOT${accountId}`
      if (!await iam.findRootKey(accountId)) await iam.ensureAccount({ accountId, rootAccessKeyId, rootSecretAccessKey: 'root-secret-of-the-account' })
      return (await server.credential(rootAccessKeyId)).caller
    },
    async user(UserName, policy, accountId = firstAccountId) {
      const root = await server.root(accountId)
      await server.run('CreateUser', { UserName }, root)
      if (policy) await server.run('PutUserPolicy', { UserName, PolicyName: 'p', PolicyDocument: policy }, root)
      return (await server.credential((await server.run('CreateAccessKey', { UserName }, root)).AccessKey.AccessKeyId)).caller
    },
    tick: (ms) => { nowMs += ms },
  }
  await server.root(firstAccountId)
  return server
}
