// Opens a store with the engine that the settings name.

import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Migration, Store, StoreName } from './database.ts'
import { openSqlite } from './sqlite.ts'

export type { Store, StoreName } from './database.ts'

/** A file of the embedded engine (its directory exists: see `openDataDirectory`), or a PostgreSQL, which both stores may share. */
export type Engine = { file: string } | { url: string }

export interface OpenOptions {
  engine: Engine
  store: StoreName
  /** Of all services, in an order in which they can be applied. */
  migrations: readonly Migration[]
  /** The modules whose `transactions` will be called: each service's `store.ts`. */
  transactionModules: readonly URL[]
  clock: Clock
  log?: Log | undefined
  /** Slows each commit of the embedded engine, to measure as if on a slower disk. */
  commitDelayMs?: number | undefined
  /** Told when the store can never be written again. Without it the error is thrown where nothing catches it, and ends the process. */
  onFailure?: ((error: Error) => void) | undefined
}

/**
 * Opens one store, and brings its schema up to date first.
 *
 * @throws StorageRefusal with a sentence when the store is lost, damaged, newer than this program, or out of reach.
 */
export async function openDatabase({ engine, store, migrations, transactionModules, clock, log, commitDelayMs = 0, onFailure = endProcess }: OpenOptions): Promise<Store> {
  if ('file' in engine) return openSqlite({ file: engine.file, store, migrations, transactionModules, commitDelayMs, log, onFailure })
  // Only a server that uses PostgreSQL loads its client: it is a tenth of the memory of one that does not.
  const { openPostgres } = await import('./postgres.ts')
  return openPostgres({ url: engine.url, store, migrations, clock, log })
}

function endProcess(error: Error): void {
  setImmediate(() => { throw error })
}
