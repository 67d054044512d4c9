// One request to `@connections`, and what each step has found out.

import type { SignatureClaim } from '#aws/authenticate.ts'
import type { Route } from '#aws/protocols/protocol.ts'
import type { Trace } from '#aws/trace.ts'
import type { HttpRequest } from '#lib/http.ts'
import type { DeployedV2Stage } from '#services/apigatewayv2/index.ts'

/** Which connections of which stage. */
export interface ManagementTarget {
  apiId: string
  stageName: string
  /** Below the stage or the mapping's key, as it was sent: `/@connections/{id}`, `/%40connections/{id}`. */
  path: string
  /** Whether the request came by an address that the API has closed (`disableExecuteApiEndpoint`). */
  isDisabled?: boolean | undefined
}

/** A request as it arrived. The rest is filled in by the steps, for whoever answers when one of them refuses. */
export interface ManagementExchange {
  readonly request: HttpRequest
  readonly target: ManagementTarget
  readonly requestId: string
  readonly extendedRequestId: string
  readonly atMs: number
  readonly trace: Trace
  deployed?: DeployedV2Stage | undefined
  route?: Route
  claim?: SignatureClaim
}
