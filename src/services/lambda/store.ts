// All SQL of Lambda: functions with their policies and tags, and the archives of their code.

import { Conflict, defineTransactions, sql, type Reader, type Row, type Transaction } from '#storage/database.ts'
import type { FunctionRecord, FunctionSettings, PermissionStatement } from './model.ts'

export type FunctionKey = Pick<FunctionRecord, 'accountId' | 'region' | 'name'>

export async function findFunction(db: Reader, { accountId, region, name }: FunctionKey): Promise<FunctionRecord | undefined> {
  const [row] = await db.query(sql`
    select * from lambda_functions where account_id = ${accountId} and region = ${region} and name = ${name}`)
  return row && functionOf(row)
}

/** A page of an account's functions in a region, by name, after `after`. */
export async function listFunctions(
  db: Reader, { accountId, region, after, limit }: Omit<FunctionKey, 'name'> & { after: string, limit: number },
): Promise<FunctionRecord[]> {
  const rows = await db.query(sql`
    select * from lambda_functions where account_id = ${accountId} and region = ${region} and name > ${after} order by name limit ${limit}`)
  return rows.map(functionOf)
}

export async function findArchive(db: Reader, sha256: string): Promise<Buffer | undefined> {
  const [row] = await db.query(sql`select archive from lambda_code where sha256 = ${sha256}`)
  if (!row) return undefined
  const bytes = row['archive'] as Uint8Array
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** What a change must still find, and the functions that may refuse it. */
export interface Expected {
  key: FunctionKey
  /** The caller's own precondition. */
  revisionId: string | undefined
}

export type StoreConflict = 'exists' | 'missing' | 'revision' | 'statement exists' | 'statement missing' | 'policy missing' | 'policy too long' | 'too many tags'

export const transactions = defineTransactions('lambda', {
  /** Conflicts: `exists`. */
  async insertFunction(tx, { record, archive }: { record: FunctionRecord, archive: Uint8Array }): Promise<void> {
    await saveArchive(tx, record.codeSha256, archive)
    const inserted = await tx.run(sql`
      insert into lambda_functions (account_id, region, name, id, revision_id, code_sha256, record, environment, policy, tags)
      values (${record.accountId}, ${record.region}, ${record.name}, ${record.id}, ${record.revisionId}, ${record.codeSha256}, ${plainOf(record)},
        ${record.environment}, ${JSON.stringify(record.policy)}, ${JSON.stringify(record.tags)})
      on conflict do nothing`)
    if (inserted === 0) throw conflict('exists')
    await changed(tx, record)
  },

  /** Puts settings and code in place; `archive` comes with new code. Conflicts: `missing`, `revision`. */
  async updateFunction(tx, { expected, update, archive }: { expected: Expected, update: FunctionUpdate, archive?: Uint8Array }): Promise<FunctionRecord> {
    const record = await lockFunction(tx, expected)
    const next: FunctionRecord = { ...record, ...update, settings: { ...record.settings, ...update.settings } }
    if (archive && next.codeSha256 !== record.codeSha256) await saveArchive(tx, next.codeSha256, archive)
    await tx.run(sql`
      update lambda_functions set revision_id = ${next.revisionId}, code_sha256 = ${next.codeSha256}, record = ${plainOf(next)}, environment = ${next.environment}
      where account_id = ${record.accountId} and region = ${record.region} and name = ${record.name}`)
    if (next.codeSha256 !== record.codeSha256) await deleteUnusedArchive(tx, record.codeSha256)
    await changed(tx, record)
    return next
  },

  /** Conflicts: `missing`. */
  async deleteFunction(tx, key: FunctionKey): Promise<void> {
    const record = await lockFunction(tx, { key, revisionId: undefined })
    await tx.run(sql`delete from lambda_functions where account_id = ${key.accountId} and region = ${key.region} and name = ${key.name}`)
    await deleteUnusedArchive(tx, record.codeSha256)
    await changed(tx, key)
  },

  /** Conflicts: `missing`, `revision`, `statement exists`, `policy too long`. */
  async addStatement(tx, { expected, statement, revisionId, policyBytesMax }: {
    expected: Expected, statement: PermissionStatement, revisionId: string, policyBytesMax: number
  }): Promise<void> {
    const { policy } = await lockFunction(tx, expected)
    if (policy.some(({ Sid }) => Sid === statement.Sid)) throw conflict('statement exists')
    const next = [...policy, statement]
    if (Buffer.byteLength(JSON.stringify(next)) > policyBytesMax) throw conflict('policy too long')
    await savePolicy(tx, expected.key, next, revisionId)
  },

  /** Conflicts: `missing`, `revision`, `policy missing`, `statement missing`. */
  async removeStatement(tx, { expected, sid, revisionId }: { expected: Expected, sid: string, revisionId: string }): Promise<void> {
    const { policy } = await lockFunction(tx, expected)
    if (policy.length === 0) throw conflict('policy missing')
    const next = policy.filter(({ Sid }) => Sid !== sid)
    if (next.length === policy.length) throw conflict('statement missing')
    await savePolicy(tx, expected.key, next, revisionId)
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

export interface FunctionUpdate {
  settings: Partial<FunctionSettings>
  revisionId: string
  generation: string
  lastModifiedMs: number
  codeSha256?: string
  codeBytes?: number
  environment?: Uint8Array | null
}

async function lockFunction(tx: Transaction, { key, revisionId }: Expected): Promise<FunctionRecord> {
  const record = await findFunction(tx, key)
  if (!record) throw conflict('missing')
  if (revisionId !== undefined && revisionId !== record.revisionId) throw conflict('revision')
  return record
}

async function savePolicy(tx: Transaction, key: FunctionKey, policy: readonly PermissionStatement[], revisionId: string): Promise<void> {
  await tx.run(sql`update lambda_functions set policy = ${JSON.stringify(policy)}, revision_id = ${revisionId}
    where account_id = ${key.accountId} and region = ${key.region} and name = ${key.name}`)
  await changed(tx, key)
}

async function saveArchive(tx: Transaction, sha256: string, archive: Uint8Array): Promise<void> {
  await tx.run(sql`insert into lambda_code (sha256, archive) values (${sha256}, ${archive}) on conflict do nothing`)
}

async function deleteUnusedArchive(tx: Transaction, sha256: string): Promise<void> {
  await tx.run(sql`delete from lambda_code where sha256 = ${sha256} and not exists (select 1 from lambda_functions where code_sha256 = ${sha256})`)
}

async function changed(tx: Transaction, key: FunctionKey): Promise<void> {
  await tx.changed('lambda.function', cacheKeyOf(key))
}

/** The key of a function in caches and change messages. */
export function cacheKeyOf({ accountId, region, name }: FunctionKey): string {
  return `${accountId}/${region}/${name}`
}

function conflict(reason: StoreConflict): Conflict {
  return new Conflict(reason)
}

/** The part of a record that has no column of its own. */
function plainOf({ settings, generation, codeBytes, lastModifiedMs }: FunctionRecord): string {
  return JSON.stringify({ settings, generation, codeBytes, lastModifiedMs })
}

function functionOf(row: Row): FunctionRecord {
  const plain = JSON.parse(row['record'] as string) as Pick<FunctionRecord, 'settings' | 'generation' | 'codeBytes' | 'lastModifiedMs'>
  return {
    ...plain,
    accountId: row['account_id'] as string,
    region: row['region'] as string,
    name: row['name'] as string,
    id: row['id'] as string,
    revisionId: row['revision_id'] as string,
    codeSha256: row['code_sha256'] as string,
    environment: row['environment'] as Uint8Array | null,
    policy: JSON.parse(row['policy'] as string) as PermissionStatement[],
    tags: JSON.parse(row['tags'] as string) as Record<string, string>,
  }
}
