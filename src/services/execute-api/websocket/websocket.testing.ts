// For tests of WebSocket APIs over a deployment given as a value, behind a real server, with functions and backends that answer what the test wants.

import type { TestContext } from 'node:test'
import type { RequestFacts } from '#aws/dispatch.ts'
import { SignatureRefusal } from '#aws/authenticate.ts'
import type { TraceStep } from '#aws/trace.ts'
import { systemClock } from '#lib/clock.ts'
import { serve } from '#lib/http-server.ts'
import { systemRandom } from '#lib/random.ts'
import type { Authorizer, Integration, IntegrationResponse, Model, Route, StageRecord, V2ApiSnapshot } from '#services/apigatewayv2/index.ts'
import type { Invocation, InvocationResult } from '#services/lambda/index.ts'
import { API_HOST, snapshotOf, sourceOf, stageOf } from '../http/gateway.testing.ts'
import { createExecuteApi, webSocketLimits, type ExecuteApiOptions } from '../index.ts'
import { nothingBehind } from '../rest/nothing-behind.testing.ts'

/** By route key. Each leads to the function `f` unless its integration says something else. */
export type GivenSocketRoutes = Record<string, {
  route?: Partial<Route>
  integration?: Partial<Integration>
  /** Whether answers go back. */
  isTwoWay?: boolean
  /** Integration responses by their keys. */
  responses?: Record<string, Partial<IntegrationResponse>>
}>

export interface SocketApiGiven {
  /** By id; the type, the name and an identity source of none unless given. */
  authorizers?: Record<string, Partial<Authorizer>>
  /** Schemas by name. */
  models?: Record<string, object>
  api?: Partial<V2ApiSnapshot>
}

const twoWay = { routeResponseSelectionExpression: '$default', routeResponses: { rr: { routeResponseId: 'rr', routeResponseKey: '$default' } } } as unknown as Partial<Route>

export function socketSnapshot(routes: GivenSocketRoutes, { authorizers = {}, models = {}, api }: SocketApiGiven = {}): V2ApiSnapshot {
  const given = Object.entries(routes).map(([routeKey, { route, integration, isTwoWay, responses = {} }]) => {
    const integrationResponses = Object.fromEntries(Object.entries(responses).map(([integrationResponseKey, response], index) =>
      [`x${index}`, { integrationResponseId: `x${index}`, integrationResponseKey, ...response }]))
    return [routeKey, { route: { ...isTwoWay && twoWay, ...route }, integration: { timeoutInMillis: 29_000, ...integration, integrationResponses } }] as const
  })
  return snapshotOf(Object.fromEntries(given), {
    protocolType: 'WEBSOCKET', routeSelectionExpression: '$request.body.action',
    authorizers: Object.fromEntries(Object.entries(authorizers).map(([authorizerId, authorizer]): [string, Authorizer] =>
      [authorizerId, { authorizerId, name: authorizerId, authorizerType: 'REQUEST', authorizerUri: functionUri('auth'), identitySource: [], ...authorizer }])),
    models: Object.fromEntries(Object.entries(models).map(([name, schema]): [string, Model] => [name, { modelId: name, name, schema: JSON.stringify(schema) }])),
    ...api,
  })
}

export const functionUri = (name: string): string =>
  `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:111111111111:function:${name}/invocations`

/** What a function throws. */
export class FunctionFails extends Error {
  override name = 'FunctionFails'
}

export interface SocketGatewayGiven extends Partial<Pick<ExecuteApiOptions, 'authenticator' | 'authorizer' | 'http' | 'services' | 'metering' | 'clock' | 'roles' | 'logs' | 'traceBodies'>> {
  /** What functions answer, by whatever the test looks at: `{"statusCode":200}` unless given. `FunctionFails` is the function's failure, anything else the invoker's. */
  invoke?: ((invocation: Invocation) => unknown) | undefined
  stage?: Partial<StageRecord>
}

export interface SettledEvent {
  facts: RequestFacts
  steps: readonly TraceStep[]
}

export interface TestSocketGateway {
  /** `ws://127.0.0.1:{port}/prod`, for requests that name `API_HOST`. */
  url: string
  /** The same in the path form. */
  pathUrl: string
  port: number
  invocations: Invocation[]
  /** What functions were given, in order. */
  events(): any[]
  /** Waits for the next event that settles with such a route or event type, `$disconnect` above all; looks at those that have settled, too. */
  settled(operation: string): Promise<SettledEvent>
  /** Everything that was told of events so far. */
  traces: SettledEvent[]
  /** What the log was told. */
  errors: unknown[]
  /** Ends the server as it is ended by a signal; so it is after the test. */
  close(graceMs: number): Promise<void>
  /** Deploys another snapshot; undefined deletes the stage. */
  deploy(snapshot: V2ApiSnapshot | undefined): void
}

/** The address that a client names: it makes the events' `domainName`. */
export const toApi = { Host: API_HOST }

export async function startSocketGateway(t: TestContext, first: V2ApiSnapshot, { invoke, stage, ...given }: SocketGatewayGiven = {}): Promise<TestSocketGateway> {
  let snapshot: V2ApiSnapshot | undefined = first
  const invocations: Invocation[] = []
  const traces: SettledEvent[] = []
  const errors: unknown[] = []
  const waiting = new Set<() => void>()
  const source = sourceOf(() => snapshot ?? first, (stageName) => stageOf(stageName, stage))
  const gateway = createExecuteApi({
    ...nothingBehind, clock: systemClock, random: systemRandom, logs: { append: () => {} }, region: 'us-east-1', traceBodies: false,
    v2Snapshots: { ...source, findStage: async (key) => snapshot && source.findStage(key) },
    authenticator: { begin: async () => { throw new SignatureRefusal('missing', 'Missing Authentication Token') } },
    authorizer: { decide: async () => { throw new Error('not asked') } },
    snapshots: { findStage: async () => undefined, findApi: async () => undefined },
    metering: { findKey: async () => ({ is: 'refused', because: 'unknown key' }), admit: async () => undefined },
    roles: { findRole: async () => undefined, isTrusting: () => false, issue: async () => { throw new Error('not asked') } },
    invoker: { invoke: async (invocation) => {
      invocations.push(invocation)
      return answered(invocation, invoke)
    } },
    onTrace: (trace, facts) => {
      traces.push({ facts, steps: trace.steps() })
      for (const look of waiting) look()
    },
    log: { error: ({ err }) => { errors.push(err) } },
    ...given,
  })
  const server = await serve({
    hosts: ['127.0.0.1'], port: 0, trustedProxies: ['127.0.0.1'], webSocketLimits, onError: (error) => { errors.push(error) },
    handle: (request) => gateway.handle(request), upgrade: (request) => gateway.upgrade(request),
  })
  let closing: Promise<unknown> | undefined
  const close = async (graceMs: number): Promise<void> => { await (closing ??= Promise.all([server.close(graceMs), gateway.close(graceMs)])) }
  t.after(() => close(1_000))
  return {
    url: `ws://127.0.0.1:${server.port}/prod`, pathUrl: `ws://127.0.0.1:${server.port}/_aws/execute-api/api123/prod`, port: server.port,
    invocations, traces, errors, close,
    events: () => invocations.map(({ payload }) => JSON.parse(payload.toString('utf8')) as unknown),
    settled: (operation) => new Promise((resolve) => {
      const look = () => {
        const found = traces.find(({ facts }) => facts.operation?.endsWith(` ${operation}`))
        if (!found) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    }),
    deploy: (next) => { snapshot = next },
  }
}

async function answered(invocation: Invocation, invoke: SocketGatewayGiven['invoke']): Promise<InvocationResult> {
  const result = { status: invocation.type === 'Event' ? 202 : 200, executedVersion: '$LATEST', logTail: Buffer.alloc(0), requestId: 'f1' }
  try {
    const answer = invoke ? await invoke(invocation) : { statusCode: 200 }
    return { ...result, payload: Buffer.from(invocation.type === 'Event' ? '' : JSON.stringify(answer) ?? 'null') }
  } catch (error) {
    if (!(error instanceof FunctionFails)) throw error
    return { ...result, functionError: 'Unhandled', payload: Buffer.from(JSON.stringify({ errorType: 'Error', errorMessage: error.message })) }
  }
}

/** The steps of one kind, as their facts. */
export const stepsOf = ({ steps }: Pick<SettledEvent, 'steps'>, step: string): Record<string, unknown>[] =>
  steps.filter((one) => one.step === step).map(({ facts }) => facts)
