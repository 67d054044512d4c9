// Calls a function for API Gateway, an authorizer's above all, with the permission that the function's policy or a role gives.

import type { Scope } from '#aws/arn.ts'
import type { Authorizer } from '#aws/authorize.ts'
import type { Caller, ServiceCaller } from '#aws/caller.ts'
import { AwsError } from '#aws/errors.ts'
import type { Call } from '#aws/service.ts'
import type { Clock } from '#lib/clock.ts'
import type { Invocation, InvocationResult, Invoker } from '#services/lambda/index.ts'
import { GatewayRefusal } from '../gateway-responses.ts'
import { GATEWAY_PRINCIPAL, type GatewayRoles } from '../gateway-role.ts'

export interface CalledFunction {
  functionArn: string
  /** The authorizer's or integration's role; without one the function's policy must let API Gateway in. */
  credentials: string | undefined
  /** `arn:aws:execute-api:{region}:{account}:{api}/authorizers/{id}`, `…/{stage}/{route}`. */
  sourceArn: string
  /** Of the API. */
  scope: Scope
}

export interface FunctionCall {
  payload: Buffer
  /** `RequestResponse` unless given. */
  type?: Invocation['type'] | undefined
  timeoutMs: number
  traceHeader: string
  /** The request that is judged. */
  request: Call['request']
  atMs: number
}

export interface FunctionOptions {
  invoker: Pick<Invoker, 'invoke'>
  /** Decides what roles may do. */
  authorizer: Authorizer
  gatewayRoles: GatewayRoles
  clock: Clock
}

export type FunctionOutcome =
  /** The function answered something. */
  | { is: 'answered', result: InvocationResult, latencyMs: number }
  /** It failed, in the one way that says: this caller is nobody. */
  | { is: 'unauthorized', result: InvocationResult, latencyMs: number }
  /** It failed, may not be called, or did not answer in time. `reason` is for logs and traces and says nothing of the request. */
  | { is: 'failed', reason: string, timedOut: boolean, result?: InvocationResult, latencyMs: number }

/**
 * Invokes the function and waits for `timeoutMs` at most. Never rejects for what the function or its permissions do wrong.
 *
 * Source: API Gateway developer guide, "Use API Gateway Lambda authorizers": a function that fails with `Unauthorized`, in exactly this spelling,
 * answers 401; auth0-samples/jwt-rsa-aws-custom-authorizer pull request 6: any other failure answers 500.
 */
export async function callFunction(target: CalledFunction, call: FunctionCall, options: FunctionOptions): Promise<FunctionOutcome> {
  const { clock } = options
  const startedAt = clock.monotonic()
  const latency = () => clock.monotonic() - startedAt
  const answered = new AbortController()
  try {
    const caller = await callerOf(target, call, options)
    if (caller === 'not allowed') return { is: 'failed', reason: INVALID_PERMISSIONS, timedOut: false, latencyMs: latency() }
    const result = await Promise.race([
      options.invoker.invoke({
        functionArn: target.functionArn, payload: call.payload, type: call.type ?? 'RequestResponse', timeoutMs: call.timeoutMs, traceHeader: call.traceHeader, caller,
        ...(caller.is === 'service' && { sourceArn: target.sourceArn }),
      }),
      clock.sleep(call.timeoutMs, answered.signal).then(() => 'timed out' as const),
    ])
    if (result === 'timed out') return timedOut(latency())
    if (result.functionError === undefined) return { is: 'answered', result, latencyMs: latency() }
    if (errorMessageOf(result.payload) === 'Unauthorized') return { is: 'unauthorized', result, latencyMs: latency() }
    return { is: 'failed', reason: 'The function failed', timedOut: false, result, latencyMs: latency() }
  } catch (error) {
    if (latency() >= call.timeoutMs) return timedOut(latency())
    if (error instanceof GatewayRefusal) return { is: 'failed', reason: roleReason(error), timedOut: false, latencyMs: latency() }
    if (!(error instanceof AwsError)) throw error
    const isRefused = error.code === 'AccessDeniedException' || error.code === 'ResourceNotFoundException'
    return { is: 'failed', reason: isRefused ? INVALID_PERMISSIONS : `The function was not invoked (${error.code})`, timedOut: false, latencyMs: latency() }
  } finally {
    answered.abort('answered')
  }
}

/** Source: execution logs that users published. */
const INVALID_PERMISSIONS = 'Invalid permissions on Lambda function'

const timedOut = (latencyMs: number): FunctionOutcome => ({ is: 'failed', reason: 'The function did not answer in time', timedOut: true, latencyMs })

/** A role that API Gateway cannot take on is told by a log line of the whole sentence. */
const roleReason = ({ logLine }: GatewayRefusal): string => (logLine ?? 'The role cannot be assumed').replace(/^Execution failed due to configuration error: /, '')

async function callerOf(
  { functionArn, credentials, sourceArn, scope }: CalledFunction, { request, atMs }: FunctionCall, { gatewayRoles, authorizer }: FunctionOptions,
): Promise<Caller | ServiceCaller | 'not allowed'> {
  const { accountId } = scope
  if (credentials === undefined) return { is: 'service', principal: GATEWAY_PRINCIPAL, accountId, arn: GATEWAY_PRINCIPAL, userId: GATEWAY_PRINCIPAL }
  const caller = await gatewayRoles.callerFor(credentials, accountId, sourceArn)
  const { allowed } = await authorizer.decide({ caller, scope, atMs, request }, { action: 'lambda:InvokeFunction', resource: functionArn })
  return allowed ? caller : 'not allowed'
}

function errorMessageOf(payload: Buffer): unknown {
  try {
    return (JSON.parse(payload.toString('utf8')) as { errorMessage?: unknown } | null)?.errorMessage
  } catch {
    return undefined
  }
}
