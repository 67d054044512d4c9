// AWS_PROXY: a function gets the request as an event and answers the response, in payload format 1.0 or 2.0.

import { formatArn } from '#aws/arn.ts'
import type { Authorizer } from '#aws/authorize.ts'
import type { Caller, ServiceCaller } from '#aws/caller.ts'
import { AwsError } from '#aws/errors.ts'
import { answerV1, answerV2 } from '#aws/http-payload/answers.ts'
import { eventV1, eventV2 } from '#aws/http-payload/events.ts'
import type { Clock } from '#lib/clock.ts'
import type { InvocationResult, Invoker } from '#services/lambda/index.ts'
import { functionArnOf } from '../../backends/function-arn.ts'
import { GatewayRefusal } from '../../gateway-responses.ts'
import { GATEWAY_PRINCIPAL, type GatewayRoles } from '../../gateway-role.ts'
import { callFacts } from '../context.ts'
import type { HttpApiAnswer, HttpApiCall } from '../exchange.ts'
import { internalServerError, serviceUnavailable } from '../refusals.ts'
import { timeoutOf } from './timeout.ts'

export interface FunctionIntegrationOptions {
  invoker: Pick<Invoker, 'invoke'>
  authorizer: Authorizer
  gatewayRoles: GatewayRoles
  clock: Clock
}

/** @throws HttpRefusal 503 without an answer in time; 500 for a function that may not be invoked, fails, or answers what is no response. */
export async function invokeFunction(call: HttpApiCall, options: FunctionIntegrationOptions): Promise<HttpApiAnswer> {
  const { exchange, deployed, route, integration, parts } = call
  const { definition } = integration
  const functionArn = functionArnOf(definition.integrationUri ?? '', deployed.stage.stageVariables)
  if (functionArn === undefined) throw internalServerError('the integration\'s URI names no function')
  const facts = callFacts(exchange, route.routeKey)
  const isV2 = definition.payloadFormatVersion === '2.0'
  const event = isV2 ? eventV2(parts, facts) : eventV1(parts, facts, exchange.requestId)
  const result = await invoke(call, functionArn, Buffer.from(JSON.stringify(event)), options)
  const answer = result.functionError === undefined ? isV2 ? answerV2(result.payload) : answerV1(result.payload) : undefined
  if (answer) return answer
  const reason = result.functionError === undefined
    ? 'The response from the Lambda function doesn\'t match the format that API Gateway expects.'
    : 'The Lambda function returned the following error: Unhandled. Check your Lambda function code and try again.'
  exchange.integrationCall = { ...exchange.integrationCall, error: reason }
  exchange.trace.add('integration', { malformed: result.functionError ?? 'the answer is no response' })
  throw internalServerError(reason)
}

async function invoke(call: HttpApiCall, functionArn: string, payload: Buffer, options: FunctionIntegrationOptions): Promise<InvocationResult> {
  const { exchange, integration } = call
  const { clock } = options
  const timeoutMs = timeoutOf(call)
  const startedAt = clock.monotonic()
  const latency = () => clock.monotonic() - startedAt
  const answered = new AbortController()
  const facts = { type: 'AWS_PROXY', function: functionArn }
  try {
    const sourceArn = sourceArnOf(call)
    const caller = await callerOf(call, functionArn, sourceArn, options)
    const result = await Promise.race([
      options.invoker.invoke({ functionArn, payload, type: 'RequestResponse', timeoutMs, traceHeader: exchange.traceHeader, caller, ...(caller.is === 'service' ? { sourceArn } : {}) }),
      clock.sleep(timeoutMs, answered.signal).then(() => 'timed out' as const),
    ])
    if (result === 'timed out') throw timedOut(call, facts, timeoutMs)
    exchange.integrationCall = { latencyMs: latency(), status: result.status, requestId: result.requestId }
    exchange.trace.add('integration', {
      ...facts, payloadFormatVersion: integration.definition.payloadFormatVersion, status: result.status, functionError: result.functionError ?? null,
      latencyMs: Math.round(latency()), functionRequestId: result.requestId,
    })
    return result
  } catch (error) {
    if (error instanceof GatewayRefusal) throw failed(call, facts, error.logLine ?? error.message)
    if (!(error instanceof AwsError)) throw error
    if (latency() >= timeoutMs) throw timedOut(call, facts, timeoutMs)
    throw failed(call, facts, `The function was not invoked: ${error.code}: ${error.message}`)
  } finally {
    answered.abort('answered')
  }
}

/** `arn:aws:execute-api:region:account:api/stage/METHOD/path/{variable}`; of `ANY` a `*`, of `$default` only that. */
function sourceArnOf({ deployed: { snapshot, stage }, route: { routeKey } }: HttpApiCall): string {
  const [method, path] = routeKey.split(' ')
  const called = path === undefined ? routeKey : `${method === 'ANY' ? '*' : method}${path}`
  return formatArn({ service: 'execute-api', region: snapshot.region, accountId: snapshot.accountId, resource: `${snapshot.apiId}/${stage.stageName}/${called}` })
}

/** The integration's role, which needs `lambda:InvokeFunction`; without one API Gateway itself, whom the function's policy must let in. */
async function callerOf(
  { deployed: { snapshot: { accountId, region } }, integration: { definition }, exchange }: HttpApiCall, functionArn: string, sourceArn: string,
  { gatewayRoles, authorizer }: FunctionIntegrationOptions,
): Promise<Caller | ServiceCaller> {
  if (!definition.credentialsArn) return { is: 'service', principal: GATEWAY_PRINCIPAL, accountId, arn: GATEWAY_PRINCIPAL, userId: GATEWAY_PRINCIPAL }
  const caller = await gatewayRoles.callerFor(definition.credentialsArn, accountId, sourceArn)
  const decision = await authorizer.decide({ caller, scope: { accountId, region }, atMs: exchange.atMs, request: exchange.request }, { action: 'lambda:InvokeFunction', resource: functionArn })
  if (!decision.allowed) throw new AwsError('AccessDeniedException', 403, decision.message)
  return caller
}

function failed({ exchange }: HttpApiCall, facts: Record<string, unknown>, reason: string) {
  exchange.integrationCall = { ...exchange.integrationCall, error: reason }
  exchange.trace.add('integration', { ...facts, refused: reason })
  return internalServerError(reason)
}

function timedOut({ exchange }: HttpApiCall, facts: Record<string, unknown>, timeoutMs: number) {
  exchange.integrationCall = { ...exchange.integrationCall, error: 'the integration timed out' }
  exchange.trace.add('integration', { ...facts, timedOutAfterMs: timeoutMs })
  return serviceUnavailable('the integration timed out')
}
