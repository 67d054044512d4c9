// One operation of a definition as a method: parameters, models, authorization, responses, integration.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { errors } from '../errors.ts'
import type { NewIntegration } from '../integration-rules.ts'
import { isAuthorizer, isCognito, securitySchemes } from './plan-authorizers.ts'
import type { MethodContext, PlannedMethod } from './plan.ts'
import { isObject, listOf, objectOf, resolved, textOf, textsOf, type Json, type JsonObject } from './read-definition.ts'

export function planMethod(operation: JsonObject, context: MethodContext): PlannedMethod {
  const { document } = context.definition
  const integration = operation['x-amazon-apigateway-integration']
  return {
    path: context.path,
    method: {
      httpMethod: context.httpMethod,
      operationName: textOf(operation['operationId']),
      ...authorizationOf(operation, context),
      requestParameters: requestParametersOf(context),
      requestModels: requestModelsOf(operation, context),
      validatorName: textOf(operation['x-amazon-apigateway-request-validator'] ?? document['x-amazon-apigateway-request-validator']),
    },
    responses: responsesOf(operation, context),
    integration: integration === undefined ? undefined : integrationOf(integration, context),
    integrationResponses: integration === undefined ? [] : integrationResponsesOf(objectOf(integration), context),
  }
}

/** Source: API Gateway developer guide, "x-amazon-apigateway-auth", "x-amazon-apigateway-authtype" and "x-amazon-apigateway-api-key-source". */
function authorizationOf(operation: JsonObject, context: MethodContext): Authorization {
  const { definition, findings, path, httpMethod } = context
  const { document } = definition
  const schemes = securitySchemes(definition)
  const requirements = listOf(operation['security'] ?? document['security']).flatMap((requirement) => Object.entries(objectOf(requirement)))
  let authorizationType = 'NONE'
  let authorizerName: string | undefined
  let authorizationScopes: string[] | undefined
  let apiKeyRequired = false
  for (const [name, scopes] of requirements) {
    const scheme = resolved(document, schemes[name])
    const isHeader = textOf(scheme['in'])?.toLowerCase() === 'header'
    if (textOf(scheme['x-amazon-apigateway-authtype'])?.toLowerCase() === 'awssigv4') authorizationType = 'AWS_IAM'
    else if (isAuthorizer(scheme)) {
      authorizationType = isCognito(scheme) ? 'COGNITO_USER_POOLS' : 'CUSTOM'
      authorizerName = name
      const named = listOf(scopes).flatMap((scope) => textOf(scope) ?? [])
      authorizationScopes = isCognito(scheme) && named.length > 0 ? named : undefined
    } else if (textOf(scheme['type']) === 'apiKey' && isHeader && textOf(scheme['name'])?.toLowerCase() === 'x-api-key') apiKeyRequired = true
    else findings.warn(`Security scheme '${name}' of method '${httpMethod} ${path}' is not one that API Gateway enforces. Ignoring.`)
  }
  const auth = textOf(objectOf(operation['x-amazon-apigateway-auth'])['type'])
  return { authorizationType: auth?.toUpperCase() ?? authorizationType, authorizerName, authorizationScopes, apiKeyRequired }
}

interface Authorization {
  authorizationType: string
  authorizerName: string | undefined
  authorizationScopes: string[] | undefined
  apiKeyRequired: boolean
}

/** Parameters in path, query string and header. A path parameter is always required. */
function requestParametersOf({ parameters, findings, httpMethod, path }: MethodContext): Record<string, boolean> | undefined {
  const places: Record<string, string> = { path: 'path', query: 'querystring', header: 'header' }
  const entries = parameters.flatMap((parameter): [string, boolean][] => {
    const place = textOf(parameter['in']) ?? ''
    const name = textOf(parameter['name'])
    if (place === 'body') return []
    if (!Object.hasOwn(places, place) || name === undefined) {
      findings.warn(`Parameter '${name}' in '${place}' of method '${httpMethod} ${path}' is not supported. Ignoring.`)
      return []
    }
    return [[`method.request.${places[place]}.${name}`, place === 'path' || parameter['required'] === true]]
  })
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}

/** Content type → model: from the body parameter (Swagger 2.0) or the request body (OpenAPI 3.0). */
function requestModelsOf(
  operation: JsonObject, { definition: { format, document }, models, parameters }: MethodContext,
): Record<string, string> | undefined {
  if (format === 'openapi3') return contentModels(resolved(document, operation['requestBody']), { models })
  const body = parameters.find((parameter) => parameter['in'] === 'body')
  if (!body) return undefined
  return modelsByType(body['schema'], mediaTypes(operation['consumes'] ?? document['consumes']), { models })
}

/** Source: API Gateway developer guide, "x-amazon-apigateway-integration" and the OpenAPI specifications, Responses Object. */
function responsesOf(operation: JsonObject, context: MethodContext): PlannedMethod['responses'] {
  const { definition: { format, document }, models, findings, httpMethod, path } = context
  return Object.entries(objectOf(operation['responses'])).flatMap(([statusCode, reference]) => {
    if (statusCode.startsWith('x-')) return []
    if (!/^[1-5]\d\d$/.test(statusCode)) {
      findings.warn(`Response '${statusCode}' to method '${httpMethod} ${path}' has no status code. Ignoring.`)
      return []
    }
    const response = resolved(document, reference)
    const headers = Object.keys(objectOf(response['headers'])).map((name) => [`method.response.header.${name}`, false])
    return [{
      statusCode,
      responseParameters: headers.length > 0 ? Object.fromEntries(headers) as Record<string, boolean> : undefined,
      responseModels: format === 'openapi3'
        ? contentModels(response, { models })
        : modelsByType(response['schema'], mediaTypes(operation['produces'] ?? document['produces']), { models }),
    }]
  })
}

function contentModels(holder: JsonObject, { models }: Pick<MethodContext, 'models'>): Record<string, string> | undefined {
  const entries = Object.entries(objectOf(holder['content'])).flatMap(([type, media]) => {
    const model = models.modelFor(objectOf(media)['schema'])
    return model === undefined ? [] : [[type, model]]
  })
  return entries.length > 0 ? Object.fromEntries(entries) as Record<string, string> : undefined
}

function modelsByType(schema: Json | undefined, types: string[], { models }: Pick<MethodContext, 'models'>): Record<string, string> | undefined {
  const model = models.modelFor(schema)
  return model === undefined ? undefined : Object.fromEntries(types.map((type) => [type, model]))
}

function mediaTypes(value: Json | undefined): string[] {
  const types = listOf(value).flatMap((type) => textOf(type) ?? [])
  return types.length > 0 ? types : ['application/json']
}

const integrationTypes = ['HTTP', 'AWS', 'MOCK', 'HTTP_PROXY', 'AWS_PROXY']

/** Source: API Gateway developer guide, "x-amazon-apigateway-integration". */
function integrationOf(value: Json, context: MethodContext): NewIntegration {
  if (!isObject(value)) throw malformed(context)
  const type = textOf(value['type'])?.toUpperCase() ?? ''
  if (!integrationTypes.includes(type)) throw malformed(context)
  const tlsConfig = value['tlsConfig']
  return {
    type: type as sdk.IntegrationType,
    integrationHttpMethod: textOf(value['httpMethod'])?.toUpperCase(),
    uri: textOf(value['uri']),
    connectionType: textOf(value['connectionType'])?.toUpperCase() as sdk.ConnectionType | undefined,
    connectionId: textOf(value['connectionId']),
    credentials: textOf(value['credentials']),
    requestParameters: textsOf(value['requestParameters']),
    requestTemplates: textsOf(value['requestTemplates']),
    passthroughBehavior: textOf(value['passthroughBehavior']),
    contentHandling: textOf(value['contentHandling']) as sdk.ContentHandlingStrategy | undefined,
    timeoutInMillis: value['timeoutInMillis'] === undefined ? undefined : Number(value['timeoutInMillis']),
    cacheNamespace: textOf(value['cacheNamespace']),
    cacheKeyParameters: listOf(value['cacheKeyParameters']).flatMap((name) => textOf(name) ?? []),
    tlsConfig: isObject(tlsConfig) ? { insecureSkipVerification: tlsConfig['insecureSkipVerification'] === true } : undefined,
    responseTransferMode: textOf(value['responseTransferMode'])?.toUpperCase() as sdk.ResponseTransferMode | undefined,
  }
}

/** `default` answers whatever no pattern matches; every other key is the pattern itself. */
function integrationResponsesOf(integration: JsonObject, context: MethodContext): PlannedMethod['integrationResponses'] {
  const byStatus = new Map<string, string>()
  return Object.entries(objectOf(integration['responses'])).map(([pattern, value]) => {
    const response = objectOf(value)
    const statusCode = textOf(response['statusCode'])
    if (statusCode === undefined || !/^[1-5]\d\d$/.test(statusCode)) throw malformed(context)
    const other = byStatus.get(statusCode)
    if (other !== undefined) {
      // Ours: AWS drops the earlier one without a word, because responses are kept by status code.
      const at = `method '${context.httpMethod} ${context.path}'`
      context.findings.warn(`Integration responses '${other}' and '${pattern}' of ${at} share the status code ${statusCode}. Ignoring the first.`)
    }
    byStatus.set(statusCode, pattern)
    return {
      statusCode,
      selectionPattern: pattern === 'default' ? undefined : pattern,
      responseParameters: textsOf(response['responseParameters']),
      responseTemplates: textsOf(response['responseTemplates']),
      contentHandling: textOf(response['contentHandling']) as sdk.ContentHandlingStrategy | undefined,
    }
  })
}

/** Seen in reports of refused imports. */
const malformed = ({ path }: MethodContext) =>
  errors.BadRequestException(`Unable to parse API definition because of a malformed integration at path ${path}.`)
