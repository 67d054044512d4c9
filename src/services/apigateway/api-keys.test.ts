// API keys beyond single answers: files of keys, pages, tags, values that stay secret, and the periods of quotas.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Conflict, type Database } from '#storage/database.ts'
import { eachDatabase } from '#test/support/each-database.ts'
import { createCaller, type Answer } from './caller.testing.ts'
import { parseCsv } from './import-api-keys.ts'
import { STAGES_PER_PLAN_MAX } from './limits.ts'
import { migrations } from './migrations.ts'
import { transactions } from './store.ts'
import { dateOf, dayOfDate, periodStart, type Quota } from './usage-model.ts'

const scope = { accountId: '000000000000', region: 'us-east-1' }
const limit = (error: unknown) => error instanceof Conflict && error.reason === 'limit'
const value = (name: string) => `${name}-0123456789-0123456789`

describe('files of API keys', () => {
  for (const [says, text, rows] of [
    ['columns and lines', 'Key,name\na,b\r\nc,d', [['Key', 'name'], ['a', 'b'], ['c', 'd']]],
    ['quotes of both kinds hold commas, line ends and themselves', '"a,b",\'c,d\'\n"e\nf","g""h"\n', [['a,b', 'c,d'], ['e\nf', 'g"h']]],
    ['empty cells and lines', 'a,,\n\n,b\n', [['a', '', ''], ['', 'b']]],
    ['a cell after a last comma', 'a,', [['a', '']]],
    ['nothing', '', []],
  ] as const) test(`read ${says}`, () => assert.deepEqual(parseCsv(text), rows))

  test('refuse a quote that does not end', () => assert.throws(() => parseCsv('a,"b\nc'), { code: 'BadRequestException' }))
})

describe('periods of quotas', () => {
  for (const [says, quota, day, expected] of [
    ['a day begins with itself', { period: 'DAY', offset: 0 }, '2026-11-21', '2026-11-21'],
    ['a week begins on Sunday', { period: 'WEEK', offset: 0 }, '2026-11-21', '2026-11-15'],
    ['a Sunday begins its week', { period: 'WEEK', offset: 0 }, '2026-11-22', '2026-11-22'],
    ['a week from Monday on holds the Sunday after it', { period: 'WEEK', offset: 1 }, '2026-11-22', '2026-11-16'],
    ['a week from Saturday on', { period: 'WEEK', offset: 6 }, '2026-11-21', '2026-11-21'],
    ['a month begins on its first', { period: 'MONTH', offset: 0 }, '2026-03-31', '2026-03-01'],
    ['a month from the fifth on', { period: 'MONTH', offset: 4 }, '2026-03-05', '2026-03-05'],
    ['the days before belong to the last month\'s', { period: 'MONTH', offset: 4 }, '2026-03-04', '2026-02-05'],
    ['over the end of a year', { period: 'MONTH', offset: 27 }, '2027-01-27', '2026-12-28'],
  ] as readonly (readonly [string, Pick<Quota, 'period' | 'offset'>, string, string])[]) {
    test(says, () => assert.equal(dateOf(periodStart(quota, dayOfDate(day)!)), expected))
  }
})

eachDatabase('API keys', { migrations, transactionModules: [new URL('./store.ts', import.meta.url)] }, (open) => {
  const importing = (database: Database) => {
    const caller = createCaller(database)
    return { ...caller, load: (text: string, failOnWarnings = false) => caller.run('ImportApiKeys', { body: Buffer.from(text), format: 'csv', failOnWarnings }) }
  }

  test('a file without its columns, or with a row that cannot be taken when warnings fail it, brings nothing', async () => {
    const { run, load } = importing(await open())
    await assert.rejects(load('name,description\na,b\n'), { code: 'BadRequestException', message: 'API key file must have the columns Name and Key' })
    await assert.rejects(load(`name,key\na,${value('a')}\nb,short\n`, true), /^BadRequestException: Failed to import API keys due to warnings: Row 3: API Key value should be at least 20 characters$/)
    assert.deepEqual((await run('GetApiKeys', {}))['items'], [])
  })

  test('a file brings keys into plans, and says which rows it left out', async () => {
    const { run, load } = importing(await open())
    const [one, two] = await Promise.all(['one', 'two'].map((name) => run('CreateUsagePlan', { name }))) as [Answer, Answer]
    const imported = await load([
      '\uFEFFEnabled,Name,key,UsageplanIds,description,unknown',
      `true,First,${value('first')},"${one['id']},${two['id']}",an imported key,x`,
      `FALSE,Second,${value('second')},,,`,
      `,Third,${value('third')},nope,,`,
      ',Fourth,short,,,',
    ].join('\r\n'))
    assert.equal(imported['ids'].length, 3)
    assert.deepEqual(imported['warnings'], ['Row 4: Invalid Usage Plan ID specified: nope', 'Row 5: API Key value should be at least 20 characters'])
    const { items } = await run('GetApiKeys', { includeValues: true })
    const shown = Object.fromEntries((items as Answer[]).map((key) => [key['name'], [key['enabled'], key['value'], key['description']]]))
    assert.deepEqual(shown, { First: [true, value('first'), 'an imported key'], Second: [false, value('second'), undefined], Third: [true, value('third'), undefined] })
    assert.equal(((await run('GetUsagePlans', { keyId: imported['ids'][0] }))['items'] as Answer[]).length, 2)
  })

  test('a value that is known is the same key with what the newer file says', async () => {
    const { run, load } = importing(await open())
    const first = await load(`Key,name\n${value('k')},Old\n`)
    const second = await load(`Key,name,enabled\n${value('k')},New,false\n`)
    assert.deepEqual(second['ids'], first['ids'])
    const key = await run('GetApiKey', { apiKey: first['ids'][0], includeValue: true })
    assert.deepEqual([key['name'], key['enabled'], key['value']], ['New', false, value('k')])
  })

  test('lists of keys, plans and keys of plans go on where a page ended', async () => {
    const { run } = createCaller(await open())
    const { id: usagePlanId } = await run('CreateUsagePlan', { name: 'p0' })
    for (const name of ['a', 'b', 'c']) {
      const { id: keyId } = await run('CreateApiKey', { name })
      await run('CreateUsagePlanKey', { usagePlanId, keyId, keyType: 'API_KEY' })
      await run('CreateUsagePlan', { name: `p${name}` })
    }
    for (const [operation, input, count] of [['GetApiKeys', {}, 3], ['GetUsagePlans', {}, 4], ['GetUsagePlanKeys', { usagePlanId }, 3]] as const) {
      const names: unknown[] = []
      let position: unknown
      do {
        const page = await run(operation, { ...input, limit: 2, position })
        names.push(...(page['items'] as Answer[]).map(({ name }) => name))
        position = page['position']
      } while (position !== undefined)
      assert.deepEqual([names.length, new Set(names).size], [count, count], operation)
    }
  })

  test('keys and plans have tags', async () => {
    const { run } = createCaller(await open())
    const { id: keyId } = await run('CreateApiKey', { tags: { a: '1' } })
    const { id: planId } = await run('CreateUsagePlan', { name: 'p', tags: { a: '1' } })
    for (const resourceArn of [`arn:aws:apigateway:us-east-1::/apikeys/${keyId}`, `arn:aws:apigateway:us-east-1::/usageplans/${planId}`]) {
      await run('TagResource', { resourceArn, tags: { b: '2' } })
      await run('UntagResource', { resourceArn, tagKeys: ['a'] })
      assert.deepEqual(await run('GetTags', { resourceArn }), { tags: { b: '2' } })
      await assert.rejects(run('GetTags', { resourceArn: `${resourceArn}x` }), { code: 'NotFoundException' })
    }
  })

  test('a key of another account or region is not there', async () => {
    const database = await open()
    const { id: apiKey } = await createCaller(database).run('CreateApiKey', {})
    await assert.rejects(createCaller(database, { region: 'eu-west-1' }).run('GetApiKey', { apiKey }), { code: 'NotFoundException' })
  })

  test('stages of WebSocket APIs are another service\'s: it says which there are, and when they are no more', async () => {
    const there = new Set(['socket/prod', 'socket/dev'])
    const { run, usagePlans } = createCaller(await open(), { socketStages: { exists: async ({ accountId, region, apiId, stageName }) => accountId === scope.accountId && region === scope.region && there.has(`${apiId}/${stageName}`) } })
    const stages = (...names: string[]) => names.map((stage) => ({ apiId: 'socket', stage }))
    await assert.rejects(run('CreateUsagePlan', { name: 'p', apiStages: stages('prod', 'beta') }), { code: 'NotFoundException', message: /^Invalid API Stage {api: socket, stage: beta} specified for usageplan / })
    const { id: usagePlanId, apiStages } = await run('CreateUsagePlan', { name: 'p', apiStages: stages('prod', 'dev') }) as { id: string, apiStages: unknown }
    assert.deepEqual(apiStages, stages('prod', 'dev'))
    const patch = (op: string, path: string, value: string) => run('UpdateUsagePlan', { usagePlanId, patchOperations: [{ op, path, value }] })
    await assert.rejects(patch('add', '/apiStages', 'socket:beta'), { code: 'NotFoundException' })
    there.clear()
    // One that the plan has already is not asked for again.
    await patch('replace', '/name', 'q')
    await usagePlans.detach({ apiId: 'socket', stageNames: ['prod', 'none'] })
    assert.deepEqual((await run('GetUsagePlan', { usagePlanId }))['apiStages'], stages('dev'))
    await patch('remove', '/apiStages', 'socket:dev')
    await run('DeleteUsagePlan', { usagePlanId })
  })

  test('an account has only so many keys and plans, a key so many plans, a plan so many stages, an answer so many days', async () => {
    const database = await open()
    const { run } = createCaller(database)
    const { id: usagePlanId } = await run('CreateUsagePlan', { name: 'first' }) as { id: string }
    const { id: keyId } = await run('CreateApiKey', {}) as { id: string }
    const now = { ...scope, createdAtMs: 1, lastUpdatedAtMs: 1, tags: {} }
    const key = { key: { ...now, id: 'k', enabled: true }, fingerprint: 'f', sealedValue: 's', planIds: [] }
    await assert.rejects(database.transact(transactions.insertKeys, { keys: [key], keysMax: 1, overwrites: false, plansMax: 9 }), limit)
    await assert.rejects(database.transact(transactions.insertPlan, { plan: { ...now, id: 'p', name: 'p', apiStages: [] }, plansMax: 1, restStages: [] }), limit)
    await run('CreateUsagePlanKey', { usagePlanId, keyId, keyType: 'API_KEY' })
    const { id: second } = await run('CreateUsagePlan', { name: 'second' }) as { id: string }
    await assert.rejects(database.transact(transactions.insertPlanKey, { ...scope, planId: second, keyId, plansMax: 1 }), limit)
    const apiStages = Array.from({ length: STAGES_PER_PLAN_MAX + 1 }, (_, index) => ({ apiId: 'a', stage: `s${index}` }))
    await assert.rejects(run('CreateUsagePlan', { name: 'p', apiStages }), { code: 'LimitExceededException' })
    const usage = (endDate: string) => run('GetUsage', { usagePlanId, startDate: '2026-01-01', endDate })
    await usage('2027-01-01')
    await assert.rejects(usage('2027-01-02'), { code: 'BadRequestException', message: 'Invalid date range specified: more than 366 days' })
  })

  test('what each operation needs permission for', async () => {
    const { permissions } = createCaller(await open())
    const needed = async (operation: string, input: Record<string, unknown>) => (await permissions(operation, input)).map(({ action, resource }) => `${action} ${resource}`)
    const at = 'arn:aws:apigateway:us-east-1::'
    assert.deepEqual(await needed('ImportApiKeys', {}), [`apigateway:POST ${at}/apikeys`])
    assert.deepEqual(await needed('UpdateApiKey', { apiKey: 'k' }), [`apigateway:PATCH ${at}/apikeys/k`])
    assert.deepEqual(await needed('CreateUsagePlanKey', { usagePlanId: 'p', keyId: 'k' }), [`apigateway:POST ${at}/usageplans/p/keys`])
    assert.deepEqual(await needed('GetUsage', { usagePlanId: 'p' }), [`apigateway:GET ${at}/usageplans/p/usage`])
    assert.deepEqual(await needed('UpdateUsage', { usagePlanId: 'p', keyId: 'k' }), [`apigateway:PATCH ${at}/usageplans/p/keys/k/usage`])
  })
})
