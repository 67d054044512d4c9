// Step 2, of a handshake: who connects, and whether that caller may. Later events are the same caller's.

import { formatArn } from '#aws/arn.ts'
import { SignatureRefusal, type Authenticator, type SignatureClaim } from '#aws/authenticate.ts'
import type { Caller } from '#aws/caller.ts'
import type { HttpRequest } from '#lib/http.ts'
import { callFunction, type FunctionOptions } from '../../authorizers/function.ts'
import { contextTexts, evaluateAnswer, readPolicyAnswer, type PolicyAnswer } from '../../authorizers/policy-answer.ts'
import { INVOKE, type InvokeQuestion } from '../../authorizers/question.ts'
import { GatewayRefusal } from '../../gateway-responses.ts'
import { functionArnOf } from '../../http/integrations/function-arn.ts'
import { denied } from '../../rest/authorizers/refusals.ts'
import { maskedAccount } from '../../rest/authorizers/resource-policy.ts'
import type { IdentityFacts } from '../../templates/context.ts'
import { signatureRefusal } from '../../signature-refusals.ts'
import type { CompiledSocketRoute } from '../deployment.ts'
import { authorizerEvent } from '../events.ts'
import type { SocketExchange, SocketParameters } from '../exchange.ts'
import { headerValues } from '../parameter-mapping.ts'
import { contextValue, factsOf } from '../context.ts'

export interface AuthorizeOptions extends FunctionOptions {
  authenticator: Authenticator
}

const NO_BODY = Buffer.alloc(0)
/** Milliseconds. Source: API Gateway quotas for WebSocket APIs, "Integration timeout"; ours, that it holds for authorizers. */
const AUTHORIZER_TIMEOUT_MS = 29_000

/**
 * @throws GatewayRefusal 403 for a signature that is not good and a caller who may not, 401 for one whom an authorizer does not know, 500 when an
 * authorizer fails.
 */
export async function authorize(
  exchange: SocketExchange, handshake: HttpRequest, route: CompiledSocketRoute, parameters: SocketParameters, options: AuthorizeOptions,
): Promise<void> {
  const { authorizationType } = route.definition
  switch (authorizationType) {
    case 'NONE': return exchange.trace.add('authentication', { required: false })
    case 'AWS_IAM': return authorizeSigned(exchange, handshake, options)
    case 'CUSTOM': return authorizeByFunction(exchange, handshake, route, parameters, options)
    // What is not known here must not let anybody through.
    default: throw new GatewayRefusal('ACCESS_DENIED', `the route has authorization ${String(authorizationType)}`)
  }
}

/** Source: API Gateway developer guide, "Use IAM authorization" for WebSocket APIs: `…:{api}/{stage}/$connect`. */
function questionOf({ client: { apiId, stageName, request }, atMs, deployed }: SocketExchange): InvokeQuestion {
  const { accountId, region } = deployed!.snapshot
  return { resource: formatArn({ service: 'execute-api', region, accountId, resource: `${apiId}/${stageName}/$connect` }), scope: { accountId, region }, request, atMs }
}

async function authorizeSigned(exchange: SocketExchange, handshake: HttpRequest, { authenticator, authorizer }: AuthorizeOptions): Promise<void> {
  const { trace } = exchange
  const { caller } = exchange.claim = await signed(exchange, handshake, authenticator)
  trace.add('authentication', { caller: caller.arn, kind: caller.is, valid: true })
  const { resource, ...call } = questionOf(exchange)
  const { allowed, message, statements } = await authorizer.decide({ caller, ...call }, { action: INVOKE, resource, shownAs: maskedAccount(resource) })
  trace.add('policy', { action: INVOKE, resource, allowed, statements })
  if (!allowed) throw new GatewayRefusal('ACCESS_DENIED', message)
  exchange.client.identity = { ...signedIdentity(caller), ...exchange.client.identity }
}

/** A handshake has no body that a signature could cover. */
async function signed(exchange: SocketExchange, handshake: HttpRequest, authenticator: Authenticator): Promise<SignatureClaim> {
  try {
    const claim = await authenticator.begin(handshake, { services: ['execute-api'], region: exchange.deployed!.snapshot.region })
    claim.finish(NO_BODY)
    return claim
  } catch (error) {
    if (!(error instanceof SignatureRefusal)) throw error
    exchange.trace.add('authentication', { refused: error.fault })
    throw signatureRefusal(error)
  }
}

/** Source: developer guide, "WebSocket API mapping template reference", `$context.identity`. */
function signedIdentity(caller: Caller): Partial<IdentityFacts> {
  const { accountId, userId, arn: userArn } = caller
  return { accountId, ...'accessKeyId' in caller && { accessKey: caller.accessKeyId }, caller: userId, user: userId, userArn }
}

/** Answers are not kept: that is for HTTP and REST APIs. Source: API Gateway v2 API reference, CreateAuthorizer, `authorizerResultTtlInSeconds`. */
async function authorizeByFunction(
  exchange: SocketExchange, handshake: HttpRequest, { authorizer }: CompiledSocketRoute, parameters: SocketParameters, options: AuthorizeOptions,
): Promise<void> {
  const { trace, client } = exchange
  if (authorizer?.authorizerType !== 'REQUEST') throw authorizerError('the route\'s authorizer is missing or no Lambda authorizer')
  const traced = { id: authorizer.authorizerId, type: 'REQUEST' }
  if (!hasIdentity(exchange, authorizer.identitySource, parameters)) {
    trace.add('authorizer', { ...traced, refused: 'an identity source is missing or empty' })
    throw new GatewayRefusal('UNAUTHORIZED', 'Unauthorized')
  }
  const question = questionOf(exchange)
  const answer = await ask(exchange, handshake, authorizer, parameters, question, options)
  const evaluation = evaluateAnswer(answer, question)
  trace.add('authorizer', { ...traced, principalId: answer.principalId, outcome: evaluation.outcome, statements: evaluation.matched })
  client.authorizer = { ...contextTexts(answer.context), principalId: answer.principalId }
  exchange.usageIdentifierKey = answer.usageIdentifierKey
  if (evaluation.outcome !== 'allowed') throw denied(evaluation.outcome)
}

async function ask(
  exchange: SocketExchange, handshake: HttpRequest, authorizer: NonNullable<CompiledSocketRoute['authorizer']>, parameters: SocketParameters,
  question: InvokeQuestion, options: AuthorizeOptions,
): Promise<PolicyAnswer> {
  const { snapshot: { accountId, region, apiId }, stage: { stageVariables } } = exchange.deployed!
  const { authorizerId: id, authorizerUri = '', authorizerCredentialsArn: credentials } = authorizer
  const functionArn = functionArnOf(authorizerUri, stageVariables)
  if (functionArn === undefined) throw authorizerError('the authorizer\'s URI names no function')
  const event = authorizerEvent(exchange, parameters, { methodArn: question.resource, stageVariables })
  const outcome = await callFunction(
    { functionArn, credentials, sourceArn: formatArn({ service: 'execute-api', region, accountId, resource: `${apiId}/authorizers/${id}` }), scope: { accountId, region } },
    { payload: Buffer.from(JSON.stringify(event)), timeoutMs: AUTHORIZER_TIMEOUT_MS, traceHeader: exchange.traceHeader, request: handshake, atMs: exchange.atMs }, options,
  )
  const { latencyMs, result } = outcome
  exchange.authorizerCall = { latencyMs, status: result?.status, requestId: result?.requestId, ...outcome.is === 'failed' && { error: outcome.reason } }
  const traced = { id, type: 'REQUEST', function: functionArn, latencyMs: Math.round(latencyMs), functionRequestId: result?.requestId ?? null }
  if (outcome.is === 'unauthorized') {
    exchange.trace.add('authorizer', { ...traced, refused: 'the function said Unauthorized' })
    throw new GatewayRefusal('UNAUTHORIZED', 'Unauthorized')
  }
  if (outcome.is === 'failed') {
    exchange.trace.add('authorizer', { ...traced, failed: outcome.reason })
    throw authorizerError(outcome.reason)
  }
  const answer = readPolicyAnswer(outcome.result.payload)
  if ('malformed' in answer) {
    exchange.trace.add('authorizer', { ...traced, malformed: answer.malformed })
    throw authorizerError(answer.malformed)
  }
  return answer
}

/** As REST APIs: the client reads no reason. */
const authorizerError = (reason: string): GatewayRefusal =>
  new GatewayRefusal('AUTHORIZER_CONFIGURATION_ERROR', 'Internal server error', { logLine: `Execution failed due to configuration error: ${reason}` })

/** Source: API Gateway v2 API reference, CreateAuthorizer, `identitySource` of WebSocket APIs: all must be there, and not empty. */
function hasIdentity(exchange: SocketExchange, sources: readonly string[], { header, querystring }: SocketParameters): boolean {
  return sources.every((source) => {
    const name = source.slice(source.indexOf('.', source.startsWith('route.request.') ? 'route.request.'.length : 0) + 1)
    if (source.startsWith('route.request.header.')) return Boolean(headerValues(header, name)?.at(-1))
    if (source.startsWith('route.request.querystring.')) return Boolean(querystring[name]?.at(-1))
    if (source.startsWith('stageVariables.')) return Boolean(exchange.deployed!.stage.stageVariables[name])
    return source.startsWith('context.') && Boolean(contextValue(factsOf(exchange, '$connect'), name))
  })
}
