// Limits on both engines: exactly as many requests as they allow, few writes, little lost in a crash, and several processes on one store.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { systemClock, type Clock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import { createSealer } from '#lib/seal.ts'
import type { Database, Store } from '#storage/database.ts'
import { openDatabase } from '#storage/open.ts'
import { eachDatabase } from '#test/support/each-database.ts'
import { createCaller, type Answer, type TestCaller } from './caller.testing.ts'
import { createMetering, type KeyGrant, type MeteredRequest, type OwnMetering, type RefusingLimit } from './metering.ts'
import { migrations } from './migrations.ts'
import { transactions } from './store.ts'

const options = { migrations, transactionModules: [new URL('./store.ts', import.meta.url)] }
const scope = { accountId: '000000000000', region: 'us-east-1' }
const sealer = createSealer(Buffer.alloc(32, 7))
const noon = Date.parse('2026-11-21T12:00:00Z')

/** A clock that the test moves. Sleepers sleep until they are woken by the end. */
function clockAt(atMs: number): Clock & { ms: number } {
  return {
    ms: atMs,
    now() { return this.ms },
    monotonic() { return this.ms },
    sleep: (_ms, signal) => new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
  }
}

/** Another process on the store. */
function processOn(database: Database, clock: Clock): OwnMetering {
  return createMetering({ database, clock, random: systemRandom, sealer, onFailure: (error) => { throw error } })
}

interface Planned { run: TestCaller['run'], planId: string, keyId: string, value: string, request: MeteredRequest }

/** An API `GET /` on the stage `dev`, a plan for it and a key of the plan. */
async function planned(database: Database, plan: Record<string, unknown>, clock: Clock = systemClock): Promise<Planned> {
  const { run } = createCaller(database, { clock })
  const { id: restApiId, rootResourceId: resourceId } = await run('CreateRestApi', { name: 'a' }) as { id: string, rootResourceId: string }
  await run('PutMethod', { restApiId, resourceId, httpMethod: 'GET', authorizationType: 'NONE', apiKeyRequired: true })
  await run('PutIntegration', { restApiId, resourceId, httpMethod: 'GET', type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' } })
  await run('CreateDeployment', { restApiId, stageName: 'dev' })
  const { id: planId } = await run('CreateUsagePlan', { name: 'p', apiStages: [{ apiId: restApiId, stage: 'dev' }], ...plan }) as { id: string }
  const { id: keyId, value } = await run('CreateApiKey', { enabled: true }) as { id: string, value: string }
  await run('CreateUsagePlanKey', { usagePlanId: planId, keyId, keyType: 'API_KEY' })
  const stage = { ...scope, apiId: restApiId, stageName: 'dev' }
  return { run, planId, keyId, value, request: { ...stage, resourcePath: '/', httpMethod: 'GET', methodLimit: undefined, grant: undefined } }
}

async function grantOf(metering: OwnMetering, { request, value }: Planned): Promise<KeyGrant> {
  const found = await metering.findKey(request, value)
  assert.equal(found.is, 'granted')
  return (found as { grant: KeyGrant }).grant
}

/** Sends requests at once; answers how many passed and what refused the others. */
async function send(metering: OwnMetering, plan: Planned, count: number): Promise<{ admitted: number, refusedBy: RefusingLimit[] }> {
  const grant = await grantOf(metering, plan)
  const answers = await Promise.all(Array.from({ length: count }, () => metering.admit({ ...plan.request, grant })))
  const refusedBy = answers.filter((one) => one !== undefined)
  return { admitted: count - refusedBy.length, refusedBy: [...new Set(refusedBy)] }
}

/** Counts writes. */
function counted(database: Database): Database & { writes: number } {
  return {
    engine: database.engine,
    writes: 0,
    query: (statement) => database.query(statement),
    transact(transaction, args) {
      this.writes += 1
      return database.transact(transaction, args)
    },
    onChange: (listener) => database.onChange(listener),
    close: () => database.close(),
  }
}

const today = { startDate: '2026-11-21', endDate: '2026-11-21' }
const usageOf = async ({ run, planId, keyId }: Planned, days: object = today) => ((await run('GetUsage', { usagePlanId: planId, ...days })) as Answer)['items'][keyId] as number[][]

eachDatabase('limits', options, (open, freshEngine) => {
  test('a quota admits exactly its number, however requests arrive, and then refuses each', async () => {
    const clock = clockAt(noon)
    const database = await open()
    const plan = await planned(database, { quota: { limit: 137, period: 'DAY' } }, clock)
    const metering = processOn(database, clock)
    let admitted = 0
    for (const count of [1, 1, 3, 60, 1, 90]) admitted += (await send(metering, plan, count)).admitted
    assert.equal(admitted, 137)
    assert.deepEqual(await send(metering, plan, 5), { admitted: 0, refusedBy: ['quota'] })
    assert.deepEqual(await usageOf(plan), [[137, 0]])
  })

  test('two processes share a quota and together admit exactly its number', async () => {
    const clock = clockAt(noon)
    const engine = await freshEngine()
    const first = await openDatabase({ ...options, engine, store: 'core', clock: systemClock })
    // A SQLite file has one writing process; there both share the connection too.
    const second: Store = 'url' in engine ? await openDatabase({ ...options, engine, store: 'core', clock: systemClock }) : first
    try {
      const plan = await planned(first, { quota: { limit: 150, period: 'MONTH' } }, clock)
      const processes = [processOn(first, clock), processOn(second, clock)]
      let admitted = 0
      for (let round = 0; round < 30; round++) {
        const answers = await Promise.all(processes.map((metering) => send(metering, plan, 1 + round % 5)))
        admitted += answers.reduce((sum, answer) => sum + answer.admitted, 0)
        assert.ok(admitted <= 150)
      }
      // What one still holds is not lost: it goes back, and the other gets it.
      for (const metering of processes) await metering.close()
      clock.ms += 2_000
      admitted += (await send(processOn(second, clock), plan, 150)).admitted
      assert.equal(admitted, 150)
      assert.deepEqual(await usageOf(plan), [[150, 0]])
    } finally {
      if (second !== first) await second.close()
      await first.close()
    }
  })

  test('a crash wastes at most one lease of a quota and never admits one more; usage tells what was charged', async () => {
    const clock = clockAt(noon)
    const database = await open()
    const plan = await planned(database, { quota: { limit: 300, period: 'WEEK' } }, clock)
    const before = await send(processOn(database, clock), plan, 100)
    assert.equal(before.admitted, 100)
    const [[charged]] = await usageOf(plan) as [[number]]
    assert.ok(charged >= 100 && charged <= 130, `${charged} charged`)
    const after = await send(processOn(database, clock), plan, 300)
    assert.equal(after.admitted, 300 - charged)
    assert.deepEqual(await usageOf(plan), [[300, 0]])
  })

  test('a lease is at most a tenth of what is left and what was asked for, and one near the limit', async () => {
    const database = await open()
    const { planId, keyId } = await planned(database, {})
    const take = (want: number) => database.transact(transactions.takeQuota, { planId, keyId, day: 1, periodStart: 1, limit: 100, want, back: undefined })
    const leases: number[] = []
    for (let lease = await take(1_000); lease > 0; lease = await take(1_000)) leases.push(lease)
    assert.deepEqual([leases.slice(0, 3), leases.reduce((sum, lease) => sum + lease, 0)], [[10, 9, 8], 100])
    assert.ok(leases.slice(-18).every((lease) => lease === 1))
    const tokens = (holder: string, want: number, nowMs = 0) => database.transact(transactions.takeTokens, {
      owner: 'p', name: 'b', holder, rate: 10, burst: 40, nowMs, untilMs: nowMs + 1_000, want, unspent: 0,
    })
    assert.deepEqual(await tokens('a', 2), { granted: 2, againAtMs: undefined })
    assert.deepEqual(await tokens('a', 99), { granted: 3, againAtMs: undefined })
    assert.deepEqual(await tokens('b', 99), { granted: 3, againAtMs: undefined })
    assert.equal(await database.transact(transactions.takeQuota, { planId, keyId: 'of no plan', day: 1, periodStart: 1, limit: 100, want: 1, back: undefined }), 0)
  })

  test('usage agrees with what was admitted as soon as it is asked for in the same process', async () => {
    const clock = clockAt(noon)
    const database = await open()
    const { run, metering, close } = createCaller(database, { clock })
    const plan = { ...await planned(database, { quota: { limit: 1_000, period: 'DAY' } }, clock), run }
    assert.equal((await send(metering as OwnMetering, plan, 77)).admitted, 77)
    assert.equal((await send(metering as OwnMetering, plan, 1)).admitted, 1)
    assert.deepEqual(await usageOf(plan), [[78, 922]])
    await close()
  })

  test('a quota begins anew with its period, and days add up within it', async () => {
    const clock = clockAt(Date.parse('2026-11-21T23:59:59Z'))
    const database = await open()
    // The 21st is a Saturday; the week begins on Monday, the 23rd.
    const plan = await planned(database, { quota: { limit: 10, period: 'WEEK', offset: 1 } }, clock)
    const metering = processOn(database, clock)
    assert.equal((await send(metering, plan, 6)).admitted, 6)
    clock.ms = Date.parse('2026-11-22T00:00:01Z')
    assert.equal((await send(metering, plan, 6)).admitted, 4)
    clock.ms = Date.parse('2026-11-23T00:00:00Z')
    assert.equal((await send(metering, plan, 12)).admitted, 10)
    assert.deepEqual(await usageOf(plan, { startDate: '2026-11-20', endDate: '2026-11-23' }), [[0, 10], [6, 4], [4, 0], [10, 0]])
  })

  test('an extension counts at the next request, in its own period only', async () => {
    const clock = clockAt(noon)
    const database = await open()
    const { run, metering } = createCaller(database, { clock })
    const plan = { ...await planned(database, { quota: { limit: 2, period: 'DAY' } }, clock), run }
    const remaining = (value: string) => run('UpdateUsage', { usagePlanId: plan.planId, keyId: plan.keyId, patchOperations: [{ op: 'replace', path: '/remaining', value }] })
    assert.equal((await send(metering as OwnMetering, plan, 3)).admitted, 2)
    assert.deepEqual((await remaining('3'))['items'], { [plan.keyId]: [[2, 3]] })
    assert.equal((await send(metering as OwnMetering, plan, 9)).admitted, 3)
    await remaining('1')
    await remaining('0')
    assert.equal((await send(metering as OwnMetering, plan, 1)).admitted, 0)
    clock.ms += 86_400_000
    assert.equal((await send(metering as OwnMetering, plan, 9)).admitted, 2)
  })

  test('a larger quota counts at the next request', async () => {
    const database = await open()
    const { run, metering } = createCaller(database)
    const plan = { ...await planned(database, { quota: { limit: 1, period: 'DAY' } }), run }
    assert.equal((await send(metering as OwnMetering, plan, 2)).admitted, 1)
    await run('UpdateUsagePlan', { usagePlanId: plan.planId, patchOperations: [{ op: 'replace', path: '/quota/limit', value: '4' }] })
    assert.equal((await send(metering as OwnMetering, plan, 9)).admitted, 3)
  })

  test('a throttle admits its burst, then one for each refill; refused requests ask the store nothing', async () => {
    const clock = clockAt(noon)
    const database = counted(await open())
    const plan = await planned(database, { throttle: { rateLimit: 2, burstLimit: 3 } }, clock)
    const metering = processOn(database, clock)
    assert.deepEqual(await send(metering, plan, 10), { admitted: 3, refusedBy: ['key throttle'] })
    const { writes } = database
    assert.equal((await send(metering, plan, 50)).admitted, 0)
    clock.ms += 499
    assert.equal((await send(metering, plan, 50)).admitted, 0)
    assert.equal(database.writes, writes)
    clock.ms += 1
    assert.equal((await send(metering, plan, 50)).admitted, 1)
    clock.ms += 60_000
    assert.equal((await send(metering, plan, 50)).admitted, 3)
  })

  test('a bucket outlives its process', async () => {
    const clock = clockAt(noon)
    const database = await open()
    const plan = await planned(database, { throttle: { rateLimit: 1, burstLimit: 20 } }, clock)
    assert.equal((await send(processOn(database, clock), plan, 20)).admitted, 20)
    clock.ms += 3_000
    assert.equal((await send(processOn(database, clock), plan, 20)).admitted, 3)
  })

  test('no process, alone or beside another, ever admits more than burst and rate allow in any time', async () => {
    const database = await open()
    let round = 0
    await fc.assert(fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 40 }),
      fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 1_500 }), count: fc.integer({ min: 1, max: 40 }), process: fc.integer({ min: 0, max: 1 }), crash: fc.boolean() }), { minLength: 1, maxLength: 15 }),
      async (burst, rate, arrivals) => {
        const clock = clockAt(noon + round++ * 100_000_000)
        const grant = { keyId: `k${round}`, planId: 'p', throttle: { rateLimit: rate, burstLimit: burst }, methodThrottles: {}, quota: undefined }
        const request = { ...scope, apiId: 'a', stageName: 's', resourcePath: '/', httpMethod: 'GET', methodLimit: undefined, grant }
        const processes = [processOn(database, clock), processOn(database, clock)]
        const admitted: { atMs: number, count: number }[] = []
        for (const { waitMs, count, process, crash } of arrivals) {
          clock.ms += waitMs
          if (crash) processes[process] = processOn(database, clock)
          const answers = await Promise.all(Array.from({ length: count }, () => processes[process]!.admit(request)))
          admitted.push({ atMs: clock.ms, count: answers.filter((answer) => answer === undefined).length })
        }
        admitted.forEach((from, index) => {
          let sum = 0
          for (const { atMs, count } of admitted.slice(index)) {
            sum += count
            assert.ok(sum <= burst + rate * (atMs - from.atMs) / 1000 + 1e-6, `${sum} in ${atMs - from.atMs} ms with ${burst} and ${rate}/s`)
          }
        })
      },
    ), { numRuns: 25 })
  })

  test('requests under large limits need few writes', async () => {
    const clock = clockAt(noon)
    const database = counted(await open())
    const plan = await planned(database, { throttle: { rateLimit: 5_000, burstLimit: 2_000 }, quota: { limit: 1_000_000, period: 'DAY' } }, clock)
    const metering = processOn(database, clock)
    await send(metering, plan, 1)
    const { writes } = database
    let admitted = 0
    for (let round = 0; round < 150; round++) {
      clock.ms += 2
      admitted += (await send(metering, plan, 10)).admitted
    }
    assert.equal(admitted, 1_500)
    assert.ok(database.writes - writes < 60, `${database.writes - writes} writes`)
  })

  test('a method that the plan sets apart has a bucket of its own in place of the plan\'s', async () => {
    const clock = clockAt(noon)
    const database = await open()
    const plan = await planned(database, { throttle: { rateLimit: 1, burstLimit: 5 } }, clock)
    const stage = `${plan.request.apiId}:dev`
    await plan.run('UpdateUsagePlan', { usagePlanId: plan.planId, patchOperations: [
      { op: 'replace', path: `/apiStages/${stage}/throttle/~1pets~1{id}/GET/rateLimit`, value: '1' },
      { op: 'replace', path: `/apiStages/${stage}/throttle//pets/{id}/GET/burstLimit`, value: '2' },
    ] })
    const metering = processOn(database, clock)
    const pets = { ...plan, request: { ...plan.request, resourcePath: '/pets/{id}' } }
    assert.deepEqual(await send(metering, pets, 9), { admitted: 2, refusedBy: ['key throttle'] })
    assert.deepEqual(await send(metering, plan, 9), { admitted: 5, refusedBy: ['key throttle'] })
  })

  test('a stage\'s settings limit each method for itself, -1 lifts the limit, and what they refuse uses up no quota', async () => {
    const clock = clockAt(noon)
    const database = await open()
    const { run, metering } = createCaller(database, { clock })
    const plan = { ...await planned(database, { quota: { limit: 10, period: 'DAY' } }, clock), run }
    const limited = { ...plan, request: { ...plan.request, methodLimit: { rateLimit: 1, burstLimit: 2 } } }
    assert.deepEqual(await send(metering as OwnMetering, limited, 9), { admitted: 2, refusedBy: ['method throttle'] })
    assert.equal((await send(metering as OwnMetering, { ...limited, request: { ...limited.request, httpMethod: 'PUT' } }, 9)).admitted, 2)
    assert.deepEqual(await usageOf(plan), [[4, 6]])
    assert.equal((await send(metering as OwnMetering, { ...limited, request: { ...limited.request, methodLimit: { rateLimit: -1, burstLimit: -1 } } }, 9)).admitted, 6)
  })

  test('an account has 5,000 requests at once, whatever its stages allow', async () => {
    const clock = clockAt(noon)
    const metering = processOn(await open(), clock)
    const request = { ...scope, apiId: 'a', stageName: 's', resourcePath: '/', httpMethod: 'GET', methodLimit: { rateLimit: 20_000, burstLimit: 9_000 }, grant: undefined }
    const refused: (RefusingLimit | undefined)[] = []
    for (let count = 0; count < 5_001; count++) refused.push(await metering.admit(request))
    assert.deepEqual([refused.indexOf('account throttle'), refused.length], [5_000, 5_001])
    assert.equal(await metering.admit({ ...request, region: 'eu-west-1' }), undefined)
    clock.ms += 1
    assert.equal(await metering.admit(request), undefined)
  })

  test('a key is refused at the request after it was disabled, removed from its plan, or deleted, and its plan after its stage', async () => {
    const database = await open()
    const metering = processOn(database, systemClock)
    const plan = await planned(database, {})
    const { run, planId, keyId, value, request } = plan
    const enabled = (to: string) => run('UpdateApiKey', { apiKey: keyId, patchOperations: [{ op: 'replace', path: '/enabled', value: to }] })
    const why = async () => {
      const found = await metering.findKey(request, value)
      return found.is === 'granted' ? 'granted' : found.because
    }
    assert.equal(await why(), 'granted')
    await enabled('false')
    assert.equal(await why(), 'disabled key')
    await enabled('true')
    assert.equal(await why(), 'granted')
    await run('DeleteUsagePlanKey', { usagePlanId: planId, keyId })
    assert.equal(await why(), 'no usage plan for this stage')
    await run('CreateUsagePlanKey', { usagePlanId: planId, keyId, keyType: 'API_KEY' })
    assert.equal(await why(), 'granted')
    assert.equal((await metering.findKey({ ...request, stageName: 'other' }, value)).is, 'refused')
    assert.equal((await metering.findKey({ ...request, region: 'eu-west-1' }, value)).is, 'refused')
    await run('DeleteStage', { restApiId: request.apiId, stageName: 'dev' })
    assert.equal(await why(), 'no usage plan for this stage')
    assert.deepEqual((await run('GetUsagePlan', { usagePlanId: planId }))['apiStages'], [])
    await run('DeleteApiKey', { apiKey: keyId })
    assert.equal(await why(), 'unknown key')
    assert.deepEqual((await run('GetUsagePlanKeys', { usagePlanId: planId }))['items'], [])
  })

  test('the value of a key is stored neither as it is nor under a hash that anyone could make', async () => {
    const database = await open()
    const { value } = await planned(database, {})
    const rows = await database.query({ text: 'select * from apigateway_keys', values: [] })
    const stored = JSON.stringify(rows)
    assert.equal(rows.length, 1)
    for (const secret of [value, Buffer.from(value).toString('base64url'), ...['hex', 'base64url'].map((form) => createHash('sha256').update(value).digest(form as 'hex'))]) {
      assert.ok(!stored.includes(secret))
    }
  })
})
