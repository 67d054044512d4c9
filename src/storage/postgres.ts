// The shared engine: the same transaction functions, run in serializable transactions of a PostgreSQL that several processes may use at once.

import { Client, Pool, type PoolClient, type QueryResult } from 'pg'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { transactions as builtIn } from './built-in.ts'
import { ChangeListeners, everythingChanged } from './changes.ts'
import { copyPostgres } from './backup-postgres.ts'
import type { Change, Migration, Row, Sql, Store, StoreName, Transaction, TransactionFunction } from './database.ts'
import { followChanges, type Follower } from './postgres-changes.ts'
import { clientConfig, connectRefusal, isConnectionLoss, isContention, schemaOf, Statements } from './postgres-connection.ts'
import { changesLock, connectWhenReady, LOCK_SPACE, migrateSchema, tablesOf, withSchema } from './postgres-schema.ts'

export interface PostgresOptions {
  url: string
  store: StoreName
  migrations: readonly Migration[]
  clock: Clock
  log: Log | undefined
}

/** PostgreSQL lets 100 connections in by default; several processes with two stores each share them. */
const connectionsMax: Record<StoreName, number> = { core: 12, logs: 4 }
/** Queries and transactions under way at most. Beyond them callers are refused rather than kept in memory. */
const UNDER_WAY_MAX = 50_000
/** Callers ride out a restart of the server that is no longer than this. */
const RECONNECT_MS_MAX = 10_000
const RECONNECT_PAUSE_MS = 100
/** How often a transaction is run again because others got in its way. Only the other processes' can: this process's own take turns by then. */
const CONTENDED_RUNS_MAX = 20
const CONTENDED_PAUSE_MS_MAX = 50
/** Statements and transactions that wait at most. Beyond them callers are refused rather than kept in memory. */
const WAITING_MAX = 50_000

/** @throws StorageRefusal when the server cannot be used, or holds a store that this program does not fit. */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const { url, store, clock, log } = options
  const config = clientConfig(url, store)
  try {
    const client = await connectWhenReady(() => new Client(config), clock)
    try {
      await withSchema(client, store, () => migrateSchema(client, options))
      const tables = await tablesOf(client, store)
      const { rows: [made] } = await client.query<{ origin: number }>('select nextval(\'countersign_origins\') as origin')
      const listeners = new ChangeListeners(log)
      const channel = `${schemaOf(store)}_changes`
      const follower = await followChanges({
        connect: (timeoutMs) => new Client({ ...config, connectionTimeoutMillis: timeoutMs }),
        channel, origin: made!.origin, listeners, clock, log,
      })
      return new PostgresStore({ ...options, tables, origin: made!.origin, listeners, channel, follower })
    } finally {
      await client.end()
    }
  } catch (error) {
    throw connectRefusal(url, error)
  }
}

interface Parts extends PostgresOptions {
  tables: readonly string[]
  origin: number
  listeners: ChangeListeners
  channel: string
  follower: Follower
}

class PostgresStore implements Store {
  readonly engine = 'postgres'
  readonly store: StoreName
  readonly tables: readonly string[]
  readonly #parts: Parts
  readonly #pool: Pool
  readonly #statements = new Statements()
  readonly #underWay = new Set<Promise<unknown>>()
  /** Resolves when the last contended transaction of this process has ended. */
  #lane: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(parts: Parts) {
    this.store = parts.store
    this.tables = parts.tables
    this.#parts = parts
    // Pipelined, statements that do not depend on each other's results take one round trip together.
    this.#pool = new Pool({ ...clientConfig(parts.url, parts.store), max: connectionsMax[parts.store], allowExitOnIdle: true, pipeline: true })
    // An idle connection that breaks leaves the pool by itself; whoever needs one next gets a new one.
    this.#pool.on('error', (error) => parts.log?.warn({ store: parts.store, because: error.message }, 'an idle connection to PostgreSQL broke'))
  }

  query<R = Row>(statement: Sql): Promise<R[]> {
    return this.#tracked(() => this.#reconnecting(async () => (await this.#pool.query(this.#statements.config(statement))).rows as R[]))
  }

  transact<Args, Result>(transaction: TransactionFunction<Args, Result>, args: Args): Promise<Result> {
    return this.#tracked(async () => {
      const once = () => this.#reconnecting(() => this.#runOnce(transaction, args))
      try {
        return await once()
      } catch (error) {
        if (!isContention(error)) throw error
        // What failed once is run again one at a time, so that transactions on one row cannot keep each other from ever ending.
        const mine = this.#lane.then(() => this.#runContended(once))
        this.#lane = mine.catch(() => {})
        return await mine
      }
    })
  }

  onChange(listener: (change: Change | undefined) => void): () => void {
    return this.#parts.listeners.add(listener)
  }

  reset(): Promise<void> {
    return this.transact(builtIn.reset, { tables: this.tables })
  }

  copyTo(file: string): Promise<void> {
    const { url, store } = this.#parts
    return this.#tracked(() => copyPostgres({ url, store, tables: this.tables, to: file }))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#underWay)
    await this.#parts.follower.stop()
    await this.#pool.end()
  }

  async #tracked<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#closing !== undefined) throw new Error(`the ${this.store} store is closed`)
    if (this.#underWay.size >= UNDER_WAY_MAX) throw new Error(`${UNDER_WAY_MAX} queries and transactions wait for the ${this.store} store already`)
    if (this.#underWay.size >= WAITING_MAX) throw new Error(`${WAITING_MAX} calls wait for the ${this.store} store already`)
    const working = work()
    this.#underWay.add(working)
    try {
      return await working
    } finally {
      this.#underWay.delete(working)
    }
  }

  /** Runs `work` again while the server restarts. A connection that breaks during a commit is not hidden: see `CommitUnknown`. */
  async #reconnecting<Result>(work: () => Promise<Result>): Promise<Result> {
    const { clock } = this.#parts
    const deadlineMs = clock.monotonic() + RECONNECT_MS_MAX
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (!isConnectionLoss(error) || clock.monotonic() > deadlineMs) throw error
        await clock.sleep(RECONNECT_PAUSE_MS)
      }
    }
  }

  async #runContended<Result>(once: () => Promise<Result>): Promise<Result> {
    for (let run = 1; ; run += 1) {
      try {
        return await once()
      } catch (error) {
        if (!isContention(error) || run === CONTENDED_RUNS_MAX) throw error
        // Processes that met once pause differently, lest they meet again.
        await this.#parts.clock.sleep((run * (1 + (this.#parts.origin % 7))) % CONTENDED_PAUSE_MS_MAX)
      }
    }
  }

  async #runOnce<Args, Result>(transaction: TransactionFunction<Args, Result>, args: Args): Promise<Result> {
    const client = await this.#pool.connect()
    let broken: Error | undefined
    let isCommitting = false
    const noticeBreak = (error: Error) => { broken = error }
    client.on('error', noticeBreak)
    try {
      // Serializable: a function may rely on what it read, as on the other engine, where nothing runs beside it.
      const beginning = client.query('begin isolation level serializable')
      beginning.catch(() => {})
      const own = new PostgresTransaction(client, this.#statements)
      let result: Result
      try {
        result = await transaction.run(own, args)
        await beginning
      } finally {
        own.isOver = true
      }
      isCommitting = true
      const command = await this.#commit(client, own.changes)
      // PostgreSQL answers the commit of a transaction in which a statement failed, and whose function caught that, by rolling back.
      if (command !== 'COMMIT') throw new Error(`${transaction.name} went on after a statement failed, and was rolled back`)
      isCommitting = false
      for (const { topic, key } of own.changes) this.#parts.listeners.tell(topic, key)
      return result
    } catch (error) {
      if (broken !== undefined || isConnectionLoss(error)) {
        broken ??= error as Error
        if (isCommitting) {
          this.#parts.follower.hearOwn()
          this.#parts.listeners.tell(everythingChanged, '')
          throw new CommitUnknown(transaction.name, error)
        }
      } else {
        await client.query('rollback').catch((failure: Error) => { broken = failure })
      }
      throw error
    } finally {
      client.off('error', noticeBreak)
      client.release(broken)
    }
  }

  /**
   * Appends the changes and commits, in one round trip: the lock, which makes the changes of all processes ascend in the order of their
   * commits, is held no longer than it must be. Should appending fail, PostgreSQL turns the commit into a rollback.
   */
  async #commit(client: PoolClient, changes: readonly Change[]): Promise<string> {
    const { store, channel, origin } = this.#parts
    const sent: Promise<QueryResult>[] = []
    if (changes.length > 0) {
      sent.push(
        client.query({ name: 'lock changes', text: 'select pg_advisory_xact_lock($1, $2)', values: [LOCK_SPACE, changesLock(store)] }),
        client.query({ name: 'append changes', text: appendChanges, values: [changes.map(({ topic }) => topic), changes.map(({ key }) => key), origin, channel] }),
      )
    }
    sent.push(client.query('commit'))
    const outcomes = await Promise.allSettled(sent)
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    return (outcomes.at(-1) as PromiseFulfilledResult<QueryResult>).value.command
  }
}

const appendChanges = `
  with appended as (
    insert into countersign_changes (topic, key, origin)
    select topic, key, $3 from unnest($1::text[], $2::text[]) with ordinality as change (topic, key, place) order by place
  )
  select pg_notify($4, '')`

/** The connection broke before the server said whether it had committed. Running the function again could do its work twice. */
export class CommitUnknown extends Error {
  constructor(name: string, cause: unknown) {
    super(`the connection to PostgreSQL broke while ${name} was committed; it may or may not have happened`, { cause })
    this.name = 'CommitUnknown'
  }
}

class PostgresTransaction implements Transaction {
  isOver = false
  readonly changes: Change[] = []
  readonly #client: PoolClient
  readonly #statements: Statements

  constructor(client: PoolClient, statements: Statements) {
    this.#client = client
    this.#statements = statements
  }

  async query<R = Row>(statement: Sql): Promise<R[]> {
    this.#check()
    return (await this.#client.query(this.#statements.config(statement))).rows as R[]
  }

  async run(statement: Sql): Promise<number> {
    this.#check()
    return (await this.#client.query(this.#statements.config(statement))).rowCount ?? 0
  }

  async changed(topic: string, key: string): Promise<void> {
    this.#check()
    this.changes.push({ topic, key })
  }

  /** A promise that its function did not await must not reach into a later transaction on the same connection. */
  #check(): void {
    if (this.isOver) throw new Error('the transaction is over; its function must await every statement')
  }
}
