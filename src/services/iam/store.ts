// All SQL of IAM: what changes it, as transaction functions. What reads it is in reads.ts.

import { Conflict, defineTransactions, sql } from '#storage/database.ts'
import type { Row, Sql, Transaction } from '#storage/database.ts'
import type { AccessKey, Entity, EntityKind, ManagedPolicy, OidcProvider, PolicyVersion, Tag } from './model.ts'

/** Names are unique whatever their case. Source: IAM user guide, "IAM and AWS STS quotas", IAM name requirements. */
export function nameKey(name: string): string {
  return name.toLowerCase()
}

export interface EntityName {
  accountId: string
  kind: EntityKind
  name: string
}

async function requireEntity(
  transaction: Transaction, { accountId, kind, name }: EntityName, otherwise = 'no entity',
): Promise<{ id: string, tags: Tag[] }> {
  const [row] = await transaction.query<Row>(sql`
    select entity_id, tags from iam_entities where account_id = ${accountId} and kind = ${kind} and name_key = ${nameKey(name)}`)
  if (!row) throw new Conflict(otherwise)
  return { id: row.entity_id as string, tags: JSON.parse(row.tags as string) as Tag[] }
}

async function exists(transaction: Transaction, query: Sql): Promise<boolean> {
  return (await transaction.query(query)).length > 0
}

async function count(transaction: Transaction, query: Sql): Promise<number> {
  const [row] = await transaction.query<{ n: number }>(query)
  return Number(row!.n)
}

/** New tags replace those of the same key; a role's and a user's keys compare without case. */
function mergeTags(tags: readonly Tag[], added: readonly Tag[], keyOf: (tag: Tag) => string): Tag[] {
  const merged = new Map(tags.map((tag) => [keyOf(tag), tag]))
  for (const tag of added) merged.set(keyOf(tag), { Key: merged.get(keyOf(tag))?.Key ?? tag.Key, Value: tag.Value })
  return [...merged.values()]
}

const lowerKeyOf = (tag: Tag) => tag.Key.toLowerCase()
const exactKeyOf = (tag: Tag) => tag.Key

export const transactions = defineTransactions('iam', {
  /** The account, and the key of its root that the settings name (any other such key ends). */
  async ensureAccount(transaction, { accountId, key, nowMs }: {
    accountId: string, key: { id: string, sealedSecret: string }, nowMs: number
  }) {
    await transaction.run(sql`
      insert into iam_accounts (account_id, created_at_ms) values (${accountId}, ${nowMs}) on conflict (account_id) do nothing`)
    const before = await transaction.query<{ access_key_id: string }>(sql`
      delete from iam_access_keys where account_id = ${accountId} and from_settings = 1 returning access_key_id`)
    await transaction.run(sql`
      insert into iam_access_keys (access_key_id, account_id, owner_id, status, sealed_secret, from_settings, created_at_ms)
      values (${key.id}, ${accountId}, ${accountId}, 'Active', ${key.sealedSecret}, 1, ${nowMs})`)
    for (const id of [...before.map((row) => row.access_key_id), key.id]) await transaction.changed('iam.key', id)
  },

  /** A new account with a key of its root. Refuses with `exists` or `limit`. */
  async insertAccount(transaction, { accountId, key, nowMs, accountsMax }: {
    accountId: string, key: { id: string, sealedSecret: string }, nowMs: number, accountsMax: number
  }) {
    if (await count(transaction, sql`select count(*) as n from iam_accounts`) >= accountsMax) throw new Conflict('limit')
    if (await transaction.run(sql`
      insert into iam_accounts (account_id, created_at_ms) values (${accountId}, ${nowMs}) on conflict do nothing`) === 0) throw new Conflict('exists')
    await transaction.run(sql`
      insert into iam_access_keys (access_key_id, account_id, owner_id, status, sealed_secret, from_settings, created_at_ms)
      values (${key.id}, ${accountId}, ${accountId}, 'Active', ${key.sealedSecret}, 0, ${nowMs})`)
    await transaction.changed('iam.key', key.id)
  },

  /** Refuses with `exists` or `limit`. */
  async insertEntity(transaction, { entity, entitiesMax }: { entity: Entity, entitiesMax: number }) {
    const { accountId, kind, name, path, id, createdAtMs, description, trustPolicy, maxSessionSeconds, boundaryArn, tags } = entity
    if (await count(transaction, sql`
      select count(*) as n from iam_entities where account_id = ${accountId} and kind = ${kind}`) >= entitiesMax) throw new Conflict('limit')
    const inserted = await transaction.run(sql`
      insert into iam_entities (
        account_id, kind, name_key, name, path, entity_id, created_at_ms, description, trust_policy, max_session_seconds, boundary_arn, tags)
      values (
        ${accountId}, ${kind}, ${nameKey(name)}, ${name}, ${path}, ${id}, ${createdAtMs}, ${description}, ${trustPolicy}, ${maxSessionSeconds},
        ${boundaryArn}, ${JSON.stringify(tags)})
      on conflict do nothing`)
    if (inserted === 0) throw new Conflict('exists')
    await transaction.changed('iam.entity', id)
  },

  /** Refuses with `no entity` or `exists`. */
  async renameEntity(transaction, { entity, newName, newPath }: { entity: EntityName, newName: string, newPath: string | undefined }) {
    const { id } = await requireEntity(transaction, entity)
    const { accountId, kind } = entity
    if (await exists(transaction, sql`
      select 1 from iam_entities
      where account_id = ${accountId} and kind = ${kind} and name_key = ${nameKey(newName)} and entity_id <> ${id}`)) throw new Conflict('exists')
    await transaction.run(sql`update iam_entities set name = ${newName}, name_key = ${nameKey(newName)} where entity_id = ${id}`)
    if (newPath !== undefined) await transaction.run(sql`update iam_entities set path = ${newPath} where entity_id = ${id}`)
    await transaction.changed('iam.entity', id)
  },

  /** Refuses with `no entity`. Members that are undefined stay. */
  async updateEntity(transaction, { entity, description, maxSessionSeconds, trustPolicy, boundaryArn }: {
    entity: EntityName
    description?: string | undefined
    maxSessionSeconds?: number | undefined
    trustPolicy?: string | undefined
    boundaryArn?: string | null | undefined
  }) {
    const { id } = await requireEntity(transaction, entity)
    if (description !== undefined) await transaction.run(sql`update iam_entities set description = ${description} where entity_id = ${id}`)
    if (maxSessionSeconds !== undefined) await transaction.run(sql`
      update iam_entities set max_session_seconds = ${maxSessionSeconds} where entity_id = ${id}`)
    if (trustPolicy !== undefined) await transaction.run(sql`update iam_entities set trust_policy = ${trustPolicy} where entity_id = ${id}`)
    if (boundaryArn !== undefined) await transaction.run(sql`update iam_entities set boundary_arn = ${boundaryArn} where entity_id = ${id}`)
    await transaction.changed('iam.entity', id)
  },

  /** Refuses with `no entity` or `limit`. */
  async tagEntity(transaction, { entity, added, removed, tagsMax }: {
    entity: EntityName, added: Tag[], removed: string[], tagsMax: number
  }) {
    const { id, tags } = await requireEntity(transaction, entity)
    const without = new Set(removed.map((key) => key.toLowerCase()))
    const merged = mergeTags(tags.filter((tag) => !without.has(lowerKeyOf(tag))), added, lowerKeyOf)
    if (merged.length > tagsMax) throw new Conflict('limit')
    await transaction.run(sql`update iam_entities set tags = ${JSON.stringify(merged)} where entity_id = ${id}`)
    await transaction.changed('iam.entity', id)
  },

  /** Refuses with `no entity`, or with what still belongs to it: `keys`, `attachments`, `inline policies`, `members`, `groups`. */
  async deleteEntity(transaction, entity: EntityName) {
    const { id } = await requireEntity(transaction, entity)
    if (await exists(transaction, sql`select 1 from iam_access_keys where owner_id = ${id}`)) throw new Conflict('keys')
    if (await exists(transaction, sql`select 1 from iam_attachments where owner_id = ${id}`)) throw new Conflict('attachments')
    if (await exists(transaction, sql`select 1 from iam_inline_policies where owner_id = ${id}`)) throw new Conflict('inline policies')
    if (await exists(transaction, sql`select 1 from iam_memberships where group_id = ${id}`)) throw new Conflict('members')
    if (await exists(transaction, sql`select 1 from iam_memberships where user_id = ${id}`)) throw new Conflict('groups')
    await transaction.run(sql`delete from iam_entities where entity_id = ${id}`)
    await transaction.changed('iam.entity', id)
  },

  /** Refuses with `no entity` or `size`. `characters` are those of the document that count. */
  async putInlinePolicy(transaction, { entity, policyName, document, charactersMax }: {
    entity: EntityName, policyName: string, document: string, charactersMax: number
  }) {
    const { id } = await requireEntity(transaction, entity)
    const others = await transaction.query<{ document: string }>(sql`
      select document from iam_inline_policies where owner_id = ${id} and policy_name <> ${policyName}`)
    const characters = [...others.map((row) => row.document), document].reduce((sum, text) => sum + text.replace(/\s/g, '').length, 0)
    if (characters > charactersMax) throw new Conflict('size')
    await transaction.run(sql`
      insert into iam_inline_policies (owner_id, policy_name, document) values (${id}, ${policyName}, ${document})
      on conflict (owner_id, policy_name) do update set document = excluded.document`)
    await transaction.changed('iam.entity', id)
  },

  /** Refuses with `no entity` or `no policy`. */
  async deleteInlinePolicy(transaction, { entity, policyName }: { entity: EntityName, policyName: string }) {
    const { id } = await requireEntity(transaction, entity)
    if (await transaction.run(sql`
      delete from iam_inline_policies where owner_id = ${id} and policy_name = ${policyName}`) === 0) throw new Conflict('no policy')
    await transaction.changed('iam.entity', id)
  },

  /** Refuses with `no entity`, `no policy` or `limit`. Attaching twice is no error. AWS's own policies are not in the tables. */
  async attachPolicy(transaction, { entity, policyArn, isAwsManaged, attachmentsMax }: {
    entity: EntityName, policyArn: string, isAwsManaged: boolean, attachmentsMax: number
  }) {
    const { id } = await requireEntity(transaction, entity)
    if (!isAwsManaged && !await exists(transaction, sql`
      select 1 from iam_policies where arn = ${policyArn} and account_id = ${entity.accountId}`)) throw new Conflict('no policy')
    if (await count(transaction, sql`
      select count(*) as n from iam_attachments where owner_id = ${id} and policy_arn <> ${policyArn}`) >= attachmentsMax) throw new Conflict('limit')
    await transaction.run(sql`
      insert into iam_attachments (account_id, owner_id, policy_arn) values (${entity.accountId}, ${id}, ${policyArn}) on conflict do nothing`)
    await transaction.changed('iam.entity', id)
  },

  /** Refuses with `no entity` or `not attached`. */
  async detachPolicy(transaction, { entity, policyArn }: { entity: EntityName, policyArn: string }) {
    const { id } = await requireEntity(transaction, entity)
    if (await transaction.run(sql`
      delete from iam_attachments where owner_id = ${id} and policy_arn = ${policyArn}`) === 0) throw new Conflict('not attached')
    await transaction.changed('iam.entity', id)
  },

  /** Refuses with `no group`, `no user` or `limit`. */
  async addMember(transaction, { group, user, groupsMax }: { group: EntityName, user: EntityName, groupsMax: number }) {
    const { groupId, userId } = await requireBoth(transaction, group, user)
    if (await count(transaction, sql`
      select count(*) as n from iam_memberships where user_id = ${userId} and group_id <> ${groupId}`) >= groupsMax) throw new Conflict('limit')
    await transaction.run(sql`insert into iam_memberships (group_id, user_id) values (${groupId}, ${userId}) on conflict do nothing`)
    await transaction.changed('iam.entity', userId)
  },

  /** Refuses with `no group` or `no user`. */
  async removeMember(transaction, { group, user }: { group: EntityName, user: EntityName }) {
    const { groupId, userId } = await requireBoth(transaction, group, user)
    await transaction.run(sql`delete from iam_memberships where group_id = ${groupId} and user_id = ${userId}`)
    await transaction.changed('iam.entity', userId)
  },

  /** Refuses with `no entity` when the owner is gone, or `limit`. */
  async insertAccessKey(transaction, { key, keysMax }: { key: AccessKey, keysMax: number }) {
    const { id, accountId, ownerId, status, sealedSecret, createdAtMs } = key
    if (ownerId !== accountId && !await exists(transaction, sql`
      select 1 from iam_entities where entity_id = ${ownerId}`)) throw new Conflict('no entity')
    if (await count(transaction, sql`
      select count(*) as n from iam_access_keys where owner_id = ${ownerId} and from_settings = 0`) >= keysMax) throw new Conflict('limit')
    await transaction.run(sql`
      insert into iam_access_keys (access_key_id, account_id, owner_id, status, sealed_secret, from_settings, created_at_ms)
      values (${id}, ${accountId}, ${ownerId}, ${status}, ${sealedSecret}, 0, ${createdAtMs})`)
    await transaction.changed('iam.key', id)
  },

  /** Refuses with `no key`. */
  async setAccessKeyStatus(transaction, { id, ownerId, status }: Pick<AccessKey, 'id' | 'ownerId' | 'status'>) {
    if (await transaction.run(sql`
      update iam_access_keys set status = ${status} where access_key_id = ${id} and owner_id = ${ownerId}`) === 0) throw new Conflict('no key')
    await transaction.changed('iam.key', id)
  },

  /** Refuses with `no key`. */
  async deleteAccessKey(transaction, { id, ownerId }: Pick<AccessKey, 'id' | 'ownerId'>) {
    if (await transaction.run(sql`
      delete from iam_access_keys where access_key_id = ${id} and owner_id = ${ownerId}`) === 0) throw new Conflict('no key')
    await transaction.changed('iam.key', id)
  },

  /** Refuses with `exists` or `limit`. */
  async insertPolicy(transaction, { policy, document, policiesMax }: { policy: ManagedPolicy, document: string, policiesMax: number }) {
    const { arn, accountId, name, path, id, description, createdAtMs, tags } = policy
    if (await count(transaction, sql`
      select count(*) as n from iam_policies where account_id = ${accountId}`) >= policiesMax) throw new Conflict('limit')
    const inserted = await transaction.run(sql`
      insert into iam_policies (
        arn, account_id, name_key, name, path, policy_id, description, default_version, last_version, created_at_ms, updated_at_ms, tags)
      values (
        ${arn}, ${accountId}, ${nameKey(name)}, ${name}, ${path}, ${id}, ${description}, 1, 1, ${createdAtMs}, ${createdAtMs},
        ${JSON.stringify(tags)})
      on conflict do nothing`)
    if (inserted === 0) throw new Conflict('exists')
    await transaction.run(sql`
      insert into iam_policy_versions (policy_arn, version, document, created_at_ms) values (${arn}, 1, ${document}, ${createdAtMs})`)
    await transaction.changed('iam.policy', arn)
  },

  /** Answers the version's number. Refuses with `no policy` or `limit`. */
  async insertPolicyVersion(transaction, { arn, document, setAsDefault, versionsMax, nowMs }: {
    arn: string, document: string, setAsDefault: boolean, versionsMax: number, nowMs: number
  }): Promise<PolicyVersion['version']> {
    const [row] = await transaction.query<{ last_version: number }>(sql`
      update iam_policies set last_version = last_version + 1, updated_at_ms = ${nowMs} where arn = ${arn} returning last_version`)
    if (!row) throw new Conflict('no policy')
    if (await count(transaction, sql`
      select count(*) as n from iam_policy_versions where policy_arn = ${arn}`) >= versionsMax) throw new Conflict('limit')
    const version = Number(row.last_version)
    await transaction.run(sql`
      insert into iam_policy_versions (policy_arn, version, document, created_at_ms) values (${arn}, ${version}, ${document}, ${nowMs})`)
    if (setAsDefault) await transaction.run(sql`update iam_policies set default_version = ${version} where arn = ${arn}`)
    await transaction.changed('iam.policy', arn)
    return version
  },

  /** Refuses with `no version`. */
  async setDefaultPolicyVersion(transaction, { arn, version, nowMs }: { arn: string, version: number, nowMs: number }) {
    if (!await exists(transaction, sql`
      select 1 from iam_policy_versions where policy_arn = ${arn} and version = ${version}`)) throw new Conflict('no version')
    await transaction.run(sql`update iam_policies set default_version = ${version}, updated_at_ms = ${nowMs} where arn = ${arn}`)
    await transaction.changed('iam.policy', arn)
  },

  /** Refuses with `no version` or `default version`. */
  async deletePolicyVersion(transaction, { arn, version }: { arn: string, version: number }) {
    if (!await exists(transaction, sql`
      select 1 from iam_policy_versions where policy_arn = ${arn} and version = ${version}`)) throw new Conflict('no version')
    if (await exists(transaction, sql`
      select 1 from iam_policies where arn = ${arn} and default_version = ${version}`)) throw new Conflict('default version')
    await transaction.run(sql`delete from iam_policy_versions where policy_arn = ${arn} and version = ${version}`)
    await transaction.changed('iam.policy', arn)
  },

  /** Refuses with `no policy`, `attachments` or `versions`. */
  async deletePolicy(transaction, { arn }: { arn: string }) {
    if (!await exists(transaction, sql`select 1 from iam_policies where arn = ${arn}`)) throw new Conflict('no policy')
    if (await exists(transaction, sql`select 1 from iam_attachments where policy_arn = ${arn}`)
      || await exists(transaction, sql`select 1 from iam_entities where boundary_arn = ${arn}`)) throw new Conflict('attachments')
    if (await exists(transaction, sql`
      select 1 from iam_policy_versions v join iam_policies p on p.arn = v.policy_arn
      where p.arn = ${arn} and v.version <> p.default_version`)) throw new Conflict('versions')
    await transaction.run(sql`delete from iam_policy_versions where policy_arn = ${arn}`)
    await transaction.run(sql`delete from iam_policies where arn = ${arn}`)
    await transaction.changed('iam.policy', arn)
  },

  /** Refuses with `no policy` or `limit`. */
  async tagPolicy(transaction, { arn, added, removed, tagsMax }: { arn: string, added: Tag[], removed: string[], tagsMax: number }) {
    const [row] = await transaction.query<{ tags: string }>(sql`select tags from iam_policies where arn = ${arn}`)
    if (!row) throw new Conflict('no policy')
    const kept = (JSON.parse(row.tags) as Tag[]).filter(({ Key }) => !removed.includes(Key))
    const merged = mergeTags(kept, added, exactKeyOf)
    if (merged.length > tagsMax) throw new Conflict('limit')
    await transaction.run(sql`update iam_policies set tags = ${JSON.stringify(merged)} where arn = ${arn}`)
  },

  /** Refuses with `exists` or `limit`. */
  async insertOidcProvider(transaction, { provider, providersMax }: { provider: OidcProvider, providersMax: number }) {
    const { arn, accountId, url, clientIds, thumbprints, tags, createdAtMs } = provider
    if (await count(transaction, sql`
      select count(*) as n from iam_oidc_providers where account_id = ${accountId}`) >= providersMax) throw new Conflict('limit')
    const inserted = await transaction.run(sql`
      insert into iam_oidc_providers (arn, account_id, url, client_ids, thumbprints, tags, created_at_ms)
      values (${arn}, ${accountId}, ${url}, ${JSON.stringify(clientIds)}, ${JSON.stringify(thumbprints)}, ${JSON.stringify(tags)}, ${createdAtMs})
      on conflict do nothing`)
    if (inserted === 0) throw new Conflict('exists')
  },

  /** What is undefined stays. Refuses with `no provider` or `limit`. */
  async updateOidcProvider(transaction, { arn, addedClientId, removedClientId, clientIdsMax, thumbprints }: {
    arn: string, addedClientId?: string, removedClientId?: string, clientIdsMax: number, thumbprints?: string[]
  }) {
    const [row] = await transaction.query<{ client_ids: string }>(sql`select client_ids from iam_oidc_providers where arn = ${arn}`)
    if (!row) throw new Conflict('no provider')
    const ids = new Set(JSON.parse(row.client_ids) as string[])
    if (addedClientId !== undefined) ids.add(addedClientId)
    if (removedClientId !== undefined) ids.delete(removedClientId)
    if (ids.size > clientIdsMax) throw new Conflict('limit')
    await transaction.run(sql`update iam_oidc_providers set client_ids = ${JSON.stringify([...ids])} where arn = ${arn}`)
    if (thumbprints !== undefined) await transaction.run(sql`
      update iam_oidc_providers set thumbprints = ${JSON.stringify(thumbprints)} where arn = ${arn}`)
  },

  /** Refuses with `no provider`. */
  async deleteOidcProvider(transaction, { arn }: { arn: string }) {
    if (await transaction.run(sql`delete from iam_oidc_providers where arn = ${arn}`) === 0) throw new Conflict('no provider')
  },

  /** Refuses with `no provider` or `limit`. */
  async tagOidcProvider(transaction, { arn, added, removed, tagsMax }: { arn: string, added: Tag[], removed: string[], tagsMax: number }) {
    const [row] = await transaction.query<{ tags: string }>(sql`select tags from iam_oidc_providers where arn = ${arn}`)
    if (!row) throw new Conflict('no provider')
    const kept = (JSON.parse(row.tags) as Tag[]).filter(({ Key }) => !removed.includes(Key))
    const merged = mergeTags(kept, added, exactKeyOf)
    if (merged.length > tagsMax) throw new Conflict('limit')
    await transaction.run(sql`update iam_oidc_providers set tags = ${JSON.stringify(merged)} where arn = ${arn}`)
  },
})

/** Observed: AWS, 12-02-2026, recorded by localstack's test_remove_user_from_unknown_group: the user is looked for first. */
async function requireBoth(transaction: Transaction, group: EntityName, user: EntityName): Promise<{ groupId: string, userId: string }> {
  const { id: userId } = await requireEntity(transaction, user, 'no user')
  const { id: groupId } = await requireEntity(transaction, group, 'no group')
  return { groupId, userId }
}
