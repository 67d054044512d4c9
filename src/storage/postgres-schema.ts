// What happens to a PostgreSQL schema before it is used: made, checked, and brought up to date, by one process at a time.

import type { Client, ClientBase } from 'pg'
import type { Clock } from '#lib/clock.ts'
import type { Migration, StoreName } from './database.ts'
import { checksumOf, inDialect, ownTables, stillToApply, type AppliedMigration } from './migrate.ts'
import { describeUrl, schemaOf } from './postgres-connection.ts'
import { StorageRefusal } from './refusal.ts'

/** A server that is replaying its log after a crash is waited for this long. */
const RECOVERY_WAIT_MS_MAX = 30_000
const RECOVERY_POLL_MS = 200

/** Advisory locks are told apart by two numbers: this one is ours in any database, the other says what is locked. */
export const LOCK_SPACE = 0x43_53_49_47
const lockOf: Record<StoreName, { schema: number, changes: number }> = { core: { schema: 1, changes: 2 }, logs: { schema: 3, changes: 4 } }

/** Held while changes are appended and committed, so that their numbers ascend in the order of their commits. */
export function changesLock(store: StoreName): number {
  return lockOf[store].changes
}

const changeTables = [
  'create table if not exists countersign_changes (seq bigint generated always as identity primary key, topic text not null, key text not null, origin bigint not null)',
  'create table if not exists countersign_change_horizon (id integer primary key, pruned_seq bigint not null)',
  'insert into countersign_change_horizon values (1, 0) on conflict do nothing',
  'create sequence if not exists countersign_origins',
]

/** Connects, waiting for a server that is still starting. */
export async function connectWhenReady(make: () => Client, clock: Clock): Promise<Client> {
  const deadlineMs = clock.monotonic() + RECOVERY_WAIT_MS_MAX
  for (;;) {
    const client = make()
    // Without a listener an error between two statements would end the process.
    client.on('error', () => {})
    try {
      await client.connect()
      return client
    } catch (error) {
      await client.end().catch(() => {})
      if ((error as { code?: string }).code !== '57P03' || clock.monotonic() > deadlineMs) throw error
      await clock.sleep(RECOVERY_POLL_MS)
    }
  }
}

/** Runs `work` in a transaction that holds the schema's lock. */
export async function withSchema<Result>(client: ClientBase, store: StoreName, work: () => Promise<Result>): Promise<Result> {
  await client.query('begin')
  try {
    await client.query('select pg_advisory_xact_lock($1, $2)', [LOCK_SPACE, lockOf[store].schema])
    const result = await work()
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  }
}

/**
 * Applies what is missing, all or none; processes that start at the same time take turns.
 * Call it in `withSchema`.
 *
 * @throws StorageRefusal for a store that this program does not fit.
 */
export async function migrateSchema(client: ClientBase, { url, store, migrations }: { url: string, store: StoreName, migrations: readonly Migration[] }): Promise<void> {
  const { rows: [server] } = await client.query<{ encoding: string }>('select current_setting(\'server_encoding\') as encoding')
  if (server!.encoding !== 'UTF8') throw new StorageRefusal(`${describeUrl(url)}, is encoded as ${server!.encoding}; Countersign needs a database made with encoding UTF8.`)
  await makeSchema(client, store)
  const applied = await appliedTo(client)
  let position = applied.length
  for (const migration of stillToApply(migrations, applied, describeUrl(url))) {
    await client.query(inDialect(migration.text, 'postgres'))
    await client.query('insert into countersign_migrations (position, id, checksum) values ($1, $2, $3)', [position, migration.id, checksumOf(migration)])
    position += 1
  }
}

/** The schema with the storage's own tables, which every connection's `search_path` names. */
async function makeSchema(client: ClientBase, store: StoreName): Promise<void> {
  const schema = schemaOf(store)
  // `create … if not exists` asks for the right to create even where there is nothing to do; a server's daily user need not have it.
  const { rowCount } = await client.query('select 1 from pg_namespace where nspname = $1', [schema])
  if (rowCount === 0) await client.query(`create schema ${schema}`)
  for (const text of [...ownTables.map((own) => inDialect(own, 'postgres')), ...changeTables]) await client.query(text)
}

/** The steps that a store has had, oldest first. */
export async function appliedTo(client: ClientBase): Promise<AppliedMigration[]> {
  return (await client.query<AppliedMigration>('select id, checksum from countersign_migrations order by position')).rows
}

/** The tables of the services in the order in which they were made. */
export async function tablesOf(client: ClientBase, store: StoreName): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    'select relname as name from pg_class where relnamespace = (select oid from pg_namespace where nspname = $1) and relkind = \'r\' order by oid',
    [schemaOf(store)],
  )
  return rows.map(({ name }) => name).filter((name) => !name.startsWith('countersign_'))
}
