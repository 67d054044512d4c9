// CreateTable, DescribeTable, ListTables, DeleteTable.

import type {
  CreateTableInput, CreateTableOutput, DeleteTableInput, DeleteTableOutput, DescribeTableInput, DescribeTableOutput, ListTablesInput, ListTablesOutput,
  TableDescription,
} from '@aws-sdk/client-dynamodb'
import type { Call, Valid } from '#aws/service.ts'
import { Conflict } from '#storage/database.ts'
import type { DynamoDbService } from './api.ts'
import type { TableCounts } from './counts.ts'
import { errors } from './errors.ts'
import { LIST_LIMIT, noSuchTableNamed, tableArn, tableNamed, type Table, type TableSettings } from './model.ts'
import { findTable, listTableNames, transactions } from './store.ts'
import { tableOf } from './table-cache.ts'
import { checkTable } from './table-rules.ts'

/**
 * The answer says CREATING, as AWS's does, and the table is there with it: the next DescribeTable says ACTIVE.
 *
 * Observed: AWS, 08-10-2025, recorded by localstack's test_table_crud.
 */
export async function createTable(input: Valid<CreateTableInput>, call: Call, { database, random, log }: DynamoDbService): Promise<CreateTableOutput> {
  const { scope, atMs, trace } = call
  const name = tableNamed(input.TableName, scope)
  checkTable(input)
  const settings = settingsOf(input)
  const key = { ...scope, name }
  try {
    await database.transact(transactions.insertTable, { key, tableId: random.uuid(), createdAtMs: atMs, settings: JSON.stringify(settings) })
  } catch (error) {
    // Observed: AWS, 08-10-2025, recorded by localstack's test_create_duplicate_table.
    if (error instanceof Conflict) throw errors.ResourceInUseException(`Table already exists: ${name}`)
    throw error
  }
  const table = tableOf((await findTable(database, key))!)
  const kept = notHonoured(input)
  if (kept.length > 0) {
    trace.add('settings kept but not honoured', { table: name, settings: kept })
    log?.warn({ table: name, settings: kept }, 'a table has settings that are kept and told but change nothing here')
  }
  return { TableDescription: { ...describe(table, 'CREATING', { items: 0, bytes: 0 }) } }
}

export async function describeTable(input: Valid<DescribeTableInput>, { scope }: Call, { tables, counts }: DynamoDbService): Promise<DescribeTableOutput> {
  const table = await tables.find(input.TableName, scope)
  if (!table) throw noSuchTableNamed(tableNamed(input.TableName, scope))
  return { Table: describe(table, 'ACTIVE', await counts.of(table.id)) }
}

export async function listTables(input: Valid<ListTablesInput>, { scope }: Call, { database }: DynamoDbService): Promise<ListTablesOutput> {
  const limit = input.Limit ?? LIST_LIMIT
  const names = await listTableNames(database, { ...scope, after: input.ExclusiveStartTableName ?? '', limit: limit + 1 })
  const page = names.slice(0, limit)
  return { TableNames: page, ...(names.length > limit ? { LastEvaluatedTableName: page.at(-1)! } : {}) }
}

export async function deleteTable(input: Valid<DeleteTableInput>, { scope }: Call, { database, tables, counts, startPurge }: DynamoDbService): Promise<DeleteTableOutput> {
  const name = tableNamed(input.TableName, scope)
  const table = await tables.find(name, scope)
  if (!table) throw noSuchTableNamed(name)
  if (table.settings.DeletionProtectionEnabled === true) {
    // Observed: DynamoDB, quoted alike by several clients and emulators.
    throw errors.ValidationException('Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.')
  }
  const figures = await counts.of(table.id)
  try {
    await database.transact(transactions.deleteTable, { ...scope, name })
  } catch (error) {
    if (error instanceof Conflict) throw noSuchTableNamed(name)
    throw error
  }
  startPurge()
  const { AttributeDefinitions: _definitions, KeySchema: _schema, CreationDateTime: _created, ...description } = describe(table, 'DELETING', figures)
  return { TableDescription: description }
}

/** What is kept of a table's settings: all that DescribeTable tells. */
function settingsOf(input: Valid<CreateTableInput>): TableSettings {
  const { AttributeDefinitions, KeySchema, LocalSecondaryIndexes, GlobalSecondaryIndexes, BillingMode, ProvisionedThroughput, StreamSpecification, SSESpecification, Tags, TableClass, DeletionProtectionEnabled, OnDemandThroughput } = input
  return { AttributeDefinitions, KeySchema, LocalSecondaryIndexes, GlobalSecondaryIndexes, BillingMode, ProvisionedThroughput, StreamSpecification, SSESpecification, Tags, TableClass, DeletionProtectionEnabled, OnDemandThroughput }
}

/** Decision 12 of the architecture: a setting that changes nothing is said aloud. */
function notHonoured(input: Valid<CreateTableInput>): string[] {
  const kept: [string, boolean][] = [
    ['StreamSpecification', input.StreamSpecification?.StreamEnabled === true],
    ['SSESpecification', input.SSESpecification?.Enabled === true],
    ['WarmThroughput', input.WarmThroughput !== undefined],
    ['OnDemandThroughput', input.OnDemandThroughput !== undefined],
    ['GlobalTableSettingsReplicationMode', input.GlobalTableSettingsReplicationMode !== undefined],
  ]
  return kept.filter(([, isSet]) => isSet).map(([name]) => name)
}

/** Observed: AWS, 08-10-2025, recorded by localstack's test_table_crud, for the members. */
function describe({ name, scope, tableId, createdAtMs, settings }: Table, status: 'CREATING' | 'ACTIVE' | 'DELETING', counts: TableCounts): TableDescription {
  const arn = tableArn(scope, name)
  const createdAt = new Date(createdAtMs)
  const isOnDemand = settings.BillingMode === 'PAY_PER_REQUEST'
  const throughput = (units: TableSettings['ProvisionedThroughput']) => ({
    NumberOfDecreasesToday: 0,
    ReadCapacityUnits: units?.ReadCapacityUnits ?? 0,
    WriteCapacityUnits: units?.WriteCapacityUnits ?? 0,
  })
  return {
    AttributeDefinitions: settings.AttributeDefinitions,
    TableName: name,
    KeySchema: settings.KeySchema,
    TableStatus: status,
    CreationDateTime: createdAt,
    ProvisionedThroughput: throughput(settings.ProvisionedThroughput),
    TableSizeBytes: counts.bytes,
    ItemCount: counts.items,
    TableArn: arn,
    TableId: tableId,
    ...(isOnDemand ? { BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST', LastUpdateToPayPerRequestDateTime: createdAt } } : {}),
    ...(settings.LocalSecondaryIndexes ? {
      LocalSecondaryIndexes: settings.LocalSecondaryIndexes.map((index) => ({ ...index, IndexSizeBytes: 0, ItemCount: 0, IndexArn: `${arn}/index/${index.IndexName}` })),
    } : {}),
    ...(settings.GlobalSecondaryIndexes ? {
      GlobalSecondaryIndexes: settings.GlobalSecondaryIndexes.map(({ IndexName, KeySchema, Projection, ProvisionedThroughput }) => ({
        IndexName, KeySchema, Projection, IndexStatus: status === 'DELETING' ? 'DELETING' as const : status, ProvisionedThroughput: throughput(ProvisionedThroughput),
        IndexSizeBytes: 0, ItemCount: 0, IndexArn: `${arn}/index/${IndexName}`,
      })),
    } : {}),
    ...(settings.StreamSpecification?.StreamEnabled ? { StreamSpecification: settings.StreamSpecification } : {}),
    ...(settings.TableClass ? { TableClassSummary: { TableClass: settings.TableClass } } : {}),
    ...(settings.OnDemandThroughput ? { OnDemandThroughput: settings.OnDemandThroughput } : {}),
    DeletionProtectionEnabled: settings.DeletionProtectionEnabled === true,
  }
}
