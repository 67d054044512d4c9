// The parameters of a request as methods, templates and functions see them: query and headers by name, every value and the last.

import type { HttpRequest } from '#lib/http.ts'
import { decoded } from './address.ts'
import type { RequestParameters } from './templates/input.ts'

/** The parameters of a request, without its body. */
export interface RequestValues {
  parameters: RequestParameters
  /** Every value of a parameter, in order. */
  multiValues: { querystring: Record<string, string[]>, header: Record<string, string[]> }
}

/** What of an exchange the values are made from. */
export interface CalledRequest {
  request: HttpRequest
  /** `X-Amzn-Trace-Id`. */
  traceHeader: string
  /** Of a test invocation, which has the headers that it was given, and no others. */
  test?: object | undefined
}

export function requestValues(exchange: CalledRequest, path: Readonly<Record<string, string>>): RequestValues {
  const header = collect(spelledOnce(methodHeaders(exchange)))
  const querystring = collect(parseQuery(exchange.request.rawQuery))
  return { parameters: { path, querystring: lastOf(querystring), header: lastOf(header) }, multiValues: { querystring, header } }
}

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
export function methodHeaders({ request, traceHeader, test }: CalledRequest): (readonly [name: string, value: string])[] {
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

/** Names and values of a query, decoded; a name without `=` has an empty value. */
export function parseQuery(rawQuery: string): [name: string, value: string][] {
  if (rawQuery === '') return []
  return rawQuery.split('&').filter((pair) => pair !== '').map((pair) => {
    const equals = pair.indexOf('=')
    const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
    return [decoded(name.replaceAll('+', ' ')), decoded(value.replaceAll('+', ' '))]
  })
}

/** Header names that differ in case only are one, spelled as the first. */
function spelledOnce(lines: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const spellings = new Map<string, string>()
  return lines.map(([name, value]) => {
    const lower = name.toLowerCase()
    if (!spellings.has(lower)) spellings.set(lower, name)
    return [spellings.get(lower)!, value]
  })
}

/** Values by name. */
function collect(pairs: Iterable<readonly [string, string]>): Record<string, string[]> {
  const values: Record<string, string[]> = Object.create(null) as Record<string, string[]>
  for (const [name, value] of pairs) (values[name] ??= []).push(value)
  return values
}

/** Observed: localstack, on AWS: of several values of a parameter the last is the single one. */
function lastOf(values: Readonly<Record<string, string[]>>): Record<string, string> {
  const single: Record<string, string> = Object.create(null) as Record<string, string>
  for (const name of Object.keys(values)) single[name] = values[name]!.at(-1)!
  return single
}
