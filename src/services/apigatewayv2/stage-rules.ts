// What a stage may be: its name, variables and route settings.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { textOf } from './api-settings.ts'
import { errors } from './errors.ts'
import type { RouteSettings, StageRecord, V2Api } from './model.ts'
import { own } from './own.ts'
import { accessLogs } from './stage-logging.ts'

export type NewStage = Omit<sdk.CreateStageRequest, 'ApiId'>

/** Source: API Gateway quotas, "Stage variables per stage", "Length of the key in a stage variable", "… of the value …". */
const VARIABLES_PER_STAGE_MAX = 100
const VARIABLE_NAME_CHARACTERS_MAX = 64
const VARIABLE_VALUE_CHARACTERS_MAX = 512
/** Source: API Gateway v2 API reference, CreateStage, `stageName`. */
const STAGE_NAME_CHARACTERS_MAX = 128

/** A new stage of an API, not yet deployed to. */
export function newStage(request: NewStage, { api, now }: { api: V2Api, now: number }): StageRecord {
  const { StageName = '', DeploymentId, AutoDeploy = false } = request
  checkName(StageName, api)
  if (AutoDeploy && DeploymentId) throw deploymentOfAutoDeploy()
  const stage: StageRecord = {
    stageName: StageName,
    apiId: api.id,
    deploymentId: DeploymentId || undefined,
    description: textOf(request.Description, 1024, 'description'),
    autoDeploy: AutoDeploy,
    stageVariables: variables(request.StageVariables),
    defaultRouteSettings: defaults(api),
    routeSettings: {},
    accessLogSettings: accessLogs(request.AccessLogSettings, undefined),
    clientCertificateId: request.ClientCertificateId || undefined,
    tags: request.Tags ?? {},
    createdAtMs: now,
    lastUpdatedAtMs: now,
  }
  applyRouteSettings(stage, request, api)
  return stage
}

/** Changes a stage; says whether the API must be deployed to it now. What is absent stays, what is an empty text goes. */
export function changeStage(stage: StageRecord, request: Omit<sdk.UpdateStageRequest, 'ApiId' | 'StageName'>, api: V2Api): boolean {
  const wasAuto = stage.autoDeploy
  if (request.AutoDeploy !== undefined) stage.autoDeploy = request.AutoDeploy
  if (request.DeploymentId) {
    if (stage.autoDeploy && request.DeploymentId !== stage.deploymentId) throw deploymentOfAutoDeploy()
    stage.deploymentId = request.DeploymentId
  }
  if (request.Description !== undefined) stage.description = textOf(request.Description, 1024, 'description')
  // An empty value takes a variable away. Source: Terraform's update of aws_apigatewayv2_stage.
  if (request.StageVariables) stage.stageVariables = variables({ ...stage.stageVariables, ...request.StageVariables })
  if (request.AccessLogSettings) stage.accessLogSettings = accessLogs(request.AccessLogSettings, stage.accessLogSettings)
  if (request.ClientCertificateId !== undefined) stage.clientCertificateId = request.ClientCertificateId || undefined
  applyRouteSettings(stage, request, api)
  return stage.autoDeploy && !wasAuto
}

/** Ours: the words. AWS answers 400. Source: aws-controllers-k8s/apigatewayv2-controller pull request 15. */
const deploymentOfAutoDeploy = () => errors.BadRequestException('Deployment ID cannot be set on stage because ApiGateway will automatically deploy changes in Api')

/**
 * Source: API Gateway v2 API reference, CreateStage, `stageName`.
 * Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-stage-name-charset (the sentence, which keeps silent of the hyphen).
 */
function checkName(name: string, { settings: { protocolType } }: V2Api): void {
  if (protocolType === 'HTTP' && name === '$default') return
  if (!/^[a-zA-Z0-9_-]+$/.test(name)) throw errors.BadRequestException('Stage name only allows a-zA-Z0-9_')
  if (name.length > STAGE_NAME_CHARACTERS_MAX) throw errors.BadRequestException(`Stage name cannot be longer than ${STAGE_NAME_CHARACTERS_MAX} characters`)
}

/** Source: Terraform's acceptance tests of aws_apigatewayv2_stage, which run against AWS. */
const defaults = ({ settings: { protocolType } }: V2Api): RouteSettings => protocolType === 'HTTP'
  ? { detailedMetricsEnabled: false }
  : { dataTraceEnabled: false, detailedMetricsEnabled: false, loggingLevel: 'OFF' }

function applyRouteSettings(
  stage: StageRecord, { DefaultRouteSettings, RouteSettings }: Pick<NewStage, 'DefaultRouteSettings' | 'RouteSettings'>, api: V2Api,
): void {
  if (DefaultRouteSettings) stage.defaultRouteSettings = { ...stage.defaultRouteSettings, ...routeSettings(DefaultRouteSettings, api) }
  for (const [routeKey, given] of Object.entries(RouteSettings ?? {})) {
    // Seen in reports: terraform-aws-modules/terraform-aws-apigateway-v2 pull request 80.
    if (!Object.values(api.design.routes).some((route) => route.routeKey === routeKey)) {
      throw errors.NotFoundException(`Unable to find Route by key ${routeKey} within the provided RouteSettings`)
    }
    const known = own(stage.routeSettings, routeKey) ?? defaults(api)
    stage.routeSettings = { ...stage.routeSettings, [routeKey]: { ...known, ...routeSettings(given, api) } }
  }
}

/** Only what was given. Seen in reports: hashicorp/terraform-provider-aws issue 13801 (the words). */
function routeSettings(given: sdk.RouteSettings, { settings: { protocolType } }: V2Api): RouteSettings {
  const isLogged = given.DataTraceEnabled === true || (given.LoggingLevel !== undefined && given.LoggingLevel !== 'OFF')
  if (protocolType === 'HTTP' && isLogged) throw errors.BadRequestException('Execution logs are not supported on protocolType HTTP')
  const settings: RouteSettings = {
    detailedMetricsEnabled: given.DetailedMetricsEnabled,
    dataTraceEnabled: protocolType === 'HTTP' ? undefined : given.DataTraceEnabled,
    loggingLevel: protocolType === 'HTTP' ? undefined : given.LoggingLevel,
    throttlingBurstLimit: given.ThrottlingBurstLimit,
    throttlingRateLimit: given.ThrottlingRateLimit,
  }
  // Ours: the words.
  if ((given.ThrottlingBurstLimit ?? 0) < 0 || (given.ThrottlingRateLimit ?? 0) < 0) throw errors.BadRequestException('Throttling limits cannot be negative')
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

/** Source: API Gateway v2 API reference, CreateStage, `stageVariables`. Ours: the words, which are REST APIs'. */
function variables(given: Record<string, string> | undefined): Record<string, string> {
  const entries = Object.entries(given ?? {}).filter(([, value]) => value !== '')
  if (entries.length > VARIABLES_PER_STAGE_MAX) throw errors.BadRequestException(`A stage cannot have more than ${VARIABLES_PER_STAGE_MAX} variables`)
  for (const [name, value] of entries) {
    if (!/^\w+$/.test(name) || name.length > VARIABLE_NAME_CHARACTERS_MAX) throw errors.BadRequestException(`Invalid stage variable name: ${name}`)
    if (!/^[A-Za-z0-9\-._~:/?#&=,]+$/.test(value) || value.length > VARIABLE_VALUE_CHARACTERS_MAX) {
      throw errors.BadRequestException(
        `Invalid stage variable value: ${value}. Please use values with alphanumeric characters and the symbols -._~:/?#&=,`)
    }
  }
  return Object.fromEntries(entries)
}
