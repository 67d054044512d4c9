// The `@connections` API of WebSocket APIs: backends send to a client's connection, look at it, and end it. Start reading at `answer`.

import { AwsError } from '#aws/errors.ts'
import type { Authenticator } from '#aws/authenticate.ts'
import type { Authorizer } from '#aws/authorize.ts'
import type { RequestFacts } from '#aws/dispatch.ts'
import { decoded, decodedPath } from '#aws/http-payload/request-parts.ts'
import { loadModel } from '#aws/model.ts'
import type { Route } from '#aws/protocols/protocol.ts'
import { createRestJsonProtocol } from '#aws/protocols/rest-json.ts'
import { startTrace, type Trace } from '#aws/trace.ts'
import type { Clock } from '#lib/clock.ts'
import { ClientGone, type HttpRequest, type HttpResponse } from '#lib/http.ts'
import type { RandomSource } from '#lib/random.ts'
import type { DeployedV2Stage, V2SnapshotSource } from '#services/apigatewayv2/index.ts'
import { GatewayRefusal, INTERNAL_SERVER_ERROR } from '../gateway-responses.ts'
import { isConnectionId } from './connection-ids.ts'
import type { Connections } from './connections.ts'
import { authorize, readSigned } from './management/authorize.ts'
import { forbidden, invalidConnectionId, noSuchMethod, renderManagementRefusal } from './management/errors.ts'
import type { ManagementExchange, ManagementTarget } from './management/exchange.ts'
import { operations } from './management/operations.ts'

export interface ConnectionManagementOptions {
  snapshots: Pick<V2SnapshotSource, 'findStage'>
  /** Those of every process. */
  connections: Connections
  authenticator: Authenticator
  authorizer: Authorizer
  clock: Clock
  random: RandomSource
  log: { error(facts: Record<string, unknown>, message: string): void }
  onTrace: (trace: Trace, facts: RequestFacts) => void
  /** The region that facts name where no API was found. */
  region: string
}

export interface ConnectionManagement {
  /** Whether a path below a stage, as it was sent, is this API's. */
  matches(path: string): boolean
  /** Rejects only when the connection is gone. */
  handle(request: HttpRequest, target: ManagementTarget): Promise<HttpResponse>
}

const ROOT = '/@connections'

export function createConnectionManagement(options: ConnectionManagementOptions): ConnectionManagement {
  const { snapshots, connections, authenticator, authorizer, clock, random, log, onTrace } = options
  const protocol = createRestJsonProtocol(loadModel('apigatewaymanagementapi-2018-11-29'))

  async function answer(exchange: ManagementExchange): Promise<HttpResponse> {
    const { request, target: { apiId, stageName }, requestId, trace } = exchange
    const deployed = exchange.deployed = await findStage(exchange)
    const route = exchange.route = findRoute(exchange)
    const { claim, body } = await readSigned(exchange, deployed, authenticator)
    const { ConnectionId: connectionId, Data: data = NO_DATA } = protocol.read(route, request, body) as { ConnectionId: string, Data?: Buffer }
    await authorize(exchange, deployed, claim, connectionId, authorizer)
    if (!isConnectionId(connectionId)) throw invalidConnectionId(connectionId)
    const output = await operations[route.operation.name]!({ connectionId, apiId, stageName }, data, connections)
    trace.add('connection', { connectionId, done: route.operation.name, bytes: data.length })
    return protocol.write(route.operation, output, requestId, request)
  }

  /** @throws GatewayRefusal 403. */
  async function findStage({ target: { apiId, stageName, path, isDisabled = false }, trace }: ManagementExchange): Promise<DeployedV2Stage> {
    const deployed = isDisabled ? undefined : await snapshots.findStage({ apiId, stageName })
    if (deployed?.snapshot.protocolType === 'WEBSOCKET') return deployed
    const found = isDisabled ? 'the default endpoint is disabled' : 'no such stage of a WebSocket API, or nothing deployed to it'
    trace.add('route', { apiId, stage: stageName, path, found })
    throw forbidden()
  }

  /** The client may have spelled `@` in either way. @throws GatewayRefusal 404. */
  function findRoute({ request, target: { apiId, stageName, path }, trace }: ManagementExchange): Route {
    const { method } = request
    const route = routed({ ...request, path: `${ROOT}${path.slice(firstSegmentOf(path).length)}` })
    trace.add('route', { apiId, stage: stageName, method, path, operation: route?.operation.name ?? 'no such method' })
    if (!route) throw noSuchMethod(method, decodedPath(path))
    return route
  }

  function routed(request: HttpRequest): Route | undefined {
    try {
      return protocol.routeByHead(request)
    } catch (error) {
      if (error instanceof AwsError) return undefined
      throw error
    }
  }

  function begin(request: HttpRequest, target: ManagementTarget): ManagementExchange {
    const requestId = random.uuid()
    return {
      request, target, requestId,
      extendedRequestId: `${Buffer.from(requestId.replaceAll('-', '').slice(10), 'hex').toString('base64url')}=`,
      atMs: clock.now(),
      trace: startTrace(requestId, () => clock.monotonic()),
    }
  }

  async function settle(exchange: ManagementExchange): Promise<{ response: HttpResponse, errorCode: string | undefined }> {
    try {
      return { response: await answer(exchange), errorCode: undefined }
    } catch (failure) {
      if (failure instanceof ClientGone) throw failure
      const refusal = failure instanceof GatewayRefusal ? failure : ownFailure(exchange, failure)
      exchange.trace.add('refusal', { errorType: refusal.errorType, message: refusal.message.split('\n')[0]! })
      return { response: renderManagementRefusal(refusal), errorCode: refusal.errorType }
    }
  }

  function ownFailure({ requestId }: ManagementExchange, failure: unknown): GatewayRefusal {
    log.error({ err: failure, requestId }, failure instanceof AwsError ? 'a step of @connections was refused' : 'a step of @connections failed')
    return new GatewayRefusal('DEFAULT_5XX', INTERNAL_SERVER_ERROR)
  }

  return {
    matches: (path) => decoded(firstSegmentOf(path)) === ROOT,

    async handle(request, target) {
      const startedAt = clock.monotonic()
      const exchange = begin(request, target)
      const { response, errorCode } = await settle(exchange)
      exchange.trace.add('response', { status: response.status })
      try {
        onTrace(exchange.trace, factsOf(exchange, response.status, errorCode, clock.monotonic() - startedAt, options.region))
      } catch (error) {
        log.error({ err: error, requestId: exchange.requestId }, 'a trace was lost')
      }
      const { requestId, extendedRequestId } = exchange
      return { ...response, headers: { 'x-amzn-RequestId': requestId, 'x-amz-apigw-id': extendedRequestId, ...response.headers } }
    },
  }
}

const NO_DATA = Buffer.alloc(0)

/** With its slash. */
const firstSegmentOf = (path: string): string => /^\/[^/]*/.exec(path)?.[0] ?? ''

function factsOf(
  { requestId, atMs, deployed, route, claim, target: { apiId, stageName } }: ManagementExchange, status: number, errorCode: string | undefined, durationMs: number, region: string,
): RequestFacts {
  const caller = claim?.caller
  return {
    requestId, atMs, durationMs, status, errorCode,
    service: 'execute-api',
    operation: route && `${apiId}/${stageName} ${route.operation.name}`,
    accountId: deployed?.snapshot.accountId,
    callerArn: caller?.arn,
    accessKeyId: caller && 'accessKeyId' in caller ? caller.accessKeyId : undefined,
    region: deployed?.snapshot.region ?? region,
  }
}
