// The rules over what belongs to an API as a whole: defaults, selection expressions, CORS.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { errors } from './errors.ts'
import type { ApiSettings, Cors } from './model.ts'

/** The only one that HTTP APIs have. Source: API Gateway v2 API reference, CreateApi, `routeSelectionExpression`. */
const HTTP_SELECTION = '$request.method $request.path'
const API_KEY_HEADER = '$request.header.x-api-key'

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

/** Ours: the words. Source: API Gateway v2 API reference, CreateApi: what is supported for which protocol. */
function requireProtocol(request: sdk.CreateApiRequest | sdk.UpdateApiRequest, protocolType: ApiSettings['protocolType']): void {
  if (protocolType === 'HTTP') return
  if (request.CorsConfiguration) throw errors.BadRequestException('CorsConfiguration is only supported for HTTP APIs')
  const quick = (['Target', 'RouteKey', 'CredentialsArn'] as const).find((name) => request[name] !== undefined)
  if (quick) throw errors.BadRequestException(`${quick} is only supported for HTTP APIs`)
}

function apiName(name: string | undefined): string {
  // Ours: the words.
  if (name === undefined || name.trim() === '') throw errors.BadRequestException('Name is a required parameter')
  if (name.length > 128) throw errors.BadRequestException('Name cannot be longer than 128 characters')
  return name
}

/** A text that may be absent; empty is absent. Ours: the words. */
export function textOf(text: string | undefined, charactersMax: number, what: string): string | undefined {
  if (text === undefined || text === '') return undefined
  if (text.length > charactersMax) throw errors.BadRequestException(`Invalid ${what} specified: it cannot be longer than ${charactersMax} characters`)
  return text
}

function httpSelection(expression: string | undefined): string {
  if (!expression) return HTTP_SELECTION
  if (expression !== HTTP_SELECTION && expression !== '${request.method} ${request.path}') {
    // Ours: the words.
    throw errors.BadRequestException('Invalid routeSelectionExpression specified. HTTP APIs support only $request.method $request.path')
  }
  return expression
}

/** Source: API Gateway developer guide, "Create WebSocket APIs", route selection expressions. Ours: the words. */
function webSocketSelection(expression: string | undefined): string {
  if (!expression) throw errors.BadRequestException('RouteSelectionExpression is a required parameter for WebSocket APIs')
  const isSelection = /\$(?:request\.body\.[\w.[\]-]+|\{request\.body\.[\w.[\]-]+\})/.test(expression)
  if (!isSelection) throw errors.BadRequestException(`Invalid routeSelectionExpression specified: ${expression}`)
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

function corsOf(cors: sdk.Cors | undefined): Cors | undefined {
  if (!cors) return undefined
  return {
    allowCredentials: cors.AllowCredentials,
    allowHeaders: cors.AllowHeaders,
    allowMethods: cors.AllowMethods,
    allowOrigins: cors.AllowOrigins,
    exposeHeaders: cors.ExposeHeaders,
    maxAge: cors.MaxAge,
  }
}
