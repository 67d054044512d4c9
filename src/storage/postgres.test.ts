// What only the shared engine promises: several processes over one PostgreSQL, and a server that goes away and comes back.

import assert from 'node:assert/strict'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { after, before, describe, test, type TestContext } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { migrations, transactions } from '#test/support/notes.ts'
import { administer, freshDatabase, postgresIsAbsent, startPostgres, type PostgresServer } from '#test/support/postgres.ts'
import { sql, type Change, type Store, type StoreName } from './database.ts'
import { openDatabase } from './open.ts'
import { describeUrl, numberValues } from './postgres-connection.ts'
import { CommitUnknown } from './postgres.ts'
import { StorageRefusal } from './refusal.ts'

const transactionModules = [new URL('../../test/support/notes.ts', import.meta.url)]

describe('numberValues()', () => {
  const cases: [says: string, given: string, expect: string][] = [
    ['counts values', 'a = ? and b in (?, ?)', 'a = $1 and b in ($2, $3)'],
    ['leaves quotes alone', `'?' || 'it''s ?' || "a?" || ?`, `'?' || 'it''s ?' || "a?" || $1`],
    ['leaves comments alone', 'select ? -- why?\n, /* or ? */ ?', 'select $1 -- why?\n, /* or ? */ $2'],
    ['takes one comment at its word', 'select ? limit ? /* skip locked */', 'select $1 limit $2 for update skip locked'],
  ]
  for (const [says, given, expect] of cases) test(says, () => assert.equal(numberValues(given), expect))
})

describe('describeUrl()', () => {
  test('never shows user or password', () => {
    assert.equal(describeUrl('postgres://ann:secret@db.example:5433/prod?sslmode=require'), 'PostgreSQL at db.example:5433, database prod')
  })
})

describe('the shared engine', { skip: postgresIsAbsent() }, () => {
  let server: PostgresServer
  before(async () => { server = await startPostgres() })
  after(() => server.stop())

  const fresh = async (t: TestContext) => {
    const { engine, remove } = await freshDatabase(server)
    t.after(remove)
    return engine.url
  }
  const open = async (t: TestContext, url: string, store: StoreName = 'core') => {
    const opened = await openDatabase({ engine: { url }, store, migrations, transactionModules, clock: systemClock })
    t.after(() => opened.close())
    return opened
  }

  describe('refuses', () => {
    test('to open a database that does not exist, a server that is not there, a user that may not', async (t) => {
      await refuses(open(t, server.url('nowhere')), /database nowhere does not exist; create it, or name another in COUNTERSIGN_DATABASE_URL/)
      await refuses(open(t, 'postgres://ann:secret@127.0.0.1:1/x'), /^PostgreSQL at 127\.0\.0\.1:1, database x cannot be reached \(ECONNREFUSED\); start it, or check COUNTERSIGN_DATABASE_URL\.$/)
      const url = await fresh(t)
      await administer(server, 'do $$ begin create role visitor login; exception when duplicate_object then null; end $$')
      await refuses(open(t, url.replace('postgres@', 'visitor@')), /does not let this user make its schemas/)
    })

    test('a database in another encoding than UTF-8', async (t) => {
      await administer(server, 'create database latin encoding \'LATIN1\' template template0')
      t.after(() => administer(server, 'drop database latin with (force)'))
      await refuses(open(t, server.url('latin')), /is encoded as LATIN1; Countersign needs a database made with encoding UTF8/)
    })

    test('to commit when a function went on after a failed statement', async (t) => {
      const store = await open(t, await fresh(t))
      await assert.rejects(store.transact(transactions.swallow, { id: 'a' }), /notes\.swallow went on after a statement failed, and was rolled back/)
      assert.deepEqual(await store.query(sql`select id from notes`), [])
    })

    test('to run again what may have been committed when the connection broke', async (t) => {
      const url = await fresh(t)
      const store = await open(t, url)
      await inDatabase(url, `
        create function countersign_core.break() returns trigger language plpgsql as $$ begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(5); return null; end $$;
        create constraint trigger break after insert on countersign_core.notes deferrable initially deferred for each row execute function countersign_core.break();`)
      const heard: unknown[] = []
      store.onChange((change) => heard.push(change))
      await assert.rejects(store.transact(transactions.write, { id: 'a', body: '' }), (error) => error instanceof CommitUnknown && /may or may not have happened/.test(error.message))
      assert.deepEqual(heard, [undefined])
      assert.deepEqual(await store.query(sql`select id from notes`), [])
    })
  })

  describe('does', () => {
    test('let processes that start at the same time on an empty database take turns', async (t) => {
      const url = await fresh(t)
      const stores = await Promise.all(Array.from({ length: 4 }, () => open(t, url)))
      await Promise.all(stores.map((store, n) => store.transact(transactions.write, { id: `n${n}`, body: '' })))
      assert.deepEqual(await stores[0]!.query(sql`select count(*) as n from notes`), [{ n: 4 }])
    })

    test('keep both stores in one database, of which only core waits for the disk', async (t) => {
      const url = await fresh(t)
      const [core, logs] = [await open(t, url, 'core'), await open(t, url, 'logs')]
      await core.transact(transactions.write, { id: 'a', body: '' })
      assert.deepEqual(await logs.query(sql`select id from notes`), [])
      const setting = sql`select current_setting('synchronous_commit') as waits`
      assert.deepEqual([await core.query(setting), await logs.query(setting)], [[{ waits: 'on' }], [{ waits: 'off' }]])
    })

    test('tell every other process of a change, once, in the order of the commits', async (t) => {
      const url = await fresh(t)
      const [one, two, listener] = [await open(t, url), await open(t, url), await open(t, url)]
      const heard: string[] = []
      const isAllHeard = hear(listener, (change) => heard.push(change!.key) === 60)
      const own: string[] = []
      one.onChange((change) => own.push(change!.key))
      const oneHeard = hear(one, () => own.length === 60)
      await Promise.all(Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? one : two).transact(transactions.appendInOrder, { id: `n${n}` })))
      await Promise.all([isAllHeard, oneHeard])
      const committed = (await listener.query<{ line: string }>(sql`select line from log_lines order by seq`)).map(({ line }) => line)
      assert.deepEqual(heard.toSorted(), committed.toSorted())
      assert.deepEqual(own.toSorted(), committed.toSorted())
      assert.deepEqual(heard, await changesIn(url))
    })

    test('hear of a change without a notification', async (t) => {
      const url = await fresh(t)
      const store = await open(t, url)
      const heard = hear(store, (change) => change?.key === 'silent')
      await inDatabase(url, `insert into countersign_core.countersign_changes (topic, key, origin) values ('notes.note', 'silent', 0)`)
      await heard
    })

    test('drop everything when changes were removed before they were heard', async (t) => {
      const url = await fresh(t)
      const store = await open(t, url)
      const heard = hear(store, (change) => change === undefined)
      await inDatabase(url, 'update countersign_core.countersign_change_horizon set pruned_seq = 1000')
      await heard
    })

    test('tell of a change of its own whose commit it did not see end', async (t) => {
      const url = await fresh(t)
      const throughProxy = await proxyTo(t, new URL(url))
      const store = await open(t, throughProxy.url)
      // The connection is cut while the server commits; the server commits all the same, a moment after everything was dropped.
      await inDatabase(url, `
        create function countersign_core.slow() returns trigger language plpgsql as $$ begin perform pg_sleep(1); return null; end $$;
        create constraint trigger slow after insert on countersign_core.notes deferrable initially deferred for each row execute function countersign_core.slow();`)
      const isDropped = hear(store, (change) => change === undefined)
      const isHeard = hear(store, (change) => change?.key === 'late')
      const writing = store.transact(transactions.write, { id: 'late', body: '' })
      const refused = assert.rejects(writing, (error) => error instanceof CommitUnknown)
      await throughProxy.hasSeen('commit')
      // A server that still has to answer an earlier statement would notice, and roll back.
      await systemClock.sleep(300)
      throughProxy.cut()
      await Promise.all([refused, isDropped, isHeard])
    })

    test('drop everything in every process on a reset', async (t) => {
      const url = await fresh(t)
      const [one, two] = [await open(t, url), await open(t, url)]
      const heard = hear(two, (change) => change === undefined)
      await one.reset()
      await heard
    })

    test('run the transactions of two processes on one row as if one after another', async (t) => {
      const url = await fresh(t)
      const stores = [await open(t, url), await open(t, url)]
      const counts = await Promise.all(Array.from({ length: 60 }, (_, n) => stores[n % 2]!.transact(transactions.increment, { id: 'counter' })))
      assert.deepEqual(counts.sort((a, b) => a - b), Array.from({ length: 60 }, (_, n) => n + 1))
    })

    test('ride out a crash of the server: callers wait, and listeners drop everything until changes are heard again', async (t) => {
      const url = await fresh(t)
      const [one, two] = [await open(t, url), await open(t, url)]
      await one.transact(transactions.write, { id: 'a', body: 'before' })

      const isSilent = hear(two, (change) => change === undefined)
      await server.crash()
      await isSilent
      await hear(two, (change) => change === undefined)
      const [found] = await Promise.all([
        one.query(sql`select body from notes where id = 'a'`),
        one.transact(transactions.write, { id: 'b', body: 'during' }),
        server.start(),
      ])
      assert.deepEqual(found, [{ body: 'before' }])

      const isHeard = hear(two, (change) => change?.key === 'c')
      await one.transact(transactions.write, { id: 'c', body: 'after' })
      await isHeard
    })
  })

  /** The keys of all changes, in the order of their numbers. */
  async function changesIn(url: string): Promise<string[]> {
    const store = await openDatabase({ engine: { url }, store: 'core', migrations, transactionModules, clock: systemClock })
    const rows = await store.query<{ key: string }>(sql`select key from countersign_changes order by seq`)
    await store.close()
    return rows.map(({ key }) => key)
  }

  function inDatabase(url: string, statement: string): Promise<void> {
    return administer(server, statement, new URL(url).pathname.slice(1))
  }
})

/** Resolves once a change fits. */
function hear(store: Store, fits: (change: Change | undefined) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const end = store.onChange((change) => {
      if (!fits(change)) return
      end()
      resolve()
    })
  })
}

function refuses(work: Promise<unknown>, sentence: RegExp): Promise<void> {
  return assert.rejects(work, (error) => error instanceof StorageRefusal && sentence.test(error.message))
}

/** A way to the server that can be cut under all connections at once. */
async function proxyTo(t: TestContext, to: URL): Promise<{ url: string, hasSeen: (text: string) => Promise<void>, cut: () => void }> {
  const sockets = new Set<Socket>()
  let seen: { text: string, resolve: () => void } | undefined
  const target = to.searchParams.get('host')
  const server = createServer((client) => {
    const there = target === null ? connect(Number(to.port), to.hostname) : connect(`${target}/.s.PGSQL.${to.port || 5432}`)
    for (const socket of [client, there]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => { sockets.delete(socket) })
    }
    client.on('data', (bytes) => { if (seen && bytes.includes(seen.text)) seen.resolve() })
    client.pipe(there)
    there.pipe(client)
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const cut = () => { for (const socket of sockets) socket.destroy() }
  t.after(() => {
    cut()
    server.close()
  })
  const url = new URL(to)
  url.searchParams.delete('host')
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return { url: url.toString(), cut, hasSeen: (text) => new Promise((resolve) => { seen = { text, resolve } }) }
}
