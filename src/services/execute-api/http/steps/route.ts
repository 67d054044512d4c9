// Step 1: which stage, which route. A preflight of a cross-origin request ends here.

import type { HttpResponse } from '#lib/http.ts'
import type { V2ApiSnapshot, V2SnapshotSource } from '#services/apigatewayv2/index.ts'
import { answerPreflight, isPreflight } from '../cors.ts'
import type { CompiledHttpApi, CompiledRoute } from '../deployment.ts'
import type { HttpExchange } from '../exchange.ts'
import { notFound } from '../refusals.ts'

export interface RouteOptions {
  snapshots: V2SnapshotSource
  /** The deployment compiled, from memory when it was before. */
  compiled: (snapshot: V2ApiSnapshot) => CompiledHttpApi
}

/** @throws HttpRefusal 404 without a stage, a deployment, or a route. */
export async function findRoute(exchange: HttpExchange, { snapshots, compiled }: RouteOptions): Promise<CompiledRoute | HttpResponse> {
  const { request, target: { apiId, stageName, path, isDisabled }, trace } = exchange
  // Source: API Gateway developer guide, "Disable the default endpoint for HTTP APIs": 404.
  if (isDisabled) throw notFound('the default endpoint is disabled')
  const deployed = exchange.deployed = await snapshots.findStage({ apiId, stageName })
  const facts = { apiId, stage: stageName, method: request.method, path }
  if (!deployed) {
    trace.add('route', { ...facts, found: 'no such stage, or nothing deployed to it' })
    throw notFound('no such stage, or nothing deployed to it')
  }
  const api = exchange.api = compiled(deployed.snapshot)
  if (api.cors && isPreflight(request)) {
    trace.add('route', { ...facts, found: 'a preflight request' })
    return answerPreflight(request, api.cors)
  }
  const found = api.router.find(request.method, path)
  if (!found) {
    trace.add('route', { ...facts, deploymentId: deployed.snapshot.deploymentId, found: 'no such route' })
    throw notFound('no such route')
  }
  const { route, pathParameters } = found
  exchange.route = route
  exchange.pathParameters = pathParameters
  trace.add('route', {
    ...facts, deploymentId: deployed.snapshot.deploymentId, routeKey: route.routeKey, pathParameters: Object.keys(pathParameters),
    authorizationType: route.definition.authorizationType, integrationType: route.integration?.definition.integrationType ?? null,
  })
  return route
}
