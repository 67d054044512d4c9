// test/cases/events/rest-proxy.json: what functions behind proxy integrations are given.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { headersFromRaw, type HttpRequest } from '#lib/http.ts'
import { systemRandom } from '#lib/random.ts'
import type { RestApiSnapshot } from '#services/apigateway/index.ts'
import { createExecuteApi } from '../../index.ts'
import { nothingBehind } from '../nothing-behind.testing.ts'

interface Case {
  says: string
  source?: string
  api?: Partial<RestApiSnapshot>
  stageVariables?: Record<string, string>
  request: { method?: string, path: string, query?: string, headers?: [string, string][], body?: string }
  event: Record<string, unknown>
  absentHeaders?: string[]
}

const file = JSON.parse(readFileSync(new URL('../../../../../test/cases/events/rest-proxy.json', import.meta.url), 'utf8')) as {
  source: string, members: Record<'event' | 'requestContext' | 'identity', string[]>, cases: Case[]
}

const host = 'api123.execute-api.us-east-1.amazonaws.com'
const uri = 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:111111111111:function:echo/invocations'

async function eventOf({ api, stageVariables = {}, request: { method = 'GET', path, query = '', headers = [], body = '' } }: Case): Promise<any> {
  let payload: Buffer | undefined
  const snapshot: RestApiSnapshot = {
    apiId: 'api123', accountId: '111111111111', region: 'us-east-1', deploymentId: 'dep1', name: 'x', apiKeySource: 'HEADER', disableExecuteApiEndpoint: false,
    endpointConfiguration: { types: ['REGIONAL'], ipAddressType: 'ipv4' }, models: {}, gatewayResponses: {},
    resources: [{ id: 'r1', path: '/{proxy+}', methods: { ANY: {
      httpMethod: 'ANY', authorizationType: 'NONE', apiKeyRequired: false,
      methodIntegration: { type: 'AWS_PROXY', httpMethod: 'POST', uri, passthroughBehavior: 'WHEN_NO_MATCH', timeoutInMillis: 29_000, cacheNamespace: '', cacheKeyParameters: [] },
    } } }],
    ...api,
  }
  const stage = {
    stageName: 'test', apiId: 'api123', deploymentId: 'dep1', variables: stageVariables, methodSettings: {}, tracingEnabled: false, cacheClusterEnabled: false, tags: {},
    createdAtMs: 0, lastUpdatedAtMs: 0,
  }
  const gateway = createExecuteApi({
    ...nothingBehind,
    snapshots: { findStage: async () => ({ snapshot, stage }), findApi: async () => undefined },
    metering: { findKey: async () => ({ is: 'refused', because: 'unknown key' }), admit: async () => undefined },
    invoker: { invoke: async (invocation) => {
      payload = invocation.payload
      return { status: 200, payload: Buffer.from('{}'), executedVersion: '$LATEST', logTail: Buffer.alloc(0), requestId: 'f1' }
    } },
    authenticator: { begin: async () => { throw new Error('not asked') } }, authorizer: { decide: async () => { throw new Error('not asked') } },
    roles: { findRole: async () => undefined, isTrusting: () => false, issue: async () => { throw new Error('not asked') } },
    clock: systemClock, random: systemRandom, log: { error: ({ err }) => { throw err } }, logs: { append: () => {} }, onTrace: () => {}, region: 'us-east-1', traceBodies: false,
  })
  const request: HttpRequest = {
    method, path: `/test${path}`, rawQuery: query, headers: headersFromRaw([['Host', host], ...headers].flat()), remoteAddress: '192.0.2.1', isSecure: true,
    body: async () => Buffer.from(body),
  }
  assert.equal((await gateway.handle(request)).status, 200)
  return JSON.parse(payload!.toString('utf8'))
}

describe('the event of a REST API\'s proxy integration', () => {
  for (const one of file.cases) {
    test(one.says, async () => {
      assert.ok(one.source ?? file.source)
      const event = await eventOf(one)
      assert.partialDeepStrictEqual(event, one.event)
      for (const [name, at] of [['event', event], ['requestContext', event.requestContext], ['identity', event.requestContext.identity]] as const) {
        assert.deepEqual(Object.keys(at).toSorted(), file.members[name], name)
      }
      for (const name of one.absentHeaders ?? []) {
        assert.equal(event.headers[name], undefined, name)
        assert.equal(event.multiValueHeaders[name], undefined, name)
      }
    })
  }

  test('has its ids, its times and its trace in API Gateway\'s forms, and its headers in the order of the alphabet', async () => {
    const { headers, requestContext } = await eventOf({ says: '', request: { path: '/x', headers: [['b', '1'], ['A', '2']] }, event: {} })
    assert.match(requestContext.requestId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    assert.match(requestContext.extendedRequestId, /^[\w-]{15}=$/)
    assert.match(requestContext.requestTime, /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/)
    assert.ok(Number.isInteger(requestContext.requestTimeEpoch))
    assert.match(headers['X-Amzn-Trace-Id'], /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/)
    assert.deepEqual(Object.keys(headers), ['A', 'b', 'Host', 'X-Amzn-Trace-Id', 'X-Forwarded-For', 'X-Forwarded-Port', 'X-Forwarded-Proto'])
  })
})
