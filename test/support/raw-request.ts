// Requests built by hand, for what no SDK sends: bytes straight onto a socket. The only helper that may do so.

import { connect } from 'node:net'
import { signHeaders, type SigningCredentials } from '#aws/sigv4/sign.ts'

export interface RawRequest {
  method: string
  /** Path and query as they go onto the wire. */
  target: string
  /** Sent in this order, as they are; names may repeat or be malformed. */
  headers: (readonly [name: string, value: string])[]
  body: Buffer
}

export interface RawAnswer {
  status: number
  /** Names in lower case; the values of a repeated header joined by `, `. */
  headers: Record<string, string>
  body: Buffer
  text: string
}

const ANSWER_TIMEOUT_MS = 10_000

/** A request with `Host`, `Connection: close` and, when there is a body, `Content-Length`. */
export function rawRequest({ method = 'GET', target = '/', host, headers = {}, body = '' }: {
  method?: string
  target?: string
  host: string
  headers?: Readonly<Record<string, string>>
  body?: string | Buffer
}): RawRequest {
  const bytes = Buffer.from(body)
  return {
    method,
    target,
    headers: [['Host', host], ['Connection', 'close'], ...Object.entries(headers), ...bytes.length > 0 ? [['Content-Length', String(bytes.length)] as const] : []],
    body: bytes,
  }
}

/** The same request signed by header. `signedHost` is the host that the client believes in, where it is not the one it sends. */
export function signRaw(request: RawRequest, { credentials, service, region = 'us-east-1', nowMs = Date.now(), signedHost }: {
  credentials: SigningCredentials
  service: string
  region?: string
  nowMs?: number
  signedHost?: string
}): RawRequest {
  const [path, rawQuery = ''] = request.target.split(/\?(.*)/s) as [string, string?]
  const headers = Object.fromEntries(request.headers.map(([name, value]) => [name, name === 'Host' ? signedHost ?? value : value]))
  const signed = signHeaders({ method: request.method, path, rawQuery, headers, body: request.body, service, region, credentials, nowMs })
  const added = Object.entries(signed).filter(([name]) => !(name in headers))
  return { ...request, headers: [...request.headers, ...added] }
}

/** The same request with the values of a header replaced; `undefined` removes it. */
export function withHeader(request: RawRequest, name: string, value: string | undefined): RawRequest {
  const others = request.headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase())
  return { ...request, headers: value === undefined ? others : [...others, [name, value]] }
}

/** Sends a request, or any bytes at all, and reads until the server closes. Rejects after 10 s without an end. */
export function sendRaw(request: RawRequest | Buffer | string, { port, address = '127.0.0.1' }: { port: number, address?: string }): Promise<RawAnswer> {
  const bytes = typeof request === 'string' ? Buffer.from(request) : Buffer.isBuffer(request) ? request : bytesOf(request)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, address, () => socket.write(bytes))
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', (error) => {
      // A server that refuses early may reset the connection under a body that is still being sent.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET' || chunks.length === 0) reject(error)
    })
    socket.on('close', () => {
      try {
        resolve(parseAnswer(Buffer.concat(chunks)))
      } catch (error) {
        reject(error as Error)
      }
    })
  })
}

function bytesOf({ method, target, headers, body }: RawRequest): Buffer {
  const head = `${method} ${target} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

function parseAnswer(bytes: Buffer): RawAnswer {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) throw new Error(`no HTTP answer: ${JSON.stringify(bytes.toString('latin1').slice(0, 200))}`)
  const [statusLine, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  const status = Number(statusLine!.split(' ')[1])
  const rest = bytes.subarray(end + 4)
  if (status === 100) return parseAnswer(rest)
  const body = headers['transfer-encoding'] === 'chunked' ? dechunked(rest) : rest
  return { status, headers, body, text: body.toString() }
}

function dechunked(bytes: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    if (!(size > 0)) break
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
  return Buffer.concat(chunks)
}
