// SQL of reserved and provisioned concurrency. The account's limits are judged where the numbers are written.

import { Conflict, defineTransactions, sql, type Reader, type Row, type Transaction } from '#storage/database.ts'
import type { Scope } from '#aws/arn.ts'
import type { FunctionKey } from '../function-rows.ts'

/** How an account's concurrency is divided in a region. Source: Lambda developer guide, "Lambda quotas" and "Understanding Lambda function scaling". */
export interface ConcurrencyLimits {
  /** Of the account. */
  executionsMax: number
  /** Must stay for functions without a reservation. */
  unreservedMin: number
}

export interface ReservedConcurrency {
  name: string
  executions: number
}

export interface ProvisionedConcurrency {
  name: string
  /** A version or an alias. */
  qualifier: string
  executions: number
  lastModifiedMs: number
}

export type ConcurrencyConflict = 'below unreserved minimum' | 'reserved below provisioned' | 'provisioned above reserved' | 'above account limit' | 'version provisioned' | 'alias provisioned'

export async function listReserved(db: Reader, { accountId, region }: Scope): Promise<ReservedConcurrency[]> {
  return db.query<ReservedConcurrency>(sql`select name, executions from lambda_reserved_concurrency where account_id = ${accountId} and region = ${region}`)
}

export async function findReserved(db: Reader, { accountId, region, name }: FunctionKey): Promise<number | undefined> {
  const [row] = await db.query<ReservedConcurrency>(sql`
    select name, executions from lambda_reserved_concurrency where account_id = ${accountId} and region = ${region} and name = ${name}`)
  return row?.executions
}

/** Of all functions, or of one. */
export async function listProvisioned(db: Reader, { accountId, region, name }: Scope & { name?: string }): Promise<ProvisionedConcurrency[]> {
  const ofName = name === undefined ? sql`` : sql`and name = ${name}`
  const rows = await db.query(sql`
    select name, qualifier, executions, last_modified_ms from lambda_provisioned_concurrency
    where account_id = ${accountId} and region = ${region} ${ofName} order by name, qualifier`)
  return rows.map(provisionedOf)
}

/** Where anything is provisioned. */
export async function listProvisionedScopes(db: Reader): Promise<Scope[]> {
  const rows = await db.query(sql`select distinct account_id, region from lambda_provisioned_concurrency`)
  return rows.map((row) => ({ accountId: row['account_id'] as string, region: row['region'] as string }))
}

/** What an account has left for functions without a reservation: GetAccountSettings shows it. */
export async function readUnreserved(db: Reader, scope: Scope, { executionsMax }: Pick<ConcurrencyLimits, 'executionsMax'>): Promise<number> {
  const [reserved, provisioned] = [await listReserved(db, scope), await listProvisioned(db, scope)]
  return executionsMax - takenBy(reserved, provisioned)
}

/** Reservations, and what is provisioned of functions without one. */
export function takenBy(reserved: readonly ReservedConcurrency[], provisioned: readonly ProvisionedConcurrency[]): number {
  const withReservation = new Set(reserved.map(({ name }) => name))
  return sum(reserved) + sum(provisioned.filter(({ name }) => !withReservation.has(name)))
}

/** With a function, its settings go; with a version or an alias, its own. To be called in the transaction that deletes it. */
export async function deleteConcurrencyOf(tx: Transaction, key: FunctionKey, qualifier?: string): Promise<void> {
  const { accountId, region, name } = key
  const ofQualifier = qualifier === undefined ? sql`` : sql`and qualifier = ${qualifier}`
  if (qualifier === undefined) await tx.run(sql`delete from lambda_reserved_concurrency where account_id = ${accountId} and region = ${region} and name = ${name}`)
  await tx.run(sql`delete from lambda_provisioned_concurrency where account_id = ${accountId} and region = ${region} and name = ${name} ${ofQualifier}`)
  await changed(tx, key)
}

/** A version or an alias, with the version that it stands for and the aliases that stand for that version. */
interface Target {
  qualifier: string
  /** For an alias: the version it points to. */
  version?: string | undefined
  /** For a version: the aliases that point to it. */
  aliases?: readonly string[] | undefined
}

export const transactions = defineTransactions('lambda-concurrency', {
  /** Conflicts: `below unreserved minimum`, `reserved below provisioned`. */
  async reserve(tx, { key, executions, limits }: { key: FunctionKey, executions: number, limits: ConcurrencyLimits }): Promise<void> {
    const { accountId, region, name } = key
    const others = (await listReserved(tx, key)).filter((one) => one.name !== name)
    const provisioned = await listProvisioned(tx, scopeOf(key))
    const left = limits.executionsMax - takenBy([...others, { name, executions }], provisioned)
    if (left < limits.unreservedMin) throw conflict('below unreserved minimum')
    if (sum(provisioned.filter((one) => one.name === name)) > executions) throw conflict('reserved below provisioned')
    await tx.run(sql`
      insert into lambda_reserved_concurrency (account_id, region, name, executions) values (${accountId}, ${region}, ${name}, ${executions})
      on conflict (account_id, region, name) do update set executions = excluded.executions`)
    await changed(tx, key)
  },

  async unreserve(tx, key: FunctionKey): Promise<void> {
    await tx.run(sql`delete from lambda_reserved_concurrency where account_id = ${key.accountId} and region = ${key.region} and name = ${key.name}`)
    await changed(tx, key)
  },

  /** Conflicts: `version provisioned`, `alias provisioned`, `provisioned above reserved`, `above account limit`, `below unreserved minimum`. */
  async provision(tx, { key, target, executions, atMs, limits }: { key: FunctionKey, target: Target, executions: number, atMs: number, limits: ConcurrencyLimits }): Promise<void> {
    const { accountId, region, name } = key
    const others = (await listProvisioned(tx, scopeOf(key))).filter((one) => one.name !== name || one.qualifier !== target.qualifier)
    const own = others.filter((one) => one.name === name)
    if (target.version !== undefined && own.some(({ qualifier }) => qualifier === target.version)) throw conflict('version provisioned')
    if (own.some(({ qualifier }) => target.aliases?.includes(qualifier))) throw conflict('alias provisioned')
    const reserved = await listReserved(tx, key)
    const reservation = reserved.find((one) => one.name === name)
    if (reservation && sum(own) + executions > reservation.executions) throw conflict('provisioned above reserved')
    if (executions > limits.executionsMax) throw conflict('above account limit')
    const left = limits.executionsMax - takenBy(reserved, [...others, { name, qualifier: target.qualifier, executions, lastModifiedMs: atMs }])
    if (left < limits.unreservedMin) throw conflict('below unreserved minimum')
    await tx.run(sql`
      insert into lambda_provisioned_concurrency (account_id, region, name, qualifier, executions, last_modified_ms)
      values (${accountId}, ${region}, ${name}, ${target.qualifier}, ${executions}, ${atMs})
      on conflict (account_id, region, name, qualifier) do update set executions = excluded.executions, last_modified_ms = excluded.last_modified_ms`)
    await changed(tx, key)
  },

  async unprovision(tx, { key, qualifier }: { key: FunctionKey, qualifier: string }): Promise<void> {
    await tx.run(sql`
      delete from lambda_provisioned_concurrency
      where account_id = ${key.accountId} and region = ${key.region} and name = ${key.name} and qualifier = ${qualifier}`)
    await changed(tx, key)
  },
})

/** The scope alone: what is provisioned of every function counts. */
function scopeOf({ accountId, region }: FunctionKey): Scope {
  return { accountId, region }
}

async function changed(tx: Transaction, { accountId, region }: Scope): Promise<void> {
  await tx.changed('lambda.concurrency', `${accountId}/${region}`)
}

function sum(parts: readonly { executions: number }[]): number {
  return parts.reduce((total, { executions }) => total + executions, 0)
}

function conflict(reason: ConcurrencyConflict): Conflict {
  return new Conflict(reason)
}

function provisionedOf(row: Row): ProvisionedConcurrency {
  return { name: row['name'] as string, qualifier: row['qualifier'] as string, executions: row['executions'] as number, lastModifiedMs: row['last_modified_ms'] as number }
}
