// The execution log of WebSocket APIs: which lines an event leaves, as far as its route's settings ask for them.

import type { LogSink } from '#services/logs/index.ts'
import { streamOf } from '../access-log.ts'
import { bodyLine, cut, type ExecutionLine } from '../execution-line.ts'
import { isSecret, masked, maskedIn } from '../mask.ts'
import type { SocketOutcome } from './access-variables.ts'
import type { SocketExchange } from './exchange.ts'
import { ownKeys } from './steps/find-route.ts'

/**
 * Writes an event's lines: at ERROR those of a failure, at INFO all, messages and payloads among them only with data tracing.
 *
 * Source: API Gateway v2 API reference, RouteSettings: a route's own, else the stage's. Ours: the group's name, for which no page
 * was found, and one stream a day, as with REST APIs.
 */
export function logSocketExecution(exchange: SocketExchange, outcome: SocketOutcome, logs: Pick<LogSink, 'append'>): void {
  const { deployed, route, eventType, requestId, atMs } = exchange
  if (!deployed) return
  const { stage: { stageName, routeSettings, defaultRouteSettings }, snapshot: { accountId, region, apiId } } = deployed
  const routeKey = route?.routeKey ?? (eventType === 'MESSAGE' ? '' : ownKeys[eventType])
  const own = Object.hasOwn(routeSettings, routeKey) ? routeSettings[routeKey] : undefined
  const level = own?.loggingLevel ?? defaultRouteSettings.loggingLevel
  if (level !== 'INFO' && !(level === 'ERROR' && outcome.refusal)) return
  const hasData = (own?.dataTraceEnabled ?? defaultRouteSettings.dataTraceEnabled) === true
  const lines = socketLines(exchange, outcome).filter(({ is }) => is === 'failure' || (level === 'INFO' && (is === 'progress' || hasData)))
  logs.append({
    accountId, region, group: `/aws/apigateway/${apiId}/${stageName}`, stream: streamOf(atMs),
    events: lines.map((line) => ({ timestampMs: line.atMs, message: `(${requestId}) ${line.text}` })),
  })
}

/**
 * Seen in: radkawar/stackd, another emulator: the lines of the route, of the client and of how it ended. Logs that AWS wrote of WebSocket APIs were not found.
 * Ours: that keys, authorizers, backends and refusals have the lines that they have with REST APIs; that headers which a backend gets or sends are not told.
 */
function socketLines(exchange: SocketExchange, outcome: SocketOutcome): ExecutionLine[] {
  const { requestId, atMs, eventType, body, route, integrationCall: call } = exchange
  const { refusal, status } = outcome
  const secrets = secretsOf(exchange)
  const endedAtMs = call ? call.sentAtMs + (call.latencyMs ?? 0) : atMs
  const lines: ExecutionLine[] = [{ atMs, text: `Extended Request Id: ${requestId}`, is: refusal ? 'failure' : 'progress' }, ...exchange.lines ?? [], ...keyLines(exchange, outcome)]
  const add = (is: ExecutionLine['is'], at: number, ...texts: string[]) => lines.push(...texts.map((text): ExecutionLine => ({ atMs: at, text: cut(text), is })))
  add('progress', atMs, `Starting execution for request: ${requestId}`, ...route ? [`WebSocket Request Route: [${route.routeKey}]`] : [], ...beginning(exchange))
  if (eventType === 'MESSAGE') add('data', atMs, bodyLine('Method request body before transformations', body, secrets))
  if (call) {
    const uri = maskedIn(call.uri, secrets)
    add('data', call.sentAtMs, `Endpoint request URI: ${uri}`, bodyLine('Endpoint request body after transformations', call.body, secrets), `Sending request to ${uri}`)
    if (call.status !== undefined) add('data', endedAtMs, `Received response. Status: ${call.status}, Integration latency: ${Math.round(call.latencyMs ?? 0)} ms`)
    if (call.answer) add('data', endedAtMs, bodyLine('Endpoint response body before transformations', call.answer, secrets))
  }
  if (refusal) add('failure', endedAtMs, maskedIn(reasonOf(exchange, refusal), secrets), `Method completed with status: ${status}`)
  else add('progress', endedAtMs, maskedIn(end(exchange, status), secrets))
  if (call?.requestId !== undefined) add('progress', endedAtMs, `AWS Integration Endpoint RequestId : ${call.requestId}`)
  return lines
}

/** Adds lines to the event's log. */
export function note(exchange: SocketExchange, is: ExecutionLine['is'], ...texts: string[]): void {
  exchange.lines = [...exchange.lines ?? [], ...texts.map((text): ExecutionLine => ({ atMs: exchange.atMs, text: cut(text), is }))]
}

/** What no line may have: the credentials and keys that the connection began with, and what its authorizer looked at. */
export function secretsOf({ client, handshake, key, usageIdentifierKey }: SocketExchange): string[] {
  const { headers } = handshake ?? client.request
  const values = [
    ...headers.entries().filter(([name]) => isSecret(name)).map(([, value]) => value),
    ...new URLSearchParams(handshake?.rawQuery).entries().filter(([name]) => isSecret(name)).map(([, value]) => value),
    ...client.identities ?? [], client.identity.apiKey ?? '', key?.value ?? '', usageIdentifierKey ?? '',
  ]
  return [...new Set(values)].filter((value) => value !== '')
}

function beginning({ eventType, client: { apiId, connectionId, identity } }: SocketExchange): string[] {
  switch (eventType) {
    case 'CONNECT': return [`Client [UserAgent: ${identity.userAgent ?? null}, SourceIp: ${identity.sourceIp}] is connecting to WebSocket API [${apiId}].`]
    case 'MESSAGE': return [`WebSocket API [${apiId}] received message from client [Connection Id: ${connectionId}].`]
    case 'DISCONNECT': return []
  }
}

function end({ eventType, client: { apiId, connectionId }, end: ended, resultStatus }: SocketExchange, status: number): string {
  const client = `lient [Connection Id: ${connectionId}]`
  switch (eventType) {
    case 'CONNECT': return status >= 200 && status <= 299 ? `C${client} connected to API [${apiId}] successfully.` : `Method completed with status: ${status}`
    case 'MESSAGE': return `Message from c${client} sent to API [${apiId}] with response status code [${resultStatus ?? status}].`
    case 'DISCONNECT': {
      const told = resultStatus === undefined ? '' : ` with integration response status code [${resultStatus}]`
      return `C${client} disconnected from API [${apiId}]${told}. Close reason: [${ended?.code}: ${ended?.reason}]`
    }
  }
}

/** The key that `$connect` asks for, in a REST API's lines. */
function keyLines({ route, eventType, deployed, requestId, atMs, key, client, handshake }: SocketExchange, { refusal }: SocketOutcome): ExecutionLine[] {
  if (eventType !== 'CONNECT' || !route?.definition.apiKeyRequired || (!key && refusal?.type !== 'INVALID_API_KEY')) return []
  const of = `${client.apiId}/${deployed?.stage.stageName}`
  const shown = masked(key?.value ?? handshake?.headers.get('x-api-key') ?? '')
  const isFine = key && refusal?.type !== 'THROTTLED' && refusal?.type !== 'QUOTA_EXCEEDED'
  const texts = [`Verifying Usage Plan for request: ${requestId}. API Key: ${shown} API Stage: ${of}`, ...isFine ? [`Usage Plan check succeeded for API Key ${shown} and API Stage ${of}`] : []]
  return texts.map((text) => ({ atMs, text, is: 'progress' }))
}

/** Why API Gateway itself ended the event. The sentences are a REST API's. */
function reasonOf({ route, requestId, deployed, handshake, client }: SocketExchange, refusal: NonNullable<SocketOutcome['refusal']>): string {
  if (refusal.logLine !== undefined) return refusal.logLine
  switch (refusal.type) {
    case 'UNAUTHORIZED': return `Unauthorized request: ${requestId}`
    case 'INVALID_API_KEY':
      return `API Key ${masked(handshake?.headers.get('x-api-key') ?? '')} not authorized because method '${route?.routeKey}' requires API Key and API Key is not associated with a Usage Plan for `
        + `API Stage ${client.apiId}/${deployed?.stage.stageName}: No Usage Plan found for key and API Stage`
    case 'BAD_REQUEST_BODY':
      return refusal.validationErrors === undefined ? refusal.message : `Request body does not match model schema for content type application/json: ${refusal.validationErrors}`
    default: return refusal.message.split('\n')[0]!
  }
}
