// The form of a backup: a SQLite file with the rows of one or both stores, each table as `store.table`, whichever engine they came from.

import { DatabaseSync } from 'node:sqlite'
import type { StoreName } from './database.ts'
import type { AppliedMigration } from './migrate.ts'
import { StorageRefusal } from './refusal.ts'

/** Raised when a reader of the present form could not read the new one. */
const FORMAT = 1
/** `CSGB`, so that `file` and we can tell a backup from a store. Source: sqlite.org, "PRAGMA application_id". */
const APPLICATION_ID = 0x43_53_47_42

/** The storage's own tables that a backup has beside those of the services: which steps the rows went through, and the key check. */
export const ownTablesKept: readonly string[] = ['countersign_migrations', 'countersign_settings']

/** A name between double quotes. Names come from a schema, but a file that is restored may have been made by anybody. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Makes an empty backup, or opens one to which another store is added. Nothing is flushed before the whole is. */
export function openDraft(file: string): DatabaseSync {
  const draft = new DatabaseSync(file)
  draft.exec(`
    pragma journal_mode = off;
    pragma synchronous = off;
    pragma application_id = ${APPLICATION_ID};
    pragma user_version = ${FORMAT};
    create table if not exists stores (store text primary key, engine text not null);
    create table if not exists serials (store text not null, "table" text not null, last integer not null, primary key (store, "table"));
  `)
  return draft
}

/** @throws StorageRefusal for a file that is not a backup, is of a form that is unknown here, or does not have the store. */
export function openBackup(file: string, store: StoreName): DatabaseSync {
  let backup: DatabaseSync | undefined
  try {
    backup = new DatabaseSync(file, { readOnly: true })
    const value = (pragma: string) => Number(Object.values(backup!.prepare(`pragma ${pragma}`).get()!)[0])
    if (value('application_id') !== APPLICATION_ID) throw new StorageRefusal(`${file} is not a backup of Countersign.`)
    if (value('user_version') !== FORMAT) throw new StorageRefusal(`${file} is a backup of a newer version of Countersign; restore it with that version.`)
    const [check] = backup.prepare('pragma quick_check(1)').all()
    if (Object.values(check!)[0] !== 'ok') throw new StorageRefusal(`The backup ${file} is damaged (${String(Object.values(check!)[0]).replace(/\s+/g, ' ')}); use another.`)
    if (backup.prepare('select 1 from stores where store = ?').get(store) === undefined) throw new StorageRefusal(`The backup ${file} does not have the ${store} store.`)
    return backup
  } catch (error) {
    backup?.close()
    if (error instanceof StorageRefusal) throw error
    const { errcode, message } = error as Error & { errcode?: number }
    if (errcode === undefined) throw error
    throw new StorageRefusal(errcode === 26 ? `${file} is not a backup of Countersign.` : `The backup ${file} cannot be read (${message}).`, { cause: error })
  }
}

/** The steps that the rows of a store in a backup have gone through, oldest first. */
export function stepsOf(backup: DatabaseSync, store: StoreName): AppliedMigration[] {
  return backup.prepare(`select id, checksum from ${quoted(`${store}.countersign_migrations`)} order by position`).all() as unknown as AppliedMigration[]
}

/** The last number that each serial column of a store has given. */
export function serialsOf(backup: DatabaseSync, store: StoreName): { table: string, last: number }[] {
  return backup.prepare('select "table", last from serials where store = ?').all(store) as unknown as { table: string, last: number }[]
}

/** The columns of a table, in order. */
export function columnsOf(connection: DatabaseSync, table: string): string[] {
  return connection.prepare('select name from pragma_table_info(?)').all(table).map(({ name }) => String(name))
}
