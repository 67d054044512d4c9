// The store on both engines: edits that race, deployments and stages, and what the data plane is told of them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Conflict } from '#storage/database.ts'
import { eachDatabase } from '#test/support/each-database.ts'
import { createCaller, type Answer } from './caller.testing.ts'
import { AUTHORIZERS_PER_API_MAX } from './limits.ts'
import { migrations } from './migrations.ts'
import { emptyDesign } from './rest-apis.ts'
import type { RestApi } from './model.ts'
import { findApi, findStage, listApis, transactions } from './store.ts'

const scope = { accountId: '000000000000', region: 'us-east-1' }
const mock = { type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' } }

eachDatabase('the API Gateway store', { migrations, transactionModules: [new URL('./store.ts', import.meta.url)] }, (open) => {
  test('an account cannot have more APIs in a region than the limit', async () => {
    const database = await open()
    await database.transact(transactions.insertApi, { api: apiOf('a'), apisMax: 1 })
    await assert.rejects(database.transact(transactions.insertApi, { api: apiOf('b'), apisMax: 1 }), conflict('limit'))
    await database.transact(transactions.insertApi, { api: { ...apiOf('c'), region: 'eu-west-1' }, apisMax: 1 })
    assert.equal((await listApis(database, { ...scope, limit: 10 })).length, 1)
  })

  test('an API is found in its own account and region only', async () => {
    const database = await open()
    await database.transact(transactions.insertApi, { api: apiOf('a'), apisMax: 9 })
    assert.equal((await findApi(database, scope, 'a'))?.api.id, 'a')
    assert.equal(await findApi(database, { ...scope, accountId: '111111111111' }, 'a'), undefined)
    assert.equal(await findApi(database, { ...scope, region: 'eu-west-1' }, 'a'), undefined)
  })

  test('of two edits of one revision the second is refused', async () => {
    const database = await open()
    await database.transact(transactions.insertApi, { api: apiOf('a'), apisMax: 9 })
    const stored = (await findApi(database, scope, 'a'))!
    await database.transact(transactions.updateApi, stored)
    await assert.rejects(database.transact(transactions.updateApi, stored), conflict('revision'))
  })

  test('edits that arrive at once are all kept', async () => {
    const { run } = createCaller(await open())
    const api = await run('CreateRestApi', { name: 'a' })
    const names = Array.from({ length: 12 }, (_, index) => `r${index}`)
    await Promise.all(names.map((pathPart) => run('CreateResource', { restApiId: api['id'], parentId: api['rootResourceId'], pathPart })))
    const { items } = await run('GetResources', { restApiId: api['id'] }) as { items: Answer[] }
    assert.deepEqual(items.map(({ path }) => path), ['/', ...names.map((name) => `/${name}`).sort()])
  })

  test('lists go on where a page ended', async () => {
    const { run } = createCaller(await open())
    for (const name of ['a', 'b', 'c']) await run('CreateRestApi', { name })
    const first = await run('GetRestApis', { limit: 2 })
    const second = await run('GetRestApis', { limit: 2, position: first['position'] })
    assert.deepEqual([...first['items'] as Answer[], ...second['items'] as Answer[]].map(({ name }) => name), ['a', 'b', 'c'])
    assert.equal(second['position'], undefined)
    const api = (first['items'] as Answer[])[0]!
    for (const pathPart of ['x', 'y']) await run('CreateResource', { restApiId: api['id'], parentId: api['rootResourceId'], pathPart })
    const page = await run('GetResources', { restApiId: api['id'], limit: 2 })
    assert.deepEqual((page['items'] as Answer[]).map(({ path }) => path), ['/', '/x'])
    const rest = await run('GetResources', { restApiId: api['id'], limit: 2, position: page['position'] })
    assert.deepEqual((rest['items'] as Answer[]).map(({ path }) => path), ['/y'])
    await assert.rejects(run('GetResources', { restApiId: api['id'], position: '%' }), /Invalid position specified/)
  })

  test('a deployment serves the API as it was, until the stage points at another', async () => {
    const database = await open()
    const { run, snapshots } = createCaller(database)
    const { restApiId, root } = await deployed(run)
    const atFirst = (await snapshots.findStage({ apiId: restApiId, stageName: 'dev' }))!
    assert.deepEqual(Object.keys(atFirst.snapshot.resources[0]!.methods), ['GET'])
    assert.equal(atFirst.snapshot.accountId, '000000000000')
    assert.equal(atFirst.stage.deploymentId, atFirst.snapshot.deploymentId)

    await run('PutMethod', { restApiId, resourceId: root, httpMethod: 'POST', authorizationType: 'AWS_IAM' })
    await run('PutIntegration', { restApiId, resourceId: root, httpMethod: 'POST', ...mock })
    assert.equal(await snapshots.findStage({ apiId: restApiId, stageName: 'dev' }), atFirst, 'an edit touches nothing that is deployed')

    const { id } = await run('CreateDeployment', { restApiId, stageName: 'dev' })
    const then = (await snapshots.findStage({ apiId: restApiId, stageName: 'dev' }))!
    assert.deepEqual(Object.keys(then.snapshot.resources[0]!.methods), ['GET', 'POST'])
    assert.equal(then.stage.deploymentId, id)

    await run('UpdateStage', { restApiId, stageName: 'dev', patchOperations: [{ op: 'replace', path: '/deploymentId', value: atFirst.stage.deploymentId }] })
    assert.deepEqual((await snapshots.findStage({ apiId: restApiId, stageName: 'dev' }))!.snapshot, atFirst.snapshot)
  })

  test('the data plane sees a change of a stage at its next look, and keeps the same snapshot', async () => {
    const database = await open()
    const { run, snapshots } = createCaller(database)
    const { restApiId } = await deployed(run)
    const before = (await snapshots.findStage({ apiId: restApiId, stageName: 'dev' }))!
    await run('UpdateStage', { restApiId, stageName: 'dev', patchOperations: [{ op: 'replace', path: '/variables/v', value: '1' }] })
    const after = (await snapshots.findStage({ apiId: restApiId, stageName: 'dev' }))!
    assert.deepEqual(after.stage.variables, { v: '1' })
    assert.equal(after.snapshot, before.snapshot)
  })

  test('a deleted stage and a deleted API are gone at the next look', async () => {
    const database = await open()
    const { run, snapshots } = createCaller(database)
    const { restApiId } = await deployed(run)
    await run('CreateDeployment', { restApiId, stageName: 'prod' })
    for (const stageName of ['dev', 'prod']) assert.ok(await snapshots.findStage({ apiId: restApiId, stageName }))
    await run('DeleteStage', { restApiId, stageName: 'dev' })
    assert.equal(await snapshots.findStage({ apiId: restApiId, stageName: 'dev' }), undefined)
    assert.equal((await snapshots.findApi(restApiId))?.region, 'us-east-1')
    await run('DeleteRestApi', { restApiId })
    assert.equal(await snapshots.findStage({ apiId: restApiId, stageName: 'prod' }), undefined)
    assert.equal(await snapshots.findApi(restApiId), undefined)
    assert.equal(await findStage(database, { apiId: restApiId, stageName: 'prod' }), undefined)
  })

  test('a stage that was looked for before it was made is found', async () => {
    const { run, snapshots } = createCaller(await open())
    const { restApiId } = await deployed(run)
    assert.equal(await snapshots.findStage({ apiId: restApiId, stageName: 'later' }), undefined)
    await run('CreateDeployment', { restApiId, stageName: 'later', variables: { a: 'b' }, stageDescription: 'new' })
    assert.deepEqual((await snapshots.findStage({ apiId: restApiId, stageName: 'later' }))!.stage.variables, { a: 'b' })
  })

  test('an API cannot have more stages than the limit', async () => {
    const { run } = createCaller(await open())
    const { restApiId } = await deployed(run)
    for (let index = 1; index < 10; index++) await run('CreateDeployment', { restApiId, stageName: `s${index}` })
    await assert.rejects(run('CreateDeployment', { restApiId, stageName: 'one-too-many' }), { code: 'LimitExceededException', status: 429 })
    const stages = await run('GetStages', { restApiId })
    assert.equal((stages['item'] as Answer[]).length, 10)
    assert.equal(((await run('GetDeployments', { restApiId }))['items'] as Answer[]).length, 10, 'what is refused leaves no deployment behind')
  })

  test('an API cannot have more authorizers than the limit, and one made before there were authorizers has none', async () => {
    const database = await open()
    const { run } = createCaller(database)
    const { design: { authorizers: _none, ...design }, ...old } = apiOf('old')
    await database.transact(transactions.insertApi, { api: { ...old, design } as RestApi, apisMax: 10 })
    assert.deepEqual((await run('GetAuthorizers', { restApiId: 'old' }))['items'], [])
    const create = (name: string) => run('CreateAuthorizer', {
      restApiId: 'old', name, type: 'COGNITO_USER_POOLS', providerARNs: ['arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_A'], identitySource: 'method.request.header.a',
    })
    for (let index = 0; index < AUTHORIZERS_PER_API_MAX; index++) await create(`a${index}`)
    await assert.rejects(create('one-too-many'), { code: 'LimitExceededException', status: 429 })
  })

  test('an API cannot have more resources than the limit', async () => {
    const { run } = createCaller(await open())
    const paths = Object.fromEntries(Array.from({ length: 299 }, (_, index) => [`/r${index}`, {}]))
    const definition = (more: object) => Buffer.from(JSON.stringify({ swagger: '2.0', info: { title: 'a' }, paths: { ...paths, ...more } }))
    const api = await run('ImportRestApi', { body: definition({}) })
    await assert.rejects(run('CreateResource', { restApiId: api['id'], parentId: api['rootResourceId'], pathPart: 'x' }), { code: 'LimitExceededException' })
    await assert.rejects(run('ImportRestApi', { body: definition({ '/x': {} }) }), /Unable to create resource at path '\/x': Maximum number of resources/)
  })
})

function apiOf(id: string): RestApi {
  return {
    ...scope,
    id,
    createdAtMs: 1,
    settings: { name: id, apiKeySource: 'HEADER', endpointConfiguration: { types: ['EDGE'], ipAddressType: 'ipv4' }, disableExecuteApiEndpoint: false },
    design: emptyDesign('root'),
  }
}

/** An API with `GET /`, deployed to the stage `dev`. */
async function deployed(run: ReturnType<typeof createCaller>['run']): Promise<{ restApiId: string, root: string }> {
  const { id: restApiId, rootResourceId: root } = await run('CreateRestApi', { name: 'a' }) as { id: string, rootResourceId: string }
  await run('PutMethod', { restApiId, resourceId: root, httpMethod: 'GET', authorizationType: 'NONE' })
  await run('PutIntegration', { restApiId, resourceId: root, httpMethod: 'GET', ...mock })
  await run('CreateDeployment', { restApiId, stageName: 'dev' })
  return { restApiId, root }
}

const conflict = (reason: string) => (error: unknown) => error instanceof Conflict && error.reason === reason
