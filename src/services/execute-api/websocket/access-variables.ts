// The `$context` variables of WebSocket APIs' access logs.

import type { AccessValue, AccessVariables } from '../access-log.ts'
import type { GatewayRefusal } from '../gateway-responses.ts'
import { masked } from '../mask.ts'
import { stepLatency } from '../step-latency.ts'
import { contextValue, factsOf } from './context.ts'
import type { SocketExchange } from './exchange.ts'

/** How an event ended. */
export interface SocketOutcome {
  status: number
  refusal: GatewayRefusal | undefined
}

const rounded = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : Math.round(ms))

/** Source: API Gateway developer guide, "Configure logging for WebSocket APIs". What is not served here (WAF) is missing. Ours: API keys are masked. */
export function accessVariables(exchange: SocketExchange, { status, refusal }: SocketOutcome): AccessVariables {
  const { integrationCall, authorizerCall, resultStatus, route, claim, key, deployed } = exchange
  const facts = factsOf(exchange, route?.routeKey ?? '')
  const isSigned = route?.definition.authorizationType === 'AWS_IAM' && exchange.eventType === 'CONNECT'
  const hasAuthorizer = route?.definition.authorizationType === 'CUSTOM' && exchange.eventType === 'CONNECT'
  const isDenied = refusal?.type === 'ACCESS_DENIED'
  const integrationError = integrationCall?.error ?? (refusal?.type === 'INTEGRATION_FAILURE' ? refusal.logLine : undefined)
  const known: Readonly<Record<string, AccessValue>> = {
    'status': status,
    'accountId': deployed?.snapshot.accountId,
    'identity.apiKey': key && masked(key.value),
    'error.message': refusal?.message,
    'error.messageString': refusal && JSON.stringify(refusal.shownMessage),
    'error.responseType': refusal?.type,
    'error.validationErrorString': refusal?.validationErrors,
    'integrationErrorMessage': integrationError,
    'integration.error': integrationError,
    'integrationLatency': rounded(integrationCall?.latencyMs),
    'integration.latency': rounded(integrationCall?.latencyMs),
    'integrationStatus': integrationCall?.status,
    'integration.integrationStatus': integrationCall?.status,
    'integration.status': integrationCall && resultStatus,
    'integration.requestId': integrationCall?.requestId,
    'awsEndpointRequestId': integrationCall?.requestId,
    'authenticate.status': isSigned ? claim ? 200 : refusal?.status : undefined,
    'authenticate.latency': isSigned ? stepLatency(exchange, 'authentication') : undefined,
    'authenticate.error': isSigned && !claim ? refusal?.message.split('\n')[0] : undefined,
    'authorize.status': isSigned && claim ? isDenied ? refusal.status : 200 : undefined,
    'authorize.latency': isSigned ? stepLatency(exchange, 'policy') : undefined,
    'authorize.error': isSigned && claim && isDenied ? refusal.message : undefined,
    'authorizer.status': hasAuthorizer ? exchange.client.authorizer ? isDenied ? refusal.status : 200 : refusal?.status : undefined,
    'authorizer.error': hasAuthorizer ? authorizerCall?.error ?? (isDenied ? refusal.message : undefined) : undefined,
    'authorizer.latency': rounded(authorizerCall?.latencyMs),
    'authorizer.integrationLatency': rounded(authorizerCall?.latencyMs),
    'authorizer.integrationStatus': authorizerCall?.status,
    'authorizer.requestId': authorizerCall?.requestId,
  }
  return (name) => Object.hasOwn(known, name) ? known[name] : contextValue(facts, name)
}
