// A deployment of an HTTP API made ready to serve: routes, integrations, authorizers and mappings compiled once.

import type { Authorizer, Cors, Integration, Route, V2ApiSnapshot } from '#services/apigatewayv2/index.ts'
import { compileMapping, type Mapping } from './parameter-mapping.ts'
import { createRouter, type Router } from './router.ts'

export interface CompiledRoute {
  routeKey: string
  definition: Route
  integration: CompiledIntegration | undefined
  authorizer: Authorizer | undefined
}

export interface CompiledIntegration {
  definition: Integration
  requestMapping: Mapping
  /** By status. */
  responseMappings: ReadonlyMap<number, Mapping>
}

export interface CompiledHttpApi {
  snapshot: V2ApiSnapshot
  router: Router<CompiledRoute>
  cors: Cors | undefined
}

export function compileHttpApi(snapshot: V2ApiSnapshot): CompiledHttpApi {
  const integrations = new Map(Object.values(snapshot.integrations).map((definition) => [definition.integrationId, compileIntegration(definition)]))
  const routes = Object.values(snapshot.routes).map((definition): CompiledRoute => ({
    routeKey: definition.routeKey,
    definition,
    integration: integrations.get(definition.target?.replace(/^integrations\//, '') ?? ''),
    authorizer: definition.authorizerId === undefined ? undefined : snapshot.authorizers[definition.authorizerId],
  }))
  const { corsConfiguration: cors } = snapshot
  return { snapshot, router: createRouter(routes), cors: cors && Object.keys(cors).length > 0 ? cors : undefined }
}

function compileIntegration(definition: Integration): CompiledIntegration {
  const byStatus = Object.entries(definition.responseParameters ?? {}).map(([status, parameters]) => [Number(status), compileMapping(parameters)] as const)
  return { definition, requestMapping: compileMapping(definition.requestParameters), responseMappings: new Map(byStatus) }
}
