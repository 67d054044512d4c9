// One request on its way through the pipeline, and what each step has found out.

import type { SignatureClaim } from '#aws/authenticate.ts'
import type { Caller } from '#aws/caller.ts'
import type { Trace } from '#aws/trace.ts'
import type { HttpRequest } from '#lib/http.ts'
import type { DeployedStage } from '#services/apigateway/index.ts'
import type { Address } from '../address.ts'
import type { ExecutionLine } from '../execution-line.ts'
import type { AuthorizerFacts, ContextFacts, TemplateContext } from '../templates/context.ts'
import type { RequestParameters } from '../templates/input.ts'
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
  /** What an authorizer told of the caller. The key must not enter a trace or a log. */
  authorized?: { facts: AuthorizerFacts, usageIdentifierKey: string | undefined } | undefined
  key?: RequestKey | undefined
  call?: ApiCall
  /** What was exchanged with the backend, where there is one: for logs. */
  endpoint?: EndpointCall
  /** As `endpoint`, of an authorizer's function: for `$context.authorizer`. */
  authorizerCall?: EndpointCall
  /** What the integration answered. */
  result?: IntegrationResult
  /** Lines that a step before the execution adds to the execution log: an authorizer's. */
  lines?: ExecutionLine[]
  /** Of a test invocation, which takes the undeployed API and asks for no credentials. */
  test?: TestInvocation
}

/** Who tries a method out: functions and templates see this caller. */
export interface TestInvocation {
  caller: Caller
  userAgent: string | undefined
  /** Of the test of an authorizer: `$context` variables by name, `identity.sourceIp` among them. */
  context?: Readonly<Record<string, string>> | undefined
}

/**
 * One call of what stands behind a method. Whoever makes it sets `exchange.endpoint` just before, and its `answer` or `error` after:
 * execution logs and `$context.integration` tell it. A mock has none.
 */
export interface EndpointCall {
  /** As AWS's execution logs show it: `https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/{arn}/invocations`, `http://…`. */
  uri: string
  /** Made only when a log shows them. */
  headers: () => Readonly<Record<string, string | string[]>>
  body: Buffer
  sentAtMs: number
  answer?: EndpointAnswer
  /** Why there is no answer. */
  error?: string
}

export interface EndpointAnswer {
  /** Of the HTTP answer; of a function 200 also when it failed. */
  status: number
  /** Made only when a log shows them. */
  headers: () => Readonly<Record<string, string | string[]>>
  body: Buffer
  latencyMs: number
  /** The backend's own id of the request: a function's request id. */
  requestId?: string | undefined
}

/** The step `route`: which method of which deployment. */
export interface Route {
  address: Address
  deployed: DeployedStage
  deployment: CompiledDeployment
  method: CompiledMethod
  /** Decoded. */
  pathParameters: Record<string, string>
  /**
   * As they were sent: functions get them so.
   * Observed: AWS, 10-07-2024, recorded by localstack's test_lambda_aws_proxy_integration (invocation-payload-with-path-encoded-email).
   */
  rawPathParameters: Record<string, string>
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
  /** Mapped, or set by a template. */
  headers: Record<string, string>
  path: Record<string, string>
  querystring: Record<string, string[]>
  /** What the body is said to be where no mapping says it. */
  contentType: string | undefined
}

/** The step `integrate`: what the integration answered. */
export interface IntegrationResult {
  status: number
  body: Buffer
  headers: Record<string, string | string[]>
  /** Of a function that failed: what response patterns are matched with. Those of other integrations are matched with the status. */
  errorMessage?: string | undefined
  isFunction?: true
  /** A proxy integration's answer is the answer: no selection, no templates. */
  isFinal: boolean
}
