// SQL of layers: a layer is the row that counts its versions, which outlives them, so that no number is given twice.

import { defineTransactions, sql, type Reader, type Row, type Transaction } from '#storage/database.ts'
import type { Scope } from '#aws/arn.ts'
import { deleteUnusedArchive, saveArchive } from './archive-store.ts'
import type { LayerVersionRecord, PermissionStatement } from './model.ts'
import { conflict } from './function-rows.ts'

export type LayerKey = Pick<LayerVersionRecord, 'accountId' | 'region' | 'name'>
export type LayerVersionKey = LayerKey & { version: number }

export async function findLayerVersion(db: Reader, { accountId, region, name, version }: LayerVersionKey): Promise<LayerVersionRecord | undefined> {
  if (!Number.isSafeInteger(version)) return undefined
  const [row] = await db.query(sql`
    select * from lambda_layer_versions where account_id = ${accountId} and region = ${region} and name = ${name} and version = ${version}`)
  return row && layerVersionOf(row)
}

/** Versions of one layer, latest first, before `before`. */
export async function listLayerVersions(
  db: Reader, { accountId, region, name, before, limit }: LayerKey & { before: number | undefined, limit: number },
): Promise<LayerVersionRecord[]> {
  const earlier = before === undefined ? sql`` : sql`and version < ${before}`
  const rows = await db.query(sql`
    select * from lambda_layer_versions where account_id = ${accountId} and region = ${region} and name = ${name} ${earlier}
    order by version desc limit ${limit}`)
  return rows.map(layerVersionOf)
}

/** Names of layers that have versions, after `after`. */
export async function listLayerNames(db: Reader, { accountId, region, after, limit }: Scope & { after: string, limit: number }): Promise<string[]> {
  const rows = await db.query<{ name: string }>(sql`
    select distinct name from lambda_layer_versions where account_id = ${accountId} and region = ${region} and name > ${after} order by name limit ${limit}`)
  return rows.map(({ name }) => name)
}

export const layerTransactions = defineTransactions('lambda', {
  /** Resolves with the version's number. */
  async insertLayerVersion(tx, { layer, archive }: { layer: Omit<LayerVersionRecord, 'version'>, archive: Uint8Array }): Promise<number> {
    const { accountId, region, name } = layer
    await saveArchive(tx, layer.codeSha256, archive)
    const [row] = await tx.query<{ next_version: number }>(sql`
      insert into lambda_layers (account_id, region, name, next_version) values (${accountId}, ${region}, ${name}, 2)
      on conflict (account_id, region, name) do update set next_version = lambda_layers.next_version + 1
      returning next_version`)
    const version = row!.next_version - 1
    await tx.run(sql`
      insert into lambda_layer_versions (account_id, region, name, version, code_sha256, record, policy, policy_revision_id)
      values (${accountId}, ${region}, ${name}, ${version}, ${layer.codeSha256}, ${plainOf(layer)}, '[]', ${layer.policyRevisionId})`)
    return version
  },

  /** A version that is not there is no conflict. Functions that use it keep its code. */
  async deleteLayerVersion(tx, key: LayerVersionKey): Promise<void> {
    const layer = await findLayerVersion(tx, key)
    if (!layer) return
    await tx.run(sql`
      delete from lambda_layer_versions where account_id = ${key.accountId} and region = ${key.region} and name = ${key.name} and version = ${key.version}`)
    await deleteUnusedArchive(tx, layer.codeSha256)
  },

  /** Conflicts: `layer missing`, `statement exists`, `revision`, `policy too long`. */
  async addLayerStatement(tx, { key, statement, revisionId, newRevisionId, policyBytesMax }: {
    key: LayerVersionKey, statement: PermissionStatement, revisionId: string | undefined, newRevisionId: string, policyBytesMax: number
  }): Promise<void> {
    const { policy, policyRevisionId } = await lockLayerVersion(tx, key)
    if (policy.some(({ Sid }) => Sid === statement.Sid)) throw conflict('statement exists')
    if (revisionId !== undefined && revisionId !== policyRevisionId) throw conflict('revision')
    const next = [...policy, statement]
    if (Buffer.byteLength(JSON.stringify(next)) > policyBytesMax) throw conflict('policy too long')
    await savePolicy(tx, key, next, newRevisionId)
  },

  /** Conflicts: `layer missing`, `revision`, `statement missing`. */
  async removeLayerStatement(tx, { key, sid, revisionId, newRevisionId }: {
    key: LayerVersionKey, sid: string, revisionId: string | undefined, newRevisionId: string
  }): Promise<void> {
    const { policy, policyRevisionId } = await lockLayerVersion(tx, key)
    if (revisionId !== undefined && revisionId !== policyRevisionId) throw conflict('revision')
    const next = policy.filter(({ Sid }) => Sid !== sid)
    if (next.length === policy.length) throw conflict('statement missing')
    await savePolicy(tx, key, next, newRevisionId)
  },
})

async function lockLayerVersion(tx: Transaction, key: LayerVersionKey): Promise<LayerVersionRecord> {
  const layer = await findLayerVersion(tx, key)
  if (!layer) throw conflict('layer missing')
  return layer
}

async function savePolicy(tx: Transaction, { accountId, region, name, version }: LayerVersionKey, policy: readonly PermissionStatement[], revisionId: string): Promise<void> {
  await tx.run(sql`
    update lambda_layer_versions set policy = ${JSON.stringify(policy)}, policy_revision_id = ${revisionId}
    where account_id = ${accountId} and region = ${region} and name = ${name} and version = ${version}`)
}

type Plain = Pick<LayerVersionRecord, 'description' | 'licenseInfo' | 'runtimes' | 'architectures' | 'codeBytes' | 'unzippedBytes' | 'createdMs'>

function plainOf({ description, licenseInfo, runtimes, architectures, codeBytes, unzippedBytes, createdMs }: Plain): string {
  return JSON.stringify({ description, licenseInfo, runtimes, architectures, codeBytes, unzippedBytes, createdMs })
}

function layerVersionOf(row: Row): LayerVersionRecord {
  return {
    ...JSON.parse(row['record'] as string) as Plain,
    accountId: row['account_id'] as string,
    region: row['region'] as string,
    name: row['name'] as string,
    version: row['version'] as number,
    codeSha256: row['code_sha256'] as string,
    policy: JSON.parse(row['policy'] as string) as PermissionStatement[],
    policyRevisionId: row['policy_revision_id'] as string,
  }
}
