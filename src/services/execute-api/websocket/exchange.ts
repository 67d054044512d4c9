// One event of a connection (it begins, a message comes, it ends) on its way through the pipeline, and what each step has found out.

import type { SignatureClaim } from '#aws/authenticate.ts'
import type { Trace } from '#aws/trace.ts'
import type { HttpRequest } from '#lib/http.ts'
import type { KeyGrant } from '#services/apigateway/index.ts'
import type { DeployedV2Stage } from '#services/apigatewayv2/index.ts'
import type { ExecutionLine } from '../execution-line.ts'
import type { AuthorizerFacts, IdentityFacts, TemplateContext } from '../templates/context.ts'
import type { SocketFacts } from './context.ts'
import type { CompiledSocketIntegration, CompiledSocketRoute, CompiledWebSocketApi } from './deployment.ts'

/** Which stage of which API. */
export interface SocketTarget {
  apiId: string
  stageName: string
  /** What the request's path has besides the stage or the mapping's key; `/` for nothing. */
  path: string
  /** The API answers at its custom domains only. */
  isDisabled?: boolean | undefined
}

/** The other end of a connection, as its handshake told. */
export interface SocketClient {
  connectionId: string
  apiId: string
  stageName: string
  connectedAtMs: number
  /** The host that was called, without its port. */
  domainName: string
  identity: IdentityFacts
  /** What the authorizer of `$connect` told: in every later event, too. */
  authorizer?: AuthorizerFacts | undefined
  /** What the client sent for the authorizer to look at. Must not enter a trace or a log. */
  identities?: readonly string[]
  /** For policies that look at the address or the transport. */
  request: Pick<HttpRequest, 'headers' | 'remoteAddress' | 'isSecure'>
}

/** An event as it arrived. The rest is filled in by the steps, for whoever answers when one of them refuses. */
export interface SocketExchange {
  readonly eventType: 'CONNECT' | 'MESSAGE' | 'DISCONNECT'
  readonly client: SocketClient
  /** `$context.requestId` and `$context.extendedRequestId`: WebSocket APIs have one id. */
  readonly requestId: string
  /** Of a message. */
  readonly messageId?: string | undefined
  readonly traceHeader: string
  readonly atMs: number
  readonly trace: Trace
  /** The message; empty in other events. */
  readonly body: Buffer
  /** Of `CONNECT`. */
  readonly handshake?: HttpRequest | undefined
  /** Of `DISCONNECT`. */
  readonly end?: { code: number, reason: string } | undefined
  deployed?: DeployedV2Stage | undefined
  api?: CompiledWebSocketApi
  route?: CompiledSocketRoute | undefined
  claim?: SignatureClaim
  /** An API key that an authorizer named. Must not enter a trace or a log. */
  usageIdentifierKey?: string | undefined
  /** The value must not enter a trace or a log. */
  key?: { value: string, grant: KeyGrant }
  authorizerCall?: CalledFunction
  /** Of the execution log, what steps have to say besides. */
  lines?: readonly ExecutionLine[]
  integrationCall?: IntegrationCall
  /** What the integration made of the backend's answer: of a function behind `AWS_PROXY`, the status that it named. */
  resultStatus?: number
}

export interface CalledFunction {
  latencyMs: number
  status?: number | undefined
  requestId?: string | undefined
  error?: string | undefined
}

/** What was exchanged with the backend, for logs. */
export interface IntegrationCall {
  uri: string
  body: Buffer
  sentAtMs: number
  latencyMs?: number
  status?: number
  requestId?: string
  answer?: Buffer
  error?: string
}

/** An event whose route and integration are known. */
export interface SocketCall {
  exchange: SocketExchange
  deployed: DeployedV2Stage
  route: CompiledSocketRoute
  integration: CompiledSocketIntegration
  /** Of a handshake; empty otherwise. */
  parameters: SocketParameters
  facts: SocketFacts
  context: TemplateContext
  /** Whether bodies and templates may enter the trace. */
  mayTraceBodies: boolean
}

export interface SocketParameters {
  header: Readonly<Record<string, readonly string[]>>
  querystring: Readonly<Record<string, readonly string[]>>
}

/** What the integration gets. */
export interface SocketRequest {
  body: Buffer
  headers: Record<string, string>
  path: Record<string, string>
  querystring: Record<string, string[]>
}

/** What the integration answered. */
export interface SocketResult {
  status: number
  headers: Record<string, string | string[]>
  body: Buffer
  /** Integration responses of functions match the message of their errors, those of others the status. */
  isFunction: boolean
  /** The function failed; what it answered is its error. */
  hasFailed?: boolean
  errorMessage?: string | undefined
}
