// SQL of APIs, deployments and stages, and all transactions of the service.

import { Conflict, defineTransactions, sql, type Reader, type Row, type Transaction } from '#storage/database.ts'
import type { Scope } from '#aws/arn.ts'
import type { Deployment, RestApi, StageRecord } from './model.ts'
import { accountTransactions } from './account-store.ts'
import { meterTransactions } from './meter-store.ts'
import type { ApiLocation, RestApiSnapshot } from './snapshot.ts'
import { detachStage, usageTransactions } from './usage-store.ts'

/** An API with the revision that an edit must still find. */
export interface StoredApi { api: RestApi, revision: number }
export interface StoredStage { stage: StageRecord, revision: number }

export interface StageKey { apiId: string, stageName: string }

/** The API, or undefined when it does not exist in that account and region. */
export async function findApi(db: Reader, { accountId, region }: Scope, apiId: string): Promise<StoredApi | undefined> {
  const [row] = await db.query(sql`
    select * from apigateway_apis where id = ${apiId} and account_id = ${accountId} and region = ${region}`)
  return row && { api: apiOf(row), revision: row['revision'] as number }
}

/** Where an API belongs, whoever asks. */
export async function findApiLocation(db: Reader, apiId: string): Promise<ApiLocation | undefined> {
  const [row] = await db.query(sql`select id, account_id, region from apigateway_apis where id = ${apiId}`)
  return row && { apiId: row['id'] as string, accountId: row['account_id'] as string, region: row['region'] as string }
}

/** An API without its design, as lists show it. */
export type ListedApi = Omit<RestApi, 'design'> & { rootResourceId: string }

/** A page of an account's APIs in the order of their making, after `after`. */
export async function listApis(
  db: Reader,
  { accountId, region, after, limit }: Scope & { after?: { createdAtMs: number, id: string } | undefined, limit: number },
): Promise<ListedApi[]> {
  const rows = await db.query(sql`
    select * from apigateway_apis where account_id = ${accountId} and region = ${region}
      and (created_at_ms, id) > (${after?.createdAtMs ?? -1}, ${after?.id ?? ''})
    order by created_at_ms, id limit ${limit}`)
  return rows.map((row) => {
    const { design, ...api } = apiOf(row)
    return { ...api, rootResourceId: design.rootResourceId }
  })
}

export async function findDeployment(db: Reader, apiId: string, id: string): Promise<Deployment | undefined> {
  const [row] = await db.query(sql`
    select api_id, id, created_at_ms, description from apigateway_deployments where api_id = ${apiId} and id = ${id}`)
  return row && deploymentOf(row)
}

/** An API's deployments in the order of their making; never more than DEPLOYMENTS_PER_API_MAX. */
export async function listDeployments(db: Reader, apiId: string): Promise<Deployment[]> {
  const rows = await db.query(sql`
    select api_id, id, created_at_ms, description from apigateway_deployments where api_id = ${apiId} order by created_at_ms, id`)
  return rows.map(deploymentOf)
}

export async function findSnapshot(
  db: Reader, [apiId, id]: readonly [apiId: string, deploymentId: string],
): Promise<RestApiSnapshot | undefined> {
  const [row] = await db.query(sql`select snapshot from apigateway_deployments where api_id = ${apiId} and id = ${id}`)
  return row && JSON.parse(row['snapshot'] as string) as RestApiSnapshot
}

export async function findStage(db: Reader, { apiId, stageName }: StageKey): Promise<StoredStage | undefined> {
  const [row] = await db.query(sql`select * from apigateway_stages where api_id = ${apiId} and name = ${stageName}`)
  return row && { stage: JSON.parse(row['record'] as string) as StageRecord, revision: row['revision'] as number }
}

/** An API's stages by name; never more than STAGES_PER_API_MAX. */
export async function listStages(db: Reader, apiId: string): Promise<StageRecord[]> {
  const rows = await db.query(sql`select record from apigateway_stages where api_id = ${apiId} order by name`)
  return rows.map((row) => JSON.parse(row['record'] as string) as StageRecord)
}

export type StoreConflict = 'limit' | 'revision' | 'api missing' | 'stage exists' | 'stage missing' | 'deployment missing' | 'deployment in use'

const apiTransactions = defineTransactions('apigateway', {
  /** Conflicts: `limit` when the account has `apisMax` in the region. */
  async insertApi(tx, { api, apisMax }: { api: RestApi, apisMax: number }): Promise<void> {
    const { id, accountId, region, createdAtMs, settings, design } = api
    const [row] = await tx.query(sql`select count(*) as n from apigateway_apis where account_id = ${accountId} and region = ${region}`)
    if (Number(row!['n']) >= apisMax) throw conflict('limit')
    await tx.run(sql`insert into apigateway_apis (id, account_id, region, created_at_ms, revision, settings, design)
      values (${id}, ${accountId}, ${region}, ${createdAtMs}, 1, ${JSON.stringify(settings)}, ${JSON.stringify(design)})`)
    await tx.changed('apigateway.api', id)
  },

  /** Conflicts: `revision` when another call changed the API since it was read. */
  async updateApi(tx, { api, revision }: StoredApi): Promise<void> {
    const changed = await tx.run(sql`
      update apigateway_apis set settings = ${JSON.stringify(api.settings)}, design = ${JSON.stringify(api.design)}, revision = revision + 1
      where id = ${api.id} and revision = ${revision}`)
    if (changed === 0) throw conflict('revision')
  },

  /** Deletes the API with its deployments and stages; says whether there was one. */
  async deleteApi(tx, { apiId, accountId, region }: Scope & { apiId: string }): Promise<boolean> {
    const deleted = await tx.run(sql`delete from apigateway_apis where id = ${apiId} and account_id = ${accountId} and region = ${region}`)
    if (deleted === 0) return false
    for (const row of await tx.query(sql`select name from apigateway_stages where api_id = ${apiId}`)) {
      await tx.changed('apigateway.stage', `${apiId}/${row['name'] as string}`)
      await detachStage(tx, { apiId, stageName: row['name'] as string })
    }
    for (const row of await tx.query(sql`select id from apigateway_deployments where api_id = ${apiId}`)) {
      await tx.changed('apigateway.deployment', `${apiId}/${row['id'] as string}`)
    }
    await tx.run(sql`delete from apigateway_stages where api_id = ${apiId}`)
    await tx.run(sql`delete from apigateway_deployments where api_id = ${apiId}`)
    await tx.changed('apigateway.api', apiId)
    return true
  },

  /**
   * Stores a deployment and, when given, the stage that it goes to: a new one, or one that still has `revision`.
   * Conflicts: `api missing`, `limit`, `stage exists`, `revision`.
   */
  async insertDeployment(tx, { deployment, snapshot, stage, deploymentsMax, stagesMax }: {
    deployment: Deployment, snapshot: RestApiSnapshot
    stage?: { stage: StageRecord, revision: number | undefined } | undefined
    deploymentsMax: number, stagesMax: number
  }): Promise<void> {
    const { apiId, id, createdAtMs, description } = deployment
    const [row] = await tx.query(sql`
      select (select count(*) from apigateway_apis where id = ${apiId}) as apis,
        (select count(*) from apigateway_deployments where api_id = ${apiId}) as deployments`)
    if (Number(row!['apis']) === 0) throw conflict('api missing')
    if (Number(row!['deployments']) >= deploymentsMax) throw conflict('limit')
    await tx.run(sql`insert into apigateway_deployments (api_id, id, created_at_ms, description, snapshot)
      values (${apiId}, ${id}, ${createdAtMs}, ${description ?? null}, ${JSON.stringify(snapshot)})`)
    await tx.changed('apigateway.deployment', `${apiId}/${id}`)
    if (!stage) return
    if (stage.revision === undefined) await insertStageRow(tx, stage.stage, stagesMax)
    else await updateStageRow(tx, stage.stage, stage.revision)
  },

  /** Says whether there was one. */
  async updateDeployment(tx, { apiId, id, description }: Deployment): Promise<boolean> {
    return await tx.run(sql`update apigateway_deployments set description = ${description ?? null} where api_id = ${apiId} and id = ${id}`) > 0
  },

  /** Says whether there was one. Conflicts: `deployment in use` while a stage points at it. */
  async deleteDeployment(tx, { apiId, id }: { apiId: string, id: string }): Promise<boolean> {
    const users = await tx.query(sql`select name from apigateway_stages where api_id = ${apiId} and deployment_id = ${id} limit 1`)
    if (users.length > 0) throw conflict('deployment in use')
    const deleted = await tx.run(sql`delete from apigateway_deployments where api_id = ${apiId} and id = ${id}`)
    await tx.changed('apigateway.deployment', `${apiId}/${id}`)
    return deleted > 0
  },

  /** Conflicts: `deployment missing`, `stage exists`, `limit`. */
  async insertStage(tx, { stage, stagesMax }: { stage: StageRecord, stagesMax: number }): Promise<void> {
    await requireDeployment(tx, stage)
    await insertStageRow(tx, stage, stagesMax)
  },

  /** Conflicts: `deployment missing`, `revision`. */
  async updateStage(tx, { stage, revision }: StoredStage): Promise<void> {
    await requireDeployment(tx, stage)
    await updateStageRow(tx, stage, revision)
  },

  /** Says whether there was one. */
  async deleteStage(tx, { apiId, stageName }: StageKey): Promise<boolean> {
    const deleted = await tx.run(sql`delete from apigateway_stages where api_id = ${apiId} and name = ${stageName}`)
    await tx.changed('apigateway.stage', `${apiId}/${stageName}`)
    await detachStage(tx, { apiId, stageName })
    return deleted > 0
  },
})

export const transactions = { ...apiTransactions, ...usageTransactions, ...meterTransactions, ...accountTransactions }

async function requireDeployment(tx: Transaction, { apiId, deploymentId }: StageRecord): Promise<void> {
  const rows = await tx.query(sql`select id from apigateway_deployments where api_id = ${apiId} and id = ${deploymentId}`)
  if (rows.length === 0) throw conflict('deployment missing')
}

async function insertStageRow(tx: Transaction, stage: StageRecord, stagesMax: number): Promise<void> {
  const { apiId, stageName, deploymentId } = stage
  const rows = await tx.query(sql`select name from apigateway_stages where api_id = ${apiId}`)
  if (rows.some((row) => row['name'] === stageName)) throw conflict('stage exists')
  if (rows.length >= stagesMax) throw conflict('limit')
  await tx.run(sql`insert into apigateway_stages (api_id, name, deployment_id, revision, record)
    values (${apiId}, ${stageName}, ${deploymentId}, 1, ${JSON.stringify(stage)})`)
  await tx.changed('apigateway.stage', `${apiId}/${stageName}`)
}

async function updateStageRow(tx: Transaction, stage: StageRecord, revision: number): Promise<void> {
  const { apiId, stageName, deploymentId } = stage
  const changed = await tx.run(sql`
    update apigateway_stages set deployment_id = ${deploymentId}, record = ${JSON.stringify(stage)}, revision = revision + 1
    where api_id = ${apiId} and name = ${stageName} and revision = ${revision}`)
  if (changed === 0) throw conflict('revision')
  await tx.changed('apigateway.stage', `${apiId}/${stageName}`)
}

const conflict = (reason: StoreConflict) => new Conflict(reason)

function apiOf(row: Row): RestApi {
  return {
    id: row['id'] as string,
    accountId: row['account_id'] as string,
    region: row['region'] as string,
    createdAtMs: row['created_at_ms'] as number,
    settings: JSON.parse(row['settings'] as string) as RestApi['settings'],
    // APIs that were made before there were authorizers have none.
    design: { authorizers: {}, ...JSON.parse(row['design'] as string) as Omit<RestApi['design'], 'authorizers'> & Partial<RestApi['design']> } as RestApi['design'],
  }
}

function deploymentOf(row: Row): Deployment {
  return {
    apiId: row['api_id'] as string,
    id: row['id'] as string,
    createdAtMs: row['created_at_ms'] as number,
    description: (row['description'] ?? undefined) as string | undefined,
  }
}
