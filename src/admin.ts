// The endpoint's own paths under `/_countersign/`: health and metrics for anyone, traces, events, accounts and reset for signed callers.

import type { HttpRequest, HttpResponse } from '#lib/http.ts'
import { BodyTooLarge } from '#lib/http.ts'
import type { Clock } from '#lib/clock.ts'
import { SignatureRefusal, type Authenticator, type SignatureClaim } from '#aws/authenticate.ts'
import type { Authorizer } from '#aws/authorize.ts'
import type { Caller } from '#aws/caller.ts'
import type { Permission } from '#aws/service.ts'

/** The name that a credential scope carries for these paths. */
const SERVICE = 'countersign'
const BODY_BYTES_MAX = 64 * 1024

export interface AdminOptions {
  authenticator: Authenticator
  authorizer: Authorizer
  clock: Clock
  /** The account whose root owns the server. */
  firstAccountId: string
  health(): Record<string, unknown>
  /** Prometheus text. */
  metrics(): Promise<{ contentType: string, text: string }>
  findTrace(requestId: string): Promise<TraceAnswer | undefined>
  latestTraces(accountId: string, limit: number): Promise<unknown[]>
  /** Asynchronous invocations. Undefined is what there is not in the account. */
  events: {
    list(accountId: string, limit: number): Promise<unknown[]>
    find(accountId: string, requestId: string): Promise<unknown>
    retry(accountId: string, requestId: string): Promise<unknown>
  }
  listAccounts(): Promise<{ accountId: string, createdAtMs: number }[]>
  /** Makes an account of this id, or of a new one. Undefined when there is one already. */
  createAccount(accountId: string | undefined): Promise<{ accountId: string, accessKeyId: string, secretAccessKey: string } | undefined>
  /** Undefined where the settings do not allow it. */
  reset: (() => Promise<void>) | undefined
}

export interface TraceAnswer {
  /** The account whose request it was; absent when no caller was established. */
  accountId?: string
  [fact: string]: unknown
}

export interface Admin {
  matches(request: HttpRequest): boolean
  handle(request: HttpRequest): Promise<HttpResponse>
}

export function createAdmin(options: AdminOptions): Admin {
  return {
    matches: ({ path }) => path.startsWith('/_countersign/'),
    async handle(request) {
      try {
        return await answer(request, options)
      } catch (error) {
        if (error instanceof SignatureRefusal) return refusal(403, 'InvalidSignature', error.message)
        if (error instanceof BodyTooLarge) return refusal(413, 'RequestTooLarge', `The body must not be larger than ${BODY_BYTES_MAX} bytes.`)
        throw error
      }
    },
  }
}

async function answer(request: HttpRequest, options: AdminOptions): Promise<HttpResponse> {
  const { method, path } = request
  const isRead = method === 'GET' || method === 'HEAD'
  if (isRead && path === '/_countersign/health') return json(200, options.health())
  if (isRead && path === '/_countersign/metrics') {
    const { contentType, text } = await options.metrics()
    return { status: 200, headers: { 'content-type': contentType }, body: text }
  }
  // Ids of HTTP APIs end in an equals sign.
  const traceId = /^\/_countersign\/traces\/([\w-]{1,128}=?)$/.exec(path.replace(/%3d$/i, '='))?.[1]
  if (isRead && traceId !== undefined) return answerTrace(request, traceId, options)
  if (isRead && path === '/_countersign/traces') {
    const { caller } = await signed(request, options)
    const denied = await denial(request, caller, { action: 'countersign:ListTraces', resource: '*' }, options)
    return denied ?? json(200, { traces: await options.latestTraces(caller.accountId, limitOf(request)) })
  }
  const eventPath = /^\/_countersign\/events(?:\/([\w-]{1,128})(\/retry)?)?$/.exec(path)
  if (eventPath && (eventPath[2] === undefined ? isRead : method === 'POST')) return answerEvents(request, { requestId: eventPath[1], isRetry: eventPath[2] !== undefined }, options)
  if (method === 'POST' && path === '/_countersign/reset') {
    if (options.reset === undefined) return refusal(403, 'ResetNotAllowed', 'Start the server with COUNTERSIGN_ALLOW_RESET=1 on a loopback address to allow a reset.')
    const { caller } = await signed(request, options)
    if (!isOwner(caller, options)) return refusal(403, 'AccessDenied', 'Only the root of the first account may reset the server.')
    await options.reset()
    return json(200, { status: 'reset' })
  }
  if (path === '/_countersign/accounts' && (isRead || method === 'POST')) return answerAccounts(request, options)
  return refusal(404, 'NotFound', `There is no ${method} ${path} here.`)
}

/** Accounts are made and listed by the root of the first. The new root's secret is in the answer and nowhere else. */
async function answerAccounts(request: HttpRequest, options: AdminOptions): Promise<HttpResponse> {
  const { caller } = await signed(request, options)
  if (!isOwner(caller, options)) return refusal(403, 'AccessDenied', 'Only the root of the first account may see and create accounts.')
  if (request.method !== 'POST') {
    const accounts = await options.listAccounts()
    return json(200, { accounts: accounts.map(({ accountId, createdAtMs }) => ({ accountId, createdAt: new Date(createdAtMs).toISOString() })) })
  }
  const wished = accountIdOf(await request.body(BODY_BYTES_MAX))
  if ('fault' in wished) return refusal(400, 'ValidationError', wished.fault)
  const created = await options.createAccount(wished.accountId)
  if (created) return json(200, created)
  return refusal(409, 'AccountAlreadyExists', wished.accountId === undefined ? 'No free account id was found; name one.' : `There is an account ${wished.accountId} already.`)
}

function accountIdOf(body: Buffer): { accountId: string | undefined } | { fault: string } {
  let value: unknown
  try {
    value = body.length === 0 ? {} : JSON.parse(body.toString('utf8'))
  } catch {
    return { fault: 'The body must be JSON.' }
  }
  const { accountId } = (value ?? {}) as { accountId?: unknown }
  if (accountId === undefined) return { accountId }
  return typeof accountId === 'string' && /^\d{12}$/.test(accountId) ? { accountId } : { fault: 'accountId must be twelve digits.' }
}

function isOwner(caller: Caller, { firstAccountId }: AdminOptions): boolean {
  return caller.is === 'root' && caller.accountId === firstAccountId
}

async function answerTrace(request: HttpRequest, requestId: string, options: AdminOptions): Promise<HttpResponse> {
  const { caller } = await signed(request, options)
  const denied = await denial(request, caller, { action: 'countersign:GetTrace', resource: '*' }, options)
  if (denied) return denied
  const trace = await options.findTrace(requestId)
  // A request without an established caller belongs to nobody; only the first account's root may read about it.
  const isTheirs = trace !== undefined && (trace.accountId === caller.accountId || (trace.accountId === undefined && isOwner(caller, options)))
  return isTheirs ? json(200, trace) : refusal(404, 'NotFound', `There is no trace of a request ${requestId} in this account; traces are written within a second and kept for a bounded time.`)
}

/** The events of the caller's account, one of them, or one of them again. */
async function answerEvents(request: HttpRequest, { requestId, isRetry }: { requestId: string | undefined, isRetry: boolean }, options: AdminOptions): Promise<HttpResponse> {
  const { caller } = await signed(request, options)
  const action = requestId === undefined ? 'countersign:ListEvents' : isRetry ? 'countersign:RetryEvent' : 'countersign:GetEvent'
  const denied = await denial(request, caller, { action, resource: '*' }, options)
  if (denied) return denied
  const { events } = options
  if (requestId === undefined) return json(200, { events: await events.list(caller.accountId, limitOf(request)) })
  const event = isRetry ? await events.retry(caller.accountId, requestId) : await events.find(caller.accountId, requestId)
  if (event !== undefined) return json(200, event)
  return refusal(404, 'NotFound', `There is no event ${requestId} ${isRetry ? 'that was given up ' : ''}in this account; what a function has answered is not kept.`)
}

async function signed(request: HttpRequest, { authenticator }: AdminOptions): Promise<SignatureClaim> {
  const claim = await authenticator.begin(request, { services: [SERVICE] })
  claim.finish(await request.body(BODY_BYTES_MAX))
  return claim
}

async function denial(request: HttpRequest, caller: SignatureClaim['caller'], permission: Permission, { authorizer, clock }: AdminOptions): Promise<HttpResponse | undefined> {
  const decision = await authorizer.decide({ caller, scope: { accountId: caller.accountId, region: 'us-east-1' }, atMs: clock.now(), request }, permission)
  return decision.allowed ? undefined : refusal(403, 'AccessDenied', decision.message)
}

function limitOf(request: HttpRequest): number {
  const limit = Number(new URLSearchParams(request.rawQuery).get('limit') ?? 20)
  return Number.isInteger(limit) && limit >= 1 && limit <= 100 ? limit : 20
}

function json(status: number, value: unknown): HttpResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}

function refusal(status: number, code: string, message: string): HttpResponse {
  return json(status, { code, message })
}
