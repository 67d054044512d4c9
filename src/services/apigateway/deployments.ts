// Deployments: an API frozen as it stands, and the stage that it goes to.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { readApi, refusalOf, withRetries, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import { newId } from './ids.ts'
import type { ApiGateway } from './index.ts'
import { DEPLOYMENTS_PER_API_MAX, STAGES_PER_API_MAX } from './limits.ts'
import type { ApiDesign, Deployment, StageRecord } from './model.ts'
import { pageOf } from './pages.ts'
import { applyPatches, type PatchRule } from './patch.ts'
import { snapshotOf, type RestApiSnapshot } from './snapshot.ts'
import { checkVariables, newStage } from './stage-rules.ts'
import { findDeployment, findSnapshot, findStage, listDeployments, transactions } from './store.ts'
import { Conflict } from '#storage/database.ts'

export async function createDeployment(request: Input<sdk.CreateDeploymentRequest>, call: Caller, gateway: ApiGateway): Promise<sdk.Deployment> {
  const { database, clock, random } = gateway
  const { restApiId: apiId, stageName, description } = request
  if (request.canarySettings) throw errors.NotImplemented('canarySettings is not served.')
  const api = await readApi(gateway, call, apiId, () => missing.api(call.scope, apiId))
  requireDeployable(api.design)
  const now = clock.now()
  const deployment: Deployment = { id: newId(random), apiId, createdAtMs: now, description: description || undefined }
  const snapshot = snapshotOf(api, deployment.id)
  await withRetries(async () => {
    const stage = stageName ? await stageAfter(request, { apiId, stageName, deploymentId: deployment.id, now }, gateway) : undefined
    await database.transact(transactions.insertDeployment, {
      deployment, snapshot, stage, deploymentsMax: DEPLOYMENTS_PER_API_MAX, stagesMax: STAGES_PER_API_MAX,
    })
  })
  return describeDeployment(deployment)
}

export async function getDeployment(
  { restApiId, deploymentId, embed }: Input<sdk.GetDeploymentRequest>, call: Caller, { database, ...gateway }: ApiGateway,
): Promise<sdk.Deployment> {
  await readApi({ database, ...gateway }, call, restApiId, missing.deployment)
  const deployment = await findDeployment(database, restApiId, deploymentId)
  if (!deployment) throw missing.deployment()
  const snapshot = embed?.includes('apisummary') ? await findSnapshot(database, [restApiId, deploymentId]) : undefined
  return { ...describeDeployment(deployment), apiSummary: snapshot && summaryOf(snapshot) }
}

/** Ours: oldest first; AWS promises no order. */
export async function getDeployments(
  { restApiId, ...page }: Input<sdk.GetDeploymentsRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Deployments> {
  await readApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId))
  const deployments = await listDeployments(gateway.database, restApiId)
  const { items, position } = pageOf(deployments, ({ createdAtMs, id }) => `${String(createdAtMs).padStart(16, '0')}/${id}`, page)
  return { items: items.map(describeDeployment), position }
}

export async function updateDeployment(
  { restApiId, deploymentId, patchOperations }: Input<sdk.UpdateDeploymentRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Deployment> {
  await readApi(gateway, call, restApiId, missing.deployment)
  const deployment = await findDeployment(gateway.database, restApiId, deploymentId)
  if (!deployment) throw missing.deployment()
  applyPatches(deployment, patchOperations, patchRules, 'listed')
  if (!await gateway.database.transact(transactions.updateDeployment, deployment)) throw missing.deployment()
  return describeDeployment(deployment)
}

export async function deleteDeployment(
  { restApiId, deploymentId }: Input<sdk.DeleteDeploymentRequest>, call: Caller, gateway: ApiGateway,
): Promise<void> {
  await readApi(gateway, call, restApiId, missing.deployment)
  let deleted: boolean
  try {
    deleted = await gateway.database.transact(transactions.deleteDeployment, { apiId: restApiId, id: deploymentId })
  } catch (error) {
    if (error instanceof Conflict && error.reason === 'deployment in use') throw refusalOf('deployment in use')
    throw error
  }
  if (!deleted) throw missing.deployment()
}

/** Seen in many reports, of CloudFormation and Terraform above all. */
function requireDeployable({ resources }: ApiDesign): void {
  const methods = Object.values(resources).flatMap((resource) => Object.values(resource.methods))
  if (methods.length === 0) throw errors.BadRequestException("The REST API doesn't contain any methods")
  if (methods.some(({ methodIntegration }) => !methodIntegration)) throw errors.BadRequestException('No integration defined for method')
}

/** The stage that a deployment names: a new one, or the one of that name with what the request sets. */
async function stageAfter(
  request: Input<sdk.CreateDeploymentRequest>,
  { apiId, stageName, deploymentId, now }: { apiId: string, stageName: string, deploymentId: string, now: number },
  { database }: ApiGateway,
): Promise<{ stage: StageRecord, revision: number | undefined }> {
  const { stageDescription, variables, tracingEnabled, cacheClusterEnabled, cacheClusterSize } = request
  const stored = await findStage(database, { apiId, stageName })
  if (!stored) {
    const description = stageDescription
    const stage = newStage({ stageName, deploymentId, description, variables, tracingEnabled, cacheClusterEnabled, cacheClusterSize }, { apiId, now })
    return { stage, revision: undefined }
  }
  checkVariables(variables)
  return {
    revision: stored.revision,
    stage: {
      ...stored.stage,
      deploymentId,
      description: stageDescription ?? stored.stage.description,
      variables: { ...stored.stage.variables, ...variables },
      tracingEnabled: tracingEnabled ?? stored.stage.tracingEnabled,
      lastUpdatedAtMs: now,
    },
  }
}

function describeDeployment({ id, createdAtMs, description }: Deployment): sdk.Deployment {
  return { id, createdDate: new Date(createdAtMs), description }
}

/** Source: API Gateway API reference, Deployment, `apiSummary`. */
function summaryOf({ resources }: RestApiSnapshot): sdk.Deployment['apiSummary'] {
  return Object.fromEntries(resources.filter(({ methods }) => Object.keys(methods).length > 0).map(({ path, methods }) => [
    path,
    Object.fromEntries(Object.values(methods).map(({ httpMethod, authorizationType, apiKeyRequired }) =>
      [httpMethod, { authorizationType, apiKeyRequired }])),
  ]))
}

const patchRules: readonly PatchRule<Deployment>[] = [
  { path: '/description', replace: (deployment, value) => { deployment.description = value || undefined } },
]
