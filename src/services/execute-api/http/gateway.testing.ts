// For tests of HTTP APIs over a deployment given as a value, with functions and servers that answer what the test wants.

import { SignatureRefusal, type Authenticator } from '#aws/authenticate.ts'
import type { Authorizer } from '#aws/authorize.ts'
import type { TraceStep } from '#aws/trace.ts'
import type { Clock } from '#lib/clock.ts'
import { systemClock } from '#lib/clock.ts'
import { BodyTooLarge, headersFromRaw, type HttpRequest } from '#lib/http.ts'
import { systemRandom } from '#lib/random.ts'
import type { Integration, Route, StageRecord, V2ApiSnapshot, V2SnapshotSource } from '#services/apigatewayv2/index.ts'
import type { Invocation } from '#services/lambda/index.ts'
import { createExecuteApi, type ExecuteApi, type ExecuteApiOptions } from '../index.ts'
import { nothingBehind } from '../rest/nothing-behind.testing.ts'

export const accountId = '111111111111'
export const API_HOST = 'api123.execute-api.us-east-1.amazonaws.com'

/** By route key: what is said of the route beside its key, and its integration. */
export type GivenRoutes = Record<string, { route?: Partial<Route>, integration?: Partial<Integration> }>

/** An API of these routes; each leads to the function `f` unless its integration says something else. */
export function snapshotOf(routes: GivenRoutes, changes: Partial<V2ApiSnapshot> = {}): V2ApiSnapshot {
  const entries = Object.entries(routes)
  return {
    apiId: 'api123', accountId, region: 'us-east-1', deploymentId: 'd1', name: 'x', protocolType: 'HTTP', routeSelectionExpression: '$request.method $request.path',
    apiKeySelectionExpression: '$request.header.x-api-key', disableExecuteApiEndpoint: false, ipAddressType: 'ipv4', authorizers: {}, models: {},
    routes: Object.fromEntries(entries.map(([routeKey, { route }], index) => [`r${index}`, {
      routeId: `r${index}`, routeKey, authorizationType: 'NONE', apiKeyRequired: false, target: `integrations/i${index}`, routeResponses: {}, ...route,
    }])),
    integrations: Object.fromEntries(entries.map(([, { integration }], index) => [`i${index}`, {
      integrationId: `i${index}`, integrationType: 'AWS_PROXY', integrationUri: `arn:aws:lambda:us-east-1:${accountId}:function:f`, connectionType: 'INTERNET',
      payloadFormatVersion: '2.0', timeoutInMillis: 30_000, integrationResponses: {}, ...integration,
    }])),
    ...changes,
  }
}

export const stageOf = (stageName: string, changes: Partial<StageRecord> = {}): StageRecord => ({
  stageName, apiId: 'api123', deploymentId: 'd1', autoDeploy: false, stageVariables: {}, defaultRouteSettings: {}, routeSettings: {}, tags: {}, createdAtMs: 0, lastUpdatedAtMs: 0, ...changes,
})

/** Its stages are `$default` and `prod`; `api.example.com/v1` leads to `prod`, everything else there to `$default`; `empty.example.com` leads nowhere. */
export function sourceOf(snapshot: () => V2ApiSnapshot, stage: (stageName: string) => StageRecord = stageOf): V2SnapshotSource {
  return {
    findStage: async ({ apiId, stageName }) => apiId === 'api123' && ['$default', 'prod'].includes(stageName) ? { snapshot: snapshot(), stage: stage(stageName) } : undefined,
    findApi: async (apiId) => {
      if (apiId !== 'api123') return undefined
      const { protocolType, disableExecuteApiEndpoint } = snapshot()
      return { apiId, accountId, region: 'us-east-1', protocolType, disableExecuteApiEndpoint }
    },
    findMapping: async (domainName, path) => domainName.toLowerCase() !== 'api.example.com' ? undefined
      : path === '/v1' || path.startsWith('/v1/') ? { apiId: 'api123', stageName: 'prod', mappingKey: 'v1' } : { apiId: 'api123', stageName: '$default', mappingKey: '' },
    hasDomain: async (domainName) => ['api.example.com', 'empty.example.com'].includes(domainName.toLowerCase()),
  }
}

/** Nobody has signed. */
const unsigned: Authenticator = { begin: async () => { throw new SignatureRefusal('missing', 'Missing Authentication Token') } }
const undecided: Authorizer = { decide: async () => { throw new Error('not asked') } }

export interface GatewayGiven extends Partial<Pick<ExecuteApiOptions, 'authenticator' | 'authorizer' | 'http' | 'metering' | 'onCompileHttpApi'>> {
  clock?: Clock
  /** What functions answer: `{"statusCode":200,"body":"called"}` unless given. */
  invoke?: (invocation: Invocation) => unknown
}

export interface Gateway {
  gateway: ExecuteApi
  invocations: Invocation[]
  /** Of the last request. */
  steps(): readonly TraceStep[]
}

export function gatewayOver(v2Snapshots: V2SnapshotSource, { invoke, ...given }: GatewayGiven = {}): Gateway {
  const invocations: Invocation[] = []
  let steps: readonly TraceStep[] = []
  const gateway = createExecuteApi({
    ...nothingBehind, v2Snapshots, clock: systemClock, random: systemRandom, logs: { append: () => {} }, region: 'us-east-1', traceBodies: false,
    authenticator: unsigned, authorizer: undecided,
    onTrace: (trace) => { steps = trace.steps() },
    snapshots: { findStage: async () => undefined, findApi: async () => undefined },
    metering: { findKey: async () => ({ is: 'refused', because: 'unknown key' }), admit: async () => undefined },
    invoker: { invoke: async (invocation) => {
      invocations.push(invocation)
      const answer = invoke ? await invoke(invocation) : { statusCode: 200, body: 'called' }
      return { status: 200, payload: Buffer.from(JSON.stringify(answer)), executedVersion: '$LATEST', logTail: Buffer.alloc(0), requestId: 'f1' }
    } },
    roles: { findRole: async () => undefined, isTrusting: () => false, issue: async () => { throw new Error('not asked') } },
    log: { error: ({ err }) => { throw err } },
    ...given,
  })
  return { gateway, invocations, steps: () => steps }
}

export interface RequestGiven {
  method?: string
  path?: string
  query?: string
  host?: string
  headers?: Readonly<Record<string, string>>
  body?: Buffer | string
}

export function requestOf({ method = 'GET', path = '/', query = '', host = API_HOST, headers = {}, body = '' }: RequestGiven): HttpRequest {
  const bytes = Buffer.from(body)
  return {
    method, path, rawQuery: query, headers: headersFromRaw(Object.entries({ Host: host, ...headers }).flat()), remoteAddress: '192.0.2.1', isSecure: true,
    async body(bytesMax) {
      if (bytes.length > bytesMax) throw new BodyTooLarge(bytesMax)
      return bytes
    },
  }
}
