// PutItem, GetItem, DeleteItem: checked in DynamoDB's order, then one read or one transaction.

import type { DeleteItemInput, GetItemInput, PutItemInput } from '@aws-sdk/client-dynamodb'
import type { Call, Valid } from '#aws/service.ts'
import { Conflict } from '#storage/database.ts'
import type { DynamoDbService } from './api.ts'
import { consumedByRead, consumedByWrite, needsOldItem, type Consumption } from './capacity.ts'
import { errors, invalidParameter } from './errors.ts'
import { readCondition } from './expressions/check.ts'
import type { Condition, Path } from './expressions/condition.ts'
import { readExpected } from './expressions/expected.ts'
import { checkTogether, Placeholders, reading } from './expressions/placeholders.ts'
import { nestedHeads, project, readProjection } from './expressions/projection.ts'
import { keyOfItem, keyOfRequest, type ItemKey } from './keys.ts'
import { noSuchTable, type Table } from './model.ts'
import { findItem, sumCollection, transactions, type Written } from './store.ts'
import { ITEM_BYTES_MAX, storeItem, wireItem, wireItemOf, type StoredItem, type WireItem } from './values.ts'

interface ItemOutput {
  Item?: WireItem
  Attributes?: WireItem
  ConsumedCapacity?: object
  ItemCollectionMetrics?: object
}

export async function getItem(input: Valid<GetItemInput>, { scope }: Call, { database, tables }: DynamoDbService): Promise<ItemOutput> {
  checkTogether(input, 'ProjectionExpression', ['AttributesToGet'])
  const { item: given } = storeItem(input.Key as WireItem)
  const paths = pathsOf(input)
  const table = await tables.get(input.TableName, scope)
  const key = keyOfRequest(table, given)
  if (paths) checkKeyPaths(table, paths)
  const found = await findItem(database, table.id, key)
  const consumed = consumedByRead(consumptionOf(input), found?.bytes ?? 0, input.ConsistentRead === true)
  if (!found) return consumed
  return { Item: paths ? wireItem(project(JSON.parse(found.item) as StoredItem, paths)) : wireItemOf(found.item), ...consumed }
}

export async function putItem(input: Valid<PutItemInput>, { scope }: Call, { database, tables }: DynamoDbService): Promise<ItemOutput> {
  checkTogether(input, 'ConditionExpression', ['Expected'])
  const { item, bytes } = storeItem(input.Item as WireItem)
  checkReturnValues(input.ReturnValues)
  // Source: developer guide, "Quotas". Observed: DynamoDB, eu-west-2, 18-08-2026, recorded by nubo-db's itemSize.test.ts: to the byte.
  if (bytes > ITEM_BYTES_MAX) throw errors.ValidationException('Item size has exceeded the maximum allowed size')
  const condition = conditionOf(input)
  const table = await tables.get(input.TableName, scope)
  const key = keyOfItem(table, item)
  const consumption = consumptionOf(input)
  const written = await missing(database.transact(transactions.putItem, {
    ...writeOf(table, key, condition, input, needsOldItem(consumption, table)),
    item: JSON.stringify(item),
    bytes,
  }))
  return answer({ database, table, key, input, written, item, bytes })
}

export async function deleteItem(input: Valid<DeleteItemInput>, { scope }: Call, { database, tables }: DynamoDbService): Promise<ItemOutput> {
  checkTogether(input, 'ConditionExpression', ['Expected'])
  const { item: given } = storeItem(input.Key as WireItem)
  checkReturnValues(input.ReturnValues)
  const condition = conditionOf(input)
  const table = await tables.get(input.TableName, scope)
  const key = keyOfRequest(table, given)
  const written = await missing(database.transact(transactions.deleteItem, writeOf(table, key, condition, input, needsOldItem(consumptionOf(input), table))))
  return answer({ database, table, key, input, written, item: undefined, bytes: 0 })
}

type WriteInput = Pick<PutItemInput,
  'TableName' | 'ReturnValues' | 'ReturnConsumedCapacity' | 'ReturnItemCollectionMetrics' | 'ReturnValuesOnConditionCheckFailure' |
  'ConditionExpression' | 'ConditionalOperator' | 'ExpressionAttributeNames'> & { Expected?: Record<string, any> | undefined, ExpressionAttributeValues?: Record<string, any> | undefined, Key?: Record<string, any> | undefined, Item?: Record<string, any> | undefined }

function writeOf(table: Table, key: ItemKey, condition: Condition | undefined, input: WriteInput, needsOld: boolean) {
  return {
    tableId: table.id, partition: key.partition, sort: key.sort, condition,
    returnsOld: needsOld || input.ReturnValues === 'ALL_OLD',
    returnsOldOnFailure: input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD',
  }
}

async function answer({ database, table, key, input, written, item, bytes }: {
  database: DynamoDbService['database'], table: Table, key: ItemKey, input: WriteInput, written: Written, item: StoredItem | undefined, bytes: number
}): Promise<ItemOutput> {
  if (written.failed) {
    // Observed: DynamoDB, 2026, recorded by nubo-db's conditionalCheck.test.ts.
    throw errors.ConditionalCheckFailedException('The conditional request failed', written.old === undefined ? {} : { Item: wireItemOf(written.old) })
  }
  const consumption = consumptionOf(input)
  const old = written.old !== undefined && needsOldItem(consumption, table) ? JSON.parse(written.old) as StoredItem : undefined
  return {
    ...(written.old !== undefined && input.ReturnValues === 'ALL_OLD' ? { Attributes: wireItemOf(written.old) } : {}),
    ...consumedByWrite(consumption, table, { old: written.oldBytes, new: bytes }, { old, new: item }),
    ...(input.ReturnItemCollectionMetrics === 'SIZE' ? await collectionMetrics(database, table, key, (input.Item ?? input.Key)!) : {}),
  }
}

/** Source: ItemCollectionMetrics, API reference: only tables with a local secondary index have item collections. Sizes in GB, from and to. */
async function collectionMetrics(database: DynamoDbService['database'], table: Table, key: ItemKey, attributes: WireItem) {
  if (table.indexes.every(({ isGlobal }) => isGlobal)) return {}
  const gigabytes = Math.floor(await sumCollection(database, table.id, key.partition) / 1024 ** 3)
  const { name } = table.partitionKey
  const stored = structuredClone(attributes[name]!) as StoredItem[string]
  return { ItemCollectionMetrics: { ItemCollectionKey: wireItem({ [name]: stored }), SizeEstimateRangeGB: [gigabytes, gigabytes + 1] } }
}

const consumptionOf = (input: { TableName?: string | undefined, ReturnConsumedCapacity?: string | undefined }): Consumption =>
  ({ given: input.TableName!, wanted: input.ReturnConsumedCapacity as Consumption['wanted'] })

/** Observed: DynamoDB, recorded by dynalite's tests (putItem.js, deleteItem.js). */
function checkReturnValues(returnValues: string | undefined): void {
  if (returnValues !== undefined && returnValues !== 'NONE' && returnValues !== 'ALL_OLD') throw errors.ValidationException('ReturnValues can only be ALL_OLD or NONE')
}

function conditionOf(input: WriteInput): Condition | undefined {
  if (input.Expected) return readExpected(input.Expected, input.ConditionalOperator)
  const expression = input.ConditionExpression
  if (expression === undefined) return undefined
  const placeholders = new Placeholders(input)
  const condition = reading('ConditionExpression', () => readCondition(expression, placeholders))
  placeholders.expectAllUsed()
  return condition
}

function pathsOf({ AttributesToGet, ProjectionExpression, ExpressionAttributeNames }: Valid<GetItemInput>): readonly Path[] | undefined {
  if (AttributesToGet) {
    const twice = AttributesToGet.find((name, index) => AttributesToGet.indexOf(name) < index)
    if (twice !== undefined) throw invalidParameter(`Duplicate value in attribute name: ${twice}`)
    return AttributesToGet.map((name) => [name])
  }
  if (ProjectionExpression === undefined) return undefined
  const placeholders = new Placeholders({ ExpressionAttributeNames })
  const paths = reading('ProjectionExpression', () => readProjection(ProjectionExpression, placeholders))
  placeholders.expectAllUsed()
  return paths
}

/** Observed: DynamoDB, recorded by dynalite's tests (getItem.js): keys are scalars, and so are keys of indexes. */
function checkKeyPaths(table: Table, paths: readonly Path[]): void {
  const heads = nestedHeads(paths)
  const refuse = (kind: string, name: string) => errors.ValidationException(
    `Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: ${kind}: ${name}`)
  for (const key of [table.partitionKey, table.sortKey]) if (key && heads.has(key.name)) throw refuse('Key', key.name)
  for (const { keys } of table.indexes) for (const { name } of keys) if (heads.has(name)) throw refuse('IndexKey', name)
}

/** A table that another process deleted a moment ago is not found. */
async function missing<Result>(transaction: Promise<Result>): Promise<Result> {
  try {
    return await transaction
  } catch (error) {
    throw error instanceof Conflict ? noSuchTable() : error
  }
}
