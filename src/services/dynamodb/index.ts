// DynamoDB as the rest of the program sees it: the service's definition.

import type { ServiceDefinition } from '#aws/service.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Database } from '#storage/database.ts'
import { operations, type DynamoDbService } from './api.ts'
import { createCounts } from './counts.ts'
import { transactions } from './store.ts'
import { createTables } from './table-cache.ts'

export interface DynamoDbDependencies {
  /** The core store. */
  database: Database
  clock: Clock
  random: RandomSource
  /** Told of settings that are kept without effect. */
  log?: Log
}

export interface DynamoDb {
  definition: ServiceDefinition<DynamoDbService>
  /** Ends the background work. The database stays open. */
  close(): Promise<void>
}

/** Source: developer guide, "Quotas": a request has at most 16 MB. */
const DYNAMODB_BODY_BYTES_MAX = 16 * 1024 * 1024

export function createDynamoDb({ database, clock, random, log }: DynamoDbDependencies): DynamoDb {
  const purging = createPurge(database, log)
  // What a stop left behind.
  purging.start()
  return {
    definition: {
      model: 'dynamodb-2012-08-10',
      operations,
      service: { database, random, tables: createTables(database), counts: createCounts({ database, clock }), startPurge: purging.start, log },
      bodyBytesMax: DYNAMODB_BODY_BYTES_MAX,
      errors: {
        validation: { code: 'ValidationException', status: 400 },
        accessDenied: { code: 'AccessDeniedException', status: 400 },
        constraints: {
          // Observed: DynamoDB, 2026, recorded by nubo-db's createTable.test.ts.
          KeySchema: { min: 1, max: 2 },
          ScalarAttributeType: { enum: ['B', 'N', 'S'] },
          // Observed: DynamoDB, recorded by dynalite's tests: the model's values in another order, and a limit that it lacks.
          AttributeNameList: { min: 1, max: 255 },
          ConditionalOperator: { enum: ['OR', 'AND'] },
          ProjectionType: { enum: ['ALL', 'INCLUDE', 'KEYS_ONLY'] },
          ReturnValue: { enum: ['ALL_NEW', 'UPDATED_OLD', 'ALL_OLD', 'NONE', 'UPDATED_NEW'] },
          ComparisonOperator: { enum: ['IN', 'NULL', 'BETWEEN', 'LT', 'NOT_CONTAINS', 'EQ', 'GT', 'NOT_NULL', 'NE', 'LE', 'BEGINS_WITH', 'GE', 'CONTAINS'] },
        },
      },
    },
    close: purging.close,
  }
}

/** Deletes what deleted tables left behind, a step at a time, so that others' writes come in between. */
function createPurge(database: Database, log: Log | undefined): { start: () => void, close: () => Promise<void> } {
  let running: Promise<void> | undefined
  let isClosed = false
  let isWanted = false

  async function run(): Promise<void> {
    while (isWanted && !isClosed) {
      isWanted = false
      while (!isClosed && await database.transact(transactions.purge, undefined)) { /* a step at a time */ }
    }
  }

  return {
    start() {
      isWanted = true
      running ??= run()
        .catch((error: unknown) => { if (!isClosed) log?.error({ err: error }, 'deleting the items of a deleted table failed') })
        .finally(() => { running = undefined })
    },
    async close() {
      isClosed = true
      await running
    },
  }
}
