// The handshake of a WebSocket: is it a good one, what does the application say to it, and is the client still there then?

import { ServerResponse, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { ClientGone, type HttpResponse } from './http.ts'
import { internalError, lingerThenDestroy, send } from './http-outgoing.ts'
import type { WebSocketOpener, WebSocketUpgrade } from './web-socket.ts'

/** Source: RFC 6455, 4.1: sixteen bytes in Base64. */
const keyPattern = /^[+/0-9A-Za-z]{22}==$/
const VERSION = '13'
/** Source: RFC 9110, 5.6.2. */
const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

export interface Handshakes {
  /** Answers one, and opens its connection. `head` is what came behind it already. Never rejects. */
  answer(incoming: IncomingMessage, head: Buffer): Promise<void>
  /** From now on nothing is opened: 503. */
  stop(): void
  /** Cuts every connection that a handshake began, whatever became of it. */
  cutAll(): void
}

export interface HandshakeOptions {
  /** Asked only about good handshakes. */
  decide: (incoming: IncomingMessage) => Promise<HttpResponse | WebSocketUpgrade>
  /** Loaded with the first handshake: whoever serves no WebSocket does not pay for the library. */
  opener: () => Promise<WebSocketOpener>
  onError: (error: unknown) => void
}

/**
 * Whether a request wants to become a WebSocket. One that offers several protocols, or that has a body, is served as if it asked for none.
 * Source: RFC 9110, 7.8 (a server may ignore Upgrade).
 */
export function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.trim().toLowerCase() === 'websocket' && headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0
}

export function createHandshakes({ decide, opener, onError }: HandshakeOptions): Handshakes {
  let loading: Promise<WebSocketOpener> | undefined
  const sockets = new Set<IncomingMessage['socket']>()
  let isStopping = false

  async function judge(incoming: IncomingMessage): Promise<HttpResponse | WebSocketUpgrade> {
    const refusal = refusalOf(incoming)
    if (refusal) return refusal
    const stopWatching = watchForLeaving(incoming.socket)
    try {
      return await decide(incoming)
    } finally {
      await stopWatching()
    }
  }

  async function settle(incoming: IncomingMessage): Promise<HttpResponse | undefined> {
    const open = await (loading ??= opener())
    const answer = await judge(incoming)
    if (!('opened' in answer)) return answer
    if (!isStopping && open(incoming, answer)) return undefined
    answer.abandoned?.()
    return unavailable
  }

  return {
    async answer(incoming, head) {
      const { socket } = incoming
      keep(socket)
      if (head.length > 0) socket.unshift(head)
      const response = await settle(incoming).catch((error: unknown) => {
        if (!(error instanceof ClientGone)) onError(error)
        return internalError
      })
      if (response) await respond(incoming, response).catch(() => socket.destroy())
    },
    stop() {
      isStopping = true
    },
    cutAll() {
      for (const socket of sockets) socket.destroy()
    },
  }

  function keep(socket: IncomingMessage['socket']): void {
    sockets.add(socket)
    const cut = () => { socket.destroy() }
    socket.on('error', cut)
    // The silence that the server allows. An open connection has none: how long it may be idle is the application's.
    socket.on('timeout', cut)
    socket.once('close', () => sockets.delete(socket))
  }
}

/** Source: RFC 6455, 4.2.1 and 4.2.2; RFC 9110, 15.5.6 and 15.5.22. */
function refusalOf({ method, httpVersion, headers }: IncomingMessage): HttpResponse | undefined {
  const malformed: HttpResponse = { status: 400, headers: {} }
  if (method !== 'GET') return { status: 405, headers: { allow: 'GET' } }
  if (httpVersion === '1.0' || !keyPattern.test(headers['sec-websocket-key'] ?? '')) return malformed
  const version = headers['sec-websocket-version']
  if (version === undefined) return malformed
  if (version !== VERSION) return { status: 426, headers: { upgrade: 'websocket', 'sec-websocket-version': VERSION } }
  const protocols = headers['sec-websocket-protocol']?.split(',').map((protocol) => protocol.trim())
  if (protocols && (!protocols.every((protocol) => tokenPattern.test(protocol)) || new Set(protocols).size < protocols.length)) return malformed
  return undefined
}

const unavailable: HttpResponse = { status: 503, headers: {} }

/**
 * Cuts the connection when the client ends it, which nobody would notice as nobody reads yet. What it sends meanwhile waits, as much as the stream
 * takes without being read. Answers what stops the watching.
 */
function watchForLeaving(socket: IncomingMessage['socket']): () => Promise<void> {
  const look = () => { socket.read(0) }
  const cut = () => { socket.destroy() }
  socket.on('readable', look)
  socket.on('end', cut)
  return async () => {
    socket.off('readable', look)
    socket.off('end', cut)
    // A stream forgets that it had such a listener one tick later, and starts to flow then if another listens.
    await new Promise<void>((resolve) => { process.nextTick(resolve) })
  }
}

/** An ordinary answer on a connection that Node's server has let go of. The connection ends with it. */
async function respond(incoming: IncomingMessage, response: HttpResponse): Promise<void> {
  const { socket } = incoming
  if (socket.destroyed) {
    if (response.body instanceof Readable) response.body.destroy()
    return
  }
  const outgoing = new ServerResponse(incoming)
  outgoing.shouldKeepAlive = false
  outgoing.assignSocket(socket)
  outgoing.once('finish', () => lingerThenDestroy(socket))
  socket.on('drain', () => outgoing.emit('drain'))
  // What the client still sends is thrown away: bytes that nobody reads would break the connection under the answer.
  socket.resume()
  await send(incoming, outgoing, response)
}
