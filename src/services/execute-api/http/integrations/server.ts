// HTTP_PROXY: another server answers, over HTTP.

import type { Clock } from '#lib/clock.ts'
import { HttpFailure, type HttpClient } from '#lib/http-client.ts'
import { domainOf } from '../context.ts'
import type { HttpApiAnswer, HttpApiCall } from '../exchange.ts'
import { internalServerError, serviceUnavailable } from '../refusals.ts'
import { PAYLOAD_BYTES_MAX } from '../steps/read-body.ts'
import { timeoutOf } from './timeout.ts'

export interface ServerIntegrationOptions {
  http: HttpClient
  clock: Clock
}

/** Of the connection, and those that the gateway makes itself. */
const notPassedOn = new Set(['connection', 'content-length', 'expect', 'forwarded', 'host', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'via',
  'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto'])
const notAnswered = new Set(['connection', 'content-length', 'keep-alive', 'proxy-authenticate', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'via'])

/**
 * Redirects are answers like any other.
 * Source: what users publish of requests that arrive from HTTP APIs: `Forwarded` (by, for, host, proto) instead of `X-Forwarded-…`, and `Via`.
 *
 * @throws HttpRefusal 503 without an answer in time or at all, 500 for an address that is none and for an answer over 10 MB.
 */
export async function callServer(call: HttpApiCall, overwrittenPath: string | undefined, { http, clock }: ServerIntegrationOptions): Promise<HttpApiAnswer> {
  const { exchange, integration, parts } = call
  const { definition } = integration
  const method = definition.integrationMethod === undefined || definition.integrationMethod === 'ANY' ? parts.method : definition.integrationMethod
  const url = addressOf(call, overwrittenPath)
  const facts = { type: 'HTTP_PROXY', method, uri: url.split('?')[0]! }
  const startedAt = clock.monotonic()
  try {
    const answer = await http.send({
      method, url, body: parts.body, timeoutMs: timeoutOf(call), answerBytesMax: PAYLOAD_BYTES_MAX,
      headers: headersFor(call),
    })
    const latencyMs = clock.monotonic() - startedAt
    exchange.integrationCall = { latencyMs, status: answer.status }
    exchange.trace.add('integration', { ...facts, status: answer.status, responseBytes: answer.body.length, latencyMs: Math.round(latencyMs) })
    const headers: HttpApiAnswer['headers'] = {}
    for (const [name, value] of answer.headers.entries()) {
      const lower = name.toLowerCase()
      if (notAnswered.has(lower)) continue
      headers[lower] = headers[lower] === undefined ? value : [headers[lower], value].flat()
    }
    return { status: answer.status, headers, body: answer.body }
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error
    exchange.integrationCall = { error: error.message }
    exchange.trace.add('integration', { ...facts, failed: error.because, message: error.message })
    throw error.because === 'too large' || error.because === 'address' ? internalServerError(error.message) : serviceUnavailable(error.message)
  }
}

/** The backend's URL with path and stage variables put in, and the query behind it. */
function addressOf({ integration: { definition }, pathParameters, deployed, parts }: HttpApiCall, overwrittenPath: string | undefined): string {
  const filled = (definition.integrationUri ?? '')
    .replace(/\$\{stageVariables\.([A-Za-z0-9_]+)\}/g, (_, name: string) => deployed.stage.stageVariables[name] ?? '')
    .replace(/\{([^{}]+?)\+?\}/g, (_, name: string) => (pathParameters[name] ?? '').split('/').map(encodeURIComponent).join('/'))
  const question = filled.indexOf('?')
  const [address, ownQuery] = question === -1 ? [filled, ''] : [filled.slice(0, question), filled.slice(question + 1)]
  const path = overwrittenPath === undefined ? address : address.replace(/^(https?:\/\/[^/]+).*$/i, (_, origin: string) => origin + encodedPath(overwrittenPath))
  const query = [ownQuery, ...parts.query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)].filter((part) => part !== '').join('&')
  return query === '' ? path : `${path}?${query}`
}

function encodedPath(path: string): string {
  return `/${path.replace(/^\//, '').split('/').map((segment) => encodeURIComponent(segment)).join('/')}`
}

function headersFor({ exchange, parts }: HttpApiCall): [string, string][] {
  const passed = parts.headers.filter(([name]) => !notPassedOn.has(name)).map(([name, value]): [string, string] => [name, value])
  const { request } = exchange
  const address = (ip: string) => ip.includes(':') ? `"[${ip}]"` : ip
  return [
    ...passed,
    ...(parts.cookies.length === 0 ? [] : [['cookie', parts.cookies.join('; ')] as [string, string]]),
    ['forwarded', `by=${address(request.remoteAddress)};for=${address(request.remoteAddress)};host=${domainOf(exchange)};proto=${request.isSecure ? 'https' : 'http'}`],
    ['via', 'HTTP/1.1 AmazonAPIGateway'],
  ]
}
