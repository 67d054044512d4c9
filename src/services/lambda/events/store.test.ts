// Events in the store: leases, retries, what is given up, and how functions want theirs treated; on both engines.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eachDatabase } from '#test/support/each-database.ts'
import type { Store } from '#storage/database.ts'
import { migrations } from './migrations.ts'
import type { QueuedEvent } from './model.ts'
import { countEvents, findConfig, findEvent, listConfigs, listGivenUp, listQueues, listWaiting, transactions } from './store.ts'

const accountId = '000000000000'
const key = { accountId, region: 'us-east-1', name: 'f' }
const payload = Buffer.from('{"a":"\\u0000"}')
const eventOf = (id: string, changes: Partial<QueuedEvent> = {}): QueuedEvent => ({ id, ...key, acceptedAtMs: 1_000, attempts: 0, refusals: 0, traceHeader: 't', ...changes })
const accept = (store: Store, id: string, changes: Partial<QueuedEvent> = {}, { dueAtMs = 1_000, lease = '' } = {}) =>
  store.transact(transactions.accept, { event: eventOf(id, changes), payload, dueAtMs, lease })
const claim = async (store: Store, lease: string, { nowMs = 2_000, limit = 10, name = 'f' } = {}) =>
  (await store.transact(transactions.claim, { queues: [{ queue: `${accountId}/us-east-1/${name}`, limit }], nowMs, untilMs: nowMs + 30_000, lease })).map(({ event }) => event.id).sort()
const conflicts = (promise: Promise<unknown>, reason: string) => assert.rejects(promise, { name: 'Conflict', reason })

eachDatabase('events', { migrations, transactionModules: [new URL('./store.ts', import.meta.url)] }, (open) => {
  test('are accepted once', async () => {
    const store = await open()
    await accept(store, 'r')
    await conflicts(accept(store, 'r'), 'event exists')
    const [claimed] = await store.transact(transactions.claim, { queues: [{ queue: `${accountId}/us-east-1/f`, limit: 1 }], nowMs: 1_000, untilMs: 2_000, lease: 'p' })
    assert.deepEqual(claimed!.event, eventOf('r'))
    assert.deepEqual(Buffer.from(claimed!.payload), payload)
  })

  test('are leased to one process until it lets go or its time is over', async () => {
    const store = await open()
    await accept(store, 'r')
    await accept(store, 'later', {}, { dueAtMs: 5_000 })
    assert.deepEqual(await claim(store, 'one'), ['r'])
    assert.deepEqual(await claim(store, 'two'), [])
    assert.deepEqual(await claim(store, 'one', { nowMs: 40_000 }), ['later'], 'nobody takes an event twice at once')
    await store.transact(transactions.renew, { ids: ['r'], lease: 'one', untilMs: 60_000 })
    assert.deepEqual(await claim(store, 'two', { nowMs: 59_999 }), [])
    assert.deepEqual(await claim(store, 'two', { nowMs: 70_001 }), ['later', 'r'])
    const end = { id: 'r', lease: 'one', deliveries: [] }
    assert.equal(await store.transact(transactions.complete, end), false, 'whoever lost its lease ends nothing')
    assert.equal(await store.transact(transactions.putBack, { event: eventOf('r'), dueAtMs: 1, lease: 'one' }), false)
    assert.equal(await store.transact(transactions.complete, { ...end, lease: 'two' }), true)
    assert.equal(await findEvent(store, 'r'), undefined)
  })

  test('are taken in the order in which they are due, of each function so many', async () => {
    const store = await open()
    for (const [id, dueAtMs] of [['c', 30], ['a', 10], ['b', 20]] as const) await accept(store, id, {}, { dueAtMs })
    await accept(store, 'g1', { name: 'g' })
    assert.deepEqual((await listQueues(store)), [{ queue: `${accountId}/us-east-1/f`, dueAtMs: 10 }, { queue: `${accountId}/us-east-1/g`, dueAtMs: 1_000 }])
    assert.deepEqual(Object.fromEntries(await countEvents(store)), { [`${accountId}/us-east-1/f`]: 3, [`${accountId}/us-east-1/g`]: 1 })
    assert.deepEqual(await claim(store, 'p', { limit: 2 }), ['a', 'b'])
  })

  test('wait again with what is known of the attempt', async () => {
    const store = await open()
    await accept(store, 'r')
    await claim(store, 'p')
    await store.transact(transactions.putBack, { event: eventOf('r', { attempts: 1, lastError: 'Error: no' }), dueAtMs: 61_000, lease: 'p' })
    assert.deepEqual(await claim(store, 'p', { nowMs: 60_999 }), [])
    const { event, turn } = (await findEvent(store, 'r'))!
    assert.deepEqual([event.attempts, event.lastError, turn], [1, 'Error: no', { dueAtMs: 61_000, lease: '' }])
    assert.deepEqual(await claim(store, 'p', { nowMs: 61_000 }), ['r'])
  })

  test('of a process that is no more are free at once where there is no other', async () => {
    const store = await open()
    await accept(store, 'r', {}, { dueAtMs: 99_000, lease: 'dead' })
    await store.transact(transactions.releaseAll, { dueAtMs: 1_000 })
    assert.deepEqual(await claim(store, 'p'), ['r'])
  })

  test('are done with together with what they lead to, or not at all', async () => {
    const store = await open()
    await accept(store, 'r')
    await claim(store, 'p')
    const deliveries = [{ event: eventOf('record', { name: 'destination' }), payload: Buffer.from('{}') }]
    await store.transact(transactions.complete, { id: 'r', lease: 'other', deliveries })
    assert.equal(await findEvent(store, 'record'), undefined)
    await store.transact(transactions.complete, { id: 'r', lease: 'p', deliveries })
    assert.deepEqual(await claim(store, 'p', { name: 'destination' }), ['record'])
  })

  test('that are given up are listed, can be had again, and are forgotten in time', async () => {
    const store = await open()
    for (const [id, givenUpAtMs] of [['old', 10], ['new', 20]] as const) {
      await accept(store, id)
      await claim(store, 'p')
      const event = { ...eventOf(id, { attempts: 3 }), givenUpAtMs, condition: 'RetriesExhausted' as const, undelivered: ['why'] }
      await store.transact(transactions.giveUp, { id, lease: 'p', deliveries: [], event, payload })
    }
    assert.deepEqual(await listWaiting(store, { accountId, limit: 10 }), [])
    assert.deepEqual((await listGivenUp(store, { accountId, limit: 10 })).map(({ event }) => event.id), ['new', 'old'])
    assert.deepEqual(await listGivenUp(store, { accountId: '111111111111', limit: 10 }), [])
    await conflicts(store.transact(transactions.retry, { id: 'new', accountId: '111111111111', nowMs: 5_000 }), 'event missing')
    const again = await store.transact(transactions.retry, { id: 'new', accountId, nowMs: 5_000 })
    assert.deepEqual(again, eventOf('new', { acceptedAtMs: 5_000 }))
    assert.deepEqual(await claim(store, 'p', { nowMs: 5_000 }), ['new'])
    assert.equal(await store.transact(transactions.prune, { beforeMs: 10, keptMax: 10, limit: 100 }), 0)
    assert.equal(await store.transact(transactions.prune, { beforeMs: 11, keptMax: 10, limit: 100 }), 1)
    assert.deepEqual(await listGivenUp(store, { accountId, limit: 10 }), [])
  })

  test('that are given up are forgotten beyond so many, the oldest first', async () => {
    const store = await open()
    for (const at of [1, 2, 3, 4, 5]) {
      await accept(store, `r${at}`)
      await claim(store, 'p')
      await store.transact(transactions.giveUp, { id: `r${at}`, lease: 'p', deliveries: [], payload, event: { ...eventOf(`r${at}`), givenUpAtMs: at, condition: 'EventAgeExceeded' } })
    }
    await store.transact(transactions.prune, { beforeMs: 0, keptMax: 2, limit: 100 })
    assert.deepEqual((await listGivenUp(store, { accountId, limit: 10 })).map(({ event }) => event.id), ['r5', 'r4'])
  })

  test('are treated as each version or alias wants it', async () => {
    const store = await open()
    const config = { lastModifiedMs: 1, maximumRetryAttempts: 1, onFailure: 'arn' }
    await conflicts(store.transact(transactions.updateConfig, { key, qualifier: '$LATEST', change: { lastModifiedMs: 2 } }), 'config missing')
    await conflicts(store.transact(transactions.deleteConfig, { key, qualifier: '$LATEST' }), 'config missing')
    await store.transact(transactions.putConfig, { key, qualifier: '$LATEST', config })
    assert.deepEqual(await store.transact(transactions.updateConfig, { key, qualifier: '$LATEST', change: { lastModifiedMs: 2, maximumEventAgeSeconds: 60 } }), { ...config, lastModifiedMs: 2, maximumEventAgeSeconds: 60 })
    await store.transact(transactions.putConfig, { key, qualifier: 'live', config })
    assert.deepEqual((await listConfigs(store, { ...key, after: '', limit: 10 })).map(({ qualifier }) => qualifier), ['$LATEST', 'live'])
    assert.deepEqual((await listConfigs(store, { ...key, after: '$LATEST', limit: 10 })).map(({ qualifier }) => qualifier), ['live'])
    await store.transact(transactions.putConfig, { key, qualifier: 'live', config: { lastModifiedMs: 3 } })
    assert.deepEqual(await findConfig(store, key, 'live'), { lastModifiedMs: 3 }, 'a new one replaces the whole')
    await store.transact(transactions.deleteConfig, { key, qualifier: 'live' })
    assert.equal(await findConfig(store, key, 'live'), undefined)
  })
})
