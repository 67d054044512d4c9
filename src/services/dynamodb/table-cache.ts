// Tables as the hot path reads them: loaded once, dropped when they change.

import type { KeySchemaElement } from '@aws-sdk/client-dynamodb'
import type { Scope } from '#aws/arn.ts'
import { createCache } from '#storage/cached.ts'
import type { Database } from '#storage/database.ts'
import { noSuchTable, tableNamed, type KeyAttribute, type ScalarType, type Table, type TableSettings } from './model.ts'
import { findTable, tableChangeKey, tableTopic, type TableRow } from './store.ts'

export interface Tables {
  /** The table that an input names, or undefined. @throws ValidationException for what can be no name. */
  find(given: string, scope: Scope): Promise<Table | undefined>
  /** @throws ResourceNotFoundException as well. */
  get(given: string, scope: Scope): Promise<Table>
}

const TABLES_KEPT_MAX = 1000

export function createTables(database: Database): Tables {
  const cache = createCache<string, Table | undefined>({
    database,
    load: async (key) => {
      const [accountId, region, name] = key.split('/') as [string, string, string]
      const row = await findTable(database, { accountId, region, name })
      return row && tableOf(row)
    },
    staleAfter: ({ topic, key }) => topic === tableTopic ? { key } : 'none',
    entriesMax: TABLES_KEPT_MAX,
  })
  const find = (given: string, scope: Scope) => cache.get(tableChangeKey({ ...scope, name: tableNamed(given, scope) }))
  return {
    find,
    async get(given, scope) {
      const table = await find(given, scope)
      if (!table) throw noSuchTable()
      return table
    },
  }
}

export function tableOf(row: TableRow): Table {
  const settings = JSON.parse(row.settings) as TableSettings
  const types = new Map(settings.AttributeDefinitions!.map(({ AttributeName, AttributeType }) => [AttributeName!, AttributeType as ScalarType]))
  const keysOf = (schema: readonly KeySchemaElement[] | undefined): KeyAttribute[] =>
    (schema ?? []).map(({ AttributeName }) => ({ name: AttributeName!, type: types.get(AttributeName!)! }))
  const indexesOf = (indexes: TableSettings['LocalSecondaryIndexes'] | TableSettings['GlobalSecondaryIndexes'], isGlobal: boolean) =>
    (indexes ?? []).map(({ IndexName, KeySchema, Projection }) => ({ name: IndexName!, isGlobal, keys: keysOf(KeySchema), projection: Projection ?? {} }))
  const [partitionKey, sortKey] = keysOf(settings.KeySchema)
  return {
    id: row.id,
    name: row.name,
    scope: { accountId: row.account_id, region: row.region },
    tableId: row.table_id,
    createdAtMs: row.created_at_ms,
    settings,
    partitionKey: partitionKey!,
    sortKey,
    indexes: [...indexesOf(settings.GlobalSecondaryIndexes, true), ...indexesOf(settings.LocalSecondaryIndexes, false)],
  }
}
