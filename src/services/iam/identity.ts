// Who holds a key and what policies say about the holder: kept compiled until IAM's tables change.

import { createCache } from '#storage/cached.ts'
import type { Cache } from '#storage/cached.ts'
import type { Change, Database } from '#storage/database.ts'
import type { Clock } from '#lib/clock.ts'
import type { Sealer } from '#lib/seal.ts'
import { sessionTermsOf } from '#aws/caller.ts'
import type { Caller, FederatedCaller, RoleCaller, RootCaller, UserCaller } from '#aws/caller.ts'
import type { Credential, CredentialRefusal, Identity } from '#aws/identity.ts'
import { compilePolicy } from '#aws/policy/compile.ts'
import type { Policy, PolicyDocument } from '#aws/policy/document.ts'
import { awsManagedPolicies } from './aws-managed.ts'
import { entityArn, rootArn } from './model.ts'
import type { Entity, Tag } from './model.ts'
import * as reads from './reads.ts'
import type { Session, Sessions } from './sessions.ts'

/** Entries kept; beyond them the one used longest ago is dropped. */
const KEYS_CACHED_MAX = 10_000
const ENTITIES_CACHED_MAX = 10_000
const POLICIES_CACHED_MAX = 2_000
const TOKENS_CACHED_MAX = 2_000
const TRUST_CACHED_MAX = 1_000

interface Dependencies {
  database: Database
  clock: Clock
  sealer: Pick<Sealer, 'openText'>
  sessions: Sessions
}

/** A principal with what policies say about it. */
interface Known {
  entity: Entity
  identity: readonly Policy[]
  boundary: Policy | undefined
  tags: Readonly<Record<string, string>>
}

export interface CachedIdentity extends Identity {
  /** A role's trust policy, compiled. */
  trustPolicyOf(role: Entity): Promise<Policy>
  /** A managed policy in its default version; undefined when there is none. */
  managedPolicy(arn: string): Promise<Policy | undefined>
}

export const accessKeyPurpose = (accessKeyId: string) => `iam.access-key ${accessKeyId}`

export function createIdentity({ database, clock, sealer, sessions }: Dependencies): CachedIdentity {
  const keys = createCache({
    database, entriesMax: KEYS_CACHED_MAX, staleAfter: only('iam.key'),
    async load(id: string) {
      const key = await reads.findAccessKey(database, id)
      return key && { ...key, secretAccessKey: sealer.openText(key.sealedSecret, accessKeyPurpose(id)) }
    },
  })
  const policies = createCache({ database, entriesMax: POLICIES_CACHED_MAX, staleAfter: only('iam.policy'), load: loadManagedPolicy })
  const entities = createCache({ database, entriesMax: ENTITIES_CACHED_MAX, staleAfter: staleEntity, load: loadEntity })
  const tokens: Cache<string, Session | undefined> = createCache({
    database, entriesMax: TOKENS_CACHED_MAX, staleAfter: () => 'none' as const, load: async (token: string) => sessions.open(token),
  })
  // Policy texts compile to the same thing always.
  const texts: Cache<string, Policy> = createCache({
    database, entriesMax: TRUST_CACHED_MAX, staleAfter: () => 'none' as const,
    load: async (named: string) => {
      const end = named.indexOf('\n')
      return compilePolicy(JSON.parse(named.slice(end + 1)) as PolicyDocument, named.slice(0, end))
    },
  })
  const compiled = (name: string, text: string) => texts.get(`${name}\n${text}`)

  async function loadManagedPolicy(arn: string): Promise<Policy | undefined> {
    const ofAws = awsManagedPolicies.get(arn)
    if (ofAws) return ofAws.compiled
    const policy = await reads.findPolicy(database, arn)
    const version = policy && await reads.findPolicyVersion(database, { arn, version: policy.defaultVersion })
    return version && compilePolicy(JSON.parse(version.document) as PolicyDocument, arn)
  }

  async function loadEntity(id: string): Promise<Known | undefined> {
    const entity = await reads.findEntityById(database, id)
    if (!entity) return undefined
    const groups = entity.kind === 'user' ? await reads.listMembers(database, { userId: id }, { after: '', limit: 1_000 }) : []
    const identity: Policy[] = []
    for (const owner of [entity, ...groups]) {
      for (const { name, document } of await reads.listInlinePolicies(database, owner.id, { after: '', limit: 1_000 })) {
        identity.push(compilePolicy(JSON.parse(document) as PolicyDocument, `inline policy "${name}" of ${owner.kind} ${owner.name}`))
      }
      for (const arn of await reads.listAttachedPolicies(database, owner.id)) {
        const policy = await loadManagedPolicy(arn)
        if (policy) identity.push(policy)
      }
    }
    const boundary = entity.boundaryArn === null ? undefined : await loadManagedPolicy(entity.boundaryArn) ?? allowsNothing(entity.boundaryArn)
    return { entity, identity, boundary, tags: recordOf(entity.tags) }
  }

  return {
    async findCredential(accessKeyId, sessionToken) {
      if (sessionToken !== undefined) return sessionCredential(accessKeyId, sessionToken)
      if (accessKeyId.startsWith('ASIA')) return { refused: 'token missing' }
      const key = await keys.get(accessKeyId)
      if (!key) return { refused: 'unknown key' }
      if (key.status !== 'Active') return { refused: 'inactive key' }
      if (key.secretAccessKey === undefined) throw new Error(`the secret of access key ${accessKeyId} does not open with this master key`)
      const caller = await keyHolder(key)
      return caller ? { caller, secretAccessKey: key.secretAccessKey } : { refused: 'principal deleted' }
    },

    async policiesFor(caller) {
      if (caller.is === 'root' || caller.is === 'service' || caller.is === 'anonymous') return { identity: [] }
      const known = await knownBehind(caller)
      if (!known) return { identity: [] }
      const { identity, boundary, tags } = known
      const session = await sessionPolicies(caller)
      const sessionTags = sessionTermsOf(caller)?.tags
      return { identity, tags: sessionTags ? overlay(tags, sessionTags) : tags, ...(boundary && { boundary }), ...(session && { session }) }
    },

    trustPolicyOf: (role) => compiled(`trust policy of role ${role.name}`, role.trustPolicy!),
    managedPolicy: (arn) => policies.get(arn),
  }

  async function keyHolder({ id, accountId, ownerId }: { id: string, accountId: string, ownerId: string }): Promise<UserCaller | RootCaller | undefined> {
    if (ownerId === accountId) return { is: 'root', accountId, arn: rootArn(accountId), userId: accountId, accessKeyId: id }
    const user = (await entities.get(ownerId))?.entity
    return user && { is: 'user', accountId, arn: entityArn(user), userId: user.id, accessKeyId: id, userName: user.name }
  }

  async function sessionCredential(accessKeyId: string, sessionToken: string): Promise<Credential | CredentialRefusal> {
    const session = await tokens.get(sessionToken)
    if (!session || session.accessKeyId !== accessKeyId) return { refused: 'token invalid' }
    if (clock.now() >= session.expiresAtMs) return { refused: 'token expired' }
    const caller = await sessionCaller(session)
    return caller ? { caller, secretAccessKey: session.secretAccessKey } : { refused: 'principal deleted' }
  }

  /** The caller that a session's keys stand for; undefined when the user or role is gone. */
  async function sessionCaller(session: Session): Promise<Caller | undefined> {
    const { kind, accountId, principalId, accessKeyId, issuedAtMs, expiresAtMs } = session
    const entity = (await entities.get(principalId))?.entity
    if (kind === 'role') return entity && roleCaller(session, entity)
    const isOfRoot = principalId === accountId
    if (!isOfRoot && !entity) return undefined
    if (kind === 'federated') return federatedCaller(session, entity)
    const holder = await keyHolder({ id: accessKeyId, accountId, ownerId: principalId })
    return holder && { ...holder, temporary: { issuedAtMs, expiresAtMs } }
  }

  /** The user or role whose policies count for a caller. What the root of an account vouches for may do everything that session policies allow. */
  async function knownBehind(caller: UserCaller | RoleCaller | FederatedCaller): Promise<Pick<Known, 'identity' | 'boundary' | 'tags'> | undefined> {
    if (caller.is === 'federated' && caller.issuer.id === caller.accountId) return { identity: [everything], boundary: undefined, tags: {} }
    return entities.get(caller.is === 'user' ? caller.userId : caller.is === 'role' ? caller.roleId : caller.issuer.id)
  }

  /**
   * A managed session policy that was deleted since allows nothing; a federated session without any policies may do nothing by itself.
   * Source: STS API reference, GetFederationToken, Policy.
   */
  async function sessionPolicies(caller: UserCaller | RoleCaller | FederatedCaller): Promise<readonly Policy[] | undefined> {
    const { arn } = caller
    const session = sessionTermsOf(caller)
    if (session?.policy === undefined && !session?.policyArns?.length) return caller.is === 'federated' ? [] : undefined
    const inline = session.policy === undefined ? [] : [await compiled(`session policy of ${arn}`, session.policy)]
    const managed = await Promise.all((session.policyArns ?? []).map(async (policyArn) => await policies.get(policyArn) ?? allowsNothing(policyArn)))
    return [...inline, ...managed]
  }
}

/** What root may do, for those it vouches for. */
const everything = compilePolicy({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }, 'permissions of the root')

/** Source: IAM user guide, "AWS JSON policy elements: Principal", federated user principals; "Policy variables", `aws:userid`. */
function federatedCaller({ accountId, sessionName: name, accessKeyId, issuedAtMs, expiresAtMs, terms }: Session, user: Entity | undefined): FederatedCaller {
  return {
    is: 'federated', accountId, arn: federatedUserArn({ accountId, name }), userId: `${accountId}:${name}`, accessKeyId, name, issuedAtMs, expiresAtMs,
    issuer: user ? { id: user.id, arn: entityArn(user) } : { id: accountId, arn: rootArn(accountId) }, ...(terms && { session: terms }),
  }
}

function roleCaller(session: Session, role: Entity): RoleCaller {
  const { accessKeyId, sessionName, issuedAtMs, expiresAtMs, terms } = session
  const { accountId, name, id } = role
  return {
    is: 'role', accountId, arn: assumedRoleArn({ accountId, roleName: name, sessionName }), userId: `${id}:${sessionName}`, accessKeyId,
    roleName: name, roleArn: entityArn(role), roleId: id, sessionName, issuedAtMs, expiresAtMs, ...(terms && { session: terms }),
  }
}

/** `arn:aws:sts::123456789012:federated-user/name`. */
export function federatedUserArn({ accountId, name }: { accountId: string, name: string }): string {
  return `arn:aws:sts::${accountId}:federated-user/${name}`
}

/** Source: IAM user guide, "IAM identifiers": the role's path is no part of it. */
export function assumedRoleArn({ accountId, roleName, sessionName }: { accountId: string, roleName: string, sessionName: string }): string {
  return `arn:aws:sts::${accountId}:assumed-role/${roleName}/${sessionName}`
}

function allowsNothing(name: string): Policy {
  return { name, statements: [], speakingOf: () => [] }
}

function recordOf(tags: readonly Tag[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]))
}

/** Session tags win over the role's of the same key, whatever its case. Source: IAM user guide, "Pass session tags in AWS STS". */
function overlay(tags: Readonly<Record<string, string>>, over: Readonly<Record<string, string>>): Record<string, string> {
  const covered = new Set(Object.keys(over).map((key) => key.toLowerCase()))
  return { ...Object.fromEntries(Object.entries(tags).filter(([key]) => !covered.has(key.toLowerCase()))), ...over }
}

function only(topic: string) {
  return (change: Change) => change.topic === topic ? { key: change.key } : 'none' as const
}

/** A changed policy or group may concern anybody; a changed user or role only itself. */
function staleEntity({ topic, key }: Change) {
  if (topic === 'iam.policy' || (topic === 'iam.entity' && key.startsWith('AGPA'))) return 'all' as const
  return topic === 'iam.entity' ? { key } : 'none' as const
}
