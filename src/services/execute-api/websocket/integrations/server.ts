// HTTP and HTTP_PROXY: another server gets the message, over HTTP.

import type { Clock } from '#lib/clock.ts'
import { HttpFailure, type HttpClient } from '#lib/http-client.ts'
import { filledUri, withQuery } from '../../backends/address.ts'
import { headersToSend } from '../../backends/backend-headers.ts'
import type { HeaderLine } from '../../backends/header-lines.ts'
import { httpRefusal, joined } from '../../backends/http-answer.ts'
import { PAYLOAD_BYTES_MAX } from '../../payload-limit.ts'
import { tracedBody } from '../../traced-body.ts'
import type { SocketCall, SocketRequest, SocketResult } from '../exchange.ts'
import { timeoutOf } from './timeout.ts'

export interface ServerOptions {
  http: HttpClient
  clock: Clock
}

/** Ours: what a signature brings along is for API Gateway, as the signature itself is. */
const ofTheSignature = new Set(['x-amz-security-token'])

/** @throws GatewayRefusal as a REST API's HTTP integration. */
export async function callServer(call: SocketCall, request: SocketRequest, { http, clock }: ServerOptions): Promise<SocketResult> {
  const { exchange, integration: { definition }, deployed: { stage }, parameters } = call
  const { integrationType: type, integrationMethod, integrationUri = '' } = definition
  const method = integrationMethod === undefined || integrationMethod === 'ANY' ? 'POST' : integrationMethod
  const query = { ...type === 'HTTP_PROXY' && Object.fromEntries(Object.entries(parameters.querystring).map(([name, values]) => [name, [...values]])), ...request.querystring }
  const url = withQuery(filledUri(integrationUri, request.path, stage.stageVariables), query)
  const headers = headersFor(call, request)
  const body = method === 'GET' || method === 'HEAD' ? Buffer.alloc(0) : request.body
  const known = exchange.integrationCall = { uri: url, body, sentAtMs: clock.now() }
  const startedAt = clock.monotonic()
  const facts = { type, method, uri: url.split('?')[0]! }
  try {
    const answer = await http.send({ method, url, headers, body, timeoutMs: timeoutOf(call), answerBytesMax: PAYLOAD_BYTES_MAX })
    const latencyMs = clock.monotonic() - startedAt
    Object.assign(known, { latencyMs, status: answer.status, answer: answer.body })
    exchange.trace.add('integration', {
      ...facts, status: answer.status, responseBytes: answer.body.length, latencyMs: Math.round(latencyMs),
      ...call.mayTraceBodies && { request: tracedBody(body), response: tracedBody(answer.body) },
    })
    return { status: answer.status, headers: joined(answer.headers.entries()), body: answer.body, isFunction: false }
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error
    Object.assign(known, { error: error.message })
    exchange.trace.add('integration', { ...facts, failed: error.because, message: error.message })
    throw httpRefusal(error, URL.parse(url)?.hostname ?? '')
  }
}

/** As REST APIs have them. Ours: messages, which have no type of their own, are JSON. */
function headersFor({ exchange, integration: { definition }, parameters, deployed: { snapshot: { apiId } } }: SocketCall, { headers: mapped, body }: SocketRequest): HeaderLine[] {
  const client = Object.fromEntries(Object.entries(parameters.header).filter(([name]) => !ofTheSignature.has(name.toLowerCase())))
  return headersToSend({ type: definition.integrationType, client, mapped, contentType: body.length > 0 ? 'application/json' : undefined, exchange, apiId })
}
