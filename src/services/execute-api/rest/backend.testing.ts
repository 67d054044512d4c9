// For tests of integrations: one method before a real HTTP server, which notes what it is sent and answers what the test wants.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '#lib/clock.ts'
import { headersFromRaw, type HttpRequest, type HttpResponse } from '#lib/http.ts'
import { createHttpClient } from '#lib/http-client.ts'
import { systemRandom } from '#lib/random.ts'
import type { TraceStep } from '#aws/trace.ts'
import type { Integration, IntegrationResponse, RestApiSnapshot, SnapshotMethod } from '#services/apigateway/index.ts'
import { createExecuteApi } from '../index.ts'
import { nothingBehind } from './nothing-behind.testing.ts'

/** A method of `/things/{id+}`, and one call of it. */
export interface BackendCase {
  integration?: Partial<Integration>
  /** The response of any status unless given; by status otherwise. */
  integrationResponses?: Record<string, Partial<IntegrationResponse>>
  /** Names of headers that the method response 200 declares. */
  declares?: string[]
  api?: Partial<RestApiSnapshot>
  stageVariables?: Record<string, string>
  request?: { method?: string, path?: string, query?: string, headers?: [name: string, value: string][], body?: string | Buffer }
  /** What the server answers: 200 `{}` unless said. */
  answers?: { status?: number, headers?: Record<string, string | string[]>, body?: string | Buffer, afterMs?: number }
}

export interface Sent {
  method: string
  url: string
  headers: Record<string, string[]>
  body: Buffer
  socket: unknown
}

export interface BackendOutcome {
  /** What the server was sent, if anything. */
  sent: Sent | undefined
  response: HttpResponse
  text: string
  steps: readonly TraceStep[]
}

export interface Backend extends AsyncDisposable {
  port: number
  call(given: BackendCase): Promise<BackendOutcome>
}

/** `{backend}` in an integration's URI stands for the server. */
export async function startBackend(): Promise<Backend> {
  let sent: Sent | undefined
  let answers: NonNullable<BackendCase['answers']> = {}
  const server = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const headers: Record<string, string[]> = {}
      for (const [name, value] of headersFromRaw(incoming.rawHeaders).entries()) (headers[name] ??= []).push(value)
      sent = { method: incoming.method!, url: incoming.url!, headers, body: Buffer.concat(chunks), socket: incoming.socket }
      const { status = 200, headers: answered = { 'Content-Type': 'application/json' }, body = '{}', afterMs = 0 } = answers
      outgoing.sendDate = false
      setTimeout(() => outgoing.writeHead(status, answered).end(body), afterMs)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const http = createHttpClient()

  return {
    port,
    async call(given) {
      sent = undefined
      answers = given.answers ?? {}
      let steps: readonly TraceStep[] = []
      const api = createExecuteApi({
        ...nothingBehind, http,
        snapshots: { findStage: async () => ({ snapshot: snapshotOf(given, port), stage: stageOf(given) }), findApi: async () => undefined },
        metering: { findKey: async () => ({ is: 'refused', because: 'unknown key' }), admit: async () => undefined },
        invoker: { invoke: async () => { throw new Error('not asked') } },
        authenticator: { begin: async () => { throw new Error('not asked') } },
        authorizer: { decide: async () => { throw new Error('not asked') } },
        roles: { findRole: async () => undefined, isTrusting: () => false, issue: async () => { throw new Error('not asked') } },
        clock: systemClock, random: systemRandom, log: { error: (facts) => { throw facts.err } }, logs: { append: () => {} },
        onTrace: (trace) => { steps = trace.steps() }, region: 'us-east-1', traceBodies: false,
      })
      const { method = 'GET', path = '/things/one', query = '', headers = [], body = '' } = given.request ?? {}
      const request: HttpRequest = {
        method, path: `/dev${path}`, rawQuery: query, remoteAddress: '192.0.2.1', isSecure: true, body: async () => Buffer.from(body),
        headers: headersFromRaw([['Host', 'api123.execute-api.us-east-1.amazonaws.com'], ...headers].flat()),
      }
      const response = await api.handle(request)
      return { sent, response, text: String(response.body ?? ''), steps }
    },
    async [Symbol.asyncDispose]() {
      http.close()
      server.closeAllConnections()
      server.close()
    },
  }
}

function snapshotOf({ integration = {}, integrationResponses = { 200: {} }, declares = [], api }: BackendCase, port: number): RestApiSnapshot {
  const { uri = 'http://{backend}/', ...rest } = integration
  const methodIntegration: Integration = {
    type: 'HTTP', httpMethod: 'ANY', uri: uri.replace('{backend}', `127.0.0.1:${port}`), passthroughBehavior: 'WHEN_NO_MATCH', timeoutInMillis: 29_000,
    cacheNamespace: '', cacheKeyParameters: [], ...rest,
    integrationResponses: Object.fromEntries(Object.entries(integrationResponses).map(([statusCode, response]) => [statusCode, { statusCode, ...response }])),
  }
  const responseParameters = Object.fromEntries(declares.map((name) => [`method.response.header.${name}`, false]))
  const methodResponses = Object.fromEntries(['200', '400', '500'].map((statusCode) => [statusCode, { statusCode, responseParameters }]))
  const method: SnapshotMethod = { httpMethod: 'ANY', authorizationType: 'NONE', apiKeyRequired: false, methodResponses, methodIntegration }
  return {
    apiId: 'api123', accountId: '123456780000', region: 'us-east-1', deploymentId: 'dep1', name: 'x', apiKeySource: 'HEADER', disableExecuteApiEndpoint: false,
    endpointConfiguration: { types: ['REGIONAL'], ipAddressType: 'ipv4' }, models: {}, gatewayResponses: {},
    resources: [{ id: 'r1', path: '/things/{id+}', methods: { ANY: method } }], ...api,
  }
}

function stageOf({ stageVariables = {} }: BackendCase) {
  return {
    stageName: 'dev', apiId: 'api123', deploymentId: 'dep1', variables: stageVariables, methodSettings: {}, tracingEnabled: false, cacheClusterEnabled: false,
    tags: {}, createdAtMs: 0, lastUpdatedAtMs: 0,
  }
}
