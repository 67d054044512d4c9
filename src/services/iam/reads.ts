// What IAM reads from its tables: plain queries by key, and pages in order of name.

import { sql } from '#storage/database.ts'
import type { Reader, Row } from '#storage/database.ts'
import type { AccessKey, Account, Entity, EntityKind, ManagedPolicy, OidcProvider, PolicyVersion, Tag } from './model.ts'
import { nameKey } from './store.ts'
import type { EntityName } from './store.ts'

/** Part of an ordered list: what comes after `after`, at most `limit`, under a path. */
export interface Slice {
  pathPrefix: string
  /** The last name of the page before; empty for the first page. */
  after: string
  limit: number
}

const entityColumns = sql`account_id, kind, name, path, entity_id, created_at_ms, description, trust_policy, max_session_seconds, boundary_arn, tags`

function entityOf(row: Row): Entity {
  return {
    accountId: row.account_id as string,
    kind: row.kind as EntityKind,
    name: row.name as string,
    path: row.path as string,
    id: row.entity_id as string,
    createdAtMs: Number(row.created_at_ms),
    description: row.description as string | null,
    trustPolicy: row.trust_policy as string | null,
    maxSessionSeconds: row.max_session_seconds === null ? null : Number(row.max_session_seconds),
    boundaryArn: row.boundary_arn as string | null,
    tags: JSON.parse(row.tags as string) as Tag[],
  }
}

export async function findAccount(reader: Reader, accountId: string): Promise<{ createdAtMs: number } | undefined> {
  const [row] = await reader.query<{ created_at_ms: number }>(sql`select created_at_ms from iam_accounts where account_id = ${accountId}`)
  return row && { createdAtMs: Number(row.created_at_ms) }
}

/** Every account of this server, in order of their ids. */
export async function listAccounts(reader: Reader): Promise<Account[]> {
  const rows = await reader.query<{ account_id: string, created_at_ms: number }>(sql`select account_id, created_at_ms from iam_accounts order by account_id`)
  return rows.map((row) => ({ accountId: row.account_id, createdAtMs: Number(row.created_at_ms) }))
}

export async function findEntity(reader: Reader, { accountId, kind, name }: EntityName): Promise<Entity | undefined> {
  const [row] = await reader.query(sql`
    select ${entityColumns} from iam_entities where account_id = ${accountId} and kind = ${kind} and name_key = ${nameKey(name)}`)
  return row && entityOf(row)
}

export async function findEntityById(reader: Reader, id: string): Promise<Entity | undefined> {
  const [row] = await reader.query(sql`select ${entityColumns} from iam_entities where entity_id = ${id}`)
  return row && entityOf(row)
}

export async function listEntities(
  reader: Reader, { accountId, kind }: Pick<EntityName, 'accountId' | 'kind'>, { pathPrefix, after, limit }: Slice,
): Promise<Entity[]> {
  const rows = await reader.query(sql`
    select ${entityColumns} from iam_entities
    where account_id = ${accountId} and kind = ${kind} and name_key > ${nameKey(after)} and substr(path, 1, ${pathPrefix.length}) = ${pathPrefix}
    order by name_key limit ${limit}`)
  return rows.map(entityOf)
}

/** The groups of a user, or the users of a group. */
export async function listMembers(
  reader: Reader, of: { groupId: string } | { userId: string }, { after, limit }: Pick<Slice, 'after' | 'limit'>,
): Promise<Entity[]> {
  const members = 'groupId' in of
    ? sql`select user_id from iam_memberships where group_id = ${of.groupId}`
    : sql`select group_id from iam_memberships where user_id = ${of.userId}`
  const rows = await reader.query(sql`
    select ${entityColumns} from iam_entities where entity_id in (${members}) and name_key > ${nameKey(after)} order by name_key limit ${limit}`)
  return rows.map(entityOf)
}

export async function findInlinePolicy(reader: Reader, { ownerId, policyName }: {
  ownerId: string, policyName: string
}): Promise<string | undefined> {
  const [row] = await reader.query<{ document: string }>(sql`
    select document from iam_inline_policies where owner_id = ${ownerId} and policy_name = ${policyName}`)
  return row?.document
}

export async function listInlinePolicies(
  reader: Reader, ownerId: string, { after, limit }: Pick<Slice, 'after' | 'limit'>,
): Promise<{ name: string, document: string }[]> {
  return reader.query(sql`
    select policy_name as name, document from iam_inline_policies
    where owner_id = ${ownerId} and policy_name > ${after} order by policy_name limit ${limit}`)
}

/** Every policy attached to a principal, by ARN. */
export async function listAttachedPolicies(reader: Reader, ownerId: string): Promise<string[]> {
  const rows = await reader.query<{ policy_arn: string }>(sql`
    select policy_arn from iam_attachments where owner_id = ${ownerId} order by policy_arn`)
  return rows.map((row) => row.policy_arn)
}

/** The principals and groups of an account that a policy is attached to, or whose boundary it is. */
export async function listEntitiesOfPolicy(reader: Reader, { accountId, arn, as }: {
  accountId: string, arn: string, as: 'attachment' | 'boundary'
}): Promise<Entity[]> {
  const rows = as === 'attachment'
    ? await reader.query(sql`
      select ${entityColumns} from iam_entities
      where entity_id in (select owner_id from iam_attachments where policy_arn = ${arn} and account_id = ${accountId}) order by name_key`)
    : await reader.query(sql`
      select ${entityColumns} from iam_entities where account_id = ${accountId} and boundary_arn = ${arn} order by name_key`)
  return rows.map(entityOf)
}

const keyColumns = sql`access_key_id, account_id, owner_id, status, sealed_secret, created_at_ms`

function keyOf(row: Row): AccessKey {
  return {
    id: row.access_key_id as string,
    accountId: row.account_id as string,
    ownerId: row.owner_id as string,
    status: row.status as AccessKey['status'],
    sealedSecret: row.sealed_secret as string,
    createdAtMs: Number(row.created_at_ms),
  }
}

export async function findAccessKey(reader: Reader, id: string): Promise<AccessKey | undefined> {
  const [row] = await reader.query(sql`
    select ${keyColumns} from iam_access_keys where access_key_id = ${id}`)
  return row && keyOf(row)
}

/** The key of an account's root that the settings gave. */
export async function findKeyFromSettings(reader: Reader, accountId: string): Promise<AccessKey | undefined> {
  const [row] = await reader.query(sql`
    select ${keyColumns} from iam_access_keys where account_id = ${accountId} and from_settings = 1`)
  return row && keyOf(row)
}

export async function listAccessKeys(reader: Reader, ownerId: string): Promise<AccessKey[]> {
  const rows = await reader.query(sql`
    select ${keyColumns} from iam_access_keys where owner_id = ${ownerId} order by created_at_ms, access_key_id`)
  return rows.map(keyOf)
}

const policyColumns = sql`arn, account_id, name, path, policy_id, description, default_version, created_at_ms, updated_at_ms, tags`

function policyOf(row: Row): ManagedPolicy {
  return {
    arn: row.arn as string,
    accountId: row.account_id as string,
    name: row.name as string,
    path: row.path as string,
    id: row.policy_id as string,
    description: row.description as string | null,
    defaultVersion: Number(row.default_version),
    createdAtMs: Number(row.created_at_ms),
    updatedAtMs: Number(row.updated_at_ms),
    tags: JSON.parse(row.tags as string) as Tag[],
  }
}

export async function findPolicy(reader: Reader, arn: string): Promise<ManagedPolicy | undefined> {
  const [row] = await reader.query(sql`select ${policyColumns} from iam_policies where arn = ${arn}`)
  return row && policyOf(row)
}

/** The customer managed policies of an account. */
export async function listPolicies(reader: Reader, accountId: string): Promise<ManagedPolicy[]> {
  const rows = await reader.query(sql`select ${policyColumns} from iam_policies where account_id = ${accountId} order by name_key`)
  return rows.map(policyOf)
}

/** How often an account's principals and groups use each policy. */
export async function countPolicyUses(reader: Reader, accountId: string): Promise<Map<string, { attachments: number, boundaries: number }>> {
  const uses = new Map<string, { attachments: number, boundaries: number }>()
  const of = (arn: string) => uses.get(arn) ?? uses.set(arn, { attachments: 0, boundaries: 0 }).get(arn)!
  const attached = await reader.query<{ policy_arn: string, n: number }>(sql`
    select policy_arn, count(*) as n from iam_attachments where account_id = ${accountId} group by policy_arn`)
  for (const { policy_arn, n } of attached) of(policy_arn).attachments = Number(n)
  const limiting = await reader.query<{ boundary_arn: string, n: number }>(sql`
    select boundary_arn, count(*) as n from iam_entities where account_id = ${accountId} and boundary_arn is not null group by boundary_arn`)
  for (const { boundary_arn, n } of limiting) of(boundary_arn).boundaries = Number(n)
  return uses
}

export async function findPolicyVersion(reader: Reader, { arn, version }: {
  arn: string, version: number
}): Promise<PolicyVersion | undefined> {
  const [row] = await reader.query(sql`
    select version, document, created_at_ms from iam_policy_versions where policy_arn = ${arn} and version = ${version}`)
  return row && { version: Number(row.version), document: row.document as string, createdAtMs: Number(row.created_at_ms) }
}

/** Newest first. */
export async function listPolicyVersions(reader: Reader, arn: string): Promise<PolicyVersion[]> {
  const rows = await reader.query(sql`
    select version, document, created_at_ms from iam_policy_versions where policy_arn = ${arn} order by version desc`)
  return rows.map((row) => ({ version: Number(row.version), document: row.document as string, createdAtMs: Number(row.created_at_ms) }))
}

const providerColumns = sql`arn, account_id, url, client_ids, thumbprints, tags, created_at_ms`

function providerOf(row: Row): OidcProvider {
  return {
    arn: row.arn as string,
    accountId: row.account_id as string,
    url: row.url as string,
    clientIds: JSON.parse(row.client_ids as string) as string[],
    thumbprints: JSON.parse(row.thumbprints as string) as string[],
    tags: JSON.parse(row.tags as string) as Tag[],
    createdAtMs: Number(row.created_at_ms),
  }
}

export async function findOidcProvider(reader: Reader, arn: string): Promise<OidcProvider | undefined> {
  const [row] = await reader.query(sql`select ${providerColumns} from iam_oidc_providers where arn = ${arn}`)
  return row && providerOf(row)
}

export async function listOidcProviders(reader: Reader, accountId: string): Promise<OidcProvider[]> {
  const rows = await reader.query(sql`select ${providerColumns} from iam_oidc_providers where account_id = ${accountId} order by arn`)
  return rows.map(providerOf)
}
