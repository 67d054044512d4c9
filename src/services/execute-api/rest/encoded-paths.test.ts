// A Deny holds for every spelling of a path: what is percent-encoded is read decoded by routes and backends.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAuthorizer } from '#aws/authorize.ts'
import type { UserCaller } from '#aws/caller.ts'
import { compilePolicy } from '#aws/policy/compile.ts'
import { parsePolicy } from '#aws/policy/parse.ts'
import { systemClock } from '#lib/clock.ts'
import { headersFromRaw, type HttpRequest } from '#lib/http.ts'
import { systemRandom } from '#lib/random.ts'
import type { RestApiSnapshot, SnapshotMethod, StageRecord } from '#services/apigateway/index.ts'
import { evaluateAnswer } from '../authorizers/policy-answer.ts'
import { evaluateAnonymously } from '../authorizers/question.ts'
import { createExecuteApi } from '../index.ts'
import { nothingBehind } from './nothing-behind.testing.ts'

const accountId = '111111111111'
const caller: UserCaller = { is: 'user', accountId, userName: 'ann', arn: `arn:aws:iam::${accountId}:user/ann`, userId: 'AIDAANN', accessKeyId: 'AKIAANN' }
const GET: SnapshotMethod = {
  httpMethod: 'GET', authorizationType: 'AWS_IAM', apiKeyRequired: false, methodResponses: { 200: { statusCode: '200' } },
  methodIntegration: {
    type: 'MOCK', passthroughBehavior: 'WHEN_NO_MATCH', timeoutInMillis: 29_000, cacheNamespace: '', cacheKeyParameters: [],
    requestTemplates: { 'application/json': '{"statusCode": 200}' }, integrationResponses: { 200: { statusCode: '200' } },
  },
}
const snapshot: RestApiSnapshot = {
  apiId: 'api123', accountId, region: 'us-east-1', deploymentId: 'd1', name: 'x', apiKeySource: 'HEADER', disableExecuteApiEndpoint: false,
  endpointConfiguration: { types: ['REGIONAL'], ipAddressType: 'ipv4' }, models: {}, gatewayResponses: {},
  resources: ['/secret', '/items/{id}'].map((path) => ({ id: path, path, methods: { GET } })),
}
const stage: StageRecord = {
  stageName: 'dev', apiId: 'api123', deploymentId: 'd1', variables: {}, methodSettings: {}, tracingEnabled: false, cacheClusterEnabled: false, tags: {}, createdAtMs: 0, lastUpdatedAtMs: 0,
}
const policy = compilePolicy(parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: [
  { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' },
  { Effect: 'Deny', Action: 'execute-api:Invoke', Resource: ['secret', 'items/7'].map((path) => `arn:aws:execute-api:us-east-1:${accountId}:api123/dev/GET/${path}`) },
] }), 'identity'), 'p')

async function statusOf(path: string): Promise<number> {
  const gateway = createExecuteApi({
    ...nothingBehind, clock: systemClock, random: systemRandom, logs: { append: () => {} }, onTrace: () => {}, region: 'us-east-1', traceBodies: false,
    snapshots: { findStage: async () => ({ snapshot, stage }), findApi: async () => undefined },
    metering: { findKey: async () => ({ is: 'refused', because: 'unknown key' }), admit: async () => undefined },
    invoker: { invoke: async () => { throw new Error('not asked') } },
    authenticator: { begin: async () => ({ caller, region: 'us-east-1', service: 'execute-api', finish: () => {} }) },
    authorizer: createAuthorizer({ identity: { policiesFor: async () => ({ identity: [policy] }) }, clock: systemClock }),
    roles: { findRole: async () => undefined, isTrusting: () => false, issue: async () => { throw new Error('not asked') } },
    log: { error: ({ err }) => { throw err } },
  })
  const request: HttpRequest = {
    method: 'GET', path: `/dev${path}`, rawQuery: '', headers: headersFromRaw(['Host', 'api123.execute-api.us-east-1.amazonaws.com']), remoteAddress: '192.0.2.1', isSecure: true,
    body: async () => Buffer.alloc(0),
  }
  return (await gateway.handle(request)).status
}

test('a Deny holds for a path in whatever way it is encoded', async () => {
  for (const path of ['/secret', '/secre%74', '/%73ecret', '/items/7', '/items/%37', '/%69tems/%37']) assert.equal(await statusOf(path), 403, path)
  for (const path of ['/items/8', '/items/%38', '/items/a%20b', '/items/%zz']) assert.equal(await statusOf(path), 200, path)
})

test('so does one of a resource policy or an authorizer, of whoever is not known; what is allowed as it was sent is allowed', () => {
  const question = (path: string) => ({
    resource: `arn:aws:execute-api:us-east-1:${accountId}:api123/dev/GET${path}`, scope: { accountId, region: 'us-east-1' }, atMs: 0,
    request: { headers: headersFromRaw([]), remoteAddress: '192.0.2.1', isSecure: true },
  })
  const statements = [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: question('/items/a%20b').resource }, { Effect: 'Deny', Principal: '*', Action: '*', Resource: question('/secret').resource }]
  const open = compilePolicy(parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), 'resource'), 'p')
  assert.equal(evaluateAnonymously(open, question('/secre%74')).outcome, 'explicit-deny')
  assert.equal(evaluateAnonymously(open, question('/items/a%20b')).outcome, 'allowed')
  assert.equal(evaluateAnswer({ principalId: 'me', policy }, question('/secre%74')).outcome, 'explicit-deny')
  assert.equal(evaluateAnswer({ principalId: 'me', policy }, question('/items/a%20b')).outcome, 'allowed')
})
