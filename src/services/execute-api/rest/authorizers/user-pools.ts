// COGNITO_USER_POOLS authorizers: a token of a user pool, or of the issuer that stands for it here.

import type { JWTPayload } from 'jose'
import { parseArn } from '#aws/arn.ts'
import type { TokenIssuer } from '#lib/issuer-keys.ts'
import { scopesOf, type JwtVerdict, type JwtVerifier } from '../../authorizers/jwt.ts'
import { masked } from '../../mask.ts'
import { requestValues } from '../../request-values.ts'
import type { Exchange, Route } from '../exchange.ts'
import { javaDate } from '../execution-lines.ts'
import type { CompiledAuthorizer } from './compile.ts'
import { identityOf } from './identity.ts'
import { authorizerError, note, unauthorized, type Authorized } from './refusals.ts'

export interface UserPoolOptions {
  jwt: JwtVerifier
  /** ARN of a pool → the issuer whose tokens count as the pool's. A pool that is not here is Amazon's. */
  userPoolIssuers: ReadonlyMap<string, string>
}

/**
 * A method with scopes wants an access token that has one of them, any other an identity token.
 *
 * Source: API Gateway developer guide, "Control access to REST APIs using Amazon Cognito user pools as an authorizer"; that an expired token is told so:
 * public reports of such answers. Ours: tokens of other issuers, which have no `token_use`, are taken for either kind.
 *
 * @throws GatewayRefusal 401, or 500 when the issuer cannot be asked.
 */
export async function askUserPools(exchange: Exchange, route: Route, authorizer: CompiledAuthorizer, options: UserPoolOptions): Promise<Authorized> {
  const { id, type, providerARNs = [] } = authorizer.definition
  const refuse = (refused: string, details: object = {}) => exchange.trace.add('authorizer', { id, type, refused, ...details })
  note(exchange, 'progress', `Starting authorizer: ${id} for request: ${exchange.requestId}`)
  const identity = identityOf(authorizer, exchange, route, requestValues(exchange, route.pathParameters))
  if (identity === undefined) {
    refuse('there is no token')
    throw unauthorized(exchange)
  }
  const token = identity[0]!.replace(/^Bearer +/i, '')
  note(exchange, 'data', `Incoming identity: ${masked(token)}`)
  const verdict = await verify(token, providerARNs.map((arn) => issuerOf(arn, options)), options.jwt)
  if (verdict.is === 'refused') {
    refuse(verdict.message, verdict.details === undefined ? {} : { details: verdict.details })
    if (verdict.because === 'issuer unreachable' || verdict.because === 'issuer without keys') throw authorizerError(exchange, 'The issuer of the token cannot be asked for its keys')
    throw unauthorized(exchange, verdict.because === 'expired' ? 'The incoming token has expired' : undefined)
  }
  const { claims } = verdict
  const fault = faultOf(claims, authorizer, route)
  if (fault !== undefined) {
    refuse(fault)
    throw unauthorized(exchange)
  }
  exchange.trace.add('authorizer', { id, type, issuer: claims.iss, subject: claims.sub })
  note(exchange, 'progress', 'Successfully completed authorizer execution')
  return { facts: { claims: claimTexts(claims) }, usageIdentifierKey: undefined }
}

/** Source: Amazon Cognito developer guide, "Verifying JSON web tokens": the issuer of a pool. */
function issuerOf(providerArn: string, { userPoolIssuers }: UserPoolOptions): TokenIssuer {
  const arn = parseArn(providerArn)
  return { url: userPoolIssuers.get(providerArn) ?? `https://cognito-idp.${arn?.region}.amazonaws.com/${arn?.resource.replace(/^userpool\//, '')}` }
}

/** By the pool that issued the token, if it is one of these. */
async function verify(token: string, issuers: readonly TokenIssuer[], jwt: JwtVerifier): Promise<JwtVerdict> {
  let verdict: JwtVerdict = { is: 'refused', because: 'issuer', message: 'there is no user pool' }
  for (const issuer of issuers) {
    verdict = await jwt.verify(token, { issuer })
    if (verdict.is === 'valid' || verdict.because !== 'issuer') return verdict
  }
  return verdict
}

function faultOf(claims: JWTPayload, { expression }: CompiledAuthorizer, { method }: Route): string | undefined {
  const wanted = method.definition.authorizationScopes ?? []
  const use = claims['token_use']
  if (wanted.length > 0) {
    if (use !== undefined && use !== 'access') return 'the token is no access token'
    if (!scopesOf(claims).some((scope) => wanted.includes(scope))) return 'the token has none of the scopes of the method'
  } else if (use !== undefined && use !== 'id') return 'the token is no identity token'
  // Source: API Gateway API reference, CreateAuthorizer, `identityValidationExpression`: of user pools it is matched with the audience.
  const audiences = [claims.aud ?? []].flat()
  return expression && !audiences.some((audience) => expression.test(audience)) ? 'the audience does not match the validation expression' : undefined
}

/**
 * Claims as templates and functions see them: texts, lists with commas between, times of validity as dates.
 * Source: awslabs/aws-serverless-auth-reference-app, its workshop's test of an authorizer.
 */
function claimTexts(claims: JWTPayload): Record<string, string> {
  return Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, claimText(name, value)]))
}

function claimText(name: string, value: unknown): string {
  if ((name === 'exp' || name === 'iat') && typeof value === 'number') return javaDate(value * 1000)
  if (Array.isArray(value)) return value.map((one) => claimText('', one)).join(',')
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}
