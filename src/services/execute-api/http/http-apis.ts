// Serves HTTP APIs: a request goes through the pipeline, and whatever refuses it becomes an answer, a trace and a line in the access log.

import { AwsError } from '#aws/errors.ts'
import type { Authenticator } from '#aws/authenticate.ts'
import type { Authorizer } from '#aws/authorize.ts'
import type { RequestFacts } from '#aws/dispatch.ts'
import { startTrace, type Trace } from '#aws/trace.ts'
import type { Clock } from '#lib/clock.ts'
import { ClientGone, type HttpRequest, type HttpResponse } from '#lib/http.ts'
import type { HttpClient } from '#lib/http-client.ts'
import { createIssuerKeys } from '#lib/issuer-keys.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Metering } from '#services/apigateway/index.ts'
import type { V2ApiSnapshot, V2SnapshotSource } from '#services/apigatewayv2/index.ts'
import type { Roles } from '#services/iam/index.ts'
import type { Invoker } from '#services/lambda/index.ts'
import type { LogSink } from '#services/logs/index.ts'
import { createAccessLog } from '../access-log.ts'
import { createJwtVerifier } from '../authorizers/jwt.ts'
import { createResultCache } from '../authorizers/result-cache.ts'
import { createGatewayRoles } from '../gateway-role.ts'
import { accessVariables } from './access-variables.ts'
import type { FunctionVerdict } from './authorization/function.ts'
import { withCors } from './cors.ts'
import { compileHttpApi, type CompiledHttpApi } from './deployment.ts'
import type { HttpExchange, HttpTarget } from './exchange.ts'
import { answer } from './pipeline.ts'
import { HttpRefusal, internalServerError } from './refusals.ts'

export interface HttpApisOptions {
  snapshots: V2SnapshotSource
  metering: Pick<Metering, 'admit'>
  invoker: Pick<Invoker, 'invoke'>
  authenticator: Authenticator
  authorizer: Authorizer
  roles: Pick<Roles, 'findRole' | 'isTrusting' | 'issue'>
  http: HttpClient
  clock: Clock
  random: RandomSource
  log: { error(facts: Record<string, unknown>, message: string): void }
  onTrace: (trace: Trace, facts: RequestFacts) => void
  logs: Pick<LogSink, 'append'>
  /** The region that facts name where no API was found. */
  region: string
  /** Told of each compilation: tests count that none happens per request. */
  onCompile?: ((snapshot: V2ApiSnapshot) => void) | undefined
}

export interface HttpApis {
  /** Answers a call of a stage. Rejects only when the connection is gone. */
  handle(request: HttpRequest, target: HttpTarget): Promise<HttpResponse>
}

export function createHttpApis(options: HttpApisOptions): HttpApis {
  const { clock, random, log, onTrace, onCompile } = options
  const deployments = new WeakMap<V2ApiSnapshot, CompiledHttpApi>()
  const compiled = (snapshot: V2ApiSnapshot): CompiledHttpApi => {
    let api = deployments.get(snapshot)
    if (!api) {
      onCompile?.(snapshot)
      deployments.set(snapshot, api = compileHttpApi(snapshot))
    }
    return api
  }
  const pipeline = {
    ...options, compiled,
    gatewayRoles: createGatewayRoles({ roles: options.roles, clock }),
    verdicts: createResultCache<FunctionVerdict>({ clock }),
    jwt: createJwtVerifier({ issuerKeys: createIssuerKeys({ clock }), clock }),
  }
  const accessLog = createAccessLog(options.logs)

  function begin(request: HttpRequest, target: HttpTarget): HttpExchange {
    const atMs = clock.now()
    const hex = random.uuid().replaceAll('-', '')
    const requestId = `${Buffer.from(hex.slice(10), 'hex').toString('base64url')}=`
    return {
      request, target, requestId, atMs,
      traceHeader: `Root=1-${Math.floor(atMs / 1000).toString(16).padStart(8, '0')}-${hex.slice(0, 24)};Parent=${hex.slice(16)};Sampled=0`,
      trace: startTrace(requestId, () => clock.monotonic()),
    }
  }

  async function settle(exchange: HttpExchange): Promise<{ response: HttpResponse, refusal: HttpRefusal | undefined }> {
    try {
      return { response: await answer(exchange, pipeline), refusal: undefined }
    } catch (failure) {
      if (failure instanceof ClientGone) throw failure
      const refusal = failure instanceof HttpRefusal ? failure : ownFailure(exchange, failure)
      exchange.trace.add('refusal', { status: refusal.status, message: refusal.message, reason: refusal.reason.split('\n')[0]! })
      const plain = { status: refusal.status, headers: refusal.headers, body: JSON.stringify({ message: refusal.message }) }
      return { response: withCors(plain, exchange.request, exchange.api?.cors), refusal }
    }
  }

  function ownFailure({ requestId }: HttpExchange, failure: unknown): HttpRefusal {
    log.error({ err: failure, requestId }, failure instanceof AwsError ? 'a step of an HTTP API was refused' : 'a step of an HTTP API failed')
    return internalServerError('a failure of the server')
  }

  return {
    async handle(request, target) {
      const startedAt = clock.monotonic()
      const exchange = begin(request, target)
      const { response, refusal } = await settle(exchange)
      exchange.trace.add('response', { status: response.status })
      const durationMs = clock.monotonic() - startedAt
      try {
        onTrace(exchange.trace, factsOf(exchange, response.status, refusal, durationMs, options.region))
        const settings = exchange.deployed?.stage.accessLogSettings
        if (settings) accessLog.write(settings, exchange.atMs, accessVariables(exchange, { response, refusal, durationMs }))
      } catch (error) {
        log.error({ err: error, requestId: exchange.requestId }, 'a trace or a line of a log was lost')
      }
      return { ...response, headers: { ...response.headers, 'apigw-requestid': exchange.requestId } }
    },
  }
}

function factsOf({ requestId, atMs, deployed, route, claim, target }: HttpExchange, status: number, refusal: HttpRefusal | undefined, durationMs: number, region: string): RequestFacts {
  const caller = claim?.caller
  return {
    requestId, atMs, durationMs, status, errorCode: refusal?.message,
    service: 'execute-api',
    operation: route && `${target.apiId}/${target.stageName} ${route.routeKey}`,
    accountId: deployed?.snapshot.accountId,
    callerArn: caller?.arn,
    accessKeyId: caller && 'accessKeyId' in caller ? caller.accessKeyId : undefined,
    region: deployed?.snapshot.region ?? region,
  }
}
