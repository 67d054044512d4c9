// One request to an HTTP API on its way, and what each step has found out.

import type { SignatureClaim } from '#aws/authenticate.ts'
import type { AuthorizerFacts } from '#aws/http-payload/events.ts'
import type { RequestParts } from '#aws/http-payload/request-parts.ts'
import type { Trace } from '#aws/trace.ts'
import type { HttpRequest } from '#lib/http.ts'
import type { DeployedV2Stage } from '#services/apigatewayv2/index.ts'
import type { CompiledHttpApi, CompiledIntegration, CompiledRoute } from './deployment.ts'

/** Which stage of which API, and what of the path is whose. */
export interface HttpTarget {
  apiId: string
  stageName: string
  /** What routes are matched with: without stage and mapping key, as it was sent; empty, which is `/`, behind a mapping key alone. */
  path: string
  /** What stood before `path`: `/prod`, the key of a domain's mapping; empty for `$default`. */
  shownPrefix: string
  /** The API answers at its custom domains only. */
  isDisabled?: boolean | undefined
}

export interface HttpExchange {
  readonly request: HttpRequest
  readonly target: HttpTarget
  /** As `apigw-requestid` tells it: the one id that HTTP APIs have. */
  readonly requestId: string
  readonly traceHeader: string
  readonly atMs: number
  readonly trace: Trace
  deployed?: DeployedV2Stage | undefined
  api?: CompiledHttpApi
  route?: CompiledRoute
  pathParameters?: Record<string, string>
  claim?: SignatureClaim | undefined
  /** Who called, for events, logs and mappings. */
  authorizer?: AuthorizerFacts | undefined
  /** Of the call of an authorizer's function. */
  authorizerCall?: { latencyMs: number, status?: number | undefined, requestId?: string | undefined, error?: string | undefined }
  integrationCall?: { latencyMs?: number, status?: number, requestId?: string, error?: string }
}

/** A request whose caller may call the route. */
export interface HttpApiCall {
  exchange: HttpExchange
  deployed: DeployedV2Stage
  route: CompiledRoute
  integration: CompiledIntegration
  parts: RequestParts
  pathParameters: Record<string, string>
}

/** What a backend answered. */
export interface HttpApiAnswer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string | string[]>
  body: Buffer
}
