// What an integration may be: its defaults by protocol and type, and AWS's refusals.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { parseArn } from '#aws/arn.ts'
import { isReservedHeader } from '#aws/http-payload/reserved-headers.ts'
import { textOf } from './api-settings.ts'
import { errors } from './errors.ts'
import { HTTP_INTEGRATION_TIMEOUT_MS_MAX, INTEGRATION_TIMEOUT_MS_MIN, WEBSOCKET_INTEGRATION_TIMEOUT_MS_MAX } from './limits.ts'
import type { ApiSettings, Integration } from './model.ts'
import { own } from './own.ts'
import { mapOf } from './route-rules.ts'

export type NewIntegration = Omit<sdk.CreateIntegrationRequest, 'ApiId'>

/** A new integration: defaults, then rules. */
export function newIntegration(
  request: NewIntegration, { integrationId, settings }: { integrationId: string, settings: Pick<ApiSettings, 'protocolType'> },
): Integration {
  const type = request.IntegrationType!
  const isHttpApi = settings.protocolType === 'HTTP'
  refuseUnserved(request)
  const integration: Integration = {
    integrationId,
    integrationType: type,
    integrationSubtype: request.IntegrationSubtype || undefined,
    integrationMethod: request.IntegrationMethod || defaultMethod(request),
    integrationUri: textOf(request.IntegrationUri, 2048, 'integrationUri'),
    connectionType: request.ConnectionType ?? 'INTERNET',
    connectionId: request.ConnectionId || undefined,
    credentialsArn: request.CredentialsArn || undefined,
    description: textOf(request.Description, 1024, 'description'),
    payloadFormatVersion: payloadVersion(request.PayloadFormatVersion, type, isHttpApi),
    contentHandlingStrategy: request.ContentHandlingStrategy,
    // The defaults of both selections: Source: Terraform's acceptance tests of aws_apigatewayv2_integration, which run against AWS.
    passthroughBehavior: request.PassthroughBehavior ?? (isHttpApi || type === 'AWS_PROXY' || type === 'HTTP_PROXY' ? undefined : 'WHEN_NO_MATCH'),
    integrationResponseSelectionExpression: responseSelection(type, isHttpApi),
    requestParameters: parametersOf(request.RequestParameters),
    requestTemplates: mapOf(request.RequestTemplates),
    templateSelectionExpression: request.TemplateSelectionExpression || undefined,
    responseParameters: responseParameters(request.ResponseParameters),
    timeoutInMillis: timeoutMs(request.TimeoutInMillis, isHttpApi),
    tlsConfig: request.TlsConfig?.ServerNameToVerify ? { serverNameToVerify: request.TlsConfig.ServerNameToVerify } : undefined,
    integrationResponses: {},
  }
  checkIntegration(integration, isHttpApi)
  return integration
}

/** An integration after UpdateIntegration: what is absent stays, what is an empty text goes, parameters are added to those at hand. */
export function changedIntegration(
  integration: Integration, request: Omit<sdk.UpdateIntegrationRequest, 'ApiId' | 'IntegrationId'>, { protocolType }: Pick<ApiSettings, 'protocolType'>,
): Integration {
  const isHttpApi = protocolType === 'HTTP'
  refuseUnserved(request)
  const type = request.IntegrationType ?? integration.integrationType
  const text = (given: string | undefined, held: string | undefined) => given === undefined ? held : given || undefined
  const changed: Integration = {
    ...integration,
    integrationType: type,
    integrationSubtype: text(request.IntegrationSubtype, integration.integrationSubtype),
    integrationMethod: text(request.IntegrationMethod, integration.integrationMethod),
    integrationUri: request.IntegrationUri === undefined ? integration.integrationUri : textOf(request.IntegrationUri, 2048, 'integrationUri'),
    connectionType: request.ConnectionType ?? integration.connectionType,
    connectionId: text(request.ConnectionId, integration.connectionId),
    credentialsArn: text(request.CredentialsArn, integration.credentialsArn),
    description: request.Description === undefined ? integration.description : textOf(request.Description, 1024, 'description'),
    payloadFormatVersion: payloadVersion(request.PayloadFormatVersion ?? integration.payloadFormatVersion, type, isHttpApi),
    contentHandlingStrategy: request.ContentHandlingStrategy ?? integration.contentHandlingStrategy,
    passthroughBehavior: request.PassthroughBehavior ?? integration.passthroughBehavior,
    integrationResponseSelectionExpression: responseSelection(type, isHttpApi),
    requestParameters: request.RequestParameters === undefined
      ? integration.requestParameters
      : parametersOf(request.RequestParameters, integration.requestParameters),
    requestTemplates: request.RequestTemplates === undefined ? integration.requestTemplates : mapOf(request.RequestTemplates),
    templateSelectionExpression: text(request.TemplateSelectionExpression, integration.templateSelectionExpression),
    responseParameters: request.ResponseParameters === undefined
      ? integration.responseParameters
      : responseParameters(request.ResponseParameters, integration.responseParameters),
    timeoutInMillis: request.TimeoutInMillis === undefined ? integration.timeoutInMillis : timeoutMs(request.TimeoutInMillis, isHttpApi),
    tlsConfig: request.TlsConfig === undefined
      ? integration.tlsConfig
      : request.TlsConfig.ServerNameToVerify ? { serverNameToVerify: request.TlsConfig.ServerNameToVerify } : undefined,
  }
  checkIntegration(changed, isHttpApi)
  return changed
}

/** What only a proxy to Lambda needs no word about. Source: moto's tests of create_integration, which were tried against AWS. */
function defaultMethod({ IntegrationType, IntegrationUri, IntegrationSubtype }: NewIntegration): string | undefined {
  const isLambda = (IntegrationType === 'AWS_PROXY' || IntegrationType === 'AWS') && IntegrationUri !== undefined && !IntegrationSubtype
  return isLambda ? 'POST' : undefined
}

/**
 * Observed: AWS, 03-09-2026, recorded by cdk-preflight's pf-apigwv2-aws-proxy-payload-version and pf-apigwv2-http-proxy-payload-version, and
 * 08-09-2026, by pf-apigwv2-websocket-payload-version.
 */
function payloadVersion(version: string | undefined, type: sdk.IntegrationType, isHttpApi: boolean): Integration['payloadFormatVersion'] {
  if (!version) {
    // Seen in reports: localstack/localstack issue 9184.
    if (isHttpApi) throw errors.BadRequestException('PayloadFormatVersion is a required parameter for integration')
    return '1.0'
  }
  if (version === '1.0') return '1.0'
  if (version !== '2.0' || !isHttpApi) throw errors.BadRequestException(`Unsupported PayloadFormatVersion: ${version}`)
  if (type !== 'AWS_PROXY') throw errors.BadRequestException(`PayloadFormatVersion 2.0 is not supported for integration of type ${type}`)
  return '2.0'
}

function responseSelection(type: sdk.IntegrationType, isHttpApi: boolean): string | undefined {
  if (isHttpApi || type === 'AWS_PROXY' || type === 'HTTP_PROXY') return undefined
  return type === 'AWS' ? '${integration.response.body.errorMessage}' : '${integration.response.statuscode}'
}

/** Observed: AWS, 13-09-2026, recorded by cdk-preflight's pf-apigwv2-integration-timeout-range and pf-apigwv2-websocket-integration-timeout-range. */
function timeoutMs(timeout: number | undefined, isHttpApi: boolean): number {
  const max = isHttpApi ? HTTP_INTEGRATION_TIMEOUT_MS_MAX : WEBSOCKET_INTEGRATION_TIMEOUT_MS_MAX
  if (timeout === undefined) return max
  if (!Number.isInteger(timeout) || timeout < INTEGRATION_TIMEOUT_MS_MIN || timeout > max) {
    throw errors.BadRequestException(`Timeout should be between ${INTEGRATION_TIMEOUT_MS_MIN} ms and ${max} ms`)
  }
  return timeout
}

/** The rules over the whole, which hold after every change. */
function checkIntegration(integration: Integration, isHttpApi: boolean): void {
  const { integrationType: type, integrationUri: uri, integrationMethod: method } = integration
  if (isHttpApi && type !== 'AWS_PROXY' && type !== 'HTTP_PROXY') {
    // Seen in reports: aws/aws-cli issue 6363.
    throw errors.BadRequestException('Currently, an API with a protocol type of HTTP may only be associated with proxy integrations (AWS_PROXY, HTTP_PROXY)')
  }
  checkCredentials(integration.credentialsArn)
  if (isHttpApi) checkParameterMappings(integration)
  if (type === 'MOCK') return
  if (type === 'HTTP' || type === 'HTTP_PROXY') {
    // Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-http-proxy-integration-method (HTTP_PROXY). The missing underscore is AWS's.
    if (!method) throw errors.BadRequestException(`HttpMethod parameter method must be specified for integrationType ${type.replace('_', '')}`)
    if (uri === undefined || !/^(?:https?:\/\/|\$\{stageVariables\.)[^\s/]/.test(uri)) throw errors.BadRequestException('Invalid HTTP endpoint specified for URI')
    return
  }
  checkFunctionUri(uri)
}

/**
 * A function's ARN, or the URI that invokes it; stage variables may stand in it.
 * Source: API Gateway v2 API reference, CreateIntegration, `integrationUri`; the words are those of REST APIs' refused imports.
 */
export function checkFunctionUri(uri: string | undefined): void {
  const arn = uri === undefined ? undefined : parseArn(uri)
  const isFunction = arn?.service === 'lambda' && arn.resource.startsWith('function:')
  const isInvocation = arn?.service === 'apigateway' && /^(?:path|action)\//.test(arn.resource)
  if (!isFunction && !isInvocation && !uri?.includes('${stageVariables.')) throw errors.BadRequestException('Invalid function ARN or invalid uri')
}

/** A role, or the caller's own identity. Ours: the words, which are REST APIs'. */
export function checkCredentials(credentials: string | undefined): void {
  if (!credentials || credentials.includes('${stageVariables.')) return
  const arn = parseArn(credentials)
  const isIdentity = arn?.service === 'iam' && (arn.resource.startsWith('role/') || (arn.accountId === '*' && arn.resource === 'user/*'))
  if (!isIdentity) throw errors.BadRequestException('Invalid ARN specified in the request')
}

/**
 * Parameter mappings of HTTP APIs. Source: API Gateway developer guide, "Transform API requests and responses for HTTP APIs".
 * Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-request-parameter-action and pf-apigwv2-response-parameter-action, and
 * 14-09-2026, by pf-apigwv2-response-parameter-status-code.
 */
function checkParameterMappings({ requestParameters, responseParameters: byStatus }: Integration): void {
  for (const destination of Object.keys(requestParameters ?? {})) {
    if (!/^(?:(?:append|overwrite|remove):(?:header|querystring)\.[^\s]+|overwrite:path)$/.test(destination)) {
      throw invalidMapping(`Invalid Request Actioned Parameter destination specified: ${destination}`)
    }
    refuseReserved(destination)
  }
  for (const [status, parameters] of Object.entries(byStatus ?? {})) {
    if (!/^[2-5]\d\d$/.test(status)) throw invalidMapping(`Status Code ${status} is not valid.`)
    for (const destination of Object.keys(parameters)) {
      if (!/^(?:(?:append|overwrite|remove):header\.[^\s]+|overwrite:statuscode)$/.test(destination)) {
        throw invalidMapping(`Invalid Response Actioned Parameter destination specified: ${destination}`)
      }
      refuseReserved(destination)
    }
  }
}

/** Ours: the words. */
function refuseReserved(destination: string): void {
  const name = /^\w+:header\.(.+)$/.exec(destination)?.[1]
  if (name !== undefined && isReservedHeader(name)) throw invalidMapping(`Operations on header ${name} are restricted`)
}

const invalidMapping = (fault: string) =>
  errors.BadRequestException(`Invalid mapping expression specified: Validation Result: warnings : [], errors : [${fault}]`)

/**
 * Parameters that were given, added to those at hand. An empty value takes one away. Source: Terraform's update of aws_apigatewayv2_integration.
 * But what is to be removed from a request or response needs no value, and is written with an empty one by some (the CDK) and with `''` by others.
 */
function parametersOf(given: Record<string, string> | undefined = {}, held: Record<string, string> = {}): Record<string, string> | undefined {
  const all = { ...held }
  for (const [name, value] of Object.entries(given)) {
    const isRemoval = name.startsWith('remove:') && !own(held, name)
    if (value === '' && !isRemoval) delete all[name]
    else all[name] = value
  }
  return Object.keys(all).length > 0 ? all : undefined
}

/** By status code: as `parametersOf`; a status that is given without entries goes. Source: as above. */
function responseParameters(
  given: Record<string, Record<string, string>> | undefined = {}, held: Integration['responseParameters'] = {},
): Integration['responseParameters'] {
  const all: NonNullable<Integration['responseParameters']> = { ...held }
  for (const [status, parameters] of Object.entries(given)) {
    const merged = Object.keys(parameters).length === 0 ? undefined : parametersOf(parameters, own(held, status))
    if (merged) all[status] = merged
    else delete all[status]
  }
  return Object.keys(all).length > 0 ? all : undefined
}

/** Ours: what the data plane would not honour is refused, not stored. */
function refuseUnserved({ ConnectionType, IntegrationSubtype }: Partial<NewIntegration>): void {
  if (ConnectionType === 'VPC_LINK') throw errors.NotImplemented('ConnectionType VPC_LINK is not served: name the endpoint in the URI.')
  if (IntegrationSubtype) throw errors.NotImplemented('IntegrationSubtype is not served: call the service from a function.')
}
