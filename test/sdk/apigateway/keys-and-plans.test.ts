// API keys and usage plans over the wire: the official SDK makes them, and a deployed API enforces them.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import {
  CreateApiKeyCommand, DeleteApiKeyCommand, GetApiKeyCommand, GetApiKeysCommand, GetUsageCommand, GetUsagePlanKeysCommand, ImportApiKeysCommand,
  UpdateApiKeyCommand, UpdateUsageCommand, UpdateUsagePlanCommand, paginateGetApiKeys, type CreateUsagePlanCommandInput,
} from '@aws-sdk/client-api-gateway'
import { keyed, type Keyed } from '#test/support/keyed-api.ts'
import type { RawAnswer } from '#test/support/raw-request.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer } from '#test/support/server.ts'

const start = async (t: TestContext, plan?: Partial<CreateUsagePlanCommandInput>): Promise<Keyed> => keyed(await startServer(t), plan)

const shown = ({ status, text, headers }: RawAnswer) => [status, text, headers['x-amzn-errortype']]
const forbidden = [403, '{"message":"Forbidden"}', 'ForbiddenException']
const today = () => {
  const date = new Date().toISOString().slice(0, 10)
  return { startDate: date, endDate: date }
}

describe('API keys', () => {
  test('are refused in the wire\'s own words', async (t) => {
    const { apigateway } = await startServer(t)
    await refuses(apigateway.send(new GetApiKeyCommand({ apiKey: 'nope' })), 404, 'NotFoundException', 'Invalid API Key identifier specified')
    await refuses(apigateway.send(new CreateApiKeyCommand({ value: 'short' })), 400, 'BadRequestException', 'API Key value should be at least 20 characters')
    await refuses(apigateway.send(new ImportApiKeysCommand({ format: 'csv', body: Buffer.from('name\na') })), 400, 'BadRequestException', 'API key file must have the columns Name and Key')
  })

  test('are imported, listed in pages, shown and deleted', async (t) => {
    const { apigateway } = await startServer(t)
    const rows = Array.from({ length: 7 }, (_, index) => `n${index},value-${index}-01234567890123456789`)
    const { ids, warnings } = await apigateway.send(new ImportApiKeysCommand({ format: 'csv', failOnWarnings: true, body: Buffer.from(['name,key', ...rows].join('\n')) }))
    assert.deepEqual([ids?.length, warnings], [7, undefined])
    const names: string[] = []
    for await (const { items } of paginateGetApiKeys({ client: apigateway, pageSize: 3 }, { includeValues: true })) {
      for (const { name, value, enabled, createdDate } of items ?? []) {
        names.push(name!)
        assert.deepEqual([value, enabled, createdDate instanceof Date], [`value-${name!.slice(1)}-01234567890123456789`, true, true])
      }
    }
    assert.deepEqual(names.sort(), ['n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6'])
    await apigateway.send(new DeleteApiKeyCommand({ apiKey: ids![0]! }))
    assert.equal((await apigateway.send(new GetApiKeysCommand({}))).items?.length, 6)
  })

  test('are needed, and refused at the next request once disabled or deleted', async (t) => {
    const { apigateway, sign, keyId, value } = await start(t)
    assert.deepEqual(shown(await sign()), forbidden)
    assert.deepEqual(shown(await sign('unknown-unknown-unknown')), forbidden)
    assert.equal((await sign(value)).status, 200)
    await apigateway.send(new UpdateApiKeyCommand({ apiKey: keyId, patchOperations: [{ op: 'replace', path: '/enabled', value: 'false' }] }))
    assert.deepEqual(shown(await sign(value)), forbidden)
    await apigateway.send(new UpdateApiKeyCommand({ apiKey: keyId, patchOperations: [{ op: 'replace', path: '/enabled', value: 'true' }] }))
    assert.equal((await sign(value)).status, 200)
    await apigateway.send(new DeleteApiKeyCommand({ apiKey: keyId }))
    assert.deepEqual(shown(await sign(value)), forbidden)
  })
})

describe('usage plans', () => {
  test('are made, changed and read with their keys', async (t) => {
    const { apigateway, usagePlanId, keyId, value, restApiId } = await start(t, { quota: { limit: 5, period: 'WEEK', offset: 1 }, throttle: { rateLimit: 1.5, burstLimit: 2 } })
    const changed = await apigateway.send(new UpdateUsagePlanCommand({ usagePlanId, patchOperations: [
      { op: 'replace', path: `/apiStages/${restApiId}:dev/throttle/~1sign/POST/rateLimit`, value: '0.5' },
      { op: 'replace', path: '/quota/limit', value: '6' },
    ] }))
    assert.deepEqual(changed.apiStages, [{ apiId: restApiId, stage: 'dev', throttle: { '/sign/POST': { rateLimit: 0.5 } } }])
    assert.deepEqual([changed.quota, changed.throttle], [{ limit: 6, offset: 1, period: 'WEEK' }, { burstLimit: 2, rateLimit: 1.5 }])
    const { items } = await apigateway.send(new GetUsagePlanKeysCommand({ usagePlanId }))
    assert.deepEqual(items, [{ id: keyId, type: 'API_KEY', value, name: 'key' }])
  })

  test('answer 429 over rate and over quota, and GetUsage agrees', async (t) => {
    const { apigateway, sign, value, usagePlanId, keyId } = await start(t, { throttle: { rateLimit: 0.001, burstLimit: 3 }, quota: { limit: 100, period: 'MONTH' } })
    const burst = await Promise.all(Array.from({ length: 8 }, () => sign(value)))
    assert.equal(burst.filter(({ status }) => status === 200).length, 3)
    assert.deepEqual(shown(burst.find(({ status }) => status !== 200)!), [429, '{"message":"Too Many Requests"}', 'TooManyRequestsException'])
    await apigateway.send(new UpdateUsagePlanCommand({ usagePlanId, patchOperations: [{ op: 'remove', path: '/throttle' }, { op: 'replace', path: '/quota/limit', value: '20' }] }))
    const rest = await Promise.all(Array.from({ length: 40 }, () => sign(value)))
    assert.equal(rest.filter(({ status }) => status === 200).length, 17)
    assert.deepEqual(shown(rest.find(({ status }) => status !== 200)!), [429, '{"message":"Limit Exceeded"}', 'LimitExceededException'])
    assert.deepEqual((await apigateway.send(new GetUsageCommand({ usagePlanId, keyId, ...today() }))).items, { [keyId]: [[20, 0]] })
    const extended = await apigateway.send(new UpdateUsageCommand({ usagePlanId, keyId, patchOperations: [{ op: 'replace', path: '/remaining', value: '2' }] }))
    assert.deepEqual(extended.items, { [keyId]: [[20, 2]] })
    const more = await Promise.all(Array.from({ length: 5 }, () => sign(value)))
    assert.equal(more.filter(({ status }) => status === 200).length, 2)
  })
})
