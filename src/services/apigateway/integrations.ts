// Integrations and their responses: what a method calls, and what its answers become.

import { compileJavaPattern } from '#lib/java-regex.ts'
import type * as sdk from '@aws-sdk/client-api-gateway'
import { editApi, readApi, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import type { ApiGateway } from './index.ts'
import {
  checkCredentials, checkUri, contentHandling, functionOf, invalidFunction, newIntegration, passthroughBehavior, timeoutMs,
} from './integration-rules.ts'
import { checkRequestMapping, checkResponseMapping, checkTemplates } from './mappings.ts'
import { requireMethod } from './methods.ts'
import type { ApiDesign, Integration, IntegrationResponse, Method } from './model.ts'
import { applyPatches, booleanOf, without, type PatchRule } from './patch.ts'
import { requireResource } from './resource-tree.ts'

export async function putIntegration(request: Input<sdk.PutIntegrationRequest>, call: Caller, gateway: ApiGateway): Promise<sdk.Integration> {
  const { restApiId, resourceId, httpMethod } = request
  await requireFunctions(gateway, [request.uri])
  return editApi(gateway, call, restApiId, missing.resource, ({ design }) => {
    const method = requireMethod(design, resourceId, httpMethod)
    // Another integration in the place of one loses its responses.
    method.methodIntegration = newIntegration(requireResource(design, resourceId), method, request)
    return describeIntegration(method.methodIntegration)
  })
}

export async function getIntegration(
  { restApiId, resourceId, httpMethod }: Input<sdk.GetIntegrationRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Integration> {
  const { design } = await readApi(gateway, call, restApiId, missing.resource)
  return describeIntegration(requireIntegration(requireMethod(design, resourceId, httpMethod)))
}

export async function updateIntegration(
  { restApiId, resourceId, httpMethod, patchOperations }: Input<sdk.UpdateIntegrationRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Integration> {
  await requireFunctions(gateway, (patchOperations ?? []).filter(({ path }) => path === '/uri').map(({ value }) => value))
  return editApi(gateway, call, restApiId, missing.resource, ({ design }) => {
    const method = requireMethod(design, resourceId, httpMethod)
    const integration = requireIntegration(method)
    applyPatches({ method, integration }, patchOperations, integrationRules, 'plain')
    return describeIntegration(integration)
  })
}

export function deleteIntegration(
  { restApiId, resourceId, httpMethod }: Input<sdk.DeleteIntegrationRequest>, call: Caller, gateway: ApiGateway,
): Promise<void> {
  return editApi(gateway, call, restApiId, missing.resource, ({ design }) => {
    const method = requireMethod(design, resourceId, httpMethod)
    requireIntegration(method)
    method.methodIntegration = undefined
  })
}

export function putIntegrationResponse(
  request: Input<sdk.PutIntegrationResponseRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.IntegrationResponse> {
  const { restApiId, resourceId, httpMethod } = request
  return editApi(gateway, call, restApiId, missing.resource, ({ design }) =>
    describeResponse(addIntegrationResponse(requireMethod(design, resourceId, httpMethod), request)))
}

export async function getIntegrationResponse(
  { restApiId, resourceId, httpMethod, statusCode }: Input<sdk.GetIntegrationResponseRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.IntegrationResponse> {
  const { design } = await readApi(gateway, call, restApiId, missing.resource)
  return describeResponse(requireResponse(requireIntegration(requireMethod(design, resourceId, httpMethod)), statusCode))
}

export function updateIntegrationResponse(
  { restApiId, resourceId, httpMethod, statusCode, patchOperations }: Input<sdk.UpdateIntegrationResponseRequest>,
  call: Caller, gateway: ApiGateway,
): Promise<sdk.IntegrationResponse> {
  return editApi(gateway, call, restApiId, missing.resource, ({ design }) => {
    const method = requireMethod(design, resourceId, httpMethod)
    const response = requireResponse(requireIntegration(method), statusCode)
    applyPatches({ method, response }, patchOperations, responseRules, 'plain')
    return describeResponse(response)
  })
}

export function deleteIntegrationResponse(
  { restApiId, resourceId, httpMethod, statusCode }: Input<sdk.DeleteIntegrationResponseRequest>, call: Caller, gateway: ApiGateway,
): Promise<void> {
  return editApi(gateway, call, restApiId, missing.resource, ({ design }) => {
    const integration = integrationWherever(design, resourceId, httpMethod)
    requireResponse(integration, statusCode)
    integration.integrationResponses = without(integration.integrationResponses, statusCode)
  })
}

/**
 * A new integration response; one of the same status code is replaced.
 * Observed: AWS, 11-06-2025, recorded by localstack's test_lifecycle_integration_response.
 */
export function addIntegrationResponse(
  method: Method, request: Omit<sdk.PutIntegrationResponseRequest, 'restApiId' | 'resourceId' | 'httpMethod'>,
): IntegrationResponse {
  const integration = requireIntegration(method)
  const statusCode = request.statusCode ?? ''
  checkPattern(request.selectionPattern)
  checkTemplates(request.responseTemplates)
  checkResponseMapping(request.responseParameters, method, statusCode)
  const response: IntegrationResponse = {
    statusCode,
    selectionPattern: request.selectionPattern,
    responseParameters: request.responseParameters,
    responseTemplates: request.responseTemplates,
    contentHandling: contentHandling(request.contentHandling),
  }
  integration.integrationResponses = { ...integration.integrationResponses, [statusCode]: response }
  return response
}

/** Refuses URIs that invoke functions which do not exist. */
export async function requireFunctions({ functions }: Pick<ApiGateway, 'functions'>, uris: readonly (string | undefined)[]): Promise<void> {
  for (const uri of uris) {
    const functionArn = functionOf(uri)
    if (functionArn !== undefined && functions && !await functions.exists(functionArn)) throw invalidFunction()
  }
}

function requireIntegration({ methodIntegration }: Method): Integration {
  if (!methodIntegration) throw missing.integration()
  return methodIntegration
}

/** Without the method AWS misses the integration. Observed: AWS, 21-08-2025, recorded by localstack's test_delete_integration_response_errors. */
function integrationWherever(design: ApiDesign, resourceId: string, httpMethod: string): Integration {
  const integration = requireResource(design, resourceId).methods[httpMethod]?.methodIntegration
  if (!integration) throw missing.integration()
  return integration
}

function requireResponse({ integrationResponses }: Integration, statusCode: string): IntegrationResponse {
  const response = integrationResponses?.[statusCode]
  if (!response) throw missing.response()
  return response
}

export function describeIntegration({ integrationResponses, requestTemplates, ...integration }: Integration): sdk.Integration {
  return {
    ...integration,
    requestTemplates: shownTemplates(requestTemplates),
    integrationResponses: integrationResponses &&
      Object.fromEntries(Object.entries(integrationResponses).map(([status, response]) => [status, describeResponse(response)])),
  }
}

function describeResponse(response: IntegrationResponse): sdk.IntegrationResponse {
  return { ...response, responseTemplates: shownTemplates(response.responseTemplates) }
}

/** An empty template is shown as null. Observed: AWS, 12-02-2026, recorded by localstack's test_put_integration_response_templates. */
function shownTemplates(templates: Record<string, string> | undefined): Record<string, string> | undefined {
  return templates && Object.fromEntries(Object.entries(templates).map(([type, template]) => [type, (template || null) as string]))
}

/** Ours: the words; AWS refuses what Java's regular expressions refuse. */
function checkPattern(pattern: string | undefined): void {
  try {
    compileJavaPattern(pattern ?? '', 'whole text')
  } catch {
    throw errors.BadRequestException('Invalid selection pattern specified')
  }
}

interface PatchedIntegration { method: Method, integration: Integration }

/** Source: API Gateway API reference, "Patch operations", UpdateIntegration. */
const integrationRules: readonly PatchRule<PatchedIntegration>[] = [
  {
    path: '/uri',
    replace: ({ integration }, value) => {
      checkUri(integration.type, value)
      integration.uri = value
    },
  },
  { path: '/httpMethod', replace: ({ integration }, value) => { integration.httpMethod = value } },
  {
    path: '/credentials',
    replace: ({ integration }, value) => {
      checkCredentials(value)
      integration.credentials = value || undefined
    },
    remove: ({ integration }) => { integration.credentials = undefined },
  },
  { path: '/passthroughBehavior', replace: ({ integration }, value) => { integration.passthroughBehavior = passthroughBehavior(value) } },
  {
    path: '/contentHandling',
    replace: ({ integration }, value) => { integration.contentHandling = contentHandling(value) },
    remove: ({ integration }) => { integration.contentHandling = undefined },
  },
  { path: '/timeoutInMillis', replace: ({ integration }, value) => { integration.timeoutInMillis = timeoutMs(Number(value)) } },
  { path: '/cacheNamespace', replace: ({ integration }, value) => { integration.cacheNamespace = value } },
  {
    path: '/cacheKeyParameters/{name}',
    add: ({ integration }, _value, name) => { integration.cacheKeyParameters = [...new Set([...integration.cacheKeyParameters, name])] },
    remove: ({ integration }, _value, name) => {
      integration.cacheKeyParameters = integration.cacheKeyParameters.filter((known) => known !== name)
    },
  },
  {
    path: '/tlsConfig/insecureSkipVerification',
    replace: ({ integration }, value) => { integration.tlsConfig = { insecureSkipVerification: booleanOf(value) } },
  },
  {
    path: '/requestParameters/{name}',
    add: putRequestParameter,
    replace: putRequestParameter,
    remove: ({ integration }, _value, name) => {
      if (!Object.hasOwn(integration.requestParameters ?? {}, name)) throw missing.parameter()
      integration.requestParameters = without(integration.requestParameters, name)
    },
  },
  {
    path: '/requestTemplates/{type}',
    add: putRequestTemplate,
    replace: putRequestTemplate,
    remove: ({ integration }, _value, type) => {
      if (!Object.hasOwn(integration.requestTemplates ?? {}, type)) throw missing.contentType()
      integration.requestTemplates = without(integration.requestTemplates, type)
    },
  },
]

function putRequestParameter({ method, integration }: PatchedIntegration, value: string, name: string): void {
  checkRequestMapping({ [name]: value }, method)
  integration.requestParameters = { ...integration.requestParameters, [name]: value }
}

function putRequestTemplate({ integration }: PatchedIntegration, template: string, type: string): void {
  checkTemplates({ [type]: template })
  integration.requestTemplates = { ...integration.requestTemplates, [type]: template }
}

interface PatchedResponse { method: Method, response: IntegrationResponse }

/** Source: API Gateway API reference, "Patch operations", UpdateIntegrationResponse. */
const responseRules: readonly PatchRule<PatchedResponse>[] = [
  {
    path: '/selectionPattern',
    replace: ({ response }, value) => {
      checkPattern(value)
      response.selectionPattern = value
    },
  },
  { path: '/contentHandling', replace: ({ response }, value) => { response.contentHandling = contentHandling(value) } },
  {
    path: '/responseParameters/{name}',
    add: putResponseParameter,
    replace: putResponseParameter,
    remove: ({ response }, _value, name) => {
      if (!Object.hasOwn(response.responseParameters ?? {}, name)) throw missing.parameter()
      response.responseParameters = without(response.responseParameters, name)
    },
  },
  {
    path: '/responseTemplates/{type}',
    add: putResponseTemplate,
    replace: putResponseTemplate,
    remove: ({ response }, _value, type) => {
      if (!Object.hasOwn(response.responseTemplates ?? {}, type)) throw missing.contentType()
      response.responseTemplates = without(response.responseTemplates, type)
    },
  },
]

function putResponseParameter({ method, response }: PatchedResponse, value: string, name: string): void {
  checkResponseMapping({ [name]: value }, method, response.statusCode)
  response.responseParameters = { ...response.responseParameters, [name]: value }
}

function putResponseTemplate({ response }: PatchedResponse, template: string, type: string): void {
  checkTemplates({ [type]: template })
  response.responseTemplates = { ...response.responseTemplates, [type]: template }
}
