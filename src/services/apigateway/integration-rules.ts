// What an integration may be: its defaults and AWS's refusals.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { parseArn } from '#aws/arn.ts'
import { errors } from './errors.ts'
import { INTEGRATION_TIMEOUT_MS_MAX, INTEGRATION_TIMEOUT_MS_MIN } from './limits.ts'
import { checkRequestMapping, checkTemplates } from './mappings.ts'
import type { ContentHandling, Integration, Method, PassthroughBehavior, Resource } from './model.ts'

export type NewIntegration = Omit<sdk.PutIntegrationRequest, 'restApiId' | 'resourceId' | 'httpMethod'>

/**
 * A new integration of a method. Observed: AWS, 06-06-2024, recorded by localstack's test_put_integration_validation, and 02-07-2025, by
 * test_import_swagger_api (the defaults).
 */
export function newIntegration(resource: Resource, method: Method, request: NewIntegration): Integration {
  const { type, integrationHttpMethod, uri, connectionType, connectionId, credentials, requestParameters, requestTemplates } = request
  if (!type) throw errors.BadRequestException('Enumeration value for IntegrationType must be non-empty')
  refuseUnserved(request)
  if (type !== 'MOCK') {
    if (!integrationHttpMethod) throw errors.BadRequestException('Enumeration value for HttpMethod must be non-empty')
    checkUri(type, uri)
  }
  checkCredentials(credentials)
  // Seen in reports of refused calls, hashicorp/terraform-provider-aws issue 7916 among them: functions alone are called without a role.
  if (type === 'AWS' && !credentials && serviceOf(uri) !== 'lambda') throw errors.BadRequestException('Role ARN must be specified for AWS integrations')
  checkRequestMapping(requestParameters, method)
  checkTemplates(requestTemplates)
  const isHttp = type === 'HTTP' || type === 'HTTP_PROXY'
  return {
    type,
    httpMethod: type === 'MOCK' ? undefined : integrationHttpMethod,
    uri: type === 'MOCK' ? undefined : uri,
    connectionType: isHttp ? connectionType ?? 'INTERNET' : connectionType,
    connectionId,
    credentials: credentials || undefined,
    requestParameters,
    requestTemplates,
    passthroughBehavior: passthroughBehavior(request.passthroughBehavior),
    contentHandling: contentHandling(request.contentHandling),
    timeoutInMillis: timeoutMs(request.timeoutInMillis),
    cacheNamespace: request.cacheNamespace || resource.id,
    cacheKeyParameters: request.cacheKeyParameters ?? [],
    tlsConfig: request.tlsConfig,
    responseTransferMode: request.responseTransferMode,
  }
}

/** Refuses a URI that cannot be called. Stage variables may stand anywhere in it. */
export function checkUri(type: Integration['type'], uri: string | undefined): void {
  if (type === 'MOCK') return
  if (type === 'HTTP' || type === 'HTTP_PROXY') {
    const isUrl = uri !== undefined && /^(?:https?:\/\/|\$\{stageVariables\.)[^\s/]/.test(uri)
    if (!isUrl) throw errors.BadRequestException('Invalid HTTP endpoint specified for URI')
    return
  }
  const arn = uri === undefined ? undefined : parseArn(uri)
  if (!arn) throw errors.BadRequestException('Invalid ARN specified in the request')
  // Seen in reports of refused imports.
  if (!/^(?:path|action)\//.test(arn.resource)) throw errors.BadRequestException('AWS ARN for integration must contain path or action')
  if (arn.service !== 'apigateway') throw errors.BadRequestException('Invalid ARN specified in the request')
  const backend = serviceOf(uri)
  // Observed: AWS, 26-02-2023, recorded by localstack's test_error_aws_proxy_not_supported.
  if (type === 'AWS_PROXY' && backend !== 'lambda' && backend !== 'firehose') {
    throw errors.BadRequestException("Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.")
  }
}

/** `dynamodb` of `arn:aws:apigateway:us-east-1:dynamodb:action/GetItem`, with or without a subdomain before it. */
const serviceOf = (uri: string | undefined): string | undefined => parseArn(uri ?? '')?.accountId.split('.').at(-1)

/** The function that an integration's URI invokes, unless a stage variable decides. */
export function functionOf(uri: string | undefined): string | undefined {
  const functionArn = /:lambda:path\/+[0-9-]+\/functions\/(arn:[^/]+)\/(?:invocations|response-streaming-invocations)$/.exec(uri ?? '')?.[1]
  return functionArn?.includes('${') ? undefined : functionArn
}

/** Seen in reports of refused imports: the answer when the function does not exist. */
export const invalidFunction = () => errors.BadRequestException('Invalid function ARN or invalid uri')

/** A role, or the caller's own identity. Seen in reports of refused calls. */
export function checkCredentials(credentials: string | undefined): void {
  if (!credentials || credentials.includes('${stageVariables.')) return
  const arn = parseArn(credentials)
  const isIdentity = arn?.service === 'iam' && (arn.resource.startsWith('role/') || (arn.accountId === '*' && arn.resource === 'user/*'))
  if (!isIdentity) throw errors.BadRequestException('Invalid ARN specified in the request')
}

/** The role that API Gateway takes on, for `iam:PassRole`. */
export function roleOf(credentials: string | undefined): string | undefined {
  return credentials !== undefined && parseArn(credentials)?.resource.startsWith('role/') ? credentials : undefined
}

export function passthroughBehavior(value: string | undefined): PassthroughBehavior {
  const behavior = (value || 'WHEN_NO_MATCH').toUpperCase()
  if (behavior === 'WHEN_NO_MATCH' || behavior === 'WHEN_NO_TEMPLATES' || behavior === 'NEVER') return behavior
  throw errors.BadRequestException('Invalid PassthroughBehavior specified. Valid options are WHEN_NO_MATCH,WHEN_NO_TEMPLATES,NEVER')
}

export function contentHandling(value: string | undefined): ContentHandling | undefined {
  if (!value) return undefined
  const handling = value.toUpperCase()
  if (handling === 'CONVERT_TO_BINARY' || handling === 'CONVERT_TO_TEXT') return handling
  throw errors.BadRequestException('Invalid ContentHandling specified. Valid options are CONVERT_TO_BINARY,CONVERT_TO_TEXT')
}

/** Seen in reports of refused imports. */
export function timeoutMs(value: number | undefined): number {
  if (value === undefined) return INTEGRATION_TIMEOUT_MS_MAX
  if (!Number.isInteger(value) || value < INTEGRATION_TIMEOUT_MS_MIN || value > INTEGRATION_TIMEOUT_MS_MAX) {
    throw errors.BadRequestException(`Timeout should be between ${INTEGRATION_TIMEOUT_MS_MIN} ms and ${INTEGRATION_TIMEOUT_MS_MAX} ms`)
  }
  return value
}

/** Ours: what the data plane would not honour is refused, not stored. */
function refuseUnserved({ connectionType, responseTransferMode }: NewIntegration): void {
  if (connectionType === 'VPC_LINK') throw errors.NotImplemented('connectionType VPC_LINK is not served: name the endpoint in the URI.')
  if (responseTransferMode === 'STREAM') throw errors.NotImplemented('responseTransferMode STREAM is not served.')
}
