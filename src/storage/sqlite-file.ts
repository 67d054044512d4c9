// What happens to a SQLite file before it is used: it is there, it is whole, it is ours, and its schema is up to date.

import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Migration, StoreName } from './database.ts'
import { isRemembered, remember } from './data-directory.ts'
import { checksumOf, inDialect, ownTables, stillToApply, type AppliedMigration } from './migrate.ts'
import { StorageRefusal } from './refusal.ts'
import { openWriter } from './sqlite-connection.ts'

/** Files up to this size are checked whole at each start (about 0.1 s); of larger ones only the schema and each table's first row. */
const WHOLE_CHECK_BYTES_MAX = 32 * 1024 * 1024

/** Source: sqlite.org, "Result and Error Codes". */
const sqliteCodes = { busy: 5, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const

export interface PrepareOptions {
  file: string
  store: StoreName
  migrations: readonly Migration[]
}

/**
 * Makes the file if its directory does not remember one, checks it, and applies the steps that are missing, all or none.
 * Resolves with the tables of the services in the order in which they were made.
 *
 * @throws StorageRefusal for a file that is lost, damaged, newer than this program or not ours. It is then left as it was.
 */
export function prepareFile({ file, store, migrations }: PrepareOptions): string[] {
  const mustExist = isRemembered(file)
  if (mustExist && !existsSync(file)) {
    throw new StorageRefusal(`${file} is missing, though its data directory had one; restore it from a backup, or remove ${dirname(file)} to start empty.`)
  }
  const isCutShort = mustExist && isShorterThanItSays(file)
  const tables = refusing(file, () => {
    if (isCutShort) throw damaged(file, 'it is shorter than its own header says')
    // The file exists with its mode before SQLite sees it; its log files take the same mode.
    if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600))
    checkFile(file, mustExist)
    const connection = openWriter(file, store)
    try {
      migrate(connection, migrations, file)
      return tablesOf(connection).filter((name) => !name.startsWith('countersign_'))
    } finally {
      connection.close()
    }
  })
  remember(file)
  return tables
}

/** In the order in which they were made. */
export function tablesOf(connection: DatabaseSync, schema = 'main'): string[] {
  const rows = connection.prepare(`select name from ${schema}.sqlite_schema where type = 'table' and name not like 'sqlite!_%' escape '!' order by rowid`).all()
  return rows.map(({ name }) => String(name))
}

/** The steps that a store has had, oldest first. */
export function appliedTo(connection: DatabaseSync): AppliedMigration[] {
  return connection.prepare('select id, checksum from countersign_migrations order by position').all() as unknown as AppliedMigration[]
}

/** Applies what is missing in one transaction. `where` names the store in a refusal. */
export function migrate(connection: DatabaseSync, migrations: readonly Migration[], where: string): void {
  connection.exec('begin immediate')
  try {
    for (const text of ownTables) connection.exec(inDialect(text, 'sqlite'))
    const applied = appliedTo(connection)
    let position = applied.length
    const insert = connection.prepare('insert into countersign_migrations (position, id, checksum) values (?, ?, ?)')
    for (const migration of stillToApply(migrations, applied, where)) {
      connection.exec(inDialect(migration.text, 'sqlite'))
      insert.run(position, migration.id, checksumOf(migration))
      position += 1
    }
    connection.exec('commit')
  } catch (error) {
    if (connection.isTransaction) connection.exec('rollback')
    throw error
  }
}

/** Looks without changing anything: the file of another program stays as it was, down to its journal mode. */
function checkFile(file: string, mustExist: boolean): void {
  const connection = new DatabaseSync(file)
  try {
    const tables = tablesOf(connection)
    if (statSync(file).size <= WHOLE_CHECK_BYTES_MAX) {
      const found = String(Object.values(connection.prepare('pragma quick_check(1)').get()!)[0])
      if (found !== 'ok') throw damaged(file, found.replace(/\s+/g, ' '))
    } else {
      for (const table of tables) connection.prepare(`select * from "${table}" limit 1`).all()
    }
    const isOurs = tables.includes('countersign_migrations')
    if (!isOurs && mustExist) throw damaged(file, 'it is empty, though its data directory remembers a store')
    if (!isOurs && tables.length > 0) throw new StorageRefusal(`${file} is a SQLite database, but not a store of Countersign; move it away.`)
  } finally {
    connection.close()
  }
}

/** Without a log beside it, a file holds every page that its header counts. Source: sqlite.org, "Database File Format", 1.3. */
function isShorterThanItSays(file: string): boolean {
  const log = `${file}-wal`
  if (existsSync(log) && statSync(log).size > 0) return false
  const { size } = statSync(file)
  if (size < 100) return true
  const header = readHeader(file)
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16)
  return size < pageSize * header.readUInt32BE(28)
}

function readHeader(file: string): Buffer {
  const handle = openSync(file, 'r')
  try {
    const header = Buffer.alloc(100)
    readSync(handle, header, 0, header.length, 0)
    return header
  } finally {
    closeSync(handle)
  }
}

function damaged(file: string, because: string, cause?: unknown): StorageRefusal {
  return new StorageRefusal(`${file} is damaged (${because}); restore a backup into a new data directory.`, { cause })
}

/** Turns SQLite's errors on opening a file into sentences. */
function refusing<Result>(file: string, open: () => Result): Result {
  try {
    return open()
  } catch (error) {
    const { errcode, message, code } = error as Error & { errcode?: number, code?: string }
    // Extended codes carry the plain one in their low byte.
    switch (errcode === undefined ? undefined : errcode & 0xff) {
      case sqliteCodes.corrupt:
      case sqliteCodes.notADatabase: throw damaged(file, message, error)
      case sqliteCodes.busy: throw new StorageRefusal(`${file} is locked by another program; close it and start again.`, { cause: error })
      case sqliteCodes.full: throw new StorageRefusal(`${file} cannot be written, because the disk is full.`, { cause: error })
      case sqliteCodes.ioError:
      case sqliteCodes.readOnly:
      case sqliteCodes.cannotOpen: throw new StorageRefusal(`${file} cannot be opened for writing (${message}); check the owner and mode of the file and its directory.`, { cause: error })
    }
    if (code === 'EACCES' || code === 'EPERM' || code === 'ENOENT' || code === 'EROFS') {
      throw new StorageRefusal(`${file} cannot be opened for writing (${code}); check the owner and mode of the file and its directory.`, { cause: error })
    }
    throw error
  }
}
