// One request on its way through the pipeline, and what each step has found out.

import type { SignatureClaim } from '#aws/authenticate.ts'
import type { Trace } from '#aws/trace.ts'
import type { HttpRequest } from '#lib/http.ts'
import type { DeployedStage } from '#services/apigateway/index.ts'
import type { Address } from '../address.ts'
import type { RequestParameters } from '../templates/input.ts'
import type { ContextFacts, TemplateContext } from '../templates/context.ts'
import type { CompiledDeployment, CompiledIntegration, CompiledMethod } from './deployment.ts'
import type { RequestKey } from './steps/identify-key.ts'

/** A request as it arrived. The rest is filled in by the steps, for whoever answers when one of them refuses. */
export interface Exchange {
  readonly request: HttpRequest
  readonly requestId: string
  readonly extendedRequestId: string
  /** `X-Amzn-Trace-Id` of the answer. */
  readonly traceHeader: string
  readonly atMs: number
  readonly trace: Trace
  address?: Address
  route?: Route
  claim?: SignatureClaim | undefined
  key?: RequestKey | undefined
  call?: ApiCall
}

/** The step `route`: which method of which deployment. */
export interface Route {
  address: Address
  deployed: DeployedStage
  deployment: CompiledDeployment
  method: CompiledMethod
  pathParameters: Record<string, string>
  /** Whether bodies and templates may enter the trace. */
  mayTraceBodies: boolean
}

/** A request whose caller may call the method: body read, parameters parsed. */
export interface ApiCall {
  exchange: Exchange
  route: Route
  integration: CompiledIntegration
  body: Buffer
  parameters: RequestParameters
  /** Every value of a parameter, in order. */
  multiValues: { querystring: Record<string, string[]>, header: Record<string, string[]> }
  facts: ContextFacts
  context: TemplateContext
}

/** The step `request-template`: what the integration gets. */
export interface IntegrationRequest {
  body: Buffer
  headers: Record<string, string>
}

/** The step `integrate`: what the integration answered. */
export interface IntegrationResult {
  status: number
  body: Buffer
  headers: Record<string, string | string[]>
  /** Of a function that failed: what response patterns are matched with. */
  errorMessage?: string | undefined
  /** A proxy integration's answer is the answer: no selection, no templates. */
  isFinal: boolean
}
