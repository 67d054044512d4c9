// A connection to one SQLite file: how it is opened, and its statements, prepared once and kept.

import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Row, Sql, SqlValue, StoreName } from './database.ts'

/** Distinct statement texts kept prepared. The program has a few hundred; lists of varying length in `in (…)` make more. */
const STATEMENTS_KEPT_MAX = 1000
/** How long a write waits for another program (a `sqlite3` shell, say) that holds the file. */
const BUSY_TIMEOUT_MS = 5000
const WRITER_CACHE_KIBIBYTES = 16 * 1024
/** Pages written before they are moved from the log into the file. More than SQLite's 1000: fewer, longer pauses of the writer thread. */
const CHECKPOINT_PAGES = 4000
const LOG_FILE_BYTES_KEPT_MAX = 64 * 1024 * 1024

/** For the one connection that writes. `core` flushes each commit to disk; `logs` only when the log is moved into the file. */
export function openWriter(file: string, store: StoreName): DatabaseSync {
  const connection = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS })
  connection.exec(`
    pragma journal_mode = wal;
    pragma synchronous = ${store === 'core' ? 'full' : 'normal'};
    pragma wal_autocheckpoint = ${CHECKPOINT_PAGES};
    pragma journal_size_limit = ${LOG_FILE_BYTES_KEPT_MAX};
    pragma cache_size = -${WRITER_CACHE_KIBIBYTES};
    pragma temp_store = memory;
    pragma case_sensitive_like = on;
  `)
  // On macOS fsync leaves data in the drive's own cache; F_FULLFSYNC does not.
  if (store === 'core' && process.platform === 'darwin') connection.exec('pragma fullfsync = on; pragma checkpoint_fullfsync = on')
  return connection
}

/** For reading beside the writer. Each statement sees everything committed before it. */
export function openReader(file: string): DatabaseSync {
  const connection = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
  connection.exec('pragma case_sensitive_like = on; pragma temp_store = memory')
  return connection
}

interface Prepared {
  statement: StatementSync
  columns: readonly string[]
}

/** Runs statements on a connection; each text is prepared once. */
export class Statements {
  readonly #connection: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()

  constructor(connection: DatabaseSync) {
    this.#connection = connection
  }

  /** The rows, as plain objects. */
  all<R = Row>({ text, values }: Sql): R[] {
    const { statement, columns } = this.#prepare(text)
    const rows = statement.all(...values) as unknown as SqlValue[][]
    const objects: Row[] = new Array(rows.length)
    for (let index = 0; index < rows.length; index += 1) {
      const cells = rows[index]!
      const object: Row = {}
      for (let column = 0; column < columns.length; column += 1) object[columns[column]!] = cells[column]!
      objects[index] = object
    }
    return objects as R[]
  }

  /** The number of rows changed. */
  run({ text, values }: Sql): number {
    return this.#prepare(text).statement.run(...values).changes as number
  }

  #prepare(text: string): Prepared {
    let prepared = this.#prepared.get(text)
    if (prepared === undefined) {
      const statement = this.#connection.prepare(text)
      // Rows come as arrays, because the objects that SQLite's binding makes have no prototype, unlike those of the other engine.
      statement.setReturnArrays(true)
      prepared = { statement, columns: statement.columns().map(({ name }) => name) }
      this.#prepared.set(text, prepared)
      if (this.#prepared.size > STATEMENTS_KEPT_MAX) this.#prepared.delete(this.#prepared.keys().next().value!)
    }
    return prepared
  }
}
