// Methods and their responses: what a client may send and what it gets.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { editApi, readApi, type Caller, type Input } from './edit.ts'
import { errors, invalidMapping, missing } from './errors.ts'
import type { ApiGateway } from './index.ts'
import { requireContentType } from './mappings.ts'
import type { ApiDesign, Method, MethodResponse, Resource } from './model.ts'
import { applyPatches, booleanOf, without, type PatchRule } from './patch.ts'
import { requireResource } from './resource-tree.ts'

export const httpMethods = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'ANY'] as const

export function putMethod(request: Input<sdk.PutMethodRequest>, call: Caller, gateway: ApiGateway): Promise<sdk.Method> {
  return editApi(gateway, call, request.restApiId, missing.resource, ({ design }) => {
    const resource = requireResource(design, request.resourceId)
    return addMethod(design, resource, request)
  })
}

export async function getMethod(
  { restApiId, resourceId, httpMethod }: Input<sdk.GetMethodRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Method> {
  const { design } = await readApi(gateway, call, restApiId, missing.resource)
  return requireMethod(design, resourceId, httpMethod)
}

export function updateMethod(
  { restApiId, resourceId, httpMethod, patchOperations }: Input<sdk.UpdateMethodRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Method> {
  return editApi(gateway, call, restApiId, missing.resource, ({ design }) => {
    const method = requireMethod(design, resourceId, httpMethod)
    applyPatches({ design, method }, patchOperations, methodRules, 'plain')
    settleAuthorizer(design, method)
    return method
  })
}

export function deleteMethod(
  { restApiId, resourceId, httpMethod }: Input<sdk.DeleteMethodRequest>, call: Caller, gateway: ApiGateway,
): Promise<void> {
  return editApi(gateway, call, restApiId, missing.resource, ({ design }) => {
    requireMethod(design, resourceId, httpMethod)
    delete requireResource(design, resourceId).methods[httpMethod]
  })
}

export function putMethodResponse(request: Input<sdk.PutMethodResponseRequest>, call: Caller, gateway: ApiGateway): Promise<sdk.MethodResponse> {
  const { restApiId, resourceId, httpMethod } = request
  return editApi(gateway, call, restApiId, missing.resource, ({ design }) =>
    addMethodResponse(design, requireMethod(design, resourceId, httpMethod), request))
}

export async function getMethodResponse(
  { restApiId, resourceId, httpMethod, statusCode }: Input<sdk.GetMethodResponseRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.MethodResponse> {
  const { design } = await readApi(gateway, call, restApiId, missing.resource)
  return requireMethodResponse(requireMethod(design, resourceId, httpMethod), statusCode)
}

export function updateMethodResponse(
  { restApiId, resourceId, httpMethod, statusCode, patchOperations }: Input<sdk.UpdateMethodResponseRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.MethodResponse> {
  return editApi(gateway, call, restApiId, missing.resource, ({ design }) => {
    const response = requireMethodResponse(requireMethod(design, resourceId, httpMethod), statusCode)
    applyPatches({ design, response }, patchOperations, methodResponseRules, 'plain')
    return response
  })
}

export function deleteMethodResponse(
  { restApiId, resourceId, httpMethod, statusCode }: Input<sdk.DeleteMethodResponseRequest>, call: Caller, gateway: ApiGateway,
): Promise<void> {
  return editApi(gateway, call, restApiId, missing.resource, ({ design }) => {
    const method = requireMethod(design, resourceId, httpMethod)
    requireMethodResponse(method, statusCode)
    method.methodResponses = without(method.methodResponses, statusCode)
  })
}

export type NewMethod = Omit<sdk.PutMethodRequest, 'restApiId' | 'resourceId'>

/** A new method, with AWS's refusals. Observed: AWS, 15-04-2024, recorded by localstack's test_put_method_validation. */
export function addMethod(design: ApiDesign, resource: Resource, request: NewMethod): Method {
  const httpMethod = request.httpMethod ?? ''
  if (!(httpMethods as readonly string[]).includes(httpMethod)) {
    throw errors.BadRequestException(`Invalid HttpMethod specified. Valid options are ${httpMethods.join(',')}`)
  }
  if (resource.methods[httpMethod]) throw errors.ConflictException('Method already exists for this resource')
  const method: Method = {
    httpMethod,
    authorizationType: authorizationType(request.authorizationType),
    authorizerId: request.authorizerId || undefined,
    apiKeyRequired: request.apiKeyRequired ?? false,
    authorizationScopes: request.authorizationScopes,
    operationName: request.operationName || undefined,
    requestValidatorId: request.requestValidatorId || undefined,
    requestParameters: request.requestParameters,
    requestModels: request.requestModels,
  }
  settleAuthorizer(design, method)
  requireValidator(design, method.requestValidatorId)
  checkRequestParameters(method.requestParameters)
  for (const model of Object.values(method.requestModels ?? {})) requireModel(design, model)
  return resource.methods[httpMethod] = method
}

/** A new method response, with AWS's refusals. */
export function addMethodResponse(
  design: ApiDesign, method: Method, request: Omit<sdk.PutMethodResponseRequest, 'restApiId' | 'resourceId' | 'httpMethod'>,
): MethodResponse {
  const statusCode = request.statusCode ?? ''
  if (method.methodResponses?.[statusCode]) throw errors.ConflictException('Response already exists for this resource')
  for (const name of Object.keys(request.responseParameters ?? {})) checkResponseParameter(name)
  for (const [contentType, model] of Object.entries(request.responseModels ?? {})) {
    requireContentType(contentType)
    requireModel(design, model)
  }
  const { responseParameters, responseModels } = request
  const response: MethodResponse = { statusCode, responseParameters, responseModels }
  method.methodResponses = { ...method.methodResponses, [statusCode]: response }
  return response
}

export function requireMethod(design: ApiDesign, resourceId: string, httpMethod: string): Method {
  const { methods } = requireResource(design, resourceId)
  const method = Object.hasOwn(methods, httpMethod) ? methods[httpMethod] : undefined
  if (!method) throw missing.method()
  return method
}

function requireMethodResponse({ methodResponses }: Method, statusCode: string): MethodResponse {
  const response = methodResponses?.[statusCode]
  if (!response) throw missing.response()
  return response
}

function authorizationType(type: string | undefined): Method['authorizationType'] {
  if (type === 'NONE' || type === 'AWS_IAM' || type === 'CUSTOM' || type === 'COGNITO_USER_POOLS') return type
  throw errors.BadRequestException('Invalid Authorization Type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS')
}

/**
 * A type that needs an authorizer must have one that exists; with any other the authorizer is passed over.
 * Observed: AWS, 15-04-2024, recorded by localstack's test_put_method_validation and test_update_method_validation.
 */
function settleAuthorizer({ authorizers }: ApiDesign, method: Method): void {
  const { authorizationType: type, authorizerId } = method
  if (type === 'NONE' || type === 'AWS_IAM') method.authorizerId = undefined
  else if (authorizerId === undefined || !Object.hasOwn(authorizers, authorizerId)) {
    throw errors.BadRequestException(
      'Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.')
  }
}

function requireValidator({ requestValidators }: ApiDesign, id: string | undefined): void {
  if (id !== undefined && !Object.hasOwn(requestValidators, id)) throw errors.BadRequestException('Invalid Request Validator identifier specified')
}

function requireModel({ models }: ApiDesign, name: string): void {
  if (!Object.hasOwn(models, name)) throw errors.BadRequestException(`Invalid model identifier specified: ${name}`)
}

function checkRequestParameters(parameters: Method['requestParameters']): void {
  const names = Object.keys(parameters ?? {}).map((parameter) => {
    const name = /^method\.request\.(?:path|querystring|header|multivalueheader|multivaluequerystring)\.(.+)$/.exec(parameter)?.[1]
    if (name === undefined) throw invalidMapping(`Invalid mapping expression specified: ${parameter}`)
    return name
  })
  if (new Set(names).size < names.length) throw errors.BadRequestException('Parameter names must be unique across querystring, header and path')
}

function checkResponseParameter(parameter: string): void {
  if (!/^method\.response\.(?:header|multivalueheader)\.[^.]+/.test(parameter)) {
    throw invalidMapping(`Invalid mapping expression specified: ${parameter}`)
  }
}

interface PatchedMethod { design: ApiDesign, method: Method }

/** Source: API Gateway API reference, "Patch operations", UpdateMethod. */
const methodRules: readonly PatchRule<PatchedMethod>[] = [
  { path: '/authorizationType', replace: ({ method }, value) => { method.authorizationType = authorizationType(value) } },
  { path: '/authorizerId', replace: ({ method }, value) => { method.authorizerId = value || undefined } },
  {
    path: '/authorizationScopes',
    add: ({ method }, value) => { method.authorizationScopes = [...new Set([...method.authorizationScopes ?? [], value])] },
    remove: ({ method }, value) => {
      const rest = (method.authorizationScopes ?? []).filter((scope) => scope !== value)
      method.authorizationScopes = rest.length > 0 ? rest : undefined
    },
  },
  { path: '/apiKeyRequired', replace: ({ method }, value) => { method.apiKeyRequired = booleanOf(value) } },
  { path: '/operationName', replace: ({ method }, value) => { method.operationName = value || undefined } },
  {
    path: '/requestValidatorId',
    replace: ({ design, method }, value) => {
      requireValidator(design, value || undefined)
      method.requestValidatorId = value || undefined
    },
  },
  {
    path: '/requestParameters/{name}',
    add: putRequestParameter,
    replace: ({ design, method }, value, name) => {
      if (!Object.hasOwn(method.requestParameters ?? {}, name)) throw missing.parameter()
      putRequestParameter({ design, method }, value, name)
    },
    remove: ({ method }, _value, name) => {
      if (!Object.hasOwn(method.requestParameters ?? {}, name)) throw missing.parameter()
      method.requestParameters = without(method.requestParameters, name)
    },
  },
  {
    path: '/requestModels/{type}',
    add: putRequestModel,
    replace: ({ design, method }, value, type) => {
      if (!Object.hasOwn(method.requestModels ?? {}, type)) throw missing.contentType()
      putRequestModel({ design, method }, value, type)
    },
    remove: ({ method }, _value, type) => {
      if (!Object.hasOwn(method.requestModels ?? {}, type)) throw missing.contentType()
      method.requestModels = without(method.requestModels, type)
    },
  },
]

function putRequestParameter({ method }: PatchedMethod, value: string, name: string): void {
  const requestParameters = { ...method.requestParameters, [name]: booleanOf(value) }
  checkRequestParameters(requestParameters)
  method.requestParameters = requestParameters
}

function putRequestModel({ design, method }: PatchedMethod, model: string, type: string): void {
  requireModel(design, model)
  method.requestModels = { ...method.requestModels, [type]: model }
}

/**
 * Source: API Gateway API reference, "Patch operations", UpdateMethodResponse.
 * Observed: AWS, 01-07-2025, recorded by localstack's TestApigatewayMethodResponse.
 */
const methodResponseRules: readonly PatchRule<{ design: ApiDesign, response: MethodResponse }>[] = [
  {
    path: '/responseParameters/{name}',
    add: putResponseParameter,
    replace: ({ response }, value, name) => {
      if (!Object.hasOwn(response.responseParameters ?? {}, name)) throw missing.parameter()
      putResponseParameter({ response }, value, name)
    },
    remove: ({ response }, _value, name) => {
      if (!Object.hasOwn(response.responseParameters ?? {}, name)) throw missing.parameter()
      response.responseParameters = without(response.responseParameters, name)
    },
  },
  {
    path: '/responseModels/{type}',
    add: putResponseModel,
    replace: ({ design, response }, value, type) => {
      if (!Object.hasOwn(response.responseModels ?? {}, type)) throw missing.contentType()
      putResponseModel({ design, response }, value, type)
    },
    remove: ({ response }, _value, type) => {
      if (!Object.hasOwn(response.responseModels ?? {}, type)) throw missing.contentType()
      response.responseModels = without(response.responseModels, type)
    },
  },
]

function putResponseParameter({ response }: { response: MethodResponse }, value: string, name: string): void {
  checkResponseParameter(name)
  response.responseParameters = { ...response.responseParameters, [name]: booleanOf(value) }
}

function putResponseModel({ design, response }: { design: ApiDesign, response: MethodResponse }, model: string, type: string): void {
  requireModel(design, model)
  response.responseModels = { ...response.responseModels, [type]: model }
}
