// A definition as what an import makes of it, in API Gateway's own terms.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { isObject, listOf, objectOf, prefixOf, resolved, textOf, textsOf, type BasePathMode, type Definition, type Json, type JsonObject } from '#aws/open-api.ts'
import type { NewAuthorizer } from '../authorizer-rules.ts'
import type { NewIntegration } from '../integration-rules.ts'
import { noteIgnored } from './ignored.ts'
import type { Findings } from './findings.ts'

export interface ImportPlan {
  name: string
  description: string | undefined
  version: string | undefined
  cors: sdk.Cors | undefined
  disableExecuteApiEndpoint: boolean | undefined
  tags: Record<string, string> | undefined
  authorizers: NewAuthorizer[]
  routes: PlannedRoute[]
}

export interface PlannedRoute {
  routeKey: string
  operationName: string | undefined
  integration: NewIntegration | undefined
  /** Who may call it: everybody, callers who sign, those whom an authorizer admits. */
  security: 'open' | 'signed' | { authorizerName: string, scopes: string[] }
}

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch'])
const ANY_METHOD = 'x-amazon-apigateway-any-method'

export function planImport(definition: Definition, { findings, basePath }: { findings: Findings, basePath: BasePathMode }): ImportPlan {
  const { document } = definition
  const info = objectOf(document['info'])
  const version = document['x-amazon-apigateway-importexport-version']
  // Source: API Gateway developer guide, "x-amazon-apigateway-importexport-version". Ours: the words.
  if (version !== undefined && textOf(version) !== '1.0' && version !== 1) throw findings.refusal(`Unsupported x-amazon-apigateway-importexport-version: ${textOf(version)}`)
  noteIgnored(document, findings)
  const endpoint = objectOf(objectOf(listOf(document['servers'])[0])['x-amazon-apigateway-endpoint-configuration'] ?? document['x-amazon-apigateway-endpoint-configuration'])
  const tags = listOf(document['tags']).map(objectOf).flatMap((tag) => {
    const name = textOf(tag['name'])
    const value = textOf(tag['x-amazon-apigateway-tag-value'])
    return name === undefined || value === undefined ? [] : [[name, value] as const]
  })
  const schemes = securitySchemes(document)
  return {
    name: textOf(info['title']) ?? '',
    description: textOf(info['description']) || undefined,
    version: textOf(info['version']) || undefined,
    cors: corsOf(document['x-amazon-apigateway-cors']),
    disableExecuteApiEndpoint: endpoint['disableExecuteApiEndpoint'] === undefined ? undefined : endpoint['disableExecuteApiEndpoint'] === true,
    tags: tags.length > 0 ? Object.fromEntries(tags) : undefined,
    authorizers: [...schemes].flatMap(([name, scheme]) => {
      const extension = scheme['x-amazon-apigateway-authorizer']
      return isObject(extension) ? [authorizerOf(name, scheme, extension)] : []
    }),
    routes: routesOf(definition, { findings, schemes, prefix: prefixOf(definition, basePath) }),
  }
}

interface Schemes extends ReadonlyMap<string, JsonObject> {}

function securitySchemes(document: JsonObject): Schemes {
  const schemes = objectOf(objectOf(document['components'])['securitySchemes'])
  return new Map(Object.entries(schemes).map(([name, scheme]) => [name, resolved(document, scheme)]))
}

/** Source: API Gateway developer guide, "x-amazon-apigateway-authorizer", HTTP APIs. */
function authorizerOf(name: string, scheme: JsonObject, extension: JsonObject): NewAuthorizer {
  const type = textOf(extension['type'])?.toUpperCase()
  const jwt = objectOf(extension['jwtConfiguration'])
  const ttl = extension['authorizerResultTtlInSeconds']
  const discovered = textOf(scheme['openIdConnectUrl'])?.replace(/\/\.well-known\/openid-configuration$/, '')
  return {
    Name: name,
    AuthorizerType: type as sdk.AuthorizerType,
    AuthorizerUri: textOf(extension['authorizerUri']),
    AuthorizerCredentialsArn: textOf(extension['authorizerCredentials']),
    AuthorizerPayloadFormatVersion: versionOf(extension['authorizerPayloadFormatVersion']),
    EnableSimpleResponses: extension['enableSimpleResponses'] === undefined ? undefined : extension['enableSimpleResponses'] === true,
    AuthorizerResultTtlInSeconds: ttl === undefined || ttl === null ? undefined : Number(ttl),
    IdentitySource: (textOf(extension['identitySource']) ?? '').split(',').map((source) => source.trim()).filter((source) => source !== ''),
    IdentityValidationExpression: textOf(extension['identityValidationExpression']),
    JwtConfiguration: type === 'JWT'
      ? { Issuer: textOf(jwt['issuer']) ?? discovered, Audience: listOf(jwt['audience']).flatMap((audience) => textOf(audience) ?? []) }
      : undefined,
  }
}

interface RouteContext {
  findings: Findings
  schemes: Schemes
  prefix: string
}

function routesOf({ document }: Definition, context: RouteContext): PlannedRoute[] {
  return Object.entries(objectOf(document['paths'])).flatMap(([path, reference]) => {
    if (path.startsWith('x-')) return []
    // Seen in reports: aws/serverless-application-model issue 2297.
    if (!path.startsWith('/')) context.findings.warn(`Parse issue: attribute paths. Resource ${path} should start with /`)
    const item = resolved(document, reference)
    return Object.entries(item).flatMap(([key, operation]) => {
      if (!isObject(operation) || !(METHODS.has(key) || key === ANY_METHOD)) return []
      return routeOf(document, { path, method: key === ANY_METHOD ? 'ANY' : key.toUpperCase(), operation }, context)
    })
  })
}

function routeOf(
  document: JsonObject, { path, method, operation }: { path: string, method: string, operation: JsonObject }, { findings, schemes, prefix }: RouteContext,
): PlannedRoute[] {
  const isDefault = path === '$default' || path === '/$default'
  const full = `/${`${prefix}/${path}`.split('/').filter((part) => part !== '').join('/')}`
  const routeKey = isDefault ? '$default' : `${method} ${path.endsWith('/') && path !== '/' ? `${full}/` : full}`
  const security = securityOf(operation['security'] ?? document['security'], objectOf(operation['x-amazon-apigateway-auth']), schemes)
  if (security === 'several') throw findings.refusal(`Multiple security requirements are not supported for route '${routeKey}'`)
  if (typeof security === 'object' && 'unknown' in security) {
    // Ours: the route is left out rather than opened to everybody.
    findings.warn(`Unable to create route '${routeKey}': the security scheme '${security.unknown}' is not an authorizer. Ignoring.`)
    return []
  }
  const integration = resolved(document, operation['x-amazon-apigateway-integration'])
  return [{
    routeKey,
    operationName: textOf(operation['operationId']),
    integration: Object.keys(integration).length > 0 ? integrationOf(integration) : undefined,
    security,
  }]
}

/** One requirement, or none. Source: API Gateway developer guide, "Use OpenAPI definitions for HTTP APIs": errors. */
function securityOf(requirements: Json | undefined, auth: JsonObject, schemes: Schemes): PlannedRoute['security'] | 'several' | { unknown: string } {
  const named = listOf(requirements).map(objectOf)
  if (named.length > 1 || Object.keys(named[0] ?? {}).length > 1) return 'several'
  const [name, scopes] = Object.entries(named[0] ?? {})[0] ?? []
  if (name === undefined) return textOf(auth['type'])?.toUpperCase() === 'AWS_IAM' ? 'signed' : 'open'
  const scheme = schemes.get(name)
  if (textOf(scheme?.['x-amazon-apigateway-authtype'])?.toLowerCase() === 'awssigv4') return 'signed'
  if (!isObject(scheme?.['x-amazon-apigateway-authorizer'])) return { unknown: name }
  return { authorizerName: name, scopes: listOf(scopes).flatMap((scope) => textOf(scope) ?? []) }
}

/** Source: API Gateway developer guide, "x-amazon-apigateway-integration", HTTP APIs. */
function integrationOf(extension: JsonObject): NewIntegration {
  const timeout = extension['timeoutInMillis']
  return {
    IntegrationType: (textOf(extension['type'])?.toUpperCase() ?? '') as sdk.IntegrationType,
    IntegrationSubtype: textOf(extension['integrationSubtype']),
    IntegrationMethod: textOf(extension['httpMethod'])?.toUpperCase(),
    IntegrationUri: textOf(extension['uri']),
    CredentialsArn: textOf(extension['credentials']),
    ConnectionType: textOf(extension['connectionType'])?.toUpperCase() as sdk.ConnectionType | undefined,
    ConnectionId: textOf(extension['connectionId']),
    Description: textOf(extension['description']),
    PayloadFormatVersion: versionOf(extension['payloadFormatVersion']),
    RequestParameters: textsOf(extension['requestParameters']),
    ResponseParameters: isObject(extension['responseParameters'])
      ? Object.fromEntries(Object.entries(extension['responseParameters']).map(([status, parameters]) => [status, textsOf(parameters) ?? {}]))
      : undefined,
    TimeoutInMillis: timeout === undefined || timeout === null ? undefined : Number(timeout),
    TlsConfig: isObject(extension['tlsConfig']) ? { ServerNameToVerify: textOf(extension['tlsConfig']['serverNameToVerify']) } : undefined,
  }
}

/** A number is read as it stands: `1.0` is `1`, which is refused. Seen in reports: users' logs of ImportApi. */
const versionOf = (value: Json | undefined): string | undefined => textOf(value)

function corsOf(extension: Json | undefined): sdk.Cors | undefined {
  if (!isObject(extension)) return undefined
  const texts = (name: string) => Array.isArray(extension[name]) ? extension[name].flatMap((one) => textOf(one) ?? []) : undefined
  return {
    AllowCredentials: extension['allowCredentials'] === undefined ? undefined : extension['allowCredentials'] === true,
    AllowHeaders: texts('allowHeaders'),
    AllowMethods: texts('allowMethods'),
    AllowOrigins: texts('allowOrigins'),
    ExposeHeaders: texts('exposeHeaders'),
    MaxAge: typeof extension['maxAge'] === 'number' ? extension['maxAge'] : undefined,
  }
}
