// The operations of DynamoDB on every engine, called as the dispatcher calls them.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { startTrace } from '#aws/trace.ts'
import type { Call, Permission } from '#aws/service.ts'
import { systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import { sql, type Store } from '#storage/database.ts'
import { eachDatabase } from '#test/support/each-database.ts'
import { createDynamoDb } from './index.ts'
import { keyOfItem } from './keys.ts'
import { migrations } from './migrations.ts'
import { tableOf } from './table-cache.ts'

const scope = { accountId: '000000000000', region: 'us-east-1' }
const call: Call = {
  requestId: 'r', scope, atMs: Date.parse('2026-11-21T12:00:00Z'), trace: startTrace('r', () => 0), require: async () => {},
  caller: { is: 'root', accountId: scope.accountId, arn: 'arn:aws:iam::000000000000:root', userId: scope.accountId, accessKeyId: 'AKIA' },
  request: { remoteAddress: '127.0.0.1', isSecure: false, headers: { get: () => undefined, all: () => [], entries: () => [] } },
}

async function start(t: TestContext, open: () => Promise<Store>) {
  const database = await open()
  const dynamodb = createDynamoDb({ database, clock: systemClock, random: systemRandom })
  t.after(() => dynamodb.close())
  const { operations, service } = dynamodb.definition
  // Handlers may change their input, as the dispatcher allows them to.
  const run = async (name: string, input: Record<string, unknown>): Promise<any> => operations[name]!.run(structuredClone(input), call, service)
  const access = async (name: string, input: Record<string, unknown>): Promise<Permission[]> => operations[name]!.access(input, call, service)
  return { database, run, access }
}

const refuses = (code: string, message: string | RegExp) => (error: Error) => {
  assert.equal(error.name, code, error.message)
  if (typeof message === 'string') assert.equal(error.message, message)
  else assert.match(error.message, message)
  return true
}
const invalid = (message: string | RegExp) => refuses('ValidationException', message)

const hashTable = {
  TableName: 'hash', AttributeDefinitions: [{ AttributeName: 'a', AttributeType: 'S' }], KeySchema: [{ AttributeName: 'a', KeyType: 'HASH' }], BillingMode: 'PAY_PER_REQUEST',
}
const rangeTable = {
  TableName: 'range',
  AttributeDefinitions: ['a', 'b', 'c'].map((AttributeName) => ({ AttributeName, AttributeType: AttributeName === 'b' ? 'N' : 'S' })),
  KeySchema: [{ AttributeName: 'a', KeyType: 'HASH' }, { AttributeName: 'b', KeyType: 'RANGE' }],
  LocalSecondaryIndexes: [{ IndexName: 'local', KeySchema: [{ AttributeName: 'a', KeyType: 'HASH' }, { AttributeName: 'c', KeyType: 'RANGE' }], Projection: { ProjectionType: 'ALL' } }],
  GlobalSecondaryIndexes: [{ IndexName: 'global', KeySchema: [{ AttributeName: 'c', KeyType: 'HASH' }], Projection: { ProjectionType: 'KEYS_ONLY' } }],
  BillingMode: 'PAY_PER_REQUEST',
}

eachDatabase('DynamoDB', { migrations, transactionModules: [new URL('./store.ts', import.meta.url)] }, (open) => {
  describe('tables', () => {
    test('are refused where keys, definitions, indexes and throughput do not fit, in DynamoDB\'s words', async (t) => {
      const { run } = await start(t, open)
      const create = (change: object) => run('CreateTable', { ...hashTable, ...change })
      const parameters = 'One or more parameter values were invalid: '
      const [local] = rangeTable.LocalSecondaryIndexes
      const [global] = rangeTable.GlobalSecondaryIndexes
      const cases: [object, string | RegExp][] = [
        [{ TableName: 'ab' }, "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3"],
        [{ TableName: 'bad table' }, "1 validation error detected: Value 'bad table' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"],
        [{ ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 } }, `${parameters}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST`],
        [{ BillingMode: undefined }, `${parameters}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED`],
        [{ BillingMode: 'PROVISIONED', ProvisionedThroughput: { ReadCapacityUnits: 1e12 + 1, WriteCapacityUnits: 1 } }, 'Given value 1000000000001 for ReadCapacityUnits is out of bounds'],
        [{ AttributeDefinitions: [] }, 'Invalid KeySchema: Some index key attribute have no definition'],
        [{ KeySchema: [{ AttributeName: 'x', KeyType: 'HASH' }] }, `${parameters}Some index key attributes are not defined in AttributeDefinitions. Keys: [x], AttributeDefinitions: [a]`],
        [{ ...rangeTable, KeySchema: [{ AttributeName: 'a', KeyType: 'HASH' }, { AttributeName: 'a', KeyType: 'RANGE' }] }, 'Both the Hash Key and the Range Key element in the KeySchema have the same name'],
        [{ KeySchema: [{ AttributeName: 'a', KeyType: 'RANGE' }] }, 'Invalid KeySchema: The first KeySchemaElement is not a HASH key type'],
        [{ ...rangeTable, KeySchema: [{ AttributeName: 'a', KeyType: 'HASH' }, { AttributeName: 'b', KeyType: 'HASH' }] }, 'Invalid KeySchema: The second KeySchemaElement is not a RANGE key type'],
        [{ AttributeDefinitions: rangeTable.AttributeDefinitions }, `${parameters}Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions`],
        [{ LocalSecondaryIndexes: [] }, `${parameters}List of LocalSecondaryIndexes is empty`],
        [{ LocalSecondaryIndexes: [local] }, `${parameters}Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex`],
        [{ ...rangeTable, LocalSecondaryIndexes: [{ ...local, KeySchema: [{ AttributeName: 'c', KeyType: 'HASH' }, { AttributeName: 'a', KeyType: 'RANGE' }] }] },
          `${parameters}Index KeySchema does not have the same leading hash key as table KeySchema for index: local. index hash key: c, table hash key: a`],
        [{ ...rangeTable, LocalSecondaryIndexes: [local, local] }, `${parameters}Duplicate index name: local`],
        [{ ...rangeTable, GlobalSecondaryIndexes: [{ ...global, IndexName: 'local' }] }, `${parameters}Duplicate index name: local`],
        [{ ...rangeTable, GlobalSecondaryIndexes: [{ ...global, Projection: { ProjectionType: 'ALL', NonKeyAttributes: ['x'] } }] }, `${parameters}ProjectionType is ALL, but NonKeyAttributes is specified`],
        [{ ...rangeTable, GlobalSecondaryIndexes: [{ ...global, ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 } }] },
          `${parameters}ProvisionedThroughput should not be specified for index: global when BillingMode is PAY_PER_REQUEST`],
        [{ ...rangeTable, BillingMode: 'PROVISIONED', ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 } }, `${parameters}ProvisionedThroughput is not specified for index: global`],
        [{ SSESpecification: { Enabled: true, KMSMasterKeyId: 'k' } }, /KMS/],
        [{ ResourcePolicy: '{}' }, /ResourcePolicy is not supported/],
      ]
      for (const [change, message] of cases) await assert.rejects(create(change), invalid(message))
    })

    test('are created once, described, listed in pages and deleted', async (t) => {
      const { run } = await start(t, open)
      await assert.rejects(run('DescribeTable', { TableName: 'hash' }), refuses('ResourceNotFoundException', 'Requested resource not found: Table: hash not found'))
      await assert.rejects(run('DeleteTable', { TableName: 'hash' }), refuses('ResourceNotFoundException', 'Requested resource not found: Table: hash not found'))
      const { TableDescription: created } = await run('CreateTable', hashTable)
      assert.equal(created.TableStatus, 'CREATING')
      await assert.rejects(run('CreateTable', hashTable), refuses('ResourceInUseException', 'Table already exists: hash'))
      const { Table } = await run('DescribeTable', { TableName: 'arn:aws:dynamodb:us-east-1:000000000000:table/hash' })
      assert.match(Table.TableId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      const createdAt = new Date(call.atMs)
      assert.deepEqual(Table, {
        AttributeDefinitions: hashTable.AttributeDefinitions, TableName: 'hash', KeySchema: hashTable.KeySchema, TableStatus: 'ACTIVE', CreationDateTime: createdAt,
        ProvisionedThroughput: { NumberOfDecreasesToday: 0, ReadCapacityUnits: 0, WriteCapacityUnits: 0 }, TableSizeBytes: 0, ItemCount: 0,
        TableArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/hash', TableId: created.TableId,
        BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST', LastUpdateToPayPerRequestDateTime: createdAt }, DeletionProtectionEnabled: false,
      })
      await run('CreateTable', rangeTable)
      const indexed = (await run('DescribeTable', { TableName: 'range' })).Table
      assert.partialDeepStrictEqual(indexed.GlobalSecondaryIndexes, [{ IndexName: 'global', IndexStatus: 'ACTIVE', IndexArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/range/index/global' }])
      assert.partialDeepStrictEqual(indexed.LocalSecondaryIndexes, [{ IndexName: 'local', Projection: { ProjectionType: 'ALL' } }])
      assert.deepEqual(await run('ListTables', { Limit: 1 }), { TableNames: ['hash'], LastEvaluatedTableName: 'hash' })
      assert.deepEqual(await run('ListTables', { ExclusiveStartTableName: 'hash' }), { TableNames: ['range'] })
      assert.equal((await run('DeleteTable', { TableName: 'hash' })).TableDescription.TableStatus, 'DELETING')
      assert.deepEqual((await run('ListTables', {})).TableNames, ['range'])
    })

    test('that are protected are not deleted', async (t) => {
      const { run } = await start(t, open)
      await run('CreateTable', { ...hashTable, DeletionProtectionEnabled: true })
      await assert.rejects(run('DeleteTable', { TableName: 'hash' }), invalid('Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.'))
    })

    test('count their items, and made anew have none', async (t) => {
      const { database, run } = await start(t, open)
      await run('CreateTable', hashTable)
      for (let index = 0; index < 3; index++) await run('PutItem', { TableName: 'hash', Item: { a: { S: `k${index}` }, b: { N: '1' } } })
      assert.partialDeepStrictEqual((await run('DescribeTable', { TableName: 'hash' })).Table, { ItemCount: 3, TableSizeBytes: 3 * (1 + 2 + 1 + 2) })
      await run('DeleteTable', { TableName: 'hash' })
      await run('CreateTable', hashTable)
      assert.deepEqual(await run('GetItem', { TableName: 'hash', Key: { a: { S: 'k1' } } }), {})
      assert.deepEqual(await database.query(sql`select count(*) as items from dynamodb_items`), [{ items: 0 }])
    })

    test('deleted by another process take no more writes', async (t) => {
      const { database, run } = await start(t, open)
      await run('CreateTable', hashTable)
      await run('GetItem', { TableName: 'hash', Key: { a: { S: 'x' } } })
      // Behind the back of what this process remembers.
      const { transactions } = await import('./store.ts')
      await database.transact(transactions.deleteTable, { ...scope, name: 'hash' })
      await assert.rejects(run('PutItem', { TableName: 'hash', Item: { a: { S: 'x' } } }), refuses('ResourceNotFoundException', 'Requested resource not found'))
    })
  })

  describe('items', () => {
    test('are refused where a value is none, in DynamoDB\'s words', async (t) => {
      const { run } = await start(t, open)
      const put = (Item: object, more: object = {}) => run('PutItem', { TableName: 'none', Item, ...more })
      const parameters = 'One or more parameter values were invalid: '
      const deep = (levels: number) => { let value: object = { S: 'leaf' }; for (let level = 0; level < levels; level++) value = { M: { n: value } }; return value }
      const cases: [object, string][] = [
        [{ a: {} }, 'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes'],
        [{ a: { S: 'a', N: '1' } }, 'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes'],
        [{ a: { SS: [] } }, `${parameters}An string set  may not be empty`],
        [{ a: { NS: [] } }, `${parameters}An number set  may not be empty`],
        [{ a: { BS: [] } }, `${parameters}Binary sets should not be empty`],
        [{ a: { L: [{ M: { x: { SS: [] } } }] } }, `${parameters}An string set  may not be empty`],
        [{ a: { SS: ['a', 'a'] } }, `${parameters}Input collection [a, a] contains duplicates.`],
        [{ a: { NS: ['1', '1.0'] } }, 'Input collection contains duplicates'],
        [{ a: { BS: [Buffer.from('b'), Buffer.from('b')] } }, `${parameters}Input collection [Yg==, Yg==]of type BS contains duplicates.`],
        [{ a: { N: '' } }, 'The parameter cannot be converted to a numeric value'],
        [{ a: { NS: ['1', 'b', 'a'] } }, 'The parameter cannot be converted to a numeric value: b'],
        [{ a: deep(32) }, 'Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit'],
      ]
      for (const [item, message] of cases) await assert.rejects(put(item), invalid(message))
      await assert.rejects(put({ a: deep(31) }), refuses('ResourceNotFoundException', 'Requested resource not found'))
      await assert.rejects(put({}, { ReturnValues: 'UPDATED_OLD' }), invalid('ReturnValues can only be ALL_OLD or NONE'))
    })

    test('may have 409,600 bytes and not one more', async (t) => {
      const { run } = await start(t, open)
      await run('CreateTable', hashTable)
      const item = (bytes: number) => ({ a: { S: 'é' }, n: { N: '12.5' }, p: { S: 'x'.repeat(bytes - 3 - 4 - 1) } })
      await run('PutItem', { TableName: 'hash', Item: item(409_600) })
      await assert.rejects(run('PutItem', { TableName: 'hash', Item: item(409_601) }), invalid('Item size has exceeded the maximum allowed size'))
      assert.equal((await run('GetItem', { TableName: 'hash', Key: { a: { S: 'é' } }, ConsistentRead: true, ReturnConsumedCapacity: 'TOTAL' })).ConsumedCapacity.CapacityUnits, 100)
    })

    test('are refused where keys do not fit the table', async (t) => {
      const { run } = await start(t, open)
      await run('CreateTable', rangeTable)
      const put = (Item: object) => run('PutItem', { TableName: 'range', Item })
      const get = (Key: object, more: object = {}) => run('GetItem', { TableName: 'range', Key, ...more })
      const parameters = 'One or more parameter values were invalid: '
      await assert.rejects(put({}), invalid(`${parameters}Missing the key a in the item`))
      await assert.rejects(put({ a: { S: 'x' } }), invalid(`${parameters}Missing the key b in the item`))
      await assert.rejects(put({ a: { SS: ['x'] }, b: { N: '1' } }), invalid(`${parameters}Type mismatch for key a expected: S actual: SS`))
      await assert.rejects(put({ a: { S: '' }, b: { N: '1' } }), invalid('One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: a'))
      await assert.rejects(put({ a: { S: 'x'.repeat(2049) }, b: { N: '1' } }), invalid(`${parameters}Size of hashkey has exceeded the maximum size limit of2048 bytes`))
      await assert.rejects(put({ a: { S: 'x' }, b: { N: '1' }, c: { N: '1' } }), invalid(`${parameters}Type mismatch for Index Key c Expected: S Actual: N IndexName: global`))
      await assert.rejects(put({ a: { S: 'x' }, b: { N: '1' }, c: { S: '' } }), invalid(
        'One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: global, IndexKey: c'))
      for (const key of [{}, { a: { S: 'x' } }, { a: { S: 'x' }, c: { N: '1' } }, { a: { S: 'x' }, b: { S: '1' } }, { a: { S: 'x' }, b: { N: '1' }, c: { S: '1' } }]) {
        await assert.rejects(get(key), invalid('The provided key element does not match the schema'))
      }
      const key = { a: { S: 'x' }, b: { N: '1' } }
      await assert.rejects(get(key, { ProjectionExpression: 'a.x' }), invalid("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: a"))
      await assert.rejects(get(key, { ProjectionExpression: 'c[0]' }), invalid("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: c"))
      await assert.rejects(get(key, { AttributesToGet: ['a', 'a'] }), invalid('One or more parameter values were invalid: Duplicate value in attribute name: a'))
      await assert.rejects(get(key, { AttributesToGet: ['a'], ProjectionExpression: 'a' }), invalid(
        'Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}'))
      await assert.rejects(get(key, { ExpressionAttributeNames: { '#a': 'a' } }), invalid('ExpressionAttributeNames can only be specified when using expressions'))
    })

    test('of every type come back as they went, numbers as DynamoDB prints them', async (t) => {
      const { run } = await start(t, open)
      await run('CreateTable', hashTable)
      const values = () => ({
        s: { S: '' }, n: { N: '-56.789' }, b: { B: Buffer.from([0, 255]) }, e: { B: Buffer.alloc(0) }, t: { BOOL: false }, z: { NULL: true }, ss: { SS: ['', 'a'] }, ns: { NS: ['-1', '2'] },
        bs: { BS: [Buffer.from('x'), Buffer.alloc(0)] }, u: { S: 'ключ\0 🗝 "B": x' },
      })
      const Item = { a: { S: 'k' }, ...values(), l: { L: [...Object.values(values()), { L: [] }, { M: {} }] }, m: { M: { ...values(), __proto__x: { S: 'x' }, constructor: { N: '1' } } } }
      await run('PutItem', { TableName: 'hash', Item })
      assert.deepEqual(await run('GetItem', { TableName: 'hash', Key: { a: { S: 'k' } } }), { Item })
      await run('PutItem', { TableName: 'hash', Item: { a: { S: 'k' }, n: { N: '1E2' }, ns: { NS: ['1.50', '-0'] }, z: { NULL: false } } })
      assert.deepEqual(await run('GetItem', { TableName: 'hash', Key: { a: { S: 'k' } } }), { Item: { a: { S: 'k' }, n: { N: '100' }, ns: { NS: ['1.5', '0'] }, z: { NULL: true } } })
    })

    test('are found by their key, whatever way its number is written', async (t) => {
      const { run } = await start(t, open)
      await run('CreateTable', rangeTable)
      await run('PutItem', { TableName: 'range', Item: { a: { S: 'x' }, b: { N: '1E2' }, d: { S: 'first' } } })
      assert.equal((await run('GetItem', { TableName: 'range', Key: { a: { S: 'x' }, b: { N: '100.0' } } })).Item.d.S, 'first')
      assert.deepEqual(await run('GetItem', { TableName: 'range', Key: { a: { S: 'x' }, b: { N: '101' } } }), {})
      assert.deepEqual((await run('GetItem', { TableName: 'range', Key: { a: { S: 'x' }, b: { N: '100' } }, AttributesToGet: ['d', 'none'] })).Item, { d: { S: 'first' } })
      assert.deepEqual(await run('GetItem', { TableName: 'range', Key: { a: { S: 'x' }, b: { N: '100' } }, ProjectionExpression: 'nothing' }), { Item: {} })
    })

    test('give back what was there before, where it is asked for', async (t) => {
      const { run } = await start(t, open)
      await run('CreateTable', hashTable)
      const first = { a: { S: 'k' }, v: { N: '1' }, b: { B: Buffer.from('x') } }
      assert.deepEqual(await run('PutItem', { TableName: 'hash', Item: first, ReturnValues: 'ALL_OLD' }), {})
      assert.deepEqual(await run('PutItem', { TableName: 'hash', Item: { a: { S: 'k' } }, ReturnValues: 'ALL_OLD' }), { Attributes: first })
      assert.deepEqual(await run('PutItem', { TableName: 'hash', Item: first }), {})
      assert.deepEqual(await run('DeleteItem', { TableName: 'hash', Key: { a: { S: 'k' } }, ReturnValues: 'ALL_OLD' }), { Attributes: first })
      assert.deepEqual(await run('DeleteItem', { TableName: 'hash', Key: { a: { S: 'k' } }, ReturnValues: 'ALL_OLD' }), {})
      assert.deepEqual(await run('GetItem', { TableName: 'hash', Key: { a: { S: 'k' } } }), {})
    })

    test('are written under a condition or not at all', async (t) => {
      const { run } = await start(t, open)
      await run('CreateTable', hashTable)
      const failed = refuses('ConditionalCheckFailedException', 'The conditional request failed')
      const create = (v: string, more: object = {}) => run('PutItem', { TableName: 'hash', Item: { a: { S: 'k' }, v: { N: v } }, ConditionExpression: 'attribute_not_exists(a)', ...more })
      await create('1')
      await assert.rejects(create('2'), failed)
      await assert.rejects(create('2', { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }), (error: any) => failed(error) && (assert.deepEqual(error.members, { Item: { a: { S: 'k' }, v: { N: '1' } } }), true))
      const remove = (v: string) => run('DeleteItem', { TableName: 'hash', Key: { a: { S: 'k' } }, ConditionExpression: '#v = :v', ExpressionAttributeNames: { '#v': 'v' }, ExpressionAttributeValues: { ':v': { N: v } } })
      await assert.rejects(remove('2'), failed)
      await remove('1.0')
      await assert.rejects(remove('1'), failed, 'nothing is there to compare')
      await assert.rejects(create('1', { ConditionExpression: 'x' }), invalid('Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "x"'))
      await assert.rejects(create('1', { ConditionExpression: undefined, ExpressionAttributeValues: { ':v': { S: '' } } }),
        invalid('ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null'))
      await assert.rejects(create('1', { ExpressionAttributeValues: { ':v': { S: '' } } }), invalid('Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}'))
    })

    test('of writers that race under one condition, one wins', async (t) => {
      const { run } = await start(t, open)
      await run('CreateTable', hashTable)
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, index) =>
        run('PutItem', { TableName: 'hash', Item: { a: { S: 'k' }, by: { N: String(index) } }, ConditionExpression: 'attribute_not_exists(a)' })))
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    })

    test('know the legacy conditions', async (t) => {
      const { run } = await start(t, open)
      await run('CreateTable', hashTable)
      const failed = refuses('ConditionalCheckFailedException', 'The conditional request failed')
      const put = (Expected: object, more: object = {}) => run('PutItem', { TableName: 'hash', Item: { a: { S: 'k' }, v: { N: '5' }, s: { S: 'hello' } }, Expected, ...more })
      await put({ a: { Exists: false } })
      await assert.rejects(put({ a: { Exists: false } }), failed)
      await put({ v: { Value: { N: '5.0' } } })
      await put({ v: { ComparisonOperator: 'BETWEEN', AttributeValueList: [{ N: '1' }, { N: '9' }] }, s: { ComparisonOperator: 'BEGINS_WITH', AttributeValueList: [{ S: 'he' }] } })
      await put({ v: { Value: { N: '4' } }, s: { ComparisonOperator: 'CONTAINS', Value: { S: 'ell' } } }, { ConditionalOperator: 'OR' })
      await assert.rejects(put({ v: { Value: { N: '4' } }, s: { ComparisonOperator: 'NOT_NULL' } }), failed)
      const parameters = 'One or more parameter values were invalid: '
      const cases: [object, string][] = [
        [{ a: {} }, `${parameters}Value must be provided when Exists is null for Attribute: a`],
        [{ a: { Exists: true } }, `${parameters}Value must be provided when Exists is true for Attribute: a`],
        [{ a: { Exists: false, Value: { S: 'a' } } }, `${parameters}Value cannot be used when Exists is false for Attribute: a`],
        [{ a: { ComparisonOperator: 'LT' } }, `${parameters}Value or AttributeValueList must be used with ComparisonOperator: LT for Attribute: a`],
        [{ a: { Exists: true, ComparisonOperator: 'LT' } }, `${parameters}Exists and ComparisonOperator cannot be used together for Attribute: a`],
        [{ a: { AttributeValueList: [{ S: 'a' }], Value: { S: 'a' }, ComparisonOperator: 'LT' } }, `${parameters}Value and AttributeValueList cannot be used together for Attribute: a`],
        [{ a: { AttributeValueList: [{ S: 'a' }] } }, `${parameters}AttributeValueList can only be used with a ComparisonOperator for Attribute: a`],
        [{ a: { AttributeValueList: [], ComparisonOperator: 'IN' } }, `${parameters}Invalid number of argument(s) for the IN ComparisonOperator`],
        [{ a: { Value: { S: 'a' }, ComparisonOperator: 'BETWEEN' } }, `${parameters}Invalid number of argument(s) for the BETWEEN ComparisonOperator`],
        [{ a: { Value: {} } }, 'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes'],
      ]
      for (const [expected, message] of cases) await assert.rejects(put(expected), invalid(message))
      await assert.rejects(put({ a: { Exists: false } }, { ConditionExpression: 'a = a' }), invalid(
        'Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}'))
    })

    test('say what they consume, on the table and on each index', async (t) => {
      const { run } = await start(t, open)
      await run('CreateTable', rangeTable)
      const put = async (Item: object, ReturnConsumedCapacity = 'INDEXES') => (await run('PutItem', { TableName: 'range', Item, ReturnConsumedCapacity })).ConsumedCapacity
      const item = { a: { S: 'x' }, b: { N: '1' }, c: { S: 'g' } }
      const one = { CapacityUnits: 1 }
      assert.deepEqual(await put(item), { TableName: 'range', CapacityUnits: 3, Table: one, GlobalSecondaryIndexes: { global: one }, LocalSecondaryIndexes: { local: one } })
      assert.deepEqual(await put(item), { TableName: 'range', CapacityUnits: 1, Table: one }, 'what stays the same costs an index nothing')
      assert.deepEqual(await put({ ...item, d: { S: 'x'.repeat(1500) } }), { TableName: 'range', CapacityUnits: 4, Table: { CapacityUnits: 2 }, LocalSecondaryIndexes: { local: { CapacityUnits: 2 } } })
      assert.deepEqual(await put({ ...item, c: { S: 'moved' } }, 'TOTAL'), { TableName: 'range', CapacityUnits: 2 + 2 + 3 })
      const { ConsumedCapacity } = await run('DeleteItem', { TableName: 'range', Key: { a: { S: 'x' }, b: { N: '1' } }, ReturnConsumedCapacity: 'TOTAL' })
      assert.deepEqual(ConsumedCapacity, { TableName: 'range', CapacityUnits: 3 })
      assert.deepEqual((await run('GetItem', { TableName: 'range', Key: { a: { S: 'x' }, b: { N: '1' } }, ReturnConsumedCapacity: 'INDEXES' })).ConsumedCapacity, { TableName: 'range', CapacityUnits: 0.5, Table: { CapacityUnits: 0.5 } })
    })

    test('say how large their collection is, where the table has a local index', async (t) => {
      const { run } = await start(t, open)
      await run('CreateTable', rangeTable)
      await run('CreateTable', hashTable)
      const put = (TableName: string) => run('PutItem', { TableName, Item: { a: { S: 'x' }, b: { N: '1' } }, ReturnItemCollectionMetrics: 'SIZE' })
      assert.deepEqual(await put('range'), { ItemCollectionMetrics: { ItemCollectionKey: { a: { S: 'x' } }, SizeEstimateRangeGB: [0, 1] } })
      assert.deepEqual(await put('hash'), {})
    })

    test('tell policies their key, their attributes and what is asked back', async (t) => {
      const { run, access } = await start(t, open)
      await run('CreateTable', rangeTable)
      const resource = 'arn:aws:dynamodb:us-east-1:000000000000:table/range'
      assert.deepEqual(await access('PutItem', {
        TableName: 'range', Item: { a: { S: 'x' }, b: { N: '1' } }, ReturnValues: 'ALL_OLD', ConditionExpression: 'attribute_exists(#c.x) AND d = :v', ExpressionAttributeNames: { '#c': 'c' },
      }), [{ action: 'dynamodb:PutItem', resource, context: { 'dynamodb:leadingkeys': ['x'], 'dynamodb:attributes': ['a', 'b', 'c', 'd'], 'dynamodb:returnvalues': 'ALL_OLD' } }])
      assert.deepEqual(await access('GetItem', { TableName: resource, Key: { a: { S: 'x' }, b: { N: '1' } }, ProjectionExpression: 'd.e' }), [
        { action: 'dynamodb:GetItem', resource, context: { 'dynamodb:leadingkeys': ['x'], 'dynamodb:attributes': ['a', 'b', 'd'], 'dynamodb:select': 'SPECIFIC_ATTRIBUTES' } },
      ])
    })
  })
})

test('keys stand in the order of their values', () => {
  const table = (type: string) => tableOf({
    id: 1, account_id: '', region: '', name: 't', table_id: '', created_at_ms: 0,
    settings: JSON.stringify({ AttributeDefinitions: [{ AttributeName: 'p', AttributeType: 'S' }, { AttributeName: 's', AttributeType: type }], KeySchema: [{ AttributeName: 'p' }, { AttributeName: 's' }] }),
  })
  const order = (type: 'S' | 'B', one: string, two: string) =>
    Math.sign(Buffer.compare(keyOfItem(table(type), { p: { S: 'p' }, s: { [type]: one } as any }).sort, keyOfItem(table(type), { p: { S: 'p' }, s: { [type]: two } as any }).sort))
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 8 })
  fc.assert(fc.property(bytes, bytes, (one, two) => {
    assert.equal(order('B', Buffer.from(one).toString('base64'), Buffer.from(two).toString('base64')), Math.sign(Buffer.compare(one, two)))
  }))
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 })
  fc.assert(fc.property(text, text, (one, two) => {
    assert.equal(order('S', one, two), Math.sign(Buffer.compare(Buffer.from(one), Buffer.from(two))))
  }))
})
