// Keeps ready what is provisioned: follows the store and tells the pool of environments.

import type { Log } from '#lib/log.ts'
import type { Database } from '#storage/database.ts'
import type { Scope } from '#aws/arn.ts'
import type { FunctionDirectory, FunctionSnapshot } from '../directory.ts'
import type { Pool } from '../runtime/pool.ts'
import type { ConcurrencyDirectory } from './limits.ts'
import { listProvisionedScopes } from './store.ts'

export interface Provisioner {
  /** Begins to keep ready what the store says. */
  start(): void
  stop(): Promise<void>
}

export interface ProvisionerOptions {
  database: Database
  directory: FunctionDirectory
  concurrency: ConcurrencyDirectory
  pool: Pick<Pool, 'provision'>
  log: Pick<Log, 'error'>
}

export function createProvisioner({ database, directory, concurrency, pool, log }: ProvisionerOptions): Provisioner {
  /** What the pool was told, by account and region, then by version's ARN. */
  const told = new Map<string, Map<string, FunctionSnapshot>>()
  let isStopped = false
  let isStarted = false
  let working: Promise<void> = Promise.resolve()
  const stopListening = database.onChange((change) => {
    if (!isStarted) return
    if (!change) return follow(tellAll)
    const scope = scopeOf(change.key)
    // A function that changes matters where something is provisioned.
    if (change.topic === 'lambda.concurrency' || (change.topic === 'lambda.function' && told.has(keyOf(scope)))) follow(() => tell(scope))
  })

  function follow(work: () => Promise<void>): void {
    working = working.then(async () => {
      if (isStopped) return
      try {
        await work()
      } catch (error) {
        log.error({ err: error }, 'what is to be kept ready could not be read')
      }
    })
  }

  async function tellAll(): Promise<void> {
    const scopes = new Map((await listProvisionedScopes(database)).map((scope) => [keyOf(scope), scope]))
    for (const key of told.keys()) scopes.set(key, scopeOf(key))
    for (const scope of scopes.values()) await tell(scope)
  }

  async function tell(scope: Scope): Promise<void> {
    const before = told.get(keyOf(scope)) ?? new Map<string, FunctionSnapshot>()
    const wanted = new Map<string, { snapshot: FunctionSnapshot, executions: number }>()
    for (const { name, version, executions } of await concurrency.provisions(scope)) {
      const snapshot = await directory.find({ ...scope, name, qualifier: version })
      if (!snapshot) continue
      const arn = `${snapshot.arn}:${version}`
      wanted.set(arn, { snapshot, executions: executions + (wanted.get(arn)?.executions ?? 0) })
    }
    for (const [arn, snapshot] of before) if (!wanted.has(arn)) pool.provision(snapshot, 0)
    for (const { snapshot, executions } of wanted.values()) pool.provision(snapshot, executions)
    if (wanted.size === 0) told.delete(keyOf(scope))
    else told.set(keyOf(scope), new Map([...wanted].map(([arn, { snapshot }]) => [arn, snapshot])))
  }

  return {
    start() {
      isStarted = true
      follow(tellAll)
    },
    async stop() {
      isStopped = true
      stopListening()
      await working
    },
  }
}

function keyOf({ accountId, region }: Scope): string {
  return `${accountId}/${region}`
}

function scopeOf(key: string): Scope {
  const [accountId, region] = key.split('/') as [string, string]
  return { accountId, region }
}
