// Whether the master key is the one that a store's secrets were sealed with.

import type { Sealer } from '#lib/seal.ts'
import { transactions } from './built-in.ts'
import { sql, type Reader, type Store } from './database.ts'
import { StorageRefusal } from './refusal.ts'

const setting = 'key-check'
const purpose = 'storage.key-check'
const known = 'countersign'

/**
 * Leaves a sealed word in a store that has none, and opens the one that is there. Call it before anything is sealed or opened.
 * `keyFile` only appears in the sentence.
 *
 * @throws StorageRefusal when the store was sealed with another key.
 */
export async function checkMasterKey(store: Store, sealer: Sealer, keyFile: string): Promise<void> {
  const kept = await store.transact(transactions.keepSetting, { name: setting, value: sealer.sealText(known, purpose) })
  if (sealer.openText(kept, purpose) !== known) {
    throw new StorageRefusal(`The master key ${keyFile} does not match this store, whose secrets were sealed with another; put that key back, or name it in COUNTERSIGN_MASTER_KEY_FILE.`)
  }
}

/** Whether a key has sealed something in this store already: then that key is needed, and a new one must not be made. */
export async function hasMasterKey(store: Reader): Promise<boolean> {
  return (await store.query(sql`select name from countersign_settings where name = ${setting}`)).length > 0
}
