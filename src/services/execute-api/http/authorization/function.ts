// Lambda authorizers: a function says who calls, by a policy or by one word, and the stage keeps what it said.

import { formatArn } from '#aws/arn.ts'
import { requestParts } from '#aws/http-payload/request-parts.ts'
import { requestV1, requestV2 } from '#aws/http-payload/events.ts'
import { evaluateAnswer, readPolicyAnswer, type PolicyAnswer } from '../../authorizers/policy-answer.ts'
import type { InvokeQuestion } from '../../authorizers/question.ts'
import type { ResultCache } from '../../authorizers/result-cache.ts'
import { functionArnOf } from '../../backends/function-arn.ts'
import { callFunction, type FunctionOptions } from '../../backends/function.ts'
import { callFacts } from '../context.ts'
import type { CompiledRoute } from '../deployment.ts'
import type { HttpExchange } from '../exchange.ts'
import { forbidden, internalServerError, unauthorized } from '../refusals.ts'
import { identityValues } from './identity.ts'

/** What a function said, as it is kept. */
export type FunctionVerdict =
  | { is: 'simple', isAuthorized: boolean, context: Readonly<Record<string, unknown>> }
  | { is: 'policy', answer: PolicyAnswer, context: Readonly<Record<string, unknown>> }

export interface FunctionAuthorizerOptions extends FunctionOptions {
  verdicts: ResultCache<FunctionVerdict>
}

/** Milliseconds. Source: API Gateway quotas, HTTP APIs: an authorizer's function has ten seconds. */
const AUTHORIZER_TIMEOUT_MS = 10_000

/** @throws HttpRefusal 401 without an identity, 403 when the function does not let the caller, 500 when it fails. */
export async function authorizeByFunction(exchange: HttpExchange, route: CompiledRoute, question: InvokeQuestion, options: FunctionAuthorizerOptions): Promise<void> {
  const { authorizer } = route
  if (!authorizer || authorizer.authorizerType !== 'REQUEST') throw internalServerError('the route\'s authorizer is missing or no Lambda authorizer')
  const { authorizerId: id, identitySource, authorizerResultTtlInSeconds: ttlSeconds = 0 } = authorizer
  const facts = { id, type: 'REQUEST' }
  const identity = identityValues(exchange, identitySource)
  if (!identity) {
    exchange.trace.add('authorizer', { ...facts, refused: 'an identity source is missing or empty' })
    throw unauthorized('an identity source is missing or empty')
  }
  const { stage, snapshot } = exchange.deployed!
  const key = {
    stage: `${snapshot.apiId}/${stage.stageName}`, generation: `${snapshot.deploymentId} ${stage.authorizerFlushes ?? 0}`, authorizerId: id, identity,
  }
  // Without sources there is nothing that tells callers apart.
  const isKept = ttlSeconds > 0 && identity.length > 0
  const known = isKept ? options.verdicts.find(key) : undefined
  const verdict = known ?? await ask(exchange, route, { identity, question }, options)
  if (!known && isKept) options.verdicts.keep(key, verdict, ttlSeconds)
  const evaluation = verdict.is === 'policy' ? evaluateAnswer(verdict.answer, question) : undefined
  const isAllowed = verdict.is === 'simple' ? verdict.isAuthorized : evaluation!.outcome === 'allowed'
  exchange.trace.add('authorizer', { ...facts, fromCache: known !== undefined, allowed: isAllowed, ...(evaluation ? { statements: evaluation.matched } : {}) })
  exchange.authorizer = {
    lambda: Object.keys(verdict.context).length === 0 ? null : verdict.context,
    ...(verdict.is === 'policy' ? { principalId: verdict.answer.principalId } : {}),
    integrationLatency: Math.round(known ? 0 : exchange.authorizerCall?.latencyMs ?? 0),
  }
  if (!isAllowed) throw forbidden('the authorizer does not let the caller')
}

async function ask(
  exchange: HttpExchange, { authorizer, routeKey }: CompiledRoute, { identity, question }: { identity: readonly string[], question: InvokeQuestion }, options: FunctionAuthorizerOptions,
): Promise<FunctionVerdict> {
  const { authorizerId: id, authorizerUri = '', authorizerCredentialsArn: credentials, authorizerPayloadFormatVersion: format = '1.0', enableSimpleResponses, identitySource } = authorizer!
  const { accountId, region, apiId } = exchange.deployed!.snapshot
  const functionArn = functionArnOf(authorizerUri, exchange.deployed!.stage.stageVariables)
  if (functionArn === undefined) throw internalServerError('the authorizer\'s URI names no function')
  const parts = requestParts(exchange.request, undefined, exchange)
  const facts = callFacts({ ...exchange, authorizer: undefined }, routeKey)
  const event = format === '2.0'
    ? { version: '2.0', type: 'REQUEST', routeArn: question.resource, identitySource: identitySource.length === 0 ? null : identity, ...requestV2(parts, facts) }
    : {
        version: '1.0', type: 'REQUEST', methodArn: question.resource, identitySource: identity.join(','), authorizationToken: identity.join(','),
        ...requestV1(parts, facts, exchange.requestId),
      }
  const outcome = await callFunction(
    { functionArn, credentials, sourceArn: formatArn({ service: 'execute-api', region, accountId, resource: `${apiId}/authorizers/${id}` }), scope: { accountId, region } },
    { payload: Buffer.from(JSON.stringify(event)), timeoutMs: AUTHORIZER_TIMEOUT_MS, traceHeader: exchange.traceHeader, request: exchange.request, atMs: exchange.atMs }, options,
  )
  const { latencyMs, result } = outcome
  exchange.authorizerCall = { latencyMs, status: result?.status, requestId: result?.requestId, ...(outcome.is === 'failed' ? { error: outcome.reason } : {}) }
  const traced = { id, type: 'REQUEST', function: functionArn, latencyMs: Math.round(latencyMs), functionRequestId: result?.requestId ?? null }
  if (outcome.is === 'unauthorized') {
    exchange.trace.add('authorizer', { ...traced, refused: 'the function said Unauthorized' })
    throw unauthorized('the function said Unauthorized')
  }
  if (outcome.is === 'failed') {
    exchange.trace.add('authorizer', { ...traced, failed: outcome.reason })
    throw internalServerError(`authorizer: ${outcome.reason}`)
  }
  const verdict = format === '2.0' && enableSimpleResponses ? readSimple(outcome.result.payload) : readPolicy(outcome.result.payload)
  if (typeof verdict === 'string') {
    exchange.trace.add('authorizer', { ...traced, malformed: verdict })
    throw internalServerError(`authorizer: ${verdict}`)
  }
  return verdict
}

/** Source: as in `identity.ts`, "Response for simple format". */
function readSimple(payload: Buffer): FunctionVerdict | string {
  const answer = objectIn(payload)
  if (typeof answer?.['isAuthorized'] !== 'boolean') return 'isAuthorized is missing'
  return { is: 'simple', isAuthorized: answer['isAuthorized'], context: contextOf(answer) }
}

/** Source: as above, "Authorizer Lambda function response format": the context of HTTP APIs may hold lists and objects, too. */
function readPolicy(payload: Buffer): FunctionVerdict | string {
  const answer = objectIn(payload)
  if (!answer) return 'the answer is not an object'
  const read = readPolicyAnswer(Buffer.from(JSON.stringify({ ...answer, context: undefined })))
  return 'malformed' in read ? read.malformed : { is: 'policy', answer: read, context: contextOf(answer) }
}

function objectIn(payload: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : undefined
  } catch {
    return undefined
  }
}

function contextOf({ context }: Record<string, unknown>): Readonly<Record<string, unknown>> {
  return typeof context === 'object' && context !== null && !Array.isArray(context) ? context as Record<string, unknown> : {}
}
