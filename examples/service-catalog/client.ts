// A client that signs its own requests (Signature Version 4), with long-term or short-term keys.

import { createHash, createHmac } from 'node:crypto'

export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  /** Present with short-term keys. */
  sessionToken?: string | undefined
}

export interface SignedRequest {
  url: string
  headers: Record<string, string>
  body: string
}

/** `sign_request`: the headers that make a GET or POST to `url` a signed one. The signed host is the name without a port. */
export function signRequest(method: 'GET' | 'POST', url: string, credentials: Credentials, region: string, service: string, body = ''): SignedRequest {
  const { protocol, host, hostname, pathname, searchParams } = new URL(url)
  const amzDate = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
  const date = amzDate.slice(0, 8)
  const query = canonicalQuery(searchParams)

  const signed: Record<string, string> = { host: hostname, 'x-amz-date': amzDate }
  if (credentials.sessionToken !== undefined) signed['x-amz-security-token'] = credentials.sessionToken
  const names = Object.keys(signed).toSorted()
  const canonicalRequest = [
    method,
    pathname.split('/').map(encode).join('/'),
    query,
    ...names.map((name) => `${name}:${signed[name]}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n')

  const scope = `${date}/${region}/${service}/aws4_request`
  const stringToSign = ['AWS4-HMAC-SHA256', amzDate, scope, sha256(canonicalRequest)].join('\n')
  const signature = hmac(signatureKey(credentials.secretAccessKey, date, region, service), stringToSign).toString('hex')

  const { host: _, ...headers } = signed
  headers.Authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { url: `${protocol}//${host}${pathname}${query === '' ? '' : `?${query}`}`, headers, body }
}

/** `signed_post`: a signed POST of `data`. */
export async function signedPost(url: string, region: string, service: string, data: string, credentials = credentialsFromEnvironment()): Promise<Response> {
  const request = signRequest('POST', url, credentials, region, service, data)
  return fetch(request.url, { method: 'POST', headers: request.headers, body: Buffer.from(request.body) })
}

/** `signed_get`: the same for GET. */
export async function signedGet(url: string, region: string, service: string, credentials = credentialsFromEnvironment()): Promise<Response> {
  const request = signRequest('GET', url, credentials, region, service)
  return fetch(request.url, { headers: request.headers })
}

export function credentialsFromEnvironment(): Credentials {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) throw new Error('Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN with short-term keys).')
  return { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY, sessionToken: AWS_SESSION_TOKEN || undefined }
}

function canonicalQuery(parameters: URLSearchParams): string {
  return [...parameters].map(([name, value]) => `${encode(name)}=${encode(value)}`).toSorted().join('&')
}

/** Percent-encodes everything but the unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

function signatureKey(secret: string, date: string, region: string, service: string): Buffer {
  return [region, service, 'aws4_request'].reduce((key, part) => hmac(key, part), hmac(`AWS4${secret}`, date))
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
