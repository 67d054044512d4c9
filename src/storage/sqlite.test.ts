// What only the embedded engine promises: shared flushes, a writer whose death is noticed, and nothing acknowledged that a crash can take.

import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '#lib/clock.ts'
import { migrations, transactions } from '#test/support/notes.ts'
import { sql, type Store } from './database.ts'
import { openDatabase } from './open.ts'

const program = join(import.meta.dirname, '../../test/support/write-notes.ts')

describe('the embedded engine refuses', () => {
  test('arguments and results that cannot cross threads, without a word to other callers', async (t) => {
    const { store } = await open(t)
    const outcomes = await Promise.allSettled([
      store.transact(transactions.write, { id: 'a', body: '' }),
      store.transact(transactions.write, { id: 'b', body: (() => {}) as never }),
      store.transact(transactions.giveFunction, {}),
      store.transact(transactions.write, { id: 'c', body: '' }),
    ])
    assert.deepEqual(outcomes.map(({ status }) => status), ['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    assert.deepEqual(await store.query(sql`select id from notes order by id`), [{ id: 'a' }, { id: 'c' }])
  })

  test('a transaction whose module it was not given', async (t) => {
    const { store } = await open(t)
    await assert.rejects(store.transact({ name: 'other.write', run: async () => {} }, {}), /no transaction function is named other\.write; is its module among transactionModules\?/)
  })

  test('to open with a module that does not load', async (t) => {
    const file = join(directoryFor(t), 'core.db')
    await assert.rejects(openDatabase({ engine: { file }, store: 'core', migrations, transactionModules: [new URL('./no-such-store.ts', import.meta.url)], clock: systemClock }), /no-such-store/)
  })

  test('everything, with one clear error, once its writer died', async (t) => {
    const failures: Error[] = []
    const { store } = await open(t, { onFailure: (error) => failures.push(error) })
    await store.transact(transactions.write, { id: 'a', body: '' })
    const outcomes = await Promise.allSettled([store.transact(transactions.killWriter, {}), store.transact(transactions.write, { id: 'b', body: '' })])
    for (const outcome of outcomes) assert.match(String((outcome as PromiseRejectedResult).reason), /the core store's writer ended; .*nothing can be written until a restart/)
    assert.equal(failures.length, 1)
    await assert.rejects(store.query(sql`select 1 as one`), /nothing can be written until a restart/)
    await store.close()
  })

  test('nothing that was asked for in the moment of its close', async (t) => {
    const failures: Error[] = []
    const { store } = await open(t, { onFailure: (error) => failures.push(error) })
    const written = store.transact(transactions.write, { id: 'a', body: '' })
    const closed = store.close()
    await written
    await closed
    assert.deepEqual(failures, [])
  })

  test('what no longer fits on the disk, and takes what does', async (t) => {
    const { store } = await open(t)
    await store.transact(transactions.limitPages, { pages: 40 })
    await assert.rejects(store.transact(transactions.write, { id: 'big', body: 'x'.repeat(1_000_000) }), /full/)
    await store.transact(transactions.write, { id: 'small', body: '' })
    assert.deepEqual(await store.query(sql`select id from notes`), [{ id: 'small' }])
  })
})

describe('the embedded engine does', () => {
  test('commit what is asked for at once in few groups, each with its own outcome', async (t) => {
    const { store, file } = await open(t)
    const before = commitsIn(file)
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, n) => n % 10 === 3
      ? store.transact(transactions.writeThenConflict, { id: `n${n}`, reason: 'no' })
      : store.transact(transactions.write, { id: `n${n}`, body: '' })))
    assert.equal(outcomes.filter(({ status }) => status === 'rejected').length, 10)
    assert.deepEqual(await store.query(sql`select count(*) as n from notes`), [{ n: 90 }])
    const commits = commitsIn(file) - before
    assert.ok(commits >= 1 && commits <= 3, `100 transactions took ${commits} commits`)
  })

  test('keep its files from other users', async (t) => {
    const { store, file } = await open(t)
    await store.transact(transactions.write, { id: 'a', body: '' })
    for (const name of [file, `${file}-wal`]) assert.equal(statSync(name).mode & 0o077, 0, name)
  })

  test('leave one whole file behind when it closes', async (t) => {
    const { store, file } = await open(t)
    await store.transact(transactions.write, { id: 'a', body: '' })
    await store.close()
    assert.equal(existsSync(`${file}-wal`), false)
    const connection = new DatabaseSync(file, { readOnly: true })
    assert.equal(connection.prepare('select count(*) as n from notes').get()!.n, 1)
    connection.close()
  })

  test('keep what it acknowledged when the process is killed at any moment', async (t) => {
    const directory = directoryFor(t)
    const file = join(directory, 'core.db')
    for (const [round, acknowledgedMin] of [1, 40, 400, 1500].entries()) {
      const acknowledgements = join(directory, `acknowledged-${round}`)
      const output = openSync(acknowledgements, 'w')
      const child = spawn(process.execPath, [program, file, `round-${round}`], { stdio: ['ignore', output, 'inherit'] })
      closeSync(output)
      const acknowledged = () => readFileSync(acknowledgements, 'utf8').split('\n').slice(0, -1)
      while (acknowledged().length < acknowledgedMin) {
        assert.equal(child.exitCode, null)
        await sleep(1)
      }
      await killed(child)

      const store = await openDatabase({ engine: { file }, store: 'core', migrations, transactionModules: [new URL('../../test/support/notes.ts', import.meta.url)], clock: systemClock })
      const found = new Set((await store.query<{ id: string }>(sql`select id from notes`)).map(({ id }) => id))
      const lost = acknowledged().filter((id) => !found.has(id))
      await store.close()
      assert.deepEqual(lost, [])
    }
  })

  test('flush the log between a write and its acknowledgement', { skip: straceIsAbsent() }, async (t) => {
    const directory = directoryFor(t)
    const trace = join(directory, 'trace')
    const traced = spawnSync('strace', ['-f', '-y', '-e', 'trace=write,fsync,fdatasync', '-o', trace, process.execPath, program, join(directory, 'core.db'), 'note', '5'], { encoding: 'utf8' })
    assert.equal(traced.status, 0, traced.stderr)
    const calls = readFileSync(trace, 'utf8').split('\n')
    // The program says when it asks and when it has its answer.
    const at = (word: string) => calls.findIndex((call) => call.includes(`"${word}\\n"`))
    for (let n = 0; n < 5; n += 1) {
      const [asked, answered] = [at(`ask note-0-${n}`), at(`note-0-${n}`)]
      assert.ok(asked >= 0 && answered > asked, `asked at ${asked}, answered at ${answered}`)
      const flushes = calls.slice(asked, answered).filter((call) => /\b(fsync|fdatasync)\(\d+<[^>]*core\.db-wal>/.test(call))
      assert.ok(flushes.length > 0, `no flush between the request and the answer of write ${n}`)
    }
  })
})

async function open(t: TestContext, { onFailure }: { onFailure?: (error: Error) => void } = {}): Promise<{ store: Store, file: string }> {
  const file = join(directoryFor(t), 'core.db')
  const store = await openDatabase({ engine: { file }, store: 'core', migrations, transactionModules: [new URL('../../test/support/notes.ts', import.meta.url)], clock: systemClock, onFailure })
  t.after(() => store.close())
  return { store, file }
}

/** Frames in the log that end a commit carry the file's size in pages. Source: sqlite.org, "WAL-mode File Format". */
function commitsIn(file: string): number {
  const log = readFileSync(`${file}-wal`)
  if (log.length === 0) return 0
  const pageSize = log.readUInt32BE(8)
  let commits = 0
  for (let frame = 32; frame + 24 + pageSize <= log.length; frame += 24 + pageSize) {
    if (log.readUInt32BE(frame + 4) !== 0) commits += 1
  }
  return commits
}

async function killed(child: ChildProcess): Promise<void> {
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exited
}

function straceIsAbsent(): string | false {
  return spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0 ? false : 'absent: strace'
}

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-sqlite-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
