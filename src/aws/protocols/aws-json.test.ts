// The JSON protocols, judged by what DynamoDB and CloudWatch Logs answer.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createEcho, signedFor } from '#test/sdk/wire/echo.ts'
import { headerOf, jsonOf, requestOf } from '#test/sdk/wire/requests.ts'

const answers = {
  dynamodb: { GetItem: {}, PutItem: {}, CreateTable: {}, BatchWriteItem: {}, UpdateTable: {}, Scan: {} },
  logs: { CreateLogGroup: {}, GetLogEvents: {} },
}

function dynamodb(operation: string, body: string, headers: Record<string, string> = {}) {
  return requestOf({ headers: { ...signedFor('dynamodb'), 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `DynamoDB_20120810.${operation}`, ...headers }, body })
}

describe('a JSON request that is none', () => {
  // Source: dynalite's tests against DynamoDB (connection.js), for status, body and checksum.
  for (const { says, parts } of [
    { says: 'a GET', parts: { method: 'GET', headers: signedFor('dynamodb') } },
    { says: 'a PUT', parts: { method: 'PUT', headers: signedFor('dynamodb') } },
    { says: 'a body without content type', parts: { body: 'hi', headers: signedFor('dynamodb') } },
    { says: 'a body of another content type', parts: { body: 'hi', headers: { ...signedFor('dynamodb'), 'content-type': 'application/x-amz-json-1.1' } } },
    { says: 'a content type that only begins well', parts: { body: 'hi', headers: { ...signedFor('dynamodb'), 'content-type': 'application/jsonasdf' } } },
  ]) {
    test(`${says} gets the bare 404`, async () => {
      const answer = await createEcho(answers).handle(requestOf(parts))
      assert.equal(answer.status, 404)
      assert.equal(answer.body, '<UnknownOperationException/>\n')
      assert.equal(headerOf(answer, 'x-amz-crc32'), '3552371480')
      assert.ok(headerOf(answer, 'x-amzn-requestid'))
    })
  }

  for (const target of [undefined, 'whatever', 'DynamoDB_20120810.ListTable', 'DynamoDB_20111205.GetItem', 'DynamoDB_20120810.', 'DynamoDB_20120810.constructor', 'DynamoDB_20120810.GetItem.x']) {
    test(`the target ${target} is an unknown operation`, async () => {
      const answer = await createEcho(answers).handle(requestOf({ headers: { ...signedFor('dynamodb'), ...(target === undefined ? {} : { 'x-amz-target': target }) } }))
      assert.equal(answer.status, 400)
      assert.deepEqual(jsonOf(answer), { __type: 'com.amazon.coral.service#UnknownOperationException' })
      assert.equal(headerOf(answer, 'x-amz-crc32'), '1368724161')
    })
  }

  test('an unsigned request is told so, with the recorded checksum', async () => {
    const answer = await createEcho(answers).handle(requestOf({ headers: { 'x-amz-target': 'DynamoDB_20120810.ListTables' } }))
    assert.equal(answer.status, 400)
    assert.deepEqual(jsonOf(answer), { __type: 'com.amazon.coral.service#MissingAuthenticationTokenException', message: 'Request is missing Authentication Token' })
    assert.equal(headerOf(answer, 'x-amz-crc32'), '2088342776')
  })

  for (const body of ['hi', '', 'null', '{"TableName":', '{"a":1,}']) {
    test(`the body ${JSON.stringify(body)} does not parse`, async () => {
      const answer = await createEcho(answers).handle(dynamodb('GetItem', body))
      assert.equal(answer.status, 400)
      assert.deepEqual(jsonOf(answer), { __type: 'com.amazon.coral.service#SerializationException' })
      assert.equal(headerOf(answer, 'x-amz-crc32'), '3948637019')
    })
  }

  test('a parameter after the content type changes nothing', async () => {
    assert.equal((await createEcho(answers).handle(dynamodb('Scan', '{"TableName":"abc"}', { 'content-type': ' application/json ;  charset=x' }))).status, 200)
  })
})

describe('a JSON value of the wrong type', () => {
  // Source: dynalite's tests against DynamoDB (`assertType`).
  const wrong: readonly [operation: string, body: object, message: string][] = [
    ['GetItem', { TableName: true }, 'TRUE_VALUE cannot be converted to String'],
    ['GetItem', { TableName: false }, 'FALSE_VALUE cannot be converted to String'],
    ['GetItem', { TableName: 23 }, 'NUMBER_VALUE cannot be converted to String'],
    ['GetItem', { TableName: 34.56 }, 'DECIMAL_VALUE cannot be converted to String'],
    ['GetItem', { TableName: [] }, 'Unrecognized collection type class java.lang.String'],
    ['GetItem', { TableName: {} }, 'Start of structure or map found where not expected'],
    ['GetItem', { ConsistentRead: '23' }, 'Unexpected token received from parser'],
    ['GetItem', { ConsistentRead: 23 }, 'NUMBER_VALUE cannot be converted to Boolean'],
    ['GetItem', { ConsistentRead: [] }, 'Unrecognized collection type class java.lang.Boolean'],
    ['Scan', { Limit: '23' }, 'STRING_VALUE cannot be converted to Integer'],
    ['Scan', { Limit: {} }, 'Start of structure or map found where not expected'],
    ['GetItem', { AttributesToGet: '23' }, 'Unexpected field type'],
    ['GetItem', { AttributesToGet: {} }, 'Start of structure or map found where not expected'],
    ['GetItem', { ExpressionAttributeNames: [] }, 'Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>'],
    ['GetItem', { Key: [] }, 'Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>'],
    ['GetItem', { Key: '23' }, 'Unexpected field type'],
    ['GetItem', { Key: { a: '23' } }, 'Unexpected value type in payload'],
    ['GetItem', { Key: { a: [] } }, 'Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue'],
    ['GetItem', { Key: { a: { N: 1 } } }, 'NUMBER_VALUE cannot be converted to String'],
    ['GetItem', { Key: { a: { B: 1 } } }, 'only base-64-encoded strings are convertible to bytes'],
    ['GetItem', { Key: { a: { B: '23456' } } }, 'Base64 encoded length is expected a multiple of 4 bytes but found: 5'],
    ['GetItem', { Key: { a: { B: '=+/=' } } }, 'Invalid last non-pad Base64 character dectected'],
    ['GetItem', { Key: { a: { B: '+/+=' } } }, 'Invalid last non-pad Base64 character dectected'],
    ['GetItem', { Key: { a: { L: ['x'] } } }, 'Unexpected value type in payload'],
    ['CreateTable', { ProvisionedThroughput: 'x' }, 'Unexpected field type'],
    ['CreateTable', { ProvisionedThroughput: [] }, 'Unrecognized collection type class com.amazonaws.dynamodb.v20120810.ProvisionedThroughput'],
    ['CreateTable', { KeySchema: ['x'] }, 'Unexpected value type in payload'],
    ['BatchWriteItem', { RequestItems: { a: 'x' } }, "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base of loader 'bootstrap')"],
  ]
  for (const [operation, body, message] of wrong) {
    test(`DynamoDB ${operation} ${JSON.stringify(body)}: ${message.slice(0, 60)}`, async () => {
      const answer = await createEcho(answers).handle(dynamodb(operation, JSON.stringify(body)))
      assert.equal(answer.status, 400)
      assert.deepEqual(jsonOf(answer), { __type: 'com.amazon.coral.service#SerializationException', Message: message })
    })
  }

  // Observed: Athena, 23-09-2026, recorded by athena-local, for these combinations.
  for (const [body, message] of [
    [{ limit: '23' }, 'STRING_VALUE can not be converted to an Integer'],
    [{ limit: true }, 'TRUE_VALUE can not be converted to an Integer'],
    [{ logGroupName: 1.5 }, 'NUMBER_VALUE can not be converted to a String'],
    [{ logGroupName: [] }, 'Start of list found where not expected'],
    [{ logGroupName: {} }, 'Start of structure or map found where not expected.'],
    [[], 'Start of list found where not expected'],
    ['text', 'Expected null'],
  ] as const) {
    test(`CloudWatch Logs ${JSON.stringify(body)}: ${message}`, async () => {
      const request = requestOf({ headers: { ...signedFor('logs'), 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Logs_20140328.GetLogEvents' }, body: JSON.stringify(body) })
      assert.deepEqual(jsonOf(await createEcho(answers).handle(request)), { __type: 'SerializationException', Message: message })
    })
  }

  test('a value nested beyond every limit is refused, not run into the ground', async () => {
    const deep = `{"TableName":"abc","Key":{"a":${'{"L":['.repeat(20_000)}${']}'.repeat(20_000)}}}`
    assert.deepEqual(jsonOf(await createEcho(answers).handle(dynamodb('GetItem', deep))), { __type: 'com.amazon.coral.service#SerializationException' })
  })
})

describe('a JSON request', () => {
  test('arrives with bytes as bytes, without unknown members and nulls, with whole numbers', async () => {
    const echo = createEcho(answers)
    await echo.handle(dynamodb('GetItem', '{"TableName":"abc","Nonsense":1,"Key":{"a":{"B":"aGk=","S":null},"__proto__":{"S":"x"}},"AttributesToGet":["a",null]}'))
    assert.equal(echo.lastInput.TableName, 'abc')
    assert.ok(!('Nonsense' in echo.lastInput))
    assert.deepEqual(echo.lastInput.Key.a, { B: Buffer.from('hi') })
    assert.deepEqual(Object.keys(echo.lastInput.Key), ['a', '__proto__'])
    assert.deepEqual(Object.getOwnPropertyDescriptor(echo.lastInput.Key, '__proto__')!.value, { S: 'x' })
    assert.deepEqual(echo.lastInput.AttributesToGet, ['a'])
    await echo.handle(dynamodb('Scan', '{"TableName":"abc","Limit":1.9}'))
    assert.equal(echo.lastInput.Limit, 1)
  })

  test('is answered with seconds for times, base64 for bytes, and only the members of the model', async () => {
    const echo = createEcho({ dynamodb: { CreateTable: { TableDescription: { TableName: 'abc', CreationDateTime: new Date(1_700_000_000_250), hidden: 'secret', TableStatus: undefined } } } })
    const answer = await echo.handle(dynamodb('CreateTable', '{"TableName":"abc"}'))
    assert.deepEqual(jsonOf(answer), { TableDescription: { TableName: 'abc', CreationDateTime: 1_700_000_000.25 } })
    assert.equal(headerOf(answer, 'content-type'), 'application/x-amz-json-1.0')
    const item = { a: { B: Buffer.from('hi') }, b: { L: [{ S: 'x' }, { BS: [Buffer.from('x')] }] }, ['__proto__']: { S: 'y' } }
    const got = await createEcho({ dynamodb: { GetItem: { Item: item } } }).handle(dynamodb('GetItem', '{"TableName":"abc","Key":{}}'))
    assert.equal(got.body, '{"Item":{"a":{"B":"aGk="},"b":{"L":[{"S":"x"},{"BS":["eA=="]}]},"__proto__":{"S":"y"}}}')
    assert.deepEqual(item.a, { B: Buffer.from('hi') }, 'the handler keeps its own value')
  })

  test('without an output gets an empty object from DynamoDB and an empty body from CloudWatch Logs', async () => {
    const request = requestOf({ headers: { ...signedFor('logs'), 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Logs_20140328.CreateLogGroup' }, body: '{"logGroupName":"a"}' })
    const answer = await createEcho(answers).handle(request)
    assert.deepEqual([answer.status, answer.body], [200, undefined])
  })
})
