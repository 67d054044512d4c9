// Every operation of DynamoDB that is served, with the permission that AWS asks for.

import { operation, type Operations } from '#aws/service.ts'
import type { Log } from '#lib/log.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Database } from '#storage/database.ts'
import { onItem, onTable } from './access.ts'
import type { Counts } from './counts.ts'
import { deleteItem, getItem, putItem } from './items.ts'
import type { Tables } from './table-cache.ts'
import { createTable, deleteTable, describeTable, listTables } from './tables.ts'

/** What the handlers share. */
export interface DynamoDbService {
  /** The core store. */
  database: Database
  random: RandomSource
  tables: Tables
  counts: Counts
  /** Begins to delete what deleted tables left behind. */
  startPurge: () => void
  log: Pick<Log, 'warn' | 'error'> | undefined
}

export const operations: Operations<DynamoDbService> = {
  CreateTable: operation({ access: onTable('CreateTable'), run: createTable }),
  DescribeTable: operation({ access: onTable('DescribeTable'), run: describeTable }),
  // Source: Service Authorization Reference, DynamoDB: ListTables has no resource.
  ListTables: operation({ access: () => [{ action: 'dynamodb:ListTables', resource: '*' }], run: listTables }),
  DeleteTable: operation({ access: onTable('DeleteTable'), run: deleteTable }),

  PutItem: operation({ access: onItem('PutItem'), run: putItem }),
  GetItem: operation({ access: onItem('GetItem'), run: getItem }),
  DeleteItem: operation({ access: onItem('DeleteItem'), run: deleteItem }),
}
