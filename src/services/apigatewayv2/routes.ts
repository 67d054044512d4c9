// Routes: which requests or messages of an API go where.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { editApi, readApi, type Caller, type Input } from './edit.ts'
import { errors, missing, tooMany } from './errors.ts'
import { newLongId } from './ids.ts'
import type { ApiGatewayV2 } from './index.ts'
import { ROUTES_PER_API_MAX } from './limits.ts'
import type { ApiDesign, Route } from './model.ts'
import { own } from './own.ts'
import { pageOf } from './pages.ts'
import { changedRoute, newRoute, requireFreeKey } from './route-rules.ts'

export function createRoute({ ApiId, ...request }: Input<sdk.CreateRouteRequest>, call: Caller, gateway: ApiGatewayV2): Promise<sdk.CreateRouteResult> {
  return editApi(gateway, call, ApiId, (api) => {
    const route = newRoute(request, { routeId: newLongId(gateway.random), api })
    requireFreeKey(api.design, route.routeKey)
    if (Object.keys(api.design.routes).length >= ROUTES_PER_API_MAX) throw tooMany('Routes')
    api.design.routes[route.routeId] = route
    return describeRoute(route)
  })
}

export async function getRoute({ ApiId, RouteId }: Input<sdk.GetRouteRequest>, call: Caller, gateway: ApiGatewayV2): Promise<sdk.GetRouteResult> {
  const { design } = await readApi(gateway, call, ApiId)
  return describeRoute(requireRoute(design, RouteId))
}

export async function getRoutes({ ApiId, ...page }: Input<sdk.GetRoutesRequest>, call: Caller, gateway: ApiGatewayV2): Promise<sdk.GetRoutesResponse> {
  const { design } = await readApi(gateway, call, ApiId)
  const { Items, NextToken } = pageOf(Object.values(design.routes), ({ routeId }) => routeId, page)
  return { Items: Items.map(describeRoute), NextToken }
}

export function updateRoute({ ApiId, RouteId, ...request }: Input<sdk.UpdateRouteRequest>, call: Caller, gateway: ApiGatewayV2): Promise<sdk.UpdateRouteResult> {
  return editApi(gateway, call, ApiId, (api) => {
    const route = changedRoute(requireRoute(api.design, RouteId), request, api)
    api.design.routes[RouteId] = route
    return describeRoute(route)
  })
}

export function deleteRoute({ ApiId, RouteId }: Input<sdk.DeleteRouteRequest>, call: Caller, gateway: ApiGatewayV2): Promise<void> {
  return editApi(gateway, call, ApiId, ({ design }) => {
    requireRoute(design, RouteId)
    delete design.routes[RouteId]
  })
}

/** @throws NotFoundException when the route has no such parameter. Ours: the words. */
export function deleteRouteRequestParameter(
  { ApiId, RouteId, RequestParameterKey }: Input<sdk.DeleteRouteRequestParameterRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<void> {
  return editApi(gateway, call, ApiId, ({ design }) => {
    const route = requireRoute(design, RouteId)
    const { [RequestParameterKey]: _removed, ...others } = route.requestParameters ?? {}
    if (!own(route.requestParameters, RequestParameterKey)) throw errors.NotFoundException(`Invalid RequestParameter identifier specified ${RequestParameterKey}`)
    route.requestParameters = Object.keys(others).length > 0 ? others : undefined
  })
}

export function requireRoute({ routes }: ApiDesign, routeId: string): Route {
  const route = own(routes, routeId)
  if (!route) throw missing.route(routeId)
  return route
}

/** As AWS shows a route. Source: AWS CLI reference, examples of `create-route` and `get-route`. */
export function describeRoute(route: Route): sdk.Route {
  return {
    ApiGatewayManaged: route.apiGatewayManaged,
    ApiKeyRequired: route.apiKeyRequired,
    AuthorizationScopes: route.authorizationScopes,
    AuthorizationType: route.authorizationType,
    AuthorizerId: route.authorizerId,
    ModelSelectionExpression: route.modelSelectionExpression,
    OperationName: route.operationName,
    RequestModels: route.requestModels,
    RequestParameters: describeConstraints(route.requestParameters),
    RouteId: route.routeId,
    RouteKey: route.routeKey,
    RouteResponseSelectionExpression: route.routeResponseSelectionExpression,
    Target: route.target,
  }
}

export function describeConstraints(parameters: Route['requestParameters']): Record<string, sdk.ParameterConstraints> | undefined {
  return parameters && Object.fromEntries(Object.entries(parameters).map(([name, { required }]) => [name, { Required: required }]))
}
