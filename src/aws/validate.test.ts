// The sentences of AWS's validator, as its services were recorded saying them.

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import { loadModel } from './model.ts'
import { compilePattern, compileValidator, type ShapeConstraints } from './validate.ts'

function judge(file: string, operation: string, input: Record<string, unknown>, corrections?: Record<string, ShapeConstraints>): string | undefined {
  const model = loadModel(file)
  return compileValidator(model, model.operation(operation)!, corrections)?.(input)
}

const one = (says: string): string => `1 validation error detected: ${says}`

describe('the validator says', () => {
  test('what pattern a value does not match', () => {
    // Observed: STS, 21-07-2025, recorded by localstack's test_sts_invalid_parameters.
    assert.equal(judge('sts-2011-06-15', 'AssumeRole', { RoleArn: 'arn:aws:iam::000000000000:role/r', RoleSessionName: 'Session1:2' }),
      one("Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"))
    // Observed: Lambda, 25-11-2025, recorded by localstack's test_permission_exceptions.
    assert.equal(judge('lambda-2015-03-31', 'AddPermission', { FunctionName: 'f', StatementId: 'example.com', Action: 'lambda:InvokeFunction', Principal: 'x' }),
      one("Value 'example.com' at 'statementId' failed to satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"))
    // Observed: Lambda, 12-01-2026, recorded by localstack's test_create_lambda_exceptions.
    assert.equal(judge('lambda-2015-03-31', 'CreateFunction', { FunctionName: 'f', Role: 'r1', Code: {} }),
      one("Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+"))
  })

  test('under which name: a label has its own, what is in a body of API Gateway the input\'s', () => {
    // Observed: API Gateway, 11-07-2025, recorded by localstack's test_create_rest_api_with_endpoint_configuration.
    assert.equal(judge('apigateway-2015-07-09', 'CreateRestApi', { name: 'a', endpointConfiguration: { ipAddressType: 'wrong' } }),
      one("Value 'wrong' at 'createRestApiInput.endpointConfiguration.ipAddressType' failed to satisfy constraint: Member must satisfy enum value set: [ipv4, dualstack]"))
    // Observed: API Gateway, 30-06-2025, recorded by localstack's test_update_method_response_negative_tests.
    assert.equal(judge('apigateway-2015-07-09', 'UpdateMethodResponse', { restApiId: 'a', resourceId: 'b', httpMethod: 'GET', statusCode: 'wrong' }),
      one("Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\\d\\d"))
  })

  test('how long a list must be', () => {
    // Observed: DynamoDB, 08-10-2025, recorded by localstack's test_dynamodb_execute_statement_empy_parameter.
    assert.equal(judge('dynamodb-2012-08-10', 'ExecuteStatement', { Statement: 's', Parameters: [] }),
      one("Value '[]' at 'parameters' failed to satisfy constraint: Member must have length greater than or equal to 1"))
  })

  test('every missing member, in lists by number', () => {
    // Source: dynalite's tests against DynamoDB, CreateTable.
    const said = judge('dynamodb-2012-08-10', 'CreateTable', { TableName: 'abc', AttributeDefinitions: [{ AttributeName: 'a' }], KeySchema: [{ KeyType: 'HASH' }, { AttributeName: 'b', KeyType: 'X' }] })
    assert.equal(said, "3 validation errors detected: Value null at 'attributeDefinitions.1.member.attributeType' failed to satisfy constraint: Member must not be null; "
      + "Value null at 'keySchema.1.member.attributeName' failed to satisfy constraint: Member must not be null; "
      + "Value 'X' at 'keySchema.2.member.keyType' failed to satisfy constraint: Member must satisfy enum value set: [HASH, RANGE]")
  })

  test('what the elements of a list or the values of a map must be, all constraints at once', () => {
    // Observed: DynamoDB, in published answers to BatchWriteItem and BatchGetItem.
    const said = judge('dynamodb-2012-08-10', 'BatchWriteItem', { RequestItems: { abc: [] } })
    assert.equal(said, one("Value '{abc=[]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]"))
    // Observed: Lambda, 2026, in published answers to CreateFunctionUrlConfig.
    assert.equal(judge('lambda-2015-03-31', 'CreateFunctionUrlConfig', { FunctionName: 'f', AuthType: 'NONE', Cors: { AllowMethods: ['GET', 'POST', 'OPTIONS'] } }),
      one("Value '[GET, POST, OPTIONS]' at 'cors.allowMethods' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 6, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: .*, Member must not be null]"))
    // Observed: Lambda, in LocalStack's alias tests against AWS.
    assert.equal(judge('lambda-2015-03-31', 'CreateAlias', { FunctionName: 'f', Name: 'n', FunctionVersion: '1', RoutingConfig: { AdditionalVersionWeights: { 2: 2 } } }),
      one("Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]"))
  })

  test('nothing of what is sensitive', () => {
    const said = judge('lambda-2015-03-31', 'CreateFunction', { FunctionName: 'f', Role: 'arn:aws:iam::000000000000:role/r', Code: {}, Environment: { Variables: { '1bad': 'hunter2' } } })
    assert.ok(said && !said.includes('hunter2'), String(said))
  })

  test('at most ten errors, and of a long value its beginning', () => {
    const many = judge('dynamodb-2012-08-10', 'CreateTable', { TableName: 'abc', AttributeDefinitions: Array.from({ length: 30 }, () => ({})) })
    assert.match(many!, /^10 validation errors detected: /)
    const long: string | undefined = judge('dynamodb-2012-08-10', 'GetItem', { TableName: 'x'.repeat(1_000_000), Key: {} })
    assert.ok(long!.length < 2000)
  })

  test('what the service demands instead of its model', () => {
    const input = { TableName: 'a!', Key: {} }
    assert.equal(judge('dynamodb-2012-08-10', 'GetItem', input), undefined)
    assert.equal(judge('dynamodb-2012-08-10', 'GetItem', input, { TableArn: { min: 3, max: undefined, pattern: '[a-z!]+' } }),
      one("Value 'a!' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3"))
  })
})

describe('the validator', () => {
  test('does not run a pattern over a text that is far too long anyway', () => {
    const said = judge('dynamodb-2012-08-10', 'ExportTableToPointInTime', { TableArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/t', S3Bucket: `${'a'.repeat(100_000)}!` })
    assert.match(said!, /^1 validation error detected: Value 'a+…' at 's3Bucket' failed to satisfy constraint: Member must have length less than or equal to 255$/)
  })

  test('finds nothing wrong with what is right', () => {
    assert.equal(judge('dynamodb-2012-08-10', 'PutItem', { TableName: 'abc', Item: { a: { M: { b: { L: [{ S: 'x' }] } } } } }), undefined)
    assert.equal(judge('lambda-2015-03-31', 'Invoke', { FunctionName: 'arn:aws:lambda:us-east-1:000000000000:function:f:live' }), undefined)
  })

  test('understands every pattern of every model', () => {
    for (const file of readdirSync(new URL('./models/', import.meta.url)).filter((name) => name.endsWith('.json'))) {
      const model = loadModel(file.slice(0, -'.json'.length))
      for (const name of model.operationNames) assert.doesNotThrow(() => compileValidator(model, model.operation(name)!), name)
    }
    assert.ok(compilePattern('([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)').test('größe: 1'))
    assert.ok(!compilePattern('a|b').test('ab'))
  })
})
