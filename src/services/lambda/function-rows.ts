// Rows of functions and versions as records, and what the stores of everything that belongs to a function share.

import { Conflict, sql, type Reader, type Row, type Transaction } from '#storage/database.ts'
import { LATEST, type FunctionRecord, type PermissionStatement } from './model.ts'

export type FunctionKey = Pick<FunctionRecord, 'accountId' | 'region' | 'name'>

/** `$LATEST`. */
export async function findFunction(db: Reader, { accountId, region, name }: FunctionKey): Promise<FunctionRecord | undefined> {
  const [row] = await db.query(sql`
    select *, 0 as version from lambda_functions where account_id = ${accountId} and region = ${region} and name = ${name}`)
  return row && functionOf(row)
}

/** A published version; `version` is a decimal number without leading zeros. */
export async function findVersion(db: Reader, { accountId, region, name }: FunctionKey, version: string): Promise<FunctionRecord | undefined> {
  const number = Number(version)
  if (!Number.isSafeInteger(number) || number < 1 || String(number) !== version) return undefined
  const [row] = await db.query(sql`
    select versions.*, functions.id, functions.tags from lambda_versions versions
      join lambda_functions functions
      on functions.account_id = versions.account_id and functions.region = versions.region and functions.name = versions.name
    where versions.account_id = ${accountId} and versions.region = ${region} and versions.name = ${name} and versions.version = ${number}`)
  return row && functionOf(row)
}

/** What a change must still find, and the functions that may refuse it. */
export interface Expected {
  key: FunctionKey
  /** The caller's own precondition. */
  revisionId: string | undefined
}

export type StoreConflict =
  | 'exists' | 'missing' | 'revision' | 'code' | 'referenced' | 'too many tags'
  | 'statement exists' | 'statement missing' | 'policy missing' | 'policy too long'
  | 'alias exists' | 'alias missing' | 'alias target missing' | 'url exists' | 'url missing' | 'layer missing'

/** The function as it is now. Conflicts: `missing`, `revision`. */
export async function lockFunction(tx: Transaction, { key, revisionId }: Expected): Promise<FunctionRecord> {
  const record = await findFunction(tx, key)
  if (!record) throw conflict('missing')
  if (revisionId !== undefined && revisionId !== record.revisionId) throw conflict('revision')
  return record
}

/** Something of the function, its versions, aliases or address has changed. */
export async function changed(tx: Transaction, key: FunctionKey): Promise<void> {
  await tx.changed('lambda.function', cacheKeyOf(key))
}

/** The key of a function in caches and change messages. */
export function cacheKeyOf({ accountId, region, name }: FunctionKey): string {
  return `${accountId}/${region}/${name}`
}

export function conflict(reason: StoreConflict): Conflict {
  return new Conflict(reason)
}

type Plain = Pick<FunctionRecord, 'settings' | 'generation' | 'codeBytes' | 'unzippedBytes' | 'lastModifiedMs' | 'published' | 'recursiveLoop' | 'runtimeUpdate'> & { contentId?: string }

/** The part of a record that has no column of its own. */
export function plainOf({ settings, generation, codeBytes, unzippedBytes, lastModifiedMs, contentId, published, recursiveLoop, runtimeUpdate }: FunctionRecord): string {
  const plain: Plain = { settings, generation, codeBytes, unzippedBytes, lastModifiedMs, contentId, published, recursiveLoop, runtimeUpdate }
  return JSON.stringify(plain)
}

export function functionOf(row: Row): FunctionRecord {
  const plain = JSON.parse(row['record'] as string) as Plain
  return {
    ...plain,
    // Functions of before there were versions have none.
    contentId: plain.contentId ?? plain.generation,
    version: row['version'] === 0 ? LATEST : String(row['version']),
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
