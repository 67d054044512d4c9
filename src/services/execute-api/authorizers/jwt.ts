// Verifies bearer tokens that are JSON Web Tokens: those of user pools, and those of the issuers of HTTP APIs.

import type { JSONWebKeySet, JWTPayload } from 'jose'
import type { Clock } from '#lib/clock.ts'
import { FetchFailure } from '#lib/fetch-json.ts'
import type { IssuerKeys, TokenIssuer } from '#lib/issuer-keys.ts'

type Jose = typeof import('jose')

export interface JwtRules {
  /** Whose keys count, and what `iss` must be. */
  issuer: TokenIssuer
  /** One of them must be the `aud` of the token, or its `client_id` where it has no `aud`; absent: not judged. */
  audiences?: readonly string[] | undefined
}

export type JwtFault =
  | 'malformed' | 'algorithm' | 'no key id' | 'unknown key' | 'signature' | 'issuer' | 'audience' | 'no expiry' | 'expired' | 'not yet valid'
  | 'issuer unreachable' | 'issuer without keys'

export type JwtVerdict =
  | { is: 'valid', claims: JWTPayload }
  /** `message` is for whoever sent the token; `details`, where there are some, for the trace. Neither has more of the token than its algorithm's name. */
  | { is: 'refused', because: JwtFault, message: string, details?: string }

export interface JwtVerifier {
  /** Judges form, algorithm, issuer, key, signature, audience and times, in this order. Never rejects for what is wrong with a token. */
  verify(token: string, rules: JwtRules): Promise<JwtVerdict>
}

/** Source: API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers": RSA-based algorithms only. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']

/** An issuer's clock may be ahead of ours by this much; `exp` has no grace. Ours: the guide names no allowance, but then machines of one's own differ. */
const CLOCK_SKEW_SECONDS_MAX = 30

/** Characters. Ours: what fits into the headers of a request. */
const TOKEN_CHARACTERS_MAX = 16 * 1024

/** Source: as above, troubleshooting (the sentence about the audience); an answer that a user published, of 22-10-2020 (expired). Ours: the other sentences. */
const messages: Readonly<Record<JwtFault, string>> = {
  malformed: 'the token is not a valid JWT',
  algorithm: 'the signing algorithm of the token is not supported',
  'no key id': 'the token has no kid',
  'unknown key': 'the key of the token was not found',
  signature: 'the signature of the token is not valid',
  issuer: 'the issuer of the token does not match',
  audience: 'the token does not have a valid audience',
  'no expiry': 'the token has no expiration time',
  expired: 'the token has expired',
  'not yet valid': 'the token is not valid yet',
  'issuer unreachable': 'the issuer of the token cannot be reached',
  'issuer without keys': 'the issuer of the token publishes no keys',
}

export function createJwtVerifier({ issuerKeys, clock }: { issuerKeys: IssuerKeys, clock: Pick<Clock, 'now'> }): JwtVerifier {
  // A set of keys is one object as long as it is kept.
  const imported = new WeakMap<JSONWebKeySet, ReturnType<Jose['createLocalJWKSet']>>()

  function keysFor(keys: JSONWebKeySet, { createLocalJWKSet }: Jose): ReturnType<Jose['createLocalJWKSet']> {
    let known = imported.get(keys)
    if (!known) imported.set(keys, known = createLocalJWKSet(keys))
    return known
  }

  return {
    async verify(token, { issuer, audiences }) {
      if (token.length > TOKEN_CHARACTERS_MAX) return refused('malformed')
      // Seen in reports: answers of HTTP APIs that users published, of 2026; as that about algorithms.
      if (token.split('.').length !== 3) return refused('malformed', 'token contains an invalid number of segments')
      // Loaded with the first token: most processes never see one.
      const jose = await import('jose')
      const read = readToken(token, jose)
      if (!read) return refused('malformed')
      const { claims, algorithm, keyId } = read
      if (!ALGORITHMS.includes(algorithm)) return refused('algorithm', /^\w{1,16}$/.test(algorithm) ? `signing method ${algorithm} is invalid` : undefined)
      if (claims.iss !== issuer.url) return refused('issuer')
      if (keyId === undefined) return refused('no key id')
      const hasKey = ({ keys }: JSONWebKeySet) => keys.some(({ kid }) => kid === keyId)
      try {
        const keys = await issuerKeys.find(issuer, hasKey)
        if (!hasKey(keys)) return refused('unknown key')
        await jose.compactVerify(token, keysFor(keys, jose), { algorithms: ALGORITHMS })
      } catch (error) {
        if (error instanceof FetchFailure) return { ...refused(error.isUnreachable ? 'issuer unreachable' : 'issuer without keys'), details: error.message }
        return refused('signature')
      }
      const fault = faultOf(claims, audiences, clock.now() / 1000)
      return fault ? refused(fault) : { is: 'valid', claims }
    },
  }
}

function refused(because: JwtFault, message = messages[because]): Extract<JwtVerdict, { is: 'refused' }> {
  return { is: 'refused', because, message }
}

function readToken(token: string, { decodeJwt, decodeProtectedHeader }: Jose): { claims: JWTPayload, algorithm: string, keyId: string | undefined } | undefined {
  try {
    const { alg, kid } = decodeProtectedHeader(token)
    return alg === undefined ? undefined : { claims: decodeJwt(token), algorithm: alg, keyId: kid }
  } catch {
    return undefined
  }
}

/** Source: as above, authorizing API requests, step 4: `client_id` counts only where there is no `aud`. */
function faultOf(claims: JWTPayload, audiences: readonly string[] | undefined, nowSeconds: number): JwtFault | undefined {
  const { aud = claims['client_id'], exp, nbf, iat } = claims
  const named = (Array.isArray(aud) ? aud : [aud]) as unknown[]
  if (audiences && !named.some((one) => typeof one === 'string' && audiences.includes(one))) return 'audience'
  if (typeof exp !== 'number') return 'no expiry'
  if (exp <= nowSeconds) return 'expired'
  const begins = [nbf, iat].filter((time) => time !== undefined)
  return begins.every((time) => typeof time === 'number' && time <= nowSeconds + CLOCK_SKEW_SECONDS_MAX) ? undefined : 'not yet valid'
}

/** The scopes that a token has, from `scope` (texts with spaces between) or `scp`. Source: as above, step 4. */
export function scopesOf({ scope, scp }: JWTPayload): string[] {
  return [scope, scp].flatMap((one) => Array.isArray(one) ? one.map(String) : typeof one === 'string' ? one.split(' ') : []).filter((one) => one !== '')
}
