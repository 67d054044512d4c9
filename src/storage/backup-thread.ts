// A thread that copies the rows of a SQLite store into a backup, all as of one moment, while the store is in use.

import { workerData } from 'node:worker_threads'
import { openDraft, quoted } from './backup-file.ts'
import type { StoreName } from './database.ts'

export interface CopyOptions {
  from: string
  store: StoreName
  /** With the storage's own. */
  tables: readonly string[]
  to: string
}

const { from, store, tables, to } = workerData as CopyOptions
const draft = openDraft(to)
draft.prepare('attach ? as source').run(from)
draft.exec('begin')
draft.prepare('insert into stores (store, engine) values (?, ?)').run(store, 'sqlite')
for (const table of tables) draft.exec(`create table ${quoted(`${store}.${table}`)} as select * from source.${quoted(table)}`)
// SQLite makes this table of its own with the first serial column.
if (draft.prepare('select 1 from source.sqlite_schema where name = \'sqlite_sequence\'').get() !== undefined) {
  draft.prepare('insert into serials (store, "table", last) select ?, name, seq from source.sqlite_sequence').run(store)
}
draft.exec('commit')
draft.close()
