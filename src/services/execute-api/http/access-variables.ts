// The `$context` variables of HTTP APIs' access logs.

import type { HttpResponse } from '#lib/http.ts'
import type { AccessValue, AccessVariables } from '../access-log.ts'
import { contextValue } from './context.ts'
import type { HttpExchange } from './exchange.ts'
import type { HttpRefusal } from './refusals.ts'

export interface HttpOutcome {
  response: HttpResponse
  refusal: HttpRefusal | undefined
  durationMs: number
}

/** Source: API Gateway developer guide, "Customize HTTP API access logs". What is not served here (WAF, client certificates) is missing. */
export function accessVariables(exchange: HttpExchange, { response, refusal, durationMs }: HttpOutcome): AccessVariables {
  const { integrationCall, claim, route } = exchange
  const latency = integrationCall?.latencyMs === undefined ? undefined : Math.round(integrationCall.latencyMs)
  const known: Readonly<Record<string, AccessValue>> = {
    'status': response.status,
    'responseLength': lengthOf(response.body),
    'responseLatency': Math.round(durationMs),
    'dataProcessed': lengthOf(response.body),
    'error.message': refusal?.message,
    'error.messageString': refusal && JSON.stringify(refusal.message),
    'error.responseType': refusal && responseTypes[refusal.status],
    'integrationErrorMessage': integrationCall?.error,
    'integration.error': integrationCall?.error,
    'integrationLatency': latency,
    'integration.latency': latency,
    'integrationStatus': integrationCall?.status,
    'integration.integrationStatus': integrationCall?.status,
    'integration.status': integrationCall?.status,
    'integration.requestId': integrationCall?.requestId,
    'awsEndpointRequestId': integrationCall?.requestId,
    'authorize.status': route?.definition.authorizationType === 'AWS_IAM' ? exchange.authorizer ? 200 : refusal?.status : undefined,
    'authenticate.status': route?.definition.authorizationType === 'AWS_IAM' ? claim ? 200 : refusal?.status : undefined,
    'authorizer.error': exchange.authorizerCall?.error ?? (refusal && (refusal.status === 401 || refusal.status === 403) ? refusal.reason : undefined),
  }
  return (name) => Object.hasOwn(known, name) ? known[name] : contextValue(exchange, name)
}

/** Ours: the types that REST APIs have for the same refusals. */
const responseTypes: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED', 403: 'ACCESS_DENIED', 404: 'RESOURCE_NOT_FOUND', 413: 'REQUEST_TOO_LARGE', 429: 'THROTTLED', 500: 'INTEGRATION_FAILURE', 503: 'INTEGRATION_TIMEOUT',
}

function lengthOf(body: HttpResponse['body']): number | undefined {
  if (body === undefined) return 0
  return typeof body === 'string' || Buffer.isBuffer(body) ? Buffer.byteLength(body) : undefined
}
