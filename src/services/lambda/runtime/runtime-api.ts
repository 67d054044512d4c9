// The Runtime API over the connection that our own bootstraps inherit: HTTP/1.1, written by hand, because it is the warm path.

import type { Duplex } from 'node:stream'
import { INVOKE_RESPONSE_BYTES_MAX } from '../limits.ts'
import {
  ERROR_TYPE, MEMORY, RESPONSE_MODE, RUNTIME_API, failureOf, usedBytesOf, type EventMessage, type EventReceiver, type RuntimeListener, type StreamReceiver,
} from './runtime-listener.ts'

export interface ConnectionListener extends RuntimeListener {
  /** It does not speak the protocol. */
  onGarbage(reason: string): void
}

interface Head {
  method: string
  path: string
  headers: Map<string, string>
}

/** The request whose body is being read. */
type Open =
  | { is: 'kept' | 'skipped', head: Head, bytes: number }
  /** `bytes` are left of the chunk that is being read; undefined before its size is known. */
  | { is: 'chunked', receiver: StreamReceiver | undefined, bytes: number | undefined }
  | { is: 'trailers', receiver: StreamReceiver | undefined }

const HEAD_BYTES_MAX = 64 * 1024
const ACCEPTED = 'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
const INVALID = 'HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n'
const TOO_LARGE = 'HTTP/1.1 413 Payload Too Large\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n'
const NOT_FOUND = 'HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n'
const NEXT = `${RUNTIME_API}/invocation/next`
const INIT_ERROR = `${RUNTIME_API}/init/error`
const ANSWER = /^\/2018-06-01\/runtime\/invocation\/([\w-]+)\/(response|error)$/
/** Smaller events are sent in one piece with their head. */
const joinedBytesMax = 64 * 1024

/** Reads what an environment says until the connection ends. */
export function createRuntimeConnection(socket: Duplex, listener: ConnectionListener): void {
  let buffered: Buffer[] = []
  let bufferedBytes = 0
  let open: Open | undefined
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

  const receiver: EventReceiver = {
    send(event) {
      const head = owed + eventHead(event)
      const { payload } = event
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

  function readOne(): boolean {
    if (open === undefined) {
      const head = readHead()
      if (!head) return false
      open = bodyOf(head)
    }
    switch (open.is) {
      case 'kept': {
        if (bufferedBytes < open.bytes) return false
        const { head, bytes } = open
        open = undefined
        handle(head, take(bytes))
        return true
      }
      case 'skipped': return skip(open)
      case 'chunked': return readChunk(open)
      case 'trailers': return readTrailers(open.receiver)
    }
  }

  function bodyOf(head: Head): Open {
    if (head.headers.get('transfer-encoding') === 'chunked' && head.headers.get(RESPONSE_MODE) === 'streaming') {
      const [, requestId, kind] = ANSWER.exec(head.path) ?? []
      if (requestId === undefined || kind !== 'response') throw new Error('a stream that belongs nowhere')
      return { is: 'chunked', receiver: listener.onStream(requestId, head.headers.get('content-type'), socket), bytes: undefined }
    }
    const length = Number(head.headers.get('content-length') ?? 0)
    if (!Number.isSafeInteger(length) || length < 0 || head.headers.has('transfer-encoding')) throw new Error('a request without a plain content length')
    return { is: length <= INVOKE_RESPONSE_BYTES_MAX ? 'kept' : 'skipped', head, bytes: length }
  }

  function skip(request: Open & { is: 'kept' | 'skipped' }): boolean {
    const skipped = Math.min(bufferedBytes, request.bytes)
    take(skipped)
    request.bytes -= skipped
    if (request.bytes > 0) return false
    open = undefined
    owed += TOO_LARGE
    const requestId = ANSWER.exec(request.head.path)?.[1]
    if (requestId === undefined) throw new Error('a large body that belongs nowhere')
    listener.onOversize(requestId, Number(request.head.headers.get('content-length')))
    return true
  }

  /** Hands on what is there of a chunk: its end may be far. */
  function readChunk(stream: Open & { is: 'chunked' }): boolean {
    if (stream.bytes === undefined) {
      const size = readLine()
      if (size === undefined) return false
      if (!/^[0-9a-f]{1,8}$/i.test(size)) throw new Error('a chunk without a size')
      const bytes = Number.parseInt(size, 16)
      if (bytes === 0) open = { is: 'trailers', receiver: stream.receiver }
      else stream.bytes = bytes
      return true
    }
    if (stream.bytes === 0) {
      if (readLine() === undefined) return false
      stream.bytes = undefined
      return true
    }
    if (bufferedBytes === 0) return false
    const there = Math.min(bufferedBytes, stream.bytes)
    stream.bytes -= there
    stream.receiver?.data(take(there))
    return true
  }

  function readTrailers(stream: StreamReceiver | undefined): boolean {
    const bytes = joined()
    const isEmpty = bytes.length >= 2 && bytes[0] === 13 && bytes[1] === 10
    const end = isEmpty ? 0 : bytes.indexOf('\r\n\r\n')
    if (end === -1 || bytes.length < 2) {
      if (bytes.length > HEAD_BYTES_MAX) throw new Error('trailers without an end')
      return false
    }
    const trailers = fieldsOf(take(isEmpty ? 2 : end + 4).toString('latin1', 0, end).split('\r\n'))
    open = undefined
    owed += stream ? ACCEPTED : INVALID
    stream?.end(failureOf((name) => trailers.get(name)), usedBytesOf(trailers.get(MEMORY)))
    return true
  }

  function readHead(): Head | undefined {
    const bytes = joined()
    const end = bytes.indexOf('\r\n\r\n')
    if (end === -1) {
      if (bytes.length > HEAD_BYTES_MAX) throw new Error('a head without an end')
      return undefined
    }
    const [line, ...fields] = take(end + 4).toString('latin1', 0, end).split('\r\n')
    const [method = '', path = ''] = line!.split(' ')
    return { method, path, headers: fieldsOf(fields) }
  }

  function readLine(): string | undefined {
    const end = joined().indexOf('\r\n')
    if (end === -1 && bufferedBytes > HEAD_BYTES_MAX) throw new Error('a line without an end')
    return end === -1 ? undefined : take(end + 2).toString('latin1', 0, end)
  }

  function joined(): Buffer {
    const all = buffered.length === 1 ? buffered[0]! : Buffer.concat(buffered)
    buffered = all.length === 0 ? [] : [all]
    return all
  }

  function take(bytes: number): Buffer {
    const all = joined()
    bufferedBytes -= bytes
    buffered = bytes === all.length ? [] : [all.subarray(bytes)]
    return all.subarray(0, bytes)
  }

  function handle({ method, path, headers }: Head, body: Buffer): void {
    const usedBytes = usedBytesOf(headers.get(MEMORY))
    if (method === 'GET' && path === NEXT) {
      isWaiting = true
      listener.onNext(receiver, usedBytes)
      return
    }
    const answer = method === 'POST' ? ANSWER.exec(path) : undefined
    if (!answer && (method !== 'POST' || path !== INIT_ERROR)) {
      owed += NOT_FOUND
      return
    }
    const isTaken = answer?.[2] === 'response' ? listener.onResponse(answer[1]!, body, usedBytes) : listener.onError(answer?.[1], body, headers.get(ERROR_TYPE), usedBytes)
    owed += isTaken ? ACCEPTED : INVALID
  }
}

function fieldsOf(lines: readonly string[]): Map<string, string> {
  return new Map(lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  }))
}

function eventHead({ requestId, deadlineMs, functionArn, traceHeader, clientContext, payload }: EventMessage): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${payload.length}\r\n`
    + `Lambda-Runtime-Aws-Request-Id: ${requestId}\r\nLambda-Runtime-Deadline-Ms: ${deadlineMs}\r\n`
    + `Lambda-Runtime-Invoked-Function-Arn: ${functionArn}\r\nLambda-Runtime-Trace-Id: ${traceHeader}\r\n`
    + `${clientContext === undefined ? '' : `Lambda-Runtime-Client-Context: ${clientContext}\r\n`}\r\n`
}
