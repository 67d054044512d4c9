// Serves REST APIs: a request goes through the pipeline, and whatever refuses it becomes a gateway response, a trace and lines in logs.

import { AwsError } from '#aws/errors.ts'
import type { Authenticator } from '#aws/authenticate.ts'
import type { Authorizer } from '#aws/authorize.ts'
import type { RequestFacts } from '#aws/dispatch.ts'
import type { ServiceCalls } from '#aws/service-calls.ts'
import { startTrace, type Trace } from '#aws/trace.ts'
import type { Clock } from '#lib/clock.ts'
import { ClientGone, type HttpRequest, type HttpResponse } from '#lib/http.ts'
import type { HttpClient } from '#lib/http-client.ts'
import { createIssuerKeys } from '#lib/issuer-keys.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Metering, RestApiSnapshot, RunAuthorizerTest, RunMethodTest, SnapshotSource } from '#services/apigateway/index.ts'
import type { Roles } from '#services/iam/index.ts'
import type { Invoker } from '#services/lambda/index.ts'
import type { LogSink } from '#services/logs/index.ts'
import { createAccessLog } from '../access-log.ts'
import type { Address } from '../address.ts'
import { createJwtVerifier } from '../authorizers/jwt.ts'
import type { PolicyAnswer } from '../authorizers/policy-answer.ts'
import { createResultCache } from '../authorizers/result-cache.ts'
import { GatewayRefusal, INTERNAL_SERVER_ERROR, renderRefusal } from '../gateway-responses.ts'
import { createGatewayRoles } from '../gateway-role.ts'
import { NotServed } from '../not-served.ts'
import { accessVariables } from './access-variables.ts'
import { encodedResponse } from './compression.ts'
import { compileDeployment, type CompiledDeployment } from './deployment.ts'
import type { Exchange } from './exchange.ts'
import type { Outcome } from './execution-lines.ts'
import { logExecution } from './execution-log.ts'
import { answer, execute } from './pipeline.ts'
import { refusalLookup } from './refusal-lookup.ts'
import { readCall } from './steps/read-call.ts'
import { standardHeaders } from './steps/respond.ts'
import { authorizerLog, authorizerRoute, judge } from './test-authorizer.ts'
import { requestOf, routeOf, testResult } from './test-invoke.ts'

export interface RestApisOptions {
  snapshots: SnapshotSource
  /** API keys and limits. */
  metering: Metering
  invoker: Pick<Invoker, 'invoke'>
  authenticator: Authenticator
  authorizer: Authorizer
  /** The roles that API Gateway takes on. */
  roles: Pick<Roles, 'findRole' | 'isTrusting' | 'issue'>
  /** What integrations call: other people's servers, and services of this one. */
  http: HttpClient
  services: ServiceCalls
  /** ARN of a user pool → the issuer whose tokens count as the pool's; a pool that is not here is Amazon's. */
  userPoolIssuers?: ReadonlyMap<string, string>
  clock: Clock
  random: RandomSource
  /** Told of failures that are ours. */
  log: { error(facts: Record<string, unknown>, message: string): void }
  /** Called once for every request, after its answer was made. */
  onTrace: (trace: Trace, facts: RequestFacts) => void
  /** Where execution logs go. */
  logs: Pick<LogSink, 'append'>
  /** The region that facts name where no API was found. */
  region: string
  /** Lets bodies and templates' inputs and outputs into every trace. */
  traceBodies: boolean
  /** Told of each compilation: tests count that none happens per request. */
  onCompile?: (snapshot: RestApiSnapshot) => void
}

export interface RestApis {
  /** Answers a call of a deployed stage. Rejects only when the connection is gone. */
  handle(request: HttpRequest, address: Address): Promise<HttpResponse>
  /** Runs one method of an API as it stands. Leaves a trace of its own, under the request id that its log names. */
  testInvoke: RunMethodTest
  /** Asks one authorizer of an API as it stands. Leaves a trace of its own, too. */
  testAuthorizer: RunAuthorizerTest
}

interface Settled {
  response: HttpResponse
  refusal: GatewayRefusal | undefined
}

export function createRestApis(options: RestApisOptions): RestApis {
  const { clock, random, log, logs, onTrace, onCompile } = options
  // A deployment is immutable: what is compiled from it lives as long as it does.
  const deployments = new WeakMap<RestApiSnapshot, CompiledDeployment>()
  const compiled = (snapshot: RestApiSnapshot): CompiledDeployment => {
    let deployment = deployments.get(snapshot)
    if (!deployment) {
      onCompile?.(snapshot)
      deployments.set(snapshot, deployment = compileDeployment(snapshot))
    }
    return deployment
  }
  const pipeline = {
    ...options, compiled,
    gatewayRoles: createGatewayRoles({ roles: options.roles, clock }),
    results: createResultCache<PolicyAnswer>({ clock }),
    jwt: createJwtVerifier({ issuerKeys: createIssuerKeys({ clock }), clock }),
    userPoolIssuers: options.userPoolIssuers ?? new Map<string, string>(),
  }
  const accessLog = createAccessLog(logs)

  function begin(request: HttpRequest): Exchange {
    const requestId = random.uuid()
    const atMs = clock.now()
    // One draw of randomness serves all three names of a request.
    const hex = requestId.replaceAll('-', '')
    return {
      request, requestId, atMs,
      extendedRequestId: `${Buffer.from(hex.slice(10), 'hex').toString('base64url')}=`,
      traceHeader: `Root=1-${Math.floor(atMs / 1000).toString(16).padStart(8, '0')}-${hex.slice(0, 24)};Parent=${hex.slice(16)};Sampled=0`,
      trace: startTrace(requestId, () => clock.monotonic()),
    }
  }

  async function settle(exchange: Exchange, run: () => Promise<HttpResponse>): Promise<Settled> {
    try {
      return { response: await run(), refusal: undefined }
    } catch (failure) {
      if (failure instanceof ClientGone) throw failure
      return refuse(exchange, failure)
    }
  }

  /** What went wrong, as the client sees it. */
  function refuse(exchange: Exchange, failure: unknown): Settled {
    const refusal = failure instanceof GatewayRefusal ? failure : ownFailure(exchange, failure)
    if (refusal.logLine !== undefined) exchange.trace.add('execution-log', { line: refusal.logLine })
    const responses = exchange.route?.deployed.snapshot.gatewayResponses ?? {}
    const response = renderRefusal(refusal, responses, { lookup: refusalLookup(exchange, refusal) })
    response.headers = { ...standardHeaders(exchange), 'x-amzn-ErrorType': refusal.errorType, ...response.headers }
    exchange.trace.add('gateway-response', { type: refusal.type, errorType: refusal.errorType, message: refusal.message.split('\n')[0]! })
    return { response, refusal }
  }

  function ownFailure(exchange: Exchange, failure: unknown): GatewayRefusal {
    if (failure instanceof NotServed) return new GatewayRefusal('DEFAULT_5XX', failure.message, { status: 501, errorType: 'NotImplemented' })
    if (failure instanceof AwsError) log.error({ err: failure, requestId: exchange.requestId }, 'a step of execute-api was refused')
    else log.error({ err: failure, requestId: exchange.requestId }, 'a step of execute-api failed')
    return new GatewayRefusal('DEFAULT_5XX', INTERNAL_SERVER_ERROR)
  }

  /** What the stage's logs tell of a request. */
  function record(exchange: Exchange, outcome: Outcome): void {
    logExecution(exchange, outcome, logs)
    const settings = exchange.route?.deployed.stage.accessLogSettings
    if (settings) accessLog.write(settings, exchange.atMs, accessVariables(exchange, outcome))
  }

  /** Runs a request to its end, whatever that is, and leaves its trace. */
  async function serve(exchange: Exchange, run: () => Promise<HttpResponse>): Promise<{ outcome: Outcome, durationMs: number }> {
    const startedAt = clock.monotonic()
    const { response, refusal } = await settle(exchange, run)
    exchange.trace.add('response', { status: response.status })
    const durationMs = clock.monotonic() - startedAt
    const outcome = { response, refusal, endedAtMs: exchange.atMs + durationMs }
    try {
      onTrace(exchange.trace, factsOf(exchange, response.status, refusal?.errorType, durationMs, options.region))
      if (!exchange.test) record(exchange, outcome)
    } catch (error) {
      log.error({ err: error, requestId: exchange.requestId }, 'a trace or a line of a log was lost')
    }
    return { outcome, durationMs }
  }

  return {
    async handle(request, address) {
      const exchange = begin(request)
      exchange.address = address
      const { outcome: { response, refusal } } = await serve(exchange, () => answer(exchange, address, pipeline))
      if (refusal) return response
      return encodedResponse(response, request.headers.all('accept-encoding').join(','), exchange.route?.deployed.snapshot.minimumCompressionSize)
    },

    async testInvoke(test) {
      const exchange = begin(requestOf(test))
      exchange.test = { caller: test.caller, userAgent: test.userAgent }
      const route = exchange.route = routeOf(test)
      exchange.address = route.address
      const { outcome, durationMs } = await serve(exchange, async () => {
        const call = exchange.call = await readCall(exchange, route, undefined, undefined)
        return execute(call, pipeline)
      })
      return testResult(exchange, outcome, durationMs)
    },

    async testAuthorizer(test) {
      const exchange = begin(requestOf({ ...test, httpMethod: 'GET' }))
      exchange.test = { caller: test.caller, userAgent: test.userAgent, context: test.context }
      const route = exchange.route = authorizerRoute(test)
      exchange.address = route.address
      let judged: Awaited<ReturnType<typeof judge>> = { status: 500 }
      const { durationMs } = await serve(exchange, async () => {
        judged = await judge(exchange, route, pipeline)
        return { status: judged.status, headers: {}, body: '' }
      })
      return { ...judged, latencyMs: Math.round(durationMs), log: authorizerLog(exchange) }
    },
  }
}

function factsOf(
  { requestId, atMs, route, claim, request, address }: Exchange,
  status: number,
  errorCode: string | undefined,
  durationMs: number,
  region: string,
): RequestFacts {
  const snapshot = route?.deployed.snapshot
  const caller = claim?.caller
  return {
    requestId, atMs, durationMs, status, errorCode,
    service: 'execute-api',
    operation: route?.method.resource.id ? `${request.method} ${snapshot!.apiId}/${address!.stageName}${route.method.resource.path}` : undefined,
    accountId: snapshot?.accountId,
    callerArn: caller?.arn,
    accessKeyId: caller && 'accessKeyId' in caller ? caller.accessKeyId : undefined,
    region: snapshot?.region ?? region,
  }
}
