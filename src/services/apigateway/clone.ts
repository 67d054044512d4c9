// A design made anew under another API: `cloneFrom`.

import type { ApiDesign, Authorizer, DocumentationPart, Method, RequestValidator, Resource } from './model.ts'
import { modelOfUrl, modelUrl } from './schemas.ts'

/** What the clone is called, and where its ids come from. */
export interface CloneOptions {
  apiId: string
  rootResourceId: string
  newId: () => string
}

/**
 * The same resources, methods, models, validators, authorizers, gateway responses and documentation under ids of their own; models refer to
 * each other in the new API. Source: API Gateway API reference, CreateRestApi, `cloneFrom`. Ours: that ids change, which AWS's page does not say.
 */
export function cloneDesign(design: ApiDesign, { apiId, rootResourceId, newId }: CloneOptions): ApiDesign {
  const { resources, models, requestValidators, authorizers, gatewayResponses, documentationParts = {} } = structuredClone(design)
  const ids = new Map<string, string>([[design.rootResourceId, rootResourceId]])
  for (const id of [...Object.keys(resources), ...Object.keys(requestValidators), ...Object.keys(authorizers), ...Object.keys(documentationParts)]) if (!ids.has(id)) ids.set(id, newId())
  const named = (id: string): string => ids.get(id) ?? id

  const method = (one: Method): Method => ({
    ...one,
    ...one.authorizerId === undefined ? {} : { authorizerId: named(one.authorizerId) },
    ...one.requestValidatorId === undefined ? {} : { requestValidatorId: named(one.requestValidatorId) },
    ...one.methodIntegration && { methodIntegration: { ...one.methodIntegration, cacheNamespace: named(one.methodIntegration.cacheNamespace) } },
  })
  const resource = (one: Resource): Resource => ({
    ...one,
    id: named(one.id),
    ...one.parentId === undefined ? {} : { parentId: named(one.parentId) },
    methods: Object.fromEntries(Object.entries(one.methods).map(([name, inner]) => [name, method(inner)])),
  })
  const renamed = <Value extends RequestValidator | Authorizer | DocumentationPart>(map: Record<string, Value>): Record<string, Value> =>
    Object.fromEntries(Object.values(map).map((value) => [named(value.id), { ...value, id: named(value.id) }]))

  return {
    rootResourceId,
    resources: Object.fromEntries(Object.values(resources).map((one) => [named(one.id), resource(one)])),
    models: Object.fromEntries(Object.values(models).map((model) => [model.name, { ...model, id: newId(), schema: model.schema && referring(model.schema, apiId) }])),
    requestValidators: renamed(requestValidators),
    authorizers: renamed(authorizers),
    gatewayResponses,
    documentationParts: renamed(documentationParts),
  }
}

/** A schema whose references name models of another API. */
function referring(schema: string, apiId: string): string {
  return schema.replace(/https:\/\/apigateway\.amazonaws\.com\/restapis\/[a-z0-9]+\/models\/[a-zA-Z0-9]+/g, (url) => modelUrl(apiId, modelOfUrl(url)!))
}
