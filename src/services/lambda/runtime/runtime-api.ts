// The server's side of the Runtime API: HTTP/1.1 over one connection of one environment. Written by hand, because it is the warm path.

import type { Duplex } from 'node:stream'
import { INVOKE_RESPONSE_BYTES_MAX } from '../limits.ts'

/** What an environment says. Source: Lambda developer guide, "Using the Lambda runtime API". */
export interface RuntimeListener {
  /** It waits for an event. */
  onNext(usedBytes: number | undefined): void
  onResponse(requestId: string, payload: Buffer, usedBytes: number | undefined): void
  /** `requestId` is undefined for an error of the init phase. */
  onError(requestId: string | undefined, payload: Buffer, errorType: string | undefined, usedBytes: number | undefined): void
  /** The response was larger than AWS takes; it was not kept. */
  onOversize(requestId: string, responseBytes: number): void
  /** It does not speak the protocol. */
  onGarbage(reason: string): void
}

export interface EventMessage {
  requestId: string
  deadlineMs: number
  functionArn: string
  traceHeader: string
  clientContext: string | undefined
  payload: Buffer
}

export interface RuntimeConnection {
  /** Answers the pending request for the next event. */
  send(event: EventMessage): void
}

interface Head {
  method: string
  path: string
  headers: Map<string, string>
}

const HEAD_BYTES_MAX = 64 * 1024
const ACCEPTED = 'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
const TOO_LARGE = 'HTTP/1.1 413 Payload Too Large\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n'
const NOT_FOUND = 'HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n'
const NEXT = '/2018-06-01/runtime/invocation/next'
const INIT_ERROR = '/2018-06-01/runtime/init/error'
const ANSWER = /^\/2018-06-01\/runtime\/invocation\/([\w-]+)\/(response|error)$/
/** Smaller events are sent in one piece with their head. */
const joinedBytesMax = 64 * 1024

export function createRuntimeConnection(socket: Duplex, listener: RuntimeListener): RuntimeConnection {
  let buffered: Buffer[] = []
  let bufferedBytes = 0
  /** The request whose body is being read. */
  let open: { head: Head, bytes: number, isKept: boolean } | undefined
  /** Answers that wait until it shows whether the same message also asks for the next event: then all go out together. */
  let owed = ''
  let isWaiting = false

  socket.on('data', (chunk: Buffer) => {
    buffered.push(chunk)
    bufferedBytes += chunk.length
    try {
      while (readOne());
    } catch (error) {
      listener.onGarbage((error as Error).message)
      return
    }
    if (owed !== '' && !isWaiting) {
      socket.write(owed)
      owed = ''
    }
  })
  // Ends are seen by whoever watches the process.
  socket.on('error', () => {})

  function readOne(): boolean {
    if (open === undefined) {
      const head = readHead()
      if (!head) return false
      const length = Number(head.headers.get('content-length') ?? 0)
      if (!Number.isSafeInteger(length) || length < 0 || head.headers.has('transfer-encoding')) throw new Error('a request without a plain content length')
      open = { head, bytes: length, isKept: length <= INVOKE_RESPONSE_BYTES_MAX }
    }
    if (!open.isKept) return skipBody()
    if (bufferedBytes < open.bytes) return false
    const { head, bytes } = open
    open = undefined
    handle(head, take(bytes))
    return true
  }

  function skipBody(): boolean {
    const skipped = Math.min(bufferedBytes, open!.bytes)
    take(skipped)
    open!.bytes -= skipped
    if (open!.bytes > 0) return false
    const { head } = open!
    open = undefined
    owed += TOO_LARGE
    const requestId = ANSWER.exec(head.path)?.[1]
    if (requestId === undefined) throw new Error('a large body that belongs nowhere')
    listener.onOversize(requestId, Number(head.headers.get('content-length')))
    return true
  }

  function readHead(): Head | undefined {
    const bytes = buffered.length === 1 ? buffered[0]! : Buffer.concat(buffered)
    const end = bytes.indexOf('\r\n\r\n')
    if (end === -1) {
      if (bytes.length > HEAD_BYTES_MAX) throw new Error('a head without an end')
      buffered = bytes.length === 0 ? [] : [bytes]
      return undefined
    }
    buffered = [bytes]
    const [line, ...fields] = take(end + 4).toString('latin1', 0, end).split('\r\n')
    const [method = '', path = ''] = line!.split(' ')
    const headers = new Map<string, string>()
    for (const field of fields) {
      const colon = field.indexOf(':')
      headers.set(field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim())
    }
    return { method, path, headers }
  }

  function take(bytes: number): Buffer {
    const all = buffered.length === 1 ? buffered[0]! : Buffer.concat(buffered)
    bufferedBytes -= bytes
    buffered = bytes === all.length ? [] : [all.subarray(bytes)]
    return all.subarray(0, bytes)
  }

  function handle({ method, path, headers }: Head, body: Buffer): void {
    // Of our bootstraps: the resident memory of the process.
    const used = Number(headers.get('countersign-memory') ?? NaN)
    const usedBytes = Number.isFinite(used) ? used : undefined
    if (method === 'GET' && path === NEXT) {
      isWaiting = true
      listener.onNext(usedBytes)
      return
    }
    const errorType = headers.get('lambda-runtime-function-error-type')
    const answer = method === 'POST' ? ANSWER.exec(path) : undefined
    owed += answer || (method === 'POST' && path === INIT_ERROR) ? ACCEPTED : NOT_FOUND
    if (answer?.[2] === 'response') listener.onResponse(answer[1]!, body, usedBytes)
    else if (answer) listener.onError(answer[1], body, errorType, usedBytes)
    else if (path === INIT_ERROR) listener.onError(undefined, body, errorType, usedBytes)
  }

  return {
    send({ requestId, deadlineMs, functionArn, traceHeader, clientContext, payload }) {
      const head = `${owed}HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${payload.length}\r\n`
        + `Lambda-Runtime-Aws-Request-Id: ${requestId}\r\nLambda-Runtime-Deadline-Ms: ${deadlineMs}\r\n`
        + `Lambda-Runtime-Invoked-Function-Arn: ${functionArn}\r\nLambda-Runtime-Trace-Id: ${traceHeader}\r\n`
        + `${clientContext === undefined ? '' : `Lambda-Runtime-Client-Context: ${clientContext}\r\n`}\r\n`
      owed = ''
      isWaiting = false
      if (payload.length <= joinedBytesMax) {
        const message = Buffer.allocUnsafe(head.length + payload.length)
        message.write(head, 0, 'latin1')
        payload.copy(message, head.length)
        socket.write(message)
      } else {
        socket.write(Buffer.from(head, 'latin1'))
        socket.write(payload)
      }
    },
  }
}
