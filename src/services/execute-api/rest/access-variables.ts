// The `$context` variables of REST APIs' access logs.

import type { AccessValue, AccessVariables } from '../access-log.ts'
import { masked } from '../mask.ts'
import { stepLatency } from '../step-latency.ts'
import { JavaList, JavaMap, toText, type Value } from '../templates/values.ts'
import { factsOf } from './call-facts.ts'
import type { EndpointCall, Exchange } from './exchange.ts'
import type { Outcome } from './execution-lines.ts'

/** Whole milliseconds, as AWS prints latencies. */
const ms = (value: number | undefined): number | undefined => (value === undefined ? undefined : Math.round(value))

/**
 * Looks variables up in what the request has left. What AWS documents and is not served here (domain names, WAF, X-Ray, canaries,
 * Cognito identities, client certificates, VPC endpoints) is missing and so printed as `-`.
 *
 * Source: developer guide, "Variables for access logging for API Gateway". Ours: API keys are masked.
 */
export function accessVariables(exchange: Exchange, outcome: Outcome): AccessVariables {
  const { route, call, claim, authorizerCall, endpoint, result } = exchange
  const { refusal, response } = outcome
  const facts = call?.facts ?? (route && factsOf(exchange, route, claim)) ?? {}
  const known: Readonly<Record<string, (() => AccessValue) | undefined>> = {
    status: () => response.status,
    responseLength: () => lengthOf(response.body),
    responseLatency: () => ms(outcome.endedAtMs - exchange.atMs),
    endpointType: () => route?.deployed.snapshot.endpointConfiguration.types[0],

    'error.message': () => refusal?.message,
    'error.messageString': () => refusal && JSON.stringify(refusal.shownMessage),
    'error.responseType': () => refusal?.type,
    'error.validationErrorString': () => refusal?.validationErrors,

    'identity.apiKey': () => exchange.key && masked(exchange.key.value),

    integrationLatency: () => ms(endpoint?.answer?.latencyMs),
    integrationStatus: () => endpoint ? endpoint.answer?.status : result?.status,
    integrationErrorMessage: () => integrationError(exchange, outcome),
    'integration.latency': () => ms(endpoint?.answer?.latencyMs),
    'integration.integrationStatus': () => endpoint ? endpoint.answer?.status : result?.status,
    'integration.status': () => endpoint && result?.status,
    'integration.error': () => integrationError(exchange, outcome),
    'integration.requestId': () => endpoint?.answer?.requestId,
    awsEndpointRequestId: () => endpoint?.answer?.requestId,

    'authenticate.status': () => isSigned(exchange) ? claim ? 200 : refusal?.status : undefined,
    'authenticate.error': () => isSigned(exchange) && !claim ? refusal?.message : undefined,
    'authenticate.latency': () => stepLatency(exchange, 'authentication'),
    'authorize.status': () => authorizeStatus(exchange, outcome),
    'authorize.error': () => refusal?.type === 'ACCESS_DENIED' ? refusal.message : undefined,
    'authorize.latency': () => stepLatency(exchange, 'policy'),

    'authorizer.integrationLatency': () => ms(authorizerCall?.answer?.latencyMs),
    'authorizer.integrationStatus': () => authorizerCall?.answer?.status,
    'authorizer.latency': () => ms(authorizerCall?.answer?.latencyMs),
    'authorizer.requestId': () => authorizerCall?.answer?.requestId,
    'authorizer.status': () => authorizerStatus(authorizerCall, exchange, outcome),
    'authorizer.error': () => authorizerCall?.error ?? (authorizerCall && isAuthorizerRefusal(outcome) ? refusal?.message : undefined),
    // Source: the same page: the whole of the claims is null.
    'authorizer.claims': () => undefined,
  }
  return (name) => {
    const own = Object.hasOwn(known, name) ? known[name] : undefined
    return own ? own() : overridden(exchange, name) ?? valueAt(facts, name)
  }
}

/** The value at a path of names; an object or list prints as templates print it. */
function valueAt(facts: object, name: string): AccessValue {
  let value: unknown = facts
  for (const key of name.split('.')) {
    if (value instanceof JavaMap) value = value.entries.get(key)
    else if (typeof value === 'object' && value !== null && Object.hasOwn(value, key)) value = (value as Record<string, unknown>)[key]
    else return undefined
  }
  if (value instanceof JavaMap || value instanceof JavaList) return toText(value as Value)
  return typeof value === 'object' || typeof value === 'function' ? undefined : value as AccessValue
}

/** `requestOverride.header.x`, `responseOverride.status` and their like, as templates set them. */
function overridden({ call }: Exchange, name: string): AccessValue {
  if (!call || !/^(?:request|response)Override\./.test(name)) return undefined
  const { request, response } = call.context.overrides()
  const [root, kind, ...rest] = name.split('.')
  const key = rest.join('.')
  if (root === 'responseOverride') return kind === 'status' ? response.status : response.header[key]?.join(',')
  if (kind === 'header' || kind === 'querystring') return request[kind][key]?.join(',')
  return kind === 'path' ? request.path[key] : undefined
}

function lengthOf(body: Outcome['response']['body']): number | undefined {
  if (body === undefined) return 0
  return typeof body === 'string' || Buffer.isBuffer(body) ? Buffer.byteLength(body) : undefined
}

const isSigned = ({ route }: Exchange): boolean => route?.method.definition.authorizationType === 'AWS_IAM'

function authorizeStatus(exchange: Exchange, { refusal }: Outcome): number | undefined {
  if (refusal?.type === 'ACCESS_DENIED') return refusal.status
  return (isSigned(exchange) || exchange.authorizerCall) && exchange.call ? 200 : undefined
}

const isAuthorizerRefusal = ({ refusal }: Outcome): boolean =>
  refusal !== undefined && ['UNAUTHORIZED', 'ACCESS_DENIED', 'AUTHORIZER_FAILURE', 'AUTHORIZER_CONFIGURATION_ERROR'].includes(refusal.type)

function authorizerStatus(authorizerCall: EndpointCall | undefined, { call }: Exchange, outcome: Outcome): number | undefined {
  if (!authorizerCall) return undefined
  return isAuthorizerRefusal(outcome) ? outcome.refusal?.status : call && 200
}

/** Source: users' published lines: what the execution log says of an integration that failed. */
function integrationError({ endpoint }: Exchange, { refusal }: Outcome): string | undefined {
  if (!endpoint) return undefined
  return endpoint.error ?? (refusal ? refusal.logLine ?? refusal.message : undefined)
}
