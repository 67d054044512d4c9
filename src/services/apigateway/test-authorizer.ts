// TestInvokeAuthorizer: asks one authorizer about a request that nobody sends.

import type * as sdk from '@aws-sdk/client-api-gateway'
import type { Caller as Principal } from '#aws/caller.ts'
import type { Call } from '#aws/service.ts'
import { requireAuthorizer } from './authorizer-rules.ts'
import { readApi, type Input } from './edit.ts'
import { missing } from './errors.ts'
import type { ApiGateway } from './index.ts'
import { snapshotOf, type RestApiSnapshot } from './snapshot.ts'
import { testHeaders } from './test-invoke.ts'

/** One authorizer with the request that it judges, for the data plane to run. */
export interface AuthorizerTest {
  /** The API as it stands; it has no deployment. */
  snapshot: RestApiSnapshot
  authorizerId: string
  /** Percent-encoded, as a client would send it. */
  path: string
  /** Without the question mark. */
  rawQuery: string
  headers: readonly (readonly [name: string, value: string])[]
  body: Buffer
  stageVariables: Record<string, string>
  /** `$context` variables by name. */
  context: Record<string, string>
  /** Who tests. */
  caller: Principal
  userAgent: string | undefined
}

export interface AuthorizerTestResult {
  /** What a client would be answered, were the method open to whom the authorizer knows: 200, 401, 500. */
  status: number
  latencyMs: number
  /** The execution log, one line below the other. */
  log: string
  principalId?: string | undefined
  /** The policy that the function answered, as JSON text. */
  policy?: string | undefined
  /** Of a user pool's token. */
  claims?: Readonly<Record<string, string>> | undefined
}

/** Runs tests: the data plane, that is made after the control plane. */
export type RunAuthorizerTest = (test: AuthorizerTest) => Promise<AuthorizerTestResult>

/** Source: API Gateway API reference, TestInvokeAuthorizer. */
export async function testInvokeAuthorizer(
  request: Input<sdk.TestInvokeAuthorizerRequest>, call: Call, gateway: ApiGateway,
): Promise<sdk.TestInvokeAuthorizerResponse> {
  const { restApiId, authorizerId, pathWithQueryString, body, stageVariables, additionalContext } = request
  const api = await readApi(gateway, call, restApiId, missing.authorizer)
  requireAuthorizer(api.design, authorizerId)
  const [path, ...query] = (pathWithQueryString || '/').split('?')
  const { status, latencyMs, log, principalId, policy, claims } = await gateway.runAuthorizerTest({
    snapshot: snapshotOf(api), authorizerId,
    path: path!.startsWith('/') ? path! : `/${path}`,
    rawQuery: query.join('?'),
    headers: testHeaders(request),
    body: Buffer.from(body ?? ''),
    stageVariables: stageVariables ?? {},
    context: additionalContext ?? {},
    caller: call.caller,
    userAgent: call.request.headers.get('user-agent'),
  })
  return { clientStatus: status, log, latency: latencyMs, principalId, policy, claims: claims && { ...claims } }
}
