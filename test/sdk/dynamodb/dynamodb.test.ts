// DynamoDB through the official clients: SDK v3, its document client, boto3 and the AWS CLI.

import assert from 'node:assert/strict'
import { before, after, describe, test } from 'node:test'
import {
  ConditionalCheckFailedException, CreateTableCommand, DeleteItemCommand, DeleteTableCommand, DescribeTableCommand, GetItemCommand, ListTablesCommand, PutItemCommand, QueryCommand,
  waitUntilTableExists, waitUntilTableNotExists,
} from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import { absent, aws, python } from '#test/support/programs.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'

const TableName = 'catalog'
const definition = {
  TableName,
  AttributeDefinitions: [{ AttributeName: 'service', AttributeType: 'S' as const }, { AttributeName: 'version', AttributeType: 'N' as const }],
  KeySchema: [{ AttributeName: 'service', KeyType: 'HASH' as const }, { AttributeName: 'version', KeyType: 'RANGE' as const }],
  ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 5 },
}

describe('DynamoDB', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
    const { TableDescription } = await server.dynamodb.send(new CreateTableCommand(definition))
    assert.equal(TableDescription?.TableStatus, 'CREATING')
    await waitUntilTableExists({ client: server.dynamodb, maxWaitTime: 30 }, { TableName })
  })
  after(() => server.close())

  describe('refuses', () => {
    test('what is wrong with a request before it looks at the table', async () => {
      const { dynamodb } = server
      await refuses(dynamodb.send(new PutItemCommand({ TableName: 'bad table!@#', Item: { pk: { S: 'x' } } })), 400, 'ValidationException',
        "1 validation error detected: Value 'bad table!@#' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
      await refuses(dynamodb.send(new PutItemCommand({ TableName, Item: undefined })), 400, 'ValidationException',
        "1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null")
      await refuses(dynamodb.send(new PutItemCommand({ TableName, Item: {}, ReturnValues: 'hi' as never })), 400, 'ValidationException',
        "1 validation error detected: Value 'hi' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]")
      await refuses(dynamodb.send(new CreateTableCommand({ ...definition, TableName: 'other', KeySchema: [...definition.KeySchema, { AttributeName: 'x', KeyType: 'RANGE' }] })), 400, 'ValidationException',
        "1 validation error detected: Value '[KeySchemaElement(attributeName=service, keyType=HASH), KeySchemaElement(attributeName=version, keyType=RANGE), KeySchemaElement(attributeName=x, keyType=RANGE)]' at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2")
    })

    test('a table that is not there, and one that is', async () => {
      const { dynamodb } = server
      await refuses(dynamodb.send(new GetItemCommand({ TableName: 'nothing', Key: {} })), 400, 'ResourceNotFoundException', 'Requested resource not found')
      await refuses(dynamodb.send(new DescribeTableCommand({ TableName: 'nothing' })), 400, 'ResourceNotFoundException', 'Requested resource not found: Table: nothing not found')
      await refuses(dynamodb.send(new CreateTableCommand(definition)), 400, 'ResourceInUseException', `Table already exists: ${TableName}`)
    })

    test('operations that are not served, by name', async () => {
      await refuses(server.dynamodb.send(new QueryCommand({ TableName })), 501, 'NotImplemented', /Query/)
    })

    test('a caller without permission, and one whose keys a policy keeps to itself', async () => {
      const table = `arn:aws:dynamodb:us-east-1:000000000000:table/${TableName}`
      const reader = server.clients(await server.user('reader', [{ Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: table, Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['mine'] } } }]))
      const get = (service: string) => reader.dynamodb.send(new GetItemCommand({ TableName, Key: { service: { S: service }, version: { N: '1' } } }))
      await get('mine')
      await refuses(get('yours'), 400, 'AccessDeniedException',
        `User: arn:aws:iam::000000000000:user/reader is not authorized to perform: dynamodb:GetItem on resource: ${table} because no identity-based policy allows the dynamodb:GetItem action`)
      await refuses(reader.dynamodb.send(new PutItemCommand({ TableName, Item: {} })), 400, 'AccessDeniedException', /dynamodb:PutItem on resource/)
    })
  })

  describe('does', () => {
    test('every attribute type, in and out', async () => {
      const Item = {
        service: { S: 'types' }, version: { N: '1E2' }, b: { B: new Uint8Array([0, 255]) }, bs: { BS: [new Uint8Array([1]), new Uint8Array([2])] }, ss: { SS: ['a', 'b'] }, ns: { NS: ['1.50', '-2'] },
        t: { BOOL: true }, z: { NULL: true as const }, l: { L: [{ S: '' }, { M: { deep: { B: new Uint8Array([7]) } } }] },
      }
      await server.dynamodb.send(new PutItemCommand({ TableName, Item }))
      const { Item: stored } = await server.dynamodb.send(new GetItemCommand({ TableName, Key: { service: { S: 'types' }, version: { N: '100' } }, ConsistentRead: true }))
      assert.deepEqual(stored, { ...Item, version: { N: '100' }, ns: { NS: ['1.5', '-2'] } })
    })

    test('native values through the document client', async () => {
      const documents = DynamoDBDocumentClient.from(server.dynamodb)
      const Item = { service: 'documents', version: 2, tags: new Set(['a', 'b']), nested: { parts: [1, 'two', false, null] } }
      await documents.send(new PutCommand({ TableName, Item }))
      const answer = await documents.send(new GetCommand({ TableName, Key: { service: 'documents', version: 2 }, ProjectionExpression: 'nested.parts[1], #t', ExpressionAttributeNames: { '#t': 'tags' } }))
      assert.deepEqual(answer.Item, { nested: { parts: ['two'] }, tags: new Set(['a', 'b']) })
    })

    test('conditions, with the item that made one fail', async () => {
      const put = (body: string) => server.dynamodb.send(new PutItemCommand({
        TableName, Item: { service: { S: 'conditions' }, version: { N: '1' }, body: { S: body } }, ConditionExpression: 'attribute_not_exists(service)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }))
      await put('first')
      const error = await refuses(put('second'), 400, 'ConditionalCheckFailedException', 'The conditional request failed')
      assert.equal((error as ConditionalCheckFailedException).Item?.body?.S, 'first')
      const { Attributes } = await server.dynamodb.send(new DeleteItemCommand({ TableName, Key: { service: { S: 'conditions' }, version: { N: '1' } }, ReturnValues: 'ALL_OLD' }))
      assert.equal(Attributes?.body?.S, 'first')
    })

    test('tables that come and go', async () => {
      const own = { ...definition, TableName: 'brief' }
      await server.dynamodb.send(new CreateTableCommand(own))
      assert.partialDeepStrictEqual(await server.dynamodb.send(new ListTablesCommand({ Limit: 1 })), { TableNames: ['brief'], LastEvaluatedTableName: 'brief' }, 'names in order, a page at a time')
      await server.dynamodb.send(new DeleteTableCommand({ TableName: 'brief' }))
      await waitUntilTableNotExists({ client: server.dynamodb, maxWaitTime: 30 }, { TableName: 'brief' })
    })

    test('what boto3 asks, by its resource and its waiter', { skip: absent('boto3') }, async () => {
      const answer = await python(server.environment(), `
from decimal import Decimal
from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError
dynamodb = boto3.resource("dynamodb", endpoint_url=ENDPOINT)
table = dynamodb.create_table(TableName="boto", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}], AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST")
table.wait_until_exists()
table.put_item(Item={"pk": "x", "n": Decimal("1.50"), "b": b"\\x00\\xff", "s": {"a", "b"}})
item = table.get_item(Key={"pk": "x"})["Item"]
try:
    table.put_item(Item={"pk": "x"}, ConditionExpression=Attr("pk").not_exists() & Attr("n").gt(1))
    code = "none"
except ClientError as error:
    code = error.response["Error"]["Code"]
table.delete()
print(json.dumps({"n": str(item["n"]), "b": list(item["b"].value), "s": sorted(item["s"]), "code": code}))
`)
      assert.deepEqual(answer, { n: '1.5', b: [0, 255], s: ['a', 'b'], code: 'ConditionalCheckFailedException' })
    })

    test('what the AWS CLI asks', { skip: absent('aws') }, async () => {
      const env = server.environment()
      await aws(env, ['dynamodb', 'put-item', '--table-name', TableName, '--item', '{"service":{"S":"cli"},"version":{"N":"1"},"ttl":{"N":"300"}}'])
      const { Item } = await aws(env, ['dynamodb', 'get-item', '--table-name', TableName, '--key', '{"service":{"S":"cli"},"version":{"N":"1.0"}}'])
      assert.deepEqual(Item, { service: { S: 'cli' }, version: { N: '1' }, ttl: { N: '300' } })
      assert.equal((await aws(env, ['dynamodb', 'describe-table', '--table-name', TableName])).Table.TableStatus, 'ACTIVE')
    })
  })
})
