// What both engines promise.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Conflict, sql, type Change } from './database.ts'
import { eachDatabase } from '#test/support/each-database.ts'
import { migrations, transactions } from '#test/support/notes.ts'

const options = { migrations, transactionModules: [new URL('../../test/support/notes.ts', import.meta.url)] }

eachDatabase('a database', options, (open) => {
  describe('refuses', () => {
    test('a conflict rolls the transaction back and reaches the caller with its reason', async () => {
      const database = await open()
      await database.transact(transactions.write, { id: 'a', body: 'one' })
      await assert.rejects(database.transact(transactions.writeThenConflict, { id: 'b', reason: 'no b' }), (error) => error instanceof Conflict && error.reason === 'no b')
      assert.deepEqual(await database.query(sql`select id from notes`), [{ id: 'a' }])
    })

    test('any other error rolls back and reaches the caller with message and stack', async () => {
      const database = await open()
      await assert.rejects(database.transact(transactions.writeThenFail, { id: 'b' }), (error: Error) =>
        !(error instanceof Conflict) && error.message === 'broken' && /notes\.ts/.test(error.stack!))
      assert.deepEqual(await database.query(sql`select id from notes`), [])
    })

    test('a transaction that fails announces no change', async () => {
      const database = await open()
      const heard: unknown[] = []
      database.onChange((change) => heard.push(change))
      await assert.rejects(database.transact(transactions.writeThenConflict, { id: 'b', reason: 'no' }))
      assert.deepEqual(heard, [])
    })

    test('a statement that its function did not await does not run in a later transaction', async () => {
      const database = await open()
      await database.transact(transactions.leak, {})
      assert.equal(await database.transact(transactions.leak, {}), 'the transaction is over; its function must await every statement')
    })

    test('everything once it is closed, and closing again does nothing', async () => {
      const database = await open()
      const last = database.transact(transactions.write, { id: 'a', body: 'asked for before closing' })
      await database.close()
      await last
      await database.close()
      await assert.rejects(database.query(sql`select 1 as one`), /is closed/)
      await assert.rejects(database.transact(transactions.write, { id: 'b', body: '' }), /is closed/)
    })
  })

  describe('does', () => {
    test('every kind of value comes back as it was stored', async () => {
      const database = await open()
      const row = { id: 'ключ 🗝', body: 'a\nb', count: Number.MAX_SAFE_INTEGER, bytes: new Uint8Array([0, 255, 128]) }
      await database.transact(transactions.store, row)
      assert.deepEqual(await database.query(sql`select id, body, count, bytes from notes`), [row])
      await database.transact(transactions.store, { id: row.id, body: null, count: -Number.MAX_SAFE_INTEGER, bytes: null })
      assert.deepEqual(await database.query(sql`select * from notes`), [{ id: row.id, body: null, count: -Number.MAX_SAFE_INTEGER, bytes: null }])
    })

    test('counts, sums and truth values are numbers', async () => {
      const database = await open()
      await database.transact(transactions.store, { id: 'a', body: 'x', count: 3, bytes: null })
      assert.deepEqual(await database.query(sql`select count(*) as n, sum(count) as total, count > 2 as many from notes group by count`), [{ n: 1, total: 3, many: 1 }])
    })

    test('text is ordered and compared by its bytes, and like tells case apart', async () => {
      const database = await open()
      for (const id of ['b', 'a', 'B', 'é', 'A', '_']) await database.transact(transactions.write, { id, body: '' })
      const ids = async (statement: ReturnType<typeof sql>) => (await database.query<{ id: string }>(statement)).map(({ id }) => id).join('')
      assert.equal(await ids(sql`select id from notes order by id`), 'AB_abé')
      assert.equal(await ids(sql`select id from notes where id > ${'B'} order by id limit ${2}`), '_a')
      assert.equal(await ids(sql`select id from notes where id like ${'a%'}`), 'a')
    })

    test('statements nest, and values are never spliced into text', async () => {
      const database = await open()
      await database.transact(transactions.write, { id: `'; drop table notes; --`, body: '$1?' })
      const condition = sql`id = ${`'; drop table notes; --`}`
      assert.deepEqual(await database.query(sql`select body from notes where ${condition} and body = ${'$1?'}`), [{ body: '$1?' }])
    })

    test('a question mark inside quotes is text', async () => {
      const database = await open()
      assert.deepEqual(await database.query(sql`select '?' as mark, 'it''s ?' as quoted, id as "what?" from notes where id = ${'none'} union all select 'x', 'y', ${'z'}`), [{ mark: 'x', quoted: 'y', 'what?': 'z' }])
    })

    test('a caller reads what it wrote, and sees its own rows inside the transaction', async () => {
      const database = await open()
      for (let round = 0; round < 50; round += 1) {
        assert.equal(await database.transact(transactions.increment, { id: 'counter' }), round + 1)
        assert.deepEqual(await database.query(sql`select count from notes where id = ${'counter'}`), [{ count: round + 1 }])
      }
    })

    test('concurrent transactions on one row each see the one before', async () => {
      const database = await open()
      const seen = await Promise.all(Array.from({ length: 40 }, () => database.transact(transactions.increment, { id: 'counter' })))
      assert.deepEqual(seen.sort((a, b) => a - b), Array.from({ length: 40 }, (_, index) => index + 1))
    })

    test('of concurrent transactions that each check before they insert, one wins', async () => {
      const database = await open()
      const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => database.transact(transactions.insertIfFewerThan, { id: `n${n}`, limit: 3 })))
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 3)
      assert.deepEqual(await database.query(sql`select count(*) as n from notes`), [{ n: 3 }])
    })

    test('run resolves with the number of rows it changed, and query with what returning gives', async () => {
      const database = await open()
      assert.deepEqual(await database.transact(transactions.countChanged, { ids: ['a', 'b'] }), { inserted: 1, again: 0, deleted: 2, returned: [{ id: 'c' }] })
    })

    test('serial keys ascend, and are not given again after a delete', async () => {
      const database = await open()
      const first = await database.transact(transactions.log, { line: 'one' })
      const second = await database.transact(transactions.log, { line: 'two' })
      await database.transact(transactions.clearLog, {})
      const third = await database.transact(transactions.log, { line: 'three' })
      assert.ok(first < second && second < third, `${first} < ${second} < ${third}`)
    })

    test('changes are heard before the transaction resolves, until the listener ends', async () => {
      const database = await open()
      const heard: (Change | undefined)[] = []
      const end = database.onChange((change) => heard.push(change))
      await database.transact(transactions.write, { id: 'a', body: '' })
      assert.deepEqual(heard, [{ topic: 'notes.note', key: 'a' }])
      end()
      await database.transact(transactions.write, { id: 'b', body: '' })
      assert.equal(heard.length, 1)
    })

    test('a listener that throws keeps neither the others nor the caller from going on', async () => {
      const database = await open()
      const heard: unknown[] = []
      database.onChange(() => { throw new Error('broken listener') })
      database.onChange((change) => heard.push(change))
      await database.transact(transactions.write, { id: 'a', body: '' })
      assert.equal(heard.length, 1)
    })

    test('reset empties every table and makes listeners drop everything', async () => {
      const database = await open()
      await database.transact(transactions.write, { id: 'a', body: '' })
      await database.transact(transactions.comment, { id: 'c', noteId: 'a' })
      const heard: unknown[] = []
      database.onChange((change) => heard.push(change))
      await database.reset()
      assert.deepEqual(await database.query(sql`select (select count(*) from notes) as notes, (select count(*) from comments) as comments`), [{ notes: 0, comments: 0 }])
      assert.deepEqual(heard, [undefined])
      assert.deepEqual(database.tables, ['notes', 'comments', 'log_lines'])
    })
  })
})
