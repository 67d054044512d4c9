// Accounts beyond the first: each with a root of its own.

import { Conflict } from '#storage/database.ts'
import { nowInSeconds } from './context.ts'
import type { IamService } from './context.ts'
import { accessKeyPurpose } from './identity.ts'
import { ACCOUNTS_MAX, newAccessKeyId, newSecretAccessKey } from './model.ts'
import { transactions } from './store.ts'

/** Ids are drawn this often until one is free. */
const DRAWS_MAX = 5

export interface NewAccount {
  accountId: string
  /** Of the root, told this once. */
  accessKeyId: string
  secretAccessKey: string
}

/**
 * Makes the account of this id, or of a new one. Undefined when there is one of that id already.
 * Fails when there are `ACCOUNTS_MAX`.
 */
export async function createAccount(wished: string | undefined, service: IamService): Promise<NewAccount | undefined> {
  const { database, random, sealer } = service
  for (let draw = 0; draw < (wished === undefined ? DRAWS_MAX : 1); draw++) {
    const accountId = wished ?? random.text(1, '123456789') + random.text(11, '0123456789')
    const id = newAccessKeyId('AKIA', accountId, random)
    const secretAccessKey = newSecretAccessKey(random)
    const key = { id, sealedSecret: sealer.sealText(secretAccessKey, accessKeyPurpose(id)) }
    try {
      await database.transact(transactions.insertAccount, { accountId, key, nowMs: nowInSeconds(service), accountsMax: ACCOUNTS_MAX })
      return { accountId, accessKeyId: id, secretAccessKey }
    } catch (error) {
      if (!(error instanceof Conflict) || error.reason !== 'exists') throw error
    }
  }
  return undefined
}
