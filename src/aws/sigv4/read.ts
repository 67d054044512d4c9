// Reads the signature of a request, from its `Authorization` header or its query, and refuses what has no proper form.

import { hash } from 'node:crypto'
import type { HttpRequest } from '#lib/http.ts'
import { canonicalNames, decodedBytes, queryParameters } from './canonical.ts'
import { SignatureRefusal } from './refusal.ts'
import type { ServiceRules } from './service-rules.ts'

/** What a request says about its signature, before anything of it is judged. */
export interface RawSignature {
  form: 'header' | 'query'
  algorithm: string
  /** `keyid/date/region/service/term` when all is well. */
  credential: string
  /** Lower-case and in order. */
  signedHeaders: string[]
  signature: string
  /** As it was sent. */
  date: string
  /** Where the date was found: a `Date` header may have either form, `X-Amz-Date` only ISO 8601. */
  dateIn: 'X-Amz-Date' | 'Date'
  sessionToken: string | undefined
  /** `X-Amz-Expires` as it was sent; only in the query form. */
  expires: string | undefined
}

/**
 * Source for order and sentences: what DynamoDB answers, written down in dynalite's `index.js` and asserted by its
 * connection tests; API Gateway's newer wordings in public bug reports.
 *
 * @throws SignatureRefusal
 */
export function readSignature(request: Pick<HttpRequest, 'headers' | 'rawQuery'>, rules: ServiceRules): RawSignature {
  const query = request.rawQuery.includes('X-Amz-') ? firstValues(request.rawQuery) : undefined
  const isInQuery = query?.has('X-Amz-Algorithm') ?? false
  const authorization = request.headers.get('authorization')
  if (isInQuery && authorization !== undefined) {
    throw new SignatureRefusal('both-forms', "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")
  }
  refuseStreaming(request.headers.get('x-amz-content-sha256') ?? query?.get('X-Amz-Content-Sha256'))
  if (isInQuery) return readQuery(query!, request)
  if (authorization === undefined || (rules.wantsAws4Prefix && !authorization.startsWith('AWS4-'))) {
    throw new SignatureRefusal('missing', rules.missing)
  }
  return readHeader(authorization, request, rules)
}

/**
 * Ours: AWS's services but S3 do not know chunk signatures and take the header for any other; refusing it says at once what
 * a later mismatch would hide. Such a body is never taken unverified.
 */
function refuseStreaming(contentSha256: string | undefined): void {
  if (contentSha256?.startsWith('STREAMING-')) {
    throw new SignatureRefusal('unsupported',
      `The value '${contentSha256}' of x-amz-content-sha256 is not supported: the payload must be signed as a whole.`)
  }
}

function readHeader(authorization: string, { headers }: Pick<HttpRequest, 'headers'>, rules: ServiceRules): RawSignature {
  const [algorithm = '', ...pieces] = authorization.split(/[\s,]+/)
  if (algorithm.includes('=')) {
    throw new SignatureRefusal('incomplete', 'Authorization header must begin with the algorithm name, which cannot include an equal-sign.')
  }
  const values: { Credential?: string, Signature?: string, SignedHeaders?: string } = {}
  for (const piece of pieces) {
    if (piece === '') continue
    const equalSign = piece.indexOf('=')
    if (equalSign === -1) throw new SignatureRefusal('incomplete', notAPair(piece, authorization, rules), 'Not a valid key=value pair (missing equal-sign) in Authorization header.')
    const name = piece.slice(0, equalSign)
    if (name === 'Credential' || name === 'Signature' || name === 'SignedHeaders') values[name] = piece.slice(equalSign + 1)
  }
  const { Credential: credential, Signature: signature, SignedHeaders: signedHeaders } = values
  const amzDate = headers.get('x-amz-date')
  const date = amzDate ?? headers.get('date')
  if (credential === undefined || signature === undefined || signedHeaders === undefined || date === undefined) {
    const missing = (['Credential', 'Signature', 'SignedHeaders'] as const)
      .filter((name) => values[name] === undefined)
      .map((name) => `Authorization header requires '${name}' parameter. `)
    if (date === undefined) missing.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
    throw new SignatureRefusal('incomplete', missing.join('') + (rules.quotesAuthorization === 'as sent'
      ? `Authorization=${authorization}`
      : `(Hashed with SHA-256 and encoded with Base64) Authorization=${hashed(authorization)}`), missing.join('').trim())
  }
  return {
    form: 'header',
    algorithm,
    credential,
    signedHeaders: canonicalNames(signedHeaders),
    signature,
    date,
    dateIn: amzDate === undefined ? 'Date' : 'X-Amz-Date',
    sessionToken: headers.get('x-amz-security-token') || undefined,
    expires: undefined,
  }
}

/** Ours: that it is the whole header which AWS hashes in the newer sentence is what its wording says; nobody published the pair. */
function notAPair(piece: string, authorization: string, { quotesAuthorization }: ServiceRules): string {
  return quotesAuthorization === 'as sent'
    ? `'${piece}' not a valid key=value pair (missing equal-sign) in Authorization header: '${authorization}'.`
    : `Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '${hashed(authorization)}'.`
}

function hashed(authorization: string): string {
  return hash('sha256', Buffer.from(authorization, 'latin1'), 'base64')
}

const REQUIRED_IN_QUERY = ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-SignedHeaders', 'X-Amz-Date'] as const

function readQuery(query: ReadonlyMap<string, string>, { headers }: Pick<HttpRequest, 'headers'>): RawSignature {
  const missing = REQUIRED_IN_QUERY.filter((name) => !query.get(name))
  if (missing.length > 0) {
    throw new SignatureRefusal('incomplete',
      `${missing.map((name) => `AWS query-string parameters must include '${name}'. `).join('')}Re-examine the query-string parameters.`)
  }
  return {
    form: 'query',
    algorithm: query.get('X-Amz-Algorithm')!,
    credential: query.get('X-Amz-Credential')!,
    signedHeaders: canonicalNames(query.get('X-Amz-SignedHeaders')!),
    signature: query.get('X-Amz-Signature')!,
    date: query.get('X-Amz-Date')!,
    dateIn: 'X-Amz-Date',
    sessionToken: query.get('X-Amz-Security-Token') || headers.get('x-amz-security-token') || undefined,
    expires: query.get('X-Amz-Expires'),
  }
}

/** The first value of every parameter, decoded. */
function firstValues(rawQuery: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const [name, value] of queryParameters(rawQuery)) {
    if (!values.has(name)) values.set(name, decodedBytes(value))
  }
  return values
}
