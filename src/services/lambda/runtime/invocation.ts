// One event in an environment: its answer, kept until it is whole or handed on while it is made, its log and its end.

import { INVOKE_RESPONSE_BYTES_MAX, STREAMED_RESPONSE_BYTES_MAX } from '../limits.ts'
import { oversizeFailure, payloadOf } from './failures.ts'
import { createLogTail } from './log-lines.ts'
import type { ResponseSink } from './response-stream.ts'
import type { EventMessage, StreamReceiver, StreamSource } from './runtime-listener.ts'

export type EnvironmentEvent = Omit<EventMessage, 'deadlineMs'>

/** What an invocation came to. */
export interface Outcome {
  /** The answer, or the error. Empty when the answer went into the sink and ended well. */
  payload: Buffer
  functionError?: 'Unhandled'
  logTail: Buffer
  /** The answer, or its beginning, went into the sink. */
  isStreamed: boolean
  /** From the event to the answer, without a start; undefined where nothing measured it. */
  durationMs?: number | undefined
}

/** How an invocation ended. */
export interface Ended {
  payload: Buffer
  functionError?: 'Unhandled'
  status: 'success' | 'error' | 'timeout'
  errorType?: string | undefined
  /** At least this long. */
  durationMs?: number
}

export interface Running {
  readonly event: EnvironmentEvent
  /** On the monotonic clock. */
  readonly startedAtMs: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly tail: ReturnType<typeof createLogTail>
  /** Aborted when the answer is here. */
  readonly deadline: AbortController
  readonly outcome: Promise<Outcome>
  resolve(ended: Ended): void
  /** Takes a streamed answer; undefined when there is one already. */
  stream(contentType: string | undefined, source: StreamSource, onEnd: (ended: Ended, usedBytes: number | undefined) => void): StreamReceiver | undefined
  oversized(): Ended
  producedBytes(ended: Ended): number
}

export function createInvocation(event: EnvironmentEvent, { sink, startedAtMs, startedAt }: { sink: ResponseSink | undefined, startedAtMs: number, startedAt: number }): Running {
  const { promise: outcome, resolve } = Promise.withResolvers<Outcome>()
  const tail = createLogTail()
  const deadline = new AbortController()
  const bytesMax = sink ? STREAMED_RESPONSE_BYTES_MAX : INVOKE_RESPONSE_BYTES_MAX
  let streamedBytes: number | undefined

  function oversized(): Ended {
    const failure = oversizeFailure(bytesMax)
    return { payload: payloadOf(failure), functionError: 'Unhandled', status: 'error', errorType: failure.errorType }
  }

  return {
    event, startedAtMs, startedAt, tail, deadline, outcome, oversized,
    resolve({ payload, functionError, durationMs }) {
      resolve({ payload, durationMs, ...(functionError && { functionError }), logTail: tail.bytes(), isStreamed: sink !== undefined && (streamedBytes ?? 0) > 0 })
    },
    producedBytes: ({ payload }) => streamedBytes ?? payload.length,

    stream(contentType, source, onEnd) {
      if (streamedBytes !== undefined) return undefined
      streamedBytes = 0
      const kept: Buffer[] = []
      const isOver = () => deadline.signal.aborted
      return {
        data(chunk) {
          if (isOver()) return
          if (streamedBytes === 0 && chunk.length > 0) sink?.begin(contentType ?? 'application/octet-stream')
          streamedBytes! += chunk.length
          if (streamedBytes! > bytesMax) onEnd(oversized(), undefined)
          else if (!sink) kept.push(chunk)
          else if (!sink.write(chunk)) {
            source.pause()
            sink.onDrain(() => { source.resume() })
          }
        },
        end(failure, usedBytes) {
          if (isOver()) return
          if (failure) return onEnd({ payload: failure.body, functionError: 'Unhandled', status: 'success', errorType: undefined }, usedBytes)
          // An answer of no bytes is an answer, too.
          if (streamedBytes === 0) sink?.begin(contentType ?? 'application/octet-stream')
          onEnd({ payload: Buffer.concat(kept), status: 'success' }, usedBytes)
        },
      }
    },
  }
}
