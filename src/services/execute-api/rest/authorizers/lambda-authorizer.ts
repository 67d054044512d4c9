// TOKEN and REQUEST authorizers: a function says who calls and which methods that caller may invoke, and stages keep what it said.

import { formatArn } from '#aws/arn.ts'
import type { Evaluation } from '#aws/policy/evaluate.ts'
import { contextTexts, evaluateAnswer, keyOfAnswer, readPolicyAnswer, type PolicyAnswer } from '../../authorizers/policy-answer.ts'
import type { InvokeQuestion } from '../../authorizers/question.ts'
import type { ResultCache, ResultKey } from '../../authorizers/result-cache.ts'
import { callFunction, type FunctionOptions } from '../../backends/function.ts'
import { bodyLine, cut, mapText } from '../../execution-line.ts'
import { masked } from '../../mask.ts'
import { requestValues, type RequestValues } from '../../request-values.ts'
import type { Exchange, Route } from '../exchange.ts'
import { functionAnswer, functionEndpoint } from '../integrations/function-endpoint.ts'
import { functionArnOf } from '../integrations/lambda.ts'
import type { CompiledAuthorizer } from './compile.ts'
import { authorizerEvent } from './event.ts'
import { identityOf } from './identity.ts'
import { authorizerError, note, unauthorized, type Authorized } from './refusals.ts'

export interface LambdaAuthorizerOptions extends FunctionOptions {
  results: ResultCache<PolicyAnswer>
}

/** What the function answered, or what was kept of it. */
export interface Answered {
  answer: PolicyAnswer
  evaluation: Evaluation
  authorized: Authorized
}

/** Milliseconds. Source: API Gateway quotas, "Integration timeout" for REST APIs; ours, that it holds for authorizers. */
const AUTHORIZER_TIMEOUT_MS_MAX = 29_000

/**
 * Asks the function, unless the stage keeps its answer. Whether the answer allows is the caller's to judge: `evaluation`.
 *
 * @throws GatewayRefusal 401 without an identity, for a token that does not match, or when the function says so; 500 when it fails.
 */
export async function askLambda(
  exchange: Exchange, route: Route, authorizer: CompiledAuthorizer, question: InvokeQuestion, options: LambdaAuthorizerOptions,
): Promise<Answered> {
  const values = requestValues(exchange, route.pathParameters)
  const identity = identityOf(authorizer, exchange, route, values)
  const { definition: { id, type }, ttlSeconds } = authorizer
  note(exchange, 'progress', `Starting authorizer: ${id} for request: ${exchange.requestId}`)
  if (identity === undefined) {
    exchange.trace.add('authorizer', { id, type, refused: 'an identity source is missing or empty' })
    throw unauthorized(exchange)
  }
  if (type === 'TOKEN' && authorizer.expression && !authorizer.expression.test(identity[0]!)) {
    exchange.trace.add('authorizer', { id, type, refused: 'the token does not match the validation expression' })
    throw unauthorized(exchange)
  }
  note(exchange, 'data', ...identity.map((value) => `Incoming identity: ${masked(value)}`))
  const key = resultKey(route, id, identity)
  // Without sources there is nothing that tells callers apart.
  const isKept = ttlSeconds > 0 && identity.length > 0 && exchange.test === undefined
  const known = isKept ? options.results.find(key) : undefined
  const { answer, latencyMs } = known ? { answer: known, latencyMs: 0 } : await ask(exchange, route, authorizer, { identity, values, question }, options)
  if (!known && isKept) options.results.keep(key, answer, ttlSeconds)
  const evaluation = evaluateAnswer(answer, question)
  exchange.trace.add('authorizer', {
    id, type, fromCache: known !== undefined, principalId: answer.principalId, outcome: evaluation.outcome, statements: evaluation.matched, latencyMs: Math.round(latencyMs),
  })
  note(exchange, 'progress', `Using valid authorizer policy for principal: ${masked(answer.principalId)}`, 'Successfully completed authorizer execution')
  const { principalId, context, usageIdentifierKey } = answer
  return { answer, evaluation, authorized: { facts: { ...contextTexts(context), principalId, integrationLatency: Math.round(latencyMs) }, usageIdentifierKey } }
}

function resultKey({ deployed: { snapshot, stage } }: Route, authorizerId: string, identity: readonly string[]): ResultKey {
  return {
    stage: `${snapshot.apiId}/${stage.stageName}`,
    generation: `${snapshot.deploymentId} ${stage.lastUpdatedAtMs} ${stage.authorizerFlushes ?? 0}`,
    authorizerId, identity,
  }
}

async function ask(
  exchange: Exchange, route: Route, authorizer: CompiledAuthorizer,
  { identity, values, question }: { identity: string[], values: RequestValues, question: InvokeQuestion }, options: LambdaAuthorizerOptions,
): Promise<{ answer: PolicyAnswer, latencyMs: number }> {
  const { id, type, authorizerUri = '', authorizerCredentials } = authorizer.definition
  const { snapshot, stage } = route.deployed
  const { accountId, region, apiId } = snapshot
  const functionArn = functionArnOf(authorizerUri, stage.variables)
  if (functionArn === undefined) throw authorizerError(exchange, 'Invalid Authorizer URI')
  const sourceArn = formatArn({ service: 'execute-api', region, accountId, resource: `${apiId}/authorizers/${id}` })
  const payload = Buffer.from(JSON.stringify(authorizerEvent(authorizer, { exchange, route, values, methodArn: question.resource, token: identity[0] ?? '' })))
  const endpoint = exchange.authorizerCall = functionEndpoint(exchange, functionArn, { body: payload, sourceArn, sentAtMs: options.clock.now() })
  note(exchange, 'data', `Endpoint request URI: ${endpoint.uri}`, cut(`Endpoint request headers: ${mapText(Object.entries(endpoint.headers()))}`),
    bodyLine('Endpoint request body after transformations', payload, identity))
  const outcome = await callFunction(
    { functionArn, credentials: authorizerCredentials, sourceArn, scope: { accountId, region } },
    { payload, timeoutMs: AUTHORIZER_TIMEOUT_MS_MAX, traceHeader: exchange.traceHeader, request: exchange.request, atMs: exchange.atMs }, options,
  )
  const { latencyMs, result } = outcome
  if (result) endpoint.answer = functionAnswer(result, { latencyMs, answeredAtMs: options.clock.now(), traceHeader: exchange.traceHeader })
  const facts = { id, type, function: functionArn, latencyMs: Math.round(latencyMs), functionRequestId: result?.requestId ?? null }
  if (outcome.is === 'unauthorized') {
    exchange.trace.add('authorizer', { ...facts, refused: 'the function said Unauthorized' })
    throw unauthorized(exchange)
  }
  if (outcome.is === 'failed') {
    endpoint.error = outcome.reason
    exchange.trace.add('authorizer', { ...facts, failed: outcome.reason })
    throw authorizerError(exchange, outcome.reason, outcome.timedOut ? 'AUTHORIZER_FAILURE' : 'AUTHORIZER_CONFIGURATION_ERROR')
  }
  note(exchange, 'data', bodyLine('Authorizer result body before parsing', outcome.result.payload, [...identity, ...keyOfAnswer(outcome.result.payload)]))
  const answer = readPolicyAnswer(outcome.result.payload)
  if ('malformed' in answer) {
    exchange.trace.add('authorizer', { ...facts, malformed: answer.malformed })
    // Source: ExpanseLLC/lambda_authorizer issue 1: the line of an answer without a policy.
    throw authorizerError(exchange, 'Could not parse policy')
  }
  return { answer, latencyMs }
}
