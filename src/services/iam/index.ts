// IAM as the rest of the program sees it: its operations, who holds which key, and sessions of roles.

import type { Clock } from '#lib/clock.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Sealer } from '#lib/seal.ts'
import type { SessionTerms } from '#aws/caller.ts'
import type { Identity, SessionCredentials } from '#aws/identity.ts'
import { parseArn } from '#aws/arn.ts'
import type { ConditionContext, Policy } from '#aws/policy/document.ts'
import { evaluate } from '#aws/policy/evaluate.ts'
import type { ServiceDefinition } from '#aws/service.ts'
import type { Database } from '#storage/database.ts'
import { operations } from './api.ts'
import type { IamService } from './context.ts'
import { accessKeyPurpose, createIdentity } from './identity.ts'
import { accountOfAccessKeyId, entityArn } from './model.ts'
import { liftedPatterns } from './names.ts'
import * as reads from './reads.ts'
import { createSessions } from './sessions.ts'
import { transactions } from './store.ts'

/** A role, as services need it that act in its name or let others do so. */
export interface Role {
  arn: string
  name: string
  roleId: string
  accountId: string
  trustPolicy: Policy
  maxSessionSeconds: number
}

/** A session to begin. Whoever asks has made sure that it may. */
export interface SessionRequest {
  role: Pick<Role, 'roleId' | 'accountId'>
  /** Part of the session's ARN: 2 to 64 of `A-Za-z0-9_+=,.@-`. */
  sessionName: string
  durationSeconds: number
  terms?: SessionTerms
}

export interface Roles {
  /** The role as it is now, or undefined. */
  findRole(roleArn: string): Promise<Role | undefined>
  /** Whether the role's trust policy lets a service (`lambda.amazonaws.com`) assume it. `keys` are condition keys, such as `aws:SourceArn`. */
  isTrusting(role: Pick<Role, 'trustPolicy' | 'arn' | 'accountId'>, service: string, keys?: ConditionContext): boolean
  /** New keys for a session of a role. They end when they expire, or when the role is deleted. */
  issue(session: SessionRequest): Promise<SessionCredentials>
}

export interface AccountSetup {
  accountId: string
  rootAccessKeyId: string
  rootSecretAccessKey: string
}

export interface Iam {
  definition: ServiceDefinition<IamService>
  identity: Identity
  roles: Roles
  /** A managed policy in its default version, compiled. */
  findManagedPolicy(arn: string): Promise<Policy | undefined>
  /** The account that an access key belongs to, of any account here; for a key that is not stored, the account that its id tells. */
  accountOfAccessKey(accessKeyId: string): Promise<string | undefined>
  /** Makes the account when it is missing, and gives its root exactly this key (beside those that root made itself). */
  ensureAccount(setup: AccountSetup): Promise<void>
  /** The key that `ensureAccount` gave to the account's root. */
  findRootKey(accountId: string): Promise<{ accessKeyId: string, secretAccessKey: string } | undefined>
}

export interface IamOptions {
  database: Database
  clock: Clock
  random: RandomSource
  sealer: Pick<Sealer, 'sealText' | 'openText'>
}

/** Source: the longest policy document (131,072 characters), percent-encoded, and what surrounds it. */
const BODY_BYTES_MAX = 1024 * 1024

export function createIam({ database, clock, random, sealer }: IamOptions): Iam {
  const sessions = createSessions({ random, sealer })
  const identity = createIdentity({ database, clock, sealer, sessions })
  const service: IamService = { database, clock, random, sealer, identity }

  const roles: Roles = {
    async findRole(roleArn) {
      const arn = parseArn(roleArn)
      if (!arn || arn.service !== 'iam' || !arn.resource.startsWith('role/')) return undefined
      const name = arn.resource.slice(arn.resource.lastIndexOf('/') + 1)
      const role = await reads.findEntity(database, { accountId: arn.accountId, kind: 'role', name })
      if (!role || entityArn(role) !== roleArn) return undefined
      const trustPolicy = await identity.trustPolicyOf(role)
      return { arn: roleArn, name: role.name, roleId: role.id, accountId: role.accountId, trustPolicy, maxSessionSeconds: role.maxSessionSeconds! }
    },
    isTrusting(role, service, keys = {}) {
      const lower = new Map(Object.entries(keys).map(([key, value]) => [key.toLowerCase(), value]))
      const { outcome } = evaluate({
        principal: { is: 'service', accountId: role.accountId, arn: service }, action: 'sts:AssumeRole', resource: role.arn,
        resourceAccountId: role.accountId, lookup: (key) => lower.get(key),
      }, { identity: [], resource: role.trustPolicy })
      return outcome === 'allowed'
    },
    async issue({ role, sessionName, durationSeconds, terms }) {
      // Dates in credentials have whole seconds.
      const issuedAtMs = Math.floor(clock.now() / 1000) * 1000
      return sessions.issue({
        accountId: role.accountId, roleId: role.roleId, sessionName, issuedAtMs, expiresAtMs: issuedAtMs + durationSeconds * 1000, ...(terms && { terms }),
      })
    },
  }

  async function findRootKey(accountId: string) {
    const key = await reads.findKeyFromSettings(database, accountId)
    const secretAccessKey = key && sealer.openText(key.sealedSecret, accessKeyPurpose(key.id))
    if (key && secretAccessKey === undefined) throw new Error(`the secret of access key ${key.id} does not open with this master key`)
    return key && { accessKeyId: key.id, secretAccessKey: secretAccessKey! }
  }

  return {
    identity,
    roles,
    findManagedPolicy: (arn) => identity.managedPolicy(arn),
    findRootKey,
    accountOfAccessKey: async (accessKeyId) => (await reads.findAccessKey(database, accessKeyId))?.accountId ?? accountOfAccessKeyId(accessKeyId),
    async ensureAccount({ accountId, rootAccessKeyId, rootSecretAccessKey }) {
      const account = await reads.findAccount(database, accountId)
      const before = account && await findRootKey(accountId)
      if (before?.accessKeyId === rootAccessKeyId && before.secretAccessKey === rootSecretAccessKey) return
      const key = { id: rootAccessKeyId, sealedSecret: sealer.sealText(rootSecretAccessKey, accessKeyPurpose(rootAccessKeyId)) }
      await database.transact(transactions.ensureAccount, { accountId, key, nowMs: Math.floor(clock.now() / 1000) * 1000 })
    },
    definition: {
      model: 'iam-2010-05-08',
      operations,
      service,
      bodyBytesMax: BODY_BYTES_MAX,
      errors: {
        validation: { code: 'ValidationError', status: 400 },
        accessDenied: { code: 'AccessDenied', status: 403 },
        constraints: liftedPatterns,
      },
    },
  }
}
