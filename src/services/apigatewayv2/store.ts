// SQL of APIs, deployments and stages, and all transactions of the service.

import { Conflict, defineTransactions, sql, type Reader, type Row, type Transaction } from '#storage/database.ts'
import type { Scope } from '#aws/arn.ts'
import { afterAutoDeploy, AUTO_DEPLOYMENT_DESCRIPTION, deployFault, freeze } from './deploy.ts'
import { domainTransactions } from './domain-store.ts'
import { AUTO_DEPLOYMENTS_KEPT_MAX, DEPLOYMENTS_PER_API_MAX } from './limits.ts'
import type { Deployment, StageRecord, V2Api } from './model.ts'
import type { V2ApiLocation, V2ApiSnapshot } from './snapshot.ts'

/** An API with the revision that an edit must still find. */
export interface StoredApi { api: V2Api, revision: number }
export interface StoredStage { stage: StageRecord, revision: number }

export interface StageKey { apiId: string, stageName: string }

/** What an automatic deployment needs that a transaction may not make itself. */
export interface AutoDeployment { deploymentId: string, now: number }

/** The API, or undefined when it does not exist in that account and region. */
export async function findApi(db: Reader, { accountId, region }: Scope, apiId: string): Promise<StoredApi | undefined> {
  const [row] = await db.query(sql`
    select * from apigatewayv2_apis where id = ${apiId} and account_id = ${accountId} and region = ${region}`)
  return row && { api: apiOf(row), revision: row['revision'] as number }
}

/** Where an API belongs, whoever asks. */
export async function findApiLocation(db: Reader, apiId: string): Promise<V2ApiLocation | undefined> {
  const [row] = await db.query(sql`select * from apigatewayv2_apis where id = ${apiId}`)
  if (!row) return undefined
  const { accountId, region, settings: { protocolType, disableExecuteApiEndpoint } } = apiOf(row)
  return { apiId, accountId, region, protocolType, disableExecuteApiEndpoint }
}

/** An API without its design, as lists show it. */
export type ListedApi = Omit<V2Api, 'design'>

/** A page of an account's APIs in the order of their making, after `after`. */
export async function listApis(
  db: Reader,
  { accountId, region, after, limit }: Scope & { after?: { createdAtMs: number, id: string } | undefined, limit: number },
): Promise<ListedApi[]> {
  const rows = await db.query(sql`
    select id, account_id, region, created_at_ms, settings from apigatewayv2_apis where account_id = ${accountId} and region = ${region}
      and (created_at_ms, id) > (${after?.createdAtMs ?? -1}, ${after?.id ?? ''})
    order by created_at_ms, id limit ${limit}`)
  return rows.map((row) => {
    const { design: _design, ...api } = apiOf(row)
    return api
  })
}

export async function findDeployment(db: Reader, apiId: string, id: string): Promise<Deployment | undefined> {
  const [row] = await db.query(sql`
    select api_id, id, created_at_ms, description, auto_deployed from apigatewayv2_deployments where api_id = ${apiId} and id = ${id}`)
  return row && deploymentOf(row)
}

/** An API's deployments, the latest first; never more than DEPLOYMENTS_PER_API_MAX. */
export async function listDeployments(db: Reader, apiId: string): Promise<Deployment[]> {
  const rows = await db.query(sql`
    select api_id, id, created_at_ms, description, auto_deployed from apigatewayv2_deployments
    where api_id = ${apiId} order by created_at_ms desc, id`)
  return rows.map(deploymentOf)
}

export async function findSnapshot(
  db: Reader, [apiId, id]: readonly [apiId: string, deploymentId: string],
): Promise<V2ApiSnapshot | undefined> {
  const [row] = await db.query(sql`select snapshot from apigatewayv2_deployments where api_id = ${apiId} and id = ${id}`)
  return row && JSON.parse(row['snapshot'] as string) as V2ApiSnapshot
}

export async function findStage(db: Reader, { apiId, stageName }: StageKey): Promise<StoredStage | undefined> {
  const [row] = await db.query(sql`select * from apigatewayv2_stages where api_id = ${apiId} and name = ${stageName}`)
  return row && { stage: stageOf(row), revision: row['revision'] as number }
}

/** An API's stages by name; never more than STAGES_PER_API_MAX. */
export async function listStages(db: Reader, apiId: string): Promise<StageRecord[]> {
  const rows = await db.query(sql`select record from apigatewayv2_stages where api_id = ${apiId} order by name`)
  return rows.map(stageOf)
}

export type StoreConflict =
  | 'limit' | 'revision' | 'api missing' | 'stage exists' | 'stage missing' | 'stage mapped' | 'deployment missing' | 'deployment in use' | 'api mapped'

const apiTransactions = defineTransactions('apigatewayv2', {
  /** Stores an API with the stage that quick create gives it. Conflicts: `limit` when the account has `apisMax` in the region. */
  async insertApi(tx, { api, stage, auto, apisMax }: { api: V2Api, stage?: StageRecord | undefined, auto: AutoDeployment, apisMax: number }): Promise<void> {
    const { id, accountId, region, createdAtMs, settings, design } = api
    const [row] = await tx.query(sql`select count(*) as n from apigatewayv2_apis where account_id = ${accountId} and region = ${region}`)
    if (Number(row!['n']) >= apisMax) throw conflict('limit')
    await tx.run(sql`insert into apigatewayv2_apis (id, account_id, region, created_at_ms, revision, settings, design)
      values (${id}, ${accountId}, ${region}, ${createdAtMs}, 1, ${JSON.stringify(settings)}, ${JSON.stringify(design)})`)
    await tx.changed('apigatewayv2.api', id)
    if (!stage) return
    await insertStageRow(tx, stage, 1)
    await autoDeploy(tx, api, auto)
  },

  /**
   * Stores an edited API and, unless `auto` is absent, deploys it to its stages with auto-deploy.
   * Conflicts: `revision` when another call changed the API since it was read.
   */
  async updateApi(tx, { api, revision, auto }: StoredApi & { auto: AutoDeployment | undefined }): Promise<void> {
    const changed = await tx.run(sql`
      update apigatewayv2_apis set settings = ${JSON.stringify(api.settings)}, design = ${JSON.stringify(api.design)}, revision = revision + 1
      where id = ${api.id} and revision = ${revision}`)
    if (changed === 0) throw conflict('revision')
    await tx.changed('apigatewayv2.api', api.id)
    if (auto) await autoDeploy(tx, api, auto)
  },

  /** Deletes the API with its deployments and stages; says whether there was one. Conflicts: `api mapped` while a domain leads to it. */
  async deleteApi(tx, { apiId, accountId, region }: Scope & { apiId: string }): Promise<boolean> {
    const deleted = await tx.run(sql`delete from apigatewayv2_apis where id = ${apiId} and account_id = ${accountId} and region = ${region}`)
    if (deleted === 0) return false
    if ((await tx.query(sql`select id from apigatewayv2_mappings where api_id = ${apiId} limit 1`)).length > 0) throw conflict('api mapped')
    for (const row of await tx.query(sql`select name from apigatewayv2_stages where api_id = ${apiId}`)) {
      await tx.changed('apigatewayv2.stage', `${apiId}/${row['name'] as string}`)
    }
    for (const row of await tx.query(sql`select id from apigatewayv2_deployments where api_id = ${apiId}`)) {
      await tx.changed('apigatewayv2.deployment', `${apiId}/${row['id'] as string}`)
    }
    await tx.run(sql`delete from apigatewayv2_stages where api_id = ${apiId}`)
    await tx.run(sql`delete from apigatewayv2_deployments where api_id = ${apiId}`)
    await tx.changed('apigatewayv2.api', apiId)
    return true
  },

  /**
   * Freezes the API as it is stored now and, when a stage is named, points that stage at it.
   * Conflicts: `api missing`, `stage missing`, `limit`.
   */
  async insertDeployment(tx, { deployment, stageName }: { deployment: Deployment, stageName: string | undefined }): Promise<void> {
    const { apiId, createdAtMs } = deployment
    const [row] = await tx.query(sql`select * from apigatewayv2_apis where id = ${apiId}`)
    if (!row) throw conflict('api missing')
    const [count] = await tx.query(sql`select count(*) as n from apigatewayv2_deployments where api_id = ${apiId}`)
    if (Number(count!['n']) >= DEPLOYMENTS_PER_API_MAX) throw conflict('limit')
    await insertDeploymentRow(tx, deployment, freeze(apiOf(row), deployment.deploymentId))
    if (stageName === undefined) return
    const stored = await findStage(tx, { apiId, stageName })
    if (!stored) throw conflict('stage missing')
    await updateStageRow(tx, { ...stored.stage, deploymentId: deployment.deploymentId, lastUpdatedAtMs: createdAtMs }, stored.revision)
  },

  /** Says whether there was one. */
  async updateDeployment(tx, { apiId, deploymentId, description }: Deployment): Promise<boolean> {
    return await tx.run(sql`
      update apigatewayv2_deployments set description = ${description ?? null} where api_id = ${apiId} and id = ${deploymentId}`) > 0
  },

  /** Says whether there was one. Conflicts: `deployment in use` while a stage points at it. */
  async deleteDeployment(tx, { apiId, deploymentId }: { apiId: string, deploymentId: string }): Promise<boolean> {
    const users = await tx.query(sql`select name from apigatewayv2_stages where api_id = ${apiId} and deployment_id = ${deploymentId} limit 1`)
    if (users.length > 0) throw conflict('deployment in use')
    return deleteDeploymentRow(tx, apiId, deploymentId)
  },

  /** Stores a stage; one with auto-deploy is deployed at once. Conflicts: `api missing`, `deployment missing`, `stage exists`, `limit`. */
  async insertStage(tx, { stage, stagesMax, auto }: { stage: StageRecord, stagesMax: number, auto: AutoDeployment }): Promise<void> {
    const [row] = await tx.query(sql`select * from apigatewayv2_apis where id = ${stage.apiId}`)
    if (!row) throw conflict('api missing')
    await requireDeployment(tx, stage)
    await insertStageRow(tx, stage, stagesMax)
    if (stage.autoDeploy) await autoDeploy(tx, apiOf(row), auto, stage.stageName)
  },

  /** Stores an edited stage, and deploys to it when `auto` is given. Conflicts: `deployment missing`, `revision`. */
  async updateStage(tx, { stage, revision, auto }: StoredStage & { auto: AutoDeployment | undefined }): Promise<void> {
    await requireDeployment(tx, stage)
    await updateStageRow(tx, stage, revision)
    if (!auto) return
    const [row] = await tx.query(sql`select * from apigatewayv2_apis where id = ${stage.apiId}`)
    if (row) await autoDeploy(tx, apiOf(row), auto, stage.stageName)
  },

  /** Says whether there was one. Conflicts: `stage mapped` while a domain leads to it. */
  async deleteStage(tx, { apiId, stageName }: StageKey): Promise<boolean> {
    const users = await tx.query(sql`select id from apigatewayv2_mappings where api_id = ${apiId} and stage = ${stageName} limit 1`)
    if (users.length > 0) throw conflict('stage mapped')
    const deleted = await tx.run(sql`delete from apigatewayv2_stages where api_id = ${apiId} and name = ${stageName}`)
    await tx.changed('apigatewayv2.stage', `${apiId}/${stageName}`)
    return deleted > 0
  },
})

export const transactions = { ...apiTransactions, ...domainTransactions }

/** Deploys the API to those of its stages that ask for it, or to the one that is named; what cannot be deployed is said in the stage. */
async function autoDeploy(tx: Transaction, api: V2Api, { deploymentId, now }: AutoDeployment, only?: string): Promise<void> {
  const rows = (await tx.query(sql`select * from apigatewayv2_stages where api_id = ${api.id} and auto_deploy = 1 order by name`))
    .filter((row) => only === undefined || row['name'] === only)
  if (rows.length === 0) return
  const fault = deployFault(api)
  if (fault === undefined) {
    const deployment: Deployment = {
      deploymentId, apiId: api.id, createdAtMs: now, description: AUTO_DEPLOYMENT_DESCRIPTION, autoDeployed: true, status: 'DEPLOYED',
    }
    await insertDeploymentRow(tx, deployment, freeze(api, deploymentId))
  }
  for (const row of rows) await updateStageRow(tx, afterAutoDeploy(stageOf(row), { deploymentId, fault, now }), row['revision'] as number)
  await dropOldDeployments(tx, api.id)
}

/** Every change makes a deployment, so those that nothing points at are deleted, the oldest first. */
async function dropOldDeployments(tx: Transaction, apiId: string): Promise<void> {
  const unused = await tx.query(sql`
    select id from apigatewayv2_deployments where api_id = ${apiId} and auto_deployed = 1
      and id not in (select deployment_id from apigatewayv2_stages where api_id = ${apiId} and deployment_id is not null)
    order by created_at_ms desc, id`)
  for (const row of unused.slice(AUTO_DEPLOYMENTS_KEPT_MAX)) await deleteDeploymentRow(tx, apiId, row['id'] as string)
}

async function insertDeploymentRow(tx: Transaction, { apiId, deploymentId, createdAtMs, description, autoDeployed }: Deployment, snapshot: V2ApiSnapshot): Promise<void> {
  await tx.run(sql`insert into apigatewayv2_deployments (api_id, id, created_at_ms, description, auto_deployed, snapshot)
    values (${apiId}, ${deploymentId}, ${createdAtMs}, ${description ?? null}, ${autoDeployed ? 1 : 0}, ${JSON.stringify(snapshot)})`)
  await tx.changed('apigatewayv2.deployment', `${apiId}/${deploymentId}`)
}

async function deleteDeploymentRow(tx: Transaction, apiId: string, deploymentId: string): Promise<boolean> {
  const deleted = await tx.run(sql`delete from apigatewayv2_deployments where api_id = ${apiId} and id = ${deploymentId}`)
  await tx.changed('apigatewayv2.deployment', `${apiId}/${deploymentId}`)
  return deleted > 0
}

async function requireDeployment(tx: Transaction, { apiId, deploymentId }: StageRecord): Promise<void> {
  if (deploymentId === undefined) return
  const rows = await tx.query(sql`select id from apigatewayv2_deployments where api_id = ${apiId} and id = ${deploymentId}`)
  if (rows.length === 0) throw conflict('deployment missing')
}

async function insertStageRow(tx: Transaction, stage: StageRecord, stagesMax: number): Promise<void> {
  const { apiId, stageName, deploymentId, autoDeploy: isAuto } = stage
  const rows = await tx.query(sql`select name from apigatewayv2_stages where api_id = ${apiId}`)
  if (rows.some((row) => row['name'] === stageName)) throw conflict('stage exists')
  if (rows.length >= stagesMax) throw conflict('limit')
  await tx.run(sql`insert into apigatewayv2_stages (api_id, name, deployment_id, auto_deploy, revision, record)
    values (${apiId}, ${stageName}, ${deploymentId ?? null}, ${isAuto ? 1 : 0}, 1, ${JSON.stringify(stage)})`)
  await tx.changed('apigatewayv2.stage', `${apiId}/${stageName}`)
}

async function updateStageRow(tx: Transaction, stage: StageRecord, revision: number): Promise<void> {
  const { apiId, stageName, deploymentId, autoDeploy: isAuto } = stage
  const changed = await tx.run(sql`
    update apigatewayv2_stages set deployment_id = ${deploymentId ?? null}, auto_deploy = ${isAuto ? 1 : 0},
      record = ${JSON.stringify(stage)}, revision = revision + 1
    where api_id = ${apiId} and name = ${stageName} and revision = ${revision}`)
  if (changed === 0) throw conflict('revision')
  await tx.changed('apigatewayv2.stage', `${apiId}/${stageName}`)
}

const conflict = (reason: StoreConflict) => new Conflict(reason)

function apiOf(row: Row): V2Api {
  return {
    id: row['id'] as string,
    accountId: row['account_id'] as string,
    region: row['region'] as string,
    createdAtMs: row['created_at_ms'] as number,
    settings: JSON.parse(row['settings'] as string) as V2Api['settings'],
    design: JSON.parse((row['design'] ?? 'null') as string) as V2Api['design'],
  }
}

const stageOf = (row: Row): StageRecord => JSON.parse(row['record'] as string) as StageRecord

function deploymentOf(row: Row): Deployment {
  return {
    apiId: row['api_id'] as string,
    deploymentId: row['id'] as string,
    createdAtMs: row['created_at_ms'] as number,
    description: (row['description'] ?? undefined) as string | undefined,
    autoDeployed: row['auto_deployed'] === 1,
    status: 'DEPLOYED',
  }
}
