// A test invocation: one method of an API as it stands, run through the pipeline's own steps, without credentials, keys and limits.

import { headersFromRaw, BodyTooLarge, type HttpRequest, type HttpResponse } from '#lib/http.ts'
import type { MethodTest, MethodTestResult, RestApiSnapshot, SnapshotMethod, SnapshotResource, StageRecord } from '#services/apigateway/index.ts'
import type { Address } from '../address.ts'
import { compileDeployment } from './deployment.ts'
import type { Exchange, Route } from './exchange.ts'
import { executionLines, methodResponseHeaders, testLog, type Outcome } from './execution-lines.ts'

/** The stage that functions see in `requestContext` and in the ARN of their caller. Source: logs of tests that users published. */
const TEST_STAGE = 'test-invoke-stage'

/** The request that a test stands for. It came from nowhere: no address, no headers but those that the test gives. */
export function requestOf({ httpMethod, path, rawQuery, headers, body }: Pick<MethodTest, 'httpMethod' | 'path' | 'rawQuery' | 'headers' | 'body'>): HttpRequest {
  return {
    method: httpMethod, path, rawQuery, headers: headersFromRaw(headers.flat()), remoteAddress: '', isSecure: true,
    body: async (bytesMax) => {
      if (body.length > bytesMax) throw new BodyTooLarge(bytesMax)
      return body
    },
  }
}

/**
 * The method as a route. A path that the resource does not match has no path parameters.
 * Observed: AWS, 29-09-2025, recorded by localstack's test_invoke_test_method (test-invoke-method-get-pets-id-bad-path).
 */
export function routeOf({ snapshot, resource, method, path, stageVariables }: MethodTest): Route {
  const address: Address = { apiId: snapshot.apiId, stageName: TEST_STAGE, path, prefix: '' }
  const deployment = compileDeployment(only(snapshot, resource, method))
  const { router } = deployment
  const found = router.find(method.httpMethod, path)
  return {
    address, deployment,
    deployed: { stage: testStage(snapshot, stageVariables), snapshot },
    method: router.find(method.httpMethod, resource.path)!.method,
    pathParameters: found?.pathParameters ?? {},
    rawPathParameters: found?.rawPathParameters ?? {},
    mayTraceBodies: true,
  }
}

/** Nothing but the method is compiled. */
function only(snapshot: RestApiSnapshot, resource: SnapshotResource, method: SnapshotMethod): RestApiSnapshot {
  return { ...snapshot, resources: [{ ...resource, methods: { [method.httpMethod]: method } }] }
}

export function testStage({ apiId }: RestApiSnapshot, variables: Record<string, string>): StageRecord {
  return {
    apiId, variables, stageName: TEST_STAGE, deploymentId: '', methodSettings: {}, tracingEnabled: false, cacheClusterEnabled: false,
    tags: {}, createdAtMs: 0, lastUpdatedAtMs: 0,
  }
}

/**
 * What the console shows of a test.
 * Observed: AWS, 29-09-2025, recorded by localstack's test_failed_invoke_test_method: an answer of the gateway itself has no content type.
 */
export async function testResult(exchange: Exchange, outcome: Outcome, latencyMs: number): Promise<MethodTestResult> {
  const { response, refusal } = outcome
  const headers = methodResponseHeaders(exchange, response)
  if (refusal) delete headers['Content-Type']
  return {
    status: response.status,
    headers,
    body: await bodyOf(response),
    latencyMs: Math.round(latencyMs),
    log: testLog(exchange.requestId, executionLines(exchange, outcome)),
  }
}

async function bodyOf({ body }: HttpResponse): Promise<Buffer> {
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) return Buffer.from(body ?? '')
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
