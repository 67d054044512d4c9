// Connections that another process holds: refused, described, sent to and ended through the store that both share.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { after, describe, test, type TestContext } from 'node:test'
import { Client } from 'pg'
import { systemClock } from '#lib/clock.ts'
import { systemRandom, type RandomSource } from '#lib/random.ts'
import { sql, type Store } from '#storage/database.ts'
import type { Engine } from '#storage/open.ts'
import { freshFile } from '#test/support/each-database.ts'
import { freshPostgres, postgresIsAbsent } from '#test/support/postgres.ts'
import { steppedClock } from '#test/support/stepped-clock.ts'
import { newConnectionId } from '../connection-ids.ts'
import type { ConnectionKey } from '../connections.ts'
import { claimNode } from './claim-node.ts'
import { ANSWER_MS_MAX, NODE_VALID_MS, OUTSTANDING_BYTES_MAX, OUTSTANDING_MAX, TAKEN_AT_ONCE_MAX, TAGS_TRIED_MAX } from './limits.ts'
import { facts, openStore, startNodeWith } from './node.testing.ts'
import { createSharedConnections, TooManyOutstanding } from './shared-connections.ts'
import { transactions } from './store.ts'

const hello = Buffer.from('hello')
const startNode = (t: TestContext, engine: Engine) => startNodeWith(t, engine, steppedClock())

describe('connections on the embedded engine', () => {
  test('of other processes are gone, as those were earlier ones', async (t) => {
    const { engine, remove } = await freshFile()
    const { shared, local, nodeTag, store } = await startNode(t, engine)
    t.after(remove)
    const key = local.open(nodeTag)
    assert.equal(await shared.send(key, hello), 'sent')
    assert.deepEqual(await shared.describe(key), facts)
    const earlier = { ...key, connectionId: newConnectionId('past', systemRandom) }
    assert.deepEqual([await shared.describe(earlier), await shared.send(earlier, hello), await shared.disconnect(earlier)], ['gone', 'gone', 'gone'])
    assert.equal(await shared.disconnect(key), 'closed')
    assert.deepEqual(await store.query(sql`select tag from execute_api_nodes`), [])
  })
})

describe('connections of processes that share a store', { skip: postgresIsAbsent() }, () => {
  // Databases go with the suite: what a test started closes first.
  const removals: (() => Promise<void>)[] = []
  after(async () => { for (const remove of removals) await remove() })
  const freshDatabase = async (): Promise<{ url: string }> => {
    const { engine, remove } = await freshPostgres()
    removals.push(remove)
    return engine
  }
  const pair = async (t: TestContext) => {
    const engine = await freshDatabase()
    const [asker, owner] = [await startNode(t, engine), await startNode(t, engine)]
    return { engine, asker, owner, key: owner.local.open(owner.nodeTag) }
  }

  describe('refuses', () => {
    test('an id that no process ever gave, an ill-formed one, and another API\'s or stage\'s', async (t) => {
      const { asker: { shared, store }, key } = await pair(t)
      const refused = [
        { ...key, connectionId: newConnectionId('none', systemRandom) }, { ...key, connectionId: 'none\u0000' }, { ...key, connectionId: '' },
        { ...key, connectionId: newConnectionId(key.connectionId.slice(0, 4), systemRandom) }, { ...key, apiId: 'other' }, { ...key, stageName: 'st\u0000ge' },
      ]
      for (const other of refused) assert.deepEqual([await shared.describe(other), await shared.send(other, hello), await shared.disconnect(other)], ['gone', 'gone', 'gone'])
      assert.deepEqual(await shared.describe(key), facts)
      await noRows(store)
    })

    test('at once what a process held that has not been heard of for its time', async (t) => {
      const engine = await freshDatabase()
      const [asker, store] = [await startNode(t, engine), await openStore(engine)]
      const { nodeTag } = await claimNode({ database: store, clock: systemClock, random: systemRandom })
      await store.close()
      const key = { connectionId: newConnectionId(nodeTag, systemRandom), apiId: 'a1b2c3d4e5', stageName: 'live' }
      asker.clock.step(NODE_VALID_MS)
      assert.deepEqual([await asker.shared.describe(key), await asker.shared.send(key, hello)], ['gone', 'gone'])
    })

    test('a tag that is taken, and to go on without one', async (t) => {
      const engine = await freshDatabase()
      const { store, nodeTag } = await startNode(t, engine)
      const offers: string[] = [nodeTag, nodeTag, 'free']
      const random = { ...systemRandom, bytes: () => Buffer.from(offers.shift()!, 'base64url') }
      assert.deepEqual(await claimNode({ database: store, clock: systemClock, random }), { nodeTag: 'free' })
      const stuck: RandomSource = { ...systemRandom, bytes: () => Buffer.from(nodeTag, 'base64url') }
      await assert.rejects(claimNode({ database: store, clock: systemClock, random: stuck }), new RegExp(`each of ${TAGS_TRIED_MAX} tags for this process was taken`))
    })

    test('to wait longer than its time for a process that is there, and leaves nothing behind that could still be sent', async (t) => {
      const engine = await freshDatabase()
      const [asker, store] = [await startNode(t, engine), await openStore(engine)]
      t.after(() => store.close())
      // A process that says it is there and does nothing else.
      const { nodeTag } = await claimNode({ database: store, clock: { now: () => systemClock.now() + 60_000 }, random: systemRandom })
      const key = { connectionId: newConnectionId(nodeTag, systemRandom), apiId: 'a1b2c3d4e5', stageName: 'live' }
      const late = assert.rejects(asker.shared.send(key, hello), { message: `send of connection ${key.connectionId} was given up, as the process that holds it did not answer within ${ANSWER_MS_MAX} ms; it was not done` })
      await until(async () => await countOf(store, 'requests') === 1)
      asker.clock.step(ANSWER_MS_MAX)
      await late
      assert.deepEqual((await store.transact(transactions.take, { ownerTag: nodeTag, limit: 10, nowMs: 0 })).requests, [])
    })

    test('to call sent what a process began and did not end in time', async (t) => {
      const { asker, owner, key } = await pair(t)
      const stalled = Promise.withResolvers<void>()
      owner.local.stall(key, stalled.promise)
      const late = assert.rejects(asker.shared.send(key, hello), /did not answer within 10000 ms; it may have been done$/)
      await until(() => owner.local.begun === 1)
      asker.clock.step(ANSWER_MS_MAX)
      await late
      stalled.resolve()
      // What comes after it is told apart from its late answer.
      assert.equal(await asker.shared.send(key, Buffer.from('next')), 'sent')
      assert.deepEqual(owner.local.received(key), ['hello', 'next'])
    })

    test('to do what waited behind something else until its time was over', async (t) => {
      const { asker, owner, key } = await pair(t)
      const stalled = Promise.withResolvers<void>()
      owner.local.stall(key, stalled.promise)
      const late = ['first', 'second'].map((text) => assert.rejects(asker.shared.send(key, Buffer.from(text)), /did not answer/))
      await until(async () => owner.local.begun === 1 && await countOf(owner.store, 'requests') === 0)
      asker.clock.step(ANSWER_MS_MAX)
      owner.clock.step(ANSWER_MS_MAX)
      await Promise.all(late)
      stalled.resolve()
      assert.equal(await asker.shared.send(key, Buffer.from('third')), 'sent')
      assert.deepEqual(owner.local.received(key), ['first', 'third'])
    })

    test('more than so many requests, and bytes, that wait', async (t) => {
      const { asker, owner, key } = await pair(t)
      const stalled = Promise.withResolvers<void>()
      owner.local.stall(key, stalled.promise)
      const waiting = Array.from({ length: OUTSTANDING_MAX }, () => asker.shared.send(key, hello))
      assert.equal(await asker.shared.send(key, hello), 'full')
      await assert.rejects(asker.shared.describe(key), TooManyOutstanding)
      await assert.rejects(asker.shared.disconnect(key), TooManyOutstanding)
      await until(() => owner.local.begun === 1)
      // Of the rest the holder takes no more than it may, and leaves them in the store.
      await until(async () => await countOf(owner.store, 'requests') === OUTSTANDING_MAX - TAKEN_AT_ONCE_MAX)
      stalled.resolve()
      assert.deepEqual(new Set(await Promise.all(waiting)), new Set(['sent']))
      assert.equal(await asker.shared.send(key, Buffer.alloc(OUTSTANDING_BYTES_MAX + 1)), 'full')
      assert.deepEqual(await asker.shared.describe(key), facts)
      assert.equal(owner.local.received(key).length, OUTSTANDING_MAX)
    })

    test('what failed where the connection is held, with a sentence', async (t) => {
      const { asker, owner, key } = await pair(t)
      const broken = Promise.reject(new Error('broken'))
      broken.catch(() => {})
      owner.local.stall(key, broken)
      await assert.rejects(asker.shared.send(key, hello), new RegExp(`the process that holds connection ${key.connectionId} failed to send; its log says why`))
      assert.deepEqual(owner.logged, ['what another process asked about a connection failed'])
    })

    test('to ask before it has started and after it was closed, but not what it holds itself', async (t) => {
      const { asker, key } = await pair(t)
      const own = asker.local.open(asker.nodeTag)
      const { local, nodeTag, store, clock } = asker
      const unstarted = createSharedConnections({ local, nodeTag, database: store, clock, log: { warn() {}, error() {} } as never })
      await assert.rejects(unstarted.send(key, hello), /other processes are not asked about connections before this one has started/)
      assert.equal(await unstarted.send(own, hello), 'sent')
      await asker.shared.close()
      await assert.rejects(asker.shared.send(key, hello), /this process closes and asks no other any more/)
      assert.equal(await asker.shared.send(own, hello), 'sent')
    })
  })

  describe('does', () => {
    test('describe, send to and end a connection through another process', async (t) => {
      const { asker: { shared, store }, owner, key } = await pair(t)
      assert.deepEqual(await shared.describe(key), facts)
      const bytes = Buffer.from([0, 0xC3, 0xA9])
      assert.equal(await shared.send(key, bytes), 'sent')
      assert.equal(await shared.send(key, Buffer.alloc(0)), 'sent')
      assert.deepEqual(owner.local.received(key), [bytes.toString(), ''])
      owner.local.fill(key)
      assert.equal(await shared.send(key, hello), 'full')
      assert.equal(await shared.disconnect(key), 'closed')
      assert.deepEqual([await shared.disconnect(key), await shared.send(key, hello), await shared.describe(key)], ['gone', 'gone', 'gone'])
      await noRows(store)
    })

    test('keep the order of a hundred messages to one connection', async (t) => {
      const { asker, owner, key } = await pair(t)
      const texts = Array.from({ length: 100 }, (_, n) => `${n}`)
      const sent = await Promise.all(texts.map((text) => asker.shared.send(key, Buffer.from(text))))
      assert.deepEqual(new Set(sent), new Set(['sent']))
      assert.deepEqual(owner.local.received(key), texts)
    })

    test('deliver five hundred messages at once to fifty connections, from every process to every other, each once and in order', async (t) => {
      const engine = await freshDatabase()
      const nodes = [await startNode(t, engine), await startNode(t, engine), await startNode(t, engine)]
      const targets = Array.from({ length: 50 }, (_, n) => ({ holder: n % 3, key: nodes[n % 3]!.local.open(nodes[n % 3]!.nodeTag) }))
      const sends = Array.from({ length: 500 }, (_, n) => {
        const { key, holder } = targets[n % 50]!
        // Each connection hears from one other process.
        return nodes[(holder + 1 + (n % 2)) % 3]!.shared.send(key, Buffer.from(`${n}`))
      })
      assert.deepEqual(new Set(await Promise.all(sends)), new Set(['sent']))
      targets.forEach(({ key, holder }, place) => {
        assert.deepEqual(nodes[holder]!.local.received(key), Array.from({ length: 10 }, (_, round) => `${place + 50 * round}`))
      })
      await noRows(nodes[0]!.store)
      assert.deepEqual(nodes.flatMap(({ logged }) => logged), [])
    })

    test('not let a connection that stalls hold up others', async (t) => {
      const { asker, owner, key } = await pair(t)
      const stalled = Promise.withResolvers<void>()
      owner.local.stall(key, stalled.promise)
      const waits = asker.shared.send(key, hello)
      await until(() => owner.local.begun === 1)
      assert.equal(await asker.shared.send(owner.local.open(owner.nodeTag), hello), 'sent')
      stalled.resolve()
      assert.equal(await waits, 'sent')
    })

    test('deliver nothing twice when the process that holds a connection is killed while it sends', async (t) => {
      const engine = await freshDatabase()
      const asker = await startNode(t, engine)
      const { child, key, lines } = await spawnNode(t, engine)
      const sent = [asker.shared.send(key, Buffer.from('under way')), asker.shared.send(key, Buffer.from('behind it'))]
      const outcomes = Promise.allSettled(sent)
      assert.equal(await lines.next(), 'under way')
      child.kill('SIGKILL')
      assert.equal(await lines.next(), undefined)
      // Asked of nobody: it is not known yet that the process is gone.
      const unheard = assert.rejects(asker.shared.send(key, hello), /it was not done/)
      await until(async () => await countOf(asker.store, 'requests') === 1)
      asker.clock.step(ANSWER_MS_MAX)
      await unheard
      assert.match(((await outcomes)[0] as PromiseRejectedResult).reason.message as string, /it may have been done/)
      assert.deepEqual(await asker.store.transact(transactions.take, { ownerTag: key.connectionId.slice(0, 4), limit: 10, nowMs: 0 }), { requests: [], dropped: 0 })
      asker.clock.step(NODE_VALID_MS)
      assert.equal(await asker.shared.send(key, hello), 'gone')
    })

    test('say gone of what waits when the process that holds a connection is killed and its time ends first', async (t) => {
      const engine = await freshDatabase()
      const asker = await startNode(t, engine)
      const { child, key, lines } = await spawnNode(t, engine)
      const sent = asker.shared.send(key, hello)
      assert.equal(await lines.next(), 'hello')
      child.kill('SIGKILL')
      asker.clock.step(NODE_VALID_MS)
      assert.equal(await sent, 'gone')
    })

    test('say gone at once of what a process held that has closed, after answering what it had taken', async (t) => {
      const { asker, owner, key } = await pair(t)
      const stalled = Promise.withResolvers<void>()
      owner.local.stall(key, stalled.promise)
      const taken = asker.shared.send(key, hello)
      await until(() => owner.local.begun === 1)
      const closed = owner.shared.close()
      // It takes no more, and so this waits until it has left.
      const untaken = asker.shared.send(owner.local.open(owner.nodeTag), hello)
      await until(async () => await countOf(owner.store, 'requests') === 1)
      stalled.resolve()
      assert.equal(await taken, 'sent')
      await closed
      assert.equal(await untaken, 'gone')
      assert.equal(await asker.shared.describe(key), 'gone')
      await noRows(asker.store)
    })

    test('give up what waits when the process that asked closes', async (t) => {
      const { asker, owner, key } = await pair(t)
      const stalled = Promise.withResolvers<void>()
      owner.local.stall(key, stalled.promise)
      const waits = assert.rejects(asker.shared.send(key, hello), /was given up, as this process closes; it may have been done/)
      await until(() => owner.local.begun === 1)
      await asker.shared.close()
      await waits
      stalled.resolve()
    })

    test('go on after the store was emptied', async (t) => {
      const { asker, owner, key } = await pair(t)
      await asker.store.reset()
      await until(async () => await asker.shared.describe(key) !== 'gone')
      assert.equal(await asker.shared.send(key, hello), 'sent')
      assert.deepEqual(owner.local.received(key), ['hello'])
    })

    test('look for requests and answers of which they were not told', async (t) => {
      const { engine, asker, owner, key } = await pair(t)
      const client = new Client({ connectionString: engine.url })
      await client.connect()
      t.after(() => client.end())
      // Changes are removed before anybody can hear of them, as for a process that was away for too long.
      await client.query(`
        set search_path = countersign_core;
        create function forget() returns trigger language plpgsql as $$ begin delete from countersign_changes; update countersign_change_horizon set pruned_seq = new.seq; return null; end $$;
        create trigger forget after insert on countersign_changes for each row execute function forget();`)
      assert.deepEqual(await asker.shared.describe(key), facts)
      assert.equal(await asker.shared.send(key, hello), 'sent')
      assert.deepEqual(owner.local.received(key), ['hello'])
    })

    test('keep a process known that says nothing but that it is there', async (t) => {
      const { asker, owner, key } = await pair(t)
      for (let beat = 0; beat < 4; beat++) {
        const before = await aliveUntil(owner)
        asker.clock.step(5_000)
        owner.clock.step(5_000)
        await until(async () => await aliveUntil(owner) > before)
      }
      assert.equal(await asker.shared.send(key, hello), 'sent')
    })
  })
})

async function aliveUntil({ store, nodeTag }: { store: Store, nodeTag: string }): Promise<number> {
  const [row] = await store.query<{ until: number }>(sql`select alive_until_ms as until from execute_api_nodes where tag = ${nodeTag}`)
  return row!.until
}

async function countOf(store: Store, rows: 'requests' | 'answers'): Promise<number> {
  const [found] = await store.query<{ n: number }>(rows === 'requests' ? sql`select count(*) as n from execute_api_node_requests` : sql`select count(*) as n from execute_api_node_answers`)
  return found!.n
}

/** Answers are forgotten right after they were read. */
async function noRows(store: Store): Promise<void> {
  await until(async () => await countOf(store, 'requests') + await countOf(store, 'answers') === 0)
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!await isSo()) await systemClock.sleep(5)
}

/** A process that can be killed, with a connection to which nothing ever arrives: what it was given to send comes as lines. */
async function spawnNode(t: TestContext, { url }: Extract<Engine, { url: string }>) {
  const child = spawn(process.execPath, [new URL('./node.testing.ts', import.meta.url).pathname, url], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const iterator = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const lines = { next: async (): Promise<string | undefined> => (await iterator.next()).value as string | undefined }
  const key = JSON.parse((await lines.next())!) as ConnectionKey
  return { child, key, lines }
}
