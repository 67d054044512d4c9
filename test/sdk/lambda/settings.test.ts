// Settings of functions and accounts that do not run anything: what is kept, what is counted, what is refused by name.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  CreateFunctionCommand, DeleteFunctionCommand, GetAccountSettingsCommand, GetFunctionCodeSigningConfigCommand, GetFunctionCommand, GetFunctionConfigurationCommand, GetFunctionRecursionConfigCommand, GetRuntimeManagementConfigCommand,
  PublishLayerVersionCommand, PublishVersionCommand, PutFunctionCodeSigningConfigCommand, PutFunctionConcurrencyCommand, PutFunctionRecursionConfigCommand, PutRuntimeManagementConfigCommand, UpdateFunctionConfigurationCommand,
  type CreateFunctionCommandInput, type UpdateFunctionConfigurationCommandInput,
} from '@aws-sdk/client-lambda'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { archiveOf, deployNode, functionRole } from './deploy.ts'

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:f'
const source = 'export const handler = async () => 1'
const configure = ({ lambda }: TestServer, changes: Partial<UpdateFunctionConfigurationCommandInput>) => lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'f', ...changes }))
const look = ({ lambda }: TestServer, Qualifier?: string) => lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'f', Qualifier }))

describe('settings that are refused', () => {
  test('are those that need what is not here, by name', async (t) => {
    const server = await startServer(t)
    const code = await archiveOf({ 'index.mjs': source })
    const Role = await functionRole(server)
    const create = (changes: Partial<CreateFunctionCommandInput>) =>
      server.lambda.send(new CreateFunctionCommand({ FunctionName: 'f', Runtime: 'nodejs22.x', Handler: 'index.handler', Role, Code: { ZipFile: code }, ...changes }))
    const key = 'arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000'
    for (const [changes, name] of [
      [{ VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] } }, 'VpcConfig'], [{ KMSKeyArn: key }, 'KMSKeyArn'],
      [{ FileSystemConfigs: [{ Arn: 'arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-00000000000000000', LocalMountPath: '/mnt/a' }] }, 'FileSystemConfigs'],
      [{ ImageConfig: { Command: ['a'] } }, 'ImageConfig'], [{ PackageType: 'Image', Code: { ImageUri: 'i' } }, 'Image'], [{ Code: { S3Bucket: 'bucket', S3Key: 'k' } }, 'S3'],
      [{ CodeSigningConfigArn: 'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-00000000000000000' }, 'CodeSigningConfigArn'],
      [{ DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:q' } }, 'DeadLetterConfig of SQS'],
      [{ DeadLetterConfig: { TargetArn: 'arn:aws:sns:us-east-1:000000000000:t' } }, 'DeadLetterConfig of SNS'],
    ] as const) await refuses(create(changes as Partial<CreateFunctionCommandInput>), 501, 'NotImplemented', new RegExp(name))
    await refuses(create({ DeadLetterConfig: { TargetArn: `${arn}-absent` } }), 400, 'InvalidParameterValueException', /does not exist/)
    await refuses(create({ LoggingConfig: { LogFormat: 'Text', ApplicationLogLevel: 'DEBUG' } }), 400, 'InvalidParameterValueException',
      'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.')
    await refuses(create({ LoggingConfig: { LogFormat: 'JSON', SystemLogLevel: 'ERROR' as 'WARN' } }), 400, 'ValidationException', /at 'loggingConfig\.systemLogLevel' failed to satisfy constraint/)
    await refuses(create({ LoggingConfig: { LogGroup: 'no group' } }), 400, 'ValidationException', /at 'loggingConfig\.logGroup' failed to satisfy constraint/)
    await refuses(create({ EphemeralStorage: { Size: 511 } }), 400, 'ValidationException', /at 'ephemeralStorage\.size' failed to satisfy constraint: Member must have value greater than or equal to 512/)
    await refuses(create({ Description: 'd'.repeat(257) }), 400, 'ValidationException', /at 'description' failed to satisfy constraint: Member must have length less than or equal to 256/)
    await refuses(create({ Runtime: 'python1.5' as 'python3.9' }), 400, 'InvalidParameterValueException', /^Value python1\.5 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: \[.*\] or be a valid ARN$/)
    for (const Runtime of ['go1.x', 'java8', 'ruby2.7', 'dotnetcore3.1'] as const) {
      await refuses(create({ Runtime }), 400, 'InvalidParameterValueException', new RegExp(`^The runtime parameter of ${Runtime} is no longer supported`))
    }
    await refuses(create({ Runtime: 'nodejs8.10' }), 400, 'InvalidParameterValueException', /^Value nodejs8\.10 at 'runtime'/)
    for (const Runtime of ['java21', 'ruby3.4', 'dotnet8'] as const) await refuses(create({ Runtime }), 501, 'NotImplemented', new RegExp(Runtime))
  })

  test('and those of other functions, versions and callers', async (t) => {
    const server = await startServer(t)
    const { lambda } = server
    await refuses(lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName: 'f', RecursiveLoop: 'Allow' })), 404, 'ResourceNotFoundException', `Function not found: ${arn}`)
    await refuses(lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName: 'f' })), 404, 'ResourceNotFoundException', `Function not found: ${arn}`)
    await refuses(lambda.send(new PutFunctionCodeSigningConfigCommand({ FunctionName: 'f', CodeSigningConfigArn: 'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-00000000000000000' })), 501,
      'NotImplemented', /PutFunctionCodeSigningConfig/)
    await refuses(lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName: 'f' })), 404, 'ResourceNotFoundException', `Function not found: ${arn}`)
    await deployNode(server, 'f', source)
    await refuses(lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName: 'f', RecursiveLoop: 'Stop' as 'Allow' })), 400, 'ValidationException',
      "1 validation error detected: Value 'Stop' at 'recursiveLoop' failed to satisfy constraint: Member must satisfy enum value set: [Allow, Terminate]")
    await refuses(lambda.send(new GetRuntimeManagementConfigCommand({ FunctionName: 'f', Qualifier: '1' })), 404, 'ResourceNotFoundException', `Function not found: ${arn}:1`)
    await refuses(lambda.send(new PutRuntimeManagementConfigCommand({ FunctionName: 'f', UpdateRuntimeOn: 'Manual' })), 400, 'InvalidParameterValueException', /RuntimeVersionArn/)
    const nobody = server.clients(await server.user('nobody', [{ Effect: 'Allow', Action: 'sts:GetCallerIdentity', Resource: '*' }]))
    for (const [call, message] of [
      [new GetAccountSettingsCommand({}), 'lambda:GetAccountSettings on resource: \\* '], [new GetFunctionRecursionConfigCommand({ FunctionName: 'f' }), `lambda:GetFunctionRecursionConfig on resource: ${arn} `],
      [new PutFunctionRecursionConfigCommand({ FunctionName: 'f', RecursiveLoop: 'Allow' }), `lambda:PutFunctionRecursionConfig on resource: ${arn} `],
      [new GetRuntimeManagementConfigCommand({ FunctionName: 'f' }), `lambda:GetRuntimeManagementConfig on resource: ${arn} `],
      [new PutRuntimeManagementConfigCommand({ FunctionName: 'f', UpdateRuntimeOn: 'Auto' }), `lambda:PutRuntimeManagementConfig on resource: ${arn} `],
    ] as const) await refuses(nobody.lambda.send(call as GetAccountSettingsCommand), 403, 'AccessDeniedException', new RegExp(message))
  })
})

describe('settings that are kept', () => {
  test('are counted for the account', async (t) => {
    const server = await startServer(t)
    const usage = async () => (await server.lambda.send(new GetAccountSettingsCommand({})))
    assert.deepEqual((await usage()).AccountUsage, { FunctionCount: 0, TotalCodeSize: 0 })
    const code = await archiveOf({ 'index.mjs': source })
    await deployNode(server, 'f', source, { Publish: true })
    await deployNode(server, 'g', source)
    await server.lambda.send(new PublishLayerVersionCommand({ LayerName: 'l', Content: { ZipFile: await archiveOf({ a: 'layer' }) } }))
    const { AccountLimit, AccountUsage } = await usage()
    assert.deepEqual(AccountUsage, { FunctionCount: 2, TotalCodeSize: 3 * code.length + (await archiveOf({ a: 'layer' })).length })
    assert.deepEqual(AccountLimit, {
      TotalCodeSize: 80_530_636_800, CodeSizeUnzipped: 262_144_000, CodeSizeZipped: 52_428_800, ConcurrentExecutions: 1_000, UnreservedConcurrentExecutions: 1_000,
    })
    await server.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'f', ReservedConcurrentExecutions: 100 }))
    assert.equal((await usage()).AccountLimit!.UnreservedConcurrentExecutions, 900)
    assert.deepEqual((await server.lambda.send(new GetFunctionCommand({ FunctionName: 'f', Qualifier: '1' }))).Concurrency, { ReservedConcurrentExecutions: 100 })
    await server.lambda.send(new DeleteFunctionCommand({ FunctionName: 'f' }))
    assert.equal((await usage()).AccountLimit!.UnreservedConcurrentExecutions, 1_000)
    const elsewhere = server.clients(server.credentials, 'eu-west-1')
    assert.deepEqual((await elsewhere.lambda.send(new GetAccountSettingsCommand({}))).AccountUsage, { FunctionCount: 0, TotalCodeSize: 0 })
  })

  test('say how a function logs', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', source)
    const logging = async (LoggingConfig: UpdateFunctionConfigurationCommandInput['LoggingConfig']) => (await configure(server, { LoggingConfig })).LoggingConfig
    const LogGroup = '/aws/lambda/f'
    assert.deepEqual((await look(server)).LoggingConfig, { LogFormat: 'Text', LogGroup })
    assert.deepEqual(await logging({ LogFormat: 'JSON', SystemLogLevel: 'WARN' }), { LogFormat: 'JSON', ApplicationLogLevel: 'INFO', SystemLogLevel: 'WARN', LogGroup })
    assert.deepEqual(await logging({ ApplicationLogLevel: 'TRACE' }), { LogFormat: 'JSON', ApplicationLogLevel: 'TRACE', SystemLogLevel: 'WARN', LogGroup })
    assert.deepEqual(await logging({ LogGroup: 'own' }), { LogFormat: 'JSON', ApplicationLogLevel: 'TRACE', SystemLogLevel: 'WARN', LogGroup: 'own' })
    assert.deepEqual(await logging({ LogFormat: 'Text' }), { LogFormat: 'Text', LogGroup: 'own' })
  })

  test('name where given-up events go, until they do not', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'dead', source)
    await deployNode(server, 'f', source)
    const TargetArn = arn.replace(/f$/, 'dead')
    assert.deepEqual((await configure(server, { DeadLetterConfig: { TargetArn } })).DeadLetterConfig, { TargetArn })
    assert.deepEqual((await configure(server, { Timeout: 4 })).DeadLetterConfig, { TargetArn })
    assert.equal((await configure(server, { DeadLetterConfig: {} })).DeadLetterConfig, undefined)
  })

  test('note that there is no VPC', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', source)
    assert.equal((await look(server)).VpcConfig, undefined)
    const { VpcConfig } = await configure(server, { VpcConfig: { SubnetIds: [], SecurityGroupIds: [] } })
    assert.deepEqual(VpcConfig, { SubnetIds: [], SecurityGroupIds: [], VpcId: '', Ipv6AllowedForDualStack: false })
  })

  test('say what becomes of loops and of updates of the runtime', async (t) => {
    const server = await startServer(t)
    const { lambda } = server
    await deployNode(server, 'f', source)
    assert.equal((await lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName: 'f' }))).CodeSigningConfigArn, undefined)
    const before = await look(server)
    assert.equal((await lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName: 'f' }))).RecursiveLoop, 'Terminate')
    assert.equal((await lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName: 'f', RecursiveLoop: 'Allow' }))).RecursiveLoop, 'Allow')
    assert.equal((await lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName: 'f' }))).RecursiveLoop, 'Allow')
    const runtime = async (Qualifier?: string) => {
      const { UpdateRuntimeOn, FunctionArn, RuntimeVersionArn } = await lambda.send(new GetRuntimeManagementConfigCommand({ FunctionName: 'f', Qualifier }))
      return { UpdateRuntimeOn, FunctionArn, RuntimeVersionArn }
    }
    assert.deepEqual(await runtime(), { UpdateRuntimeOn: 'Auto', FunctionArn: arn, RuntimeVersionArn: undefined })
    await lambda.send(new PublishVersionCommand({ FunctionName: 'f' }))
    const { RuntimeVersionArn } = before.RuntimeVersionConfig!
    await lambda.send(new PutRuntimeManagementConfigCommand({ FunctionName: 'f', Qualifier: '1', UpdateRuntimeOn: 'Manual', RuntimeVersionArn }))
    await lambda.send(new PutRuntimeManagementConfigCommand({ FunctionName: 'f', UpdateRuntimeOn: 'FunctionUpdate' }))
    assert.deepEqual(await runtime('1'), { UpdateRuntimeOn: 'Manual', FunctionArn: `${arn}:1`, RuntimeVersionArn })
    assert.deepEqual(await runtime('$LATEST'), { UpdateRuntimeOn: 'FunctionUpdate', FunctionArn: arn, RuntimeVersionArn: undefined })
    await configure(server, { Timeout: 5 })
    assert.equal((await lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName: 'f' }))).RecursiveLoop, 'Allow')
  })
})
