// How many invocations of a function may run at once, as its account has it divided: read once, until that changes.

import { createCache } from '#storage/cached.ts'
import type { Database } from '#storage/database.ts'
import type { Scope } from '#aws/arn.ts'
import { findAlias } from '../alias-store.ts'
import type { FunctionSnapshot } from '../directory.ts'
import { ACCOUNT_EXECUTIONS_MAX } from '../limits.ts'
import { isVersionNumber } from '../model.ts'
import { listProvisioned, listReserved, takenBy } from './store.ts'

/** What counts for one version of a function. */
export interface FunctionLimits {
  /** Of all versions together; undefined when the function shares what is unreserved with others. */
  reserved: number | undefined
  /** Kept ready for this version. */
  provisioned: number
  /** Kept ready for all versions of the function. */
  provisionedOfFunction: number
  /** Of all functions of the account and region without a reservation, beside what is provisioned. */
  unreserved: number
}

export interface VersionProvision {
  name: string
  version: string
  executions: number
}

export interface ConcurrencyDirectory {
  limitsOf(snapshot: Pick<FunctionSnapshot, 'record'>): Promise<FunctionLimits>
  /** What is to be kept ready, by version; of an alias, for the version that it points to first of all. */
  provisions(scope: Scope): Promise<readonly VersionProvision[]>
}

interface Division {
  reserved: ReadonlyMap<string, number>
  provisions: readonly VersionProvision[]
  unreserved: number
}

const scopesKeptMax = 1_000

export function createConcurrencyDirectory({ database }: { database: Database }): ConcurrencyDirectory {
  const cache = createCache<string, Division>({
    database,
    load: (key) => divisionOf(database, scopeOf(key)),
    staleAfter: ({ topic, key }) => {
      if (topic === 'lambda.concurrency') return { key }
      // Aliases move, and functions go.
      return topic === 'lambda.function' ? { key: key.split('/', 2).join('/') } : 'none'
    },
    entriesMax: scopesKeptMax,
  })
  return {
    async limitsOf({ record: { accountId, region, name, version } }) {
      const { reserved, provisions, unreserved } = await cache.get(`${accountId}/${region}`)
      const own = provisions.length === 0 ? provisions : provisions.filter((one) => one.name === name)
      return {
        reserved: reserved.get(name),
        provisioned: sum(own.filter((one) => one.version === version)),
        provisionedOfFunction: sum(own),
        unreserved,
      }
    },
    provisions: async ({ accountId, region }) => (await cache.get(`${accountId}/${region}`)).provisions,
  }
}

async function divisionOf(database: Database, scope: Scope): Promise<Division> {
  const [reserved, provisioned] = [await listReserved(database, scope), await listProvisioned(database, scope)]
  const provisions: VersionProvision[] = []
  for (const { name, qualifier, executions } of provisioned) {
    const version = isVersionNumber(qualifier) ? qualifier : (await findAlias(database, { ...scope, name }, qualifier))?.version
    if (version !== undefined) provisions.push({ name, version, executions })
  }
  return {
    reserved: new Map(reserved.map(({ name, executions }) => [name, executions])),
    provisions,
    unreserved: ACCOUNT_EXECUTIONS_MAX - takenBy(reserved, provisioned),
  }
}

function sum(provisions: readonly VersionProvision[]): number {
  return provisions.reduce((total, { executions }) => total + executions, 0)
}

function scopeOf(key: string): Scope {
  const [accountId, region] = key.split('/') as [string, string]
  return { accountId, region }
}
