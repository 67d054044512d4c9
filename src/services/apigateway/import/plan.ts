// A definition as a plan: what the import shall make, in API Gateway's own terms.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { prefixOf, type BasePathMode } from '#aws/open-api.ts'
import type { NewAuthorizer } from '../authorizer-rules.ts'
import { errors } from '../errors.ts'
import { httpMethods, type NewMethod } from '../methods.ts'
import type { NewIntegration } from '../integration-rules.ts'
import type { Findings } from './findings.ts'
import type { DocumentationPart } from '../model.ts'
import { planAuthorizers } from './plan-authorizers.ts'
import { planDocumentation } from './plan-documentation.ts'
import { planMethod } from './plan-method.ts'
import { planModels, type ModelPlan } from './plan-models.ts'
import { isObject, listOf, objectOf, resolved, textOf, textsOf, type Definition, type Json, type JsonObject } from './read-definition.ts'

export interface ImportPlan {
  name: string
  description: string | undefined
  version: string | undefined
  binaryMediaTypes: string[] | undefined
  minimumCompressionSize: Json | undefined
  apiKeySource: string | undefined
  policy: string | object | undefined
  disableExecuteApiEndpoint: boolean | undefined
  vpcEndpointIds: string[] | undefined
  requestValidators: { name: string, validateRequestBody: boolean, validateRequestParameters: boolean }[]
  authorizers: NewAuthorizer[]
  models: ModelPlan
  gatewayResponses: Omit<sdk.PutGatewayResponseRequest, 'restApiId'>[]
  /** None when those that there are stay as they are. */
  documentationParts: Omit<DocumentationPart, 'id'>[] | undefined
  /** Full paths, in the definition's order, with those that have no method. */
  paths: string[]
  methods: PlannedMethod[]
}

export interface PlannedMethod {
  path: string
  /** Validator and authorizer are named here, not identified. */
  method: NewMethod & { validatorName: string | undefined, authorizerName: string | undefined }
  responses: Omit<sdk.PutMethodResponseRequest, 'restApiId' | 'resourceId' | 'httpMethod'>[]
  integration: NewIntegration | undefined
  integrationResponses: Omit<sdk.PutIntegrationResponseRequest, 'restApiId' | 'resourceId' | 'httpMethod'>[]
}

export interface PlanOptions {
  apiId: string
  findings: Findings
  basePath: BasePathMode
  /** Source: API Gateway API reference, ImportRestApi, `parameters`: `ignore=documentation`. */
  ignoresDocumentation: boolean
  /** Makes the name of a model that the definition does not name. */
  newModelName: () => string
}

/** What a method's plan is made from. */
export interface MethodContext {
  definition: Definition
  findings: Findings
  models: ModelPlan
  path: string
  httpMethod: string
  /** The path item's parameters, then the operation's own, which win. */
  parameters: JsonObject[]
}

export function planImport(definition: Definition, { apiId, findings, basePath, ignoresDocumentation, newModelName }: PlanOptions): ImportPlan {
  const { document } = definition
  const info = objectOf(document['info'])
  const name = textOf(info['title'])
  if (name === undefined || name === '') throw errors.BadRequestException('Invalid OpenAPI input.')
  const models = planModels(definition, { apiId, findings, newModelName })
  const prefix = prefixOf(definition, basePath)
  const endpoint = endpointConfigurationOf(definition)
  const planned = pathsOf(document, prefix).map(({ path, item }) => ({ path, methods: methodsOf(path, item, { definition, findings, models }) }))
  return {
    name,
    description: textOf(info['description']) || undefined,
    version: textOf(info['version']) || undefined,
    binaryMediaTypes: document['x-amazon-apigateway-binary-media-types'] === undefined
      ? undefined : listOf(document['x-amazon-apigateway-binary-media-types']).flatMap((type) => textOf(type) ?? []),
    minimumCompressionSize: document['x-amazon-apigateway-minimum-compression-size'],
    apiKeySource: textOf(document['x-amazon-apigateway-api-key-source']),
    policy: policyOf(document['x-amazon-apigateway-policy']),
    disableExecuteApiEndpoint: endpoint['disableExecuteApiEndpoint'] === undefined ? undefined : endpoint['disableExecuteApiEndpoint'] === true,
    vpcEndpointIds: Array.isArray(endpoint['vpcEndpointIds']) ? endpoint['vpcEndpointIds'].flatMap((id) => textOf(id) ?? []) : undefined,
    requestValidators: Object.entries(objectOf(document['x-amazon-apigateway-request-validators'])).map(([validator, settings]) => ({
      name: validator,
      validateRequestBody: objectOf(settings)['validateRequestBody'] === true,
      validateRequestParameters: objectOf(settings)['validateRequestParameters'] === true,
    })),
    authorizers: planAuthorizers(definition),
    models,
    gatewayResponses: Object.entries(objectOf(document['x-amazon-apigateway-gateway-responses'])).map(([type, response]) => ({
      responseType: type as sdk.GatewayResponseType,
      statusCode: textOf(objectOf(response)['statusCode']),
      responseParameters: textsOf(objectOf(response)['responseParameters']),
      responseTemplates: textsOf(objectOf(response)['responseTemplates']),
    })),
    documentationParts: ignoresDocumentation ? undefined : planDocumentation(definition, findings),
    paths: planned.map(({ path }) => path),
    methods: planned.flatMap(({ methods }) => methods),
  }
}

function pathsOf(document: JsonObject, prefix: string): { path: string, item: JsonObject }[] {
  return Object.entries(objectOf(document['paths'])).filter(([path]) => !path.startsWith('x-')).map(([path, item]) => ({
    path: `/${`${prefix}/${path}`.split('/').filter((part) => part !== '').join('/')}`,
    item: resolved(document, item),
  }))
}

function methodsOf(path: string, item: JsonObject, context: Pick<MethodContext, 'definition' | 'findings' | 'models'>): PlannedMethod[] {
  const { document } = context.definition
  const shared = listOf(item['parameters'])
  return Object.entries(item).flatMap(([key, operation]) => {
    const httpMethod = key === 'x-amazon-apigateway-any-method' ? 'ANY' : key.toUpperCase()
    const isMethod = key === 'x-amazon-apigateway-any-method' || (httpMethod !== 'ANY' && (httpMethods as readonly string[]).includes(httpMethod))
    if (!isMethod || !isObject(operation)) return []
    // An operation's own parameter takes the place of the path's of that name and place.
    const parameters = new Map([...shared, ...listOf(operation['parameters'])].map((parameter) => {
      const { name, in: place, ...rest } = resolved(document, parameter)
      return [`${textOf(place)} ${textOf(name)}`, { name, in: place, ...rest }]
    }))
    return [planMethod(operation, { ...context, path, httpMethod, parameters: [...parameters.values()] })]
  })
}

/** Source: API Gateway developer guide, "x-amazon-apigateway-endpoint-configuration". */
function endpointConfigurationOf({ format, document }: Definition): JsonObject {
  const name = 'x-amazon-apigateway-endpoint-configuration'
  if (format === 'swagger2') return objectOf(document[name])
  return objectOf(objectOf(listOf(document['servers'])[0])[name] ?? document[name])
}

function policyOf(policy: Json | undefined): string | object | undefined {
  return isObject(policy) || typeof policy === 'string' ? policy : undefined
}
