// The address of an environment, `AWS_LAMBDA_RUNTIME_API`: Runtime, Extensions and Telemetry API over HTTP, for its own processes alone.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { INVOKE_RESPONSE_BYTES_MAX, RUNTIME_API_CONNECTIONS_MAX } from '../limits.ts'
import type { LoopbackConnection } from './isolation/processes.ts'
import { ERROR_TYPE, MEMORY, RESPONSE_MODE, RUNTIME_API, failureOf, usedBytesOf, type RuntimeListener } from './runtime-listener.ts'

/** An answer to a request: JSON. */
export interface Reply {
  status: number
  headers?: Record<string, string>
  body: object | string
}

/** The part of the address that extensions use. Source: Lambda developer guide, "Using the Lambda Extensions API" and "Telemetry API". */
export interface ExtensionsListener {
  register(name: string | undefined, body: Buffer, features: string | undefined): Reply
  /** Replies when there is an event; `undefined` when `signal` says that nobody waits any more. */
  next(id: string | undefined, signal: AbortSignal): Reply | Promise<Reply | undefined>
  initError(id: string | undefined, errorType: string | undefined, body: Buffer): Reply
  exitError(id: string | undefined, errorType: string | undefined, body: Buffer): Reply
  subscribe(id: string | undefined, api: 'telemetry' | 'logs', body: Buffer): Reply
}

export interface Attached {
  runtime: RuntimeListener
  extensions: ExtensionsListener
  /** Whether the other side of a connection is one of the environment's own processes. */
  isOwn(connection: LoopbackConnection): boolean
}

export interface RuntimeServer {
  /** `127.0.0.1:39147`. */
  readonly address: string
  /** From now on it answers; before, connections wait. */
  attach(attached: Attached): void
  close(): void
}

const ANSWER = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/
/** Of requests that carry no answer: registrations, subscriptions, errors. */
const SMALL_BODY_BYTES_MAX = 256 * 1024

/** Source: AWS's runtime interface emulator: types and sentences of refusals, here and below. */
export const accepted: Reply = { status: 202, body: { status: 'OK' } }
const invalidRequestId: Reply = { status: 400, body: { errorMessage: 'Invalid request ID', errorType: 'InvalidRequestID' } }
const tooLarge: Reply = {
  status: 413, body: { errorMessage: `Exceeded maximum allowed payload size (${INVOKE_RESPONSE_BYTES_MAX} bytes).`, errorType: 'RequestEntityTooLarge' },
}
const wrongMode: Reply = { status: 400, body: { errorMessage: 'Invalid function response mode', errorType: 'InvalidFunctionResponseMode' } }

/** Listens on a free port of loopback. The connection of a stranger is cut before a byte of it is read. */
export async function openRuntimeServer(): Promise<RuntimeServer> {
  let attached: Attached | undefined
  const early: Socket[] = []
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, noDelay: true }, (request, response) => {
    void answer(request, response, attached!).catch(() => { response.destroy() })
  })
  server.maxConnections = RUNTIME_API_CONNECTIONS_MAX
  server.on('clientError', (_error, socket) => { socket.destroy() })
  server.prependListener('connection', (socket: Socket) => {
    socket.unref()
    if (attached === undefined) early.push(socket)
    else if (!isOwn(socket, attached)) socket.destroy()
  })
  await listen(server)
  server.unref()
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    attach(listeners) {
      attached = listeners
      for (const socket of early) if (!isOwn(socket, listeners)) socket.destroy()
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function isOwn({ localPort, remotePort }: Socket, attached: Attached): boolean {
  return localPort !== undefined && remotePort !== undefined && attached.isOwn({ localPort, remotePort })
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port: 0 }, resolve)
  })
}

async function answer(request: IncomingMessage, response: ServerResponse, { runtime, extensions }: Attached): Promise<void> {
  const { method } = request
  const path = (request.url ?? '').split('?')[0]!.replace(/\/$/, '')
  if (method === 'GET' && path === `${RUNTIME_API}/invocation/next`) return waitForEvent(request, response, runtime)
  const [, requestId, kind] = method === 'POST' ? ANSWER.exec(path) ?? [] : []
  if (requestId !== undefined && kind === 'response') return takeResponse(request, response, requestId, runtime)
  const reply = await replyTo(`${method} ${path}`, requestId, request, response, { runtime, extensions })
  if (reply !== undefined) send(response, reply)
}

async function replyTo(target: string, failedRequestId: string | undefined, request: IncomingMessage, response: ServerResponse, { runtime, extensions }: Pick<Attached, 'runtime' | 'extensions'>): Promise<Reply | undefined> {
  const field = (name: string) => fieldOf(request, name)
  const id = field('lambda-extension-identifier')
  if (target === 'GET /2020-01-01/extension/event/next') {
    const gone = new AbortController()
    response.once('close', () => { gone.abort() })
    return extensions.next(id, gone.signal)
  }
  if (target === 'GET /2018-06-01/ping') return { status: 200, body: 'pong' }
  const isFailure = failedRequestId !== undefined || target === `POST ${RUNTIME_API}/init/error`
  const body = await bodyOf(request, isFailure ? INVOKE_RESPONSE_BYTES_MAX : SMALL_BODY_BYTES_MAX)
  if (body === undefined) return tooLarge
  if (isFailure) return runtime.onError(failedRequestId, body, field(ERROR_TYPE), usedBytesOf(field(MEMORY))) ? accepted : invalidRequestId
  const errorType = field('lambda-extension-function-error-type')
  switch (target) {
    case 'POST /2020-01-01/extension/register': return extensions.register(field('lambda-extension-name'), body, field('lambda-extension-accept-feature'))
    case 'POST /2020-01-01/extension/init/error': return extensions.initError(id, errorType, body)
    case 'POST /2020-01-01/extension/exit/error': return extensions.exitError(id, errorType, body)
    case 'PUT /2022-07-01/telemetry': return extensions.subscribe(id, 'telemetry', body)
    case 'PUT /2020-08-15/logs': return extensions.subscribe(id, 'logs', body)
    default: return { status: 404, body: '404 page not found\n' }
  }
}

function waitForEvent(request: IncomingMessage, response: ServerResponse, runtime: RuntimeListener): void {
  runtime.onNext({
    get isGone() { return response.destroyed },
    send({ requestId, deadlineMs, functionArn, traceHeader, clientContext, payload }) {
      response.writeHead(200, {
        'Content-Type': 'application/json', 'Content-Length': payload.length,
        'Lambda-Runtime-Aws-Request-Id': requestId, 'Lambda-Runtime-Deadline-Ms': deadlineMs, 'Lambda-Runtime-Invoked-Function-Arn': functionArn,
        'Lambda-Runtime-Trace-Id': traceHeader, ...(clientContext === undefined ? {} : { 'Lambda-Runtime-Client-Context': clientContext }),
      })
      response.end(payload)
    },
  }, usedBytesOf(fieldOf(request, MEMORY)))
}

async function takeResponse(request: IncomingMessage, response: ServerResponse, requestId: string, runtime: RuntimeListener): Promise<void> {
  const mode = fieldOf(request, RESPONSE_MODE)
  if (mode !== undefined && mode !== 'streaming') return send(response, wrongMode)
  if (mode === 'streaming') return takeStream(request, response, requestId, runtime)
  const body = await bodyOf(request, INVOKE_RESPONSE_BYTES_MAX)
  if (body === undefined) {
    runtime.onOversize(requestId, Number(fieldOf(request, 'content-length') ?? INVOKE_RESPONSE_BYTES_MAX + 1))
    return send(response, tooLarge)
  }
  const isTaken = runtime.onResponse(requestId, body, usedBytesOf(fieldOf(request, MEMORY)))
  return send(response, isTaken ? accepted : invalidRequestId)
}

function takeStream(request: IncomingMessage, response: ServerResponse, requestId: string, runtime: RuntimeListener): void {
  const receiver = runtime.onStream(requestId, fieldOf(request, 'content-type'), request)
  request.on('data', (chunk: Buffer) => { receiver?.data(chunk) })
  request.on('end', () => {
    const trailer = (name: string) => request.trailers[name]
    send(response, receiver ? accepted : invalidRequestId)
    receiver?.end(failureOf(trailer), usedBytesOf(trailer(MEMORY)))
  })
  // Source: the runtime interface emulator: an answer whose end is missing.
  request.on('error', () => {
    receiver?.end({ errorType: 'Runtime.TruncatedResponse', body: Buffer.from('{"errorType":"Runtime.TruncatedResponse","errorMessage":"HTTP request detected as truncated"}') }, undefined)
  })
}

/** The whole body, or undefined when it is larger; then the rest of it is read over. */
function bodyOf(request: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= bytesMax) chunks.push(chunk)
      else chunks = []
    })
    request.on('end', () => { resolve(bytes <= bytesMax ? Buffer.concat(chunks) : undefined) })
    request.on('error', reject)
  })
}

function fieldOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

function send(response: ServerResponse, { status, headers = {}, body }: Reply): void {
  const isText = typeof body === 'string'
  const bytes = Buffer.from(isText ? body : `${JSON.stringify(body)}\n`)
  response.writeHead(status, { 'Content-Type': isText ? 'text/plain; charset=utf-8' : 'application/json', 'Content-Length': bytes.length, ...headers })
  response.end(bytes)
}
