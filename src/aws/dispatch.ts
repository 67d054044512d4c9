// The AWS API: every request goes through `answer`, in the order in which AWS judges requests. Start reading there.

import { BodyTooLarge, ClientGone, type HttpRequest, type HttpResponse } from '#lib/http.ts'
import type { Clock } from '#lib/clock.ts'
import type { RandomSource } from '#lib/random.ts'
import { SignatureRefusal, type Authenticator, type SignatureClaim } from './authenticate.ts'
import type { Authorizer } from './authorize.ts'
import type { AnonymousCaller, Caller } from './caller.ts'
import { AwsError } from './errors.ts'
import { findNamed, findService } from './find-service.ts'
import { loadModel, type OperationModel, type ServiceModel } from './model.ts'
import { createAwsJsonProtocol } from './protocols/aws-json.ts'
import type { ConditionContext } from './policy/document.ts'
import { mediaTypeOf, type Protocol, type Route } from './protocols/protocol.ts'
import { createQueryProtocol } from './protocols/query.ts'
import { createRestJsonProtocol } from './protocols/rest-json.ts'
import { requestTagKeys } from './request-tags.ts'
import { bodyTooLargeError, internalError, notImplementedError, signatureError } from './refusals.ts'
import type { Call, Operation, Permission, ServiceDefinition } from './service.ts'
import { startTrace, type Trace } from './trace.ts'
import { compileValidator, type Validate } from './validate.ts'

/** Of an error's message, in a trace. */
const TRACED_MESSAGE_CHARACTERS_MAX = 500

export interface DispatcherOptions {
  services: readonly ServiceDefinition[]
  authenticator: Authenticator
  authorizer: Authorizer
  clock: Clock
  random: RandomSource
  /** Told of failures that are ours; pino's loggers fit. */
  log: { error(facts: Record<string, unknown>, message: string): void }
  /** Called once for every request, after its answer was made. */
  onTrace: (trace: Trace, facts: RequestFacts) => void
  /** The region that facts name where no signature did. */
  region?: string
}

/** What a request came to: for metrics, logs and the index of traces. Absent is what was not reached. */
export interface RequestFacts {
  requestId: string
  atMs: number
  durationMs: number
  status: number
  /** As credential scopes name it: `dynamodb`. */
  service: string | undefined
  operation: string | undefined
  /** The code of the error answered. */
  errorCode: string | undefined
  accountId: string | undefined
  callerArn: string | undefined
  accessKeyId: string | undefined
  region: string | undefined
}

export interface Dispatcher {
  /** Answers a request to the AWS API. Rejects only when the connection is gone. */
  handle(request: HttpRequest): Promise<HttpResponse>
  /**
   * Answers a request that a service of this server makes for a caller whom it has established: everything but the signature is judged as in
   * any other request, and what is decided goes into the trace of what the service does.
   */
  call(request: HttpRequest, by: EstablishedCall): Promise<HttpResponse>
  /** What is served under a name that credential scopes carry, several where APIs share one; empty where nothing is. */
  modelsOf(service: string): readonly ServiceModel[]
}

export interface EstablishedCall {
  /** As credential scopes name it: `dynamodb`. One that is served. */
  service: string
  caller: Caller
  region: string
  trace: Trace
}

/** A service made ready: its model read, its protocol chosen, its tables checked against the model. */
interface Served {
  definition: ServiceDefinition
  model: ServiceModel
  protocol: Protocol
  validators: Map<OperationModel, Validate | undefined>
}

/** What has become known of a request so far, for the answer and the facts. */
interface Exchange {
  requestId: string
  atMs: number
  trace: Trace
  served?: Served
  operation?: OperationModel
  claim?: SignatureClaim
}

/** A request whose operation and caller are known. */
interface Routed {
  served: Served
  route: Route
  body: Buffer
  caller: Caller
  region: string
}

const anonymous: AnonymousCaller = { is: 'anonymous', accountId: '', arn: '', userId: '' }

/** Of requests without a signature: a web identity's token (20,000 characters) and session policies, encoded. */
const UNSIGNED_BODY_BYTES_MAX = 64 * 1024

/** Throws when a table of operations names what its model does not have. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { authenticator, authorizer, clock, random, log, onTrace } = options
  const services = options.services.map(prepare)

  async function answer(request: HttpRequest, exchange: Exchange): Promise<HttpResponse> {
    const served = exchange.served = serviceFor(request, services)
    const { definition, model, protocol } = served
    let route = protocol.routeByHead(request)
    if (route) exchange.operation = route.operation
    let claim: SignatureClaim
    try {
      claim = exchange.claim = await authenticator.begin(request, { services: [model.signingName] })
    } catch (refusal) {
      const unsigned = refusal instanceof SignatureRefusal && refusal.fault === 'missing' ? await findUnsigned(request) : undefined
      if (!unsigned) throw refusal
      exchange.served = unsigned.served
      return run(request, exchange, { ...unsigned, caller: anonymous, region: options.region ?? 'us-east-1' })
    }
    const body = await request.body(definition.bodyBytesMax)
    claim.finish(body)
    noteCaller(exchange, claim)
    route ??= protocol.routeByBody(request, body)
    return run(request, exchange, { served, route, body, caller: claim.caller, region: claim.region })
  }

  async function run(request: HttpRequest, exchange: Exchange, { served, route, body, caller, region }: Routed): Promise<HttpResponse> {
    const { definition, model, protocol } = served
    const operation = exchange.operation = route.operation
    exchange.trace.add('route', { api: model.name, operation: operation.name })
    const entry = entryOf(definition, operation)
    if (!entry) throw notImplementedError(model, operation)
    const refusal = definition.refusesCaller?.(caller, operation.name)
    if (refusal) throw refusal
    const input = readInput(served, route, request, body)
    const call = callFor(exchange, request, { caller, region }, served)
    const brought = requestTagKeys(input)
    const permissions = await entry.access(input, call, definition.service)
    await requireAll(permissions.map((permission) => withTags(permission, brought, call, served)), call, served)
    const output = await entry.run(input, call, definition.service)
    return protocol.write(operation, output ?? {}, exchange.requestId, request)
  }

  /** The operation that a request without a signature asks for, if it is one that takes such: those are forms, and small. */
  async function findUnsigned(request: HttpRequest): Promise<Pick<Routed, 'served' | 'route' | 'body'> | undefined> {
    const isForm = mediaTypeOf(request) === 'application/x-www-form-urlencoded' || /(^|&)Action=/.test(request.rawQuery)
    if (request.path !== '/' || !isForm) return undefined
    const candidates = services.filter(({ definition, protocol }) => protocol.family === 'query' && Object.values(definition.operations).some(({ isUnsigned }) => isUnsigned))
    if (candidates.length === 0) return undefined
    const body = await request.body(UNSIGNED_BODY_BYTES_MAX)
    for (const served of candidates) {
      try {
        const route = served.protocol.routeByBody(request, body)
        if (entryOf(served.definition, route.operation)?.isUnsigned) return { served, route, body }
      } catch (error) {
        if (!(error instanceof AwsError)) throw error
      }
    }
    return undefined
  }

  function callFor({ requestId, atMs, trace }: Exchange, request: HttpRequest, { caller, region }: Pick<Routed, 'caller' | 'region'>, served: Served): Call {
    const call: Call = {
      requestId, atMs, trace, request, caller,
      scope: { accountId: caller.accountId, region },
      require: (permission) => requireAll([permission], call, served),
    }
    return call
  }

  /** Decides every permission, so that the trace shows all of them; the first refusal is the answer. */
  async function requireAll(permissions: readonly Permission[], call: Call, { definition }: Served): Promise<void> {
    let refusal: string | undefined
    for (const permission of permissions) {
      const { allowed, message, statements } = await authorizer.decide(call, permission)
      call.trace.add('policy', { action: permission.action, resource: permission.resource, allowed, statements })
      if (!allowed) refusal ??= message
    }
    if (refusal === undefined) return
    const { code, status } = definition.errors.accessDenied
    throw new AwsError(code, status, refusal)
  }

  /** What a client is told about a failure. Never more than AWS tells; the log has the rest. */
  function errorFor(failure: unknown, { served, requestId, operation, trace }: Exchange): AwsError {
    if (failure instanceof AwsError) return failure
    const family = served?.protocol.family ?? 'rest-json'
    if (failure instanceof SignatureRefusal) {
      trace.add('authentication', { refused: failure.fault })
      return signatureError(family, failure)
    }
    if (failure instanceof BodyTooLarge) return bodyTooLargeError(family, failure.bytesMax, operation)
    log.error({ err: failure, requestId, service: served?.model.name, operation: operation?.name }, 'a request failed')
    return served ? internalError(served.model) : new AwsError('InternalFailure', 500, 'Internal server error')
  }

  /** What a failure answers, in the form of the service that it came to. */
  function answerFor(failure: unknown, request: HttpRequest, exchange: Exchange): { response: HttpResponse, error: AwsError } {
    const error = errorFor(failure, exchange)
    const { served, requestId } = exchange
    return { error, response: served ? served.protocol.writeError(error, requestId, request) : writePlainError(error, requestId) }
  }

  return {
    modelsOf: (service) => services.map(({ model }) => model).filter(({ signingName }) => signingName === service),

    async call(request, { service, caller, region, trace }) {
      const exchange: Exchange = { requestId: random.uuid(), atMs: clock.now(), trace }
      try {
        const served = findNamed(request, services, service)
        if (!served) throw unknownService(service)
        exchange.served = served
        const body = await request.body(served.definition.bodyBytesMax)
        const route = served.protocol.routeByHead(request) ?? served.protocol.routeByBody(request, body)
        return await run(request, exchange, { served, route, body, caller, region })
      } catch (failure) {
        return answerFor(failure, request, exchange).response
      }
    },

    async handle(request) {
      const atMs = clock.now()
      const startedAt = clock.monotonic()
      const requestId = random.uuid()
      const exchange: Exchange = { requestId, atMs, trace: startTrace(requestId, () => clock.monotonic()) }
      let response: HttpResponse
      let error: AwsError | undefined
      let said = ''
      try {
        response = await answer(request, exchange)
      } catch (failure) {
        if (failure instanceof ClientGone) throw failure
        const answered = answerFor(failure, request, exchange)
        error = answered.error
        response = answered.response
        said = failure instanceof SignatureRefusal ? failure.withoutSecrets : error.message
      }
      exchange.trace.add('response', error ? { status: response.status, code: error.code, message: said.slice(0, TRACED_MESSAGE_CHARACTERS_MAX) } : { status: response.status })
      try {
        onTrace(exchange.trace, factsOf(exchange, response.status, error?.code, clock.monotonic() - startedAt, options.region))
      } catch (failure) {
        log.error({ err: failure, requestId }, 'a trace was lost')
      }
      return response
    },
  }
}

function prepare(definition: ServiceDefinition): Served {
  const model = loadModel(definition.model)
  const unknown = Object.keys(definition.operations).find((name) => !model.operation(name))
  if (unknown !== undefined) throw new Error(`${definition.model} has no operation ${unknown}`)
  return { definition, model, protocol: protocolOf(model), validators: new Map() }
}

/** The protocol that a model's clients speak. */
export function protocolOf(model: ServiceModel): Protocol {
  switch (model.metadata.protocol) {
    case 'query': return createQueryProtocol(model)
    case 'json': return createAwsJsonProtocol(model)
    case 'rest-json': return createRestJsonProtocol(model)
    default: throw new Error(`${model.name} speaks ${String(model.metadata.protocol)}, which is not here`)
  }
}

/** A permission of the service itself, with the tags that the request brings and those of the resource. What the service says of them wins. */
function withTags(permission: Permission, brought: ConditionContext, { scope }: Call, { definition, model }: Served): Permission {
  if (!permission.action.startsWith(`${model.signingName}:`)) return permission
  return {
    ...permission,
    context: { ...brought, ...permission.context },
    ...(definition.tagsOf && { resourceTags: () => definition.tagsOf!(permission.resource, scope, definition.service) }),
  }
}

function entryOf({ operations }: ServiceDefinition, { name }: OperationModel): Operation<any> | undefined {
  return Object.hasOwn(operations, name) ? operations[name] : undefined
}

/** Ours: on AWS every service has an address of its own, so there are no words for a request that is for none. */
function serviceFor(request: HttpRequest, services: readonly Served[]): Served {
  const found = findService(request, services)
  if ('service' in found) return found.service
  if ('unknownScope' in found) throw unknownService(found.unknownScope)
  throw new SignatureRefusal('missing', 'Missing Authentication Token')
}

function unknownService(name: string): AwsError {
  return new AwsError('NotImplemented', 501, `The service ${name.slice(0, 100)} is not implemented by Countersign.`)
}

function readInput({ definition, model, protocol, validators }: Served, route: Route, request: HttpRequest, body: Buffer): Record<string, unknown> {
  const { operation } = route
  const input = protocol.read(route, request, body)
  if (!validators.has(operation)) validators.set(operation, compileValidator(model, operation, definition.errors.constraints))
  const fault = validators.get(operation)?.(input)
  if (fault === undefined) return input
  const { code, status } = definition.errors.validation
  throw new AwsError(code, status, fault)
}

function noteCaller({ trace }: Exchange, { caller, region, service }: SignatureClaim): void {
  trace.add('authentication', {
    service, region, callerArn: caller.arn, accountId: caller.accountId,
    ...('accessKeyId' in caller ? { accessKeyId: caller.accessKeyId } : {}),
  })
}

function factsOf({ requestId, atMs, served, operation, claim }: Exchange, status: number, errorCode: string | undefined, durationMs: number, region: string | undefined): RequestFacts {
  const caller = claim?.caller
  return {
    requestId, atMs, durationMs, status, errorCode,
    service: served?.model.signingName,
    operation: operation?.name,
    accountId: caller?.accountId,
    callerArn: caller?.arn,
    accessKeyId: caller && 'accessKeyId' in caller ? caller.accessKeyId : undefined,
    region: claim?.region ?? region,
  }
}

/** An error for a request that addressed no service: JSON, which every client can at least show. */
function writePlainError({ code, status, message }: AwsError, requestId: string): HttpResponse {
  return {
    status,
    headers: { 'x-amzn-RequestId': requestId, 'x-amzn-ErrorType': code, 'Content-Type': 'application/json' },
    body: JSON.stringify({ message }),
  }
}
