// The embedded engine: reads on this thread through a connection of its own, writes through the writer thread.

import type { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { Log } from '#lib/log.ts'
import { ownTablesKept } from './backup-file.ts'
import type { CopyOptions } from './backup-thread.ts'
import { transactions as builtIn } from './built-in.ts'
import { ChangeListeners } from './changes.ts'
import { Conflict, type Change, type Row, type Sql, type Store, type StoreName, type TransactionFunction } from './database.ts'
import { openReader, Statements } from './sqlite-connection.ts'
import { prepareFile, type PrepareOptions } from './sqlite-file.ts'
import type { Failure, FromWriter, Job, Outcome, ToWriter, WriterOptions } from './sqlite-writer.ts'

/** What a writer makes dies young and is little: more than this only keeps memory from the rest. */
const WRITER_YOUNG_MEBIBYTES = 8

export interface SqliteOptions extends PrepareOptions {
  transactionModules: readonly URL[]
  commitDelayMs: number
  log: Log | undefined
  /** Told once when the writer thread died: nothing can be written any more. */
  onFailure: (error: Error) => void
}

/** Transactions that wait for the writer at most. Beyond them callers are refused rather than kept in memory. */
const WAITING_MAX = 50_000

interface Waiting {
  resolve: (result: any) => void
  reject: (error: Error) => void
}

/** @throws StorageRefusal when the file does not fit: see `prepareFile`. */
export async function openSqlite(options: SqliteOptions): Promise<Store> {
  const tables = prepareFile(options)
  const workerData: WriterOptions = {
    file: options.file,
    store: options.store,
    modules: [new URL('./built-in.ts', import.meta.url), ...options.transactionModules].map(String),
    commitDelayMs: options.commitDelayMs,
  }
  const start = () => new Worker(new URL('./sqlite-writer.ts', import.meta.url), { workerData, name: `${options.store} writer`, resourceLimits: { maxYoungGenerationSizeMb: WRITER_YOUNG_MEBIBYTES } })
  const store = new SqliteStore(options, tables, start)
  // The first log or trace starts the other store's writer: until then its thread, ten megabytes, is not there.
  if (options.store === 'core') await store.startWriter()
  return store
}

class SqliteStore implements Store {
  readonly engine = 'sqlite'
  readonly store: StoreName
  readonly tables: readonly string[]
  readonly #file: string
  readonly #newWriter: () => Worker
  readonly #fail: (because: string, cause?: unknown) => void
  #writer: Worker | undefined
  readonly #connection: DatabaseSync
  readonly #statements: Statements
  readonly #listeners: ChangeListeners
  readonly #waiting = new Map<number, Waiting>()
  #unsent: Job[] = []
  #jobsMade = 0
  /** Why nothing can be done any more. */
  #ended: Error | undefined
  #closing: Promise<void> | undefined

  constructor({ file, store, log, onFailure }: SqliteOptions, tables: readonly string[], newWriter: () => Worker) {
    this.store = store
    this.tables = tables
    this.#file = file
    this.#newWriter = newWriter
    this.#connection = openReader(file)
    this.#statements = new Statements(this.#connection)
    this.#listeners = new ChangeListeners(log)
    this.#fail = (because, cause) => {
      if (this.#ended !== undefined) return
      const error = new Error(`the ${store} store's writer ${because}; what was acknowledged is safe, but nothing can be written until a restart`, { cause })
      this.#end(error)
      log?.error({ error, file }, 'the store failed')
      onFailure(error)
    }
  }

  /** Resolves when the writer takes work. @throws when its modules do not load. */
  async startWriter(): Promise<void> {
    const writer = this.#newWriter()
    try {
      await new Promise<void>((resolve, reject) => {
        writer.once('error', reject)
        writer.once('message', () => {
          writer.off('error', reject)
          resolve()
        })
      })
    } catch (error) {
      this.#end(error as Error)
      throw error
    }
    this.#adopt(writer)
  }

  /** The writer, started now if it was not. What is posted to it waits until it is ready. */
  #running(): Worker {
    return this.#writer ?? this.#adopt(this.#newWriter())
  }

  #adopt(writer: Worker): Worker {
    this.#writer = writer
    writer.on('message', (message: FromWriter) => { if (message.is === 'done') this.#settle(message.outcomes) })
    writer.on('error', (error) => this.#fail(`failed (${(error as Error)?.message ?? error})`, error))
    writer.on('exit', () => { if (this.#closing === undefined) this.#fail('ended') })
    // Only work under way keeps the process alive.
    writer.unref()
    return writer
  }

  async query<R = Row>(statement: Sql): Promise<R[]> {
    if (this.#ended !== undefined) throw this.#ended
    return this.#statements.all<R>(statement)
  }

  transact<Args, Result>(transaction: TransactionFunction<Args, Result>, args: Args): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended)
      if (this.#closing !== undefined) return reject(new Error(`the ${this.store} store is closed`))
      if (this.#waiting.size >= WAITING_MAX) return reject(new Error(`${WAITING_MAX} transactions wait for the ${this.store} store already`))
      this.#jobsMade += 1
      if (this.#waiting.size === 0) this.#running().ref()
      this.#waiting.set(this.#jobsMade, { resolve, reject })
      // Everything asked for in one turn of the event loop crosses to the writer in one message.
      if (this.#unsent.length === 0) setImmediate(() => this.#send())
      this.#unsent.push([this.#jobsMade, transaction.name, args])
    })
  }

  onChange(listener: (change: Change | undefined) => void): () => void {
    return this.#listeners.add(listener)
  }

  reset(): Promise<void> {
    return this.transact(builtIn.reset, { tables: this.tables })
  }

  copyTo(file: string): Promise<void> {
    const workerData: CopyOptions = { from: this.#file, store: this.store, tables: [...ownTablesKept, ...this.tables], to: file }
    return new Promise((resolve, reject) => {
      const copying = new Worker(new URL('./backup-thread.ts', import.meta.url), { workerData, name: `${this.store} backup` })
      copying.once('error', reject)
      copying.once('exit', () => resolve())
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #send(): void {
    const jobs = this.#unsent
    this.#unsent = []
    if (this.#ended !== undefined || jobs.length === 0) return
    try {
      this.#post(jobs)
    } catch {
      // Some arguments cannot be cloned: find out whose.
      for (const job of jobs) {
        try {
          this.#post([job])
        } catch (error) {
          this.#take(job[0])?.reject(error as Error)
        }
      }
    }
  }

  #post(message: ToWriter): void {
    this.#running().postMessage(message)
  }

  /** Listeners hear of all changes before any caller goes on, so that what a caller reads next is not stale. */
  #settle(outcomes: readonly Outcome[]): void {
    for (const [, , , changes] of outcomes) {
      if (changes === undefined) continue
      for (let index = 0; index < changes.length; index += 2) this.#listeners.tell(changes[index]!, changes[index + 1]!)
    }
    for (const [id, failure, result] of outcomes) {
      const caller = this.#take(id)
      if (failure === undefined) caller?.resolve(result)
      else caller?.reject(errorFrom(failure))
    }
  }

  #take(id: number): Waiting | undefined {
    const caller = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (this.#waiting.size === 0 && this.#closing === undefined) this.#writer?.unref()
    return caller
  }

  #end(error: Error): void {
    this.#ended = error
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
    this.#unsent = []
    this.#connection.close()
  }

  async #close(): Promise<void> {
    if (this.#ended !== undefined) return
    const writer = this.#writer
    if (writer !== undefined) {
      writer.ref()
      const hasEnded = new Promise((resolve) => writer.once('exit', resolve))
      this.#send()
      this.#post('close')
      await hasEnded
    }
    if (this.#ended === undefined) this.#end(new Error(`the ${this.store} store is closed`))
  }
}

function errorFrom({ reason, name, message, stack }: Failure): Error {
  if (reason !== undefined) return new Conflict(reason)
  const error = new Error(message)
  error.name = name
  if (stack !== undefined) error.stack = stack
  return error
}
