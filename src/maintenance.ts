// `countersign backup` and `countersign restore`: the stores as whole things, outside of any server.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import { createLog } from '#lib/log.ts'
import { backup } from '#storage/backup.ts'
import { openDataDirectory } from '#storage/data-directory.ts'
import type { Store, StoreName } from '#storage/database.ts'
import { openDatabase } from '#storage/open.ts'
import { StorageRefusal } from '#storage/refusal.ts'
import { restore } from '#storage/restore.ts'
import type { Settings } from './config.ts'
import { engineOf, masterKeyFile, schemas } from './stores.ts'

const storeNames: readonly StoreName[] = ['core', 'logs']

/** Copies both stores into a new file, also while a server uses them. @throws StorageRefusal */
export async function backupTo(file: string, settings: Settings): Promise<void> {
  const stores: Store[] = []
  try {
    for (const store of storeNames) {
      const engine = engineOf(store, settings)
      if ('file' in engine && !existsSync(engine.file)) throw new StorageRefusal(`There is no store in ${settings.dataDir}; name the data directory of a server with --data-dir.`)
      stores.push(await openDatabase({ engine, store, ...schemas[store], clock: systemClock, log: createLog('error') }))
    }
    await backup(stores, resolve(file))
  } finally {
    for (const store of stores) await store.close()
  }
  console.log(`${file} holds both stores. The master key is not in it: keep a copy of ${masterKeyFile(settings)} apart.`)
}

/** Fills empty stores from a backup. No server may be using them. @throws StorageRefusal */
export async function restoreFrom(file: string, settings: Settings): Promise<void> {
  const directory = openDataDirectory(settings.dataDir)
  try {
    for (const store of storeNames) await restore({ file: resolve(file), store, engine: engineOf(store, settings), migrations: schemas[store].migrations })
  } finally {
    directory.release()
  }
  const key = masterKeyFile(settings)
  console.log(existsSync(key) ? `Restored. The server starts with the master key ${key}.` : `Restored. Before the server starts, put the master key of the backed-up server to ${key}.`)
}
