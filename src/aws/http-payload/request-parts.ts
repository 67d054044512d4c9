// An HTTP request as functions are shown it: names in lower case, values of one name together, cookies apart, the body as text or base64.

import { isUtf8 } from 'node:buffer'
import type { HttpRequest } from '#lib/http.ts'

export interface RequestParts {
  method: string
  /** The query as it was sent. */
  rawQuery: string
  /** Decoded, in the order in which they came. */
  query: readonly (readonly [name: string, value: string])[]
  /** Names in lower case, those of the gateway among them; without cookies. */
  headers: readonly (readonly [name: string, value: string])[]
  cookies: readonly string[]
  body: Buffer
  isSecure: boolean
  sourceIp: string
}

/**
 * Whose the request is, for whom it was forwarded. Source: HTTP APIs' and function URLs' events in the developer guides, and those that users
 * publish (aws-powertools/powertools-lambda-typescript issue 2624): a content length is there even without a body.
 *
 * @param body undefined where it has not been read: an authorizer's event has none, but the length that was announced.
 */
export function requestParts(request: HttpRequest, body: Buffer | undefined, { traceHeader }: { traceHeader: string }): RequestParts {
  const headers: [string, string][] = []
  const cookies: string[] = []
  for (const [name, value] of request.headers.entries()) {
    const lower = name.toLowerCase()
    if (lower === 'cookie') cookies.push(...value.split(/;\s*/).filter((cookie) => cookie !== ''))
    else if (!notShown.has(lower)) headers.push([lower, value])
  }
  const hops = request.headers.all('x-forwarded-for').flatMap((line) => line.split(',')).map((hop) => hop.trim()).filter((hop) => hop !== '')
  // A trusted proxy has put the client's address there already.
  const forwardedFor = (hops.at(-1) === request.remoteAddress ? hops : [...hops, request.remoteAddress]).join(', ')
  headers.push(
    ['content-length', String(body?.length ?? request.headers.get('content-length') ?? 0)],
    ['x-amzn-trace-id', traceHeader.split(';')[0]!],
    ['x-forwarded-for', forwardedFor],
    ['x-forwarded-port', request.isSecure ? '443' : '80'],
    ['x-forwarded-proto', request.isSecure ? 'https' : 'http'],
  )
  return { method: request.method, rawQuery: request.rawQuery, query: parseQuery(request.rawQuery), headers, cookies, body: body ?? Buffer.alloc(0), isSecure: request.isSecure, sourceIp: request.remoteAddress }
}

/** The values of a header, cookies too; undefined where there is none. Names compare without case. */
export function headerOf({ headers, cookies }: Pick<RequestParts, 'headers' | 'cookies'>, name: string): string | undefined {
  const lower = name.toLowerCase()
  if (lower === 'cookie') return cookies.length === 0 ? undefined : cookies.join('; ')
  const values = headers.filter(([one]) => one === lower)
  return values.length === 0 ? undefined : values.map(([, value]) => value).join(',')
}

/** Of the connection, or made anew by the gateway. */
const notShown = new Set(['connection', 'content-length', 'transfer-encoding', 'x-amzn-trace-id', 'x-forwarded-for', 'x-forwarded-port', 'x-forwarded-proto'])

function parseQuery(rawQuery: string): [string, string][] {
  return rawQuery.split('&').filter((pair) => pair !== '').map((pair) => {
    const equals = pair.indexOf('=')
    const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
    return [decoded(name.replaceAll('+', ' ')), decoded(value.replaceAll('+', ' '))]
  })
}

/** A percent-encoding undone, or the text itself where it is none. */
export function decoded(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A path with each of its segments decoded on its own, as routes compare them: one that cannot be decoded leaves the others no less plain. */
export const decodedPath = (path: string): string => path.split('/').map(decoded).join('/')

/** Values of one name joined by commas. Source: API Gateway developer guide, "Lambda proxy integrations for HTTP APIs", format 2.0. */
export function joined(pairs: Iterable<readonly [string, string]>): Record<string, string> {
  const values = new Map<string, string>()
  for (const [name, value] of pairs) values.set(name, values.has(name) ? `${values.get(name)},${value}` : value)
  return Object.fromEntries(values)
}

/** Every value of each name. */
export function listed(pairs: Iterable<readonly [string, string]>): Record<string, string[]> {
  const values = new Map<string, string[]>()
  for (const [name, value] of pairs) values.set(name, [...values.get(name) ?? [], value])
  return Object.fromEntries(values)
}

/** The last value of each name, as format 1.0 has it. */
export function lastOf(pairs: Iterable<readonly [string, string]>): Record<string, string> {
  return Object.fromEntries(pairs)
}

/**
 * Source: ministackorg/ministack pull request 766, tried on AWS: these are texts; everything else, forms and what names no type among it,
 * arrives in base64.
 */
const textTypes = /^(?:text\/[^;]*|application\/(?:json|javascript|xml))(?:;|$)/i

/** The body for an event. Ours: what calls itself a text but is no UTF-8 arrives in base64, so that nothing of it is lost. */
export function bodyForEvent({ headers, body }: Pick<RequestParts, 'headers' | 'body'>): { body: string | undefined, isBase64Encoded: boolean } {
  if (body.length === 0) return { body: undefined, isBase64Encoded: false }
  const contentType = headers.find(([name]) => name === 'content-type')?.[1]?.replaceAll(/\s/g, '') ?? ''
  const isText = textTypes.test(contentType) && isUtf8(body)
  return { body: body.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText }
}
