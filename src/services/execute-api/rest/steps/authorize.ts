// Step 3: whether the caller may invoke the method: by IAM, by an authorizer, or by the API's resource policy alone.

import { formatArn } from '#aws/arn.ts'
import type { SignatureClaim } from '#aws/authenticate.ts'
import { decodedPath } from '#aws/http-payload/request-parts.ts'
import type { Evaluation } from '#aws/policy/evaluate.ts'
import type { InvokeQuestion } from '../../authorizers/question.ts'
import { denied, maskedAccount } from '../../authorizers/refusals.ts'
import { configurationError, GatewayRefusal } from '../../gateway-responses.ts'
import { askLambda, type LambdaAuthorizerOptions } from '../authorizers/lambda-authorizer.ts'
import { authorizerError } from '../authorizers/refusals.ts'
import { anonymousRefusal, judgeAnonymously } from '../authorizers/resource-policy.ts'
import { askUserPools, type UserPoolOptions } from '../authorizers/user-pools.ts'
import type { Exchange, Route } from '../exchange.ts'

export interface AuthorizeOptions extends LambdaAuthorizerOptions, UserPoolOptions {}

/**
 * Leaves what an authorizer told of the caller in `exchange.authorized`, also of a caller who is refused: gateway responses may name it.
 *
 * Source: API Gateway developer guide, "How API Gateway resource policies affect authorization workflow".
 *
 * @throws GatewayRefusal 403 with AWS's sentence, in which the account of the API is masked; 401 and 500 of authorizers.
 */
export async function authorize(exchange: Exchange, route: Route, claim: SignatureClaim | undefined, options: AuthorizeOptions): Promise<void> {
  const question = questionOf(exchange, route)
  switch (route.method.definition.authorizationType) {
    case 'AWS_IAM': return authorizeCaller(exchange, route, claim!, question, options)
    case 'CUSTOM':
    case 'COGNITO_USER_POOLS': return authorizeByAuthorizer(exchange, route, question, options)
    default: return authorizeAnybody(exchange, route, question)
  }
}

/** The path as it was sent; of the root only its slash. */
export function questionOf({ request, atMs }: Exchange, { address, deployed: { snapshot: { accountId, region, apiId } } }: Route): InvokeQuestion {
  const resource = formatArn({ service: 'execute-api', region, accountId, resource: `${apiId}/${address.stageName}/${request.method}${address.path}` })
  return { resource, scope: { accountId, region }, request, atMs }
}

async function authorizeCaller(
  exchange: Exchange, { deployment: { policy } }: Route, { caller }: SignatureClaim, { resource, ...call }: InvokeQuestion, { authorizer }: AuthorizeOptions,
): Promise<void> {
  if (policy !== undefined && 'broken' in policy) throw configurationError(`Invalid resource policy: ${policy.broken}`)
  const resourcePolicy = policy ? { resourcePolicy: policy } : {}
  const decide = (path: string) => authorizer.decide({ caller, ...call }, { action: 'execute-api:Invoke', resource: path, shownAs: maskedAccount(path), ...resourcePolicy })
  const asSent = await decide(resource)
  // Ours: routes and backends read a path decoded, so that a Deny must hold for it decoded as well.
  const decoded = decodedPath(resource)
  const decision = !asSent.allowed || decoded === resource ? asSent : await decide(decoded)
  exchange.trace.add('policy', { action: 'execute-api:Invoke', resource, allowed: decision.allowed, statements: decision.statements })
  if (!decision.allowed) throw new GatewayRefusal('ACCESS_DENIED', decision.message)
}

/** Source: as above, resource policy only: it must allow, where there is one. */
function authorizeAnybody(exchange: Exchange, route: Route, question: InvokeQuestion): void {
  const byPolicy = judgeAnonymously(exchange, route, question)
  if (byPolicy && byPolicy.outcome !== 'allowed') throw anonymousRefusal(byPolicy, question)
}

async function authorizeByAuthorizer(exchange: Exchange, route: Route, question: InvokeQuestion, options: AuthorizeOptions): Promise<void> {
  const authorizer = route.deployment.authorizers.get(route.method.definition.authorizerId ?? '')
  if (!authorizer) throw authorizerError(exchange, 'The authorizer of the method does not exist')
  if (authorizer.definition.type === 'COGNITO_USER_POOLS') {
    exchange.authorized = await askUserPools(exchange, route, authorizer, options)
    // Source: as above, Amazon Cognito: whoever is known needs the policy's Allow too.
    return authorizeAnybody(exchange, route, question)
  }
  const byPolicy = judgeAnonymously(exchange, route, question)
  if (byPolicy?.outcome === 'explicit-deny') throw anonymousRefusal(byPolicy, question)
  const { evaluation, authorized } = await askLambda(exchange, route, authorizer, question, options)
  exchange.authorized = authorized
  const outcome = together(evaluation, byPolicy)
  if (outcome !== 'allowed') throw denied(outcome)
}

/** Source: as above, table A: either allows, none denies. The policy's denial was found before. */
function together({ outcome }: Evaluation, byPolicy: Evaluation | undefined): Evaluation['outcome'] {
  return outcome === 'implicit-deny' && byPolicy?.outcome === 'allowed' ? 'allowed' : outcome
}
