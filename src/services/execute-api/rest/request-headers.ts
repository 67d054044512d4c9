// The headers of a request as its method sees them, and which of them a backend is sent.

import { configurationError } from '../gateway-responses.ts'
import type { Exchange } from './exchange.ts'

/**
 * What concerns the connection to the gateway never reaches templates, mappings and functions.
 * Observed: AWS, 17-07-2024, recorded by localstack's test_apigateway_header_remapping_http and _aws.
 */
const ofTheConnection = new Set([
  'connection', 'content-length', 'content-md5', 'expect', 'max-forwards', 'proxy-authenticate', 'server', 'te', 'trailer', 'transfer-encoding',
  'upgrade', 'www-authenticate',
])

/**
 * Name and value of every header line: first those of the client, then what the front of API Gateway adds. A test has what it was given.
 * Source: execution logs published by users ("Method request headers"), of 2018 to 2024: `X-Forwarded-For`, `-Port`, `-Proto` and the trace.
 */
export function methodHeaders({ request, traceHeader, test }: Pick<Exchange, 'request' | 'traceHeader' | 'test'>): (readonly [name: string, value: string])[] {
  const kept = request.headers.entries().filter(([name]) => !ofTheConnection.has(name.toLowerCase()))
  if (test) return kept
  const added: (readonly [string, string])[] = [
    ['X-Amzn-Trace-Id', traceHeader.split(';')[0]!],
    ['X-Forwarded-For', forwardedFor(request.headers.all('x-forwarded-for'), request.remoteAddress)],
    ['X-Forwarded-Port', request.isSecure ? '443' : '80'],
    ['X-Forwarded-Proto', request.isSecure ? 'https' : 'http'],
  ]
  const replaced = new Set(added.map(([name]) => name.toLowerCase()))
  return [...kept.filter(([name]) => !replaced.has(name.toLowerCase())), ...added]
}

/** The client's address after those that the request came with; a trusted proxy has put it there already. */
function forwardedFor(given: readonly string[], address: string): string {
  const hops = given.flatMap((line) => line.split(',')).map((hop) => hop.trim()).filter((hop) => hop !== '')
  return (hops.at(-1) === address ? hops : [...hops, address]).join(', ')
}

/**
 * Whether a proxy integration is sent the client's `Authorization`: not where it is for API Gateway itself.
 * Source: developer guide, "Amazon API Gateway important notes", headers of REST APIs.
 */
export function passesAuthorization({ claim }: { claim?: Exchange['claim'] | undefined }, value: string): boolean {
  return claim === undefined && !value.startsWith('AWS4-HMAC-SHA256')
}

/** Set by API Gateway itself. Observed: AWS, 17-07-2024, as above; `x-amzn-trace-id`: localstack's integration request handler. */
const neverMapped = new Set(['content-length', 'transfer-encoding', 'x-amzn-trace-id'])
const neverMappedToServices = new Set([...neverMapped, 'authorization', 'connection', 'expect', 'proxy-authenticate', 'te'])

/**
 * Refuses mappings to headers that API Gateway sets, of proxy integrations with functions too, where mappings mean nothing.
 *
 * @throws GatewayRefusal 500
 */
export function refuseMappedHeaders(type: string, names: readonly string[]): void {
  const forbidden = type === 'AWS' || type === 'AWS_PROXY' ? neverMappedToServices : neverMapped
  const found = names.find((name) => forbidden.has(name.toLowerCase()))
  if (found !== undefined) throw configurationError(`${found} header already present`)
}

export type HeaderLine = readonly [name: string, value: string]

/** Headers by name without case; the last one set stands, in its own spelling. */
export function setHeader(headers: HeaderLine[], name: string, value: string): void {
  const lower = name.toLowerCase()
  const index = headers.findIndex(([given]) => given.toLowerCase() === lower)
  if (index === -1) return void headers.push([name, value])
  headers[index] = [name, value]
  // A header that came in several lines is replaced as a whole.
  for (let at = headers.length - 1; at > index; at -= 1) if (headers[at]![0].toLowerCase() === lower) headers.splice(at, 1)
}

export function hasHeader(headers: readonly HeaderLine[], name: string): boolean {
  return headers.some(([given]) => given.toLowerCase() === name)
}
