// Quick create: an API that is born with an integration, a route to it and a stage that deploys itself.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { parseArn } from '#aws/arn.ts'
import { errors } from './errors.ts'
import { newLongId } from './ids.ts'
import type { ApiGatewayV2 } from './index.ts'
import { newIntegration } from './integration-rules.ts'
import type { Integration, StageRecord, V2Api } from './model.ts'
import { newRoute, requireFreeKey } from './route-rules.ts'
import { newStage } from './stage-rules.ts'

/**
 * Gives a new API what its request's `Target` asks for: changes the API and answers its stage; undefined without a target.
 * Source: API Gateway v2 API reference, CreateApi, `target`, `routeKey` and `credentialsArn`.
 */
export function quickCreate(
  api: V2Api, { Target, RouteKey, CredentialsArn }: sdk.CreateApiRequest, { random }: Pick<ApiGatewayV2, 'random'>,
): StageRecord | undefined {
  if (Target === undefined || Target === '') {
    // Ours: the words.
    const orphan = RouteKey ? 'RouteKey' : CredentialsArn ? 'CredentialsArn' : undefined
    if (orphan) throw errors.BadRequestException(`${orphan} cannot be specified without Target`)
    return undefined
  }
  const integration: Integration = {
    ...newIntegration(targetOf(Target, CredentialsArn), { integrationId: newLongId(random), settings: api.settings }),
    apiGatewayManaged: true,
  }
  api.design.integrations[integration.integrationId] = integration
  const route = newRoute({ RouteKey: RouteKey || '$default', Target: `integrations/${integration.integrationId}` }, { routeId: newLongId(random), api })
  api.design.routes[route.routeId] = { ...route, apiGatewayManaged: true }
  return { ...newStage({ StageName: '$default', AutoDeploy: true }, { api, now: api.createdAtMs }), apiGatewayManaged: true }
}

/** UpdateApi's `target`, `routeKey` and `credentialsArn`: they replace those of quick create. Source: API Gateway v2 API reference, UpdateApi. */
export function updateQuickCreated({ settings, design }: V2Api, { Target, RouteKey, CredentialsArn }: sdk.UpdateApiRequest): void {
  if (!Target && !RouteKey && CredentialsArn === undefined) return
  const integration = Object.values(design.integrations).find(({ apiGatewayManaged }) => apiGatewayManaged)
  const route = Object.values(design.routes).find(({ apiGatewayManaged }) => apiGatewayManaged)
  // Ours: the words.
  if (!integration || !route) throw errors.BadRequestException('Target, RouteKey and CredentialsArn can only be updated on an API that was created with a Target')
  if (RouteKey && RouteKey !== route.routeKey) {
    requireFreeKey(design, RouteKey)
    design.routes[route.routeId] = { ...newRoute({ RouteKey, Target: route.target }, { routeId: route.routeId, api: { settings, design } }), apiGatewayManaged: true }
  }
  if (Target || CredentialsArn !== undefined) {
    const target = targetOf(Target ?? integration.integrationUri!, CredentialsArn ?? integration.credentialsArn)
    const { integrationId } = integration
    design.integrations[integrationId] = { ...newIntegration(target, { integrationId, settings }), apiGatewayManaged: true }
  }
}

/** A function's ARN or a URL, as an integration. */
function targetOf(target: string, credentialsArn: string | undefined): Omit<sdk.CreateIntegrationRequest, 'ApiId'> {
  const isFunction = parseArn(target) !== undefined
  return isFunction
    ? { IntegrationType: 'AWS_PROXY', IntegrationUri: target, IntegrationMethod: 'POST', PayloadFormatVersion: '2.0', CredentialsArn: credentialsArn }
    : { IntegrationType: 'HTTP_PROXY', IntegrationUri: target, IntegrationMethod: 'ANY', PayloadFormatVersion: '1.0' }
}
