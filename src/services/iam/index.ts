// IAM as the rest of the program sees it: its operations, who holds which key, and sessions of roles.

import type { Clock } from '#lib/clock.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Sealer } from '#lib/seal.ts'
import type { Caller, SessionTerms } from '#aws/caller.ts'
import { AwsError } from '#aws/errors.ts'
import type { Identity, SessionCredentials } from '#aws/identity.ts'
import { parseArn } from '#aws/arn.ts'
import type { ConditionContext, Policy } from '#aws/policy/document.ts'
import { evaluate } from '#aws/policy/evaluate.ts'
import type { ServiceDefinition } from '#aws/service.ts'
import type { Database } from '#storage/database.ts'
import { createAccount } from './accounts.ts'
import { operations } from './api.ts'
import { nowInSeconds } from './context.ts'
import type { IamService } from './context.ts'
import { accessKeyPurpose, createIdentity } from './identity.ts'
import { accountOfAccessKeyId, entityArn, oidcProviderArn } from './model.ts'
import type { Account, OidcProvider } from './model.ts'
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

/** A session of a user, or for somebody for whom a user vouches. `userId` is the account's id for its root. */
export interface UserSessionRequest {
  accountId: string
  userId: string
  durationSeconds: number
  /** Of GetFederationToken: what the session calls itself and what is laid down for it. Absent: the user's own session. */
  federated?: { name: string, terms?: SessionTerms }
}

/** A session of a role to begin. Whoever asks has made sure that it may. */
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
  /** New keys for a session of a user. They end when they expire, or when the user is deleted. */
  issueForUser(session: UserSessionRequest): Promise<SessionCredentials>
}

/** An issuer of web identities that an account has registered. */
export type { OidcProvider } from './model.ts'

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
  /** The provider that an account has for an issuer (as tokens name it), or undefined. */
  findOidcProvider(accountId: string, issuer: string): Promise<OidcProvider | undefined>
  /** Makes an account with a key of its root, which is told this once. Undefined when there is one of that id. */
  createAccount(accountId?: string): Promise<{ accountId: string, accessKeyId: string, secretAccessKey: string } | undefined>
  listAccounts(): Promise<Account[]>
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
    async issueForUser({ accountId, userId, durationSeconds, federated }) {
      const issuedAtMs = nowInSeconds(service)
      const terms = federated?.terms
      return sessions.issue({
        kind: federated ? 'federated' : 'user', accountId, principalId: userId, sessionName: federated?.name ?? '', issuedAtMs,
        expiresAtMs: issuedAtMs + durationSeconds * 1000, ...(terms && { terms }),
      })
    },
    async issue({ role, sessionName, durationSeconds, terms }) {
      // Dates in credentials have whole seconds.
      const issuedAtMs = nowInSeconds(service)
      return sessions.issue({
        kind: 'role', accountId: role.accountId, principalId: role.roleId, sessionName, issuedAtMs, expiresAtMs: issuedAtMs + durationSeconds * 1000, ...(terms && { terms }),
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
    listAccounts: () => reads.listAccounts(database),
    createAccount: (accountId) => createAccount(accountId, service),
    async findOidcProvider(accountId, issuer) {
      const provider = await reads.findOidcProvider(database, oidcProviderArn({ accountId, url: issuer }))
      return provider?.url === issuer ? provider : undefined
    },
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
      refusesCaller,
      bodyBytesMax: BODY_BYTES_MAX,
      errors: {
        validation: { code: 'ValidationError', status: 400 },
        accessDenied: { code: 'AccessDenied', status: 403 },
        constraints: liftedPatterns,
      },
    },
  }
}

/**
 * Sessions of users do not reach IAM without MFA, which nobody here has; those of federated users never do.
 *
 * Source: STS API reference, GetSessionToken and GetFederationToken, permissions; the sentence (without a full stop) as users of AWS
 * report it (cloudyr/aws.iam issue 15, aws/aws-sdk-js issue 460).
 */
function refusesCaller(caller: Caller): AwsError | undefined {
  const isRefused = caller.is === 'federated' || ((caller.is === 'user' || caller.is === 'root') && caller.temporary !== undefined)
  return isRefused ? new AwsError('InvalidClientTokenId', 403, 'The security token included in the request is invalid') : undefined
}
