// Route responses and integration responses of WebSocket APIs: what comes back to the client of a two-way route.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { editApi, readApi, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import { newId, newLongId } from './ids.ts'
import type { ApiGatewayV2 } from './index.ts'
import { requireIntegration } from './integrations.ts'
import { RESPONSES_MAX } from './limits.ts'
import type { ApiSettings, Integration, IntegrationResponse, Route, RouteResponse } from './model.ts'
import { own } from './own.ts'
import { pageOf } from './pages.ts'
import { constraintsOf, mapOf } from './route-rules.ts'
import { describeConstraints, requireRoute } from './routes.ts'

export function createRouteResponse(
  { ApiId, RouteId, ...request }: Input<sdk.CreateRouteResponseRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.CreateRouteResponseResponse> {
  return editApi(gateway, call, ApiId, ({ settings, design }) => {
    requireWebSocket(settings, 'RouteResponses')
    const { routeResponses } = requireRoute(design, RouteId)
    const response: RouteResponse = {
      routeResponseId: newId(gateway.random),
      routeResponseKey: routeResponseKey(request.RouteResponseKey),
      modelSelectionExpression: request.ModelSelectionExpression || undefined,
      responseModels: mapOf(request.ResponseModels),
      responseParameters: constraintsOf(request.ResponseParameters),
    }
    requireFreeKey(Object.values(routeResponses).map((other) => other.routeResponseKey), response.routeResponseKey, 'RouteResponse')
    routeResponses[response.routeResponseId] = response
    return describeRouteResponse(response)
  })
}

export async function getRouteResponse(
  { ApiId, RouteId, RouteResponseId }: Input<sdk.GetRouteResponseRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.GetRouteResponseResponse> {
  const { design } = await readApi(gateway, call, ApiId)
  return describeRouteResponse(requireRouteResponse(requireRoute(design, RouteId), RouteResponseId))
}

export async function getRouteResponses(
  { ApiId, RouteId, ...page }: Input<sdk.GetRouteResponsesRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.GetRouteResponsesResponse> {
  const { design } = await readApi(gateway, call, ApiId)
  const { Items, NextToken } = pageOf(Object.values(requireRoute(design, RouteId).routeResponses), ({ routeResponseId }) => routeResponseId, page)
  return { Items: Items.map(describeRouteResponse), NextToken }
}

export function updateRouteResponse(
  { ApiId, RouteId, RouteResponseId, ...request }: Input<sdk.UpdateRouteResponseRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.UpdateRouteResponseResponse> {
  return editApi(gateway, call, ApiId, ({ design }) => {
    const route = requireRoute(design, RouteId)
    const response = requireRouteResponse(route, RouteResponseId)
    const changed: RouteResponse = {
      ...response,
      routeResponseKey: request.RouteResponseKey === undefined ? response.routeResponseKey : routeResponseKey(request.RouteResponseKey),
      modelSelectionExpression: request.ModelSelectionExpression === undefined ? response.modelSelectionExpression : request.ModelSelectionExpression || undefined,
      responseModels: request.ResponseModels === undefined ? response.responseModels : mapOf(request.ResponseModels),
      responseParameters: request.ResponseParameters === undefined
        ? response.responseParameters
        : { ...response.responseParameters, ...constraintsOf(request.ResponseParameters) },
    }
    route.routeResponses[RouteResponseId] = changed
    return describeRouteResponse(changed)
  })
}

export function deleteRouteResponse(
  { ApiId, RouteId, RouteResponseId }: Input<sdk.DeleteRouteResponseRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<void> {
  return editApi(gateway, call, ApiId, ({ design }) => {
    const route = requireRoute(design, RouteId)
    requireRouteResponse(route, RouteResponseId)
    delete route.routeResponses[RouteResponseId]
  })
}

export function createIntegrationResponse(
  { ApiId, IntegrationId, ...request }: Input<sdk.CreateIntegrationResponseRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.CreateIntegrationResponseResponse> {
  return editApi(gateway, call, ApiId, ({ settings, design }) => {
    requireWebSocket(settings, 'IntegrationResponses')
    const { integrationResponses } = requireIntegration(design, IntegrationId)
    const response: IntegrationResponse = {
      integrationResponseId: newLongId(gateway.random),
      integrationResponseKey: integrationResponseKey(request.IntegrationResponseKey),
      contentHandlingStrategy: request.ContentHandlingStrategy,
      responseParameters: mapOf(request.ResponseParameters),
      responseTemplates: mapOf(request.ResponseTemplates),
      templateSelectionExpression: request.TemplateSelectionExpression || undefined,
    }
    requireFreeKey(Object.values(integrationResponses).map((other) => other.integrationResponseKey), response.integrationResponseKey, 'IntegrationResponse')
    // Ours: the words.
    if (Object.keys(integrationResponses).length >= RESPONSES_MAX) throw errors.BadRequestException(`An integration cannot have more than ${RESPONSES_MAX} responses`)
    integrationResponses[response.integrationResponseId] = response
    return describeIntegrationResponse(response)
  })
}

export async function getIntegrationResponse(
  { ApiId, IntegrationId, IntegrationResponseId }: Input<sdk.GetIntegrationResponseRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.GetIntegrationResponseResponse> {
  const { design } = await readApi(gateway, call, ApiId)
  return describeIntegrationResponse(requireIntegrationResponse(requireIntegration(design, IntegrationId), IntegrationResponseId))
}

export async function getIntegrationResponses(
  { ApiId, IntegrationId, ...page }: Input<sdk.GetIntegrationResponsesRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.GetIntegrationResponsesResponse> {
  const { design } = await readApi(gateway, call, ApiId)
  const { integrationResponses } = requireIntegration(design, IntegrationId)
  const { Items, NextToken } = pageOf(Object.values(integrationResponses), ({ integrationResponseId }) => integrationResponseId, page)
  return { Items: Items.map(describeIntegrationResponse), NextToken }
}

export function updateIntegrationResponse(
  { ApiId, IntegrationId, IntegrationResponseId, ...request }: Input<sdk.UpdateIntegrationResponseRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.UpdateIntegrationResponseResponse> {
  return editApi(gateway, call, ApiId, ({ design }) => {
    const integration = requireIntegration(design, IntegrationId)
    const response = requireIntegrationResponse(integration, IntegrationResponseId)
    const changed: IntegrationResponse = {
      ...response,
      integrationResponseKey: request.IntegrationResponseKey === undefined ? response.integrationResponseKey : integrationResponseKey(request.IntegrationResponseKey),
      contentHandlingStrategy: request.ContentHandlingStrategy ?? response.contentHandlingStrategy,
      responseParameters: request.ResponseParameters === undefined
        ? response.responseParameters
        : mapOf({ ...response.responseParameters, ...request.ResponseParameters }),
      responseTemplates: request.ResponseTemplates === undefined ? response.responseTemplates : mapOf(request.ResponseTemplates),
      templateSelectionExpression: request.TemplateSelectionExpression === undefined
        ? response.templateSelectionExpression
        : request.TemplateSelectionExpression || undefined,
    }
    const others = Object.values(integration.integrationResponses).filter((other) => other.integrationResponseId !== IntegrationResponseId)
    requireFreeKey(others.map((other) => other.integrationResponseKey), changed.integrationResponseKey, 'IntegrationResponse')
    integration.integrationResponses[IntegrationResponseId] = changed
    return describeIntegrationResponse(changed)
  })
}

export function deleteIntegrationResponse(
  { ApiId, IntegrationId, IntegrationResponseId }: Input<sdk.DeleteIntegrationResponseRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<void> {
  return editApi(gateway, call, ApiId, ({ design }) => {
    const integration = requireIntegration(design, IntegrationId)
    requireIntegrationResponse(integration, IntegrationResponseId)
    delete integration.integrationResponses[IntegrationResponseId]
  })
}

/** Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-route-response-websocket-only and pf-apigwv2-integration-response-websocket-only. */
function requireWebSocket({ protocolType }: ApiSettings, what: string): void {
  if (protocolType === 'WEBSOCKET') return
  throw errors.BadRequestException(
    `${what} are currently not supported for this API protocol type. This is because the API may only be configured with proxy integration at this time.`)
}

/** Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-route-response-key-default. */
function routeResponseKey(key: string | undefined): string {
  if (key === '$default') return key
  throw errors.BadRequestException(
    'Currently, only $default is supported as a RouteResponseKey. The creation of the RouteResponse with a key of $default will indicate to API Gateway that this '
    + 'Route is intended to handle two-way communication.')
}

/** `$default`, or an expression between slashes. Source: API Gateway developer guide, "Set up integration responses in WebSocket APIs". Ours: the words. */
function integrationResponseKey(key: string | undefined): string {
  if (key !== undefined && (key === '$default' || /^\/.+\/$/s.test(key))) return key
  throw errors.BadRequestException(`Invalid IntegrationResponseKey specified: ${key ?? null}. It must be $default or an expression between slashes`)
}

/** Ours: the words; AWS answers 409, as its reference says. */
function requireFreeKey(taken: readonly string[], key: string, what: string): void {
  if (taken.includes(key)) throw errors.ConflictException(`${what} with key ${key} already exists`)
}

function requireRouteResponse({ routeResponses }: Route, id: string): RouteResponse {
  const response = own(routeResponses, id)
  if (!response) throw missing.routeResponse(id)
  return response
}

function requireIntegrationResponse({ integrationResponses }: Integration, id: string): IntegrationResponse {
  const response = own(integrationResponses, id)
  if (!response) throw missing.integrationResponse(id)
  return response
}

function describeRouteResponse(response: RouteResponse): sdk.RouteResponse {
  return {
    ModelSelectionExpression: response.modelSelectionExpression,
    ResponseModels: response.responseModels,
    ResponseParameters: describeConstraints(response.responseParameters),
    RouteResponseId: response.routeResponseId,
    RouteResponseKey: response.routeResponseKey,
  }
}

function describeIntegrationResponse(response: IntegrationResponse): sdk.IntegrationResponse {
  return {
    ContentHandlingStrategy: response.contentHandlingStrategy,
    IntegrationResponseId: response.integrationResponseId,
    IntegrationResponseKey: response.integrationResponseKey,
    ResponseParameters: response.responseParameters,
    ResponseTemplates: response.responseTemplates,
    TemplateSelectionExpression: response.templateSelectionExpression,
  }
}
