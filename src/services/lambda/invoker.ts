// How functions are invoked, by the API's Invoke and by other services of this server.

import type { Readable } from 'node:stream'
import type { Caller, ServiceCaller } from '#aws/caller.ts'
import { AwsError } from '#aws/errors.ts'
import { evaluate } from '#aws/policy/evaluate.ts'
import { refusalSentence } from '#aws/policy/refusal.ts'
import type { Clock } from '#lib/clock.ts'
import type { RandomSource } from '#lib/random.ts'
import type { FunctionDirectory, FunctionSnapshot } from './directory.ts'
import { errors } from './errors.ts'
import type { Events } from './events/events.ts'
import { EVENT_PAYLOAD_BYTES_MAX, INVOKE_PAYLOAD_BYTES_MAX } from './limits.ts'
import { parseFunctionArn, qualifiedArn, type FunctionReference } from './names.ts'
import type { Runner } from './runner.ts'
import type { EnvironmentEvent, Outcome } from './runtime/environment.ts'
import { createResponseSink, HTTP_INTEGRATION_RESPONSE, separatePrelude, type ResponseMetadata, type ResponseSink } from './runtime/response-stream.ts'

export interface Invocation {
  /** Full ARN; a qualifier may stand at its end. */
  functionArn: string
  qualifier?: string | undefined
  /** The event: JSON. Empty means `{}`. */
  payload: Buffer
  /** An `Event` is answered once it is kept, with 202 and nothing else; its function runs later, more often where it fails. */
  type: 'RequestResponse' | 'Event'
  /** A service of this server needs the function's resource policy to let it; every other caller was authorized before. */
  caller: Caller | ServiceCaller
  /** For a service: what it acts for (`arn:aws:execute-api:…`), as `aws:SourceArn`. `aws:SourceAccount` is the caller's account. */
  sourceArn?: string | undefined
  /** Answers at the latest after so many milliseconds; the function's own timeout applies as well, and the function goes on. */
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
  /** The function's request id; made when absent. */
  requestId?: string | undefined
  /** JSON, given to the function as its client context. */
  clientContext?: string | undefined
  /** `X-Amzn-Trace-Id` of the request behind the event; made when absent. */
  traceHeader?: string | undefined
}

export interface InvocationResult {
  status: number
  /** What the function answered, or the error object. */
  payload: Buffer
  functionError?: 'Handled' | 'Unhandled'
  executedVersion: string
  /** The last 4 KB of the invocation's log. */
  logTail: Buffer
  requestId: string
}

export interface Invoker {
  /**
   * Invokes a function and waits for its answer. A function that fails is an answer too: `functionError` says so.
   *
   * @throws AwsError ResourceNotFoundException, AccessDeniedException (a service without permission), TooManyRequestsException,
   * RequestEntityTooLargeException, ServiceException; InvocationAbandoned when `timeoutMs` passed or `signal` aborted before there was an answer.
   */
  invoke(invocation: Invocation): Promise<InvocationResult>
  /**
   * The same, for an answer that is handed on while the function makes it. Resolves with its beginning: the first bytes of a streamed answer,
   * or the whole of one that is not streamed, in one piece. Reading slowly slows the function down; not reading at all is allowed only after
   * `stream.destroy()`.
   *
   * @throws what `invoke` throws, before there is a beginning. Failures of the function never: see `ended`.
   */
  invokeStreaming(invocation: StreamingInvocation): Promise<StreamingResult>
}

export interface StreamingInvocation extends Invocation {
  type: 'RequestResponse'
  /** `separate` reads the head that `HttpResponseStream.from` writes, into `metadata`; otherwise it is the first part of the stream. */
  prelude?: 'separate' | 'leave'
}

export interface StreamingResult {
  executedVersion: string
  requestId: string
  /** What the function said it is; `application/json` for an answer that is not streamed. */
  contentType: string
  isStreamed: boolean
  /** Status, headers and cookies, where the function stated them and they were asked for. */
  metadata: ResponseMetadata | undefined
  stream: Readable
  /** How it ended, once the stream has all its bytes. Never rejects. */
  ended: Promise<StreamEnd>
}

export interface StreamEnd {
  functionError?: 'Unhandled'
  /** The error object of a function that failed after its answer had begun; of one that failed before, it is in the stream. */
  failure: Buffer | undefined
  /** The last 4 KB of the invocation's log. */
  logTail: Buffer
}

/** Whoever invoked did not wait any longer. The function goes on, as on AWS, and its answer goes nowhere. */
export class InvocationAbandoned extends AwsError {
  constructor() {
    super('ServiceException', 500, 'The invocation was not waited for any longer.', { Type: 'Service' })
  }
}

export interface InvokerOptions {
  directory: FunctionDirectory
  runner: Runner
  events: Pick<Events, 'accept'>
  clock: Clock
  random: RandomSource
}

const EMPTY_EVENT = Buffer.from('{}')

export function createInvoker({ directory, runner, events, clock, random }: InvokerOptions): Invoker {
  /** Checks everything that is checked before a function gets an event. */
  async function admit(invocation: Invocation): Promise<{ snapshot: FunctionSnapshot, reference: FunctionReference, event: EnvironmentEvent }> {
    const reference = referenceOf(invocation)
    const snapshot = await directory.find(reference)
    // A service that may not invoke learns nothing about which functions there are. Ours: AWS checks in the same order for other accounts.
    if (invocation.caller.is === 'service') requirePermission(snapshot, reference, invocation, invocation.caller)
    if (!snapshot) throw errors.ResourceNotFoundException(`Function not found: ${qualifiedArn(reference)}`)
    const { payload } = invocation
    checkPayloadSize(payload.length, invocation.type)
    return {
      snapshot, reference,
      event: {
        requestId: invocation.requestId ?? random.uuid(),
        functionArn: qualifiedArn(reference),
        traceHeader: headerValue(invocation.traceHeader ?? newTraceHeader(clock, random)),
        clientContext: invocation.clientContext === undefined ? undefined : headerValue(invocation.clientContext),
        payload: payload.length === 0 ? EMPTY_EVENT : payload,
      },
    }
  }

  async function run(invocation: Invocation, sink?: ResponseSink): Promise<{ requestId: string, executedVersion: string, outcome: Promise<Outcome> }> {
    const { snapshot, event } = await admit(invocation)
    const { outcome } = await runner.run(snapshot, event, sink)
    return { requestId: event.requestId, executedVersion: snapshot.record.version, outcome }
  }

  async function accept(invocation: Invocation): Promise<InvocationResult> {
    const { reference, event: { requestId, payload, traceHeader, clientContext } } = await admit(invocation)
    await events.accept({ event: { id: requestId, ...reference, acceptedAtMs: clock.now(), attempts: 0, refusals: 0, traceHeader, clientContext }, payload })
    return { status: 202, payload: Buffer.alloc(0), executedVersion: '', logTail: Buffer.alloc(0), requestId }
  }

  return {
    async invoke(invocation) {
      if (invocation.type === 'Event') return accept(invocation)
      const { outcome, ...facts } = await run(invocation)
      const { payload, functionError, logTail } = await within(outcome, invocation, clock)
      return { status: 200, ...facts, payload, ...(functionError && { functionError }), logTail }
    },

    async invokeStreaming(invocation) {
      const sink = createResponseSink()
      const { outcome, ...facts } = await run(invocation, sink)
      const ended = outcome.then(({ payload, functionError, logTail, isStreamed }) => {
        if (!isStreamed) sink.stream.write(payload)
        sink.stream.end()
        return { ...(functionError && { functionError }), failure: isStreamed && functionError ? payload : undefined, logTail }
      })
      const contentType = await within(Promise.race([sink.begun, outcome.then(() => 'application/json')]), invocation, clock).catch((error: unknown) => {
        sink.stream.destroy()
        ended.catch(() => {})
        throw error
      })
      const isStreamed = sink.hasBegun()
      const { metadata, body } = isStreamed && contentType === HTTP_INTEGRATION_RESPONSE && invocation.prelude === 'separate'
        ? await separatePrelude(sink.stream) : { metadata: undefined, body: sink.stream }
      return { ...facts, contentType, isStreamed, metadata, stream: body, ended }
    },
  }
}

/**
 * Source: users of AWS report both sentences: faultline issue 12 and hyp3 issue 2241 (events), streetwarp-web issue 14 (requests); Lambda quotas,
 * invocation payload: 6 MB, and 1 MB of an event.
 *
 * @throws RequestEntityTooLargeException
 */
export function checkPayloadSize(bytes: number, type: Invocation['type']): void {
  if (bytes > INVOKE_PAYLOAD_BYTES_MAX) throw errors.RequestEntityTooLargeException(`Request must be smaller than ${INVOKE_PAYLOAD_BYTES_MAX} bytes for the InvokeFunction operation`)
  if (type === 'Event' && bytes > EVENT_PAYLOAD_BYTES_MAX) {
    throw errors.RequestEntityTooLargeException(`${bytes} byte payload is too large for the Event invocation type (limit ${EVENT_PAYLOAD_BYTES_MAX} bytes)`)
  }
}

function referenceOf({ functionArn, qualifier }: Invocation): FunctionReference {
  const reference = parseFunctionArn(functionArn)
  if (!reference) throw errors.ResourceNotFoundException(`Function not found: ${functionArn}`)
  return { ...reference, qualifier: qualifier ?? reference.qualifier }
}

/**
 * Source: Lambda developer guide, "Viewing resource-based IAM policies in Lambda": services are let in by the function's policy alone, under its
 * conditions on `aws:SourceArn` and `aws:SourceAccount`.
 */
function requirePermission(snapshot: FunctionSnapshot | undefined, reference: FunctionReference, { sourceArn }: Invocation, caller: ServiceCaller): void {
  const action = 'lambda:InvokeFunction'
  const resource = qualifiedArn(reference)
  const evaluation = evaluate({
    principal: { is: 'service', accountId: caller.accountId, arn: caller.principal },
    action, resource,
    resourceAccountId: reference.accountId,
    lookup: (key) => key === 'aws:sourcearn' ? sourceArn : key === 'aws:sourceaccount' ? caller.accountId : undefined,
  }, { identity: [], resource: snapshot?.policy })
  if (evaluation.outcome !== 'allowed') throw errors.AccessDeniedException(refusalSentence({ caller: caller.principal, action, resource }, evaluation))
}

/** Waits for the outcome as long as the one who invoked does. */
async function within<Result>(running: Promise<Result>, { timeoutMs, signal }: Invocation, clock: Clock): Promise<Result> {
  if (timeoutMs === undefined && signal === undefined) return running
  const ended = new AbortController()
  const abandoned = Promise.withResolvers<never>()
  const abandon = () => { abandoned.reject(new InvocationAbandoned()) }
  if (signal?.aborted) abandon()
  signal?.addEventListener('abort', abandon, { once: true })
  if (timeoutMs !== undefined) void clock.sleep(timeoutMs, ended.signal).then(() => { if (!ended.signal.aborted) abandon() })
  try {
    return await Promise.race([running, abandoned.promise])
  } finally {
    ended.abort('answered')
    signal?.removeEventListener('abort', abandon)
    // Nobody may be left to hear that it failed.
    running.catch(() => {})
  }
}

/** Source: X-Ray developer guide, "Tracing header". Nothing is sampled, as there is nothing to send samples to. */
function newTraceHeader(clock: Clock, random: RandomSource): string {
  const root = random.uuid().replaceAll('-', '').slice(0, 24)
  const parent = random.uuid().replaceAll('-', '').slice(0, 16)
  return `Root=1-${Math.floor(clock.now() / 1000).toString(16)}-${root};Parent=${parent};Sampled=0`
}

/** Text that goes into a header line. */
function headerValue(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '')
}
