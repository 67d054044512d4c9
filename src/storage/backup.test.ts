// Backups of live stores, restored into either engine.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { createSealer } from '#lib/seal.ts'
import { eachDatabase, freshFile } from '#test/support/each-database.ts'
import { migrations, transactions } from '#test/support/notes.ts'
import { freshPostgres, postgresIsAbsent } from '#test/support/postgres.ts'
import { backup } from './backup.ts'
import { sql, type Migration, type Store } from './database.ts'
import { checkMasterKey } from './key-check.ts'
import { openDatabase, type Engine } from './open.ts'
import { StorageRefusal } from './refusal.ts'
import { restore } from './restore.ts'

const transactionModules = [new URL('../../test/support/notes.ts', import.meta.url)]
const key = Buffer.from('0123456789abcdef0123456789ABCDEF')
const targets = [
  { title: 'SQLite', absent: false as const, fresh: freshFile },
  { title: 'PostgreSQL', absent: postgresIsAbsent(), fresh: freshPostgres },
]

eachDatabase('a backup', { migrations, transactionModules }, (open, freshEngine) => {
  describe('refuses', () => {
    test('to replace a file, and to write where it cannot', async (t) => {
      const store = await open()
      const directory = directoryFor(t)
      writeFileSync(join(directory, 'taken'), 'mine')
      await refuses(backup([store], join(directory, 'taken')), /taken exists; a backup does not replace a file/)
      await refuses(backup([store], join(directory, 'none', 'file')), /cannot be written \(ENOENT\); name a file in a directory that exists/)
      assert.deepEqual(readdirSync(directory), ['taken'])
    })

    test('to be restored over rows, or from anything but a backup that has the store', async (t) => {
      const store = await open()
      const directory = directoryFor(t)
      const file = join(directory, 'backup')
      await fill(store)
      await backup([store], file)

      const engine = await freshEngine()
      const there = await openAt(engine)
      await there.transact(transactions.write, { id: 'mine', body: '' })
      await there.close()
      await refuses(restore({ file, store: 'core', engine, migrations }), /is not empty.*; restore into a new/)

      writeFileSync(join(directory, 'text'), 'no backup at all, only some text that is long enough to hold a header of one hundred bytes: ...........')
      await refuses(restore({ file: join(directory, 'text'), store: 'core', engine, migrations }), /text is not a backup of Countersign/)
      await refuses(restore({ file: join(directory, 'absent'), store: 'core', engine, migrations }), /cannot be read/)
      await refuses(restore({ file, store: 'logs', engine, migrations }), /does not have the logs store/)
      await refuses(restore({ file, store: 'core', engine, migrations: migrations.slice(0, 1) }), /was written by a newer version of Countersign .*notes-002-log/)

      const again = await openAt(engine)
      assert.deepEqual(await again.query(sql`select id from notes`), [{ id: 'mine' }])
      await again.close()
    })
  })

  for (const { title, absent, fresh } of targets) {
    describe(`restored into ${title}`, { skip: absent }, () => {
      test('gives every row, the serial numbers and the key check, and goes on from there', async (t) => {
        const store = await open()
        await fill(store)
        await checkMasterKey(store, createSealer(key), 'master.key')
        const before = await everything(store)
        const file = join(directoryFor(t), 'backup')
        await backup([store], file)

        const restored = await restoreInto(t, file, fresh)
        assert.deepEqual(await everything(restored), before)
        await checkMasterKey(restored, createSealer(key), 'master.key')
        await refuses(checkMasterKey(restored, createSealer(Buffer.alloc(32)), 'master.key'), /does not match this store/)
        // Line 3 was deleted before the backup; its number is not given again.
        assert.equal(await restored.transact(transactions.log, { line: 'next' }), 4)
        assert.equal(await restored.transact(transactions.increment, { id: 'counted' }), 8)
      })

      test('then takes the schema steps that came after it', async (t) => {
        const store = await open()
        await fill(store)
        const file = join(directoryFor(t), 'backup')
        await backup([store], file)
        const newer: Migration[] = [...migrations, { id: 'notes-003-colour', text: `alter table notes add column colour {text} not null default 'blue'` }]
        const restored = await restoreInto(t, file, fresh, newer)
        assert.deepEqual(await restored.query(sql`select distinct colour from notes`), [{ colour: 'blue' }])
      })
    })
  }

  test('is readable by its owner alone, and never has the master key', async (t) => {
    const store = await open()
    await checkMasterKey(store, createSealer(key), 'master.key')
    await fill(store)
    const file = join(directoryFor(t), 'backup')
    await backup([store], file)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const bytes = readFileSync(file)
    for (const form of [key, key.toString('hex'), key.toString('base64'), key.toString('base64url')]) assert.equal(bytes.indexOf(form), -1)
  })

  test('of a store that is written to all the time is of one moment', async (t) => {
    const store = await open()
    const file = join(directoryFor(t), 'backup')
    let isOver = false
    const writing = (async () => {
      for (let round = 0; !isOver; round += 1) await store.transact(transactions.pair, { round })
    })()
    await systemClock.sleep(50)
    await backup([store], file)
    isOver = true
    await writing
    const restored = await restoreInto(t, file, freshFile)
    // Each transaction writes both rows alike.
    const [left, right] = await restored.query<{ count: number }>(sql`select count from notes where id in ('left', 'right')`)
    assert.equal(left!.count, right!.count)
    assert.ok(existsSync(file))
  })
})

async function fill(store: Store): Promise<void> {
  for (let index = 0; index < 250; index += 1) {
    await store.transact(transactions.store, { id: `n${index}`, body: index % 3 === 0 ? null : `'body', "${index}" {} \\ 🗝`, count: index * 1e12, bytes: index % 2 === 0 ? null : new Uint8Array([index, 0, 255]) })
  }
  await store.transact(transactions.store, { id: 'counted', body: '', count: 7, bytes: new Uint8Array() })
  await store.transact(transactions.comment, { id: 'c', noteId: 'n1' })
  for (const line of ['one', 'two', 'three']) await store.transact(transactions.log, { line })
  await store.transact(transactions.forgetLine, { line: 'three' })
}

async function everything(store: Store): Promise<unknown> {
  return {
    notes: await store.query(sql`select * from notes order by id`),
    comments: await store.query(sql`select * from comments order by id`),
    lines: await store.query(sql`select * from log_lines order by seq`),
  }
}

async function restoreInto(t: TestContext, file: string, fresh: typeof freshFile | typeof freshPostgres, steps: readonly Migration[] = migrations): Promise<Store> {
  const { engine, remove } = await fresh()
  await restore({ file, store: 'core', engine, migrations: steps })
  const store = await openAt(engine, steps)
  t.after(async () => {
    await store.close()
    await remove()
  })
  return store
}

function openAt(engine: Engine, steps: readonly Migration[] = migrations): Promise<Store> {
  return openDatabase({ engine, store: 'core', migrations: steps, transactionModules, clock: systemClock })
}

function refuses(work: Promise<unknown>, sentence: RegExp): Promise<void> {
  return assert.rejects(work, (error) => error instanceof StorageRefusal && sentence.test(error.message))
}

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-backup-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
