// API keys, usage plans and throttling, called through the data plane over APIs that the control plane made.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import type { TraceStep } from '#aws/trace.ts'
import { systemClock } from '#lib/clock.ts'
import { headersFromRaw, type HttpRequest } from '#lib/http.ts'
import { systemRandom } from '#lib/random.ts'
import { createCaller, type Answer } from '#services/apigateway/caller.testing.ts'
import { migrations } from '#services/apigateway/migrations.ts'
import { openDatabase } from '#storage/open.ts'
import { createExecuteApi } from '../index.ts'
import { nothingBehind } from './nothing-behind.testing.ts'

const template = '{"statusCode": 200}'
const page = '{"apiKey":"$context.identity.apiKey","apiKeyId":"$context.identity.apiKeyId"}'

/** `GET /keyed` needs a key and a parameter, `GET /open` neither; the stage `dev` is in the plan. */
async function keyed(t: TestContext, plan: Record<string, unknown> = {}, settings: Record<string, unknown> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-keys-'))
  const database = await openDatabase({
    engine: { file: join(directory, 'core.db') }, store: 'core', migrations, clock: systemClock,
    transactionModules: [new URL('../../apigateway/store.ts', import.meta.url)],
  })
  const { run, snapshots, metering, close } = createCaller(database)
  t.after(async () => {
    await close()
    await database.close()
    rmSync(directory, { recursive: true })
  })
  const { id: restApiId, rootResourceId } = await run('CreateRestApi', { name: 'a', ...settings }) as Record<string, string>
  const { id: requestValidatorId } = await run('CreateRequestValidator', { restApiId, name: 'v', validateRequestParameters: true })
  for (const pathPart of ['keyed', 'open']) {
    const { id: resourceId } = await run('CreateResource', { restApiId, parentId: rootResourceId, pathPart })
    const at = { restApiId, resourceId, httpMethod: 'GET' }
    const keyOnly = pathPart === 'keyed' ? { requestValidatorId, requestParameters: { 'method.request.querystring.q': true } } : {}
    await run('PutMethod', { ...at, authorizationType: 'NONE', apiKeyRequired: pathPart === 'keyed', ...keyOnly })
    await run('PutMethodResponse', { ...at, statusCode: '200' })
    await run('PutIntegration', { ...at, type: 'MOCK', requestTemplates: { 'application/json': template } })
    await run('PutIntegrationResponse', { ...at, statusCode: '200', responseTemplates: { 'application/json': page } })
  }
  await run('PutGatewayResponse', { restApiId, responseType: 'DEFAULT_4XX', responseParameters: { 'gatewayresponse.header.Access-Control-Allow-Origin': "'*'" } })
  await run('CreateDeployment', { restApiId, stageName: 'dev' })
  const { id: usagePlanId } = await run('CreateUsagePlan', { name: 'p', apiStages: [{ apiId: restApiId, stage: 'dev' }], ...plan })
  const { id: keyId, value } = await run('CreateApiKey', { enabled: true }) as Record<string, string>
  await run('CreateUsagePlanKey', { usagePlanId, keyId, keyType: 'API_KEY' })

  let steps: readonly TraceStep[] = []
  let bodiesRead = 0
  const notAsked = async () => { throw new Error('not asked') }
  const api = createExecuteApi({
    snapshots, metering, invoker: { invoke: notAsked }, authenticator: { begin: notAsked }, authorizer: { decide: notAsked },
    roles: { findRole: notAsked, isTrusting: () => false, issue: notAsked },
    clock: systemClock, random: systemRandom, log: { error: (facts) => { throw facts.err } }, logs: { append: () => {} },
    onTrace: (trace) => { steps = trace.steps() }, region: 'us-east-1', traceBodies: false, ...nothingBehind,
  })
  async function call(path: string, key?: string) {
    const headers = headersFromRaw(['host', `${restApiId}.execute-api.localhost`, ...key === undefined ? [] : ['X-Api-Key', key]])
    const [pathOnly, rawQuery = ''] = path.split('?') as [string, string?]
    const request: HttpRequest = {
      method: 'GET', path: `/dev${pathOnly}`, rawQuery, headers, remoteAddress: '::1', isSecure: false,
      body: async () => { bodiesRead += 1; return Buffer.alloc(0) },
    }
    const { status, headers: answered, body } = await api.handle(request)
    return { status, body: String(body), type: answered['x-amzn-ErrorType'], cors: answered['Access-Control-Allow-Origin'] }
  }
  return { run, call, restApiId: restApiId!, usagePlanId: usagePlanId as string, keyId: keyId!, value: value!, steps: () => steps, bodiesRead: () => bodiesRead }
}

const forbidden = { status: 403, body: '{"message":"Forbidden"}', type: 'ForbiddenException', cors: '*' }
const tooMany = { status: 429, body: '{"message":"Too Many Requests"}', type: 'TooManyRequestsException', cors: '*' }
const exceeded = { status: 429, body: '{"message":"Limit Exceeded"}', type: 'LimitExceededException', cors: '*' }

describe('API keys', () => {
  test('refuse a request without one, with an unknown one, of no plan, or with spaces around it, before its body is read', async (t) => {
    const { call, run, value, bodiesRead, steps } = await keyed(t)
    const { value: unplanned } = await run('CreateApiKey', { enabled: true }) as Record<string, string>
    for (const [key, because] of [
      [undefined, 'no x-api-key header'], ['', 'no x-api-key header'], ['no-such-key-01234567890', 'unknown key'], [`${value} `, 'unknown key'],
      [unplanned, 'no usage plan for this stage'],
    ] as const) {
      assert.deepEqual(await call('/keyed?q=1', key), forbidden)
      assert.equal(steps().find(({ step }) => step === 'api-key')?.facts['because'], because)
    }
    assert.equal(bodiesRead(), 0)
  })

  test('are refused at the request after they are disabled or deleted', async (t) => {
    const { call, run, keyId, value } = await keyed(t)
    const enable = (to: string) => run('UpdateApiKey', { apiKey: keyId, patchOperations: [{ op: 'replace', path: '/enabled', value: to }] })
    assert.equal((await call('/keyed?q=1', value)).status, 200)
    await enable('false')
    assert.deepEqual(await call('/keyed?q=1', value), forbidden)
    await enable('true')
    assert.equal((await call('/keyed?q=1', value)).status, 200)
    await run('DeleteApiKey', { apiKey: keyId })
    assert.deepEqual(await call('/keyed?q=1', value), forbidden)
  })

  test('from authorizers are not taken from headers', async (t) => {
    const { call, value, steps } = await keyed(t, {}, { apiKeySource: 'AUTHORIZER' })
    assert.deepEqual(await call('/keyed?q=1', value), forbidden)
    assert.equal(steps().find(({ step }) => step === 'api-key')?.facts['because'], 'no usageIdentifierKey of an authorizer')
  })

  test('are needed where the method says so and nowhere else, and templates see them there only', async (t) => {
    const { call, keyId, value } = await keyed(t)
    assert.deepEqual(JSON.parse((await call('/keyed?q=1', value)).body), { apiKey: value, apiKeyId: keyId })
    assert.deepEqual(JSON.parse((await call('/open')).body), { apiKey: '', apiKeyId: '' })
    assert.deepEqual(JSON.parse((await call('/open', value)).body), { apiKey: '', apiKeyId: '' })
  })

  test('are judged before parameters are, and traces show their last six characters only', async (t) => {
    const { call, value, keyId, usagePlanId, steps } = await keyed(t)
    assert.deepEqual(await call('/keyed'), forbidden)
    assert.equal((await call('/keyed', value)).status, 400)
    const shown = steps().find(({ step }) => step === 'api-key')!.facts
    assert.deepEqual(shown, { keyId, key: `${'*'.repeat(34)}${value.slice(-6)}`, usagePlanId })
    assert.ok(!JSON.stringify(steps()).includes(value))
    await call('/keyed', 'a-wrong-key-that-is-someone-elses')
    assert.ok(!JSON.stringify(steps()).includes('a-wrong-key'))
  })
})

describe('usage plans', () => {
  test('answer 429 over the rate, and let the next request through when the plan says so', async (t) => {
    const { call, value, run, usagePlanId } = await keyed(t, { throttle: { rateLimit: 0.001, burstLimit: 2 } })
    for (const expected of [200, 200]) assert.equal((await call('/keyed?q=1', value)).status, expected)
    assert.deepEqual(await call('/keyed?q=1', value), tooMany)
    assert.equal((await call('/open', value)).status, 200)
    await run('UpdateUsagePlan', { usagePlanId, patchOperations: [{ op: 'remove', path: '/throttle' }] })
    assert.equal((await call('/keyed?q=1', value)).status, 200)
  })

  test('answer 429 over the quota, tell what was used, and grant more', async (t) => {
    const { call, value, run, usagePlanId, keyId } = await keyed(t, { quota: { limit: 2, period: 'DAY' } })
    // What the validator refuses has passed the key and counts.
    for (const [path, expected] of [['/keyed?q=1', 200], ['/keyed', 400]] as const) assert.equal((await call(path, value)).status, expected)
    assert.deepEqual(await call('/keyed?q=1', value), exceeded)
    const date = new Date().toISOString().slice(0, 10)
    const { items } = await run('GetUsage', { usagePlanId, startDate: date, endDate: date }) as { items: Answer }
    assert.deepEqual(items, { [keyId]: [[2, 0]] })
    await run('UpdateUsage', { usagePlanId, keyId, patchOperations: [{ op: 'replace', path: '/remaining', value: '1' }] })
    assert.equal((await call('/keyed?q=1', value)).status, 200)
    assert.deepEqual(await call('/keyed?q=1', value), exceeded)
  })

  test('count the keys of a plan apart', async (t) => {
    const { call, value, run, usagePlanId } = await keyed(t, { quota: { limit: 1, period: 'MONTH' } })
    const { id, value: other } = await run('CreateApiKey', { enabled: true }) as Record<string, string>
    await run('CreateUsagePlanKey', { usagePlanId, keyId: id, keyType: 'API_KEY' })
    for (const key of [value, other]) {
      assert.equal((await call('/keyed?q=1', key)).status, 200)
      assert.deepEqual(await call('/keyed?q=1', key), exceeded)
    }
  })
})

describe('stage settings', () => {
  test('throttle a method, with or without a key, from the next request on', async (t) => {
    const { call, run, restApiId } = await keyed(t)
    const set = (path: string, value: string) => run('UpdateStage', { restApiId, stageName: 'dev', patchOperations: [{ op: 'replace', path, value }] })
    assert.equal((await call('/open')).status, 200)
    await set('/open/GET/throttling/rateLimit', '0.001')
    await set('/open/GET/throttling/burstLimit', '1')
    assert.equal((await call('/open')).status, 200)
    assert.deepEqual(await call('/open'), tooMany)
    await set('/open/GET/throttling/burstLimit', '0')
    assert.deepEqual(await call('/open'), tooMany)
    await set('/open/GET/throttling/burstLimit', '-1')
    await set('/open/GET/throttling/rateLimit', '-1')
    assert.equal((await call('/open')).status, 200)
  })
})
