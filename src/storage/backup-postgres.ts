// Copies the rows of a PostgreSQL store into a backup, all as of one moment.

import type { DatabaseSync } from 'node:sqlite'
import { Client, type ClientBase } from 'pg'
import { openDraft, ownTablesKept, quoted } from './backup-file.ts'
import type { Row, StoreName } from './database.ts'
import { clientConfig } from './postgres-connection.ts'

/** Rows in memory at once; a row may be half a megabyte. */
const ROWS_AT_ONCE = 100

export interface CopyOptions {
  url: string
  store: StoreName
  tables: readonly string[]
  to: string
}

export async function copyPostgres({ url, store, tables, to }: CopyOptions): Promise<void> {
  const client = new Client(clientConfig(url, store))
  client.on('error', () => {})
  await client.connect()
  const draft = openDraft(to)
  try {
    await client.query('begin isolation level repeatable read read only')
    draft.exec('begin')
    draft.prepare('insert into stores (store, engine) values (?, ?)').run(store, 'postgres')
    for (const table of [...ownTablesKept, ...tables]) await copyTable(client, draft, { table, as: `${store}.${table}` })
    for (const { table, column } of await serialColumns(client)) {
      const { rows: [serial] } = await client.query<{ last: number }>(`select last_value as last from ${await sequenceOf(client, table, column)} where is_called`)
      if (serial) draft.prepare('insert into serials (store, "table", last) values (?, ?, ?)').run(store, table, serial.last)
    }
    draft.exec('commit')
    await client.query('commit')
  } finally {
    draft.close()
    await client.end()
  }
}

/** The serial columns of the services' tables. */
export async function serialColumns(client: ClientBase): Promise<{ table: string, column: string }[]> {
  const { rows } = await client.query<{ table: string, column: string }>(
    'select table_name::text as "table", column_name::text as "column" from information_schema.columns where table_schema = current_schema() and is_identity = \'YES\' order by 1',
  )
  return rows.filter(({ table }) => !table.startsWith('countersign_'))
}

/** The sequence behind a serial column, as it is written in a statement. */
export async function sequenceOf(client: ClientBase, table: string, column: string): Promise<string> {
  const { rows: [found] } = await client.query<{ sequence: string }>('select pg_get_serial_sequence($1, $2) as sequence', [quoted(table), column])
  return found!.sequence
}

async function copyTable(client: ClientBase, draft: DatabaseSync, { table, as }: { table: string, as: string }): Promise<void> {
  await client.query(`declare reading no scroll cursor for select * from ${quoted(table)}`)
  for (let insert: ReturnType<DatabaseSync['prepare']> | undefined; ;) {
    const { rows, fields } = await client.query<Row>(`fetch ${ROWS_AT_ONCE} from reading`)
    const columns = fields.map(({ name }) => name)
    if (insert === undefined) {
      // Without types a column keeps each value as it is.
      draft.exec(`create table ${quoted(as)} (${columns.map(quoted).join(', ')})`)
      insert = draft.prepare(`insert into ${quoted(as)} values (${columns.map(() => '?').join(', ')})`)
    }
    for (const row of rows) insert.run(...columns.map((column) => row[column]!))
    if (rows.length < ROWS_AT_ONCE) break
  }
  await client.query('close reading')
}
