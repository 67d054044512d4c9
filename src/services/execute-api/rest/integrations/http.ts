// HTTP and HTTP_PROXY: another server answers, over HTTP.

import type { Clock } from '#lib/clock.ts'
import { HttpFailure, type HttpClient, type IncomingAnswer } from '#lib/http-client.ts'
import { filledUri, withQuery } from '../../backends/address.ts'
import { joined, httpRefusal } from '../../backends/http-answer.ts'
import { PAYLOAD_BYTES_MAX } from '../../payload-limit.ts'
import { tracedBody } from '../../traced-body.ts'
import { responsePayload } from '../content-handling.ts'
import type { ApiCall, IntegrationRequest, IntegrationResult } from '../exchange.ts'
import { backendHeaders } from './backend-headers.ts'
import { integrationTimeoutMs } from './timeout.ts'

export interface HttpOptions {
  http: HttpClient
  clock: Clock
}

/** Bodies are not sent with these. Source: localstack's HTTP integration. */
const withoutBody = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Redirects are answers like any other. Source: public reports: API Gateway follows none.
 *
 * @throws GatewayRefusal 504 without an answer in time or at all; 500 for an address that is none, a certificate that does not fit, and an
 * answer over 10 MB.
 */
export async function callHttp(call: ApiCall, request: IntegrationRequest, { http, clock }: HttpOptions): Promise<IntegrationResult> {
  const { exchange, integration, route, multiValues } = call
  const { type, uri = '', httpMethod = 'ANY', tlsConfig } = integration.definition
  const isProxy = type === 'HTTP_PROXY'
  const method = httpMethod === 'ANY' ? exchange.request.method : httpMethod
  const query = isProxy ? together(multiValues.querystring, request.querystring) : request.querystring
  const url = withQuery(filledUri(uri, request.path, route.deployed.stage.variables), query)
  const headers = backendHeaders(call, request)
  const body = withoutBody.has(method) ? Buffer.alloc(0) : request.body
  const timeoutMs = integrationTimeoutMs(call)
  const endpoint = exchange.endpoint = { uri: url, headers: () => joined(headers), body, sentAtMs: clock.now() }
  const startedAt = clock.monotonic()
  try {
    const answer = await http.send({
      method, url, headers, body, timeoutMs, answerBytesMax: PAYLOAD_BYTES_MAX, takesAnyAuthority: tlsConfig?.insecureSkipVerification === true,
    })
    const latencyMs = clock.monotonic() - startedAt
    Object.assign(endpoint, { answer: { status: answer.status, headers: () => joined(answer.headers.entries()), body: answer.body, latencyMs } })
    exchange.trace.add('integration', {
      type, method, uri: withoutQuery(url), status: answer.status, responseBytes: answer.body.length, latencyMs: Math.round(latencyMs),
      ...(route.mayTraceBodies ? { request: tracedBody(body), response: tracedBody(answer.body) } : {}),
    })
    return resultOf(call, answer)
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error
    Object.assign(endpoint, { error: error.message })
    exchange.trace.add('integration', { type, method, uri: withoutQuery(url), failed: error.because, message: error.message })
    throw httpRefusal(error, URL.parse(url)?.hostname ?? '')
  }
}

/** Values of parameters may be secrets. */
const withoutQuery = (url: string): string => url.split('?')[0]!

/** Observed: AWS, 18-07-2024, recorded by localstack's test_http_proxy_integration_request_data_mappings: mapped values come after the client's. */
function together(sent: Readonly<Record<string, string[]>>, mapped: Readonly<Record<string, string[]>>): Record<string, string[]> {
  const all: Record<string, string[]> = { ...sent }
  for (const [name, values] of Object.entries(mapped)) all[name] = [...all[name] ?? [], ...values]
  return all
}

/** A proxy's answer is the client's; its body is converted as one without `contentHandling`. Encoded bytes are not touched. */
function resultOf({ integration, exchange, route }: ApiCall, { status, headers, body }: IncomingAnswer): IntegrationResult {
  const result = { status, headers: joined(headers.entries()) }
  if (integration.definition.type !== 'HTTP_PROXY') return { ...result, body, isFinal: false }
  if (headers.get('content-encoding') !== undefined) return { ...result, body, isFinal: true }
  const payload = responsePayload(body, { contentType: headers.get('content-type'), accept: exchange.request.headers.get('accept') }, {
    binaryMediaTypes: route.deployed.snapshot.binaryMediaTypes, contentHandling: undefined,
  })
  return { ...result, body: payload.bytes, isFinal: true }
}
