// Serves WebSocket APIs: answers handshakes and holds the connections that they begin.

import type { HttpRequest, HttpResponse } from '#lib/http.ts'
import type { WebSocketUpgrade } from '#lib/web-socket.ts'
import { GatewayRefusal } from '../gateway-responses.ts'
import { newConnectionId } from './connection-ids.ts'
import type { Connections } from './connections.ts'
import type { SocketClient, SocketExchange, SocketTarget } from './exchange.ts'
import { createSocketGateway, type SocketGatewayOptions } from './gateway.ts'
import { CONNECTIONS_MAX } from './limits.ts'
import { GOING_AWAY } from './live-connections.ts'
import { connect } from './pipeline.ts'
import { reasonOf, serveConnection } from './serve-connection.ts'

export interface WebSocketApisOptions extends SocketGatewayOptions {
  /** What the ids of this process's connections begin with. */
  nodeTag: string
}

export interface WebSocketApis {
  /** Answers a handshake: the connection, or why there is none. */
  upgrade(request: HttpRequest, target: SocketTarget): Promise<HttpResponse | WebSocketUpgrade>
  /** Answers a request that is no handshake. */
  handle(request: HttpRequest, target: SocketTarget): Promise<HttpResponse>
  /** Those that this process holds. */
  connections: Connections
  /** Ends every connection, and waits until all have been told of, for at most so many milliseconds. */
  close(graceMs: number): Promise<void>
}

export function createWebSocketApis(options: WebSocketApisOptions): WebSocketApis {
  const { clock, random } = options
  const gateway = createSocketGateway(options)
  const { live } = gateway
  let isClosing = false
  /** Handshakes that may become connections. */
  let opening = 0

  function clientOf(request: HttpRequest, { apiId, stageName }: SocketTarget): SocketClient {
    const { headers, remoteAddress, isSecure } = request
    return {
      connectionId: newConnectionId(options.nodeTag, random), apiId, stageName,
      connectedAtMs: clock.now(),
      domainName: (headers.get('host') ?? '').replace(/:\d+$/, ''),
      identity: { userAgent: headers.get('user-agent'), sourceIp: remoteAddress },
      request: { headers, remoteAddress, isSecure },
    }
  }

  async function answer(exchange: SocketExchange, request: HttpRequest, { path, isDisabled }: SocketTarget) {
    if (path !== '/' || isDisabled) throw forbidden()
    if (isClosing) throw new GatewayRefusal('DEFAULT_5XX', 'Service Unavailable', { status: 503, errorType: 'ServiceUnavailableException' })
    if (live.size + opening > CONNECTIONS_MAX) throw new GatewayRefusal('THROTTLED', 'Too Many Requests')
    return connect(exchange, request, gateway.pipeline)
  }

  return {
    connections: live,
    async upgrade(request, target) {
      const client = clientOf(request, target)
      const exchange = gateway.begin({ eventType: 'CONNECT', client, body: NO_BODY, handshake: request })
      const letGo = gateway.hold()
      opening += 1
      const release = () => {
        opening -= 1
        letGo()
      }
      const { value, outcome } = await gateway.settle(exchange, () => answer(exchange, request, target), (welcome) => welcome.is === 'welcome' ? 200 : welcome.status)
      const headers = { 'x-amzn-RequestId': exchange.requestId }
      if (value?.is !== 'welcome') release()
      if (outcome.refusal) return refused(exchange, outcome.refusal, headers)
      if (value?.is !== 'welcome') return { status: outcome.status, headers, body: '' }
      return {
        protocol: value.protocol, headers,
        opened(socket) {
          const connection = live.add(client, socket)
          release()
          return serveConnection(gateway, connection)
        },
        abandoned() {
          void gateway.ended(client, { code: 1006, reason: reasonOf(1006) })
          release()
        },
      }
    },
    async handle(request, target) {
      const exchange = gateway.begin({ eventType: 'CONNECT', client: clientOf(request, target), body: NO_BODY, handshake: request })
      const { outcome } = await gateway.settle(exchange, async () => {
        if (target.isDisabled || !await options.snapshots.findStage(target)) throw forbidden()
        // Source: RFC 9110, 15.5.22; dherault/serverless-offline, whose socket tests run against AWS: whatever the path below the stage.
        throw new GatewayRefusal('DEFAULT_4XX', 'Upgrade Required', { status: 426, errorType: 'UpgradeRequiredException' })
      }, () => 426)
      return refused(exchange, outcome.refusal!, { 'x-amzn-RequestId': exchange.requestId, ...outcome.status === 426 && { Upgrade: 'websocket' } })
    },
    async close(graceMs) {
      isClosing = true
      live.closeAll(GOING_AWAY.code, GOING_AWAY.reason)
      await gateway.settled(graceMs)
    },
  }
}

const NO_BODY = Buffer.alloc(0)

const forbidden = (): GatewayRefusal => new GatewayRefusal('DEFAULT_4XX', 'Forbidden', { status: 403, errorType: 'ForbiddenException' })

/** Source: what users publish of refused handshakes and messages: message, connection and request. */
function refused({ client, requestId }: SocketExchange, refusal: GatewayRefusal, headers: Record<string, string>): HttpResponse {
  return {
    status: refusal.status,
    headers: { 'Content-Type': 'application/json', 'x-amzn-ErrorType': refusal.errorType, ...headers },
    body: JSON.stringify({ message: refusal.shownMessage, connectionId: client.connectionId, requestId }),
  }
}
