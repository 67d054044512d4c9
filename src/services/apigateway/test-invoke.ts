// TestInvokeMethod: the console's Test button, for one method of an API as it stands.

import type * as sdk from '@aws-sdk/client-api-gateway'
import type { Caller as Principal } from '#aws/caller.ts'
import type { Call } from '#aws/service.ts'
import { readApi, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import type { ApiGateway } from './index.ts'
import { snapshotOf, type RestApiSnapshot, type SnapshotMethod, type SnapshotResource } from './snapshot.ts'

/** One method with what is sent to it, for the data plane to run. */
export interface MethodTest {
  /** The API as it stands; it has no deployment. */
  snapshot: RestApiSnapshot
  resource: SnapshotResource
  method: SnapshotMethod
  httpMethod: string
  /** Percent-encoded, as a client would send it. */
  path: string
  /** Without the question mark. */
  rawQuery: string
  headers: readonly (readonly [name: string, value: string])[]
  body: Buffer
  stageVariables: Record<string, string>
  /** Who tests: templates and functions see this caller. */
  caller: Principal
  userAgent: string | undefined
}

export interface MethodTestResult {
  status: number
  headers: Readonly<Record<string, string | readonly string[]>>
  body: Buffer
  latencyMs: number
  /** The execution log, one line below the other. */
  log: string
}

/** Runs tests: the data plane, that is made after the control plane. */
export type RunMethodTest = (test: MethodTest) => Promise<MethodTestResult>

/**
 * Observed: AWS, 29-09-2025, recorded by localstack's test_invoke_test_method: without a path the resource's own is taken, braces and all;
 * the refusals of what is missing.
 */
export async function testInvokeMethod(
  request: Input<sdk.TestInvokeMethodRequest>, call: Call, gateway: ApiGateway,
): Promise<sdk.TestInvokeMethodResponse> {
  const { restApiId, resourceId, httpMethod, pathWithQueryString, body, stageVariables } = request
  const snapshot = snapshotOf(await readApi(gateway, call, restApiId, missing.resource))
  const resource = snapshot.resources.find(({ id }) => id === resourceId)
  if (!resource) throw missing.resource()
  const method = resource.methods[httpMethod] ?? resource.methods['ANY']
  if (!method) throw missing.method()
  if (request.clientCertificateId) throw errors.NotImplemented('clientCertificateId is not served: backends are not shown client certificates.')
  const [path, ...query] = (pathWithQueryString || resource.path).split('?')
  const result = await gateway.runMethodTest({
    snapshot, resource, method, httpMethod,
    path: path!.startsWith('/') ? path! : `/${path}`,
    rawQuery: query.join('?'),
    headers: testHeaders(request),
    body: Buffer.from(body ?? ''),
    stageVariables: stageVariables ?? {},
    caller: call.caller,
    userAgent: call.request.headers.get('user-agent'),
  })
  const headers = Object.entries(result.headers).map(([name, value]) => [name, typeof value === 'string' ? [value] : [...value]] as const)
  return {
    status: result.status,
    body: result.body.toString('utf8'),
    headers: Object.fromEntries(headers.map(([name, values]) => [name, values.at(-1)!])),
    multiValueHeaders: Object.fromEntries(headers),
    log: result.log,
    latency: result.latencyMs,
  }
}

/** A header that has several values counts with those; the single one is for the others. */
export function testHeaders(
  { headers = {}, multiValueHeaders = {} }: Pick<Input<sdk.TestInvokeMethodRequest>, 'headers' | 'multiValueHeaders'>,
): [name: string, value: string][] {
  const several = new Set(Object.keys(multiValueHeaders).map((name) => name.toLowerCase()))
  return [
    ...Object.entries(headers).filter(([name]) => !several.has(name.toLowerCase())),
    ...Object.entries(multiValueHeaders).flatMap(([name, values]) => values.map((value): [string, string] => [name, value])),
  ]
}
