// The one place that touches Node's HTTP server: turns its messages into `HttpRequest` and `HttpResponse` values.

import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ServerOptions } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { BlockList, isIP } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { BodyTooLarge, ClientGone, headersFromRaw, normalizedPath, type HttpRequest, type HttpResponse } from './http.ts'

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
  /** Told of every failure that is ours; the client gets a bare 500. */
  onError: (error: unknown) => void
}

export interface HttpServer {
  port: number
  hosts: readonly string[]
  /** Stops accepting, lets requests under way finish for at most `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>
}

/** Binds and serves. Fails with the system's error (`EADDRINUSE`, `EACCES`) when no host can be bound. */
export async function serve(options: HttpServerOptions): Promise<HttpServer> {
  const proxies = options.trustedProxies?.length ? blockListOf(options.trustedProxies) : undefined
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => { void answer(incoming, outgoing, options, proxies) }
  const settings = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // A client that does not read its answer does not hold it in memory for ever.
    timeout: SILENCE_TIMEOUT_MS,
    // A client that sends no Host gets the service's own refusal, not Node's empty 400.
    requireHostHeader: false,
    noDelay: true,
  }
  const servers: Server[] = []
  const bound: string[] = []
  let port = options.port
  for (const host of options.hosts) {
    const server = options.tls ? await createTlsServer({ ...settings, ...options.tls }, listener) : createHttpServer(settings, listener)
    server.on('checkContinue', listener)
    server.on('clientError', refuseMalformed)
    try {
      await listen(server, host, port)
    } catch (error) {
      if (isMissingAddress(error) && options.hosts.length > 1) continue
      await Promise.all(servers.map((one) => closeServer(one, 0)))
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
    close: async (graceMs) => { await Promise.all(servers.map((server) => closeServer(server, graceMs))) },
  }
}

/** Loaded when it is needed: TLS costs every process some megabytes. */
async function createTlsServer(settings: ServerOptions, listener: (incoming: IncomingMessage, outgoing: ServerResponse) => void): Promise<Server> {
  const { createServer } = await import('node:https')
  return createServer(settings, listener)
}

async function answer(incoming: IncomingMessage, outgoing: ServerResponse, options: HttpServerOptions, proxies: BlockList | undefined): Promise<void> {
  try {
    const response = hasTwoHosts(incoming) ? twoHosts : await options.handle(requestFrom(incoming, outgoing, proxies))
    await send(incoming, outgoing, response)
  } catch (error) {
    if (incoming.socket.destroyed || error instanceof ClientGone) {
      outgoing.destroy()
      return
    }
    options.onError(error)
    if (outgoing.headersSent) outgoing.destroy()
    else await send(incoming, outgoing, { status: 500, headers: { 'content-type': 'application/json' }, body: '{"message":"Internal server error"}' }).catch(() => outgoing.destroy())
  }
}

/** Source: RFC 9112, 3.2: whoever sends two is refused, because the next in line may go by the other one. */
const twoHosts: HttpResponse = { status: 400, headers: {} }

function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts > 1
}

function requestFrom(incoming: IncomingMessage, outgoing: ServerResponse, proxies: BlockList | undefined): HttpRequest {
  const target = originForm(incoming.url ?? '/')
  const question = target.indexOf('?')
  const peer = plainAddress(incoming.socket.remoteAddress ?? '')
  const forwarded = proxies?.check(peer, isIP(peer) === 6 ? 'ipv6' : 'ipv4') ? forwardedBy(incoming, proxies) : undefined
  let reading: Promise<Buffer> | undefined
  return {
    method: incoming.method ?? 'GET',
    path: resolved(question === -1 ? target : target.slice(0, question)),
    rawQuery: question === -1 ? '' : target.slice(question + 1),
    headers: headersFromRaw(forwarded?.host === undefined ? incoming.rawHeaders : withHost(incoming.rawHeaders, forwarded.host)),
    remoteAddress: forwarded?.address ?? peer,
    isSecure: forwarded?.isSecure ?? 'encrypted' in incoming.socket,
    body: (bytesMax) => (reading ??= readBody(incoming, outgoing, bytesMax)),
  }
}

async function readBody(incoming: IncomingMessage, outgoing: ServerResponse, bytesMax: number): Promise<Buffer> {
  const announced = Number(incoming.headers['content-length'] ?? 0)
  if (announced > bytesMax) throw new BodyTooLarge(bytesMax)
  if (announced === 0 && incoming.headers['transfer-encoding'] === undefined) return Buffer.alloc(0)
  if (incoming.headers.expect !== undefined) outgoing.writeContinue()
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bytesMax) {
        incoming.pause()
        incoming.removeAllListeners('data')
        reject(new BodyTooLarge(bytesMax))
      } else chunks.push(chunk)
    })
    incoming.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    incoming.on('error', (error) => reject(new ClientGone(error)))
  })
}

async function send(incoming: IncomingMessage, outgoing: ServerResponse, { status, headers, body }: HttpResponse): Promise<void> {
  // A body that nobody read is not read now either: the connection ends with the answer.
  const isUnread = !incoming.complete
  if (isUnread) {
    outgoing.setHeader('connection', 'close')
    outgoing.once('finish', () => lingerThenDestroy(incoming.socket))
  }
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) {
    const bytes = body === undefined ? 0 : Buffer.byteLength(body)
    outgoing.writeHead(status, status === 204 || status === 304 ? headers : { ...headers, 'content-length': String(bytes) })
    outgoing.end(incoming.method === 'HEAD' ? undefined : body)
    return
  }
  outgoing.writeHead(status, headers)
  await pipeline(body, outgoing)
}

/** Gives the client a moment to read the answer before the connection is cut under the body it is still sending. */
function lingerThenDestroy(socket: Socket): void {
  socket.end()
  const timer = setTimeout(() => socket.destroy(), 1000)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}

function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable) return void socket.destroy()
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
}

/** The origin form of a request target: a proxy-style `http://host/path` loses its first part. */
function originForm(target: string): string {
  if (target.startsWith('/')) return target
  const match = /^https?:\/\/[^/?#]*(.*)$/i.exec(target)
  const rest = match ? match[1]! : target
  return rest.startsWith('/') ? rest : `/${rest}`
}

/**
 * A path with `.` or `..` segments as its sender's signature means it; any other exactly as it was sent.
 * Source: RFC 3986, 6.2.2.3; IAM user guide, "Create a signed AWS API request", canonical URI.
 */
function resolved(path: string): string {
  return path.includes('/.') && /\/\.\.?(?:\/|$)/.test(path) ? normalizedPath(path) : path
}

interface Forwarded {
  address?: string
  isSecure?: boolean
  host?: string
}

function forwardedBy(incoming: IncomingMessage, proxies: BlockList): Forwarded {
  const forwarded: Forwarded = {}
  // The last address that is not a trusted proxy's own is the client's; everything before it can be made up.
  const hops = String(incoming.headers['x-forwarded-for'] ?? '').split(',').map((hop) => plainAddress(hop.trim())).filter((hop) => isIP(hop) !== 0)
  const client = hops.findLast((hop) => !proxies.check(hop, isIP(hop) === 6 ? 'ipv6' : 'ipv4')) ?? hops[0]
  if (client !== undefined) forwarded.address = client
  const protocol = incoming.headers['x-forwarded-proto']
  if (protocol !== undefined) forwarded.isSecure = String(protocol).trim().toLowerCase() === 'https'
  const host = incoming.headers['x-forwarded-host']
  if (host !== undefined) forwarded.host = String(host).split(',')[0]!.trim()
  return forwarded
}

function withHost(rawHeaders: readonly string[], host: string): string[] {
  const changed: string[] = ['Host', host]
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.toLowerCase() !== 'host') changed.push(rawHeaders[index]!, rawHeaders[index + 1]!)
  }
  return changed
}

function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address, prefix] = range.split('/') as [string, string | undefined]
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return list
}

/** An IPv4 address that came over an IPv6 socket, in its own form. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address
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

async function closeServer(server: Server, graceMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs)
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
