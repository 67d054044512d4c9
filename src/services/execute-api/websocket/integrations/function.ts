// Functions behind a route: `AWS_PROXY`, which gets the event, and `AWS` with Lambda, which gets what the template made.

import { formatArn } from '#aws/arn.ts'
import type { InvocationResult } from '#services/lambda/index.ts'
import { errorMessageOf, parseAnswer } from '../../backends/function-answer.ts'
import { callFunction, type FunctionOptions } from '../../backends/function.ts'
import { configurationError, GatewayRefusal, INTERNAL_SERVER_ERROR, endpointTimedOut } from '../../gateway-responses.ts'
import { proxyEvent } from '../events.ts'
import type { SocketCall, SocketRequest, SocketResult } from '../exchange.ts'
import { timeoutOf } from './timeout.ts'

/**
 * Source: API Gateway developer guide, "Set up an AWS Lambda proxy integration"; answers are judged as a REST API's are: public reports of WebSocket APIs
 * say 502 of a `$connect` whose function fails or answers nothing.
 *
 * @throws GatewayRefusal 502 when the function fails or answers what is no response; what `invoke` throws.
 */
export async function invokeProxy(call: SocketCall, functionArn: string, options: FunctionOptions): Promise<SocketResult> {
  const result = await invoke(call, functionArn, { payload: Buffer.from(JSON.stringify(proxyEvent(call))), type: 'RequestResponse' }, options)
  const answer = result.functionError === undefined ? parseAnswer(result.payload) : undefined
  if (answer) return { ...answer, isFunction: true }
  const reason = result.functionError === undefined
    ? 'Execution failed due to configuration error: Malformed Lambda proxy response'
    : `Lambda execution failed with status ${result.status} due to customer function error: ${errorMessageOf(result.payload) ?? ''}. Lambda request id: ${result.requestId}`
  call.exchange.trace.add('integration', { malformed: result.functionError ?? 'the answer is not a proxy response' })
  throw new GatewayRefusal('INTEGRATION_FAILURE', INTERNAL_SERVER_ERROR, { status: 502, logLine: reason })
}

/** With `X-Amz-Invocation-Type: Event` mapped, the answer is Lambda's 202. @throws GatewayRefusal as `invoke`. */
export async function invokeFunction(call: SocketCall, functionArn: string, { body, headers }: SocketRequest, options: FunctionOptions): Promise<SocketResult> {
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'x-amz-invocation-type')?.[1] ?? 'RequestResponse'
  if (type !== 'RequestResponse' && type !== 'Event') throw configurationError(`Invalid invocation type: ${type}`)
  const result = await invoke(call, functionArn, { payload: body.length === 0 ? Buffer.from('{}') : body, type }, options)
  const { status, payload, functionError } = result
  return { status, headers: { 'Content-Type': 'application/json' }, body: payload, isFunction: true, hasFailed: functionError !== undefined, errorMessage: errorMessageOf(payload) }
}

/** @throws GatewayRefusal 504 after the timeout, 500 for a function that may not be invoked or is not there. */
async function invoke(
  call: SocketCall, functionArn: string, { payload, type }: { payload: Buffer, type: 'RequestResponse' | 'Event' }, options: FunctionOptions,
): Promise<InvocationResult> {
  const { exchange, route, integration: { definition }, deployed: { snapshot: { accountId, region, apiId }, stage: { stageName } } } = call
  const sourceArn = formatArn({ service: 'execute-api', region, accountId, resource: `${apiId}/${stageName}/${route.routeKey}` })
  const uri = invocationUri(functionArn, region)
  const known = exchange.integrationCall = { uri, body: payload, sentAtMs: options.clock.now() }
  const outcome = await callFunction(
    { functionArn, credentials: definition.credentialsArn || undefined, sourceArn, scope: { accountId, region } },
    { payload, type, timeoutMs: timeoutOf(call), traceHeader: exchange.traceHeader, request: exchange.client.request, atMs: exchange.atMs }, options,
  )
  const { latencyMs, result } = outcome
  const facts = { type: definition.integrationType, function: functionArn, latencyMs: Math.round(latencyMs) }
  if (result) {
    Object.assign(known, { latencyMs, status: result.status, requestId: result.requestId, answer: result.payload })
    exchange.trace.add('integration', { ...facts, status: result.status, functionError: result.functionError ?? null, functionRequestId: result.requestId })
    return result
  }
  const { reason, timedOut } = outcome as Extract<typeof outcome, { is: 'failed' }>
  Object.assign(known, { latencyMs, error: reason })
  exchange.trace.add('integration', { ...facts, failed: reason })
  throw timedOut ? endpointTimedOut() : configurationError(reason)
}

/** Where API Gateway says that it calls a function. */
export const invocationUri = (functionArn: string, region: string): string =>
  `https://lambda.${functionArn.split(':')[3] || region}.amazonaws.com/2015-03-31/functions/${functionArn}/invocations`
