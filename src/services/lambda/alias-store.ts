// SQL of aliases.

import { defineTransactions, sql, type Reader, type Row, type Transaction } from '#storage/database.ts'
import { deleteConcurrencyOf } from './concurrency/store.ts'
import { deleteConfigsOf } from './events/store.ts'
import type { AliasRecord, PermissionStatement } from './model.ts'
import { changed, conflict, findVersion, lockFunction, type FunctionKey } from './function-rows.ts'

export async function findAlias(db: Reader, { accountId, region, name }: FunctionKey, alias: string): Promise<AliasRecord | undefined> {
  const [row] = await db.query(sql`
    select * from lambda_aliases where account_id = ${accountId} and region = ${region} and name = ${name} and alias = ${alias}`)
  return row && aliasOf(row)
}

/** A page of a function's aliases, by name, after `after`; of those that point to a version first of all, where one is given. */
export async function listAliases(
  db: Reader, { accountId, region, name, version, after, limit }: FunctionKey & { version: string | undefined, after: string, limit: number },
): Promise<AliasRecord[]> {
  const ofVersion = version === undefined ? sql`` : sql`and function_version = ${version}`
  const rows = await db.query(sql`
    select * from lambda_aliases where account_id = ${accountId} and region = ${region} and name = ${name} and alias > ${after} ${ofVersion}
    order by alias limit ${limit}`)
  return rows.map(aliasOf)
}

export async function listAllAliases(db: Reader, { accountId, region, name }: FunctionKey): Promise<AliasRecord[]> {
  const rows = await db.query(sql`
    select * from lambda_aliases where account_id = ${accountId} and region = ${region} and name = ${name} order by alias`)
  return rows.map(aliasOf)
}

export interface AliasChange {
  description?: string | undefined
  version?: string | undefined
  weights?: Readonly<Record<string, number>> | undefined
}

export const aliasTransactions = defineTransactions('lambda', {
  /** Conflicts: `missing`, `alias target missing`, `alias exists`. */
  async insertAlias(tx, { key, alias }: { key: FunctionKey, alias: AliasRecord }): Promise<void> {
    await lockFunction(tx, { key, revisionId: undefined })
    await requireTargets(tx, key, alias)
    const inserted = await tx.run(sql`
      insert into lambda_aliases (account_id, region, name, alias, revision_id, function_version, record, policy)
      values (${key.accountId}, ${key.region}, ${key.name}, ${alias.name}, ${alias.revisionId}, ${alias.version}, ${plainOf(alias)}, '[]')
      on conflict do nothing`)
    if (inserted === 0) throw conflict('alias exists')
    await changed(tx, key)
  },

  /** Conflicts: `missing`, `alias missing`, `revision`, `alias target missing`. */
  async updateAlias(tx, { key, name, revisionId, change, newRevisionId }: {
    key: FunctionKey, name: string, revisionId: string | undefined, change: AliasChange, newRevisionId: string
  }): Promise<AliasRecord> {
    await lockFunction(tx, { key, revisionId: undefined })
    const alias = await findAlias(tx, key, name)
    if (!alias) throw conflict('alias missing')
    if (revisionId !== undefined && revisionId !== alias.revisionId) throw conflict('revision')
    const next: AliasRecord = {
      ...alias, revisionId: newRevisionId,
      description: change.description ?? alias.description, version: change.version ?? alias.version, weights: change.weights ?? alias.weights,
    }
    await requireTargets(tx, key, next)
    await tx.run(sql`
      update lambda_aliases set revision_id = ${newRevisionId}, function_version = ${next.version}, record = ${plainOf(next)}
      where account_id = ${key.accountId} and region = ${key.region} and name = ${key.name} and alias = ${name}`)
    await changed(tx, key)
    return next
  },

  /** With its address and settings. An alias that is not there is no conflict. Conflicts: `missing`. */
  async deleteAlias(tx, { key, name }: { key: FunctionKey, name: string }): Promise<void> {
    await lockFunction(tx, { key, revisionId: undefined })
    await tx.run(sql`delete from lambda_aliases where account_id = ${key.accountId} and region = ${key.region} and name = ${key.name} and alias = ${name}`)
    await tx.run(sql`delete from lambda_urls where account_id = ${key.accountId} and region = ${key.region} and name = ${key.name} and qualifier = ${name}`)
    await deleteConfigsOf(tx, key, name)
    await deleteConcurrencyOf(tx, key, name)
    await changed(tx, key)
  },
})

/** A version may have gone since the caller looked. */
async function requireTargets(tx: Transaction, key: FunctionKey, { version, weights }: AliasRecord): Promise<void> {
  for (const target of [version, ...Object.keys(weights)]) {
    if (target !== '$LATEST' && !await findVersion(tx, key, target)) throw conflict('alias target missing')
  }
}

function plainOf({ description, weights }: AliasRecord): string {
  return JSON.stringify({ description, weights })
}

function aliasOf(row: Row): AliasRecord {
  return {
    ...JSON.parse(row['record'] as string) as Pick<AliasRecord, 'description' | 'weights'>,
    name: row['alias'] as string,
    version: row['function_version'] as string,
    revisionId: row['revision_id'] as string,
    policy: JSON.parse(row['policy'] as string) as PermissionStatement[],
  }
}
