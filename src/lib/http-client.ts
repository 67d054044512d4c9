// Requests to servers that somebody else runs: headers exactly as given, connections kept, everything bounded, redirects never followed.

import { Agent as HttpAgent, request as httpRequest, type AgentOptions, type ClientRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { checkServerIdentity, connect as tlsConnect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { headersFromRaw, type HttpHeaders } from './http.ts'

export interface OutgoingRequest {
  method: string
  /** `http:` or `https:`, percent-encoded. */
  url: string
  /** Sent in this order and spelling. `Host`, `Content-Length` and `Connection` are added where they are missing. */
  headers: readonly (readonly [name: string, value: string])[]
  body: Buffer
  /** For the whole exchange. */
  timeoutMs: number
  /** An answer with a larger body fails. */
  answerBytesMax: number
  /** Takes certificates that no known authority vouches for; host names and dates are checked all the same. */
  takesAnyAuthority?: boolean
}

export interface IncomingAnswer {
  status: number
  headers: HttpHeaders
  body: Buffer
}

/** Why there is no answer. */
export type NoAnswer =
  /** Not within `timeoutMs`. */
  | 'timeout'
  /** Refused, cut off, or no HTTP. */
  | 'network'
  /** No such host, or no URL. */
  | 'address'
  /** Issued for another host; `message` is TLS's. */
  | 'wrong host'
  /** Not trusted, or not valid now. */
  | 'untrusted'
  /** More than `answerBytesMax`. */
  | 'too large'

export class HttpFailure extends Error {
  readonly because: NoAnswer
  /** Of an answer that was too large: the length that it announced, bytes. */
  readonly announcedBytes: number | undefined
  constructor(because: NoAnswer, message: string, { cause, announcedBytes }: { cause?: unknown, announcedBytes?: number } = {}) {
    super(message, { cause })
    this.name = 'HttpFailure'
    this.because = because
    this.announcedBytes = announcedBytes
  }
}

export interface HttpClient {
  /**
   * Sends and reads the whole answer. A kept connection that its server had closed meanwhile is replaced once, where the method may be repeated.
   *
   * @throws HttpFailure
   */
  send(request: OutgoingRequest): Promise<IncomingAnswer>
  /** Closes every connection. */
  close(): void
}

/** To one host, and to all together. Further requests wait, within their timeouts. */
const SOCKETS_PER_HOST_MAX = 256
const SOCKETS_MAX = 1024
const FREE_SOCKETS_MAX = 256
/** Shorter than the five seconds after which Node's servers, and many others, close a silent connection. */
const IDLE_MS_MAX = 4_000
const HEADER_BYTES_MAX = 64 * 1024

export function createHttpClient(): HttpClient {
  const settings: AgentOptions = {
    keepAlive: true, maxSockets: SOCKETS_PER_HOST_MAX, maxTotalSockets: SOCKETS_MAX, maxFreeSockets: FREE_SOCKETS_MAX, timeout: IDLE_MS_MAX, scheduling: 'lifo',
  }
  const agents = { plain: new HttpAgent(settings), strict: new HttpsAgent(settings), lenient: new HttpsAgent(settings) }
  agents.lenient.createConnection = connectToAnyAuthority

  function attempt(request: OutgoingRequest, url: URL, deadlineMs: number): Promise<IncomingAnswer> {
    return new Promise((resolve, reject) => {
      const isTls = url.protocol === 'https:'
      const agent = !isTls ? agents.plain : request.takesAnyAuthority ? agents.lenient : agents.strict
      // A raw list of headers is sent as it is.
      const options = { method: request.method, agent, headers: headersOf(request, url).flat(), maxHeaderSize: HEADER_BYTES_MAX, path: targetOf(request.url, url) }
      const outgoing: ClientRequest = isTls ? httpsRequest(url, options) : httpRequest(url, options)
      const timer = setTimeout(() => outgoing.destroy(new HttpFailure('timeout', 'no answer in time')), Math.max(0, deadlineMs - performance.now()))
      const settle = () => clearTimeout(timer)
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        settle()
        reject(failureOf(error, outgoing.reusedSocket))
      })
      outgoing.on('response', (incoming) => {
        readAnswer(incoming, outgoing, request.answerBytesMax).then(resolve, (error: NodeJS.ErrnoException) => reject(failureOf(error, false))).finally(settle)
      })
      // Ours: a server that wants another protocol is not followed there.
      outgoing.on('upgrade', (_, socket) => {
        settle()
        socket.destroy()
        reject(new HttpFailure('network', 'the server switched protocols'))
      })
      outgoing.end(request.body.length === 0 ? undefined : request.body)
    })
  }

  return {
    async send(request) {
      const url = URL.parse(request.url)
      if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw new HttpFailure('address', 'no URL')
      const deadlineMs = performance.now() + request.timeoutMs
      try {
        return await attempt(request, url, deadlineMs)
      } catch (error) {
        if (error instanceof ClosedMeanwhile && mayBeRepeated.has(request.method)) return attempt(request, url, deadlineMs)
        throw error
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy()
    },
  }
}

/** The server closed a kept connection when the request was already on its way to it. */
class ClosedMeanwhile extends HttpFailure {}

/** Source: RFC 9110, 9.2.2: idempotent methods. */
const mayBeRepeated = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/**
 * The path and query that are sent. Dot segments stay where they are for the server to judge: taken out here, as a URL takes them out, what
 * a caller puts into a path could leave the folder that it was put into. All else is encoded as a URL encodes it.
 */
function targetOf(text: string, { pathname, search }: URL): string {
  const path = /^[a-z]+:[/\\]*[^/\\?#]*([^?#]*)/i.exec(text)?.[1] ?? ''
  if (!/(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\]|$)/i.test(path)) return pathname + search
  return path.split('/').map((segment) => (/^(?:\.|%2e){1,2}$/i.test(segment) ? segment : encodedSegment(segment))).join('/') + search
}

/** One segment as a URL has it. */
function encodedSegment(segment: string): string {
  return new URL(`http://a/${segment.replaceAll('\\', '%5C')}`).pathname.slice(1)
}

function headersOf({ headers, body, method }: OutgoingRequest, url: URL): (readonly [string, string])[] {
  const has = (name: string) => headers.some(([given]) => given.toLowerCase() === name)
  const needsLength = body.length > 0 || method === 'POST' || method === 'PUT' || method === 'PATCH'
  return [
    ...(has('host') ? [] : [['Host', url.host] as const]),
    ...headers,
    ...(needsLength && !has('content-length') ? [['Content-Length', String(body.length)] as const] : []),
    ...(has('connection') ? [] : [['Connection', 'keep-alive'] as const]),
  ]
}

async function readAnswer(incoming: IncomingMessage, outgoing: ClientRequest, bytesMax: number): Promise<IncomingAnswer> {
  const announcedBytes = Number(incoming.headers['content-length'] ?? 0)
  const tooLarge = () => new HttpFailure('too large', `the answer has more than ${bytesMax} bytes`, announcedBytes > 0 ? { announcedBytes } : {})
  const chunks: Buffer[] = []
  let bytes = 0
  const isBodiless = outgoing.method === 'HEAD' || incoming.statusCode === 304
  if (!isBodiless && announcedBytes > bytesMax) {
    outgoing.destroy()
    throw tooLarge()
  }
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) {
      outgoing.destroy()
      throw tooLarge()
    }
    chunks.push(chunk)
  }
  return { status: incoming.statusCode ?? 0, headers: headersFromRaw(incoming.rawHeaders), body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) }
}

/** Codes of TLS for certificates that nobody known vouches for. */
const unknownAuthority = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

function failureOf(error: NodeJS.ErrnoException, wasKept: boolean): HttpFailure {
  if (error instanceof HttpFailure) return error
  const { code = '', message } = error
  const cause = { cause: error }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ERR_INVALID_URL') return new HttpFailure('address', message, cause)
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return new HttpFailure('wrong host', message, cause)
  if (unknownAuthority.has(code) || code.startsWith('CERT_')) return new HttpFailure('untrusted', message, cause)
  if (wasKept && (code === 'ECONNRESET' || code === 'EPIPE')) return new ClosedMeanwhile('network', message, cause)
  return new HttpFailure('network', message, cause)
}

/**
 * A TLS connection whose other end need not be vouched for by a known authority: its name and dates are checked before anything is sent.
 * (Node itself checks either everything or nothing.)
 */
function connectToAnyAuthority(options: ConnectionOptions, ready: (error: Error | null, socket?: Duplex) => void): undefined {
  const socket: TLSSocket = tlsConnect({ ...options, rejectUnauthorized: false })
  const onError = (error: Error) => ready(error)
  socket.once('error', onError)
  socket.once('secureConnect', () => {
    socket.removeListener('error', onError)
    const fault = faultOf(socket, options.servername || options.host || '')
    if (fault) {
      socket.destroy()
      ready(fault)
    } else ready(null, socket)
  })
}

function faultOf(socket: TLSSocket, host: string): HttpFailure | undefined {
  const { code } = (socket.authorizationError ?? {}) as NodeJS.ErrnoException
  const reason = code ?? (typeof socket.authorizationError === 'string' ? socket.authorizationError : undefined)
  if (!socket.authorized && reason !== undefined && !unknownAuthority.has(reason) && reason !== 'ERR_TLS_CERT_ALTNAME_INVALID') return new HttpFailure('untrusted', reason)
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return new HttpFailure('untrusted', 'no certificate')
  const now = Date.now()
  if (Date.parse(certificate.validFrom) > now || now > Date.parse(certificate.validTo)) return new HttpFailure('untrusted', 'CERT_HAS_EXPIRED')
  const mismatch = checkServerIdentity(host, certificate.toLegacyObject())
  return mismatch && new HttpFailure('wrong host', mismatch.message)
}
