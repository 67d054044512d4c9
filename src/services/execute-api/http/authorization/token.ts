// JWT authorizers: a bearer token of an issuer, for an audience, with a scope of the route.

import type { JWTPayload } from 'jose'
import { scopesOf, type JwtVerifier } from '../../authorizers/jwt.ts'
import type { CompiledRoute } from '../deployment.ts'
import type { HttpExchange } from '../exchange.ts'
import { challenge, forbidden, internalServerError } from '../refusals.ts'
import { identityValues } from './identity.ts'

export interface TokenOptions {
  jwt: JwtVerifier
}

/**
 * Source: API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers in API Gateway": the order, and what the client is told
 * (troubleshooting); a route's scopes need one of them in the token. An answer that a user published, of 22-10-2020: `scope` is the route's.
 *
 * @throws HttpRefusal 401 without a token or with one that is not valid, 403 without a scope.
 */
export async function authorizeByToken(exchange: HttpExchange, { authorizer, definition }: CompiledRoute, { jwt }: TokenOptions): Promise<void> {
  const issuer = authorizer?.jwtConfiguration?.issuer
  if (!authorizer || authorizer.authorizerType !== 'JWT' || issuer === undefined) throw internalServerError('the route\'s authorizer is missing or no JWT authorizer')
  const facts = { id: authorizer.authorizerId, type: 'JWT' }
  const wanted = definition.authorizationScopes ?? []
  const [token] = identityValues(exchange, authorizer.identitySource) ?? []
  if (token === undefined) {
    exchange.trace.add('authorizer', { ...facts, refused: 'there is no token' })
    throw challenge('there is no token', 'Bearer')
  }
  const verdict = await jwt.verify(token.replace(/^bearer +/i, ''), { issuer: { url: issuer }, audiences: authorizer.jwtConfiguration?.audience })
  if (verdict.is === 'refused') {
    exchange.trace.add('authorizer', { ...facts, refused: verdict.because, message: verdict.message, ...(verdict.details === undefined ? {} : { details: verdict.details }) })
    throw challenge(verdict.message, `Bearer scope="${quotable(wanted.join(' '))}" error="invalid_token" error_description="${verdict.message}"`)
  }
  const scopes = scopesOf(verdict.claims)
  if (wanted.length > 0 && !wanted.some((scope) => scopes.includes(scope))) {
    exchange.trace.add('authorizer', { ...facts, refused: 'none of the route\'s scopes is in the token', wanted })
    throw forbidden('none of the route\'s scopes is in the token')
  }
  exchange.trace.add('authorizer', { ...facts, valid: true, subject: verdict.claims.sub ?? null })
  exchange.authorizer = { jwt: { claims: claimTexts(verdict.claims), scopes: wanted.length > 0 ? wanted : null } }
}

/** What may stand between quotation marks in a header. */
const quotable = (text: string): string => text.replaceAll(/[^\x20-\x7e]|["\\]/g, '')

/** Source: events that users publish: every claim is text, a list is written `[a b]`. Ours: what is nested deeper is JSON. */
function claimTexts(claims: JWTPayload): Record<string, string> {
  return Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, claimText(value)]))
}

function claimText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(claimText).join(' ')}]`
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}
