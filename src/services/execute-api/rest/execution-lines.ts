// The lines of an execution log: what one request did, in the words of AWS's logs. CloudWatch Logs and test invocations show the same ones.

import type { HttpResponse } from '#lib/http.ts'
import { bodyLine, cut, mapText, type ExecutionLine } from '../execution-line.ts'
import type { GatewayRefusal } from '../gateway-responses.ts'
import { isSecret, masked } from '../mask.ts'
import type { ApiCall, EndpointAnswer, EndpointCall, Exchange, Route } from './exchange.ts'

/** How a request ended. */
export interface Outcome {
  response: HttpResponse
  /** Why the gateway itself answered. */
  refusal?: GatewayRefusal | undefined
  endedAtMs: number
}

/**
 * The lines of a deployed call, or of a test invocation (`exchange.test`).
 *
 * Observed: AWS, 29-09-2025, recorded by localstack's test_invoke_test_method and test_failed_invoke_test_method (mocks and failures).
 * Source: logs published by users, among them brefphp/bref issues 162 and 534 (functions, keys).
 */
export function executionLines(exchange: Exchange, outcome: Outcome): ExecutionLine[] {
  const { route, call, endpoint, test, requestId, atMs } = exchange
  const { refusal, response, endedAtMs } = outcome
  const lines: ExecutionLine[] = []
  const progress = (text: string, at = atMs) => lines.push({ atMs: at, text, is: 'progress' })
  const failure = (text: string, at = endedAtMs) => lines.push({ atMs: at, text, is: 'failure' })
  const data = (texts: readonly string[], at: number) => lines.push(...texts.map((text): ExecutionLine => ({ atMs: at, text: cut(text), is: 'data' })))

  if (!test) {
    lines.push({ atMs, text: `Extended Request Id: ${exchange.extendedRequestId}`, is: refusal ? 'failure' : 'progress' })
    lines.push(...exchange.lines ?? [])
    if (route) lines.push(...usagePlanLines(exchange, route, refusal))
  }
  if (call && !isOverLimit(refusal)) {
    progress(`Starting execution for request: ${requestId}`)
    progress(`HTTP Method: ${exchange.request.method}, Resource Path: ${call.route.address.path}`)
    if (!test && exchange.key) data([`API Key: ${masked(exchange.key.value)}`, `API Key ID: ${exchange.key.grant.keyId}`], atMs)
    data(methodRequest(call), atMs)
  }
  const secrets = call ? secretsOf(call) : []
  if (endpoint) data([...endpointRequest(endpoint, secrets), `Sending request to ${endpoint.uri}`], endpoint.sentAtMs)
  if (endpoint?.answer) data(endpointResponse(endpoint.answer, secrets), endpoint.sentAtMs + endpoint.answer.latencyMs)
  if (refusal) failure(reasonOf(exchange, refusal))
  else {
    data([bodyLine('Method response body after transformations', response.body, secrets)], endedAtMs)
    data([`Method response headers: ${mapText(Object.entries(methodResponseHeaders(exchange, response)))}`], endedAtMs)
    progress('Successfully completed execution', endedAtMs)
  }
  if (refusal) failure(`Method completed with status: ${response.status}`)
  else progress(`Method completed with status: ${response.status}`, endedAtMs)
  if (!test && endpoint?.answer?.requestId !== undefined) progress(`AWS Integration Endpoint RequestId : ${endpoint.answer.requestId}`, endedAtMs)
  return lines
}

/**
 * Lines as the console's test shows them, one below the other. For TestInvokeMethod and TestInvokeAuthorizer.
 * Observed: AWS, 29-09-2025, recorded by localstack's test_invoke_test_method.
 */
export function testLog(requestId: string, lines: readonly Pick<ExecutionLine, 'atMs' | 'text'>[]): string {
  return [`Execution log for request ${requestId}`, ...lines.map(({ atMs, text }) => `${javaDate(atMs)} : ${text}`), ''].join('\n')
}

/** What a client should see of an answer: without the ids that only calls over the wire have. */
export function methodResponseHeaders({ test }: Exchange, { headers }: HttpResponse): Record<string, string | string[]> {
  const hidden = new Set(['x-amzn-requestid', 'x-amz-apigw-id', ...test ? ['content-length'] : []])
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hidden.has(name.toLowerCase())))
}

/** `Sat Mar 05 15:47:32 UTC 2022`, as Java prints dates. */
export function javaDate(atMs: number): string {
  const [weekday, day, month, year, time] = new Date(atMs).toUTCString().replace(',', '').split(' ')
  return `${weekday} ${month} ${day} ${time} UTC ${year}`
}

function methodRequest({ exchange, parameters, multiValues, body }: ApiCall): string[] {
  return [
    `Method request path: ${mapText(Object.entries(parameters.path))}`,
    `Method request query string: ${mapText(Object.entries(multiValues.querystring))}`,
    `Method request headers: ${mapText(Object.entries(multiValues.header))}`,
    bodyLine('Method request body before transformations', body, exchange.key ? [exchange.key.value] : []),
  ]
}

function endpointRequest({ uri, headers, body }: EndpointCall, secrets: readonly string[]): string[] {
  return [
    `Endpoint request URI: ${uri}`,
    `Endpoint request headers: ${mapText(Object.entries(headers()))}`,
    bodyLine('Endpoint request body after transformations', body, secrets),
  ]
}

function endpointResponse({ status, headers, body, latencyMs }: EndpointAnswer, secrets: readonly string[]): string[] {
  return [
    `Received response. Status: ${status}, Integration latency: ${Math.round(latencyMs)} ms`,
    `Endpoint response headers: ${mapText(Object.entries(headers()))}`,
    bodyLine('Endpoint response body before transformations', body, secrets),
  ]
}

function secretsOf({ exchange }: ApiCall): string[] {
  const sent = exchange.request.headers.entries().filter(([name]) => isSecret(name)).map(([, value]) => value)
  return exchange.key ? [...sent, exchange.key.value] : sent
}

const isOverLimit = (refusal: GatewayRefusal | undefined): boolean => refusal?.type === 'THROTTLED' || refusal?.type === 'QUOTA_EXCEEDED'

/** Source: logs published by users; a method's own name stands in quotes, of `ANY` its name. */
function usagePlanLines(
  { requestId, key, atMs, request, call }: Exchange, { method, deployed: { snapshot, stage } }: Route, refusal: GatewayRefusal | undefined,
): ExecutionLine[] {
  if (method.resource.id === '' || (!call && refusal?.type !== 'INVALID_API_KEY')) return []
  const of = `${snapshot.apiId}/${stage.stageName}`
  const value = key?.value ?? (method.definition.apiKeyRequired ? request.headers.get('x-api-key') ?? '' : '')
  const shown = masked(value)
  const named = `'${method.definition.httpMethod} ${method.resource.path}'`
  const texts = [
    `Verifying Usage Plan for request: ${requestId}. API Key: ${shown} API Stage: ${of}`,
    ...method.definition.apiKeyRequired ? []
      : [`API Key ${shown} authorized because method ${named} does not require API Key. Request will not contribute to throttle or quota limits`],
    ...refusal?.type === 'INVALID_API_KEY' || isOverLimit(refusal) ? []
      : [`Usage Plan check succeeded for API Key ${shown} and API Stage ${of}`],
  ]
  return texts.map((text) => ({ atMs, text, is: 'progress' }))
}

/** Why the gateway answered itself: the line that came with the refusal, or the one that its type has. */
function reasonOf({ route, request }: Exchange, refusal: GatewayRefusal): string {
  if (refusal.logLine !== undefined) return refusal.logLine
  const { snapshot, stage } = route?.deployed ?? {}
  switch (refusal.type) {
    case 'INVALID_API_KEY':
      return `API Key ${masked(request.headers.get('x-api-key') ?? '')} not authorized because method '${route?.method.definition.httpMethod} ${route?.method.resource.path}' requires API Key `
        + `and API Key is not associated with a Usage Plan for API Stage ${snapshot?.apiId}/${stage?.stageName}: No Usage Plan found for key and API Stage`
    case 'BAD_REQUEST_BODY':
      return refusal.validationErrors === undefined ? refusal.message
        : `Request body does not match model schema for content type ${contentTypeOf(request.headers.get('content-type'))}: ${refusal.validationErrors}`
    default: return refusal.message.split('\n')[0]!
  }
}

const contentTypeOf = (header: string | undefined): string => header?.split(';')[0]?.trim() || 'application/json'
