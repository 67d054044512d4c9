// The official JavaScript clients against every protocol, with operations that answer what the test says.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { APIGatewayClient, GetExportCommand, GetRestApisCommand, ImportRestApiCommand, PutRestApiCommand } from '@aws-sdk/client-api-gateway'
import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand, PutLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { DescribeTableCommand, DynamoDBClient, GetItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { CreateRoleCommand, GetUserCommand, IAMClient, ListUsersCommand, TagUserCommand } from '@aws-sdk/client-iam'
import { CreateFunctionCommand, GetFunctionCommand, InvokeCommand, LambdaClient, ListFunctionsCommand, UntagResourceCommand } from '@aws-sdk/client-lambda'
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { AwsError } from '#aws/errors.ts'
import { refuses } from '#test/support/refuses.ts'
import { serveEcho } from './echo.ts'

describe('the query protocol (IAM, STS)', () => {
  test('refuses with code, message and status', async () => {
    await using server = await serveEcho({ iam: { GetUser: () => { throw new AwsError('NoSuchEntity', 404, 'The user with name a<b> cannot be found.') } } })
    await using iam = disposable(new IAMClient(server.config))
    await refuses(iam.send(new GetUserCommand({ UserName: 'a' })), 404, 'NoSuchEntityException', 'The user with name a<b> cannot be found.')
    await refuses(iam.send(new ListUsersCommand({})), 501, 'NotImplemented', 'IAM.ListUsers is not implemented by Countersign.')
    await refuses(iam.send(new GetUserCommand({ UserName: 'a b' })), 400, 'ValidationError', /at 'userName' failed to satisfy constraint/)
  })

  test('carries lists, structures, times, numbers and booleans both ways', async () => {
    const createdAt = new Date('2026-01-02T03:04:05Z')
    const users = [{ UserName: 'ü & co', Path: '/', UserId: 'AIDAEXAMPLE', Arn: 'arn:aws:iam::000000000000:user/u', CreateDate: createdAt }]
    await using server = await serveEcho({ iam: { ListUsers: { Users: users, IsTruncated: true, Marker: 'm' }, TagUser: {}, CreateRole: { Role: { ...users[0], RoleName: 'r', RoleId: 'AROAEXAMPLE', MaxSessionDuration: 3600 } } } })
    await using iam = disposable(new IAMClient(server.config))
    const listed = await iam.send(new ListUsersCommand({ MaxItems: 7 }))
    assert.deepEqual([listed.Users, listed.IsTruncated, listed.Marker], [users, true, 'm'])
    assert.deepEqual(server.lastInput, { MaxItems: 7 })
    await iam.send(new TagUserCommand({ UserName: 'u', Tags: [{ Key: 'a', Value: 'b c/d=ü' }, { Key: 'e', Value: '' }] }))
    assert.deepEqual(server.lastInput, { UserName: 'u', Tags: [{ Key: 'a', Value: 'b c/d=ü' }, { Key: 'e', Value: '' }] })
    const document = '{"Statement": [{"Effect": "Allow"}]}\n'
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: document, MaxSessionDuration: 3600 }))
    assert.deepEqual(server.lastInput, { RoleName: 'r', AssumeRolePolicyDocument: document, MaxSessionDuration: 3600 })
    assert.equal(Role!.MaxSessionDuration, 3600)
  })

  test('serves STS', async () => {
    const credentials = { AccessKeyId: 'ASIAEXAMPLEEXAMPLE', SecretAccessKey: 's/+=', SessionToken: 't/+=', Expiration: new Date('2026-01-02T04:04:05Z') }
    await using server = await serveEcho({ sts: { GetCallerIdentity: { Account: '000000000000', Arn: 'arn:x', UserId: 'AIDA' }, AssumeRole: { Credentials: credentials } } })
    await using sts = disposable(new STSClient(server.config))
    assert.equal((await sts.send(new GetCallerIdentityCommand({}))).Account, '000000000000')
    const assumed = await sts.send(new AssumeRoleCommand({ RoleArn: 'arn:aws:iam::000000000000:role/r', RoleSessionName: 'session', DurationSeconds: 900 }))
    assert.deepEqual(assumed.Credentials, credentials)
    assert.equal(server.lastInput.DurationSeconds, 900)
  })
})

describe('JSON 1.0 (DynamoDB)', () => {
  test('refuses with code, message and status', async () => {
    await using server = await serveEcho({ dynamodb: { GetItem: () => { throw new AwsError('ResourceNotFoundException', 400, 'Requested resource not found') } } })
    await using dynamodb = disposable(new DynamoDBClient(server.config))
    await refuses(dynamodb.send(new GetItemCommand({ TableName: 'abc', Key: {} })), 400, 'ResourceNotFoundException', 'Requested resource not found')
    await refuses(dynamodb.send(new GetItemCommand({ TableName: '', Key: {} })), 400, 'ValidationException', /at 'tableName'/)
  })

  test('an operation that is not served is refused once: 501 is nothing that a client repeats', async () => {
    await using server = await serveEcho({})
    await using dynamodb = disposable(new DynamoDBClient(server.config))
    await refuses(dynamodb.send(new ScanCommand({ TableName: 'abc' })), 501, 'NotImplemented', 'DynamoDB.Scan is not implemented by Countersign.')
    assert.equal(server.traces.length, 1)
  })

  test('carries every attribute type both ways', async () => {
    const item = {
      s: { S: 'ü' }, n: { N: '1.50' }, b: { B: new Uint8Array([0, 255]) }, ss: { SS: ['a', 'b'] }, ns: { NS: ['1', '2'] }, bs: { BS: [new Uint8Array([1])] },
      m: { M: { inner: { L: [{ S: 'x' }, { BOOL: false }, { NULL: true }, { M: {} }, { B: new Uint8Array([7]) }] } } }, empty: { S: '' },
    }
    await using server = await serveEcho({ dynamodb: { GetItem: ({ Key }) => ({ Item: Key }) } })
    await using dynamodb = disposable(new DynamoDBClient(server.config))
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName: 'abc', Key: item }))
    assert.deepEqual(Item, item)
  })

  test('carries times', async () => {
    const createdAt = new Date('2026-01-02T03:04:05.250Z')
    await using server = await serveEcho({ dynamodb: { DescribeTable: { Table: { TableName: 'abc', CreationDateTime: createdAt, ItemCount: 3, ProvisionedThroughput: { ReadCapacityUnits: 1 } } } } })
    await using dynamodb = disposable(new DynamoDBClient(server.config))
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: 'abc' }))
    assert.deepEqual([Table!.CreationDateTime, Table!.ItemCount], [createdAt, 3])
  })
})

describe('JSON 1.1 (CloudWatch Logs)', () => {
  test('refuses, and answers nothing where there is no output', async () => {
    await using server = await serveEcho({ logs: { CreateLogGroup: {}, FilterLogEvents: { events: [{ timestamp: 1, message: 'm' }] }, PutLogEvents: () => { throw new AwsError('ResourceNotFoundException', 400, 'The specified log stream does not exist.') } } })
    await using logs = disposable(new CloudWatchLogsClient(server.config))
    await logs.send(new CreateLogGroupCommand({ logGroupName: '/aws/lambda/f', tags: { a: 'b' } }))
    assert.deepEqual(server.lastInput, { logGroupName: '/aws/lambda/f', tags: { a: 'b' } })
    await refuses(logs.send(new PutLogEventsCommand({ logGroupName: 'g', logStreamName: 's', logEvents: [{ timestamp: 1, message: 'm' }] })), 400, 'ResourceNotFoundException', 'The specified log stream does not exist.')
    assert.deepEqual((await logs.send(new FilterLogEventsCommand({ logGroupName: 'g' }))).events, [{ timestamp: 1, message: 'm' }])
  })
})

describe('REST with JSON (Lambda, API Gateway)', () => {
  test('refuses with type, code, message and status', async () => {
    await using server = await serveEcho({ lambda: { GetFunction: () => { throw new AwsError('ResourceNotFoundException', 404, 'Function not found: f', { Type: 'User' }) } } })
    await using lambda = disposable(new LambdaClient(server.config))
    const error = await refuses(lambda.send(new GetFunctionCommand({ FunctionName: 'f' })), 404, 'ResourceNotFoundException', 'Function not found: f')
    assert.equal((error as { Type?: string }).Type, 'User')
    await refuses(lambda.send(new ListFunctionsCommand({})), 501, 'NotImplemented', 'Lambda.ListFunctions is not implemented by Countersign.')
  })

  test('carries path, query, headers, bytes and status', async () => {
    await using server = await serveEcho({ lambda: { Invoke: ({ Payload }) => ({ StatusCode: 202, FunctionError: 'Handled', LogResult: 'bG9n', Payload }), UntagResource: {}, CreateFunction: { FunctionName: 'f', LastModified: 'x' } } })
    await using lambda = disposable(new LambdaClient(server.config))
    const answered = await lambda.send(new InvokeCommand({ FunctionName: 'arn:aws:lambda:us-east-1:000000000000:function:f', Qualifier: 'live', InvocationType: 'Event', ClientContext: 'e30=', Payload: Buffer.from('{"a":"ü"}') }))
    assert.deepEqual(server.lastInput, { FunctionName: 'arn:aws:lambda:us-east-1:000000000000:function:f', Qualifier: 'live', InvocationType: 'Event', ClientContext: 'e30=', Payload: Buffer.from('{"a":"ü"}') })
    assert.deepEqual([answered.StatusCode, answered.FunctionError, answered.LogResult, answered.Payload!.transformToString()], [202, 'Handled', 'bG9n', '{"a":"ü"}'])
    await lambda.send(new UntagResourceCommand({ Resource: 'arn:aws:lambda:us-east-1:000000000000:function:f', TagKeys: ['a b', 'c&d'] }))
    assert.deepEqual(server.lastInput, { Resource: 'arn:aws:lambda:us-east-1:000000000000:function:f', TagKeys: ['a b', 'c&d'] })
    const zip = Buffer.from([80, 75, 3, 4])
    await lambda.send(new CreateFunctionCommand({ FunctionName: 'f', Role: 'arn:aws:iam::000000000000:role/r', Code: { ZipFile: zip }, Timeout: 3, Environment: { Variables: { A_B: 'ü' } } }))
    assert.deepEqual(server.lastInput, { FunctionName: 'f', Role: 'arn:aws:iam::000000000000:role/r', Code: { ZipFile: zip }, Timeout: 3, Environment: { Variables: { A_B: 'ü' } } })
  })

  test('serves API Gateway, its documents as bytes and its times as seconds', async () => {
    const createdDate = new Date('2026-01-02T03:04:05Z')
    await using server = await serveEcho({ apigateway: { GetRestApis: { items: [{ id: 'a', name: 'n', createdDate }] }, ImportRestApi: { id: 'a' }, PutRestApi: { id: 'a' }, GetExport: { contentType: 'application/json', body: Buffer.from('{}') } } })
    await using gateway = disposable(new APIGatewayClient(server.config))
    const { items } = await gateway.send(new GetRestApisCommand({ limit: 5 }))
    assert.deepEqual(items, [{ id: 'a', name: 'n', createdDate }])
    assert.deepEqual(server.lastInput, { limit: 5 })
    await gateway.send(new ImportRestApiCommand({ body: Buffer.from('swagger: "2.0"'), failOnWarnings: true, parameters: { basepath: 'ignore' } }))
    assert.deepEqual(server.lastInput, { body: Buffer.from('swagger: "2.0"'), failOnWarnings: true, parameters: { mode: 'import', basepath: 'ignore' } })
    await gateway.send(new PutRestApiCommand({ restApiId: 'a', mode: 'merge', body: Buffer.from('{}'), parameters: { basepath: 'prepend' } }))
    assert.deepEqual(server.lastInput, { restApiId: 'a', mode: 'merge', body: Buffer.from('{}'), parameters: { basepath: 'prepend' } })
    const exported = await gateway.send(new GetExportCommand({ restApiId: 'a', stageName: 's', exportType: 'oas30' }))
    assert.deepEqual([Buffer.from(exported.body!).toString(), exported.contentType], ['{}', 'application/json'])
  })
})

function disposable<Client extends { destroy(): void }>(client: Client): Client & AsyncDisposable {
  return Object.assign(client, { [Symbol.asyncDispose]: async () => { client.destroy() } })
}
