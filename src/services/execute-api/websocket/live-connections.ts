// The connections that this process holds: who is there, what goes out to them, and when they have been silent or there for too long.

import { isUtf8 } from 'node:buffer'
import type { Clock } from '#lib/clock.ts'
import type { WebSocketConnection } from '#lib/web-socket.ts'
import type { ConnectionKey, Connections } from './connections.ts'
import type { SocketClient } from './exchange.ts'
import { CONNECTION_MS_MAX, IDLE_MS_MAX, UNSENT_BYTES_OF_ALL_MAX } from './limits.ts'

export interface LiveConnection {
  readonly client: SocketClient
  readonly socket: WebSocketConnection
  /** On the wall clock: when a message last went either way. */
  lastActiveAtMs: number
  /** Why this side closed it: what the client is told, and the function of `$disconnect`. */
  closing?: { code: number, reason: string } | undefined
}

export interface LiveConnections extends Connections {
  readonly size: number
  add(client: SocketClient, socket: WebSocketConnection): LiveConnection
  remove(connection: LiveConnection): void
  /** Sends to one that is known to be here. */
  reply(connection: LiveConnection, message: Buffer): Promise<'sent' | 'gone' | 'full'>
  close(connection: LiveConnection, code: number, reason: string): void
  closeAll(code: number, reason: string): void
}

/** Source: a `$disconnect` event ten minutes after the last message, published by a user in 2024 (also RFC 6455, 7.4.1): the code and its words. */
export const GOING_AWAY = { code: 1001, reason: 'Going away' } as const
/** Source: boto/boto3 issue 3789: what the function of `$disconnect` reads after DeleteConnection. */
const CLOSED_NORMALLY = { code: 1000, reason: 'Connection Closed Normally' } as const

/** How often silent connections are looked for. Ours: AWS names no precision. */
const SWEEP_MS = 1_000

export function createLiveConnections({ clock }: { clock: Pick<Clock, 'now' | 'sleep'> }): LiveConnections {
  const connections = new Map<string, LiveConnection>()
  let isSweeping = false
  /** Of messages that clients have not taken yet. */
  let unsentBytes = 0

  /** Closes those that were silent or there for too long, as long as there are any. */
  async function sweep(): Promise<void> {
    isSweeping = true
    while (connections.size > 0) {
      await clock.sleep(SWEEP_MS)
      const now = clock.now()
      for (const connection of connections.values()) {
        const { client, lastActiveAtMs } = connection
        if (now - lastActiveAtMs >= IDLE_MS_MAX || now - client.connectedAtMs >= CONNECTION_MS_MAX) close(connection, GOING_AWAY.code, GOING_AWAY.reason)
      }
    }
    isSweeping = false
  }

  function find({ connectionId, apiId, stageName }: ConnectionKey): LiveConnection | undefined {
    const found = connections.get(connectionId)
    return found && !found.closing && found.client.apiId === apiId && found.client.stageName === stageName ? found : undefined
  }

  async function reply(connection: LiveConnection, message: Buffer): Promise<'sent' | 'gone' | 'full'> {
    if (connection.closing) return 'gone'
    if (unsentBytes + message.length > UNSENT_BYTES_OF_ALL_MAX) return 'full'
    unsentBytes += message.length
    // Ours: bytes that are no text go out in a binary frame, as no text frame may carry them.
    const sent = await connection.socket.send(message, { binary: !isUtf8(message) })
    unsentBytes -= message.length
    if (sent === 'sent') connection.lastActiveAtMs = clock.now()
    return sent === 'closed' ? 'gone' : sent
  }

  function close(connection: LiveConnection, code: number, reason: string): void {
    if (connection.closing) return
    connection.closing = { code, reason }
    connection.socket.close(code, reason)
  }

  return {
    get size() { return connections.size },
    add(client, socket) {
      const connection: LiveConnection = { client, socket, lastActiveAtMs: client.connectedAtMs }
      connections.set(client.connectionId, connection)
      if (!isSweeping) void sweep()
      return connection
    },
    remove: ({ client }) => { connections.delete(client.connectionId) },
    reply,
    close,
    closeAll(code, reason) {
      for (const connection of connections.values()) close(connection, code, reason)
    },
    async describe(key) {
      const found = find(key)
      if (!found) return 'gone'
      const { client: { connectedAtMs, identity: { sourceIp, userAgent } }, lastActiveAtMs } = found
      return { connectedAtMs, lastActiveAtMs, sourceIp, userAgent }
    },
    async send(key, message) {
      const found = find(key)
      return found ? reply(found, message) : 'gone'
    },
    async disconnect(key) {
      const found = find(key)
      if (!found) return 'gone'
      close(found, CLOSED_NORMALLY.code, CLOSED_NORMALLY.reason)
      return 'closed'
    },
  }
}
