// One method as an operation of a definition: parameters, bodies, responses, security and integration.

import type { MethodResponse } from '../model.ts'
import type { RestApiSnapshot, SnapshotMethod } from '../snapshot.ts'
import type { ExportFormat, ExportParts } from './definition.ts'
import { integrationExtension, validatorName } from './extensions.ts'

export interface MethodExport {
  format: ExportFormat
  parts: ExportParts
  snapshot: RestApiSnapshot
}

export function exportMethod(method: SnapshotMethod, path: string, { format, parts, snapshot }: MethodExport): object {
  const { operationName, requestModels = {}, methodIntegration, requestValidator } = method
  const isSwagger = format === 'swagger'
  const consumes = distinct([...Object.keys(requestModels), ...Object.keys(methodIntegration?.requestTemplates ?? {})])
  const responses = Object.values(method.methodResponses ?? {})
  const templates = Object.values(methodIntegration?.integrationResponses ?? {}).flatMap(({ responseTemplates }) => Object.keys(responseTemplates ?? {}))
  const produces = distinct([...responses.flatMap(({ responseModels }) => Object.keys(responseModels ?? {})), ...templates])
  const parameters = [...parametersOf(method, path, format), ...isSwagger ? bodyParameter(requestModels) : []]
  const security = securityOf(method, snapshot)
  return {
    ...operationName === undefined ? {} : { operationId: operationName },
    ...isSwagger && consumes.length > 0 ? { consumes } : {},
    ...isSwagger && produces.length > 0 ? { produces } : {},
    ...parameters.length > 0 ? { parameters } : {},
    ...!isSwagger && Object.keys(requestModels).length > 0 ? { requestBody: { content: contentOf(requestModels), required: true } } : {},
    responses: Object.fromEntries(responses.map((response) => [response.statusCode, responseOf(response, format)])),
    ...security.length > 0 ? { security } : {},
    ...parts.apigateway && requestValidator ? { 'x-amazon-apigateway-request-validator': validatorName(requestValidator) } : {},
    ...methodIntegration && (parts.integrations || parts.apigateway) ? { 'x-amazon-apigateway-integration': integrationExtension(methodIntegration) } : {},
  }
}

const distinct = (values: readonly string[]): string[] => [...new Set(values)]

const places: Readonly<Record<string, string>> = { path: 'path', querystring: 'query', header: 'header' }

/** Swagger says of every parameter whether it is required; OpenAPI 3.0 only where it is. */
function parametersOf({ requestParameters = {} }: SnapshotMethod, path: string, format: ExportFormat): object[] {
  return Object.entries(requestParameters).flatMap(([key, isRequired]): object[] => {
    const [, place = '', name = ''] = /^method\.request\.(path|querystring|header)\.(.+)$/.exec(key) ?? []
    if (place === '' || (place === 'path' && !path.includes(`{${name}`))) return []
    const required = place === 'path' || isRequired
    return format === 'swagger'
      ? [{ name, in: places[place], required, type: 'string' }]
      : [{ name, in: places[place], ...required ? { required } : {}, schema: { type: 'string' } }]
  })
}

/** Swagger has one body with one schema, named after its model. */
function bodyParameter(requestModels: Readonly<Record<string, string>>): object[] {
  const model = Object.values(requestModels)[0]
  return model === undefined ? [] : [{ in: 'body', name: model, required: true, schema: { $ref: `#/definitions/${model}` } }]
}

function responseOf({ statusCode, responseModels = {}, responseParameters = {} }: MethodResponse, format: ExportFormat): object {
  const description = `${statusCode} response`
  const names = Object.keys(responseParameters).map((key) => key.replace(/^method\.response\.header\./, ''))
  const header = format === 'swagger' ? { type: 'string' } : { schema: { type: 'string' } }
  const headers = names.length > 0 ? { headers: Object.fromEntries(names.map((name) => [name, header])) } : {}
  if (format === 'oas30') return { description, ...headers, content: contentOf(responseModels) }
  const model = Object.values(responseModels)[0]
  return { description, ...model === undefined ? {} : { schema: { $ref: `#/definitions/${model}` } }, ...headers }
}

function contentOf(models: Readonly<Record<string, string>>): object {
  return Object.fromEntries(Object.entries(models).map(([type, model]) => [type, { schema: { $ref: `#/components/schemas/${model}` } }]))
}

/** What a caller needs, in one requirement: all of it. */
function securityOf({ authorizationType, authorizerId, authorizationScopes = [], apiKeyRequired }: SnapshotMethod, { authorizers = {} }: RestApiSnapshot): object[] {
  const authorizer = authorizerId === undefined ? undefined : authorizers[authorizerId]
  return [
    ...authorizationType === 'AWS_IAM' ? [{ sigv4: [] }] : [],
    ...authorizer ? [{ [authorizer.name]: authorizationScopes }] : [],
    ...apiKeyRequired ? [{ api_key: [] }] : [],
  ]
}
