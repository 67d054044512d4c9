// What the Runtime API is to an environment, whichever way it is spoken: over the inherited connection or over HTTP at an address.

/** An event as the Runtime API carries it. Source: Lambda developer guide, "Using the Lambda runtime API", next invocation. */
export interface EventMessage {
  requestId: string
  deadlineMs: number
  functionArn: string
  traceHeader: string
  clientContext: string | undefined
  payload: Buffer
}

/** Whoever waits for the next event: takes one. */
export interface EventReceiver {
  send(event: EventMessage): void
  /** It went away without one; nothing may be sent any more. */
  readonly isGone?: boolean
}

/** Where the bytes of a streamed answer come from. */
export interface StreamSource {
  pause(): void
  resume(): void
}

/** How a streamed answer failed, as its trailers tell. */
export interface StreamFailure {
  errorType: string
  body: Buffer
}

/** Takes a streamed answer. */
export interface StreamReceiver {
  data(chunk: Buffer): void
  end(failure: StreamFailure | undefined, usedBytes: number | undefined): void
}

/**
 * What a runtime says. Source: the same page. `usedBytes` is the resident memory that our own bootstraps tell.
 * Answers to an invocation that is not under way are refused: `false`, or no receiver.
 */
export interface RuntimeListener {
  onNext(receiver: EventReceiver, usedBytes: number | undefined): void
  onResponse(requestId: string, payload: Buffer, usedBytes: number | undefined): boolean
  /** The head of a streamed answer is here. */
  onStream(requestId: string, contentType: string | undefined, source: StreamSource): StreamReceiver | undefined
  /** `requestId` is undefined for an error of the init phase. */
  onError(requestId: string | undefined, payload: Buffer, errorType: string | undefined, usedBytes: number | undefined): boolean
  /** The response was larger than AWS takes; it was not kept. */
  onOversize(requestId: string, responseBytes: number): void
}

export const RUNTIME_API = '/2018-06-01/runtime'

/** Of `Lambda-Runtime-Function-Response-Mode`. Source: Lambda developer guide, "Response streaming in custom runtimes". */
export const RESPONSE_MODE = 'lambda-runtime-function-response-mode'
export const ERROR_TYPE = 'lambda-runtime-function-error-type'
/** A trailer of a streamed answer: base64 of the error's JSON. Source: the same page. */
export const ERROR_BODY = 'lambda-runtime-function-error-body'
/** Of our own bootstraps: the resident memory of the process, bytes. */
export const MEMORY = 'countersign-memory'

/** What trailers tell of a failure. */
export function failureOf(trailer: (name: string) => string | undefined): StreamFailure | undefined {
  const errorType = trailer(ERROR_TYPE)
  const body = trailer(ERROR_BODY)
  if (errorType === undefined && body === undefined) return undefined
  return { errorType: errorType ?? 'Runtime.Unknown', body: Buffer.from(body ?? '', 'base64') }
}

export function usedBytesOf(field: string | undefined): number | undefined {
  const used = Number(field ?? NaN)
  return Number.isFinite(used) ? used : undefined
}
