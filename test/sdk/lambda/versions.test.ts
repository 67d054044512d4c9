// Versions: published, run, listed and deleted with the official clients.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  AddPermissionCommand, CreateAliasCommand, DeleteFunctionCommand, GetFunctionCommand, GetFunctionConfigurationCommand, GetPolicyCommand, ListFunctionsCommand,
  ListVersionsByFunctionCommand, PublishVersionCommand, UpdateFunctionCodeCommand, UpdateFunctionConfigurationCommand, waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2, waitUntilPublishedVersionActive, type UpdateFunctionConfigurationCommandInput,
} from '@aws-sdk/client-lambda'
import { absent, python } from '#test/support/programs.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { answerOf, archiveOf, deployNode, invoke } from './deploy.ts'

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:f'
const telling = (what: string) => `export const handler = async (event, context) => ({ says: '${what}', version: context.functionVersion, arn: context.invokedFunctionArn, stream: context.logStreamName, stage: process.env.STAGE })`

const publish = ({ lambda }: TestServer, Description?: string) => lambda.send(new PublishVersionCommand({ FunctionName: 'f', Description }))
const configure = ({ lambda }: TestServer, changes: Partial<UpdateFunctionConfigurationCommandInput>) => lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'f', ...changes }))
const look = ({ lambda }: TestServer, Qualifier?: string) => lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'f', Qualifier }))
const update = async ({ lambda }: TestServer, what: string, rest: object = {}) => lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile: await archiveOf({ 'index.mjs': telling(what) }), ...rest }))

describe('versions refuse', () => {
  test('to be deleted while an alias points to them, or under an alias', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', telling('one'), { Publish: true })
    await update(server, 'two', { Publish: true })
    for (const [Name, FunctionVersion, weights] of [['live', '1', {}], ['both', '1', { 2: 0.5 }]] as const) {
      await server.lambda.send(new CreateAliasCommand({ FunctionName: 'f', Name, FunctionVersion, RoutingConfig: { AdditionalVersionWeights: weights } }))
    }
    const remove = (Qualifier: string) => server.lambda.send(new DeleteFunctionCommand({ FunctionName: 'f', Qualifier }))
    await refuses(remove('1'), 409, 'ResourceConflictException', 'Unable to delete version because the following aliases reference it: [both, live]')
    await refuses(remove('2'), 409, 'ResourceConflictException', 'Unable to delete version because the following aliases reference it: [both]')
    await refuses(remove('live'), 400, 'InvalidParameterValueException', 'Deletion of aliases is not currently supported.')
    await refuses(server.lambda.send(new DeleteFunctionCommand({ FunctionName: 'absent', Qualifier: '1' })), 404, 'ResourceNotFoundException', /^Function not found: /)
  })

  test('to be looked at or run when they are not there', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', telling('one'))
    for (const Qualifier of ['1', '01', '99999999999999999999', 'name']) {
      await refuses(look(server, Qualifier), 404, 'ResourceNotFoundException', `Function not found: ${arn}:${Qualifier}`)
      await refuses(invoke(server, 'f', {}, { Qualifier }), 404, 'ResourceNotFoundException', `Function not found: ${arn}:${Qualifier}`)
    }
  })

  test('callers without the permission', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', telling('one'), { Publish: true })
    const one = server.clients(await server.user('one', [{ Effect: 'Allow', Action: 'lambda:*', Resource: `${arn}:1` }]))
    assert.equal((await invoke(one, 'f', {}, { Qualifier: '1' })).version, '1')
    await refuses(invoke(one, 'f'), 403, 'AccessDeniedException', /lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:000000000000:function:f /)
    await refuses(one.lambda.send(new PublishVersionCommand({ FunctionName: 'f' })), 403, 'AccessDeniedException', /lambda:PublishVersion/)
    await refuses(one.lambda.send(new ListVersionsByFunctionCommand({ FunctionName: 'f' })), 403, 'AccessDeniedException', /lambda:ListVersionsByFunction/)
  })
})

describe('versions', () => {
  test('stay as they were published, beside a function that goes on', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', telling('one'), { Environment: { Variables: { STAGE: 'a' } } })
    await publish(server, 'the first')
    await update(server, 'two')
    await configure(server, { Environment: { Variables: { STAGE: 'b' } }, Description: 'later' })
    const [one, latest] = [await invoke(server, 'f', {}, { Qualifier: '1' }), await invoke(server, `${arn}:$LATEST`)]
    assert.deepEqual([one.version, latest.version], ['1', '$LATEST'])
    assert.partialDeepStrictEqual(one.payload, { says: 'one', version: '1', arn: `${arn}:1`, stage: 'a' })
    assert.partialDeepStrictEqual(latest.payload, { says: 'two', version: '$LATEST', stage: 'b' })
    assert.match(one.payload.stream, /\/\[1\][0-9a-f]{32}$/)
    assert.match(one.log, /^START RequestId: \S+ Version: 1\n/m)
    const { Configuration, Code } = await server.lambda.send(new GetFunctionCommand({ FunctionName: `${arn}:1` }))
    assert.partialDeepStrictEqual(Configuration, { Description: 'the first', FunctionArn: `${arn}:1`, Version: '1', Environment: { Variables: { STAGE: 'a' } } })
    assert.notEqual(Configuration!.CodeSha256, (await look(server)).CodeSha256)
    assert.equal((await fetch(Code!.Location!)).status, 200)
    // And over a restart of the function's environments too.
    assert.partialDeepStrictEqual(await answerOf(server, `${arn}:1`), { says: 'one' })
  })

  test('are made only when something has changed', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', telling('one'))
    const first = await publish(server, 'a')
    assert.deepEqual([(await publish(server, 'b')).Version, (await publish(server)).Description, (await publish(server)).RevisionId], ['1', 'a', first.RevisionId])
    await configure(server, { Timeout: 3 })
    await update(server, 'one')
    assert.equal((await publish(server)).Version, '1', 'the same code and settings are no change')
    await configure(server, { Timeout: 4 })
    assert.equal((await publish(server)).Version, '2')
    await update(server, 'two')
    assert.equal((await publish(server)).Version, '3')
  })

  // Observed: AWS, 10-04-2024, recorded by localstack's test_function_revisions_basic and test_function_revisions_version_and_alias.
  test('have revisions of their own, and give the function another', async (t) => {
    const server = await startServer(t)
    const made = await deployNode(server, 'f', telling('one'))
    const active = await look(server)
    assert.notEqual(active.RevisionId, made.RevisionId)
    await refuses(server.lambda.send(new PublishVersionCommand({ FunctionName: 'f', RevisionId: made.RevisionId })), 412, 'PreconditionFailedException', /^The Revision Id provided/)
    const version = await server.lambda.send(new PublishVersionCommand({ FunctionName: 'f', RevisionId: active.RevisionId }))
    const latest = await look(server)
    assert.equal(new Set([active.RevisionId, version.RevisionId, latest.RevisionId]).size, 3)
    assert.equal((await look(server, '1')).RevisionId, version.RevisionId)
    const updating = await configure(server, { Timeout: 5, RevisionId: latest.RevisionId })
    assert.equal(new Set([latest.RevisionId, updating.RevisionId, (await look(server)).RevisionId]).size, 3)
    // Observed: AWS, 10-04-2024, recorded by localstack's test_publish_version_on_create.
    const both = await deployNode(server, 'both', telling('one'), { Publish: true })
    const looks = await Promise.all(['$LATEST', '1'].map((Qualifier) => server.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'both', Qualifier }))))
    assert.equal(new Set([both, ...looks].map(({ RevisionId }) => RevisionId)).size, 3)
  })

  test('have policies of their own', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', telling('one'), { Publish: true })
    const permission = { FunctionName: 'f', StatementId: 's', Action: 'lambda:InvokeFunction', Principal: '111111111111' }
    const before = await look(server, '1')
    await server.lambda.send(new AddPermissionCommand({ ...permission, Qualifier: '1' }))
    const { Policy, RevisionId } = await server.lambda.send(new GetPolicyCommand({ FunctionName: 'f', Qualifier: '1' }))
    assert.deepEqual(JSON.parse(Policy!).Statement[0].Resource, `${arn}:1`)
    assert.notEqual(RevisionId, before.RevisionId)
    await refuses(server.lambda.send(new GetPolicyCommand({ FunctionName: 'f' })), 404, 'ResourceNotFoundException', 'The resource you requested does not exist.')
    await server.lambda.send(new AddPermissionCommand(permission))
    assert.deepEqual(JSON.parse((await server.lambda.send(new GetPolicyCommand({ FunctionName: 'f' }))).Policy!).Statement[0].Resource, arn)
  })

  test('are listed in pages, and so are functions with all of theirs', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', telling('one'), { Publish: true })
    for (const Timeout of [4, 5]) {
      await configure(server, { Timeout })
      await publish(server)
    }
    await deployNode(server, 'g', telling('g'))
    const seen: (string | undefined)[] = []
    for (let Marker: string | undefined; ;) {
      const { Versions, NextMarker } = await server.lambda.send(new ListVersionsByFunctionCommand({ FunctionName: 'f', MaxItems: 3, Marker }))
      seen.push(...Versions!.map(({ Version }) => Version))
      if (NextMarker === undefined) break
      Marker = NextMarker
    }
    assert.deepEqual(seen, ['$LATEST', '1', '2', '3'])
    const all = await server.lambda.send(new ListFunctionsCommand({ FunctionVersion: 'ALL', MaxItems: 3 }))
    const rest = await server.lambda.send(new ListFunctionsCommand({ FunctionVersion: 'ALL', Marker: all.NextMarker }))
    assert.deepEqual([...all.Functions!, ...rest.Functions!].map(({ FunctionArn }) => FunctionArn?.split(':function:')[1]), ['f:$LATEST', 'f:1', 'f:2', 'f:3', 'g:$LATEST'])
    assert.deepEqual((await server.lambda.send(new ListFunctionsCommand({}))).Functions!.map(({ FunctionArn }) => FunctionArn), [arn, arn.replace(/f$/, 'g')])
    assert.deepEqual((await server.lambda.send(new ListFunctionsCommand({ MasterRegion: 'eu-west-1', FunctionVersion: 'ALL' }))).Functions, [])
    await refuses(server.lambda.send(new ListVersionsByFunctionCommand({ FunctionName: 'f', Marker: 'of-another-server' })), 400, 'InvalidParameterValueException', 'The provided marker is invalid.')
  })

  test('are deleted one by one, and with the function', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', telling('one'), { Publish: true })
    assert.equal((await invoke(server, `${arn}:1`)).version, '1')
    const { $metadata } = await server.lambda.send(new DeleteFunctionCommand({ FunctionName: 'f', Qualifier: '1' }))
    assert.equal($metadata.httpStatusCode, 204)
    await server.lambda.send(new DeleteFunctionCommand({ FunctionName: 'f', Qualifier: '1' }))
    await refuses(invoke(server, `${arn}:1`), 404, 'ResourceNotFoundException', `Function not found: ${arn}:1`)
    assert.equal((await publish(server)).Version, '2', 'no number is given twice')
    await server.lambda.send(new DeleteFunctionCommand({ FunctionName: 'f' }))
    await refuses(look(server, '2'), 404, 'ResourceNotFoundException', `Function not found: ${arn}:2`)
    await deployNode(server, 'f', telling('another'), { Publish: true })
    assert.partialDeepStrictEqual(await answerOf(server, `${arn}:1`), { says: 'another' })
  })

  test('satisfy the waiters of the SDK', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', telling('one'), { Publish: true })
    const waiting = { client: server.lambda, maxWaitTime: 10 }
    await waitUntilFunctionActiveV2(waiting, { FunctionName: 'f' })
    await waitUntilPublishedVersionActive(waiting, { FunctionName: 'f', Qualifier: '1' })
    await update(server, 'two', { Publish: true })
    await waitUntilFunctionUpdatedV2(waiting, { FunctionName: 'f' })
    await waitUntilPublishedVersionActive(waiting, { FunctionName: 'f', Qualifier: '2' })
  })

  test('satisfy the waiters and paginators of boto3', { skip: absent('boto3') }, async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', telling('one'))
    const answered = await python(server.environment(), `
lam = client('lambda')
for timeout in (4, 5):
    lam.update_function_configuration(FunctionName='f', Timeout=timeout)
    lam.get_waiter('function_updated_v2').wait(FunctionName='f')
    version = lam.publish_version(FunctionName='f')['Version']
    lam.get_waiter('published_version_active').wait(FunctionName='f', Qualifier=version)
pages = lam.get_paginator('list_versions_by_function').paginate(FunctionName='f', PaginationConfig={'PageSize': 1})
functions = lam.get_paginator('list_functions').paginate(FunctionVersion='ALL', PaginationConfig={'PageSize': 2})
print(json.dumps({'versions': [v['Version'] for page in pages for v in page['Versions']], 'functions': len(functions.build_full_result()['Functions'])}))
`)
    assert.deepEqual(answered, { versions: ['$LATEST', '1', '2'], functions: 3 })
  })
})
