// Restores a store from a backup, into either engine, whichever the backup was made from.

import { closeSync, existsSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client, type ClientBase } from 'pg'
import { columnsOf, openBackup, ownTablesKept, quoted, serialsOf, stepsOf } from './backup-file.ts'
import { sequenceOf, serialColumns } from './backup-postgres.ts'
import { flush } from './backup.ts'
import type { Migration, SqlValue, StoreName } from './database.ts'
import { remember } from './data-directory.ts'
import { stillToApply } from './migrate.ts'
import type { Engine } from './open.ts'
import { clientConfig, connectRefusal, describeUrl, schemaOf } from './postgres-connection.ts'
import { migrateSchema, tablesOf as postgresTables, withSchema } from './postgres-schema.ts'
import { StorageRefusal } from './refusal.ts'
import { migrate, tablesOf as sqliteTables } from './sqlite-file.ts'

/** Rows sent to PostgreSQL in one statement; a row may be half a megabyte. */
const ROWS_AT_ONCE = 100

export interface RestoreOptions {
  /** The backup. */
  file: string
  store: StoreName
  /** Where to. No server may use it (of a data directory, hold the lock). */
  engine: Engine
  migrations: readonly Migration[]
}

/**
 * Fills an empty store with what the backup has of it: schema steps first, exactly those the backup's rows had been through; the
 * next `openDatabase` applies newer ones. All or nothing.
 *
 * @throws StorageRefusal when the store has rows already, or the file is no backup that this program can read.
 */
export async function restore({ file, store, engine, migrations }: RestoreOptions): Promise<void> {
  const source = openBackup(file, store)
  try {
    const steps = stepsOf(source, store)
    stillToApply(migrations, steps, `The backup ${file}`)
    const known = new Map(migrations.map((migration) => [migration.id, migration]))
    const applied = steps.map(({ id }) => known.get(id)!)
    if ('file' in engine) restoreFile({ source, backup: file, store, migrations: applied, file: engine.file })
    else await restorePostgres({ source, store, migrations: applied, url: engine.url })
  } finally {
    source.close()
  }
}

interface Target {
  source: DatabaseSync
  store: StoreName
  /** Those that the backup's rows have been through. */
  migrations: readonly Migration[]
}

function restoreFile({ source, backup, store, migrations, file }: Target & { backup: string, file: string }): void {
  if (existsSync(file) && hasRows(file)) throw new StorageRefusal(`${file} is not empty, or is damaged; restore into a new data directory.`)
  const draft = `${file}.${process.pid}.draft`
  try {
    closeSync(openSync(draft, 'wx', 0o600))
    const target = new DatabaseSync(draft, { enableForeignKeyConstraints: false })
    try {
      target.exec('pragma journal_mode = off; pragma synchronous = off')
      migrate(target, migrations, draft)
      target.prepare('attach ? as source').run(backup)
      target.exec('begin; delete from countersign_migrations')
      for (const table of sqliteTables(target)) {
        const columns = columnsOf(source, `${store}.${table}`).map(quoted).join(', ')
        target.exec(`insert into main.${quoted(table)} (${columns}) select ${columns} from source.${quoted(`${store}.${table}`)}`)
      }
      for (const { table, last } of serialsOf(source, store)) {
        target.prepare('delete from sqlite_sequence where name = ?').run(table)
        target.prepare('insert into sqlite_sequence (name, seq) values (?, ?)').run(table, last)
      }
      target.exec('commit')
    } finally {
      target.close()
    }
    flush(draft)
    for (const log of [`${file}-wal`, `${file}-shm`]) rmSync(log, { force: true })
    renameSync(draft, file)
    flush(dirname(file))
  } finally {
    rmSync(draft, { force: true })
  }
  remember(file)
}

/** A file that cannot be read counts as having some. */
function hasRows(file: string): boolean {
  let target: DatabaseSync | undefined
  try {
    const opened = target = new DatabaseSync(file)
    return sqliteTables(opened)
      .filter((table) => !table.startsWith('countersign_'))
      .some((table) => opened.prepare(`select 1 from ${quoted(table)} limit 1`).get() !== undefined)
  } catch {
    return true
  } finally {
    target?.close()
  }
}

async function restorePostgres({ source, store, migrations, url }: Target & { url: string }): Promise<void> {
  const client = new Client(clientConfig(url, store))
  client.on('error', () => {})
  try {
    await client.connect()
    await withSchema(client, store, async () => {
      for (const table of await postgresTables(client, store)) {
        const { rowCount } = await client.query(`select 1 from ${quoted(table)} limit 1`)
        if (rowCount !== 0) throw new StorageRefusal(`${describeUrl(url)}, has a ${store} store that is not empty; restore into a new database, or first drop its schema ${schemaOf(store)}.`)
      }
      await client.query(`drop schema if exists ${schemaOf(store)} cascade`)
      await migrateSchema(client, { url, store, migrations })
      await client.query('delete from countersign_migrations')
      for (const table of [...ownTablesKept, ...await postgresTables(client, store)]) await fill(client, source, { table, from: `${store}.${table}` })
      const columns = new Map((await serialColumns(client)).map(({ table, column }) => [table, column]))
      for (const { table, last } of serialsOf(source, store)) {
        await client.query('select setval($1, $2)', [await sequenceOf(client, table, columns.get(table)!), last])
      }
    })
  } catch (error) {
    throw connectRefusal(url, error)
  } finally {
    await client.end()
  }
}

/** Sends a table's rows as one array for each column. */
async function fill(client: ClientBase, source: DatabaseSync, { table, from }: { table: string, from: string }): Promise<void> {
  const columns = columnsOf(source, from)
  const { rows: types } = await client.query<{ name: string, type: string }>(
    'select attname as name, atttypid::regtype::text as type from pg_attribute where attrelid = $1::regclass and attnum > 0', [quoted(table)],
  )
  const typeOf = new Map(types.map(({ name, type }) => [name, type]))
  const arrays = columns.map((column, index) => `$${index + 1}::${typeOf.get(column) ?? 'text'}[]`).join(', ')
  const text = `insert into ${quoted(table)} (${columns.map(quoted).join(', ')}) select * from unnest(${arrays})`
  const statement = source.prepare(`select * from ${quoted(from)}`)
  statement.setReturnArrays(true)
  let rows: SqlValue[][] = []
  const send = async () => {
    await client.query(text, columns.map((_, index) => rows.map((row) => row[index])))
    rows = []
  }
  for (const row of statement.iterate() as unknown as Iterable<SqlValue[]>) {
    rows.push(row)
    if (rows.length === ROWS_AT_ONCE) await send()
  }
  if (rows.length > 0) await send()
}
