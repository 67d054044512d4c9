// Several accounts on one server: made by the first one's root, each with its own, and blind to each other but where policies of both say so.

import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { CreateRestApiCommand, GetRestApiCommand, GetRestApisCommand } from '@aws-sdk/client-api-gateway'
import { CreateLogGroupCommand, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { CreateTableCommand, DescribeTableCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { AttachUserPolicyCommand, CreateAccessKeyCommand, CreatePolicyCommand, CreateUserCommand, DeleteUserPolicyCommand, GetPolicyCommand, GetUserCommand, ListUsersCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { AddPermissionCommand, CreateFunctionCommand, GetFunctionCommand, InvokeCommand, ListFunctionsCommand, RemovePermissionCommand, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { newAccount, policyOf } from '#test/support/accounts.ts'
import { runProgram } from '#test/support/programs.ts'
import { rawRequest, sendRaw, signRaw } from '#test/support/raw-request.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type Credentials, type TestServer } from '#test/support/server.ts'
import { zip } from '#test/support/zip.ts'

const first = '000000000000'
const second = '222222222222'
const role = (accountId: string, name: string) => `arn:aws:iam::${accountId}:role/${name}`

const countersign = (server: TestServer, args: string[], environment: NodeJS.ProcessEnv = {}) =>
  runProgram(process.execPath, [join(resolve(import.meta.dirname, '../../..'), 'src/main.ts'), ...args, '--data-dir', server.dataDir], { env: { PATH: process.env.PATH, ...environment } })

const ask = async (server: TestServer, method: string, path: string, as: Credentials | undefined, body = '') => {
  const request = rawRequest({ method, target: path, host: `127.0.0.1:${server.port}`, body })
  const { status, text } = await sendRaw(as ? signRaw(request, { credentials: as, service: 'countersign' }) : request, { port: server.port })
  return { ...JSON.parse(text) as Record<string, unknown>, status }
}

describe('countersign account', () => {
  test('is for the root of the first account alone', async (t) => {
    const server = await startServer(t)
    const other = await newAccount(server, second)
    const refused = { status: 403, code: 'AccessDenied', message: 'Only the root of the first account may see and create accounts.' }
    for (const as of [other.credentials, await server.user('admin', [{ Effect: 'Allow', Action: '*', Resource: '*' }])]) {
      for (const method of ['GET', 'POST']) assert.deepEqual(await ask(server, method, '/_countersign/accounts', as), refused)
    }
    assert.equal((await ask(server, 'POST', '/_countersign/accounts', undefined)).status, 403)
    assert.equal((await ask(server, 'POST', '/_countersign/accounts', { ...server.credentials, secretAccessKey: 'x'.repeat(40) })).status, 403)
  })

  test('refuses ids that are none or taken', async (t) => {
    const server = await startServer(t)
    const create = (body: string) => ask(server, 'POST', '/_countersign/accounts', server.credentials, body)
    assert.deepEqual(await create('{"accountId":"12"}'), { status: 400, code: 'ValidationError', message: 'accountId must be twelve digits.' })
    assert.equal((await create('{')).status, 400)
    assert.deepEqual(await create(`{"accountId":"${first}"}`), { status: 409, code: 'AccountAlreadyExists', message: `There is an account ${first} already.` })
    const { code, stderr } = await countersign(server, ['account', 'create', first])
    assert.deepEqual([code, stderr.trim()], [1, `There is an account ${first} already.`])
  })

  test('makes accounts whose root key it prints once, and lists them', async (t) => {
    const server = await startServer(t)
    const created = JSON.parse((await countersign(server, ['account', 'create', second, '--json'])).stdout) as { accountId: string, accessKeyId: string, secretAccessKey: string }
    const { Arn } = await server.clients(created).sts.send(new GetCallerIdentityCommand({}))
    assert.equal(Arn, `arn:aws:iam::${second}:root`)
    const { stdout } = await countersign(server, ['account', 'create'])
    const [, id, key, secret] = /account (\d{12});.*\nexport AWS_ACCESS_KEY_ID=(\w+)\nexport AWS_SECRET_ACCESS_KEY=(\S+)\n/.exec(stdout) ?? []
    assert.equal((await server.clients({ accessKeyId: key!, secretAccessKey: secret! }).sts.send(new GetCallerIdentityCommand({}))).Account, id)
    const listed = (await countersign(server, ['account', 'list'])).stdout
    assert.deepEqual(listed.trim().split('\n').map((line) => line.split(' ')[0]), [first, second, id!].toSorted())
    assert.ok(!listed.includes(created.secretAccessKey) && !listed.includes(created.accessKeyId))
  })
})

describe('an account', () => {
  test('sees nothing of another, and may not name it', async (t) => {
    const server = await startServer(t)
    const other = await newAccount(server, second)
    await server.iam.send(new CreateUserCommand({ UserName: 'alice' }))
    const { Policy } = await server.iam.send(new CreatePolicyCommand({ PolicyName: 'p', PolicyDocument: policyOf({ Effect: 'Allow', Action: '*', Resource: '*' }) }))
    await server.logs.send(new CreateLogGroupCommand({ logGroupName: 'group' }))
    await server.dynamodb.send(new CreateTableCommand({ TableName: 'table', BillingMode: 'PAY_PER_REQUEST', AttributeDefinitions: [{ AttributeName: 'a', AttributeType: 'S' }], KeySchema: [{ AttributeName: 'a', KeyType: 'HASH' }] }))
    const { id: restApiId } = await server.apigateway.send(new CreateRestApiCommand({ name: 'api' }))

    assert.deepEqual((await other.iam.send(new ListUsersCommand({}))).Users, [])
    assert.deepEqual((await other.logs.send(new DescribeLogGroupsCommand({}))).logGroups, [])
    assert.deepEqual((await other.dynamodb.send(new ListTablesCommand({}))).TableNames, [])
    assert.deepEqual((await other.apigateway.send(new GetRestApisCommand({}))).items ?? [], [])
    assert.deepEqual((await other.lambda.send(new ListFunctionsCommand({}))).Functions, [])

    await refuses(other.iam.send(new GetUserCommand({ UserName: 'alice' })), 404, 'NoSuchEntityException', /cannot be found/)
    await refuses(other.iam.send(new GetPolicyCommand({ PolicyArn: Policy!.Arn! })), 403, 'AccessDenied', /no resource-based policy allows the iam:GetPolicy action/)
    await other.iam.send(new CreateUserCommand({ UserName: 'bob' }))
    await refuses(other.iam.send(new AttachUserPolicyCommand({ UserName: 'bob', PolicyArn: Policy!.Arn! })), 404, 'NoSuchEntityException', /does not exist or is not attachable/)
    await refuses(other.apigateway.send(new GetRestApiCommand({ restApiId: restApiId! })), 404, 'NotFoundException', /Invalid API identifier specified/)
    await refuses(other.dynamodb.send(new DescribeTableCommand({ TableName: 'table' })), 400, 'ResourceNotFoundException', /not found/)
    await refuses(other.dynamodb.send(new DescribeTableCommand({ TableName: `arn:aws:dynamodb:us-east-1:${first}:table/table` })), 400, 'ResourceNotFoundException', /not found/)
  })

  test('has its own resources of the same names', async (t) => {
    const server = await startServer(t)
    const other = await newAccount(server, second)
    for (const { iam, logs } of [server, other]) {
      await iam.send(new CreateUserCommand({ UserName: 'alice' }))
      await logs.send(new CreateLogGroupCommand({ logGroupName: 'group' }))
    }
    const { User } = await other.iam.send(new GetUserCommand({ UserName: 'alice' }))
    assert.equal(User!.Arn, `arn:aws:iam::${second}:user/alice`)
  })

  test('reads no trace of another', async (t) => {
    const server = await startServer(t)
    const other = await newAccount(server, second)
    const { $metadata } = await server.sts.send(new GetCallerIdentityCommand({}))
    const unsigned = (await sendRaw(rawRequest({ method: 'POST', target: '/', host: `127.0.0.1:${server.port}`, headers: { 'X-Amz-Target': 'DynamoDB_20120810.ListTables' } }), { port: server.port })).headers['x-amzn-requestid']!
    for (const id of [$metadata.requestId!, unsigned]) {
      let own = await ask(server, 'GET', `/_countersign/traces/${id}`, server.credentials)
      for (let tries = 0; own.status === 404 && tries < 40; tries++) {
        await new Promise((done) => setTimeout(done, 100))
        own = await ask(server, 'GET', `/_countersign/traces/${id}`, server.credentials)
      }
      assert.equal(own.status, 200)
      assert.equal((await ask(server, 'GET', `/_countersign/traces/${id}`, other.credentials)).status, 404)
    }
  })

  test('may not reset the server', async (t) => {
    const server = await startServer(t, { settings: { ALLOW_RESET: '1' } })
    const other = await newAccount(server, second)
    assert.equal((await ask(server, 'POST', '/_countersign/reset', other.credentials)).status, 403)
    assert.equal((await ask(server, 'POST', '/_countersign/reset', server.credentials)).status, 200)
    await refuses(other.sts.send(new GetCallerIdentityCommand({})), 403, 'InvalidClientTokenId', 'The security token included in the request is invalid.')
  })
})

describe('a function of another account', () => {
  test('is invoked where its policy and the caller\'s both allow it, and nothing else is done to it', async (t) => {
    const server = await startServer(t)
    const other = await newAccount(server, second)
    const Role = await server.role('function', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }])
    const { FunctionArn } = await server.lambda.send(new CreateFunctionCommand({
      FunctionName: 'f', Runtime: 'nodejs22.x', Handler: 'index.handler', Role, Code: { ZipFile: await zip({ 'index.mjs': 'export const handler = async () => "done"' }) },
    }))
    await other.iam.send(new CreateUserCommand({ UserName: 'bob' }))
    const { AccessKey } = await other.iam.send(new CreateAccessKeyCommand({ UserName: 'bob' }))
    const bob = server.clients({ accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! })
    const invoke = () => bob.lambda.send(new InvokeCommand({ FunctionName: FunctionArn! }))
    const refusal = (lacking: string) => `User: arn:aws:iam::${second}:user/bob is not authorized to perform: lambda:InvokeFunction on resource: ${FunctionArn} because no ${lacking} policy allows the lambda:InvokeFunction action`

    await refuses(invoke(), 403, 'AccessDeniedException', refusal('identity-based'))
    await server.lambda.send(new AddPermissionCommand({ FunctionName: 'f', StatementId: 'bob', Action: 'lambda:InvokeFunction', Principal: `arn:aws:iam::${second}:user/bob` }))
    await refuses(invoke(), 403, 'AccessDeniedException', refusal('identity-based'))
    await other.iam.send(new PutUserPolicyCommand({ UserName: 'bob', PolicyName: 'p', PolicyDocument: policyOf({ Effect: 'Allow', Action: 'lambda:*', Resource: FunctionArn! }) }))
    assert.equal(Buffer.from((await invoke()).Payload!).toString(), '"done"')
    await refuses(bob.lambda.send(new GetFunctionCommand({ FunctionName: FunctionArn! })), 403, 'AccessDeniedException', /no resource-based policy allows the lambda:GetFunction action/)
    await server.lambda.send(new RemovePermissionCommand({ FunctionName: 'f', StatementId: 'bob' }))
    await refuses(invoke(), 403, 'AccessDeniedException', refusal('resource-based'))
    await server.lambda.send(new AddPermissionCommand({ FunctionName: 'f', StatementId: 'account', Action: 'lambda:InvokeFunction', Principal: second }))
    assert.equal(Buffer.from((await invoke()).Payload!).toString(), '"done"')
    await other.iam.send(new DeleteUserPolicyCommand({ UserName: 'bob', PolicyName: 'p' }))
    await refuses(invoke(), 403, 'AccessDeniedException', refusal('identity-based'))
  })

  test('cannot be given a role of yours, nor yours one of another', async (t) => {
    const server = await startServer(t)
    const other = await newAccount(server, second)
    const Role = await server.role('function', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }])
    const Code = { ZipFile: await zip({ 'index.mjs': 'export const handler = async () => 1' }) }
    await server.lambda.send(new CreateFunctionCommand({ FunctionName: 'f', Runtime: 'nodejs22.x', Handler: 'index.handler', Role, Code }))
    await assert.rejects(other.lambda.send(new CreateFunctionCommand({ FunctionName: 'g', Runtime: 'nodejs22.x', Handler: 'index.handler', Role, Code })), { name: 'AccessDeniedException' })
    await assert.rejects(server.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'f', Role: role(second, 'function') })), { name: 'AccessDeniedException' })
  })
})
