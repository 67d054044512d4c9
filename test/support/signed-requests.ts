// Random requests, the independent signers that judge ours, and ways to spoil a signed request.

import { spawn } from 'node:child_process'
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import aws4 from 'aws4'
import fc from 'fast-check'
import { headersFromRaw, type HttpRequest } from '#lib/http.ts'
import type { SigningCredentials } from '#aws/sigv4/sign.ts'

/** A request before it is signed. */
export interface Draft {
  method: string
  /** As it is sent. */
  path: string
  /** Decoded names and values; names may repeat. */
  query: [string, string][]
  headers: [string, string][]
  body: Buffer
  service: string
  region: string
  credentials: SigningCredentials
  nowMs: number
  /** Presigned when there is one. */
  expiresSeconds: number | undefined
}

/** A request as it is sent. */
export interface Sent {
  method: string
  path: string
  rawQuery: string
  headers: [string, string][]
  body: Buffer
}

export type Signer = (draft: Draft) => Promise<Sent>

/** Percent-encodes everything but the unreserved characters of RFC 3986. */
export function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

const anyOf = (characters: string): fc.Arbitrary<string> => fc.constantFrom(...Array.from(characters))

const words = fc.oneof(
  fc.string({ unit: anyOf('abcXYZ019-_.~'), minLength: 1, maxLength: 12 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }),
  fc.string({ unit: anyOf(' +&=/?#%:@$,;!*\'()[]{}"<>\\^`|~é€😀\t'), minLength: 1, maxLength: 8 }),
)

/** Sent raw: what RFC 3986 allows in a path segment without encoding. */
const rawSegments = fc.string({ unit: anyOf('abcXYZ019-_.~:@$&=+,;!*()'), minLength: 1, maxLength: 12 })

const paths = fc.array(fc.oneof(
  { weight: 6, arbitrary: words.map(encoded) },
  { weight: 3, arbitrary: rawSegments },
  { weight: 1, arbitrary: fc.constantFrom('', '.', '..', '...', '.well-known', '%2E', '%2f') },
), { maxLength: 6 }).map((segments) => `/${segments.join('/')}`)

const headerNames = fc.oneof(
  fc.constantFrom('Content-Type', 'Accept', 'X-Amz-Target', 'x-api-key', 'X-Amz-Meta-Thing', 'Cache-Language'),
  fc.string({ unit: anyOf('abcdefXYZ-'), minLength: 1, maxLength: 10 }).map((name) => `X-${name}`),
)

const headerValues = fc.oneof(
  fc.string({ unit: anyOf('abc 019=;,/"\t'), maxLength: 20 }),
  fc.string({ minLength: 0, maxLength: 30 }),
)

const methods = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS')
const services = fc.constantFrom('execute-api', 'lambda', 'iam', 'sts', 'dynamodb', 'logs', 'apigateway')

export const drafts: fc.Arbitrary<Draft> = fc.record({
  method: methods,
  path: paths,
  query: fc.array(fc.tuple(words, fc.oneof(words, fc.constant(''))), { maxLength: 5 }),
  headers: fc.uniqueArray(fc.tuple(headerNames, headerValues), { maxLength: 5, selector: ([name]) => name.toLowerCase() }),
  body: fc.oneof(fc.constant(Buffer.alloc(0)), fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes))),
  service: services,
  region: fc.constantFrom('us-east-1', 'eu-central-1', 'ap-southeast-2', 'local'),
  credentials: fc.record({
    accessKeyId: fc.constantFrom('AKIAIOSFODNN7EXAMPLE', 'ASIAIOSFODNN7EXAMPLE'),
    secretAccessKey: fc.string({ unit: anyOf('abcXYZ019+/'), minLength: 40, maxLength: 40 }),
    sessionToken: fc.option(fc.string({ unit: anyOf('abcXYZ019+/='), minLength: 1, maxLength: 100 }), { nil: undefined }),
  }).map(({ sessionToken, ...keys }) => sessionToken === undefined ? keys : { ...keys, sessionToken }),
  nowMs: fc.integer({ min: Date.UTC(2013, 0), max: Date.UTC(2040, 0) }),
  expiresSeconds: fc.option(fc.integer({ min: 1, max: 604_800 }), { nil: undefined, freq: 3 }),
})

const HOST = 'abc123.execute-api.us-east-1.localhost:4566'

export const signWithSmithy: Signer = async (draft) => {
  const signer = new SignatureV4({ service: draft.service, region: draft.region, credentials: draft.credentials, sha256: Sha256, applyChecksum: draft.body.length % 2 === 0 })
  const request = {
    method: draft.method, protocol: 'http:', hostname: HOST, path: draft.path, body: draft.body,
    headers: { host: HOST, ...Object.fromEntries(draft.headers) }, query: grouped(draft.query),
  }
  const signingDate = new Date(draft.nowMs)
  const signed = draft.expiresSeconds === undefined
    ? await signer.sign(request, { signingDate })
    : await signer.presign(request, { signingDate, expiresIn: draft.expiresSeconds })
  const query = Object.entries(signed.query ?? {}).flatMap(([name, values]) => [values ?? []].flat().map((value): [string, string] => [name, value]))
  return { method: draft.method, path: draft.path, rawQuery: encodedQuery(query), headers: Object.entries(signed.headers), body: draft.body }
}

export const signWithAws4: Signer = async (draft) => {
  const date = new Date(draft.nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const isPresigned = draft.expiresSeconds !== undefined
  const query = isPresigned ? [...draft.query, ['X-Amz-Expires', String(draft.expiresSeconds)], ['X-Amz-Date', date]] as [string, string][] : draft.query
  const signed = aws4.sign({
    method: draft.method,
    path: query.length === 0 ? draft.path : `${draft.path}?${encodedQuery(query)}`,
    service: draft.service,
    region: draft.region,
    signQuery: isPresigned,
    headers: { Host: HOST, ...Object.fromEntries(draft.headers), ...isPresigned ? {} : { 'X-Amz-Date': date } },
    // Its types know only text, but it hashes bytes as well.
    ...draft.body.length === 0 ? {} : { body: draft.body as unknown as string },
  }, draft.credentials)
  const [path, rawQuery = ''] = signed.path!.split(/\?(.*)/s) as [string, string?]
  return { method: draft.method, path, rawQuery, headers: Object.entries(signed.headers ?? {}).map(([name, value]) => [name, String(value)]), body: draft.body }
}

/**
 * Signs with botocore in one Python process, in the order of the drafts. Presigned drafts must have no body: botocore reads
 * it as parameters.
 *
 * Rejects when Python or a botocore whose clock can be set is absent.
 */
export async function signAllWithBotocore(all: readonly Draft[]): Promise<Sent[]> {
  const script = new URL('../cases/sigv4/botocore-signer.py', import.meta.url).pathname
  const child = spawn('python3', [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const output: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stdin.on('error', () => { /* the exit code tells */ })
  for (const draft of all) {
    const rawQuery = encodedQuery(draft.query)
    child.stdin.write(`${JSON.stringify({
      ...draft, ...draft.credentials, body: draft.body.toString('base64'), expiresSeconds: draft.expiresSeconds ?? null,
      url: `http://${HOST}${draft.path}${rawQuery === '' ? '' : `?${rawQuery}`}`,
    })}\n`)
  }
  child.stdin.end()
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (code !== 0) throw new Error(`the botocore signer exited with ${code}`)
  return Buffer.concat(output).toString().trimEnd().split('\n').map((line, index) => {
    const { url, headers } = JSON.parse(line) as { url: string, headers: [string, string][] }
    const [path, rawQuery = ''] = url.slice(`http://${HOST}`.length).split(/\?(.*)/s) as [string, string?]
    const { method, body } = all[index]!
    return { method, path, rawQuery, headers: [['Host', HOST], ...headers], body }
  })
}

function grouped(query: readonly [string, string][]): Record<string, string | string[]> {
  const values: Record<string, string | string[]> = {}
  for (const [name, value] of query) values[name] = name in values ? [values[name]!, value].flat() : value
  return values
}

function encodedQuery(query: readonly [string, string][]): string {
  return query.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&')
}

/** The request as the server reads it: one character a byte. */
export function received({ method, path, rawQuery, headers, body }: Sent): HttpRequest {
  return {
    method, path, rawQuery, headers: headersFromRaw(headers.flatMap(([name, value]) => [name, Buffer.from(value).toString('latin1')])),
    remoteAddress: '127.0.0.1', isSecure: false, body: () => Promise.resolve(body),
  }
}

/** Changes of a signed request that each alter what was signed, by name. Undefined where a change does not apply. */
export const spoilings: { readonly [name: string]: (sent: Sent, signedHeaders: readonly string[], at: number) => Sent | undefined } = {
  'another method': (sent) => ({ ...sent, method: sent.method === 'GET' ? 'POST' : 'GET' }),
  'a longer path': (sent) => ({ ...sent, path: `${sent.path}x` }),
  'a path with another segment': (sent) => ({ ...sent, path: `${sent.path}/x` }),
  // A segment before `..` is not signed, whatever it is.
  'a path encoded once more': (sent) => sent.path.includes('%') && !sent.path.includes('..') ? { ...sent, path: sent.path.replaceAll('%', '%25') } : undefined,
  'one more parameter': (sent) => ({ ...sent, rawQuery: `${sent.rawQuery}${sent.rawQuery === '' ? '' : '&'}zq=1` }),
  'one more parameter in front': (sent) => ({ ...sent, rawQuery: `0=${sent.rawQuery === '' ? '' : '&'}${sent.rawQuery}` }),
  'a parameter less': (sent, _, at) => {
    const pieces = sent.rawQuery.split('&').filter((piece) => piece !== '' && !piece.startsWith('X-Amz-'))
    if (pieces.length === 0) return undefined
    const gone = pieces[at % pieces.length]!
    const rest = sent.rawQuery.split('&')
    rest.splice(rest.indexOf(gone), 1)
    return { ...sent, rawQuery: rest.join('&') }
  },
  'a parameter of another value': (sent, _, at) => {
    const pieces = sent.rawQuery.split('&')
    const candidates = pieces.flatMap((piece, index) => piece === '' || piece.startsWith('X-Amz-') ? [] : [index])
    if (candidates.length === 0) return undefined
    const index = candidates[at % candidates.length]!
    return { ...sent, rawQuery: pieces.with(index, `${pieces[index]}${pieces[index]!.includes('=') ? '' : '='}x`).join('&') }
  },
  'a signed header of another value': (sent, signed, at) => changeHeader(sent, signed, at, ([name, value]) => [[name, `${value}x`]]),
  'a signed header repeated': (sent, signed, at) => changeHeader(sent, signed, at, ([name, value]) => [[name, value], [name, value]]),
  'a signed header less': (sent, signed, at) => changeHeader(sent, signed, at, ([, value]) => value.trim() === '' ? undefined : []),
  'a signed header in capitals': (sent, signed, at) => changeHeader(sent, signed, at, ([name, value]) => value.toUpperCase() === value ? undefined : [[name, value.toUpperCase()]]),
  'a longer body': (sent) => ({ ...sent, body: Buffer.concat([sent.body, Buffer.from('x')]) }),
  'a body with one bit changed': (sent, _, at) => {
    if (sent.body.length === 0) return undefined
    const body = Buffer.from(sent.body)
    body[at % body.length]! ^= 1 << (at % 8)
    return { ...sent, body }
  },
  'a signature with one digit changed': (sent, _, at) => changeText(sent, /(X-Amz-Signature=|Signature=)([0-9a-f]{64})/, (all, name: string, digits: string) => {
    const index = at % 64
    return `${name}${digits.slice(0, index)}${digits[index] === '0' ? '1' : '0'}${digits.slice(index + 1)}`
  }),
  'a signature in capitals': (sent) => changeText(sent, /(X-Amz-Signature=|Signature=)([0-9a-f]{64})/, (all, name: string, digits: string) => name + digits.toUpperCase()),
  'a signature cut short': (sent) => changeText(sent, /(X-Amz-Signature=|Signature=)([0-9a-f]{64})/, (all, name: string, digits: string) => name + digits.slice(0, 63)),
  'another region in the scope': (sent) => changeText(sent, /(Credential=\w+(?:\/|%2F)\d{8}(?:\/|%2F))([a-z0-9-]+)/, (all, head: string) => `${head}mars-north-1`),
  'another day in the scope': (sent) => changeText(sent, /(Credential=\w+(?:\/|%2F))(\d{8})/, (all, head: string) => `${head}20120101`),
  'another service in the scope': (sent) => changeText(sent, /(Credential=\w+(?:\/|%2F)\d{8}(?:\/|%2F)[a-z0-9-]+(?:\/|%2F))([a-z-]+)/, (all, head: string) => `${head}s3`),
  'a signed header fewer in the list': (sent, signed) => signed.length < 2 ? undefined
    : changeText(sent, /(SignedHeaders=)([^,&\s]+)/, (all, name: string, list: string) => name + list.replace(/(?:^|;|%3B)(?!host(?:;|%3B|$))[^;%]+/, '').replace(/^(?:;|%3B)/, '')),
  'a signed header more in the list': (sent) => changeText(sent, /(SignedHeaders=)([^,&\s]+)/, (all, name: string, list: string) => `${name}${list};zz-more`),
}

function changeHeader(sent: Sent, signed: readonly string[], at: number, change: (header: [string, string]) => [string, string][] | undefined): Sent | undefined {
  const candidates = sent.headers.flatMap(([name], index) => signed.includes(name.toLowerCase()) && name.toLowerCase() !== 'host' ? [index] : [])
  if (candidates.length === 0) return undefined
  const index = candidates[at % candidates.length]!
  const changed = change(sent.headers[index]!)
  return changed && { ...sent, headers: [...sent.headers.slice(0, index), ...changed, ...sent.headers.slice(index + 1)] }
}

function changeText(sent: Sent, pattern: RegExp, change: (all: string, ...groups: string[]) => string): Sent | undefined {
  const rawQuery = sent.rawQuery.replace(pattern, change)
  if (rawQuery !== sent.rawQuery) return { ...sent, rawQuery }
  const headers = sent.headers.map(([name, value]): [string, string] => [name, name.toLowerCase() === 'authorization' ? value.replace(pattern, change) : value])
  return headers.some(([, value], index) => value !== sent.headers[index]![1]) ? { ...sent, headers } : undefined
}

const grammar = fc.array(fc.oneof(
  fc.constantFrom(
    'AWS4-HMAC-SHA256', 'AWS4-', 'AWS4-ECDSA-P256-SHA256', 'Bearer', ' ', ',', ', ', ';', '=', '/', '%2F', '%', '\t', 'Credential=', 'SignedHeaders=', 'Signature=',
    'AKIAIOSFODNN7EXAMPLE', '20150830', '/us-east-1', '/lambda', '/aws4_request', 'AKIAIOSFODNN7EXAMPLE/20150830/us-east-1/lambda/aws4_request',
    'host', 'x-amz-date', 'host;x-amz-date', '__proto__', 'constructor', '0'.repeat(64), '\u0000', '\u00e4',
  ),
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 8 }),
), { maxLength: 16 }).map((pieces) => pieces.join(''))

const queryGrammar = fc.array(fc.tuple(
  fc.constantFrom('X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-SignedHeaders', 'X-Amz-Date', 'X-Amz-Expires', 'X-Amz-Security-Token', 'x-amz-algorithm', '__proto__', ''),
  fc.oneof(grammar, fc.constantFrom('20150830T123600Z', 'AWS4-HMAC-SHA256', '60', '604800')),
  fc.constantFrom('=', '=', '=', '', '%3D', '&'),
), { maxLength: 9 }).map((pairs) => pairs.map(([name, value, sign]) => name + sign + value).join('&'))

const dates = fc.oneof(fc.constantFrom('20150830T123600Z', 'Sun, 30 Aug 2015 12:36:00 GMT', '', '20150830', '99999999T999999Z'), grammar)

/** Requests that look like signed ones and are not. */
export const forgeries: fc.Arbitrary<HttpRequest> = fc.record({
  authorization: fc.option(grammar, { nil: undefined }),
  query: fc.oneof(fc.constant(''), queryGrammar),
  amzDate: fc.option(dates, { nil: undefined }),
  date: fc.option(dates, { nil: undefined }),
  token: fc.option(grammar, { nil: undefined }),
  contentSha256: fc.option(fc.oneof(grammar, fc.constantFrom('UNSIGNED-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD')), { nil: undefined }),
  host: fc.option(fc.oneof(fc.constant('localhost:4566'), grammar), { nil: undefined }),
  path: grammar.map((text) => `/${text}`),
}).map(({ authorization, query, amzDate, date, token, contentSha256, host, path }) => {
  const headers = Object.entries({ Authorization: authorization, 'X-Amz-Date': amzDate, Date: date, 'X-Amz-Security-Token': token, 'X-Amz-Content-Sha256': contentSha256, Host: host })
  return {
    method: 'POST', path, rawQuery: query, remoteAddress: '127.0.0.1', isSecure: false, body: () => Promise.resolve(Buffer.alloc(0)),
    headers: headersFromRaw(headers.flatMap(([name, value]) => value === undefined ? [] : [name, value])),
  }
})
