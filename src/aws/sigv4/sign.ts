// Signs requests: what the command line, the clients inside the server and the tests use.

import { headersFromRaw } from '#lib/http.ts'
import { ALGORITHM, canonicalHeaders, canonicalPath, canonicalQuery, canonicalRequest, hashOfBody, stringToSign, TERMINATOR } from './canonical.ts'
import { isoBasic } from './dates.ts'
import { deriveSigningKey, signatureOf } from './signing-key-cache.ts'

export interface SigningCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

/** A request as it will be sent, and what it is signed with. */
export interface SigningRequest {
  method: string
  /** Percent-encoded, beginning with `/`. */
  path: string
  /** Percent-encoded, without `?`. */
  rawQuery: string
  /** `Host` must be among them. */
  headers: Readonly<Record<string, string>>
  body: Buffer
  service: string
  region: string
  credentials: SigningCredentials
  /** Milliseconds; a signature carries whole seconds. */
  nowMs: number
}

/** Headers that proxies and clients change on the way. Source: the lists of AWS's own SDKs. */
const NEVER_SIGNED: ReadonlySet<string> = new Set([
  'authorization', 'connection', 'expect', 'keep-alive', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade',
  'user-agent', 'x-amzn-trace-id',
])

/** All headers to send: the request's own, the date, the session token when there is one, and `Authorization`. */
export function signHeaders(request: SigningRequest): Record<string, string> {
  const { sessionToken } = request.credentials
  const headers: Record<string, string> = { ...request.headers, 'X-Amz-Date': isoBasic(request.nowMs) }
  if (sessionToken !== undefined) headers['X-Amz-Security-Token'] = sessionToken
  const signedHeaders = namesToSign(headers)
  const signature = sign({ ...request, headers }, signedHeaders)
  headers['Authorization'] = `${ALGORITHM} Credential=${credentialOf(request)}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`
  return headers
}

/** The query of a presigned request that lives for `expiresSeconds`: the request's own parameters and those of the signature. */
export function presignQuery(request: SigningRequest & { expiresSeconds: number }): string {
  const { sessionToken } = request.credentials
  const signedHeaders = namesToSign(request.headers)
  const parameters = {
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': credentialOf(request),
    'X-Amz-Date': isoBasic(request.nowMs),
    'X-Amz-Expires': String(request.expiresSeconds),
    'X-Amz-SignedHeaders': signedHeaders.join(';'),
    ...sessionToken === undefined ? {} : { 'X-Amz-Security-Token': sessionToken },
  }
  const rawQuery = [request.rawQuery, ...Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)]
    .filter((part) => part !== '').join('&')
  return `${rawQuery}&X-Amz-Signature=${sign({ ...request, rawQuery }, signedHeaders)}`
}

function sign(request: SigningRequest, signedHeaders: readonly string[]): string {
  if (/[^\x21-\x7e]/.test(request.path + request.rawQuery)) throw new Error('a path and a query must be percent-encoded before they are signed')
  const canonical = canonicalRequest({
    method: request.method,
    path: canonicalPath(request.path, request.service),
    query: canonicalQuery(request.rawQuery),
    headers: canonicalHeaders(headersFromRaw(Object.entries(request.headers).flat()), signedHeaders),
    signedHeaders: signedHeaders.join(';'),
    payloadHash: hashOfBody(request.body),
  })
  const timestamp = isoBasic(request.nowMs)
  const key = deriveSigningKey(request.credentials.secretAccessKey, { date: timestamp.slice(0, 8), region: request.region, service: request.service })
  return signatureOf(key, stringToSign(timestamp, scopeOf(request), canonical))
}

function namesToSign(headers: Readonly<Record<string, string>>): string[] {
  return Object.keys(headers).map((name) => name.toLowerCase()).filter((name) => !NEVER_SIGNED.has(name)).sort()
}

function credentialOf(request: SigningRequest): string {
  return `${request.credentials.accessKeyId}/${scopeOf(request)}`
}

function scopeOf({ region, service, nowMs }: SigningRequest): string {
  return `${isoBasic(nowMs).slice(0, 8)}/${region}/${service}/${TERMINATOR}`
}
