// One open connection: its messages go through the pipeline, and its end is told.

import type { WebSocketHandlers, WebSocketMessage } from '#lib/web-socket.ts'
import type { GatewayRefusal } from '../gateway-responses.ts'
import type { SocketExchange } from './exchange.ts'
import type { SocketGateway } from './gateway.ts'
import { MESSAGES_AT_ONCE_MAX } from './limits.ts'
import type { LiveConnection } from './live-connections.ts'
import { receive } from './pipeline.ts'

/** Source: RFC 6455, 7.4.1. */
const NO_STATUS = 1005
const UNSUPPORTED_DATA = 1003

/**
 * Messages are worked on as they come, several at once: their answers may change places, as API Gateway's do.
 * Source: API Gateway developer guide, "Invoke your backend integration with the $default route": responses come in any order; a binary frame closes with 1003.
 */
export function serveConnection(gateway: SocketGateway, connection: LiveConnection): WebSocketHandlers {
  const { clock } = gateway.pipeline
  let atWork = 0

  async function work({ data }: WebSocketMessage): Promise<void> {
    const exchange = gateway.begin({ eventType: 'MESSAGE', client: connection.client, body: data })
    const { value, outcome } = await gateway.settle(exchange, () => receive(exchange, gateway.pipeline))
    const reply = outcome.refusal ? refusalMessage(exchange, outcome.refusal) : value
    if (reply) await gateway.live.reply(connection, reply)
  }

  return {
    onMessage(message) {
      if (connection.closing) return
      connection.lastActiveAtMs = clock.now()
      if (message.isBinary) return gateway.live.close(connection, UNSUPPORTED_DATA, '')
      atWork += 1
      if (atWork === MESSAGES_AT_ONCE_MAX) connection.socket.pause()
      void work(message).finally(() => {
        if (atWork === MESSAGES_AT_ONCE_MAX) connection.socket.resume()
        atWork -= 1
      })
    },
    onPing() {
      connection.lastActiveAtMs = clock.now()
    },
    onClose(code, reason) {
      gateway.live.remove(connection)
      void gateway.ended(connection.client, connection.closing ?? { code, reason: reason === '' ? reasonOf(code) : reason })
    },
  }
}

const reasons: Readonly<Record<number, string>> = {
  [NO_STATUS]: 'Client-side close frame status not set', 1006: 'Connection closed abnormally', 1007: 'Invalid frame payload data', 1009: 'Message too big',
}

/**
 * What the function of `$disconnect` reads where the client gave no words.
 * Source: an event that typelevel/feral published (1005). Ours: the words where a connection broke, a frame was too large or a text was none; a client's
 * own code without words has none, as events show.
 */
export const reasonOf = (code: number): string => reasons[code] ?? ''

/** Source: API Gateway developer guide, request validation ("Bad request body": by message); what users publish of every other (by request). */
function refusalMessage({ client: { connectionId }, messageId, requestId }: SocketExchange, { type, shownMessage }: GatewayRefusal): Buffer {
  const of = type === 'BAD_REQUEST_BODY' ? { connectionId, messageId } : { connectionId, requestId }
  return Buffer.from(JSON.stringify({ message: shownMessage, ...of }))
}
