// The AWS CLI and boto3 against every protocol.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AwsError } from '#aws/errors.ts'
import { absent, aws, awsRaw, python } from '#test/support/programs.ts'
import { serveEcho } from './echo.ts'

const role = { RoleName: 'r', RoleId: 'AROAEXAMPLE', Arn: 'arn:aws:iam::000000000000:role/r', Path: '/', CreateDate: new Date('2026-01-02T03:04:05Z') }

const answers = {
  iam: { CreateRole: { Role: role }, GetUser: () => { throw new AwsError('NoSuchEntity', 404, 'The user with name a cannot be found.') } },
  sts: { GetCallerIdentity: { Account: '000000000000', Arn: 'arn:x', UserId: 'AIDA' } },
  dynamodb: { GetItem: ({ Key }: { Key: object }) => ({ Item: Key }) },
  logs: { CreateLogGroup: {}, DescribeLogGroups: { logGroups: [{ logGroupName: 'g', creationTime: 1, storedBytes: 0 }] } },
  lambda: { ListFunctions: { Functions: [{ FunctionName: 'f' }] }, Invoke: ({ Payload }: { Payload: Buffer }) => ({ StatusCode: 200, Payload }) },
  apigateway: { GetRestApis: { items: [{ id: 'a', createdDate: new Date('2026-01-02T03:04:05Z') }] }, ImportRestApi: ({ body }: { body: Buffer }) => ({ id: 'a', name: body.toString() }) },
}

test('the AWS CLI speaks to every service', { skip: absent('aws') }, async () => {
  await using server = await serveEcho(answers)
  const { env } = server
  assert.equal((await aws(env, ['sts', 'get-caller-identity'])).Account, '000000000000')
  assert.equal((await aws(env, ['iam', 'create-role', '--role-name', 'r', '--assume-role-policy-document', '{"a": "b c"}', '--tags', 'Key=k,Value=v'])).Role.RoleName, 'r')
  assert.deepEqual(server.lastInput, { RoleName: 'r', AssumeRolePolicyDocument: '{"a": "b c"}', Tags: [{ Key: 'k', Value: 'v' }] })
  assert.deepEqual((await aws(env, ['dynamodb', 'get-item', '--table-name', 'abc', '--key', '{"a":{"N":"1"}}'])).Item, { a: { N: '1' } })
  assert.equal((await aws(env, ['logs', 'describe-log-groups'])).logGroups[0].logGroupName, 'g')
  assert.equal((await aws(env, ['lambda', 'list-functions'])).Functions[0].FunctionName, 'f')
  assert.equal((await aws(env, ['apigateway', 'get-rest-apis'])).items[0].id, 'a')
  const refused = await awsRaw(env, ['iam', 'get-user', '--user-name', 'a'])
  assert.match(refused.stderr, /\(NoSuchEntity\) when calling the GetUser operation: The user with name a cannot be found\./)
  const missing = await awsRaw(env, ['dynamodb', 'list-tables'])
  assert.match(missing.stderr, /\(NotImplemented\) when calling the ListTables operation: DynamoDB\.ListTables is not implemented by Countersign\./)
  assert.equal(server.traces.filter(({ facts }) => facts.operation === 'ListTables').length, 1, 'and it does not try again')
})

test('boto3 speaks to every service', { skip: absent('boto3') }, async () => {
  await using server = await serveEcho(answers)
  const answered = await python(server.env, `
from botocore.exceptions import ClientError
import datetime
out = {}
out['account'] = client('sts').get_caller_identity()['Account']
role = client('iam').create_role(RoleName='r', AssumeRolePolicyDocument='{}')['Role']
out['created'] = role['CreateDate'].isoformat()
out['item'] = client('dynamodb').get_item(TableName='abc', Key={'a': {'B': b'\\x00\\xff'}})['Item']['a']['B'].hex()
client('logs').create_log_group(logGroupName='g')
answer = client('lambda').invoke(FunctionName='f', Payload=b'{"k": 1}')
out['payload'] = answer['Payload'].read().decode()
out['api'] = client('apigateway').import_rest_api(body=b'swagger: "2.0"', parameters={'basepath': 'prepend'})['name']
try:
    client('iam').get_user(UserName='a')
except client('iam').exceptions.NoSuchEntityException as error:
    out['code'] = error.response['Error']
try:
    client('lambda').list_layers()
except ClientError as error:
    out['status'] = error.response['ResponseMetadata']['HTTPStatusCode']
    out['attempts'] = error.response['ResponseMetadata']['RetryAttempts']
print(json.dumps(out))
`)
  assert.deepEqual(answered, {
    account: '000000000000', created: '2026-01-02T03:04:05+00:00', item: '00ff', payload: '{"k": 1}', api: 'swagger: "2.0"',
    code: { Type: 'Sender', Code: 'NoSuchEntity', Message: 'The user with name a cannot be found.' }, status: 501, attempts: 0,
  })
})
