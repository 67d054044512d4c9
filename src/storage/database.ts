// The one interface to both stores' engines. Reads are plain queries; writes are named transaction functions.

/**
 * A value that both engines store and give back alike. Integers are safe integers; there are no booleans (use 0 and 1). Text is without
 * U+0000, which PostgreSQL cannot store: keep text that anybody may send as JSON, which escapes it, or as bytes.
 */
export type SqlValue = string | number | null | Uint8Array

export type Row = Record<string, SqlValue>

/**
 * A statement with its values apart. Make it with `sql`, which numbers the values, so that no value is ever spliced into text.
 * The dialect is what SQLite and PostgreSQL share: `on conflict … do update`, `returning`, `limit`, row values in comparisons.
 * A comment `skip locked` at the end of a `select` leaves out rows that another transaction is about to change; on SQLite there is none.
 * Names are `snake_case` (PostgreSQL folds case), and a value whose type no column gives away is cast: `cast(? as bigint)`.
 */
export interface Sql {
  /** With `?` where a value stands. */
  text: string
  values: readonly SqlValue[]
}

export function sql(strings: TemplateStringsArray, ...values: readonly (SqlValue | Sql)[]): Sql {
  let text = strings[0]!
  const flat: SqlValue[] = []
  values.forEach((value, index) => {
    if (value !== null && typeof value === 'object' && 'text' in value && 'values' in value) {
      text += value.text
      flat.push(...value.values)
    } else {
      text += '?'
      flat.push(value as SqlValue)
    }
    text += strings[index + 1]!
  })
  return { text, values: flat }
}

export interface Reader {
  /** Committed rows. Sees every transaction whose `transact` has resolved in this process. */
  query<R = Row>(statement: Sql): Promise<R[]>
}

/** What a transaction function can do. Rows it changed are visible to its own later queries. */
export interface Transaction extends Reader {
  /** Runs a statement; resolves with the number of rows it changed. */
  run(statement: Sql): Promise<number>
  /**
   * Says that something cached elsewhere may have changed: `topic` is `service.noun` (`iam.role`), `key` the row's key.
   * Every process drops what it derived from it (see `onChange`).
   */
  changed(topic: string, key: string): Promise<void>
}

/**
 * A named transaction function. It may run in another thread, so arguments and result must survive structured cloning, and it
 * must be pure apart from its transaction: no clock, no randomness, no network, no waiting for anything but the transaction.
 * It may run more than once (PostgreSQL retries serialization failures).
 * Throwing rolls back; a `Conflict` reaches the caller as such, with its reason.
 */
export interface TransactionFunction<Args = any, Result = any> {
  name: string
  run: (transaction: Transaction, args: Args) => Promise<Result>
}

/**
 * Declares the transaction functions of one store module. The module exports the result as `transactions`, and the writer
 * thread finds them there by name.
 */
export function defineTransactions<const Functions extends Record<string, (transaction: Transaction, args: any) => Promise<any>>>(
  prefix: string,
  functions: Functions,
): { readonly [Name in keyof Functions]: TransactionFunction<Parameters<Functions[Name]>[1], Awaited<ReturnType<Functions[Name]>>> } {
  return Object.fromEntries(Object.entries(functions).map(([name, run]) => [name, { name: `${prefix}.${name}`, run }])) as never
}

export interface Change {
  topic: string
  key: string
}

export interface Database extends Reader {
  readonly engine: 'sqlite' | 'postgres'
  /** Runs the function in a transaction; resolves once its commit is flushed to disk. Concurrent callers may share one flush. */
  transact<Args, Result>(transaction: TransactionFunction<Args, Result>, args: Args): Promise<Result>
  /**
   * Calls `listener` for each committed change: of this process before the `transact` that made it resolves, of other
   * processes on the same PostgreSQL within a second. `undefined` means that changes may have been missed: drop everything.
   * Returns a function that ends it.
   */
  onChange(listener: (change: Change | undefined) => void): () => void
  close(): Promise<void>
}

/** `core`: what an answer acknowledged is flushed to disk. `logs`: log events and traces; a crash may lose the last second. */
export type StoreName = 'core' | 'logs'

/** A database as `openDatabase` gives it: one of the two stores, with what backup, restore and reset need. */
export interface Store extends Database {
  readonly store: StoreName
  /** The tables of the services, in the order in which they were made (so that a referencing table comes after what it references). */
  readonly tables: readonly string[]
  /** Empties every table of the services in one transaction, and makes every process drop what it derived from them. */
  reset(): Promise<void>
  /** Copies all rows, as of one moment, into a SQLite file: see `backup.ts`, the only caller. Does not hold up other work. */
  copyTo(file: string): Promise<void>
}

/** A transaction function's own refusal (a row exists already, a revision moved on): rolled back, and thrown to the caller of `transact`. */
export class Conflict extends Error {
  readonly reason: string
  constructor(reason: string) {
    super(reason)
    this.name = 'Conflict'
    this.reason = reason
  }
}

/**
 * One step of a store's schema. `text` is SQL in the shared dialect with these words for what the engines spell differently:
 * `{text}` (compares by bytes on both), `{integer}` (64 bits), `{bytes}`, `{serial}` (an ascending integer primary key).
 * Migrations are only ever appended.
 */
export interface Migration {
  /** `iam-001-users`. Unique over all services; the order is that of the list given to `openDatabase`. */
  id: string
  text: string
}
