// The thread with the one connection that writes to a SQLite file: runs transaction functions one after another and commits them in groups.

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { Conflict, type Row, type Sql, type StoreName, type Transaction, type TransactionFunction } from './database.ts'
import { openWriter, Statements } from './sqlite-connection.ts'

export interface WriterOptions {
  file: string
  store: StoreName
  /** URLs of the modules whose `transactions` it runs. */
  modules: readonly string[]
  commitDelayMs: number
}

/** One call of a transaction function. Tuples, because they are cheap to send. */
export type Job = readonly [id: number, name: string, args: unknown]

export interface Failure {
  /** Of a `Conflict`; then the rest says nothing more. */
  reason?: string
  name: string
  message: string
  stack: string | undefined
}

/** What became of a job. `changes` alternates topics and keys; undefined when it announced none. */
export type Outcome = readonly [id: number, failure: Failure | undefined, result: unknown, changes: string[] | undefined]

export type ToWriter = readonly Job[] | 'close'
export type FromWriter = { is: 'ready' } | { is: 'done', outcomes: readonly Outcome[] } | { is: 'closed' }

/** Jobs that share one commit at most, so that none of them waits long for the others. */
const GROUP_JOBS_MAX = 512
/** Source: sqlite.org, "Result and Error Codes", SQLITE_FULL. */
const SQLITE_FULL = 13

const port = parentPort!
const { file, store, modules, commitDelayMs } = workerData as WriterOptions
const functions = await loadFunctions(modules)
const connection = openWriter(file, store)
const statements = new Statements(connection)
const prepare = (text: string) => connection.prepare(text)
const step = {
  begin: prepare('begin immediate'),
  commit: prepare('commit'),
  rollback: prepare('rollback'),
  save: prepare('savepoint job'),
  keep: prepare('release job'),
  undo: prepare('rollback to job'),
}

const waiting: Job[] = []
let isRunning = false
let isClosing = false
port.on('message', (message: ToWriter) => {
  accept(message)
  if (!isRunning) void runAll()
})
send({ is: 'ready' })

function accept(message: ToWriter): void {
  if (message === 'close') isClosing = true
  else waiting.push(...message)
}

function send(message: FromWriter): void {
  port.postMessage(message)
}

async function runAll(): Promise<void> {
  isRunning = true
  for (;;) {
    // Whatever arrived during the last commit joins the next group.
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) accept(next.message as ToWriter)
    if (waiting.length === 0) break
    report(await runGroup(waiting.splice(0, GROUP_JOBS_MAX)))
  }
  isRunning = false
  if (isClosing && connection.isOpen) {
    // The readers' connection is open still, so that closing ours would leave the log beside the file.
    connection.exec('pragma wal_checkpoint(truncate)')
    connection.close()
    send({ is: 'closed' })
    port.close()
  }
}

/** Runs the jobs in one transaction, each in a savepoint of its own, and commits. Nothing is reported before the commit is flushed. */
async function runGroup(jobs: readonly Job[]): Promise<Outcome[]> {
  if (jobs.length === 0) return []
  try {
    step.begin.run()
  } catch (error) {
    return allFailed(jobs, error)
  }
  const outcomes: Outcome[] = []
  for (const job of jobs) {
    const outcome = await runJob(job)
    // A full or failing disk makes SQLite roll back everything: the others run again, without the job that met it.
    if (!connection.isTransaction) return [outcome, ...await runGroup(jobs.filter((other) => other !== job))]
    outcomes.push(outcome)
  }
  try {
    step.commit.run()
  } catch (error) {
    // After a flush that failed nobody knows what is on the disk: let the thread end, and the next start find out.
    if ((error as { errcode?: number }).errcode !== SQLITE_FULL) throw error
    if (connection.isTransaction) step.rollback.run()
    return allFailed(jobs, error)
  }
  if (commitDelayMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, commitDelayMs)
  return outcomes
}

function allFailed(jobs: readonly Job[], error: unknown): Outcome[] {
  const failure = failureOf(error)
  return jobs.map(([id]) => [id, failure, undefined, undefined])
}

async function runJob([id, name, args]: Job): Promise<Outcome> {
  const run = functions.get(name)
  if (run === undefined) return [id, failureOf(new Error(`no transaction function is named ${name}; is its module among transactionModules?`)), undefined, undefined]
  const transaction = new JobTransaction()
  step.save.run()
  try {
    const result = await run(transaction, args)
    step.keep.run()
    return [id, undefined, result, transaction.changes]
  } catch (error) {
    if (connection.isTransaction) {
      step.undo.run()
      step.keep.run()
    }
    return [id, failureOf(error), undefined, undefined]
  } finally {
    transaction.isOver = true
  }
}

class JobTransaction implements Transaction {
  isOver = false
  changes: string[] | undefined

  async query<R = Row>(statement: Sql): Promise<R[]> {
    this.#check()
    return statements.all<R>(statement)
  }

  async run(statement: Sql): Promise<number> {
    this.#check()
    return statements.run(statement)
  }

  async changed(topic: string, key: string): Promise<void> {
    this.#check()
    this.changes ??= []
    this.changes.push(topic, key)
  }

  /** A promise that its function did not await must not reach into the next one's transaction. */
  #check(): void {
    if (this.isOver) throw new Error('the transaction is over; its function must await every statement')
  }
}

function report(outcomes: readonly Outcome[]): void {
  try {
    send({ is: 'done', outcomes })
  } catch {
    // One result that cannot be sent must not keep the others from their callers.
    for (const outcome of outcomes) {
      try {
        send({ is: 'done', outcomes: [outcome] })
      } catch (error) {
        send({ is: 'done', outcomes: [[outcome[0], failureOf(error), undefined, outcome[3]]] })
      }
    }
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof Conflict) return { reason: error.reason, name: error.name, message: error.message, stack: undefined }
  if (error instanceof Error) return { name: error.name, message: error.message, stack: error.stack }
  return { name: 'Error', message: String(error), stack: undefined }
}

async function loadFunctions(urls: readonly string[]): Promise<Map<string, TransactionFunction['run']>> {
  const found = new Map<string, TransactionFunction['run']>()
  for (const url of urls) {
    const { transactions } = await import(url) as { transactions?: Record<string, TransactionFunction> }
    if (transactions === undefined) throw new Error(`${url} exports no transactions`)
    for (const { name, run } of Object.values(transactions)) {
      if (found.has(name)) throw new Error(`two transaction functions are named ${name}`)
      found.set(name, run)
    }
  }
  return found
}
