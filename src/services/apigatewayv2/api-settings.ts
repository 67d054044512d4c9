// The rules over what belongs to an API as a whole: defaults, selection expressions, CORS.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { errors } from './errors.ts'
import type { ApiSettings, Cors } from './model.ts'

/** The only one that HTTP APIs have. Source: API Gateway v2 API reference, CreateApi, `routeSelectionExpression`. */
const HTTP_SELECTION = '$request.method $request.path'
const API_KEY_HEADER = '$request.header.x-api-key'
/** Source: API Gateway v2 API reference, CreateApi, `name`. */
const NAME_CHARACTERS_MAX = 128
/** Seconds. Source: API Gateway v2 API reference, Cors, `maxAge`. */
const CORS_MAX_AGE_SECONDS_MIN = -1
const CORS_MAX_AGE_SECONDS_MAX = 86_400

/** The settings of a new API. */
export function newSettings(request: sdk.CreateApiRequest): ApiSettings {
  const protocolType = request.ProtocolType as ApiSettings['protocolType']
  const isHttp = protocolType === 'HTTP'
  requireProtocol(request, protocolType)
  return {
    name: apiName(request.Name),
    protocolType,
    routeSelectionExpression: isHttp ? httpSelection(request.RouteSelectionExpression) : webSocketSelection(request.RouteSelectionExpression),
    apiKeySelectionExpression: apiKeySelection(request.ApiKeySelectionExpression),
    description: textOf(request.Description, 1024, 'description'),
    version: textOf(request.Version, 64, 'version'),
    corsConfiguration: corsOf(request.CorsConfiguration),
    disableExecuteApiEndpoint: request.DisableExecuteApiEndpoint ?? false,
    disableSchemaValidation: request.DisableSchemaValidation,
    ipAddressType: request.IpAddressType ?? 'ipv4',
    tags: request.Tags,
  }
}

/** Applies an UpdateApi to the settings: what is absent stays, what is an empty text goes. Quick create's members are not looked at. */
export function updateSettings(settings: ApiSettings, request: sdk.UpdateApiRequest): void {
  requireProtocol(request, settings.protocolType)
  if (request.Name !== undefined) settings.name = apiName(request.Name)
  if (request.Description !== undefined) settings.description = textOf(request.Description, 1024, 'description')
  if (request.Version !== undefined) settings.version = textOf(request.Version, 64, 'version')
  if (request.RouteSelectionExpression !== undefined) {
    settings.routeSelectionExpression = settings.protocolType === 'HTTP'
      ? httpSelection(request.RouteSelectionExpression)
      : webSocketSelection(request.RouteSelectionExpression)
  }
  if (request.ApiKeySelectionExpression !== undefined) settings.apiKeySelectionExpression = apiKeySelection(request.ApiKeySelectionExpression)
  if (request.CorsConfiguration) settings.corsConfiguration = corsOf(request.CorsConfiguration)
  if (request.DisableExecuteApiEndpoint !== undefined) settings.disableExecuteApiEndpoint = request.DisableExecuteApiEndpoint
  if (request.DisableSchemaValidation !== undefined) settings.disableSchemaValidation = request.DisableSchemaValidation
  if (request.IpAddressType !== undefined) settings.ipAddressType = request.IpAddressType
}

/**
 * Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-websocket-no-cors.
 * Source: API Gateway v2 API reference, CreateApi: quick create is for HTTP APIs. Ours: the words about it.
 */
function requireProtocol(request: sdk.CreateApiRequest | sdk.UpdateApiRequest, protocolType: ApiSettings['protocolType']): void {
  if (protocolType === 'HTTP') return
  if (request.CorsConfiguration) throw errors.BadRequestException('Cors is not supported for WEBSOCKET protocolType')
  const quick = (['Target', 'RouteKey', 'CredentialsArn'] as const).find((name) => request[name] !== undefined)
  if (quick) throw errors.BadRequestException(`${quick} is only supported for HTTP APIs`)
}

/** Observed: AWS, 03-09-2026, recorded by cdk-preflight's pf-apigwv2-api-name-required. */
export function apiName(name: string | undefined): string {
  if (name === undefined || name.trim() === '' || name.length > NAME_CHARACTERS_MAX) throw errors.BadRequestException('Invalid API name specified')
  return name
}

/** A text that may be absent; empty is absent. Ours: the words. */
export function textOf(text: string | undefined, charactersMax: number, what: string): string | undefined {
  if (text === undefined || text === '') return undefined
  if (text.length > charactersMax) throw errors.BadRequestException(`Invalid ${what} specified: it cannot be longer than ${charactersMax} characters`)
  return text
}

/** Both spellings are accepted. Observed: AWS, 03-09-2026, recorded by cdk-preflight's pf-apigwv2-http-route-selection. */
function httpSelection(expression: string | undefined): string {
  if (!expression) return HTTP_SELECTION
  if (expression !== HTTP_SELECTION && expression !== '${request.method} ${request.path}') {
    throw errors.BadRequestException('Route selection expression is currently limited to "${request.method} ${request.path}"')
  }
  return expression
}

/** Observed: AWS, 03-09-2026, recorded by cdk-preflight's pf-apigwv2-websocket-route-selection (where there is none). */
function webSocketSelection(expression: string | undefined): string {
  // Source: API Gateway developer guide, "WebSocket selection expressions": what may be selected by.
  const isSelection = /^(?:[^$]|\$request\.(?:body|header|querystring)\.[\w.[\]-]+|\$\{request\.(?:body|header|querystring)\.[\w.[\]-]+\})+$/.test(expression ?? '')
  if (!expression || !expression.includes('$') || !isSelection) throw errors.BadRequestException('Invalid routeSelectionExpression')
  return expression
}

/** Source: API Gateway developer guide, "API key selection expressions". Ours: the words. */
function apiKeySelection(expression: string | undefined): string {
  if (!expression) return API_KEY_HEADER
  if (!/^\$\{?(?:request\.header\.x-api-key|context\.authorizer\.usageIdentifierKey)\}?$/.test(expression)) {
    throw errors.BadRequestException(`Invalid apiKeySelectionExpression specified: ${expression}`)
  }
  return expression
}

/** Observed: AWS, 03-09-2026, recorded by cdk-preflight's pf-apigwv2-cors-credentials-wildcard. Ours: the words of the other refusals. */
export function corsOf(cors: sdk.Cors | undefined): Cors | undefined {
  if (!cors) return undefined
  if (cors.AllowCredentials && cors.AllowOrigins?.includes('*')) {
    throw errors.BadRequestException("allow-credentials is not supported if 'allow-origin' is *")
  }
  for (const origin of cors.AllowOrigins ?? []) {
    // Source: API Gateway developer guide, "Configure CORS for HTTP APIs": an origin is `*`, `https://*`, `http://*` or begins with a scheme.
    if (origin !== '*' && !/^[a-z][a-z0-9+.-]*:\/\/[^\s/]+$/i.test(origin)) throw errors.BadRequestException(`Invalid format for origin ${origin}. Allowed values are '*' or an origin with scheme and host`)
  }
  for (const method of cors.AllowMethods ?? []) {
    // Seen in reports: aws/aws-cdk issue 13643.
    if (!CORS_METHODS.includes(method)) throw errors.BadRequestException(`Method ${method} is not supported`)
  }
  for (const header of [...cors.AllowHeaders ?? [], ...cors.ExposeHeaders ?? []]) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(header)) throw errors.BadRequestException(`Invalid header name ${header} in the CORS configuration`)
  }
  if (cors.MaxAge !== undefined && (cors.MaxAge < CORS_MAX_AGE_SECONDS_MIN || cors.MaxAge > CORS_MAX_AGE_SECONDS_MAX)) {
    throw errors.BadRequestException(`Invalid maxAge ${cors.MaxAge}. It must be between ${CORS_MAX_AGE_SECONDS_MIN} and ${CORS_MAX_AGE_SECONDS_MAX}`)
  }
  return {
    allowCredentials: cors.AllowCredentials,
    allowHeaders: cors.AllowHeaders,
    allowMethods: cors.AllowMethods,
    allowOrigins: cors.AllowOrigins,
    exposeHeaders: cors.ExposeHeaders,
    maxAge: cors.MaxAge,
  }
}

const CORS_METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', '*']
