// The directory with everything that one process keeps: made, checked, locked against a second process, and remembered.

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { readFileIfAny, writeFileAtomically } from '#lib/files.ts'
import { StorageRefusal } from './refusal.ts'

export interface DataDirectory {
  /** Absolute. */
  path: string
  /** The path of a file in it. */
  file(name: string): string
  /** Lets another process have it. The end of this process, however it comes, does the same. */
  release(): void
}

const lockFile = 'lock'
const ownerFile = 'lock.pid'
const storesFile = 'stores.json'

/**
 * Makes the directory if there is none (for its owner alone), and takes it for this process.
 *
 * @throws StorageRefusal when it cannot be made or written, or another process has it.
 */
export function openDataDirectory(directory: string): DataDirectory {
  const path = resolve(directory)
  try {
    makeDirectory(path)
    const probe = join(path, `.writable-${process.pid}`)
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new StorageRefusal(`The data directory ${path} cannot be ${code === 'ENOTDIR' || code === 'EEXIST' ? 'made, because a file is in the way' : 'written'} (${code}); give this user a directory to write to, or set COUNTERSIGN_DATA_DIR to another.`, { cause: error })
  }
  const lock = takeLock(path)
  writeFileSync(join(path, ownerFile), `${process.pid}\n`, { mode: 0o600 })
  return {
    path,
    file: (name) => join(path, name),
    release: () => { if (lock.isOpen) lock.close() },
  }
}

/** One level at a time: Node's own recursion goes round for ever where a parent exists but takes no directories (`/proc`). */
function makeDirectory(path: string): void {
  if (existsSync(path)) return
  makeDirectory(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/**
 * SQLite's exclusive lock on a file of its own: the operating system drops it with the process, so that a crash leaves nothing
 * to clean up. Nothing else may open that file (closing it would drop the lock), so the process id stands in another.
 */
function takeLock(path: string): DatabaseSync {
  const lock = new DatabaseSync(join(path, lockFile), { timeout: 0 })
  try {
    lock.exec('begin exclusive')
    return lock
  } catch (error) {
    lock.close()
    if ((error as { errcode?: number }).errcode !== 5) {
      throw new StorageRefusal(`The data directory ${path} cannot be locked (${(error as Error).message}); it needs a local file system.`, { cause: error })
    }
    const owner = readFileIfAny(join(path, ownerFile))?.trim()
    throw new StorageRefusal(`The data directory ${path} is in use by ${owner ? `process ${owner}` : 'another process'}; stop it, or set COUNTERSIGN_DATA_DIR to another directory.`, { cause: error })
  }
}

/** Whether a store file was there once, according to its directory. A file that is remembered and gone was lost. */
export function isRemembered(file: string): boolean {
  return rememberedStores(dirname(file)).includes(basename(file))
}

/** Makes the directory of a store file remember it. */
export function remember(file: string): void {
  const directory = dirname(file)
  const stores = rememberedStores(directory)
  if (stores.includes(basename(file))) return
  writeFileAtomically(join(directory, storesFile), `${JSON.stringify({ stores: [...stores, basename(file)].sort() }, null, 2)}\n`, 0o600)
}

function rememberedStores(directory: string): string[] {
  const text = readFileIfAny(join(directory, storesFile))
  if (text === undefined) return []
  try {
    const { stores } = JSON.parse(text) as { stores: string[] }
    return stores
  } catch (error) {
    throw new StorageRefusal(`${join(directory, storesFile)} is damaged; restore a backup into a new data directory.`, { cause: error })
  }
}
