// All SQL of tables and items.

import { Conflict, defineTransactions, sql, type Reader, type SqlValue, type Transaction } from '#storage/database.ts'
import { holds, type Condition } from './expressions/condition.ts'
import type { StoredItem } from './values.ts'

/** Items that one step of a purge deletes. */
export const PURGE_ITEMS_MAX = 1000

export interface TableKey { accountId: string, region: string, name: string }

export interface TableRow {
  id: number
  account_id: string
  region: string
  name: string
  table_id: string
  created_at_ms: number
  /** JSON. */
  settings: string
}

export async function findTable(db: Reader, { accountId, region, name }: TableKey): Promise<TableRow | undefined> {
  return (await db.query<TableRow>(sql`select * from dynamodb_tables where account_id = ${accountId} and region = ${region} and name = ${name}`))[0]
}

export async function listTableNames(db: Reader, { accountId, region, after, limit }: { accountId: string, region: string, after: string, limit: number }): Promise<string[]> {
  const rows = await db.query<{ name: string }>(sql`
    select name from dynamodb_tables where account_id = ${accountId} and region = ${region} and name > ${after} order by name limit ${limit}`)
  return rows.map(({ name }) => name)
}

/** The stored text of an item. Reads one row by primary key. */
export async function findItem(db: Reader, tableId: number, { partition, sort }: { partition: Uint8Array, sort: Uint8Array }): Promise<{ item: string, bytes: number } | undefined> {
  return (await db.query<{ item: string, bytes: number }>({ text: findItemText, values: [tableId, partition, sort] }))[0]
}

const findItemText = 'select item, bytes from dynamodb_items where table_id = ? and partition_key = ? and sort_key = ?'

/** Sizes of a part of a table's items, in the order of their keys after one of them. */
export async function listItemSizes(db: Reader, tableId: number, after: { partition: Uint8Array, sort: Uint8Array }, limit: number): Promise<{ partition_key: Uint8Array, sort_key: Uint8Array, bytes: number }[]> {
  return db.query(sql`
    select partition_key, sort_key, bytes from dynamodb_items
    where table_id = ${tableId} and (partition_key, sort_key) > (${after.partition}, ${after.sort}) order by partition_key, sort_key limit ${limit}`)
}

/** Bytes of all items with one partition key. */
export async function sumCollection(db: Reader, tableId: number, partition: Uint8Array): Promise<number> {
  const [row] = await db.query<{ bytes: number | null }>(sql`
    select sum(bytes) as bytes from dynamodb_items where table_id = ${tableId} and partition_key = ${partition}`)
  return row?.bytes ?? 0
}

/** A write of one item, with all that decides about it. Plain data: it crosses to the writer's thread. */
export interface ItemWrite {
  tableId: number
  partition: Uint8Array
  sort: Uint8Array
  condition: Condition | undefined
  /** Whether the old item is wanted back: on success, on a failed condition. */
  returnsOld: boolean
  returnsOldOnFailure: boolean
}

export interface ItemPut extends ItemWrite {
  /** The stored text. */
  item: string
  bytes: number
}

export interface Written {
  /** The condition failed and nothing was written. */
  failed?: true
  /** The stored text of the item before, where it was asked for and there was one. */
  old?: string
  /** The old item's size; 0 without one. */
  oldBytes: number
}

export const transactions = defineTransactions('dynamodb', {
  /** @throws Conflict `exists`. */
  async insertTable(transaction, { key, tableId, createdAtMs, settings }: { key: TableKey, tableId: string, createdAtMs: number, settings: string }) {
    const inserted = await transaction.run(sql`
      insert into dynamodb_tables (account_id, region, name, table_id, created_at_ms, settings)
      values (${key.accountId}, ${key.region}, ${key.name}, ${tableId}, ${createdAtMs}, ${settings}) on conflict (account_id, region, name) do nothing`)
    if (inserted === 0) throw new Conflict('exists')
    await tableChanged(transaction, key)
  },

  /** The table is gone at once; what is left of many items goes in the purge. @throws Conflict `missing`. */
  async deleteTable(transaction, key: TableKey) {
    const table = await findTable(transaction, key)
    if (!table) throw new Conflict('missing')
    await transaction.run(sql`delete from dynamodb_tables where id = ${table.id}`)
    const deleted = await deleteSomeItems(transaction, table.id)
    if (deleted === PURGE_ITEMS_MAX) await transaction.run(sql`insert into dynamodb_purges (table_id) values (${table.id})`)
    await tableChanged(transaction, key)
  },

  /** Deletes some items of deleted tables; resolves with whether there may be more. */
  async purge(transaction) {
    const [purge] = await transaction.query<{ table_id: number }>(sql`select table_id from dynamodb_purges order by table_id limit 1`)
    if (!purge) return false
    if (await deleteSomeItems(transaction, purge.table_id) < PURGE_ITEMS_MAX) await transaction.run(sql`delete from dynamodb_purges where table_id = ${purge.table_id}`)
    return true
  },

  /** @throws Conflict `missing` when the table is gone. */
  async putItem(transaction, put: ItemPut): Promise<Written> {
    const written = await judge(transaction, put)
    if (written.failed) return written
    await transaction.run({ text: putItemText, values: [put.tableId, put.partition, put.sort, put.bytes, put.item] })
    return written
  },

  /** @throws Conflict `missing` when the table is gone. */
  async deleteItem(transaction, write: ItemWrite): Promise<Written> {
    const written = await judge(transaction, write)
    if (written.failed || written.oldBytes === 0) return written
    await transaction.run(sql`
      delete from dynamodb_items where table_id = ${write.tableId} and partition_key = ${write.partition} and sort_key = ${write.sort}`)
    return written
  },
})

const putItemText = 'insert into dynamodb_items (table_id, partition_key, sort_key, bytes, item) values (?, ?, ?, ?, ?) ' +
  'on conflict (table_id, partition_key, sort_key) do update set bytes = excluded.bytes, item = excluded.item'

/** Topic and key under which processes hear that a table was made or deleted. */
export const tableTopic = 'dynamodb.table'
export const tableChangeKey = ({ accountId, region, name }: TableKey): string => `${accountId}/${region}/${name}`

async function tableChanged(transaction: Transaction, key: TableKey): Promise<void> {
  await transaction.changed(tableTopic, tableChangeKey(key))
}

/**
 * Whether the table is there and the condition holds for the item as it is. One query: the table's row is read with the item's, so that
 * a write never lands in a table that another process has deleted.
 */
async function judge(transaction: Transaction, { tableId, partition, sort, condition, returnsOld, returnsOldOnFailure }: ItemWrite): Promise<Written> {
  const needsItem = condition !== undefined || returnsOld
  const [row] = await transaction.query<{ bytes: number | null, item: string | null }>({
    text: needsItem ? judgeItemText : judgeText,
    values: [partition, sort, tableId] satisfies SqlValue[],
  })
  if (!row) throw new Conflict('missing')
  const oldBytes = row.bytes ?? 0
  if (condition && !holds(condition, row.item === null ? {} : JSON.parse(row.item) as StoredItem)) {
    return { failed: true, oldBytes, ...(returnsOldOnFailure && row.item !== null ? { old: row.item } : {}) }
  }
  return { oldBytes, ...(returnsOld && row.item !== null ? { old: row.item } : {}) }
}

const judgeFrom = 'from dynamodb_tables t left join dynamodb_items i on i.table_id = t.id and i.partition_key = ? and i.sort_key = ? where t.id = ?'
const judgeText = `select i.bytes ${judgeFrom}`
const judgeItemText = `select i.bytes, i.item ${judgeFrom}`

async function deleteSomeItems(transaction: Transaction, tableId: number): Promise<number> {
  const keys = await transaction.query<{ partition_key: Uint8Array, sort_key: Uint8Array }>(sql`
    select partition_key, sort_key from dynamodb_items where table_id = ${tableId} order by partition_key, sort_key limit ${PURGE_ITEMS_MAX}`)
  const last = keys.at(-1)
  if (!last) return 0
  return transaction.run(sql`
    delete from dynamodb_items where table_id = ${tableId} and (partition_key, sort_key) <= (${last.partition_key}, ${last.sort_key})`)
}
