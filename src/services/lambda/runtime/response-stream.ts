// An answer that is handed on while the function makes it, and the head that HTTP integrations put in front of it.

import { PassThrough, type Readable } from 'node:stream'
import { STREAM_PRELUDE_BYTES_MAX } from '../limits.ts'

/** What takes a streamed answer. Whoever invokes buffered has none: then the answer is kept until it is whole. */
export interface ResponseSink {
  /** The answer begins: at most once, and not at all for an answer that is not streamed. */
  begin(contentType: string): void
  /** `false` asks to wait for `onDrain`. */
  write(chunk: Buffer): boolean
  onDrain(resume: () => void): void
}

/** Source: Lambda developer guide, "Response streaming": what `HttpResponseStream.from` takes. */
export interface ResponseMetadata {
  statusCode?: number
  headers?: Record<string, string>
  cookies?: string[]
  multiValueHeaders?: Record<string, string[]>
}

/** Of `HttpResponseStream.from`: JSON, eight zero bytes, then the body. Source: AWS's Node.js runtime interface client. */
export const HTTP_INTEGRATION_RESPONSE = 'application/vnd.awslambda.http-integration-response'
const delimiter = Buffer.alloc(8)

/** A sink whose bytes can be read; `begun` resolves with the content type. The end and failures are its owner's to tell the stream. */
export function createResponseSink(): ResponseSink & { stream: PassThrough, begun: Promise<string>, hasBegun(): boolean } {
  const stream = new PassThrough()
  const { promise: begun, resolve } = Promise.withResolvers<string>()
  let hasBegun = false
  // A reader that went away: the function goes on, as on AWS, and the rest of its answer goes nowhere.
  stream.on('error', () => {})
  return {
    stream, begun,
    hasBegun: () => hasBegun,
    begin(contentType) {
      hasBegun = true
      resolve(contentType)
    },
    write: (chunk) => stream.destroyed || stream.writableEnded || stream.write(chunk),
    onDrain(resume) {
      const once = () => {
        stream.off('drain', once)
        stream.off('close', once)
        resume()
      }
      stream.once('drain', once)
      stream.once('close', once)
    },
  }
}

/**
 * Reads the head off a stream of that content type. Resolves with what is left; `metadata` is undefined where there is no such head: then the
 * stream has everything.
 */
export function separatePrelude(stream: Readable): Promise<{ metadata: ResponseMetadata | undefined, body: Readable }> {
  return new Promise((resolve, reject) => {
    let head: Buffer = Buffer.alloc(0)
    const done = (metadata: ResponseMetadata | undefined, rest: Buffer) => {
      stream.off('readable', read)
      stream.off('end', end)
      stream.off('error', reject)
      if (rest.length > 0) stream.unshift(rest)
      resolve({ metadata, body: stream })
    }
    const read = () => {
      for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null) {
        head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
        const at = head.indexOf(delimiter)
        if (at !== -1) return done(metadataOf(head.subarray(0, at)), head.subarray(at + delimiter.length))
        if (head.length > STREAM_PRELUDE_BYTES_MAX) return done(undefined, head)
      }
    }
    const end = () => {
      // Nothing can be put back once a stream has ended.
      const whole = new PassThrough()
      whole.end(head)
      resolve({ metadata: undefined, body: whole })
    }
    stream.on('readable', read)
    stream.once('end', end)
    stream.once('error', reject)
  })
}

function metadataOf(bytes: Buffer): ResponseMetadata | undefined {
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}
