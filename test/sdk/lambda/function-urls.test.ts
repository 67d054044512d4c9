// The settings of function URLs, and how the data plane finds them.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  AddPermissionCommand, CreateAliasCommand, CreateFunctionUrlConfigCommand, DeleteAliasCommand, DeleteFunctionUrlConfigCommand, GetFunctionUrlConfigCommand,
  GetPolicyCommand, ListFunctionUrlConfigsCommand, UpdateFunctionUrlConfigCommand, type CreateFunctionUrlConfigCommandInput,
} from '@aws-sdk/client-lambda'
import { absent, python } from '#test/support/programs.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type Clients } from '#test/support/server.ts'
import { deployNode } from './deploy.ts'
import { startLambda } from './in-process.ts'

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:f'
const source = 'export const handler = async () => 1'
const create = ({ lambda }: Pick<Clients, 'lambda'>, rest: Partial<CreateFunctionUrlConfigCommandInput> = {}) =>
  lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: 'f', AuthType: 'NONE', ...rest }))

describe('function URL settings', () => {
  test('refuse callers without the permission, or for another kind of authentication', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', source)
    const signed = server.clients(await server.user('signed', [
      { Effect: 'Allow', Action: ['lambda:CreateFunctionUrlConfig', 'lambda:UpdateFunctionUrlConfig'], Resource: arn, Condition: { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } } },
    ]))
    await refuses(create(signed), 403, 'AccessDeniedException', new RegExp(`lambda:CreateFunctionUrlConfig on resource: ${arn} `))
    await create(signed, { AuthType: 'AWS_IAM' })
    await refuses(signed.lambda.send(new UpdateFunctionUrlConfigCommand({ FunctionName: 'f', AuthType: 'NONE' })), 403, 'AccessDeniedException', /lambda:UpdateFunctionUrlConfig/)
    for (const [call, action] of [
      [new GetFunctionUrlConfigCommand({ FunctionName: 'f' }), 'GetFunctionUrlConfig'], [new ListFunctionUrlConfigsCommand({ FunctionName: 'f' }), 'ListFunctionUrlConfigs'],
      [new DeleteFunctionUrlConfigCommand({ FunctionName: 'f' }), 'DeleteFunctionUrlConfig'],
    ] as const) await refuses(signed.lambda.send(call as GetFunctionUrlConfigCommand), 403, 'AccessDeniedException', new RegExp(`lambda:${action} on resource: ${arn} `))
  })

  test('refuse what is no CORS setting', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', source)
    await refuses(create(server, { Cors: { MaxAge: 86_401 } }), 400, 'ValidationException',
      "1 validation error detected: Value '86401' at 'cors.maxAge' failed to satisfy constraint: Member must have value less than or equal to 86400")
    await refuses(create(server, { Cors: { AllowMethods: ['OPTIONS'] } }), 400, 'ValidationException', /^1 validation error detected: Value '\[OPTIONS\]' at 'cors\.allowMethods' /)
  })

  test('are kept as they were stated, for the function and for aliases', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', source, { Publish: true })
    await server.lambda.send(new CreateAliasCommand({ FunctionName: 'f', Name: 'live', FunctionVersion: '1' }))
    const Cors = { AllowOrigins: ['https://example.com'], AllowMethods: ['GET', '*'], AllowHeaders: ['x-a'], ExposeHeaders: ['x-b'], AllowCredentials: true, MaxAge: 10 }
    const made = await create(server, { Cors, InvokeMode: 'RESPONSE_STREAM' })
    assert.partialDeepStrictEqual(made, { FunctionArn: arn, AuthType: 'NONE', Cors, InvokeMode: 'RESPONSE_STREAM' })
    assert.match(made.CreationTime!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    assert.match(made.FunctionUrl!, new RegExp(`^${server.endpoint}/_aws/lambda-url/[a-z0-9]{32}/$`))
    const live = await create(server, { FunctionName: `${arn}:live`, AuthType: 'AWS_IAM' })
    assert.equal(live.FunctionArn, `${arn}:live`)
    assert.notEqual(live.FunctionUrl, made.FunctionUrl)
    const { lambda } = server
    const updated = await lambda.send(new UpdateFunctionUrlConfigCommand({ FunctionName: 'f', Cors: { AllowOrigins: ['*'] } }))
    assert.deepEqual([updated.FunctionUrl, updated.Cors, updated.AuthType], [made.FunctionUrl, { AllowOrigins: ['*'] }, 'NONE'])
    assert.equal((await lambda.send(new GetFunctionUrlConfigCommand({ FunctionName: 'f' }))).InvokeMode, 'RESPONSE_STREAM')
    assert.equal((await lambda.send(new GetFunctionUrlConfigCommand({ FunctionName: 'f', Qualifier: 'live' }))).AuthType, 'AWS_IAM')
    const first = await lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName: 'f', MaxItems: 1 }))
    const rest = await lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName: 'f', Marker: first.NextMarker }))
    assert.deepEqual([...first.FunctionUrlConfigs!, ...rest.FunctionUrlConfigs!].map(({ FunctionArn }) => FunctionArn), [arn, `${arn}:live`])
    await lambda.send(new DeleteAliasCommand({ FunctionName: 'f', Name: 'live' }))
    assert.equal((await lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName: 'f' }))).FunctionUrlConfigs!.length, 1)
    const { $metadata } = await lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName: 'f' }))
    assert.equal($metadata.httpStatusCode, 204)
    await refuses(lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName: 'f' })), 404, 'ResourceNotFoundException', 'The resource you requested does not exist.')
  })

  test('go with permissions that name the kind of authentication', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', source)
    await server.lambda.send(new AddPermissionCommand({ FunctionName: 'f', StatementId: 'url', Action: 'lambda:InvokeFunctionUrl', Principal: '*', FunctionUrlAuthType: 'NONE' }))
    const { Policy } = await server.lambda.send(new GetPolicyCommand({ FunctionName: 'f' }))
    assert.deepEqual(JSON.parse(Policy!).Statement, [{
      Sid: 'url', Effect: 'Allow', Principal: '*', Action: 'lambda:InvokeFunctionUrl', Resource: arn, Condition: { StringEquals: { 'lambda:FunctionUrlAuthType': 'NONE' } },
    }])
  })

  test('are paged by boto3', { skip: absent('boto3') }, async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', source)
    await create(server)
    assert.deepEqual(await python(server.environment(), `
found = client('lambda').get_paginator('list_function_url_configs').paginate(FunctionName='f').build_full_result()['FunctionUrlConfigs']
print(json.dumps([[config['FunctionArn'], config['InvokeMode']] for config in found]))
`), [[arn, 'BUFFERED']])
  })
})

describe('the data plane', () => {
  test('finds what answers under an address, until it changes', async (t) => {
    const { lambda, run, deploy } = await startLambda(t)
    await deploy('f', { 'index.mjs': source }, { Publish: true })
    await run('CreateAlias', { FunctionName: 'f', Name: 'live', FunctionVersion: '1' })
    const { FunctionUrl } = await run('CreateFunctionUrlConfig', { FunctionName: 'f', Qualifier: 'live', AuthType: 'NONE' })
    const urlId = FunctionUrl.split('/').at(-2)
    const find = () => lambda.urls.find(urlId)
    assert.partialDeepStrictEqual(await find(), { functionArn: arn, qualifiedArn: `${arn}:live`, qualifier: 'live', config: { urlId, authType: 'NONE', invokeMode: 'BUFFERED' } })
    assert.equal((await find())?.policy, undefined)
    await run('AddPermission', { FunctionName: 'f', Qualifier: 'live', StatementId: 's', Action: 'lambda:InvokeFunctionUrl', Principal: '*', FunctionUrlAuthType: 'NONE' })
    assert.ok((await find())?.policy)
    await run('UpdateFunctionUrlConfig', { FunctionName: 'f', Qualifier: 'live', AuthType: 'AWS_IAM' })
    assert.equal((await find())?.config.authType, 'AWS_IAM')
    assert.equal(await lambda.urls.find('another'), undefined)
    assert.equal(await lambda.urls.find('../x'), undefined)
    await run('DeleteFunction', { FunctionName: 'f' })
    assert.equal(await find(), undefined)
  })
})
