// Consumed capacity, as DynamoDB would charge it: by the size of what is read or written, on the table and on each index.

import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import type { Index, Table } from './model.ts'
import { attributeOf, equalValues, storedItemBytes, type StoredItem } from './values.ts'

type Wanted = 'INDEXES' | 'TOTAL' | 'NONE' | undefined

const WRITE_UNIT_BYTES = 1024
const READ_UNIT_BYTES = 4096

const writeUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES))

export interface Consumption {
  given: string
  wanted: Wanted
}

/** Source: developer guide, "Read/write capacity": half as much for an eventually consistent read; a read that finds nothing costs the least. */
export function consumedByRead({ given, wanted }: Consumption, bytes: number, isConsistent: boolean): { ConsumedCapacity?: ConsumedCapacity } {
  if (wanted === undefined || wanted === 'NONE') return {}
  const units = Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) * (isConsistent ? 1 : 0.5)
  return { ConsumedCapacity: { TableName: given, CapacityUnits: units, ...(wanted === 'INDEXES' ? { Table: { CapacityUnits: units } } : {}) } }
}

/** Whether the old item must be read to say what a write consumes. */
export function needsOldItem({ wanted }: Consumption, table: Table): boolean {
  return wanted !== undefined && wanted !== 'NONE' && table.indexes.length > 0
}

/**
 * The larger of the old and the new item, and what the indexes take.
 *
 * Observed: DynamoDB, eu-west-2, 12-08-2026, recorded by nubo-db's indexConsumedCapacity.test.ts: an index is charged only when what it
 * stores changes, twice when its key does, and is not named otherwise.
 */
export function consumedByWrite({ given, wanted }: Consumption, table: Table, bytes: { old: number, new: number }, items: { old: StoredItem | undefined, new: StoredItem | undefined }): { ConsumedCapacity?: ConsumedCapacity } {
  if (wanted === undefined || wanted === 'NONE') return {}
  const own = writeUnits(Math.max(bytes.old, bytes.new))
  const charged = table.indexes.map((index) => ({ index, units: indexUnits(table, index, items.old, items.new) })).filter(({ units }) => units > 0)
  const arms = (isGlobal: boolean) => charged.filter(({ index }) => index.isGlobal === isGlobal).map(({ index, units }) => [index.name, { CapacityUnits: units }] as const)
  const [global, local] = [arms(true), arms(false)]
  return {
    ConsumedCapacity: {
      TableName: given,
      CapacityUnits: charged.reduce((sum, { units }) => sum + units, own),
      ...(wanted !== 'INDEXES' ? {} : {
        Table: { CapacityUnits: own },
        ...(global.length > 0 ? { GlobalSecondaryIndexes: Object.fromEntries(global) } : {}),
        ...(local.length > 0 ? { LocalSecondaryIndexes: Object.fromEntries(local) } : {}),
      }),
    },
  }
}

function indexUnits(table: Table, index: Index, oldItem: StoredItem | undefined, newItem: StoredItem | undefined): number {
  const before = oldItem && viewOf(table, index, oldItem)
  const after = newItem && viewOf(table, index, newItem)
  if (!before) return after ? writeUnits(storedItemBytes(after)) : 0
  if (!after) return writeUnits(storedItemBytes(before))
  if (equalValues({ M: before }, { M: after })) return 0
  const keepsKey = index.keys.every(({ name }) => equalValues(before[name]!, after[name]!))
  const [old, fresh] = [storedItemBytes(before), storedItemBytes(after)]
  return keepsKey ? writeUnits(Math.max(old, fresh)) : writeUnits(old) + writeUnits(fresh)
}

/** What an index stores of an item; undefined when the item is not in it. */
function viewOf({ partitionKey, sortKey }: Table, { keys, projection }: Index, item: StoredItem): StoredItem | undefined {
  if (keys.some(({ name }) => !attributeOf(item, name))) return undefined
  if (projection.ProjectionType === 'ALL') return item
  const names = new Set([...keys.map(({ name }) => name), partitionKey.name, ...(sortKey ? [sortKey.name] : []), ...(projection.NonKeyAttributes ?? [])])
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.has(name)))
}
