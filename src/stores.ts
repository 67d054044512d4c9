// The two stores of a server, opened together with what guards them: the data directory's lock and the master key.

import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { AccessKeyPair } from '#lib/credentials-file.ts'
import { createSealer, loadMasterKey, type Sealer } from '#lib/seal.ts'
import { transactions } from '#storage/built-in.ts'
import { openDataDirectory } from '#storage/data-directory.ts'
import type { Migration, Store, StoreName } from '#storage/database.ts'
import { checkMasterKey, hasMasterKey } from '#storage/key-check.ts'
import { openDatabase, type Engine } from '#storage/open.ts'
import { migrations as apigatewayMigrations } from '#services/apigateway/migrations.ts'
import { migrations as apigatewayv2Migrations } from '#services/apigatewayv2/migrations.ts'
import { migrations as dynamodbMigrations } from '#services/dynamodb/migrations.ts'
import { migrations as nodesMigrations } from '#services/execute-api/websocket/nodes/migrations.ts'
import { migrations as iamMigrations } from '#services/iam/migrations.ts'
import { migrations as lambdaMigrations } from '#services/lambda/migrations.ts'
import { migrations as lambdaConcurrencyMigrations } from '#services/lambda/concurrency/migrations.ts'
import { migrations as lambdaEventsMigrations } from '#services/lambda/events/migrations.ts'
import { migrations as logsMigrations } from '#services/logs/migrations.ts'
import type { Settings } from './config.ts'

export interface Stores {
  core: Store
  /** Log events and traces: batched, bounded, at most a second lost in a crash. */
  logs: Store
  sealer: Sealer
  notes: readonly string[]
  /**
   * The root key that the first start of any process gave the first account: the one offered, unless another process was faster.
   */
  firstRootKey(offered: AccessKeyPair): Promise<AccessKeyPair>
  /** Empties both. */
  reset(): Promise<void>
  close(): Promise<void>
}

/** What each store holds. Migrations run in this order and are only ever appended. */
export const schemas: Record<StoreName, { migrations: readonly Migration[], transactionModules: readonly URL[] }> = {
  core: {
    migrations: [...iamMigrations, ...dynamodbMigrations, ...lambdaMigrations, ...apigatewayMigrations, ...apigatewayv2Migrations, ...lambdaEventsMigrations, ...lambdaConcurrencyMigrations, ...nodesMigrations],
    transactionModules: ['iam', 'dynamodb', 'lambda', 'lambda/events', 'lambda/concurrency', 'apigateway', 'apigatewayv2', 'execute-api/websocket/nodes'].map(storeModule),
  },
  logs: { migrations: logsMigrations, transactionModules: [storeModule('logs')] },
}

/** Where a store is, according to the settings. */
export function engineOf(store: StoreName, { databaseUrl, dataDir }: Pick<Settings, 'databaseUrl' | 'dataDir'>): Engine {
  return databaseUrl === undefined ? { file: join(dataDir, `${store}.db`) } : { url: databaseUrl }
}

/** @throws StorageRefusal with a sentence that says what to do. */
export async function openStores({ settings, clock, log }: { settings: Settings, clock: Clock, log: Log }): Promise<Stores> {
  const directory = openDataDirectory(settings.dataDir)
  const opened: Store[] = []
  const close = async () => {
    for (const store of opened.toReversed()) await store.close()
    directory.release()
  }
  try {
    const open = async (store: StoreName) => {
      const database = await openDatabase({ engine: engineOf(store, settings), store, ...schemas[store], clock, log, commitDelayMs: settings.commitDelayMs })
      opened.push(database)
      return database
    }
    const core = await open('core')
    const sealer = await openSealer(core, settings)
    const logs = await open('logs')
    return {
      core, logs, sealer, close,
      notes: settings.commitDelayMs > 0 ? [`every commit is slowed by ${settings.commitDelayMs} ms (COUNTERSIGN_COMMIT_DELAY_MS)`] : [],
      async firstRootKey(offered) {
        const kept = await core.transact(transactions.keepSetting, { name: 'first-root-key', value: sealer.sealText(JSON.stringify(offered), 'stores.first-root-key') })
        return JSON.parse(sealer.openText(kept, 'stores.first-root-key')!) as AccessKeyPair
      },
      async reset() {
        await core.reset()
        await logs.reset()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The master key makes itself only for a store that no key has sealed yet. */
async function openSealer(core: Store, settings: Pick<Settings, 'masterKeyFile' | 'dataDir'>): Promise<Sealer> {
  const file = masterKeyFile(settings)
  const sealer = createSealer(loadMasterKey({ file, create: !await hasMasterKey(core) }))
  await checkMasterKey(core, sealer, file)
  return sealer
}

export function masterKeyFile({ masterKeyFile: named, dataDir }: Pick<Settings, 'masterKeyFile' | 'dataDir'>): string {
  return named ?? join(dataDir, 'master.key')
}

function storeModule(service: string): URL {
  return new URL(`./services/${service}/store.ts`, import.meta.url)
}
