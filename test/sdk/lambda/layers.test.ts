// Layers: published, shared, and found by functions below `/opt`.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  AddLayerVersionPermissionCommand, CreateFunctionCommand, DeleteFunctionCommand, DeleteLayerVersionCommand, GetFunctionConfigurationCommand, GetLayerVersionByArnCommand,
  GetLayerVersionCommand, GetLayerVersionPolicyCommand, ListLayersCommand, ListLayerVersionsCommand, PublishLayerVersionCommand, PublishVersionCommand,
  RemoveLayerVersionPermissionCommand, UpdateFunctionConfigurationCommand, type CreateFunctionCommandInput, type PublishLayerVersionCommandInput,
} from '@aws-sdk/client-lambda'
import { checkTotalSize } from '#services/lambda/layer-uses.ts'
import { newAccount } from '#test/support/accounts.ts'
import { absent, python } from '#test/support/programs.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type Clients, type TestServer } from '#test/support/server.ts'
import { answerOf, archiveOf, deployNode, deployPython } from './deploy.ts'

const prefix = 'arn:aws:lambda:us-east-1:000000000000:layer'

const publish = async ({ lambda }: Pick<Clients, 'lambda'>, LayerName: string, files: Record<string, string>, rest: Partial<PublishLayerVersionCommandInput> = {}) =>
  lambda.send(new PublishLayerVersionCommand({ LayerName, Content: { ZipFile: await archiveOf(files) }, ...rest }))

const reading = `
import { readFileSync } from 'node:fs'
export const handler = async (names) => Object.fromEntries(names.map((name) => {
  try { return [name, readFileSync('/opt/' + name, 'utf8')] } catch (error) { return [name, error.code] }
}))`

describe('layers refuse', () => {
  test('what is no archive, and what lies in S3', async (t) => {
    const { lambda } = await startServer(t)
    const send = (Content: PublishLayerVersionCommandInput['Content'], rest: object = {}) => lambda.send(new PublishLayerVersionCommand({ LayerName: 'l', Content, ...rest }))
    await refuses(send({ ZipFile: Buffer.from('no archive') }), 400, 'InvalidParameterValueException', 'Could not unzip uploaded file. Please check your file, then try to upload again.')
    await refuses(send({}), 400, 'InvalidParameterValueException', /source/)
    await refuses(send({ S3Bucket: 'bucket', S3Key: 'key' }), 501, 'NotImplemented', /S3/)
    await refuses(send({ ZipFile: await archiveOf({ a: 'b' }) }, { CompatibleRuntimes: ['invalidruntime'] }), 400, 'ValidationException',
      /^1 validation error detected: Value '\[invalidruntime\]' at 'compatibleRuntimes' failed to satisfy constraint: Member must satisfy enum value set: \[/)
    await refuses(lambda.send(new ListLayersCommand({ CompatibleRuntime: 'runtimedoesnotexist' as 'nodejs' })), 400, 'ValidationException', /^1 validation error detected: Value 'runtimedoesnotexist' at 'compatibleRuntime' /)
    await refuses(lambda.send(new ListLayersCommand({ CompatibleArchitecture: 'archdoesnotexist' as 'arm64' })), 400, 'ValidationException',
      "1 validation error detected: Value 'archdoesnotexist' at 'compatibleArchitecture' failed to satisfy constraint: Member must satisfy enum value set: [x86_64, arm64]")
  })

  test('callers without the permission, for functions too', async (t) => {
    const server = await startServer(t)
    await publish(server, 'l', { a: 'a' })
    await deployNode(server, 'f', reading)
    const user = server.clients(await server.user('user', [{ Effect: 'Allow', Action: ['lambda:UpdateFunctionConfiguration'], Resource: '*' }]))
    const on = { LayerName: 'l', VersionNumber: 1 }
    for (const [call, message] of [
      [new PublishLayerVersionCommand({ LayerName: 'l', Content: { ZipFile: await archiveOf({ a: 'b' }) } }), `lambda:PublishLayerVersion on resource: ${prefix}:l `],
      [new GetLayerVersionCommand(on), `lambda:GetLayerVersion on resource: ${prefix}:l:1 `], [new GetLayerVersionByArnCommand({ Arn: `${prefix}:l:1` }), `lambda:GetLayerVersion on resource: ${prefix}:l:1 `],
      [new ListLayersCommand({}), 'lambda:ListLayers on resource: * '], [new ListLayerVersionsCommand({ LayerName: 'l' }), 'lambda:ListLayerVersions on resource: * '],
      [new DeleteLayerVersionCommand(on), `lambda:DeleteLayerVersion on resource: ${prefix}:l:1 `], [new GetLayerVersionPolicyCommand(on), `lambda:GetLayerVersionPolicy on resource: ${prefix}:l:1 `],
      [new AddLayerVersionPermissionCommand({ ...on, StatementId: 's', Action: 'lambda:GetLayerVersion', Principal: '*' }), `lambda:AddLayerVersionPermission on resource: ${prefix}:l:1 `],
      [new RemoveLayerVersionPermissionCommand({ ...on, StatementId: 's' }), `lambda:RemoveLayerVersionPermission on resource: ${prefix}:l:1 `],
      [new UpdateFunctionConfigurationCommand({ FunctionName: 'f', Layers: [`${prefix}:l:1`] }), `lambda:GetLayerVersion on resource: ${prefix}:l:1 `],
    ] as const) await refuses(user.lambda.send(call as GetLayerVersionCommand), 403, 'AccessDeniedException', new RegExp(message.replaceAll('*', '\\*')))
  })

  test('more than 250 MB together with the code', () => {
    const layer = { arn: `${prefix}:l:1`, codeSha256: 'aa', codeBytes: 1, unzippedBytes: 262_144_000 - 100 }
    checkTotalSize(100, [layer])
    assert.throws(() => { checkTotalSize(101, [layer]) }, {
      code: 'InvalidParameterValueException', message: 'Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is 262144001 bytes.',
    })
  })
})

describe('layers', () => {
  // Only level A has a view of its own, in which layers lie at /opt itself.
  test('lie one over the other at /opt, also for versions', { skip: absent('bwrap') }, async (t) => {
    const server = await startServer(t)
    await publish(server, 'lower', { 'both.txt': 'lower', 'lower.txt': 'lower' })
    await publish(server, 'upper', { 'both.txt': 'upper', 'deep/upper.txt': 'upper' })
    const Layers = [`${prefix}:lower:1`, `${prefix}:upper:1`]
    const made = await deployNode(server, 'f', reading, { Layers, Publish: true })
    assert.deepEqual(made.Layers?.map(({ Arn }) => Arn), Layers)
    assert.equal(made.Layers?.[0]?.CodeSize, (await archiveOf({ 'both.txt': 'lower', 'lower.txt': 'lower' })).length)
    const names = ['both.txt', 'lower.txt', 'deep/upper.txt']
    assert.deepEqual(await answerOf(server, 'f', names), { 'both.txt': 'upper', 'lower.txt': 'lower', 'deep/upper.txt': 'upper' })
    await server.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'f', Layers: Layers.toReversed() }))
    assert.equal((await answerOf(server, 'f', names))['both.txt'], 'lower')
    assert.equal((await answerOf(server, 'f:1', names))['both.txt'], 'upper')
    const { Layers: none } = await server.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'f', Layers: [] }))
    assert.equal(none, undefined)
    assert.equal((await answerOf(server, 'f', names))['both.txt'], 'ENOENT')
    assert.equal((await server.lambda.send(new PublishVersionCommand({ FunctionName: 'f' }))).Version, '2')
  })

  test('bring modules to Node', async (t) => {
    const server = await startServer(t)
    await publish(server, 'modules', { 'nodejs/node_modules/greet/index.js': "module.exports = () => 'hello from node'" })
    await deployNode(server, 'f', { 'index.js': "const greet = require('greet')\nexports.handler = async () => greet()" }, { Layers: [`${prefix}:modules:1`] })
    assert.equal(await answerOf(server, 'f'), 'hello from node')
  })

  test('bring modules to Python', { skip: absent('python3') }, async (t) => {
    const server = await startServer(t)
    await publish(server, 'modules', { 'python/greet.py': "def greet():\n    return 'hello from python'\n" })
    await deployPython(server, 'f', 'from greet import greet\ndef lambda_handler(event, context):\n    return greet()\n', { Layers: [`${prefix}:modules:1`] })
    assert.equal(await answerOf(server, 'f'), 'hello from python')
  })

  test('outlive their deletion in functions that use them, and no longer', { skip: absent('bwrap') }, async (t) => {
    const server = await startServer(t)
    const { Content } = await publish(server, 'l', { 'a.txt': 'a' })
    await deployNode(server, 'f', reading, { Layers: [`${prefix}:l:1`] })
    await server.lambda.send(new DeleteLayerVersionCommand({ LayerName: 'l', VersionNumber: 1 }))
    assert.deepEqual(await answerOf(server, 'f', ['a.txt']), { 'a.txt': 'a' })
    await refuses(deployNode(server, 'g', reading, { Layers: [`${prefix}:l:1`] }), 400, 'InvalidParameterValueException', `Layer version ${prefix}:l:1 does not exist.`)
    assert.equal((await fetch(Content!.Location!)).status, 200)
    await server.lambda.send(new DeleteFunctionCommand({ FunctionName: 'f' }))
    assert.equal((await fetch(Content!.Location!)).status, 404)
  })

  test('can be fetched as they were sent', async (t) => {
    const server = await startServer(t)
    const archive = await archiveOf({ 'a.txt': 'a' })
    await server.lambda.send(new PublishLayerVersionCommand({ LayerName: `${prefix}:l`, Content: { ZipFile: archive } }))
    for (const { Content, LayerArn, CreatedDate } of [
      await server.lambda.send(new GetLayerVersionCommand({ LayerName: 'l', VersionNumber: 1 })), await server.lambda.send(new GetLayerVersionCommand({ LayerName: `${prefix}:l`, VersionNumber: 1 })),
      await server.lambda.send(new GetLayerVersionByArnCommand({ Arn: `${prefix}:l:1` })),
    ]) {
      assert.deepEqual([LayerArn, Content!.CodeSize, Content!.CodeSha256], [`${prefix}:l`, archive.length, createHash('sha256').update(archive).digest('base64')])
      assert.match(CreatedDate!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/)
      assert.deepEqual(Buffer.from(await (await fetch(Content!.Location!)).arrayBuffer()), archive)
    }
  })

  test('are listed with their latest version that fits', async (t) => {
    const server = await startServer(t)
    await publish(server, 'a', { a: '1' }, { CompatibleRuntimes: ['nodejs22.x'] })
    await publish(server, 'a', { a: '2' }, { CompatibleRuntimes: ['python3.12'], CompatibleArchitectures: ['arm64'] })
    await publish(server, 'b', { b: '1' })
    const list = async (rest: object) => {
      const { Layers, NextMarker } = await server.lambda.send(new ListLayersCommand(rest))
      return { layers: Layers!.map(({ LayerName, LatestMatchingVersion }) => `${LayerName}:${LatestMatchingVersion?.Version}`), NextMarker }
    }
    assert.deepEqual((await list({})).layers, ['a:2', 'b:1'])
    assert.deepEqual((await list({ CompatibleRuntime: 'nodejs22.x' })).layers, ['a:1'])
    assert.deepEqual((await list({ CompatibleArchitecture: 'arm64' })).layers, ['a:2'])
    const first = await list({ MaxItems: 1 })
    assert.deepEqual([first.layers, (await list({ Marker: first.NextMarker })).layers], [['a:2'], ['b:1']])
    const versions = async (rest: object) => (await server.lambda.send(new ListLayerVersionsCommand({ LayerName: 'a', ...rest })))
    const page = await versions({ MaxItems: 1 })
    assert.deepEqual([page.LayerVersions!.map(({ Version }) => Version), (await versions({ Marker: page.NextMarker })).LayerVersions!.map(({ Version }) => Version)], [[2], [1]])
    assert.deepEqual((await versions({ CompatibleRuntime: 'nodejs22.x' })).LayerVersions!.map(({ Version }) => Version), [1])
  })

  test('are paged by boto3', { skip: absent('boto3') }, async (t) => {
    const server = await startServer(t)
    for (const name of ['a', 'b', 'a']) await publish(server, name, { name })
    assert.deepEqual(await python(server.environment(), `
lam = client('lambda')
layers = lam.get_paginator('list_layers').paginate(PaginationConfig={'PageSize': 1}).build_full_result()['Layers']
versions = lam.get_paginator('list_layer_versions').paginate(LayerName='a', PaginationConfig={'PageSize': 1}).build_full_result()['LayerVersions']
print(json.dumps([[l['LayerName'] for l in layers], [v['Version'] for v in versions]]))
`), [['a', 'b'], [2, 1]])
  })

  test('are shared with other accounts by their policy', async (t) => {
    const server: TestServer = await startServer(t)
    const other = await newAccount(server)
    await publish(server, 'l', { 'a.txt': 'shared' })
    const Arn = `${prefix}:l:1`
    const refusal = new RegExp(`is not authorized to perform: lambda:GetLayerVersion on resource: ${Arn} because no resource-based policy allows the lambda:GetLayerVersion action`)
    await refuses(other.lambda.send(new GetLayerVersionByArnCommand({ Arn })), 403, 'AccessDeniedException', refusal)
    const input: CreateFunctionCommandInput = {
      FunctionName: 'theirs', Runtime: 'nodejs22.x', Handler: 'index.handler', Code: { ZipFile: await archiveOf({ 'index.mjs': reading }) }, Layers: [Arn],
      Role: `arn:aws:iam::${other.accountId}:role/r`,
    }
    await refuses(other.lambda.send(new CreateFunctionCommand(input)), 403, 'AccessDeniedException', refusal)
    // A layer that is not there looks the same from outside.
    await refuses(other.lambda.send(new CreateFunctionCommand({ ...input, Layers: [`${prefix}:absent:1`] })), 403, 'AccessDeniedException', /because no resource-based policy allows the lambda:GetLayerVersion action/)
    const { Statement, RevisionId } = await server.lambda.send(new AddLayerVersionPermissionCommand({ LayerName: 'l', VersionNumber: 1, StatementId: 's', Action: 'lambda:GetLayerVersion', Principal: other.accountId }))
    assert.deepEqual(JSON.parse(Statement!).Principal, { AWS: `arn:aws:iam::${other.accountId}:root` })
    assert.equal((await other.lambda.send(new GetLayerVersionByArnCommand({ Arn }))).Version, 1)
    await refuses(other.lambda.send(new CreateFunctionCommand(input)), 400, 'InvalidParameterValueException', 'The role defined for the function cannot be assumed by Lambda.')
    assert.equal((await server.lambda.send(new GetLayerVersionPolicyCommand({ LayerName: 'l', VersionNumber: 1 }))).RevisionId, RevisionId)
    await server.lambda.send(new RemoveLayerVersionPermissionCommand({ LayerName: 'l', VersionNumber: 1, StatementId: 's', RevisionId }))
    await refuses(other.lambda.send(new GetLayerVersionByArnCommand({ Arn })), 403, 'AccessDeniedException', refusal)
    await refuses(server.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'theirs' })), 404, 'ResourceNotFoundException', /not found/)
  })
})
