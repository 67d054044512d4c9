// Aliases: which version they run, whom they let in, and what becomes of them.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  AddPermissionCommand, CreateAliasCommand, DeleteAliasCommand, GetAliasCommand, GetPolicyCommand, ListAliasesCommand, UpdateAliasCommand, UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { archiveOf, deployNode, invoke } from './deploy.ts'

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:f'
const source = (what: number) => `export const handler = async (event, context) => ({ runs: ${what}, arn: context.invokedFunctionArn, version: context.functionVersion })`

/** A function with two versions. */
async function deployTwo(server: TestServer): Promise<void> {
  await deployNode(server, 'f', source(1), { Publish: true })
  await server.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile: await archiveOf({ 'index.mjs': source(2) }), Publish: true }))
}

const create = ({ lambda }: TestServer, Name: string, FunctionVersion: string, weights?: Record<string, number>) =>
  lambda.send(new CreateAliasCommand({ FunctionName: 'f', Name, FunctionVersion, ...(weights && { RoutingConfig: { AdditionalVersionWeights: weights } }) }))

describe('an alias', () => {
  test('refuses callers without the permission', async (t) => {
    const server = await startServer(t)
    await deployTwo(server)
    await create(server, 'live', '1')
    const nobody = server.clients(await server.user('nobody', [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: arn }]))
    for (const [call, action] of [
      [new CreateAliasCommand({ FunctionName: 'f', Name: 'a', FunctionVersion: '1' }), 'CreateAlias'], [new GetAliasCommand({ FunctionName: 'f', Name: 'live' }), 'GetAlias'],
      [new ListAliasesCommand({ FunctionName: 'f' }), 'ListAliases'], [new UpdateAliasCommand({ FunctionName: 'f', Name: 'live' }), 'UpdateAlias'],
      [new DeleteAliasCommand({ FunctionName: 'f', Name: 'live' }), 'DeleteAlias'],
    ] as const) await refuses(nobody.lambda.send(call as GetAliasCommand), 403, 'AccessDeniedException', new RegExp(`lambda:${action} on resource: ${arn} `))
    await refuses(invoke(nobody, 'f', {}, { Qualifier: 'live' }), 403, 'AccessDeniedException', new RegExp(`lambda:InvokeFunction on resource: ${arn}:live `))
  })

  test('runs the version that it points to, from the next call on', async (t) => {
    const server = await startServer(t)
    await deployTwo(server)
    await create(server, 'live', '1')
    for (const [FunctionName, Qualifier] of [[`${arn}:live`, undefined], ['f', 'live'], ['f:live', 'live']] as const) {
      const { version, payload } = await invoke(server, FunctionName, {}, { Qualifier })
      assert.deepEqual([version, payload], ['1', { runs: 1, arn: `${arn}:live`, version: '1' }])
    }
    assert.equal((await invoke(server, 'f', {}, { Qualifier: 'live', InvocationType: 'DryRun' })).status, 204)
    await server.lambda.send(new UpdateAliasCommand({ FunctionName: 'f', Name: 'live', FunctionVersion: '2' }))
    assert.deepEqual((await invoke(server, `${arn}:live`)).payload, { runs: 2, arn: `${arn}:live`, version: '2' })
    await create(server, 'newest', '$LATEST')
    assert.deepEqual([(await invoke(server, `${arn}:newest`)).version, (await invoke(server, `${arn}:newest`)).payload.runs], ['$LATEST', 2])
    await server.lambda.send(new DeleteAliasCommand({ FunctionName: 'f', Name: 'live' }))
    await refuses(invoke(server, `${arn}:live`), 404, 'ResourceNotFoundException', `Function not found: ${arn}:live`)
    await server.lambda.send(new DeleteAliasCommand({ FunctionName: 'f', Name: 'live' }))
  })

  test('shares calls between two versions by their weights', async (t) => {
    const server = await startServer(t)
    await deployTwo(server)
    await create(server, 'all', '1', { 2: 1 })
    await create(server, 'none', '1', { 2: 0 })
    await create(server, 'half', '1', { 2: 0.5 })
    const versions = async (name: string) => new Set(await Promise.all(Array.from({ length: 40 }, async () => (await invoke(server, `${arn}:${name}`)).version)))
    assert.deepEqual(await versions('all'), new Set(['2']))
    assert.deepEqual(await versions('none'), new Set(['1']))
    assert.equal((await versions('half')).size, 2)
  })

  test('lets in those whom its own policy lets in', async (t) => {
    const server = await startServer(t)
    await deployTwo(server)
    const { RevisionId } = await create(server, 'live', '1')
    const user = server.clients(await server.user('user', [{ Effect: 'Allow', Action: 'sts:GetCallerIdentity', Resource: '*' }]))
    const permission = { FunctionName: 'f', StatementId: 's', Action: 'lambda:InvokeFunction', Principal: 'arn:aws:iam::000000000000:user/user' }
    await server.lambda.send(new AddPermissionCommand(permission))
    await refuses(invoke(user, `${arn}:live`), 403, 'AccessDeniedException', /lambda:InvokeFunction/)
    await server.lambda.send(new AddPermissionCommand({ ...permission, Qualifier: 'live', RevisionId }))
    assert.equal((await invoke(user, `${arn}:live`)).version, '1')
    const policy = await server.lambda.send(new GetPolicyCommand({ FunctionName: 'f', Qualifier: 'live' }))
    assert.equal(JSON.parse(policy.Policy!).Statement[0].Resource, `${arn}:live`)
    assert.equal(policy.RevisionId, (await server.lambda.send(new GetAliasCommand({ FunctionName: 'f', Name: 'live' }))).RevisionId)
    await refuses(invoke(user, `${arn}:1`), 403, 'AccessDeniedException', /lambda:InvokeFunction/)
  })

  test('is listed by name, in pages, and by its version', async (t) => {
    const server = await startServer(t)
    await deployTwo(server)
    for (const [name, version] of [['c', '1'], ['a', '1'], ['b', '2']] as const) await create(server, name, version)
    const list = async (rest: object) => server.lambda.send(new ListAliasesCommand({ FunctionName: 'f', ...rest }))
    const names = ({ Aliases }: Awaited<ReturnType<typeof list>>) => Aliases!.map(({ Name }) => Name)
    const first = await list({ MaxItems: 2 })
    assert.deepEqual([names(first), names(await list({ Marker: first.NextMarker }))], [['a', 'b'], ['c']])
    assert.deepEqual(names(await list({ FunctionVersion: '1' })), ['a', 'c'])
  })
})
