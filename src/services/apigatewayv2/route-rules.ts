// What a route may be: its key, its target, who may call it.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { textOf } from './api-settings.ts'
import { errors, missing } from './errors.ts'
import type { ApiDesign, Route, V2Api } from './model.ts'
import { own } from './own.ts'

export type NewRoute = Omit<sdk.CreateRouteRequest, 'ApiId'>

/** A new route of an API. Whether its key is free is for the caller to ask. */
export function newRoute(request: NewRoute, { routeId, api }: { routeId: string, api: Pick<V2Api, 'settings' | 'design'> }): Route {
  const { protocolType } = api.settings
  const routeKey = routeKeyOf(request.RouteKey, protocolType)
  refuseForHttp(request, protocolType, null)
  const route: Route = {
    routeId,
    routeKey,
    authorizationType: request.AuthorizationType ?? 'NONE',
    authorizerId: request.AuthorizerId || undefined,
    authorizationScopes: request.AuthorizationScopes?.length ? request.AuthorizationScopes : undefined,
    apiKeyRequired: request.ApiKeyRequired ?? false,
    target: targetOf(request.Target, api.design, null),
    operationName: textOf(request.OperationName, 64, 'operationName'),
    modelSelectionExpression: request.ModelSelectionExpression || undefined,
    requestModels: mapOf(request.RequestModels),
    requestParameters: constraintsOf(request.RequestParameters),
    routeResponseSelectionExpression: routeResponseSelection(request.RouteResponseSelectionExpression),
    routeResponses: {},
  }
  checkAuthorization(route, api)
  return route
}

/** A route after UpdateRoute: what is absent stays, what is an empty text goes, request parameters are added to those at hand. */
export function changedRoute(route: Route, request: Omit<sdk.UpdateRouteRequest, 'ApiId' | 'RouteId'>, api: Pick<V2Api, 'settings' | 'design'>): Route {
  const { protocolType } = api.settings
  refuseForHttp(request, protocolType, route.routeId)
  const routeKey = request.RouteKey === undefined ? route.routeKey : routeKeyOf(request.RouteKey, protocolType)
  if (routeKey !== route.routeKey) {
    // Source: API Gateway v2 API reference, Route, `apiGatewayManaged`. Ours: the words.
    if (route.apiGatewayManaged) throw errors.BadRequestException('Cannot update the route key of a Route that is managed by API Gateway')
    requireFreeKey(api.design, routeKey)
  }
  const type = request.AuthorizationType ?? route.authorizationType
  // An authorizer belongs to the type: without one it is dropped, which is how clients take it away.
  const keepsAuthorizer = type === 'JWT' || type === 'CUSTOM'
  const changed: Route = {
    ...route,
    routeKey,
    authorizationType: type,
    authorizerId: request.AuthorizerId === undefined ? keepsAuthorizer ? route.authorizerId : undefined : request.AuthorizerId || undefined,
    authorizationScopes: request.AuthorizationScopes === undefined
      ? route.authorizationScopes
      : request.AuthorizationScopes.length > 0 ? request.AuthorizationScopes : undefined,
    apiKeyRequired: request.ApiKeyRequired ?? route.apiKeyRequired,
    target: request.Target === undefined ? route.target : targetOf(request.Target, api.design, route.routeId),
    operationName: request.OperationName === undefined ? route.operationName : textOf(request.OperationName, 64, 'operationName'),
    modelSelectionExpression: request.ModelSelectionExpression === undefined ? route.modelSelectionExpression : request.ModelSelectionExpression || undefined,
    requestModels: request.RequestModels === undefined ? route.requestModels : mapOf(request.RequestModels),
    requestParameters: request.RequestParameters === undefined
      ? route.requestParameters
      : { ...route.requestParameters, ...constraintsOf(request.RequestParameters) },
    routeResponseSelectionExpression: request.RouteResponseSelectionExpression === undefined
      ? route.routeResponseSelectionExpression
      : routeResponseSelection(request.RouteResponseSelectionExpression),
  }
  checkAuthorization(changed, api)
  return changed
}

/** AWS answers 409, as its reference says of CreateRoute. Ours: the words. */
export function requireFreeKey({ routes }: ApiDesign, routeKey: string): void {
  if (Object.values(routes).some((route) => route.routeKey === routeKey)) {
    throw errors.ConflictException(`Route with key ${routeKey} already exists for this API`)
  }
}

/** The methods that a route key of an HTTP API may begin with. Source: API Gateway developer guide, "Create routes for HTTP APIs". */
const HTTP_METHODS = ['ANY', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']

function routeKeyOf(routeKey: string | undefined, protocolType: 'HTTP' | 'WEBSOCKET'): string {
  // Seen in reports: goldstack/goldstack issue 42.
  if (!routeKey) throw errors.BadRequestException('Route key is required')
  if (protocolType === 'WEBSOCKET' || routeKey === '$default') return routeKey
  const [, method, path] = /^([A-Z]+) (\/.*)$/s.exec(routeKey) ?? []
  if (method === undefined || !HTTP_METHODS.includes(method)) {
    // Observed: AWS, 03-09-2026, recorded by cdk-preflight's pf-apigwv2-http-route-key (TRACE is refused too).
    throw errors.BadRequestException(
      'The provided route key is not formatted properly for HTTP protocol. Format should be "[HTTP METHOD] /[RESOURCE PATH]" or "$default"')
  }
  checkPath(path!)
  return routeKey
}

/**
 * What each part of a path must be. Source: aws/aws-lambda-dotnet's LambdaTestTool, which was made beside AWS; the sentence about it also
 * in serverless/serverless issue 10423.
 */
const PATH_PART = /^(?:\{[\w.:-]+\+?\}|[a-zA-Z0-9.:_-]+)$/

/**
 * Source: API Gateway developer guide, "Create routes for HTTP APIs": path variables, greedy ones at the end only. Seen in reports:
 * aws/serverless-application-model issue 1949 (no slash at the end). Ours: the words about greedy and repeated variables.
 */
function checkPath(path: string): void {
  if (path === '/') return
  const segments = path.slice(1).split('/')
  const names = new Set<string>()
  for (const [index, segment] of segments.entries()) {
    if (!PATH_PART.test(segment)) {
      throw errors.BadRequestException(
        'One or more path parts appear to be invalid. Parts are validated against this regular expression: ^(\\{[\\w.:-]+\\+?\\}|[a-zA-Z0-9.:_-]+)$')
    }
    const [, name, greedy] = /^\{([^+]+)(\+?)\}$/.exec(segment) ?? []
    if (name === undefined) continue
    if (greedy === '+' && index < segments.length - 1) {
      throw errors.BadRequestException(`A greedy path variable may only be at the end of a route: ${segment}`)
    }
    if (names.has(name)) throw errors.BadRequestException(`A path variable may only be used once in a route: ${segment}`)
    names.add(name)
  }
}

/**
 * Source: API Gateway v2 API reference, CreateRoute: what is supported for WebSocket APIs only. `routeId` is null on a route that is being made.
 * Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-http-route-no-api-key. Ours: the words about other members.
 */
function refuseForHttp(request: Partial<NewRoute>, protocolType: 'HTTP' | 'WEBSOCKET', routeId: string | null): void {
  if (protocolType === 'WEBSOCKET') return
  if (request.ApiKeyRequired) {
    throw errors.BadRequestException(`ApiKeyRequired is not currently supported for HTTP APIs. Please set ApiKeyRequired to false for route ${routeId}`)
  }
  const refused = (['ModelSelectionExpression', 'RequestModels', 'RequestParameters', 'RouteResponseSelectionExpression'] as const).find((name) => {
    const value = request[name]
    return value !== undefined && (typeof value === 'string' ? value !== '' : Object.keys(value).length > 0)
  })
  if (refused) throw errors.BadRequestException(`${refused} is not currently supported for HTTP APIs`)
}

/**
 * `integrations/{id}` of this API. `routeId` is null on a route that is being made.
 * Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-route-target-format (the form).
 */
function targetOf(target: string | undefined, { integrations }: ApiDesign, routeId: string | null): string | undefined {
  if (!target) return undefined
  const id = /^integrations\/([a-z0-9]+)$/.exec(target)?.[1]
  if (id === undefined) {
    throw errors.BadRequestException(`Unexpected or malformed target in route ${routeId}. Correct format should be integrations/<integration_id>.`)
  }
  // Ours: the status, and that the id is looked up when the route is made.
  if (!own(integrations, id)) throw missing.integration(id)
  return target
}

/**
 * Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-websocket-authorization-connect-only, pf-apigwv2-route-jwt-authorizer-id and
 * pf-apigwv2-route-authorization-scopes-jwt. Seen in reports: hashicorp/terraform-provider-aws issue 17497 (CUSTOM).
 */
function checkAuthorization({ authorizationType: type, authorizerId, authorizationScopes, routeKey }: Route, { settings, design }: Pick<V2Api, 'settings' | 'design'>): void {
  const authorizer = authorizerId === undefined ? undefined : own(design.authorizers, authorizerId)
  if (settings.protocolType === 'WEBSOCKET') {
    if (type !== 'NONE' && routeKey !== '$connect') throw errors.BadRequestException('Currently, authorization is restricted to the $connect route only')
  }
  if (type === 'JWT' && authorizer?.authorizerType !== 'JWT') {
    throw errors.BadRequestException('Invalid authorizer ID specified. Setting the authorization type to JWT requires a valid JWT authorizer.')
  }
  if (type === 'CUSTOM' && authorizer?.authorizerType !== 'REQUEST') {
    throw errors.BadRequestException('Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.')
  }
  if (authorizationScopes && type !== 'JWT') {
    throw errors.BadRequestException(
      'Invalid Route authorization type specified. Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization types')
  }
}

/** Source: API Gateway developer guide, "Set up route responses for a WebSocket API": `$default` is the only expression. Ours: the words. */
function routeResponseSelection(expression: string | undefined): string | undefined {
  if (!expression) return undefined
  if (expression !== '$default') throw errors.BadRequestException('RouteResponseSelectionExpression can only be $default')
  return expression
}

/** A map without what is empty; undefined when nothing is left. */
export function mapOf(map: Record<string, string> | undefined): Record<string, string> | undefined {
  const entries = Object.entries(map ?? {}).filter(([, value]) => value !== '')
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}

export function constraintsOf(map: Record<string, sdk.ParameterConstraints> | undefined): Route['requestParameters'] {
  const entries = Object.entries(map ?? {})
  return entries.length > 0 ? Object.fromEntries(entries.map(([name, { Required }]) => [name, { required: Required }])) : undefined
}
