// Backups: one file with the stores of a running server, for either engine. Secrets in it stay sealed; the master key is never part of it.

import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Store } from './database.ts'
import { StorageRefusal } from './refusal.ts'

/**
 * Writes the stores into a new file, readable by its owner alone, and flushes it. Each store is copied as of one moment, while it
 * stays in use. The file is there whole or not at all.
 *
 * @throws StorageRefusal when the file exists or cannot be written.
 */
export async function backup(stores: readonly Store[], file: string): Promise<void> {
  if (existsSync(file)) throw new StorageRefusal(`${file} exists; a backup does not replace a file.`)
  const draft = `${file}.${process.pid}.draft`
  try {
    closeSync(openSync(draft, 'wx', 0o600))
    for (const store of stores) await store.copyTo(draft)
    flush(draft)
    linkSync(draft, file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new StorageRefusal(`${file} exists; a backup does not replace a file.`, { cause: error })
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EROFS'].includes(code ?? '')) throw new StorageRefusal(`${file} cannot be written (${code}); name a file in a directory that exists and can be written.`, { cause: error })
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
  flush(dirname(file))
}

/** Waits until a file or directory is on disk. */
export function flush(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
