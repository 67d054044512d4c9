// The one place that touches Node's HTTP server: turns its messages into `HttpRequest` and `HttpResponse` values.

import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ServerOptions } from 'node:https'
import type { AddressInfo, BlockList, Socket } from 'node:net'
import { ClientGone, type HttpRequest, type HttpResponse } from './http.ts'
import { blockListOf, hasTwoHosts, requestFrom } from './http-incoming.ts'
import { internalError, send } from './http-outgoing.ts'
import { createWebSocketOpener, type WebSocketLimits, type WebSocketUpgrade } from './web-socket.ts'
import { asksForWebSocket, createHandshakes, type Handshakes } from './web-socket-handshake.ts'

/** Source for the figure: API Gateway quotas, "Total combined size of request line and header values", 10,240 bytes; AWS's other front ends take more. */
const HEADER_BYTES_MAX = 32 * 1024
/** Slow headers: the whole head must be there within this time. */
const HEADERS_TIMEOUT_MS = 20_000
/** Slow bodies: a request must be complete within this time. */
const REQUEST_TIMEOUT_MS = 120_000
/** A connection on which nothing moves either way. Longer than the longest synchronous invocation, fifteen minutes, during which nothing does. */
const SILENCE_TIMEOUT_MS = 20 * 60_000
/** Longer than the idle pools of the SDKs keep a connection, so that they never write into a closing one. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000

export interface HttpServerOptions {
  /** Addresses to bind; one that the machine does not have (`::1` without IPv6) is left out as long as another works. */
  hosts: readonly string[]
  /** 0 picks a free port (the same for every host). */
  port: number
  tls?: { cert: Buffer, key: Buffer }
  /** Addresses or CIDR ranges whose `X-Forwarded-For`, `-Proto` and `-Host` count. */
  trustedProxies?: readonly string[]
  handle: (request: HttpRequest) => Promise<HttpResponse>
  /**
   * Asked about every good handshake of a WebSocket; without it they are requests like any other, as are those for other protocols. Bad handshakes are
   * refused before. The connections are closed by whoever opened them; the server's own time limits are not theirs.
   */
  upgrade?: ((request: HttpRequest) => Promise<HttpResponse | WebSocketUpgrade>) | undefined
  webSocketLimits?: WebSocketLimits
  /** Told of every failure that is ours; the client gets a bare 500. */
  onError: (error: unknown) => void
}

export interface HttpServer {
  port: number
  hosts: readonly string[]
  /** Stops accepting, lets requests under way finish and WebSockets close for at most `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>
}

/** Binds and serves. Fails with the system's error (`EADDRINUSE`, `EACCES`) when no host can be bound. */
export async function serve(options: HttpServerOptions): Promise<HttpServer> {
  const proxies = options.trustedProxies?.length ? blockListOf(options.trustedProxies) : undefined
  const answering = createAnswering()
  const handshakes = handshakesOf(options, proxies)
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    answering.begin(incoming.socket, outgoing)
    void answer(incoming, outgoing, options, proxies)
  }
  const settings = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // A client that sends no Host gets the service's own refusal, not Node's empty 400.
    requireHostHeader: false,
    noDelay: true,
    shouldUpgradeCallback: (incoming: IncomingMessage) => handshakes !== undefined && asksForWebSocket(incoming) && !answering.has(incoming.socket),
  }
  const servers: Server[] = []
  const bound: string[] = []
  let port = options.port
  for (const host of options.hosts) {
    const server = options.tls ? await createTlsServer({ ...settings, ...options.tls }, listener) : createHttpServer(settings, listener)
    // A client that does not read its answer does not hold it in memory for ever. No option of `createServer` says so.
    server.timeout = SILENCE_TIMEOUT_MS
    server.on('checkContinue', listener)
    server.on('clientError', refuseMalformed)
    if (handshakes) server.on('upgrade', (incoming, _, head) => { void handshakes.answer(incoming, head) })
    try {
      await listen(server, host, port)
    } catch (error) {
      if (isMissingAddress(error) && options.hosts.length > 1) continue
      await Promise.all(servers.map((one) => closeServer(one, 0, handshakes)))
      throw error
    }
    port = (server.address() as AddressInfo).port
    servers.push(server)
    bound.push(host)
  }
  if (servers.length === 0) throw new Error(`none of the addresses ${options.hosts.join(', ')} exists on this machine`)
  return {
    port,
    hosts: bound,
    close: async (graceMs) => {
      handshakes?.stop()
      await Promise.all(servers.map((server) => closeServer(server, graceMs, handshakes)))
    },
  }
}

/** Loaded when it is needed: TLS costs every process some megabytes. */
async function createTlsServer(settings: ServerOptions, listener: (incoming: IncomingMessage, outgoing: ServerResponse) => void): Promise<Server> {
  const { createServer } = await import('node:https')
  return createServer(settings, listener)
}

async function answer(incoming: IncomingMessage, outgoing: ServerResponse, options: HttpServerOptions, proxies: BlockList | undefined): Promise<void> {
  try {
    const response = hasTwoHosts(incoming) ? twoHosts : await options.handle(requestFrom(incoming, () => outgoing.writeContinue(), proxies))
    await send(incoming, outgoing, response)
  } catch (error) {
    if (incoming.socket.destroyed || error instanceof ClientGone) {
      outgoing.destroy()
      return
    }
    options.onError(error)
    if (outgoing.headersSent) outgoing.destroy()
    else await send(incoming, outgoing, internalError).catch(() => outgoing.destroy())
  }
}

const twoHosts: HttpResponse = { status: 400, headers: {} }

function handshakesOf({ upgrade, webSocketLimits, onError }: HttpServerOptions, proxies: BlockList | undefined): Handshakes | undefined {
  if (!upgrade) return undefined
  if (!webSocketLimits) throw new TypeError('a server that opens WebSockets needs their limits')
  const decide = async (incoming: IncomingMessage) => hasTwoHosts(incoming) ? twoHosts : upgrade(requestFrom(incoming, () => {}, proxies))
  return createHandshakes({ decide, opener: () => createWebSocketOpener(webSocketLimits, onError), onError })
}

interface Answering {
  begin(socket: Socket, outgoing: ServerResponse): void
  has(socket: Socket): boolean
}

/** The connections on which answers are under way: one that became a WebSocket would carry them among its frames. */
function createAnswering(): Answering {
  const counts = new WeakMap<Socket, number>()
  const add = (socket: Socket, count: number) => { counts.set(socket, (counts.get(socket) ?? 0) + count) }
  return {
    begin(socket, outgoing) {
      add(socket, 1)
      outgoing.once('close', () => add(socket, -1))
    },
    has: (socket) => (counts.get(socket) ?? 0) > 0,
  }
}

function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable) return void socket.destroy()
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
}

async function closeServer(server: Server, graceMs: number, handshakes: Handshakes | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      server.closeAllConnections()
      // Node has let go of these.
      handshakes?.cutAll()
    }, graceMs)
    // A connection whose last answer went out after `close` would be kept alive otherwise.
    const sweep = setInterval(() => server.closeIdleConnections(), 20)
    server.close(() => {
      clearTimeout(timer)
      clearInterval(sweep)
      resolve()
    })
  })
}

function isMissingAddress(error: unknown): boolean {
  return ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes((error as NodeJS.ErrnoException).code ?? '')
}
