// AWS integrations with Lambda: the function gets what the template made, and fails in words that response patterns match.

import { AwsError } from '#aws/errors.ts'
import type { Invocation, InvocationResult } from '#services/lambda/index.ts'
import { withStageVariables } from '../../backends/address.ts'
import { errorMessageOf } from '../../backends/function-answer.ts'
import { configurationError, GatewayRefusal, INTERNAL_SERVER_ERROR, endpointTimedOut } from '../../gateway-responses.ts'
import { NotServed, notServed } from '../../not-served.ts'
import { JsonSyntaxError, parseJson } from '../../templates/json.ts'
import { notJson } from '../../templates/run-template.ts'
import { tracedBody } from '../../traced-body.ts'
import type { ApiCall, IntegrationRequest, IntegrationResult } from '../exchange.ts'
import type { IntegrateOptions } from '../steps/integrate.ts'
import { send } from './aws-service.ts'
import { functionAnswer, functionEndpoint } from './function-endpoint.ts'
import { sourceArnOf } from './source-arn.ts'
import { integrationTimeoutMs } from './timeout.ts'

/** Whom a function's policy lets in. */
const PRINCIPAL = 'apigateway.amazonaws.com'

/** The function of an integration's URI, stage variables put in; undefined for another service's URI. */
export function functionArnOf(uri: string, stageVariables: Readonly<Record<string, string>>): string | undefined {
  return /^arn:[^:]+:apigateway:[^:]*:lambda:path\/+2015-03-31\/functions\/(.+)\/invocations$/.exec(withStageVariables(uri, stageVariables))?.[1]
}

/** @throws GatewayRefusal 400 when what the function would get is not JSON, and what `invoke` throws. */
export async function invokeFunction(
  call: ApiCall,
  functionArn: string,
  { body, headers }: IntegrationRequest,
  options: IntegrateOptions,
): Promise<IntegrationResult> {
  const payload = body.length === 0 ? Buffer.from('{}') : body
  refuseUnlessJson(payload)
  const result = await invoke(call, { functionArn, payload, type: headerOf(headers, 'x-amz-invocation-type') || 'RequestResponse' }, options)
  return {
    status: result.status,
    body: result.payload,
    headers: { 'Content-Type': 'application/json', ...(result.functionError ? { 'X-Amz-Function-Error': result.functionError } : {}) },
    errorMessage: errorMessageOf(result.payload),
    isFunction: true,
    isFinal: false,
  }
}

function headerOf(headers: Readonly<Record<string, string>>, lowerName: string): string | undefined {
  const name = Object.keys(headers).find((key) => key.toLowerCase() === lowerName)
  return name === undefined ? undefined : headers[name]
}

function refuseUnlessJson(payload: Buffer): void {
  const text = payload.toString('utf8')
  try {
    JSON.parse(text)
  } catch {
    try {
      parseJson(text)
    } catch (error) {
      throw notJson(error instanceof JsonSyntaxError ? error.message : 'malformed')
    }
  }
}

interface Wanted extends Pick<Invocation, 'functionArn' | 'payload'> {
  /** As a mapping gives it, which may be what the client sent. */
  type: string
}

/**
 * Invokes as `apigateway.amazonaws.com` for the method, which the function's policy must let in, or in the name of the integration's
 * `credentials`, which need `lambda:InvokeFunction`. Waits no longer than the integration's timeout.
 *
 * @throws GatewayRefusal 504 (`Endpoint request timed out`), or 500 when the function may not be invoked, is missing or throttled.
 */
export async function invoke(call: ApiCall, wanted: Wanted, options: IntegrateOptions): Promise<InvocationResult> {
  return call.integration.definition.credentials ? invokeAsRole(call, wanted, options) : invokeAsService(call, wanted, options)
}

/** An Invoke like any other, with its permissions: the role's policies or the function's must allow it. */
async function invokeAsRole(call: ApiCall, { functionArn, payload, type }: Wanted, options: IntegrateOptions): Promise<InvocationResult> {
  const region = functionArn.split(':')[3] || call.route.deployed.snapshot.region
  const { status, headers, body } = await send(call, {
    service: 'lambda', region, method: 'POST', target: { path: `/2015-03-31/functions/${encodeURIComponent(functionArn)}/invocations` }, rawQuery: '', body: payload,
    headers: [['Content-Type', 'application/json'], ['X-Amz-Invocation-Type', type], ['X-Amzn-Trace-Id', call.exchange.traceHeader]],
  }, options)
  const header = (name: string) => [headers[Object.keys(headers).find((key) => key.toLowerCase() === name) ?? '']].flat()[0]
  if (status >= 300) throw refusalOf(new AwsError(header('x-amzn-errortype')?.split(':')[0] ?? '', status, messageOf(body)))
  const functionError = header('x-amz-function-error')
  return {
    status, payload: body, requestId: header('x-amzn-requestid') ?? '', executedVersion: header('x-amz-executed-version') ?? '', logTail: Buffer.alloc(0),
    ...(functionError === 'Handled' || functionError === 'Unhandled' ? { functionError } : {}),
  }
}

function messageOf(body: Buffer): string {
  const { message, Message } = JSON.parse(body.toString('utf8') || '{}') as { message?: string, Message?: string }
  return message ?? Message ?? ''
}

/** @throws NotServed for a dry run, GatewayRefusal 500 for what is no type. */
function typeOf({ type }: Wanted): Invocation['type'] {
  if (type === 'Event' || type === 'RequestResponse') return type
  if (type === 'DryRun') throw notServed('dry runs of functions without a role (X-Amz-Invocation-Type: DryRun)')
  throw refusalOf(new AwsError('ValidationException', 400, `Value '${type}' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]`))
}

async function invokeAsService(call: ApiCall, wanted: Wanted, { invoker, clock }: IntegrateOptions): Promise<InvocationResult> {
  const { functionArn, payload } = wanted
  const type = typeOf(wanted)
  const { exchange, route, integration } = call
  const { snapshot } = route.deployed
  const timeoutMs = integrationTimeoutMs(call)
  const sourceArn = sourceArnOf(call)
  const startedAt = clock.monotonic()
  const endpoint = exchange.endpoint = functionEndpoint(exchange, functionArn, { body: payload, sourceArn, sentAtMs: clock.now() })
  const answered = new AbortController()
  try {
    const result = await Promise.race([
      invoker.invoke({
        functionArn, payload, type, timeoutMs, sourceArn, traceHeader: exchange.traceHeader,
        caller: { is: 'service', principal: PRINCIPAL, accountId: snapshot.accountId, arn: PRINCIPAL, userId: PRINCIPAL },
      }),
      clock.sleep(timeoutMs, answered.signal).then(() => 'timed out' as const),
    ])
    if (result === 'timed out') throw timedOut(call, functionArn, timeoutMs)
    const latencyMs = clock.monotonic() - startedAt
    endpoint.answer = functionAnswer(result, { latencyMs, answeredAtMs: clock.now(), traceHeader: exchange.traceHeader })
    exchange.trace.add('integration', {
      type: integration.definition.type, function: functionArn, status: result.status, functionError: result.functionError ?? null,
      latencyMs: Math.round(latencyMs), functionRequestId: result.requestId,
      ...(route.mayTraceBodies ? { request: tracedBody(payload), response: tracedBody(result.payload) } : {}),
    })
    traceFunctionLog(call, result)
    return result
  } catch (error) {
    if (!(error instanceof AwsError)) throw error
    if (clock.monotonic() - startedAt >= timeoutMs) throw timedOut(call, functionArn, timeoutMs)
    exchange.trace.add('integration', { type: integration.definition.type, function: functionArn, refused: error.code, message: error.message })
    throw refusalOf(error)
  } finally {
    // With a reason of its own: making the standard exception costs more than the rest of this step.
    answered.abort('answered')
  }
}

/** What a function printed may hold secrets of its own; it is shown where bodies are. */
function traceFunctionLog({ exchange, route }: ApiCall, { logTail }: InvocationResult): void {
  if (route.mayTraceBodies && logTail.length > 0) exchange.trace.add('function-log', { tail: logTail.toString('utf8') })
}

function timedOut({ exchange, integration }: ApiCall, functionArn: string, timeoutMs: number): GatewayRefusal {
  exchange.trace.add('integration', { type: integration.definition.type, function: functionArn, timedOutAfterMs: timeoutMs })
  return endpointTimedOut()
}

/** Source: developer guide and public reports: a function that cannot be invoked is a configuration error of the API. */
function refusalOf(error: AwsError): Error {
  switch (error.code) {
    case 'AccessDeniedException': case 'ResourceNotFoundException': return configurationError('Invalid permissions on Lambda function')
    case 'InvalidRequestContentException': return new GatewayRefusal('BAD_REQUEST_BODY', error.message)
    // Source: koki-develop/lgtm-generator issue 10 (the answer); theburningmonk.com, "Hit the 6MB Lambda payload limit?" (the line).
    case 'RequestEntityTooLargeException': return new GatewayRefusal('REQUEST_TOO_LARGE', 'Request Too Long', { errorType: 'BadRequestException', logLine: `Execution failed: ${error.message}` })
    default: break
  }
  if (error.status === 501) return new NotServed(error.message)
  const logLine = `Lambda invocation failed with status ${error.status}: ${error.message}`
  return new GatewayRefusal('INTEGRATION_FAILURE', INTERNAL_SERVER_ERROR, { status: 500, logLine })
}
