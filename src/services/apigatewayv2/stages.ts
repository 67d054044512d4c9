// Stages: named addresses of deployments.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { wholeSeconds } from './apis.ts'
import { editStage, newAutoDeployment, readApi, withRetries, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import type { ApiGatewayV2 } from './index.ts'
import { STAGES_PER_API_MAX } from './limits.ts'
import type { RouteSettings, StageRecord } from './model.ts'
import { own } from './own.ts'
import { pageOf } from './pages.ts'
import { changeStage, newStage } from './stage-rules.ts'
import { enablesLogging, roleMissing } from './stage-logging.ts'
import { findStage, listStages, transactions } from './store.ts'

export async function createStage({ ApiId, ...request }: Input<sdk.CreateStageRequest>, call: Caller, gateway: ApiGatewayV2): Promise<sdk.CreateStageResponse> {
  const { database, clock } = gateway
  const api = await readApi(gateway, call, ApiId)
  const stage = newStage(request, { api, now: clock.now() })
  if (enablesLogging(request, api) && !await gateway.logging.hasRole(call.scope)) throw roleMissing()
  await withRetries(() => database.transact(transactions.insertStage, { stage, stagesMax: STAGES_PER_API_MAX, auto: newAutoDeployment(gateway) }))
  return describeStage(await requireStage(gateway, { apiId: ApiId, stageName: stage.stageName }))
}

export async function getStage({ ApiId, StageName }: Input<sdk.GetStageRequest>, call: Caller, gateway: ApiGatewayV2): Promise<sdk.GetStageResponse> {
  await readApi(gateway, call, ApiId)
  return describeStage(await requireStage(gateway, { apiId: ApiId, stageName: StageName }))
}

export async function getStages({ ApiId, ...page }: Input<sdk.GetStagesRequest>, call: Caller, gateway: ApiGatewayV2): Promise<sdk.GetStagesResponse> {
  await readApi(gateway, call, ApiId)
  const { Items, NextToken } = pageOf(await listStages(gateway.database, ApiId), ({ stageName }) => stageName, page)
  return { Items: Items.map(describeStage), NextToken }
}

export async function updateStage(
  { ApiId, StageName, ...request }: Input<sdk.UpdateStageRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.UpdateStageResponse> {
  const api = await readApi(gateway, call, ApiId)
  const key = { apiId: ApiId, stageName: StageName }
  const mayLog = !enablesLogging(request, api) || await gateway.logging.hasRole(call.scope)
  await editStage(gateway, key, (stage) => {
    const deploys = changeStage(stage, request, api)
    if (!mayLog) throw roleMissing()
    return deploys
  })
  return describeStage(await requireStage(gateway, key))
}

export async function deleteStage({ ApiId, StageName }: Input<sdk.DeleteStageRequest>, call: Caller, gateway: ApiGatewayV2): Promise<void> {
  await readApi(gateway, call, ApiId)
  const deleted = await withRetries(() => gateway.database.transact(transactions.deleteStage, { apiId: ApiId, stageName: StageName }))
  if (!deleted) throw missing.stage()
  await gateway.usagePlans?.detach({ apiId: ApiId, stageNames: [StageName] })
}

export async function deleteAccessLogSettings(
  { ApiId, StageName }: Input<sdk.DeleteAccessLogSettingsRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<void> {
  await readApi(gateway, call, ApiId)
  await editStage(gateway, { apiId: ApiId, stageName: StageName }, (stage) => {
    stage.accessLogSettings = undefined
    return false
  })
}

/** @throws NotFoundException when the stage has no settings of that route. Ours: the words. */
export async function deleteRouteSettings(
  { ApiId, StageName, RouteKey }: Input<sdk.DeleteRouteSettingsRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<void> {
  await readApi(gateway, call, ApiId)
  await editStage(gateway, { apiId: ApiId, stageName: StageName }, (stage) => {
    const { [RouteKey]: _removed, ...others } = stage.routeSettings
    if (!own(stage.routeSettings, RouteKey)) throw errors.NotFoundException(`Unable to find RouteSettings by key ${RouteKey}`)
    stage.routeSettings = others
    return false
  })
}

async function requireStage({ database }: Pick<ApiGatewayV2, 'database'>, key: { apiId: string, stageName: string }): Promise<StageRecord> {
  const stored = await findStage(database, key)
  if (!stored) throw missing.stage()
  return stored.stage
}

/** As AWS shows a stage. Source: AWS CLI reference, examples of `create-stage` and `get-stage`. */
function describeStage(stage: StageRecord): sdk.Stage {
  return {
    AccessLogSettings: stage.accessLogSettings && { DestinationArn: stage.accessLogSettings.destinationArn, Format: stage.accessLogSettings.format },
    ApiGatewayManaged: stage.apiGatewayManaged,
    AutoDeploy: stage.autoDeploy ? true : undefined,
    ClientCertificateId: stage.clientCertificateId,
    CreatedDate: wholeSeconds(stage.createdAtMs),
    DefaultRouteSettings: describeSettings(stage.defaultRouteSettings),
    DeploymentId: stage.deploymentId,
    Description: stage.description,
    LastDeploymentStatusMessage: stage.lastDeploymentStatusMessage,
    LastUpdatedDate: wholeSeconds(stage.lastUpdatedAtMs),
    RouteSettings: Object.fromEntries(Object.entries(stage.routeSettings).map(([key, settings]) => [key, describeSettings(settings)])),
    StageName: stage.stageName,
    StageVariables: stage.stageVariables,
    Tags: stage.tags,
  }
}

function describeSettings(settings: RouteSettings): sdk.RouteSettings {
  return {
    DataTraceEnabled: settings.dataTraceEnabled,
    DetailedMetricsEnabled: settings.detailedMetricsEnabled,
    LoggingLevel: settings.loggingLevel,
    ThrottlingBurstLimit: settings.throttlingBurstLimit,
    ThrottlingRateLimit: settings.throttlingRateLimit,
  }
}
