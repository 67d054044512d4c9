// Stages: named addresses of deployments.

import type * as sdk from '@aws-sdk/client-api-gateway'
import type { Call } from '#aws/service.ts'
import { findAccount } from './account-store.ts'
import { editStage, readApi, withRetries, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import type { ApiGateway } from './index.ts'
import { STAGES_PER_API_MAX } from './limits.ts'
import type { StageRecord } from './model.ts'
import { enablesLogging } from './stage-logging.ts'
import { newStage, patchStage } from './stage-rules.ts'
import { findStage, listStages, transactions } from './store.ts'

export async function createStage(
  { restApiId, ...request }: Input<sdk.CreateStageRequest>, call: Call, gateway: ApiGateway,
): Promise<sdk.Stage> {
  const { database, clock } = gateway
  if (request.canarySettings) throw errors.NotImplemented('canarySettings is not served.')
  await readApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId))
  const stage = newStage(request, { apiId: restApiId, now: clock.now() })
  await withRetries(() => database.transact(transactions.insertStage, { stage, stagesMax: STAGES_PER_API_MAX }))
  noteUnhonoured(stage, call)
  return describeStage(stage)
}

export async function getStage({ restApiId, stageName }: Input<sdk.GetStageRequest>, call: Caller, gateway: ApiGateway): Promise<sdk.Stage> {
  await readApi(gateway, call, restApiId, missing.stage)
  const stored = await findStage(gateway.database, { apiId: restApiId, stageName })
  if (!stored) throw missing.stage()
  return describeStage(stored.stage)
}

export async function getStages(
  { restApiId, deploymentId }: Input<sdk.GetStagesRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Stages> {
  await readApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId))
  const stages = await listStages(gateway.database, restApiId)
  return { item: stages.filter((stage) => !deploymentId || stage.deploymentId === deploymentId).map(describeStage) }
}

export async function updateStage(
  { restApiId, stageName, patchOperations }: Input<sdk.UpdateStageRequest>, call: Call, gateway: ApiGateway,
): Promise<sdk.Stage> {
  await readApi(gateway, call, restApiId, missing.stage)
  const hasLoggingRole = enablesLogging(patchOperations) && (await findAccount(gateway.database, call.scope)).cloudwatchRoleArn !== undefined
  const stage = await editStage(gateway, { apiId: restApiId, stageName }, missing.stage, (edited) => patchStage(edited, patchOperations, { hasLoggingRole }))
  noteUnhonoured(stage, call)
  return describeStage(stage)
}

export async function deleteStage({ restApiId, stageName }: Input<sdk.DeleteStageRequest>, call: Caller, gateway: ApiGateway): Promise<void> {
  await readApi(gateway, call, restApiId, missing.stage)
  if (!await gateway.database.transact(transactions.deleteStage, { apiId: restApiId, stageName })) throw missing.stage()
}

/** As AWS shows a stage. Observed: AWS, 01-09-2023, recorded by localstack's test_create_update_stages. */
function describeStage(stage: StageRecord): sdk.Stage {
  const { apiId: _apiId, authorizerFlushes: _flushes, createdAtMs, lastUpdatedAtMs, variables, tags, cacheClusterSize, ...shown } = stage
  return {
    ...shown,
    cacheClusterSize: cacheClusterSize as sdk.CacheClusterSize | undefined,
    variables: Object.keys(variables).length > 0 ? variables : undefined,
    tags: Object.keys(tags).length > 0 ? tags : undefined,
    // Ours: there is no cache, so that none is ever available.
    cacheClusterStatus: 'NOT_AVAILABLE',
    createdDate: new Date(createdAtMs),
    lastUpdatedDate: new Date(lastUpdatedAtMs),
  }
}

/** A stage has no warnings on AWS, so what is stored without effect is said in the trace. */
function noteUnhonoured({ cacheClusterEnabled, tracingEnabled, clientCertificateId, methodSettings }: StageRecord, { trace }: Call): void {
  const unhonoured = [
    ...cacheClusterEnabled || Object.values(methodSettings).some(({ cachingEnabled }) => cachingEnabled) ? ['caching'] : [],
    ...tracingEnabled ? ['tracingEnabled'] : [],
    ...clientCertificateId ? ['clientCertificateId'] : [],
  ]
  if (unhonoured.length > 0) trace.add('stored-without-effect', { settings: unhonoured })
}
