// The public face of the data plane: serves deployed APIs, each by the pipeline of its kind.

import type { HttpRequest, HttpResponse } from '#lib/http.ts'
import type { Log } from '#lib/log.ts'
import type { WebSocketLimits, WebSocketUpgrade } from '#lib/web-socket.ts'
import type { RunAuthorizerTest, RunMethodTest } from '#services/apigateway/index.ts'
import type { V2ApiSnapshot, V2SnapshotSource } from '#services/apigatewayv2/index.ts'
import type { Database } from '#storage/database.ts'
import { addressOf, isExecuteApi, mayBeCustomDomain, type Address } from './address.ts'
import type { HttpTarget } from './http/exchange.ts'
import { createHttpApis } from './http/http-apis.ts'
import { mappedTarget, targetOf } from './http/target.ts'
import { createRestApis, type RestApisOptions } from './rest/rest-apis.ts'
import type { SocketTarget } from './websocket/exchange.ts'
import { FRAME_BYTES_MAX, MESSAGE_BYTES_MAX, UNSENT_BYTES_MAX } from './websocket/limits.ts'
import { createConnectionManagement } from './websocket/management.ts'
import { createSharedConnections } from './websocket/nodes/shared-connections.ts'
import { createWebSocketApis } from './websocket/websocket-apis.ts'

export { claimNode } from './websocket/nodes/claim-node.ts'

export interface ExecuteApiOptions extends RestApisOptions {
  /** HTTP and WebSocket APIs, and the custom domains that lead to APIs of any kind. */
  v2Snapshots: V2SnapshotSource
  /** Told of each compilation of an HTTP API, as `onCompile` is of REST APIs. */
  onCompileHttpApi?: (snapshot: V2ApiSnapshot) => void
  onCompileWebSocketApi?: (snapshot: V2ApiSnapshot) => void
  /** This process among those that share a store: they ask each other about the connections of clients. */
  node: Node
}

export interface Node {
  /** As `claimNode` gave it. */
  nodeTag: string
  database: Database
  log: Pick<Log, 'warn' | 'error'>
}

/** What may come over a WebSocket. */
export const webSocketLimits: WebSocketLimits = { messageBytesMax: MESSAGE_BYTES_MAX, frameBytesMax: FRAME_BYTES_MAX, unsentBytesMax: UNSENT_BYTES_MAX }

export interface ExecuteApi {
  /** Whether a request is a call of a deployed API: by its host or its path. */
  matches(request: Pick<HttpRequest, 'path' | 'headers'>): boolean
  /** Whether a request is for a custom domain, wherever that leads. Asked where `matches` says no. */
  isForCustomDomain(request: Pick<HttpRequest, 'path' | 'headers'>): Promise<boolean>
  /** Answers a call. Rejects only when the connection is gone. */
  handle(request: HttpRequest): Promise<HttpResponse>
  /** Answers a WebSocket's handshake: a connection of a WebSocket API, or what `handle` says to a request that asks for none. */
  upgrade(request: HttpRequest): Promise<HttpResponse | WebSocketUpgrade>
  /** Runs one method of a REST API as it stands, for TestInvokeMethod. */
  testInvoke: RunMethodTest
  /** Asks one authorizer of a REST API as it stands, for TestInvokeAuthorizer. */
  testAuthorizer: RunAuthorizerTest
  /** From now on other processes are asked about their connections, and answered. */
  start(): Promise<void>
  /** Ends every WebSocket, tells `$disconnect` of it for at most so many milliseconds, and leaves the other processes. */
  close(graceMs: number): Promise<void>
}

export function createExecuteApi(options: ExecuteApiOptions): ExecuteApi {
  const { v2Snapshots } = options
  const restApis = createRestApis(options)
  const httpApis = createHttpApis({ ...options, snapshots: v2Snapshots, onCompile: options.onCompileHttpApi })

  const webSocketApis = createWebSocketApis({ ...options, snapshots: v2Snapshots, nodeTag: options.node.nodeTag, onCompile: options.onCompileWebSocketApi })
  const connections = createSharedConnections({ ...options.node, clock: options.clock, local: webSocketApis.connections })
  const management = createConnectionManagement({ ...options, snapshots: v2Snapshots, connections })

  async function atAddress(request: HttpRequest, address: Address): Promise<Destination> {
    const api = await v2Snapshots.findApi(address.apiId)
    const isDisabled = api?.disableExecuteApiEndpoint
    if (api?.protocolType === 'WEBSOCKET') return { is: 'websocket', target: { ...address, isDisabled } }
    if (api?.protocolType !== 'HTTP') return { is: 'rest', address }
    const isUserRequest = address.prefix.startsWith('/restapis/')
    const wholePath = isUserRequest ? address.path : request.path.slice(address.prefix.length)
    return { is: 'http', target: { ...await targetOf(address, wholePath, v2Snapshots), isDisabled } }
  }

  async function atDomain(request: HttpRequest, domainName: string): Promise<Destination> {
    const mapped = await v2Snapshots.findMapping(domainName, request.path)
    // Seen in reports: Miserlou/Zappa issue 1248, amplify-education/serverless-domain-manager issue 57 (a domain without a mapping for the path is 403 `Forbidden`).
    if (!mapped) return nowhere(request)
    const { apiId, stageName } = mapped
    const api = await v2Snapshots.findApi(apiId)
    const target = mappedTarget(mapped, request.path)
    const path = target.path || '/'
    if (api?.protocolType === 'HTTP') return { is: 'http', target }
    return api?.protocolType === 'WEBSOCKET' ? { is: 'websocket', target: { apiId, stageName, path } } : { is: 'rest', address: { apiId, stageName, path, prefix: target.shownPrefix } }
  }

  async function destinationOf(request: HttpRequest): Promise<Destination> {
    const address = addressOf(request)
    if (address) return atAddress(request, address)
    const domainName = customDomainOf(request.headers)
    return domainName === undefined ? nowhere(request) : atDomain(request, domainName)
  }

  function answer(request: HttpRequest, destination: Destination): Promise<HttpResponse> {
    switch (destination.is) {
      case 'rest': return restApis.handle(request, destination.address)
      case 'http': return httpApis.handle(request, destination.target)
      case 'websocket': return management.matches(destination.target.path) ? management.handle(request, destination.target) : webSocketApis.handle(request, destination.target)
    }
  }

  const customDomainOf = (headers: HttpRequest['headers']): string | undefined => {
    const host = (headers.get('host') ?? '').replace(/:\d+$/, '')
    return mayBeCustomDomain(host) && !isSignedForAnother(headers) ? host : undefined
  }

  return {
    matches: isExecuteApi,
    async isForCustomDomain({ headers }) {
      const domainName = customDomainOf(headers)
      return domainName !== undefined && v2Snapshots.hasDomain(domainName)
    },
    handle: async (request) => answer(request, await destinationOf(request)),
    async upgrade(request) {
      const destination = await destinationOf(request)
      const isHandshake = destination.is === 'websocket' && !management.matches(destination.target.path)
      return isHandshake ? webSocketApis.upgrade(request, destination.target) : answer(request, destination)
    },
    testInvoke: (test) => restApis.testInvoke(test),
    testAuthorizer: (test) => restApis.testAuthorizer(test),
    start: () => connections.start(),
    async close(graceMs) {
      await webSocketApis.close(graceMs)
      await connections.close()
    },
  }
}

/** Whose API a request is for. */
type Destination =
  | { is: 'rest', address: Address }
  | { is: 'http', target: HttpTarget }
  | { is: 'websocket', target: SocketTarget }

const nowhere = ({ path }: HttpRequest): Destination => ({ is: 'rest', address: { apiId: '', stageName: '', path, prefix: '' } })

/**
 * Whether a request is signed for another service than execute-api: it is that service's, whatever host it names. Ours: AWS lets a certificate vouch for
 * a domain name, here anybody may take the name under which others reach this server, and must not be sent what they sign.
 */
function isSignedForAnother(headers: HttpRequest['headers']): boolean {
  const service = /^AWS4-HMAC-SHA256\s(?:.*[\s,])?Credential=[^/,\s]+\/\d{8}\/[^/,\s]+\/([^/,\s]+)\/aws4_request/.exec(headers.get('authorization') ?? '')?.[1]
  return service !== undefined && service !== 'execute-api'
}
