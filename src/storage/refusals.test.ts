// What does not open: lost, damaged, foreign and newer stores, and directories that another process has.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test, type TestContext } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { createSealer } from '#lib/seal.ts'
import { eachDatabase } from '#test/support/each-database.ts'
import { migrations, transactions } from '#test/support/notes.ts'
import { openDataDirectory } from './data-directory.ts'
import { sql, type Migration, type Store } from './database.ts'
import { checkMasterKey } from './key-check.ts'
import { inDialect } from './migrate.ts'
import { openDatabase, type Engine } from './open.ts'
import { StorageRefusal } from './refusal.ts'

const transactionModules = [new URL('../../test/support/notes.ts', import.meta.url)]

eachDatabase('a store', { migrations, transactionModules }, (open, freshEngine) => {
  describe('refuses to open', () => {
    test('when it has a schema step that is unknown here', async () => {
      const engine = await freshEngine()
      await (await openAt(engine)).close()
      await refuses(openAt(engine, migrations.slice(0, 1)), /was written by a newer version of Countersign \(this one does not know its schema step notes-002-log\)/)
      await (await openAt(engine)).close()
    })

    test('when a schema step was changed after it was applied', async () => {
      const engine = await freshEngine()
      await (await openAt(engine)).close()
      const changed = [migrations[0]!, { ...migrations[1]!, text: `${migrations[1]!.text};` }]
      await refuses(openAt(engine, changed), /another build of Countersign \(its schema step notes-002-log differs/)
    })

    test('with a master key that is not the one its secrets were sealed with', async () => {
      const store = await open()
      await checkMasterKey(store, createSealer(Buffer.alloc(32, 1)), '/keys/master.key')
      await refuses(checkMasterKey(store, createSealer(Buffer.alloc(32, 2)), '/keys/master.key'), /^The master key \/keys\/master\.key does not match this store/)
      await checkMasterKey(store, createSealer(Buffer.alloc(32, 1)), '/keys/master.key')
    })

    test('and keeps nothing of a schema step that fails half way', async () => {
      const engine = await freshEngine()
      const broken: Migration[] = [...migrations, { id: 'notes-003-broken', text: 'create table half (id {text}); create table notes (id {text})' }]
      await assert.rejects(openAt(engine, broken), /already exists/)
      const store = await openAt(engine)
      assert.deepEqual(store.tables, ['notes', 'comments', 'log_lines'])
      await store.close()
    })
  })

  describe('opens', () => {
    test('with its rows, and takes schema steps that were added in the middle of the list', async () => {
      const engine = await freshEngine()
      const first = await openAt(engine)
      await first.transact(transactions.write, { id: 'a', body: 'kept' })
      await first.close()
      const more: Migration[] = [migrations[0]!, { id: 'notes-001b-colour', text: `alter table notes add column colour {text} not null default 'blue'` }, migrations[1]!]
      const second = await openAt(engine, more)
      assert.deepEqual(await second.query(sql`select id, body, colour from notes`), [{ id: 'a', body: 'kept', colour: 'blue' }])
      await second.close()
    })
  })
})

describe('a schema step refuses', () => {
  test('a word that is not of the shared dialect', () => {
    assert.throws(() => inDialect('create table t (id {uuid})', 'sqlite'), /\{uuid\}, which is no word of the shared dialect/)
  })

  test('an id that two steps have', async (t) => {
    await assert.rejects(openAt({ file: join(directoryFor(t), 'core.db') }, [...migrations, migrations[0]!]), /two migrations have the id notes-001-notes/)
  })
})

describe('a store file refuses to open', () => {
  test('when it is lost, and is never made anew', async (t) => {
    const file = await filledFile(t)
    rmSync(file)
    await refuses(openAt({ file }), /core\.db is missing, though its data directory had one; restore it from a backup, or remove .* to start empty/)
    assert.equal(existsSync(file), false)
  })

  const damages: Record<string, (file: string) => void> = {
    'emptied': (file) => truncateSync(file),
    'cut in half': (file) => truncateSync(file, statSync(file).size / 2),
    'cut by one byte': (file) => truncateSync(file, statSync(file).size - 1),
    'overwritten at its start': (file) => overwrite(file, 0),
    'overwritten in its middle': (file) => overwrite(file, 3 * 4096),
    'replaced by text': (file) => writeFileSync(file, 'hello'),
    'replaced by an empty store': (file) => {
      rmSync(file)
      const empty = new DatabaseSync(file)
      empty.exec('pragma user_version = 1')
      empty.close()
    },
  }
  for (const [says, damage] of Object.entries(damages)) {
    test(`when it was ${says}, and leaves it as it is`, async (t) => {
      const file = await filledFile(t)
      damage(file)
      const before = readFileSync(file)
      await refuses(openAt({ file }), /core\.db is damaged \(.+\); restore a backup into a new data directory/)
      assert.ok(before.equals(readFileSync(file)))
    })
  }

  test('when it is the file of another program, and leaves it as it is', async (t) => {
    const file = join(directoryFor(t), 'core.db')
    const other = new DatabaseSync(file)
    other.exec('create table theirs (id)')
    other.close()
    const before = readFileSync(file)
    await refuses(openAt({ file }), /is a SQLite database, but not a store of Countersign; move it away/)
    assert.ok(before.equals(readFileSync(file)))
  })

  test('when its directory is not there', async (t) => {
    await refuses(openAt({ file: join(directoryFor(t), 'none', 'core.db') }), /cannot be opened for writing \(ENOENT\)/)
  })
})

describe('a data directory refuses', () => {
  test('a second process, naming the first, until that one is gone, however it went', async (t) => {
    const directory = directoryFor(t)
    const child = spawn(process.execPath, ['--input-type=module', '-e', `
      import { openDataDirectory } from '${new URL('./data-directory.ts', import.meta.url)}'
      openDataDirectory(${JSON.stringify(directory)})
      process.stdout.write('locked')
      setInterval(() => {}, 1000)
    `], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    const sentence = new RegExp(`^The data directory ${directory} is in use by process ${child.pid}; stop it, or set COUNTERSIGN_DATA_DIR to another directory\\.$`)
    assert.throws(() => openDataDirectory(directory), (error) => error instanceof StorageRefusal && sentence.test(error.message))

    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
    openDataDirectory(directory).release()
  })

  test('the same process a second time, until it is released', (t) => {
    const directory = directoryFor(t)
    const first = openDataDirectory(directory)
    assert.throws(() => openDataDirectory(directory), new RegExp(`in use by process ${process.pid}`))
    first.release()
    first.release()
    openDataDirectory(directory).release()
  })

  test('a path with a file in the way', (t) => {
    const file = join(directoryFor(t), 'file')
    writeFileSync(file, '')
    for (const path of [file, join(file, 'below')]) assert.throws(() => openDataDirectory(path), /cannot be made, because a file is in the way \((EEXIST|ENOTDIR)\); .* set COUNTERSIGN_DATA_DIR/)
  })

  test('a directory that it cannot write to', { skip: existsSync('/proc/self') ? false : 'absent: a file system that nobody can write to' }, () => {
    assert.throws(() => openDataDirectory('/proc/self'), /^StorageRefusal: The data directory \/proc\/self cannot be written/)
  })

  test('a record of stores that makes no sense', async (t) => {
    const file = await filledFile(t)
    writeFileSync(join(file, '..', 'stores.json'), 'x')
    await refuses(openAt({ file }), /stores\.json is damaged/)
  })
})

describe('a data directory does', () => {
  test('make itself, for its owner alone', (t) => {
    const path = join(directoryFor(t), 'a', 'b')
    const directory = openDataDirectory(path)
    assert.equal(statSync(path).mode & 0o777, 0o700)
    assert.equal(directory.file('core.db'), join(path, 'core.db'))
    directory.release()
  })

  test('hold two stores, which remember each other not at all', async (t) => {
    const directory = directoryFor(t)
    for (const store of ['core', 'logs'] as const) {
      const opened = await openDatabase({ engine: { file: join(directory, `${store}.db`) }, store, migrations, transactionModules, clock: systemClock })
      await opened.close()
    }
    assert.deepEqual(JSON.parse(readFileSync(join(directory, 'stores.json'), 'utf8')), { stores: ['core.db', 'logs.db'] })
  })

  test('take back a copy of a file that was lost', async (t) => {
    const file = await filledFile(t)
    copyFileSync(file, `${file}.copy`)
    rmSync(file)
    await refuses(openAt({ file }), /is missing/)
    copyFileSync(`${file}.copy`, file)
    const store = await openAt({ file })
    assert.deepEqual(await store.query(sql`select count(*) as n from notes`), [{ n: 100 }])
    await store.close()
  })
})

/** A closed store of a hundred notes and more than ten pages. */
async function filledFile(t: TestContext): Promise<string> {
  const file = join(directoryFor(t), 'core.db')
  const store = await openAt({ file })
  await Promise.all(Array.from({ length: 100 }, (_, n) => store.transact(transactions.write, { id: `n${n}`, body: 'x'.repeat(1000) })))
  await store.close()
  return file
}

function overwrite(file: string, position: number): void {
  const bytes = readFileSync(file)
  bytes.fill(0xa5, position, position + 4096)
  writeFileSync(file, bytes)
}

function openAt(engine: Engine, steps: readonly Migration[] = migrations): Promise<Store> {
  return openDatabase({ engine, store: 'core', migrations: steps, transactionModules, clock: systemClock })
}

function refuses(work: Promise<unknown>, sentence: RegExp): Promise<void> {
  return assert.rejects(work, (error) => error instanceof StorageRefusal && sentence.test(error.message))
}

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-refusals-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  mkdirSync(directory, { recursive: true })
  return directory
}
