// A web identity's token: read, its issuer found among the account's providers, its signature and its times judged.

import type { JSONWebKeySet, JWTPayload } from 'jose'
import { FetchFailure } from '#lib/fetch-json.ts'
import type { IssuerKeys } from '#lib/issuer-keys.ts'
import type { Iam, OidcProvider } from '#services/iam/index.ts'
import { errors } from '../errors.ts'

type Jose = typeof import('jose')

/** What a good token says. */
export interface WebIdentity {
  provider: OidcProvider
  subject: string
  /** Whom the token was issued for: `azp` where it has one, else its one `aud`. */
  audience: string
  claims: JWTPayload
}

export interface TokenRules {
  providers: Pick<Iam, 'findOidcProvider'>
  issuerKeys: IssuerKeys
  /** Whose providers count: the account of the role. */
  accountId: string
  nowMs: number
}

/** Source: IAM user guide, "Create an OpenID Connect (OIDC) identity provider in IAM": signature algorithms. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']
/** An issuer's clock may be ahead of ours by this much. Ours: AWS does not say how much it allows. */
const CLOCK_SKEW_SECONDS_MAX = 300

/**
 * Judges form, issuer, audience, signature and times, in this order.
 *
 * Source: the sentences of the first three as users of AWS report them (among others eucalyptus, aws-actions/configure-aws-credentials
 * issue 280, aws/aws-sdk-net issue 3071). Ours: the others.
 * @throws InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError
 */
export async function verifyToken(token: string, { providers, issuerKeys, accountId, nowMs }: TokenRules): Promise<WebIdentity> {
  // Loaded with the first token: most processes never see one.
  const jose = await import('jose')
  const { claims, algorithm, keyId } = read(token, jose)
  const provider = await providers.findOidcProvider(accountId, claims.iss)
  if (!provider) throw errors.InvalidIdentityToken(`No OpenIDConnect provider found in your account for ${claims.iss}`)
  const audience = audienceOf(claims)
  if (audience === undefined || !provider.clientIds.includes(audience)) throw errors.InvalidIdentityToken('Incorrect token audience')
  await verifySignature(token, await keysOf(provider, issuerKeys, { algorithm, keyId }), jose)
  judgeTimes(claims, Math.floor(nowMs / 1000))
  return { provider, subject: claims.sub, audience, claims }
}

function read(token: string, { decodeJwt, decodeProtectedHeader }: Jose): { claims: JWTPayload & { iss: string, sub: string }, algorithm: string, keyId: string | undefined } {
  try {
    const claims = decodeJwt(token)
    const { alg, kid } = decodeProtectedHeader(token)
    const { iss, sub } = claims
    if (typeof iss === 'string' && typeof sub === 'string' && sub !== '' && alg !== undefined && ALGORITHMS.includes(alg)) {
      return { claims: { ...claims, iss, sub }, algorithm: alg, keyId: kid }
    }
  } catch {
    // Said below.
  }
  throw errors.InvalidIdentityToken('The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)')
}

/** Source: IAM user guide, "IAM and AWS STS condition context keys", `aud`: a token for several needs an `azp`. */
function audienceOf({ azp, aud }: JWTPayload): string | undefined {
  if (typeof azp === 'string') return azp
  return Array.isArray(aud) ? (aud.length === 1 ? aud[0] : undefined) : aud
}

/** Source: STS API reference, AssumeRoleWithWebIdentity, errors; the sentence about keys as users of AWS report it (awslabs/aws-sdk-rust issue 827). */
async function keysOf(provider: OidcProvider, issuerKeys: IssuerKeys, { algorithm, keyId }: { algorithm: string, keyId: string | undefined }): Promise<JSONWebKeySet> {
  const fits = ({ keys }: JSONWebKeySet) => keys.some((key) => keyId === undefined || key.kid === undefined ? algorithm.startsWith(key.kty === 'EC' ? 'ES' : 'RS') : key.kid === keyId)
  try {
    return await issuerKeys.find(provider, fits)
  } catch (error) {
    if (!(error instanceof FetchFailure)) throw error
    if (error.isUnreachable) throw errors.IDPCommunicationError('The identity provider could not be reached.')
    throw errors.InvalidIdentityToken('Couldn\'t retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements')
  }
}

async function verifySignature(token: string, keys: JSONWebKeySet, { compactVerify, createLocalJWKSet }: Jose): Promise<void> {
  try {
    await compactVerify(token, createLocalJWKSet(keys), { algorithms: ALGORITHMS })
  } catch {
    throw errors.InvalidIdentityToken('The signature of the token does not fit the keys of its issuer.')
  }
}

function judgeTimes({ exp, nbf, iat }: JWTPayload, nowSeconds: number): void {
  if (typeof exp !== 'number' || typeof iat !== 'number') throw errors.InvalidIdentityToken('The token must have the claims exp and iat.')
  if (exp <= nowSeconds) throw errors.ExpiredTokenException(`Token expired: current date/time ${nowSeconds} must be before the expiration date/time ${exp}`)
  if (Math.max(iat, nbf ?? iat) > nowSeconds + CLOCK_SKEW_SECONDS_MAX) throw errors.InvalidIdentityToken('The token was issued for later.')
}
