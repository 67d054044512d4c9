// A deployed API as a definition: Swagger 2.0 or OpenAPI 3.0, with as many of API Gateway's extensions as are asked for.

import type { RestApiSnapshot, SnapshotMethod } from '../snapshot.ts'
import { modelOfUrl } from '../schemas.ts'
import { apiExtensions, authorizerScheme } from './extensions.ts'
import { exportMethod } from './operation.ts'

export type ExportFormat = 'swagger' | 'oas30'

/** `apigateway` is everything. Source: API Gateway API reference, GetExport, `parameters`. */
export interface ExportParts {
  integrations: boolean
  authorizers: boolean
  apigateway: boolean
}

export interface ExportOptions {
  format: ExportFormat
  stageName: string
  /** Of the API, or when it was created. */
  version: string
  parts: ExportParts
}

/** Observed: AWS, 15-04-2024, recorded by localstack's test_export_swagger_openapi and test_export_oas30_openapi. */
export function exportDefinition(snapshot: RestApiSnapshot, { format, stageName, version, parts }: ExportOptions): object {
  const { apiId, region, name, description } = snapshot
  const host = `${apiId}.execute-api.${region}.amazonaws.com`
  const info = { ...description === undefined ? {} : { description }, version, title: name }
  const paths = Object.fromEntries(snapshot.resources.filter(({ methods }) => Object.keys(methods).length > 0).toSorted(byPath).map(({ path, methods }) => [
    path,
    Object.fromEntries(Object.entries(methods).map(([httpMethod, method]) => [
      httpMethod === 'ANY' ? 'x-amazon-apigateway-any-method' : httpMethod.toLowerCase(),
      exportMethod(method, path, { format, parts, snapshot }),
    ])),
  ]))
  const schemas = schemasOf(snapshot, format)
  const schemes = securitySchemes(snapshot, parts)
  const extensions = parts.apigateway ? apiExtensions(snapshot) : {}
  if (format === 'swagger') {
    return {
      swagger: '2.0', info, host, basePath: `/${stageName}`, schemes: ['https'], paths,
      ...isEmpty(schemes) ? {} : { securityDefinitions: schemes },
      ...isEmpty(schemas) ? {} : { definitions: schemas },
      ...extensions,
    }
  }
  return {
    openapi: '3.0.1', info,
    servers: [{ url: `https://${host}/{basePath}`, variables: { basePath: { default: stageName } } }],
    paths,
    components: { ...isEmpty(schemas) ? {} : { schemas }, ...isEmpty(schemes) ? {} : { securitySchemes: schemes } },
    ...extensions,
  }
}

const byPath = (one: { path: string }, other: { path: string }): number => (one.path < other.path ? -1 : 1)

const isEmpty = (map: object): boolean => Object.keys(map).length === 0

/** Models with references among themselves; `$schema` is not OpenAPI's. */
function schemasOf({ models }: RestApiSnapshot, format: ExportFormat): Record<string, unknown> {
  const base = format === 'swagger' ? '#/definitions/' : '#/components/schemas/'
  return Object.fromEntries(Object.values(models).flatMap(({ name, schema, description }): [string, unknown][] => {
    try {
      const { $schema: _dialect, ...parsed } = JSON.parse(schema ?? '{}', (key, value: unknown) => {
        const model = key === '$ref' && typeof value === 'string' ? modelOfUrl(value) : undefined
        return model === undefined ? value : base + model
      }) as Record<string, unknown>
      return [[name, { ...parsed, ...description === undefined || 'description' in parsed ? {} : { description } }]]
    } catch {
      // A model of another content type than JSON. Source: developer guide, "Export a REST API": only JSON payloads are exported.
      return []
    }
  }))
}

/** What methods are secured by, and every authorizer. */
function securitySchemes({ resources, authorizers = {} }: RestApiSnapshot, parts: ExportParts): Record<string, object> {
  const methods = resources.flatMap((resource) => Object.values<SnapshotMethod>(resource.methods))
  const withExtensions = parts.authorizers || parts.apigateway
  return {
    ...methods.some(({ apiKeyRequired }) => apiKeyRequired) ? { api_key: { type: 'apiKey', name: 'x-api-key', in: 'header' } } : {},
    ...methods.some(({ authorizationType }) => authorizationType === 'AWS_IAM')
      ? { sigv4: { type: 'apiKey', name: 'Authorization', in: 'header', ...withExtensions ? { 'x-amazon-apigateway-authtype': 'awsSigv4' } : {} } } : {},
    ...Object.fromEntries(Object.values(authorizers).map((authorizer) => [authorizer.name, authorizerScheme(authorizer, { withExtensions })])),
  }
}
