// Serves function URLs: finds the function, lets the caller in, and makes an event of the request and a response of the answer.

import type { Caller } from '#aws/caller.ts'
import type { RequestFacts } from '#aws/dispatch.ts'
import { AwsError } from '#aws/errors.ts'
import { answerV2 } from '#aws/http-payload/answers.ts'
import { eventV2 } from '#aws/http-payload/events.ts'
import { requestParts } from '#aws/http-payload/request-parts.ts'
import { startTrace, type Trace } from '#aws/trace.ts'
import type { Clock } from '#lib/clock.ts'
import { BodyTooLarge, ClientGone, type HttpRequest, type HttpResponse } from '#lib/http.ts'
import type { RandomSource } from '#lib/random.ts'
import { errors } from '../errors.ts'
import type { Invoker, StreamingResult } from '../invoker.ts'
import { INVOKE_PAYLOAD_BYTES_MAX } from '../limits.ts'
import type { FunctionUrl, FunctionUrls } from '../url-directory.ts'
import { urlAddressOf, type UrlAddress } from './address.ts'
import { authorizerFacts, beginSignature, finishSignature, requirePermission, type UrlCallOptions } from './authorize.ts'
import { answerPreflight, isPreflight, withCors } from './cors.ts'
import { functionFailed, noSuchUrl, refusedAs, UrlRefusal } from './refusals.ts'

export interface FunctionUrlOptions extends UrlCallOptions {
  urls: FunctionUrls
  invoker: Pick<Invoker, 'invoke' | 'invokeStreaming'>
  clock: Clock
  random: RandomSource
  log: { error(facts: Record<string, unknown>, message: string): void }
  onTrace: (trace: Trace, facts: RequestFacts) => void
  /** The region that facts name where no function was found. */
  region: string
}

export interface FunctionUrlEndpoint {
  matches(request: Pick<HttpRequest, 'path' | 'headers'>): boolean
  /** Answers a call. Rejects only when the connection is gone. */
  handle(request: HttpRequest): Promise<HttpResponse>
}

interface UrlCall {
  readonly request: HttpRequest
  readonly address: UrlAddress
  readonly requestId: string
  readonly traceHeader: string
  readonly atMs: number
  readonly trace: Trace
  url?: FunctionUrl | undefined
  caller?: Caller
}

export function createFunctionUrlEndpoint(options: FunctionUrlOptions): FunctionUrlEndpoint {
  const { clock, random, log, onTrace } = options

  function begin(request: HttpRequest): UrlCall {
    const requestId = random.uuid()
    const hex = requestId.replaceAll('-', '')
    const atMs = clock.now()
    return {
      request, requestId, atMs, address: urlAddressOf(request)!,
      traceHeader: `Root=1-${Math.floor(atMs / 1000).toString(16).padStart(8, '0')}-${hex.slice(0, 24)};Parent=${hex.slice(16)};Sampled=0`,
      trace: startTrace(requestId, () => clock.monotonic()),
    }
  }

  async function answer(call: UrlCall): Promise<HttpResponse> {
    const { request, address, trace } = call
    const url = call.url = await options.urls.find(address.urlId)
    trace.add('route', { urlId: address.urlId, path: address.path, function: url?.qualifiedArn ?? null, authType: url?.config.authType ?? null })
    if (!url) throw noSuchUrl()
    const { authType, cors, invokeMode } = url.config
    if (cors && isPreflight(request)) return answerPreflight(request, cors)
    const claim = authType === 'AWS_IAM' ? await beginSignature(request, url, trace, options.authenticator) : undefined
    if (claim) finishSignature(claim, await readBody(request), trace)
    if (claim) call.caller = claim.caller
    await requirePermission(call, url, claim?.caller, options)
    const body = await readBody(request)
    const response = invokeMode === 'RESPONSE_STREAM' ? await stream(call, url, body, options) : await invoke(call, url, body, options)
    return withCors(response, request, cors)
  }

  function refusalOf(call: UrlCall, failure: unknown): UrlRefusal {
    if (failure instanceof UrlRefusal) return failure
    if (failure instanceof AwsError) return refusedAs(failure)
    log.error({ err: failure, requestId: call.requestId }, 'a call of a function URL failed')
    return functionFailed('a failure of the server')
  }

  return {
    matches: (request) => urlAddressOf(request) !== undefined,
    async handle(request) {
      const startedAt = clock.monotonic()
      const call = begin(request)
      let response: HttpResponse
      let refusal: UrlRefusal | undefined
      try {
        response = await answer(call)
      } catch (failure) {
        if (failure instanceof ClientGone) throw failure
        refusal = refusalOf(call, failure)
        call.trace.add('refusal', { status: refusal.response.status, reason: refusal.reason })
        response = withCors(refusal.response, request, call.url?.config.cors)
      }
      call.trace.add('response', { status: response.status })
      try {
        onTrace(call.trace, factsOf(call, response.status, refusal?.errorType, clock.monotonic() - startedAt, options.region))
      } catch (error) {
        log.error({ err: error, requestId: call.requestId }, 'a trace was lost')
      }
      return { ...response, headers: { 'x-amzn-RequestId': call.requestId, ...response.headers } }
    },
  }
}

async function readBody(request: HttpRequest): Promise<Buffer> {
  try {
    return await request.body(INVOKE_PAYLOAD_BYTES_MAX)
  } catch (error) {
    if (error instanceof BodyTooLarge) throw errors.RequestEntityTooLargeException(`Request must be smaller than ${INVOKE_PAYLOAD_BYTES_MAX} bytes for the InvokeFunction operation`)
    throw error
  }
}

/** Source: Lambda developer guide, "Invoking Lambda function URLs", request payload: format 2.0, in which paths stay encoded. */
function invocationOf({ request, address, requestId, traceHeader, atMs, caller }: UrlCall, url: FunctionUrl, body: Buffer) {
  const domainName = (request.headers.get('host') ?? '').replace(/:\d+$/, '')
  const event = eventV2(requestParts(request, body, { traceHeader }), {
    accountId: caller?.accountId ?? 'anonymous', apiId: url.config.urlId, domainName, domainPrefix: url.config.urlId, requestId, atMs,
    routeKey: '$default', stage: '$default', stageVariables: {}, pathParameters: {}, path: address.path, authorizer: authorizerFacts(caller),
  })
  return {
    functionArn: url.qualifiedArn, payload: Buffer.from(JSON.stringify(event)), type: 'RequestResponse' as const, requestId, traceHeader,
    // Who may call was judged by the address.
    caller: caller ?? { is: 'anonymous' as const, accountId: '' as const, arn: '' as const, userId: '' as const },
  }
}

async function invoke(call: UrlCall, url: FunctionUrl, body: Buffer, { invoker }: Pick<FunctionUrlOptions, 'invoker'>): Promise<HttpResponse> {
  const result = await invoker.invoke(invocationOf(call, url, body))
  call.trace.add('invocation', { function: url.qualifiedArn, version: result.executedVersion, functionError: result.functionError ?? null })
  // Observed: AWS, 24-11-2025, recorded by localstack's test_lambda_url_invocation: a response that names no type is JSON.
  const answered = result.functionError === undefined ? answerV2(result.payload, { contentType: 'application/json' }) : undefined
  if (!answered) throw functionFailed(result.functionError === undefined ? 'the answer is no response' : 'the function failed')
  return { ...answered, headers: { ...answered.headers, 'X-Amzn-Trace-Id': call.traceHeader.split(';')[0]! } }
}

/** Source: Lambda developer guide, "Response streaming for Lambda functions": with `RESPONSE_STREAM`, what the function writes is the body as it is. */
async function stream(call: UrlCall, url: FunctionUrl, body: Buffer, { invoker }: Pick<FunctionUrlOptions, 'invoker'>): Promise<HttpResponse> {
  const result = await invoker.invokeStreaming({ ...invocationOf(call, url, body), prelude: 'separate' })
  call.trace.add('invocation', { function: url.qualifiedArn, version: result.executedVersion, streamed: result.isStreamed })
  if (!result.isStreamed) await requireSuccess(result)
  const { statusCode = 200, headers = {}, cookies = [], multiValueHeaders = {} } = result.metadata ?? {}
  const named: HttpResponse['headers'] = { 'content-type': 'application/octet-stream', 'X-Amzn-Trace-Id': call.traceHeader.split(';')[0]! }
  for (const [name, value] of [...Object.entries(headers), ...Object.entries(multiValueHeaders)]) {
    if (!ownHeaders.has(name.toLowerCase())) named[name.toLowerCase()] = Array.isArray(value) ? value.map(String) : String(value)
  }
  if (cookies.length > 0) named['set-cookie'] = cookies
  return { status: statusCode, headers: named, body: result.stream }
}

/** The server's own affair. */
const ownHeaders = new Set(['connection', 'content-length', 'transfer-encoding', 'keep-alive', 'upgrade'])

/** A function that failed before it wrote anything answers like any that failed. */
async function requireSuccess({ ended, stream: answered }: StreamingResult): Promise<void> {
  const { functionError } = await ended
  if (functionError === undefined) return
  answered.destroy()
  throw functionFailed('the function failed')
}

function factsOf({ requestId, atMs, url, caller }: UrlCall, status: number, errorCode: string | undefined, durationMs: number, region: string): RequestFacts {
  return {
    requestId, atMs, durationMs, status, errorCode, service: 'lambda', operation: 'InvokeFunctionUrl', accountId: url?.config.accountId, callerArn: caller?.arn,
    accessKeyId: caller && 'accessKeyId' in caller ? caller.accessKeyId : undefined, region: url?.config.region ?? region,
  }
}
