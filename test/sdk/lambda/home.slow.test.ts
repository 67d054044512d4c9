// SDK calls of functions: they need no package, end at this server, and may do what the execution role may.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { CreateTableCommand } from '@aws-sdk/client-dynamodb'
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { keptDirectory } from '#test/support/kept-directory.ts'
import { descendants, startProcess } from '#test/support/process.ts'
import { absent } from '#test/support/programs.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { answerOf, archiveOf, deployNode, deployPython, invoke } from './deploy.ts'

const account = '000000000000'

const makeTable = (server: TestServer) => server.dynamodb.send(new CreateTableCommand({
  TableName: 'items', BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
}))

const writing = `
const client = DynamoDBDocumentClient.from(new DynamoDBClient({}))
const run = async ({ id }) => {
  await client.send(new PutCommand({ TableName: 'items', Item: { id, size: 3 } }))
  return (await client.send(new GetCommand({ TableName: 'items', Key: { id } }))).Item
}`

describe('a Node function', () => {
  test('imports and requires the SDK without packaging it', async (t) => {
    const server = await startServer(t)
    await makeTable(server)
    await deployNode(server, 'esm', `import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
${writing}
export const handler = run`, { Timeout: 20 })
    await deployNode(server, 'cjs', { 'index.js': `const { DynamoDBClient } = require('@aws-sdk/client-dynamodb')
const { DynamoDBDocumentClient, GetCommand, PutCommand } = require('@aws-sdk/lib-dynamodb')
${writing}
exports.handler = run` }, { Timeout: 20 })
    for (const name of ['esm', 'cjs']) assert.deepEqual(await answerOf(server, name, { id: name }), { id: name, size: 3 })
    await deployNode(server, 'all', `export const handler = async (names) => Promise.all(names.map(async (name) => Object.keys(await import('@aws-sdk/client-' + name)).length > 5))`, { Timeout: 20 })
    assert.deepEqual(await answerOf(server, 'all', ['lambda', 'sts', 'iam', 'cloudwatch-logs', 'api-gateway']), [true, true, true, true, true])
  })

  test('uses the SDK that it brought, and finds nothing else of this program', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'own', {
      'index.mjs': `import { mark } from '@aws-sdk/client-dynamodb'
export const handler = async () => [mark, await import('pg').then(() => 'found', (error) => error.code)]`,
      'node_modules/@aws-sdk/client-dynamodb/package.json': '{"name":"@aws-sdk/client-dynamodb","type":"module","main":"index.js"}',
      'node_modules/@aws-sdk/client-dynamodb/index.js': 'export const mark = "own"',
    })
    assert.deepEqual(await answerOf(server, 'own'), ['own', 'ERR_MODULE_NOT_FOUND'])
  })

  test('acts in its role, and may do no more than the role', async (t) => {
    const server = await startServer(t)
    await makeTable(server)
    const Role = await server.role('reader', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: '*' }])
    await deployNode(server, 'reads', `import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
const client = new DynamoDBClient({ maxAttempts: 1 })
const Key = { id: { S: 'a' } }
export const handler = async () => {
  await client.send(new GetItemCommand({ TableName: 'items', Key }))
  const refused = await client.send(new PutItemCommand({ TableName: 'items', Item: Key })).catch(({ name, message }) => [name, message])
  return { refused, who: (await new STSClient({}).send(new GetCallerIdentityCommand({}))).Arn }
}`, { Role, Timeout: 20 })
    const who = `arn:aws:sts::${account}:assumed-role/reader/reads`
    assert.deepEqual(await answerOf(server, 'reads'), {
      who,
      refused: ['AccessDeniedException', `User: ${who} is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:${account}:table/items because no identity-based policy allows the dynamodb:PutItem action`],
    })
  })
})

describe('a Python function', { skip: absent('boto3') }, () => {
  test('calls this server with boto3, in its own region and in another that it names', async (t) => {
    const server = await startServer(t)
    await makeTable(server)
    await deployPython(server, 'lists', [
      'import boto3', 'here = boto3.client("dynamodb")', 'there = boto3.client("dynamodb", region_name="eu-west-1")',
      'def lambda_handler(event, context): return [here.list_tables()["TableNames"], there.list_tables()["TableNames"], boto3.client("sts").get_caller_identity()["Arn"]]',
    ].join('\n'), { Timeout: 30 })
    assert.deepEqual(await answerOf(server, 'lists'), [['items'], [], `arn:aws:sts::${account}:assumed-role/function/lists`])
  })
})

test('a botocore too old to read AWS_ENDPOINT_URL gets the endpoint all the same; a newer one is left alone', { skip: absent('python3') }, async (t) => {
  const server = await startServer(t)
  // The part of botocore that decides where calls go, with the signature that it has had since 2014.
  const botocore = (version: string) => ({
    'botocore/__init__.py': `__version__ = "${version}"`,
    'botocore/session.py': [
      'class Session:', '    def create_client(self, service_name, region_name=None, api_version=None, use_ssl=True, verify=None, endpoint_url=None):',
      '        return [service_name, region_name, endpoint_url]',
    ].join('\n'),
    'lambda_function.py': [
      'import os', 'from botocore.session import Session', 'session = Session()', 'os.environ["AWS_ENDPOINT_URL_API_GATEWAY"] = "http://own"',
      'def lambda_handler(event, context):',
      '    return [session.create_client("dynamodb", region_name="eu-west-1"), session.create_client("sts", endpoint_url="http://mine"), session.create_client("api-gateway"), session.create_client("s3", None, None, True, None, "http://p")]',
    ].join('\n'),
  })
  await deployPython(server, 'old', botocore('1.29.27'))
  assert.deepEqual(await answerOf(server, 'old'), [['dynamodb', 'eu-west-1', server.endpoint], ['sts', null, 'http://mine'], ['api-gateway', null, 'http://own'], ['s3', null, 'http://p']])
  await deployPython(server, 'new', botocore('1.31.0'))
  assert.deepEqual((await answerOf(server, 'new'))[0], ['dynamodb', 'eu-west-1', null])
})

test('no connection of a function leaves loopback', { skip: absent('strace') || absent('boto3') }, async (t) => {
  const dataDir = keptDirectory()
  const trace = join(dataDir, 'connects')
  const server = await startProcess({ dataDir, under: ['strace', '-f', '-qq', '-e', 'trace=connect,sendto', '-e', 'signal=none', '-o', trace] })
  const [traced] = descendants(server.child.pid!)
  // strace itself would let go of what it watches.
  t.after(() => { if (server.child.exitCode === null) process.kill(traced!, 'SIGKILL') })
  const config = { endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials, maxAttempts: 1 }
  const [iam, lambda] = [new IAMClient(config), new LambdaClient(config)]
  const { Role } = await iam.send(new CreateRoleCommand({
    RoleName: 'r', AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] }),
  }))
  await iam.send(new PutRolePolicyCommand({ RoleName: 'r', PolicyName: 'p', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'dynamodb:*', Resource: '*' }] }) }))
  const create = async (FunctionName: string, Runtime: 'nodejs22.x' | 'python3.11', Handler: string, files: Record<string, string>) =>
    lambda.send(new CreateFunctionCommand({ FunctionName, Runtime, Handler, Role: Role!.Arn, Timeout: 60, Code: { ZipFile: await archiveOf(files) } }))
  await create('node', 'nodejs22.x', 'index.handler', { 'index.mjs': `import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb'
export const handler = async () => [await new DynamoDBClient({}).send(new ListTablesCommand({})), await new DynamoDBClient({ region: 'eu-west-1' }).send(new ListTablesCommand({}))].map(({ TableNames }) => TableNames)` })
  await create('python', 'python3.11', 'a.run', { 'a.py': 'import boto3\ndef run(event, context): return [boto3.client("dynamodb", **more).list_tables()["TableNames"] for more in ({}, {"region_name": "eu-west-1"})]' })
  for (const name of ['node', 'python']) {
    const { payload, functionError, log } = await invoke({ lambda }, name)
    assert.equal(functionError, undefined, log)
    assert.deepEqual(payload, [[], []])
  }
  for (const client of [iam, lambda]) client.destroy()
  process.kill(traced!, 'SIGTERM')
  await server.ended
  const calls = readFileSync(trace, 'utf8').split('\n').filter((line) => /sa_family=AF_INET/.test(line))
  assert.ok(calls.some((line) => line.includes('127.0.0.1')), 'the calls were seen')
  assert.deepEqual(calls.filter((line) => !/127\.0\.0\.1|"::1"/.test(line)), [])
})
