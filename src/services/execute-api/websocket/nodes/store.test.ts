// Processes that share a store: their tags, what they ask each other, and what is taken, answered and given up; on both engines.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Store } from '#storage/database.ts'
import { eachDatabase } from '#test/support/each-database.ts'
import type { NodeRequest } from './messages.ts'
import { migrations } from './migrations.ts'
import { listAlive, listAnswers, transactions } from './store.ts'

const key = { connectionId: 'ownrBBBBBBBBBBB=', apiId: 'a1b2c3d4e5', stageName: 'with "quotes" and \u0000' }
const requestOf = (number: number, changes: Partial<NodeRequest> = {}): NodeRequest =>
  ({ askingTag: 'askr', number, ownerTag: 'ownr', kind: 'send', key, message: new Uint8Array([0, number, 255]), deadlineMs: 10_000, ...changes })
const ask = (store: Store, ...requests: NodeRequest[]) => store.transact(transactions.ask, { requests, nowMs: 1_000 })
const take = (store: Store, { ownerTag = 'ownr', limit = 10, nowMs = 2_000 } = {}) => store.transact(transactions.take, { ownerTag, limit, nowMs })
const withdraw = (store: Store, number: number, { nowMs = 10_000 } = {}) => store.transact(transactions.withdraw, { requests: [{ askingTag: 'askr', number, ownerTag: 'ownr' }], nowMs })
const claim = (store: Store, tag: string, aliveUntilMs = 16_000) => store.transact(transactions.claim, { tag, aliveUntilMs })
const answers = async (store: Store, askingTag = 'askr') => (await listAnswers(store, { askingTag, limit: 10 })).sort((a, b) => a.number - b.number)

eachDatabase('requests between processes', { migrations, transactionModules: [new URL('./store.ts', import.meta.url)] }, (open) => {
  describe('refuses', () => {
    test('a tag that another process has, had, or left, until it is swept', async () => {
      const store = await open()
      assert.equal(await claim(store, 'ownr', 5_000), true)
      assert.equal(await claim(store, 'ownr', 9_000), false)
      await store.transact(transactions.leave, { tag: 'ownr', nowMs: 3_000 })
      assert.equal(await claim(store, 'ownr', 90_000), false)
      await store.transact(transactions.sweep, { deadlineBeforeMs: 0, aliveBeforeMs: 3_000 })
      assert.equal(await claim(store, 'ownr', 90_000), false)
      await store.transact(transactions.sweep, { deadlineBeforeMs: 0, aliveBeforeMs: 3_001 })
      assert.equal(await claim(store, 'ownr', 90_000), true)
    })

    test('what is asked of a process that is unknown, has left or was silent for too long, and of no other', async () => {
      const store = await open()
      for (const [tag, aliveUntilMs] of [['ownr', 16_000], ['past', 1_000], ['left', 16_000]] as const) await claim(store, tag, aliveUntilMs)
      await store.transact(transactions.leave, { tag: 'left', nowMs: 500 })
      const refused = await ask(store, requestOf(1, { ownerTag: 'past' }), requestOf(2), requestOf(3, { ownerTag: 'none' }), requestOf(4, { ownerTag: 'left' }))
      assert.deepEqual(refused, [1, 3, 4])
      assert.deepEqual((await take(store)).requests.map(({ number }) => number), [2])
      assert.deepEqual((await take(store, { ownerTag: 'past' })).requests, [])
    })

    test('to hand out a request after its deadline', async () => {
      const store = await open()
      await claim(store, 'ownr')
      await ask(store, requestOf(1, { deadlineMs: 2_000 }), requestOf(2, { deadlineMs: 2_001 }))
      const { requests, dropped } = await take(store, { nowMs: 2_000 })
      assert.deepEqual([requests.map(({ number }) => number), dropped], [[2], 1])
    })
  })

  describe('does', () => {
    test('hand out each request once, whole, in the order in which they were asked', async () => {
      const store = await open()
      await claim(store, 'ownr')
      await ask(store, requestOf(3), requestOf(1), requestOf(2, { kind: 'describe', message: null }))
      await ask(store, requestOf(1, { askingTag: 'oth1' }))
      assert.deepEqual((await take(store, { ownerTag: 'askr' })).requests, [])
      const taken = [...(await take(store, { limit: 2 })).requests, ...(await take(store)).requests]
      assert.deepEqual(taken.map(({ message, ...request }) => ({ ...request, message: message && new Uint8Array(message) })),
        [requestOf(3), requestOf(1), requestOf(2, { kind: 'describe', message: null }), requestOf(1, { askingTag: 'oth1' })])
      assert.deepEqual((await take(store)).requests, [])
    })

    test('keep an answer for the process that asked until that has read it', async () => {
      const store = await open()
      const facts = { connectedAtMs: 1, lastActiveAtMs: 2, sourceIp: '192.0.2.1', userAgent: undefined }
      await store.transact(transactions.answer, { answers: [
        { askingTag: 'askr', number: 1, deadlineMs: 10_000, answer: facts }, { askingTag: 'askr', number: 2, deadlineMs: 10_000, answer: 'full' },
        { askingTag: 'oth1', number: 1, deadlineMs: 10_000, answer: 'gone' },
      ] })
      assert.deepEqual(await answers(store), [{ number: 1, answer: facts }, { number: 2, answer: 'full' }])
      await store.transact(transactions.forget, { askingTag: 'askr', numbers: [1, 2] })
      assert.deepEqual(await answers(store), [])
      assert.deepEqual(await answers(store, 'oth1'), [{ number: 1, answer: 'gone' }])
    })

    test('say of a request that is given up whether anybody had taken or answered it, and whether its owner is there', async () => {
      const store = await open()
      await claim(store, 'ownr', 16_000)
      await ask(store, requestOf(1), requestOf(2), requestOf(3))
      assert.deepEqual(await withdraw(store, 3), [{ number: 3, wasWaiting: true, answer: undefined, isOwnerAlive: true }])
      assert.deepEqual((await take(store)).requests.map(({ number }) => number), [1, 2])
      await store.transact(transactions.answer, { answers: [{ askingTag: 'askr', number: 1, deadlineMs: 10_000, answer: 'sent' }] })
      assert.deepEqual(await withdraw(store, 1), [{ number: 1, wasWaiting: false, answer: 'sent', isOwnerAlive: true }])
      assert.deepEqual(await withdraw(store, 2, { nowMs: 16_000 }), [{ number: 2, wasWaiting: false, answer: undefined, isOwnerAlive: false }])
      assert.deepEqual(await answers(store), [])
    })

    test('let a process that is there say so again, even after the store was emptied', async () => {
      const store = await open()
      await claim(store, 'ownr', 5_000)
      await store.transact(transactions.renew, { tag: 'ownr', aliveUntilMs: 9_000 })
      assert.deepEqual([...await listAlive(store, { tags: ['ownr', 'none', 'ownr'], nowMs: 8_999 })], ['ownr'])
      assert.deepEqual([...await listAlive(store, { tags: ['ownr'], nowMs: 9_000 })], [])
      await store.reset()
      await store.transact(transactions.renew, { tag: 'ownr', aliveUntilMs: 9_000 })
      assert.deepEqual([...await listAlive(store, { tags: ['ownr'], nowMs: 8_999 })], ['ownr'])
    })

    test('remove what nobody took or read', async () => {
      const store = await open()
      await claim(store, 'ownr')
      await ask(store, requestOf(1, { deadlineMs: 5_000 }), requestOf(2, { deadlineMs: 5_001 }))
      await store.transact(transactions.answer, { answers: [5_000, 5_001].map((deadlineMs) => ({ askingTag: 'askr', number: deadlineMs, deadlineMs, answer: 'gone' as const })) })
      await store.transact(transactions.sweep, { deadlineBeforeMs: 5_001, aliveBeforeMs: 0 })
      assert.deepEqual((await answers(store)).map(({ number }) => number), [5_001])
      assert.deepEqual((await take(store)).requests.map(({ number }) => number), [2])
    })

    test('tell processes what matters to them', async () => {
      const store = await open()
      const heard: string[] = []
      store.onChange((change) => heard.push(`${change!.topic} ${change!.key}`))
      await claim(store, 'ownr')
      await ask(store, requestOf(1), requestOf(2), requestOf(3, { ownerTag: 'none' }))
      await store.transact(transactions.answer, { answers: [{ askingTag: 'askr', number: 1, deadlineMs: 10_000, answer: 'sent' }] })
      await store.transact(transactions.leave, { tag: 'ownr', nowMs: 1 })
      assert.deepEqual(heard, ['execute-api.node-requests ownr', 'execute-api.node-answers askr', 'execute-api.node ownr'])
    })
  })
})
