// What becomes of an event: it is begun, run to its end whatever that is, and told of in a trace and in logs.

import { AwsError } from '#aws/errors.ts'
import type { Authenticator } from '#aws/authenticate.ts'
import type { Authorizer } from '#aws/authorize.ts'
import type { RequestFacts } from '#aws/dispatch.ts'
import type { ServiceCalls } from '#aws/service-calls.ts'
import { startTrace, type Trace } from '#aws/trace.ts'
import type { Clock } from '#lib/clock.ts'
import type { HttpClient } from '#lib/http-client.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Metering } from '#services/apigateway/index.ts'
import type { V2ApiSnapshot, V2SnapshotSource } from '#services/apigatewayv2/index.ts'
import type { Roles } from '#services/iam/index.ts'
import type { Invoker } from '#services/lambda/index.ts'
import type { LogSink } from '#services/logs/index.ts'
import { createAccessLog } from '../access-log.ts'
import { GatewayRefusal, INTERNAL_SERVER_ERROR } from '../gateway-responses.ts'
import { createGatewayRoles } from '../gateway-role.ts'
import { NotServed } from '../not-served.ts'
import { accessVariables, type SocketOutcome } from './access-variables.ts'
import { compileWebSocketApi, type CompiledWebSocketApi } from './deployment.ts'
import type { SocketClient, SocketExchange } from './exchange.ts'
import { logSocketExecution } from './execution-lines.ts'
import { createLiveConnections } from './live-connections.ts'
import { disconnect } from './pipeline.ts'

export interface SocketGatewayOptions {
  snapshots: Pick<V2SnapshotSource, 'findStage'>
  metering: Pick<Metering, 'admit' | 'findKey'>
  invoker: Pick<Invoker, 'invoke'>
  authenticator: Authenticator
  authorizer: Authorizer
  roles: Pick<Roles, 'findRole' | 'isTrusting' | 'issue'>
  http: HttpClient
  services: ServiceCalls
  clock: Clock
  random: RandomSource
  log: { error(facts: Record<string, unknown>, message: string): void }
  onTrace: (trace: Trace, facts: RequestFacts) => void
  logs: Pick<LogSink, 'append'>
  /** The region that facts name where no API was found. */
  region: string
  traceBodies: boolean
  /** Told of each compilation: tests count that none happens per event. */
  onCompile?: ((snapshot: V2ApiSnapshot) => void) | undefined
}

export type SocketGateway = ReturnType<typeof createSocketGateway>

const NO_BODY = Buffer.alloc(0)

/** Made once: it holds this process's connections and what was compiled of deployments. */
export function createSocketGateway(options: SocketGatewayOptions) {
  const { clock, random, log, onTrace, onCompile } = options
  const live = createLiveConnections({ clock })
  const deployments = new WeakMap<V2ApiSnapshot, CompiledWebSocketApi>()
  const compiled = (snapshot: V2ApiSnapshot): CompiledWebSocketApi => {
    let api = deployments.get(snapshot)
    if (!api) {
      onCompile?.(snapshot)
      deployments.set(snapshot, api = compileWebSocketApi(snapshot))
    }
    return api
  }
  const pipeline = { ...options, compiled, gatewayRoles: createGatewayRoles({ roles: options.roles, clock }) }
  const accessLog = createAccessLog(options.logs)
  /** Events that are being worked on, and handshakes whose connection has neither been opened nor given up: whoever ends waits for them. */
  const underWay = new Set<Promise<void>>()

  /** Something is under way until the answer is called. */
  function hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    underWay.add(promise)
    return () => {
      underWay.delete(promise)
      resolve()
    }
  }

  /** Ids look as AWS's do: 11 bytes. */
  function newId(): string {
    return `${random.bytes(11).toString('base64url')}=`
  }

  function begin(event: Pick<SocketExchange, 'eventType' | 'client' | 'body' | 'handshake' | 'end'>): SocketExchange {
    const atMs = clock.now()
    const requestId = newId()
    const hex = random.uuid().replaceAll('-', '')
    return {
      ...event, requestId, atMs,
      ...event.eventType === 'MESSAGE' && { messageId: newId() },
      traceHeader: `Root=1-${Math.floor(atMs / 1000).toString(16).padStart(8, '0')}-${hex.slice(0, 24)};Parent=${hex.slice(16)};Sampled=0`,
      trace: startTrace(requestId, () => clock.monotonic()),
    }
  }

  /** Runs an event to its end, whatever that is, and leaves its trace and its lines in the logs. */
  async function settle<Value>(
    exchange: SocketExchange, run: () => Promise<Value>, statusOf: (value: Value) => number = () => 200,
  ): Promise<{ value?: Value, outcome: SocketOutcome }> {
    const startedAt = clock.monotonic()
    const release = hold()
    const settled = await run().then(
      (value) => ({ value, outcome: { status: statusOf(value), refusal: undefined } }),
      (failure: unknown) => refuse(exchange, failure),
    )
    try {
      const { outcome } = settled
      exchange.trace.add('response', { status: outcome.status })
      onTrace(exchange.trace, requestFacts(exchange, outcome, clock.monotonic() - startedAt, options.region))
      const settings = exchange.deployed?.stage.accessLogSettings
      if (settings) accessLog.write(settings, exchange.atMs, accessVariables(exchange, outcome))
      logSocketExecution(exchange, outcome, options.logs)
    } catch (error) {
      log.error({ err: error, requestId: exchange.requestId }, 'a trace or a line of a log was lost')
    } finally {
      release()
    }
    return settled
  }

  function refuse(exchange: SocketExchange, failure: unknown): { outcome: SocketOutcome } {
    const refusal = failure instanceof GatewayRefusal ? failure : ownFailure(exchange, failure)
    exchange.trace.add('refusal', { type: refusal.type, message: refusal.message.split('\n')[0]!, ...refusal.logLine !== undefined && { line: refusal.logLine } })
    return { outcome: { status: refusal.status, refusal } }
  }

  function ownFailure({ requestId }: SocketExchange, failure: unknown): GatewayRefusal {
    if (failure instanceof NotServed) return new GatewayRefusal('DEFAULT_5XX', failure.message, { status: 501, errorType: 'NotImplemented' })
    log.error({ err: failure, requestId }, failure instanceof AwsError ? 'a step of a WebSocket API was refused' : 'a step of a WebSocket API failed')
    return new GatewayRefusal('DEFAULT_5XX', INTERNAL_SERVER_ERROR)
  }

  /** A connection has ended: `$disconnect` is told. Source: API Gateway developer guide: as well as can be, not always. */
  async function ended(client: SocketClient, end: { code: number, reason: string }): Promise<void> {
    const exchange = begin({ eventType: 'DISCONNECT', client, body: NO_BODY, end })
    await settle(exchange, () => disconnect(exchange, pipeline))
  }

  return {
    live, pipeline, begin, settle, ended, hold,
    /** Resolves when no connection is left, nothing is under way and every `$disconnect` was told, or after so many milliseconds. */
    async settled(graceMs: number): Promise<void> {
      const done = new AbortController()
      const late = clock.sleep(graceMs, done.signal).then(() => 'late' as const)
      while (live.size > 0 || underWay.size > 0) {
        const step = underWay.size > 0 ? Promise.all(underWay) : clock.sleep(10, done.signal)
        if (await Promise.race([step, late]) === 'late') break
      }
      done.abort('done')
    },
  }
}

function requestFacts(
  { requestId, atMs, deployed, route, claim, client, eventType }: SocketExchange, { status, refusal }: SocketOutcome, durationMs: number, region: string,
): RequestFacts {
  const caller = claim?.caller
  return {
    requestId, atMs, durationMs, status, errorCode: refusal?.errorType,
    service: 'execute-api',
    operation: deployed && `${client.apiId}/${client.stageName} ${route?.routeKey ?? eventType}`,
    accountId: deployed?.snapshot.accountId,
    callerArn: caller?.arn,
    accessKeyId: caller && 'accessKeyId' in caller ? caller.accessKeyId : undefined,
    region: deployed?.snapshot.region ?? region,
  }
}
