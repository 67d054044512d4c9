// Runs a suite of store tests on every engine that this machine has.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, getTestContext } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import type { Migration, Store, StoreName } from '#storage/database.ts'
import { openDatabase, type Engine } from '#storage/open.ts'
import { freshPostgres, postgresIsAbsent } from './postgres.ts'

export interface SuiteOptions {
  migrations: readonly Migration[]
  /** The modules under test: `new URL('./store.ts', import.meta.url)`. */
  transactionModules: readonly URL[]
  /** The store that the module lives in; `core` unless said. */
  store?: StoreName
}

/**
 * Describes `name` once per engine. In the suite, each call of `open` gives an empty store of its own, which closes with the test that
 * asked for it (or, asked for outside a test, with the suite).
 */
export function eachDatabase(name: string, options: SuiteOptions, suite: (open: () => Promise<Store>, freshEngine: () => Promise<Engine>) => void): void {
  const engines = [
    { title: 'SQLite', absent: false as const, fresh: freshFile },
    { title: 'PostgreSQL', absent: postgresIsAbsent(), fresh: freshPostgres },
  ]
  for (const { title, absent, fresh } of engines) {
    void describe(`${name} on ${title}`, { skip: absent }, () => {
      const endings: (() => Promise<void>)[] = []
      const atEnd = (end: () => Promise<void>) => {
        const test = getTestContext()
        if (test !== undefined && 'after' in test) test.after(end)
        else endings.push(end)
      }
      const freshEngine = async () => {
        const { engine, remove } = await fresh()
        atEnd(remove)
        return engine
      }
      const open = async () => {
        const { engine, remove } = await fresh()
        const database = await openDatabase({ store: 'core', ...options, engine, clock: systemClock })
        atEnd(async () => {
          await database.close()
          await remove()
        })
        return database
      }
      after(async () => { for (const end of endings.toReversed()) await end() })
      suite(open, freshEngine)
    })
  }
}

/** A store file in a directory of its own. */
export async function freshFile(): Promise<{ engine: { file: string }, remove: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-store-'))
  return { engine: { file: join(directory, 'core.db') }, remove: async () => rmSync(directory, { recursive: true, force: true }) }
}
