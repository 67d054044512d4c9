// Gateway responses: what API Gateway itself answers, by type, with the defaults of every type.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { editApi, readApi, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import type { ApiGateway } from './index.ts'
import { isConstant, requireContentType } from './mappings.ts'
import type { ApiDesign, GatewayResponse } from './model.ts'
import { pageOf } from './pages.ts'
import { applyPatches, type PatchRule } from './patch.ts'

/**
 * Type → default status code; undefined where the occasion decides.
 * Observed: AWS, 15-04-2024, recorded by localstack's test_gateway_response_crud.
 */
export const defaultStatusCodes: Readonly<Record<string, string | undefined>> = {
  ACCESS_DENIED: '403',
  API_CONFIGURATION_ERROR: '500',
  AUTHORIZER_CONFIGURATION_ERROR: '500',
  AUTHORIZER_FAILURE: '500',
  BAD_REQUEST_BODY: '400',
  BAD_REQUEST_PARAMETERS: '400',
  DEFAULT_4XX: undefined,
  DEFAULT_5XX: undefined,
  EXPIRED_TOKEN: '403',
  INTEGRATION_FAILURE: '504',
  INTEGRATION_TIMEOUT: '504',
  INVALID_API_KEY: '403',
  INVALID_SIGNATURE: '403',
  MISSING_AUTHENTICATION_TOKEN: '403',
  QUOTA_EXCEEDED: '429',
  REQUEST_TOO_LARGE: '413',
  RESOURCE_NOT_FOUND: '404',
  THROTTLED: '429',
  UNAUTHORIZED: '401',
  UNSUPPORTED_MEDIA_TYPE: '415',
  WAF_FILTERED: '403',
}

const defaultTemplates = { 'application/json': '{"message":$context.error.messageString}' }

export function putGatewayResponse(
  { restApiId, ...request }: Input<sdk.PutGatewayResponseRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.GatewayResponse> {
  return editApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId), ({ design }) =>
    shown(addGatewayResponse(design, request), false))
}

export async function getGatewayResponse(
  { restApiId, responseType }: Input<sdk.GetGatewayResponseRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.GatewayResponse> {
  const { design } = await readApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId))
  return describe(design, responseType)
}

export async function getGatewayResponses(
  { restApiId, ...page }: Input<sdk.GetGatewayResponsesRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.GatewayResponses> {
  const { design } = await readApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId))
  const { items, position } = pageOf(Object.keys(defaultStatusCodes), (type) => type, page)
  return { items: items.map((type) => describe(design, type)), position }
}

/** A type that was not put yet becomes one that was. Observed: AWS, 15-04-2024, recorded by localstack's test_update_gateway_response. */
export function updateGatewayResponse(
  { restApiId, responseType, patchOperations }: Input<sdk.UpdateGatewayResponseRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.GatewayResponse> {
  return editApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId), ({ design }) => {
    const response = design.gatewayResponses[responseType] ??= effective(design, responseType).response
    applyPatches(response, patchOperations, patchRules, 'path')
    return shown(response, false)
  })
}

export function deleteGatewayResponse(
  { restApiId, responseType }: Input<sdk.DeleteGatewayResponseRequest>, call: Caller, gateway: ApiGateway,
): Promise<void> {
  return editApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId), ({ design }) => {
    if (!Object.hasOwn(design.gatewayResponses, responseType)) throw missing.gatewayResponse()
    delete design.gatewayResponses[responseType]
  })
}

/**
 * Puts a response, filling what the request leaves out with the type's defaults.
 * Observed: AWS, 20-06-2024, recorded by localstack's test_gateway_response_put.
 */
export function addGatewayResponse(
  design: ApiDesign, { responseType, statusCode, responseParameters, responseTemplates }: Omit<sdk.PutGatewayResponseRequest, 'restApiId'>,
): GatewayResponse {
  const type = responseType ?? ''
  if (!Object.hasOwn(defaultStatusCodes, type)) throw errors.BadRequestException(`Invalid gateway response type specified: ${type}`)
  for (const [name, source] of Object.entries(responseParameters ?? {})) checkParameter(name, source)
  Object.keys(responseTemplates ?? {}).forEach(requireContentType)
  return design.gatewayResponses[type] = {
    responseType: type,
    statusCode: statusCode ?? defaultStatusCodes[type],
    responseParameters: responseParameters ?? {},
    responseTemplates: responseTemplates && Object.keys(responseTemplates).length > 0 ? responseTemplates : defaultTemplates,
  }
}

/** The response of a type as it stands: its own, that of DEFAULT_4XX or DEFAULT_5XX for its class, or the default. */
function effective({ gatewayResponses }: ApiDesign, responseType: string): { response: GatewayResponse, isDefault: boolean } {
  const own = gatewayResponses[responseType]
  if (own) return { response: own, isDefault: false }
  const statusCode = defaultStatusCodes[responseType]
  const ofClass = statusCode === undefined ? undefined : gatewayResponses[`DEFAULT_${statusCode[0]}XX`]
  const response = { responseType, statusCode, responseParameters: {}, responseTemplates: defaultTemplates }
  if (!ofClass) return { response, isDefault: true }
  const { responseParameters, responseTemplates } = ofClass
  return { response: { responseType, statusCode: ofClass.statusCode ?? statusCode, responseParameters, responseTemplates }, isDefault: true }
}

function describe(design: ApiDesign, responseType: string): sdk.GatewayResponse {
  const { response, isDefault } = effective(design, responseType)
  return shown(response, isDefault)
}

function shown(response: GatewayResponse, isDefault: boolean): sdk.GatewayResponse {
  return { ...response, responseType: response.responseType as sdk.GatewayResponseType, defaultResponse: isDefault }
}

function checkParameter(name: string, source: string): void {
  const isName = /^gatewayresponse\.header\.[^\s]+$/.test(name)
  const isSource = isConstant(source) || /^method\.request\.(?:header|path|querystring|multivalueheader|multivaluequerystring)\.[^\s]+$/.test(source)
  // Ours: the words.
  if (!isName || !isSource) throw errors.BadRequestException(`Invalid gateway response parameter specified: ${isName ? source : name}`)
}

/** Observed: AWS, 15-04-2024, recorded by localstack's test_update_gateway_response. */
const patchRules: readonly PatchRule<GatewayResponse>[] = [
  { path: '/statusCode', replace: (response, value) => { response.statusCode = value } },
  {
    path: '/responseParameters/{name}',
    add: putParameter,
    replace: (response, value, name) => {
      if (!Object.hasOwn(response.responseParameters, name)) throw missing.parameter()
      putParameter(response, value, name)
    },
    remove: (response, _value, name) => {
      if (!Object.hasOwn(response.responseParameters, name)) throw missing.parameter()
      response.responseParameters = Object.fromEntries(Object.entries(response.responseParameters).filter(([known]) => known !== name))
    },
  },
  {
    path: '/responseTemplates/{type}',
    add: putTemplate,
    replace: putTemplate,
    remove: (response, _value, type) => {
      if (!Object.hasOwn(response.responseTemplates, type)) throw missing.contentType()
      response.responseTemplates = Object.fromEntries(Object.entries(response.responseTemplates).filter(([known]) => known !== type))
    },
  },
]

function putParameter(response: GatewayResponse, value: string, name: string): void {
  if (value === '') throw errors.BadRequestException('Invalid null or empty value in responseParameters')
  checkParameter(name, value)
  response.responseParameters = { ...response.responseParameters, [name]: value }
}

function putTemplate(response: GatewayResponse, value: string, type: string): void {
  if (value === '') throw errors.BadRequestException('Invalid null or empty value in responseTemplates')
  requireContentType(type)
  response.responseTemplates = { ...response.responseTemplates, [type]: value }
}
