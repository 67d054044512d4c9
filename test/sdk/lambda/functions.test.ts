// Functions over the wire, with the official client: making, looking, changing, deleting.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  CreateFunctionCommand, DeleteFunctionCommand, GetFunctionCommand, GetFunctionConfigurationCommand, ListFunctionsCommand, ListTagsCommand, paginateListFunctions,
  PublishVersionCommand, TagResourceCommand, UntagResourceCommand, UpdateFunctionCodeCommand, UpdateFunctionConfigurationCommand, waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2, type CreateFunctionCommandInput,
} from '@aws-sdk/client-lambda'
import { startServer, type TestServer } from '#test/support/server.ts'
import { refuses } from '#test/support/refuses.ts'
import { answerOf, archiveOf, deployNode, functionRole } from './deploy.ts'

const account = '000000000000'
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:${account}:function:${name}`
const echo = 'export const handler = async (event) => event'
const namePattern = '(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?'

async function inputFor(server: TestServer, changes: Partial<CreateFunctionCommandInput> = {}): Promise<CreateFunctionCommandInput> {
  return {
    FunctionName: 'echo', Runtime: 'nodejs22.x', Handler: 'index.handler', Role: await functionRole(server), Code: { ZipFile: await archiveOf({ 'index.mjs': echo }) }, ...changes,
  }
}

describe('CreateFunction refuses', () => {
  test('names, roles and numbers that break the constraints, in the words of the validator', async (t) => {
    const server = await startServer(t)
    const create = async (changes: Partial<CreateFunctionCommandInput>) => server.lambda.send(new CreateFunctionCommand(await inputFor(server, changes)))
    // Observed: AWS, 25-11-2025, recorded by localstack's test_function_arns.
    await refuses(create({ FunctionName: 'invalid:function:name' }), 400, 'ValidationException',
      `1 validation error detected: Value 'invalid:function:name' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: ${namePattern}`)
    // Observed: AWS, 10-04-2024, recorded by localstack's test_function_arns, here and in the next three.
    await refuses(create({ FunctionName: 'a'.repeat(65) }), 400, 'InvalidParameterValueException',
      `1 validation error detected: Value '${'a'.repeat(65)}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64`)
    const arn = 'arn:aws:lambda:us-east-1:000000000000:function:'
    const long = arn.padEnd(141, 'a')
    await refuses(create({ FunctionName: long }), 400, 'ValidationException',
      `1 validation error detected: Value '${long}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 140`)
    await refuses(create({ FunctionName: arn.replace('us-east-1', 'ap-southeast-1') + 'f' }), 404, 'ResourceNotFoundException', "Functions from 'ap-southeast-1' are not reachable in this region ('us-east-1')")
    // The client's own word where it is told none.
    await refuses(create({ FunctionName: arn.replace('000000000000', '123456789012') + 'f' }), 403, 'AccessDeniedException', 'UnknownError')
    // Observed: AWS, 12-01-2026, recorded by localstack's test_create_lambda_exceptions.
    await refuses(create({ Role: 'r1' }), 400, 'ValidationException',
      "1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+")
    await refuses(create({ Timeout: 901 }), 400, 'ValidationException', /'901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900/)
    await refuses(create({ Timeout: 0 }), 400, 'ValidationException', /'0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1/)
    await refuses(create({ MemorySize: 127 }), 400, 'ValidationException', /'127' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128/)
    await refuses(create({ MemorySize: 10_241 }), 400, 'InvalidParameterValueException', "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 10240")
    await refuses(create({ EphemeralStorage: { Size: 511 } }), 400, 'ValidationException', /'511' at 'ephemeralStorage.size' failed to satisfy constraint: Member must have value greater than or equal to 512/)
  })

  test('runtimes that are none, and missing runtimes and handlers', async (t) => {
    const server = await startServer(t)
    const create = async (changes: Partial<CreateFunctionCommandInput>) => server.lambda.send(new CreateFunctionCommand(await inputFor(server, changes)))
    const error = await refuses(create({ Runtime: 'non-existent-runtime' as 'nodejs22.x' }), 400, 'InvalidParameterValueException',
      /^Value non-existent-runtime at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: \[nodejs20.x, .*\] or be a valid ARN$/)
    assert.equal((error as { Type?: string }).Type, 'User')
    await refuses(create({ Runtime: 'java21' }), 501, 'NotImplemented', /java21/)
    await refuses(create({ Handler: undefined }), 400, 'InvalidParameterValueException', 'Runtime and Handler are mandatory parameters for functions created with deployment packages.')
  })

  test('a role that Lambda may not assume', async (t) => {
    const server = await startServer(t)
    const message = 'The role defined for the function cannot be assumed by Lambda.'
    const other = await server.role('other', 'apigateway.amazonaws.com', [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }])
    for (const Role of [other, `arn:aws:iam::${account}:role/absent`]) {
      await refuses(server.lambda.send(new CreateFunctionCommand(await inputFor(server, { Role }))), 400, 'InvalidParameterValueException', message)
    }
  })

  test('a caller who may not pass the role', async (t) => {
    const server = await startServer(t)
    const Role = await functionRole(server)
    const create = { Effect: 'Allow', Action: 'lambda:*', Resource: '*' }
    const passTo = (service: string) => ({ Effect: 'Allow', Action: 'iam:PassRole', Resource: Role, Condition: { StringEquals: { 'iam:PassedToService': service } } })
    const one = server.clients(await server.user('one', [create]))
    await refuses(one.lambda.send(new CreateFunctionCommand(await inputFor(server))), 403, 'AccessDeniedException',
      `User: arn:aws:iam::${account}:user/one is not authorized to perform: iam:PassRole on resource: ${Role} because no identity-based policy allows the iam:PassRole action`)
    const two = server.clients(await server.user('two', [create, passTo('ec2.amazonaws.com')]))
    await refuses(two.lambda.send(new CreateFunctionCommand(await inputFor(server))), 403, 'AccessDeniedException', /iam:PassRole/)
    const three = server.clients(await server.user('three', [create, passTo('lambda.amazonaws.com')]))
    await three.lambda.send(new CreateFunctionCommand(await inputFor(server)))
  })

  test('environment variables that are reserved or too large', async (t) => {
    const server = await startServer(t)
    const create = async (Variables: Record<string, string>) => server.lambda.send(new CreateFunctionCommand(await inputFor(server, { Environment: { Variables } })))
    await refuses(create({ AWS_REGION: 'x', OWN: 'y' }), 400, 'InvalidParameterValueException',
      'Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION')
    // Observed: AWS, 25-11-2025, recorded by localstack's test_large_environment_variables_fails.
    const large = { LARGE_VAR: 'x'.repeat(4096) }
    await refuses(create(large), 400, 'InvalidParameterValueException',
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${JSON.stringify(large)}`)
    await create({ FITS: 'x'.repeat(4096 - JSON.stringify({ FITS: '' }).length) })
  })

  test('what is no archive, and code that is nowhere', async (t) => {
    const server = await startServer(t)
    const create = async (Code: CreateFunctionCommandInput['Code']) => server.lambda.send(new CreateFunctionCommand(await inputFor(server, { Code })))
    // Observed: AWS, 12-01-2026, recorded by localstack's test_create_lambda_exceptions.
    await refuses(create({ ZipFile: Buffer.from('this is not a zip') }), 400, 'InvalidParameterValueException', 'Could not unzip uploaded file. Please check your file, then try to upload again.')
    await refuses(create({ ZipFile: await archiveOf({}) }), 400, 'InvalidParameterValueException', 'Uploaded file must be a non-empty zip')
    // Observed: AWS, 10-04-2024, recorded by localstack's test_oversized_zipped_create_lambda: without a Type.
    const { Type } = await refuses(create({ ZipFile: Buffer.alloc(52_428_801) }), 413, 'RequestEntityTooLargeException', 'Zipped size must be smaller than 52428800 bytes') as { Type?: string }
    assert.equal(Type, undefined)
    await refuses(create({}), 400, 'InvalidParameterValueException', 'Please provide a source for function code.')
    await refuses(create({ S3Bucket: 'bucket', S3Key: 'key' }), 501, 'NotImplemented', /code from S3/)
  })

  test('what would be kept without being honoured', async (t) => {
    const server = await startServer(t)
    const create = async (changes: Partial<CreateFunctionCommandInput>) => server.lambda.send(new CreateFunctionCommand(await inputFor(server, changes)))
    await refuses(create({ VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] } }), 501, 'NotImplemented', /VpcConfig/)
    await refuses(create({ DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:q' } }), 501, 'NotImplemented', /DeadLetterConfig/)
    await create({ VpcConfig: { SubnetIds: [], SecurityGroupIds: [] }, SnapStart: { ApplyOn: 'None' } })
  })

  test('a name that is taken', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'echo', echo)
    await refuses(deployNode(server, 'echo', echo), 409, 'ResourceConflictException', 'Function already exist: echo')
  })
})

describe('functions', () => {
  test('that are missing are refused in the same words everywhere', async (t) => {
    const { lambda } = await startServer(t)
    const FunctionName = 'absent'
    for (const call of [
      () => lambda.send(new GetFunctionCommand({ FunctionName })), () => lambda.send(new GetFunctionConfigurationCommand({ FunctionName })),
      () => lambda.send(new DeleteFunctionCommand({ FunctionName })), () => lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 4 })),
      () => lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: Buffer.from('x') })), () => lambda.send(new PublishVersionCommand({ FunctionName })), () => lambda.send(new ListTagsCommand({ Resource: arnOf(FunctionName) })),
    ]) await refuses(call(), 404, 'ResourceNotFoundException', `Function not found: ${arnOf('absent')}`)
    // Observed: AWS, 25-11-2025, recorded by localstack's test_get_function_wrong_region.
    await refuses(lambda.send(new GetFunctionCommand({ FunctionName: `arn:aws:lambda:eu-west-1:${account}:function:absent` })), 404, 'ResourceNotFoundException',
      "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')")
  })

  test('have qualifiers only as far as there are versions', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'echo', echo)
    const { lambda } = server
    const get = (FunctionName: string, Qualifier?: string) => lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier }))
    assert.equal((await get('echo', '$LATEST')).FunctionArn, `${arnOf('echo')}:$LATEST`)
    await refuses(get('echo', '1'), 404, 'ResourceNotFoundException', `Function not found: ${arnOf('echo')}:1`)
    // Observed: AWS, 25-11-2025, recorded by localstack's test_ops_with_arn_qualifier_mismatch.
    await refuses(get(`${arnOf('echo')}:$LATEST`, '1'), 400, 'InvalidParameterValueException', 'The derived qualifier from the function name does not match the specified qualifier.')
    await refuses(lambda.send(new DeleteFunctionCommand({ FunctionName: 'echo', Qualifier: '$LATEST' })), 400, 'InvalidParameterValueException',
      '$LATEST version cannot be deleted without deleting the function.')
  })

  test('are described as AWS does: while they are made, and afterwards', async (t) => {
    const server = await startServer(t)
    const ZipFile = await archiveOf({ 'index.mjs': echo })
    const { $metadata, ...created } = await server.lambda.send(new CreateFunctionCommand(await inputFor(server, {
      Code: { ZipFile }, Description: 'answers', Timeout: 5, MemorySize: 256, Environment: { Variables: { AA: 'b' } }, Tags: { team: 'one' },
    })))
    assert.equal($metadata.httpStatusCode, 201)
    const { LastModified, RevisionId, RuntimeVersionConfig, ...rest } = created
    assert.match(LastModified!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/)
    assert.match(RevisionId!, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    assert.match(RuntimeVersionConfig!.RuntimeVersionArn!, /^arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}$/)
    // Observed: AWS, 25-11-2025, recorded by localstack's test_lambda_invoke_with_timeout.
    assert.deepEqual(rest, {
      FunctionName: 'echo', FunctionArn: arnOf('echo'), Runtime: 'nodejs22.x', Role: `arn:aws:iam::${account}:role/function`, Handler: 'index.handler',
      CodeSize: ZipFile.length, CodeSha256: createHash('sha256').update(ZipFile).digest('base64'), Description: 'answers', Timeout: 5, MemorySize: 256, Version: '$LATEST',
      Environment: { Variables: { AA: 'b' } }, TracingConfig: { Mode: 'PassThrough' }, PackageType: 'Zip', Architectures: ['x86_64'], EphemeralStorage: { Size: 512 },
      SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' }, LoggingConfig: { LogFormat: 'Text', LogGroup: '/aws/lambda/echo' },
      State: 'Pending', StateReason: 'The function is being created.', StateReasonCode: 'Creating',
    })
    await waitUntilFunctionActiveV2({ client: server.lambda, maxWaitTime: 10 }, { FunctionName: 'echo' })
    const { Configuration, Code, Tags } = await server.lambda.send(new GetFunctionCommand({ FunctionName: arnOf('echo') }))
    assert.deepEqual(Tags, { team: 'one' })
    assert.equal(Configuration!.State, 'Active')
    assert.equal(Configuration!.LastUpdateStatus, 'Successful')
    assert.equal(Configuration!.StateReason, undefined)
    assert.equal(Code!.RepositoryType, 'S3')
    const downloaded = await fetch(Code!.Location!)
    assert.deepEqual(Buffer.from(await downloaded.arrayBuffer()), ZipFile)
    assert.equal((await fetch(`${Code!.Location!.slice(0, -2)}xx`)).status, 403)
  })

  test('are named by name, partial ARN and ARN', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'echo', echo)
    for (const FunctionName of ['echo', 'function:echo', `${account}:function:echo`, `${account}:echo`, arnOf('echo'), 'echo:$LATEST']) {
      assert.equal((await server.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))).FunctionName, 'echo', FunctionName)
    }
  })

  test('are listed in pages, without states', async (t) => {
    const server = await startServer(t)
    for (const name of ['c', 'a', 'b']) await deployNode(server, name, echo)
    const first = await server.lambda.send(new ListFunctionsCommand({ MaxItems: 2 }))
    assert.deepEqual(first.Functions!.map(({ FunctionName }) => FunctionName), ['a', 'b'])
    assert.equal(first.Functions![0]!.State, undefined)
    assert.equal(first.Functions![0]!.RuntimeVersionConfig, undefined)
    const names: string[] = []
    for await (const page of paginateListFunctions({ client: server.lambda, pageSize: 1 }, { FunctionVersion: 'ALL' })) names.push(...page.Functions!.map(({ FunctionArn }) => FunctionArn!))
    assert.deepEqual(names, ['a', 'b', 'c'].map((name) => `${arnOf(name)}:$LATEST`))
    const elsewhere = server.clients(server.credentials, 'eu-west-1')
    assert.deepEqual((await elsewhere.lambda.send(new ListFunctionsCommand({}))).Functions, [])
  })

  test('take new code, and the next invocation runs it', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', 'export const handler = async () => 1')
    const before = await server.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'f' }))
    assert.equal(await answerOf(server, 'f'), 1)
    const ZipFile = await archiveOf({ 'index.mjs': 'export const handler = async () => 2' })
    const revision = { FunctionName: 'f', RevisionId: '00000000-0000-0000-0000-000000000000' }
    await refuses(server.lambda.send(new UpdateFunctionCodeCommand({ ...revision, ZipFile })), 412, 'PreconditionFailedException',
      'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id')
    // Observed: AWS, 25-11-2025, recorded by localstack's test_lambda_zip_file_to_image.
    await refuses(server.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ImageUri: 'x' })), 400, 'InvalidParameterValueException',
      "Please don't provide ImageUri when updating a function with packageType Zip.")
    const dry = await server.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile, DryRun: true }))
    assert.notEqual(dry.CodeSha256, before.CodeSha256)
    assert.equal(await answerOf(server, 'f'), 1)
    const updated = await server.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile, RevisionId: before.RevisionId }))
    assert.equal(updated.LastUpdateStatus, 'InProgress')
    assert.equal(updated.LastUpdateStatusReasonCode, 'Creating')
    assert.notEqual(updated.RevisionId, before.RevisionId)
    await waitUntilFunctionUpdatedV2({ client: server.lambda, maxWaitTime: 10 }, { FunctionName: 'f' })
    assert.equal(await answerOf(server, 'f'), 2)
  })

  test('take new settings, which leave the others as they are', async (t) => {
    const server = await startServer(t)
    const source = 'export const handler = async () => ({ a: process.env.AA, memory: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE })\nexport const other = async () => "other"'
    await deployNode(server, 'f', source, { Environment: { Variables: { AA: '1' } }, Description: 'd' })
    assert.deepEqual(await answerOf(server, 'f'), { a: '1', memory: '128' })
    const updated = await server.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'f', MemorySize: 192, Timeout: 7 }))
    assert.deepEqual([updated.MemorySize, updated.Timeout, updated.Description, updated.Environment?.Variables], [192, 7, 'd', { AA: '1' }])
    assert.deepEqual(await answerOf(server, 'f'), { a: '1', memory: '192' })
    await server.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'f', Environment: { Variables: { AA: '2' } } }))
    assert.equal((await answerOf(server, 'f')).a, '2')
    await server.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'f', Handler: 'index.other' }))
    assert.equal(await answerOf(server, 'f'), 'other')
  })

  test('are deleted, and a new one of the same name is another', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', 'export const handler = async () => "old"')
    assert.equal(await answerOf(server, 'f'), 'old')
    const { $metadata } = await server.lambda.send(new DeleteFunctionCommand({ FunctionName: 'f' }))
    assert.equal($metadata.httpStatusCode, 204)
    await refuses(answerOf(server, 'f'), 404, 'ResourceNotFoundException', `Function not found: ${arnOf('f')}`)
    await deployNode(server, 'f', 'export const handler = async () => "new"')
    assert.equal(await answerOf(server, 'f'), 'new')
  })

  test('keep their environment variables sealed', async (t) => {
    const server = await startServer(t)
    const secret = 'a-value-that-nobody-else-would-write'
    await deployNode(server, 'f', 'export const handler = async () => process.env.SECRET', { Environment: { Variables: { SECRET: secret } } })
    assert.equal(await answerOf(server, 'f'), secret)
    const { readFileSync, readdirSync } = await import('node:fs')
    for (const name of readdirSync(server.dataDir).filter((file) => file.startsWith('core.db'))) {
      assert.equal(readFileSync(`${server.dataDir}/${name}`).includes(secret), false, name)
    }
  })

  test('have tags', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', echo, { Tags: { a: '1', b: '2' } })
    const Resource = arnOf('f')
    // Observed: AWS, 25-11-2025, recorded by localstack's test_tag_limits.
    await refuses(server.lambda.send(new TagResourceCommand({ Resource, Tags: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`k${at}`, 'v'])) })), 400,
      'InvalidParameterValueException', 'Number of tags exceeds resource tag limit.')
    await refuses(server.lambda.send(new TagResourceCommand({ Resource, Tags: Object.fromEntries(Array.from({ length: 49 }, (_, at) => [`k${at}`, 'v'])) })), 400,
      'InvalidParameterValueException', 'Number of tags exceeds resource tag limit.')
    await refuses(server.lambda.send(new TagResourceCommand({ Resource: 'arn:aws:lambda:us-east-1:000000000000:event-source-mapping:8e5a6a8e-0d9e-4c7c-9f0e-3a1d5a0f7f11', Tags: { a: 'b' } })), 501,
      'NotImplemented', 'Lambda.TagResource for a resource of the type event-source-mapping is not implemented by Countersign.')
    await server.lambda.send(new TagResourceCommand({ Resource, Tags: { b: '3', c: '4' } }))
    await server.lambda.send(new UntagResourceCommand({ Resource, TagKeys: ['a'] }))
    assert.deepEqual((await server.lambda.send(new ListTagsCommand({ Resource }))).Tags, { b: '3', c: '4' })
  })
})
