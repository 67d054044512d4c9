// Verifies a signature with its key: as the request was sent, and then in the few variants that are tolerated.

import { timingSafeEqual } from 'node:crypto'
import { headersFromRaw, type HttpHeaders, type HttpRequest } from '#lib/http.ts'
import { canonicalHeaders, canonicalPath, canonicalQuery, canonicalRequest, stringToSign, type CanonicalParts } from './canonical.ts'
import type { SignatureFields } from './judge.ts'
import { signatureOf, type SigningKey } from './signing-key-cache.ts'

export interface Verdict {
  isValid: boolean
  /** What should have been signed: the request as it was sent. */
  canonicalRequest: string
  stringToSign: string
}

type RequestLine = Pick<HttpRequest, 'method' | 'path' | 'rawQuery' | 'headers' | 'isSecure'>

/** Compares in constant time. One HMAC for a request that is signed as it was sent; at most four for any other. */
export function verifySignature(request: RequestLine, fields: SignatureFields, { signingKey, payloadHash }: {
  signingKey: SigningKey
  payloadHash: string
}): Verdict {
  const parts = partsAsSent(request, fields, payloadHash)
  const canonical = canonicalRequest(parts)
  const text = stringToSign(fields.timestamp, scopeOf(fields), canonical)
  const isMadeFor = (signed: string): boolean => isSame(signatureOf(signingKey, signed), fields.signature)
  const isValid = isMadeFor(text) || toleratedVariants(request, fields, parts)
    .some((variant) => isMadeFor(stringToSign(fields.timestamp, scopeOf(fields), canonicalRequest(variant))))
  return { isValid, canonicalRequest: canonical, stringToSign: text }
}

/** The canonical parts of a request as it was sent. */
export function partsAsSent(request: RequestLine, fields: Pick<SignatureFields, 'form' | 'service' | 'signedHeaders'>, payloadHash: string): CanonicalParts {
  return {
    method: request.method,
    path: canonicalPath(request.path, fields.service),
    query: canonicalQuery(request.rawQuery, fields.form === 'query' ? SIGNATURE_ALONE : []),
    headers: canonicalHeaders(request.headers, fields.signedHeaders),
    signedHeaders: fields.signedHeaders.join(';'),
    payloadHash,
  }
}

const SIGNATURE_ALONE = ['X-Amz-Signature']
const SIGNATURE_AND_TOKEN = ['X-Amz-Signature', 'X-Amz-Security-Token']

/**
 * Two liberties, alone or together:
 *
 * - The session token of a presigned request may have been added after signing. Source: AWS General Reference, "Add the
 *   signature to the request": some services want it signed, for others it is added at the end.
 * - Ours: the host may have been signed without its port, or with the scheme's own port when it was sent without one.
 *   Clients written for AWS's default port sign the bare name.
 */
function toleratedVariants(request: RequestLine, fields: SignatureFields, asSent: CanonicalParts): CanonicalParts[] {
  const variants: CanonicalParts[] = []
  const host = otherHost(request)
  const headers = host === undefined ? undefined : canonicalHeaders(withHost(request.headers, host), fields.signedHeaders)
  if (headers !== undefined) variants.push({ ...asSent, headers })
  if (fields.form === 'query' && fields.sessionToken !== undefined) {
    const query = canonicalQuery(request.rawQuery, SIGNATURE_AND_TOKEN)
    variants.push({ ...asSent, query })
    if (headers !== undefined) variants.push({ ...asSent, query, headers })
  }
  return variants
}

/** The host as a client may have signed it: without the port that was sent, or with the port that is understood. */
function otherHost({ headers, isSecure }: RequestLine): string | undefined {
  const host = headers.get('host')?.trim()
  if (!host) return undefined
  const bare = host.replace(/:\d+$/, '')
  return bare === host ? `${host}:${isSecure ? 443 : 80}` : bare
}

function withHost(headers: HttpHeaders, host: string): HttpHeaders {
  return headersFromRaw(headers.entries().flatMap(([name, value]) => [name, name.toLowerCase() === 'host' ? host : value]))
}

function scopeOf({ credential }: SignatureFields): string {
  return credential.slice(credential.indexOf('/') + 1)
}

function isSame(expected: string, given: string): boolean {
  return given.length === expected.length && timingSafeEqual(Buffer.from(expected, 'latin1'), Buffer.from(given, 'latin1'))
}
