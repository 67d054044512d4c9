// ExportApi: an HTTP API, as it stands or as a stage serves it, as an OpenAPI 3.0 definition.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { yamlOf, type JsonObject } from '#aws/open-api.ts'
import { apiEndpoint } from '../apis.ts'
import { deployFault } from '../deploy.ts'
import { readApi, type Caller, type Input } from '../edit.ts'
import { errors, missing } from '../errors.ts'
import type { ApiGatewayV2 } from '../index.ts'
import { HTTP_INTEGRATION_TIMEOUT_MS_MAX } from '../limits.ts'
import type { ApiDesign, ApiSettings, Authorizer, Integration, Route, V2Api } from '../model.ts'
import { findSnapshot, findStage } from '../store.ts'

/** Source: API Gateway v2 API reference, ExportApi. Ours: the words of the refusals. */
export async function exportApi(
  { ApiId, Specification, OutputType, ExportVersion, StageName, IncludeExtensions = true }: Input<sdk.ExportApiRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.ExportApiResponse> {
  const api = await readApi(gateway, call, ApiId)
  if (api.settings.protocolType !== 'HTTP') throw errors.BadRequestException('Only APIs with a protocol type of HTTP can be exported')
  if (Specification !== 'OAS30') throw errors.BadRequestException(`Unsupported specification: ${Specification}. OAS30 is the only supported value`)
  if (OutputType !== 'JSON' && OutputType !== 'YAML') throw errors.BadRequestException(`Unsupported output type: ${OutputType}. Valid values are JSON and YAML`)
  if (ExportVersion !== undefined && ExportVersion !== '1.0') throw errors.BadRequestException(`Unsupported export version: ${ExportVersion}`)
  const exported = StageName ? await deployedTo(api, StageName, gateway) : api
  const fault = deployFault(exported)
  if (fault !== undefined) throw errors.BadRequestException(fault)
  const url = apiEndpoint(gateway.endpoint.url(), { apiId: ApiId, isWebSocket: false })
  const document = documentOf(exported, { url, basePath: StageName && StageName !== '$default' ? `/${StageName}` : '', atMs: gateway.clock.now() })
  const chosen = IncludeExtensions ? document : withoutExtensions(document)
  return { body: Buffer.from(OutputType === 'JSON' ? JSON.stringify(chosen, null, 2) : yamlOf(chosen)) }
}

/** The API as the stage serves it, with the tags that it has now. */
async function deployedTo(api: V2Api, stageName: string, { database }: ApiGatewayV2): Promise<V2Api> {
  const stored = await findStage(database, { apiId: api.id, stageName })
  const deploymentId = stored?.stage.deploymentId
  const snapshot = deploymentId === undefined ? undefined : await findSnapshot(database, [api.id, deploymentId])
  if (!snapshot) throw missing.stage()
  const { apiId: _apiId, accountId: _accountId, region: _region, deploymentId: _deploymentId, routes, integrations, authorizers, models, ...settings } = snapshot
  return { ...api, settings: { ...settings, tags: api.settings.tags }, design: { routes, integrations, authorizers, models } }
}

function documentOf({ settings, design }: V2Api, { url, basePath, atMs }: { url: string, basePath: string, atMs: number }): JsonObject {
  const schemes = Object.values(design.authorizers).map((authorizer) => [authorizer.name, schemeOf(authorizer)] as const)
  return dropAbsent({
    openapi: '3.0.1',
    info: dropAbsent({
      title: settings.name,
      description: settings.description,
      version: settings.version ?? new Date(atMs).toISOString().replace('T', ' ').replace(/\.\d+Z$/, 'UTC'),
    }),
    servers: [dropAbsent({
      url: `${url}/{basePath}`,
      variables: { basePath: { default: basePath } },
      'x-amazon-apigateway-endpoint-configuration': settings.disableExecuteApiEndpoint ? { disableExecuteApiEndpoint: true } : undefined,
    })],
    tags: settings.tags && Object.keys(settings.tags).length > 0
      ? Object.entries(settings.tags).map(([name, value]) => ({ name, 'x-amazon-apigateway-tag-value': value }))
      : undefined,
    paths: pathsOf(design),
    components: schemes.length > 0 ? { securitySchemes: Object.fromEntries(schemes) } : undefined,
    'x-amazon-apigateway-cors': corsOf(settings.corsConfiguration),
    'x-amazon-apigateway-importexport-version': '1.0',
  })
}

function pathsOf(design: ApiDesign): JsonObject {
  const paths: Record<string, JsonObject> = {}
  for (const route of Object.values(design.routes)) {
    const isDefault = route.routeKey === '$default'
    const [method, path] = isDefault ? ['ANY', '/$default'] : route.routeKey.split(/ (.*)/s) as [string, string]
    const item = paths[path] ??= {}
    item[method === 'ANY' ? 'x-amazon-apigateway-any-method' : method.toLowerCase()] = operationOf(route, design)
    const variables = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name!)
    if (variables.length > 0) {
      item['parameters'] = variables.map((name) =>
        ({ name, in: 'path', description: `Generated path parameter for ${name}`, required: true, schema: { type: 'string' } }))
    }
  }
  return paths
}

function operationOf(route: Route, { integrations, authorizers }: ApiDesign): JsonObject {
  const integration = integrations[route.target?.replace(/^integrations\//, '') ?? '']
  const authorizer = authorizers[route.authorizerId ?? '']
  return dropAbsent({
    operationId: route.operationName,
    responses: { default: { description: `Default response for ${route.routeKey}` } },
    isDefaultRoute: route.routeKey === '$default' ? true : undefined,
    security: authorizer && [{ [authorizer.name]: route.authorizationScopes ?? [] }],
    'x-amazon-apigateway-auth': route.authorizationType === 'AWS_IAM' ? { type: 'AWS_IAM' } : undefined,
    'x-amazon-apigateway-integration': integration && integrationOf(integration),
  })
}

function integrationOf(integration: Integration): JsonObject {
  return dropAbsent({
    responseParameters: integration.responseParameters,
    requestParameters: integration.requestParameters,
    credentials: integration.credentialsArn,
    description: integration.description,
    payloadFormatVersion: integration.payloadFormatVersion,
    type: integration.integrationType.toLowerCase(),
    httpMethod: integration.integrationMethod,
    uri: integration.integrationUri,
    connectionType: integration.connectionType,
    // The default is not written.
    timeoutInMillis: integration.timeoutInMillis === HTTP_INTEGRATION_TIMEOUT_MS_MAX ? undefined : integration.timeoutInMillis,
  })
}

/** Source: API Gateway developer guide, "x-amazon-apigateway-authorizer", examples for HTTP APIs. */
function schemeOf(authorizer: Authorizer): JsonObject {
  const extension = dropAbsent({
    identitySource: authorizer.identitySource.join(', '),
    authorizerUri: authorizer.authorizerUri,
    authorizerCredentials: authorizer.authorizerCredentialsArn,
    authorizerPayloadFormatVersion: authorizer.authorizerPayloadFormatVersion,
    authorizerResultTtlInSeconds: authorizer.authorizerResultTtlInSeconds,
    enableSimpleResponses: authorizer.enableSimpleResponses,
    type: authorizer.authorizerType.toLowerCase(),
    jwtConfiguration: authorizer.jwtConfiguration && dropAbsent({ audience: authorizer.jwtConfiguration.audience, issuer: authorizer.jwtConfiguration.issuer }),
  })
  if (authorizer.authorizerType === 'JWT') return { type: 'oauth2', flows: {}, 'x-amazon-apigateway-authorizer': extension }
  const header = /^\$request\.header\.(.+)$/.exec(authorizer.identitySource[0] ?? '')?.[1]
  return { type: 'apiKey', name: header ?? 'Unused', in: 'header', 'x-amazon-apigateway-authorizer': extension }
}

function corsOf(cors: ApiSettings['corsConfiguration']): JsonObject | undefined {
  return cors && dropAbsent({ ...cors })
}

function dropAbsent(object: Record<string, unknown>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as JsonObject
}

/** A method that only API Gateway knows goes with the other extensions. */
function withoutExtensions(document: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(document, (key, value: unknown) => key.startsWith('x-amazon-apigateway-') || key === 'isDefaultRoute' ? undefined : value)) as JsonObject
}
