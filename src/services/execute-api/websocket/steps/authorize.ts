// Step 2, of a handshake: who connects, and whether that caller may. Later events are the same caller's.

import { formatArn } from '#aws/arn.ts'
import { SignatureRefusal, type Authenticator, type SignatureClaim } from '#aws/authenticate.ts'
import type { Caller } from '#aws/caller.ts'
import type { HttpRequest } from '#lib/http.ts'
import { contextTexts, evaluateAnswer, keyOfAnswer, readPolicyAnswer, type PolicyAnswer } from '../../authorizers/policy-answer.ts'
import { INVOKE, type InvokeQuestion } from '../../authorizers/question.ts'
import { denied, maskedAccount } from '../../authorizers/refusals.ts'
import { functionArnOf } from '../../backends/function-arn.ts'
import { callFunction, type FunctionOptions } from '../../backends/function.ts'
import { bodyLine } from '../../execution-line.ts'
import { GatewayRefusal } from '../../gateway-responses.ts'
import { masked } from '../../mask.ts'
import { signatureRefusal } from '../../signature-refusals.ts'
import type { IdentityFacts } from '../../templates/context.ts'
import { contextValue, factsOf } from '../context.ts'
import type { CompiledSocketRoute } from '../deployment.ts'
import { authorizerEvent } from '../events.ts'
import type { SocketExchange, SocketParameters } from '../exchange.ts'
import { note, secretsOf } from '../execution-lines.ts'
import { invocationUri } from '../integrations/function.ts'
import { headerValues } from '../parameter-mapping.ts'

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
  const identity = identityOf(exchange, authorizer.identitySource, parameters)
  client.identities = identity.filter(({ isSent }) => isSent).map(({ value }) => value)
  note(exchange, 'progress', `Starting authorizer: ${authorizer.authorizerId} for request: ${exchange.requestId}`)
  if (identity.some(({ value }) => value === '')) {
    trace.add('authorizer', { ...traced, refused: 'an identity source is missing or empty' })
    throw new GatewayRefusal('UNAUTHORIZED', 'Unauthorized')
  }
  note(exchange, 'data', ...identity.map(({ value }) => `Incoming identity: ${masked(value)}`))
  const question = questionOf(exchange)
  const answer = await ask(exchange, handshake, authorizer, parameters, question, options)
  const evaluation = evaluateAnswer(answer, question)
  trace.add('authorizer', { ...traced, principalId: answer.principalId, outcome: evaluation.outcome, statements: evaluation.matched })
  client.authorizer = { ...contextTexts(answer.context), principalId: answer.principalId }
  exchange.usageIdentifierKey = answer.usageIdentifierKey
  note(exchange, 'progress', `Using valid authorizer policy for principal: ${masked(answer.principalId)}`, 'Successfully completed authorizer execution')
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
  const payload = Buffer.from(JSON.stringify(event))
  note(exchange, 'data', bodyLine('Endpoint request body after transformations', payload, secretsOf(exchange)), `Sending request to ${invocationUri(functionArn, region)}`)
  const outcome = await callFunction(
    { functionArn, credentials, sourceArn: formatArn({ service: 'execute-api', region, accountId, resource: `${apiId}/authorizers/${id}` }), scope: { accountId, region } },
    { payload, timeoutMs: AUTHORIZER_TIMEOUT_MS, traceHeader: exchange.traceHeader, request: handshake, atMs: exchange.atMs }, options,
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
  note(exchange, 'data', bodyLine('Authorizer result body before parsing', outcome.result.payload, [...secretsOf(exchange), ...keyOfAnswer(outcome.result.payload)]))
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

/**
 * The values of the identity sources, empty where there is none, and whether the client sent them.
 * Source: API Gateway v2 API reference, CreateAuthorizer, `identitySource` of WebSocket APIs: all must be there, and not empty.
 */
function identityOf(exchange: SocketExchange, sources: readonly string[], { header, querystring }: SocketParameters): { value: string, isSent: boolean }[] {
  return sources.map((source) => {
    const name = source.slice(source.indexOf('.', source.startsWith('route.request.') ? 'route.request.'.length : 0) + 1)
    if (source.startsWith('route.request.header.')) return { value: headerValues(header, name)?.at(-1) ?? '', isSent: true }
    if (source.startsWith('route.request.querystring.')) return { value: querystring[name]?.at(-1) ?? '', isSent: true }
    if (source.startsWith('stageVariables.')) return { value: exchange.deployed!.stage.stageVariables[name] ?? '', isSent: false }
    return { value: source.startsWith('context.') ? contextValue(factsOf(exchange, '$connect'), name) ?? '' : '', isSent: false }
  })
}
