// SQL of functions and their versions, and all transactions of the service.

import { defineTransactions, sql, type Reader, type Transaction } from '#storage/database.ts'
import type { Scope } from '#aws/arn.ts'
import { aliasTransactions, listAllAliases } from './alias-store.ts'
import { deleteUnusedArchive, saveArchive } from './archive-store.ts'
import { deleteConcurrencyOf } from './concurrency/store.ts'
import { deleteConfigsOf } from './events/store.ts'
import { changed, conflict, findFunction, findVersion, functionOf, lockFunction, plainOf, type Expected, type FunctionKey } from './function-rows.ts'
import { layerTransactions } from './layer-store.ts'
import { LATEST, type FunctionRecord, type FunctionSettings, type LayerUse } from './model.ts'
import { policyTransactions } from './policy-store.ts'
import { urlTransactions } from './url-store.ts'

export { cacheKeyOf, findFunction, findVersion, type Expected, type FunctionKey, type StoreConflict } from './function-rows.ts'
export { findArchive } from './archive-store.ts'

/** A page of an account's functions in a region, by name, after `after`. */
export async function listFunctions(db: Reader, { accountId, region, after, limit }: Scope & { after: string, limit: number }): Promise<FunctionRecord[]> {
  const rows = await db.query(sql`
    select *, 0 as version from lambda_functions where account_id = ${accountId} and region = ${region} and name > ${after} order by name limit ${limit}`)
  return rows.map(functionOf)
}

/** A page of the versions of one function, or of all, `$LATEST` before the numbered ones; `after` is the last one of the page before. */
export async function listVersions(
  db: Reader, { accountId, region, name, after, limit }: Scope & { name?: string, after: { name: string, version: string }, limit: number },
): Promise<FunctionRecord[]> {
  const ofName = name === undefined ? sql`` : sql`and functions.name = ${name}`
  const rows = await db.query(sql`
    select * from (
      select functions.account_id, functions.region, functions.name, functions.id, functions.revision_id, functions.code_sha256, functions.record,
        functions.environment, functions.policy, functions.tags, 0 as version
      from lambda_functions functions
      where functions.account_id = ${accountId} and functions.region = ${region} ${ofName}
      union all
      select versions.account_id, versions.region, versions.name, functions.id, versions.revision_id, versions.code_sha256, versions.record,
        versions.environment, versions.policy, functions.tags, versions.version
      from lambda_versions versions join lambda_functions functions
        on functions.account_id = versions.account_id and functions.region = versions.region and functions.name = versions.name
      where functions.account_id = ${accountId} and functions.region = ${region} ${ofName}
    ) listed
    where (name, version) > (${after.name}, ${after.version === LATEST ? 0 : Number(after.version)})
    order by name, version limit ${limit}`)
  return rows.map(functionOf)
}

export interface AccountUsage {
  functions: number
  /** Of the archives of every version and layer version. */
  codeBytes: number
}

export async function readUsage(db: Reader, { accountId, region }: Scope): Promise<AccountUsage> {
  const [functions] = await db.query<{ count: number }>(sql`
    select count(*) as count from lambda_functions where account_id = ${accountId} and region = ${region}`)
  const [code] = await db.query<{ bytes: number }>(sql`
    select coalesce(sum(length(lambda_code.archive)), 0) as bytes from lambda_code join (
      select code_sha256 from lambda_functions where account_id = ${accountId} and region = ${region}
      union all select code_sha256 from lambda_versions where account_id = ${accountId} and region = ${region}
      union all select code_sha256 from lambda_layer_versions where account_id = ${accountId} and region = ${region}
    ) used on lambda_code.sha256 = used.code_sha256`)
  return { functions: Number(functions!.count), codeBytes: Number(code!.bytes) }
}

/** What a new version needs that a transaction may not make. */
export interface Publication {
  /** Of the function by default. */
  description: string | undefined
  /** Hexadecimal; what the code of `$LATEST` must be. */
  codeSha256: string | undefined
  atMs: number
  revisionId: string
  generation: string
  /** What `$LATEST` has from then on. */
  latestRevisionId: string
}

export interface FunctionUpdate {
  settings: Partial<FunctionSettings>
  revisionId: string
  generation: string
  lastModifiedMs: number
  codeSha256?: string
  codeBytes?: number
  unzippedBytes?: number
  environment?: Uint8Array | null
  contentId?: string
}

const functionTransactions = defineTransactions('lambda', {
  /** Resolves with the version where one was published. Conflicts: `exists`. */
  async insertFunction(tx, { record, archive, publication }: { record: FunctionRecord, archive: Uint8Array, publication?: Publication | undefined }): Promise<FunctionRecord> {
    await saveArchive(tx, record.codeSha256, archive)
    const inserted = await tx.run(sql`
      insert into lambda_functions (account_id, region, name, id, revision_id, code_sha256, record, environment, policy, tags)
      values (${record.accountId}, ${record.region}, ${record.name}, ${record.id}, ${record.revisionId}, ${record.codeSha256}, ${plainOf(record)},
        ${record.environment}, ${JSON.stringify(record.policy)}, ${JSON.stringify(record.tags)})
      on conflict do nothing`)
    if (inserted === 0) throw conflict('exists')
    await saveLayerUses(tx, record, record.settings.layers)
    await changed(tx, record)
    return publication ? publish(tx, record, publication) : record
  },

  /** Puts settings and code in place; `archive` comes with new code. Resolves with the version where one was published. Conflicts: `missing`, `revision`. */
  async updateFunction(tx, { expected, update, archive, publication }: {
    expected: Expected, update: FunctionUpdate, archive?: Uint8Array, publication?: Publication | undefined
  }): Promise<FunctionRecord> {
    const record = await lockFunction(tx, expected)
    const next: FunctionRecord = { ...record, ...update, settings: { ...record.settings, ...update.settings } }
    if (archive && next.codeSha256 !== record.codeSha256) await saveArchive(tx, next.codeSha256, archive)
    await saveFunction(tx, next)
    if (update.settings.layers) {
      await deleteLayerUses(tx, record, LATEST)
      await saveLayerUses(tx, next, next.settings.layers)
    }
    for (const sha256 of shasOf(record)) if (!shasOf(next).includes(sha256)) await deleteUnusedArchive(tx, sha256)
    await changed(tx, record)
    return publication ? publish(tx, next, publication) : next
  },

  /** Resolves with the version, which is the last one where nothing has changed since. Conflicts: `missing`, `revision`, `code`. */
  async publishVersion(tx, { expected, publication }: { expected: Expected, publication: Publication }): Promise<FunctionRecord> {
    const record = await lockFunction(tx, expected)
    if (publication.codeSha256 !== undefined && publication.codeSha256 !== record.codeSha256) throw conflict('code')
    return publish(tx, record, publication)
  },

  /** What belongs to the function as a whole, or to a version, and does not touch how it runs. Conflicts: `missing`. */
  async noteOnFunction(tx, { key, version, note }: { key: FunctionKey, version: string, note: Pick<FunctionRecord, 'recursiveLoop' | 'runtimeUpdate'> }): Promise<void> {
    const record = version === LATEST ? await findFunction(tx, key) : await findVersion(tx, key, version)
    if (!record) throw conflict('missing')
    const next = { ...record, ...note }
    if (version === LATEST) await saveFunction(tx, next)
    else {
      await tx.run(sql`update lambda_versions set record = ${plainOf(next)}
        where account_id = ${key.accountId} and region = ${key.region} and name = ${key.name} and version = ${Number(version)}`)
    }
    await changed(tx, key)
  },

  /** With everything that belongs to it. Conflicts: `missing`. */
  async deleteFunction(tx, key: FunctionKey): Promise<void> {
    const { accountId, region, name } = key
    const record = await lockFunction(tx, { key, revisionId: undefined })
    const rows = await tx.query(sql`
      select code_sha256 from lambda_versions where account_id = ${accountId} and region = ${region} and name = ${name}
      union select code_sha256 from lambda_layer_uses where account_id = ${accountId} and region = ${region} and name = ${name}`)
    await tx.run(sql`delete from lambda_functions where account_id = ${accountId} and region = ${region} and name = ${name}`)
    await tx.run(sql`delete from lambda_versions where account_id = ${accountId} and region = ${region} and name = ${name}`)
    await tx.run(sql`delete from lambda_aliases where account_id = ${accountId} and region = ${region} and name = ${name}`)
    await tx.run(sql`delete from lambda_urls where account_id = ${accountId} and region = ${region} and name = ${name}`)
    await tx.run(sql`delete from lambda_layer_uses where account_id = ${accountId} and region = ${region} and name = ${name}`)
    await deleteConfigsOf(tx, key)
    await deleteConcurrencyOf(tx, key)
    for (const sha256 of new Set([record.codeSha256, ...rows.map((row) => row['code_sha256'] as string)])) await deleteUnusedArchive(tx, sha256)
    await changed(tx, key)
  },

  /** A version that is not there is no conflict. Conflicts: `missing` (the function), `referenced` (by an alias). */
  async deleteVersion(tx, { key, version }: { key: FunctionKey, version: string }): Promise<void> {
    const { accountId, region, name } = key
    await lockFunction(tx, { key, revisionId: undefined })
    const record = await findVersion(tx, key, version)
    if (!record) return
    if ((await listAllAliases(tx, key)).some((alias) => alias.version === version || version in alias.weights)) throw conflict('referenced')
    await tx.run(sql`delete from lambda_versions where account_id = ${accountId} and region = ${region} and name = ${name} and version = ${Number(version)}`)
    await deleteLayerUses(tx, key, version)
    await deleteConfigsOf(tx, key, version)
    await deleteConcurrencyOf(tx, key, version)
    for (const sha256 of shasOf(record)) await deleteUnusedArchive(tx, sha256)
    await changed(tx, key)
  },

  /** Sets and takes away tags. Conflicts: `missing`, `too many tags`. */
  async changeTags(tx, { key, set, unset, tagsMax }: { key: FunctionKey, set: Record<string, string>, unset: readonly string[], tagsMax: number }): Promise<void> {
    const { tags } = await lockFunction(tx, { key, revisionId: undefined })
    const next = Object.fromEntries(Object.entries({ ...tags, ...set }).filter(([name]) => !unset.includes(name)))
    if (Object.keys(next).length > tagsMax) throw conflict('too many tags')
    await tx.run(sql`update lambda_functions set tags = ${JSON.stringify(next)}
      where account_id = ${key.accountId} and region = ${key.region} and name = ${key.name}`)
    await changed(tx, key)
  },
})

export const transactions = { ...functionTransactions, ...policyTransactions, ...aliasTransactions, ...urlTransactions, ...layerTransactions }

/** Makes the next version out of `$LATEST`, unless the last one is the same. */
async function publish(tx: Transaction, latest: FunctionRecord, { description, atMs, revisionId, generation, latestRevisionId }: Publication): Promise<FunctionRecord> {
  const { accountId, region, name } = latest
  if (latest.published?.contentId === latest.contentId) {
    const last = await findVersion(tx, latest, latest.published.version)
    if (last) return last
  }
  const [row] = await tx.query<{ next_version: number }>(sql`
    select next_version from lambda_functions where account_id = ${accountId} and region = ${region} and name = ${name}`)
  const version = row!.next_version
  const settings = description === undefined ? latest.settings : { ...latest.settings, description }
  const record: FunctionRecord = { ...latest, version: String(version), settings, revisionId, generation, lastModifiedMs: atMs, policy: [], published: undefined, recursiveLoop: undefined }
  await tx.run(sql`
    insert into lambda_versions (account_id, region, name, version, revision_id, code_sha256, record, environment, policy)
    values (${accountId}, ${region}, ${name}, ${version}, ${revisionId}, ${record.codeSha256}, ${plainOf(record)}, ${record.environment}, '[]')`)
  await saveLayerUses(tx, record, settings.layers)
  await saveFunction(tx, { ...latest, revisionId: latestRevisionId, published: { version: record.version, contentId: latest.contentId } })
  await tx.run(sql`update lambda_functions set next_version = ${version + 1} where account_id = ${accountId} and region = ${region} and name = ${name}`)
  await changed(tx, latest)
  return record
}

async function saveFunction(tx: Transaction, next: FunctionRecord): Promise<void> {
  await tx.run(sql`
    update lambda_functions set revision_id = ${next.revisionId}, code_sha256 = ${next.codeSha256}, record = ${plainOf(next)}, environment = ${next.environment}
    where account_id = ${next.accountId} and region = ${next.region} and name = ${next.name}`)
}

async function saveLayerUses(tx: Transaction, { accountId, region, name, version }: FunctionRecord, layers: readonly LayerUse[] = []): Promise<void> {
  for (const { codeSha256 } of layers) {
    await tx.run(sql`insert into lambda_layer_uses (account_id, region, name, version, code_sha256)
      values (${accountId}, ${region}, ${name}, ${version}, ${codeSha256}) on conflict do nothing`)
  }
}

async function deleteLayerUses(tx: Transaction, { accountId, region, name }: FunctionKey, version: string): Promise<void> {
  await tx.run(sql`delete from lambda_layer_uses where account_id = ${accountId} and region = ${region} and name = ${name} and version = ${version}`)
}

/** The archives that a version needs. */
function shasOf({ codeSha256, settings }: FunctionRecord): string[] {
  return [codeSha256, ...(settings.layers ?? []).map((layer) => layer.codeSha256)]
}
