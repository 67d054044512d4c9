// The store on both engines: edits that race, automatic deployments, and what the data plane is told of them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Conflict } from '#storage/database.ts'
import { eachDatabase } from '#test/support/each-database.ts'
import { createCaller, type Answer, type TestCaller } from './caller.testing.ts'
import { AUTO_DEPLOYMENTS_KEPT_MAX, DEPLOYMENTS_PER_API_MAX, ROUTES_PER_API_MAX, STAGES_PER_API_MAX } from './limits.ts'
import { migrations } from './migrations.ts'
import type { V2Api } from './model.ts'
import { findApi, findApiLocation, listApis, transactions } from './store.ts'

const scope = { accountId: '000000000000', region: 'us-east-1' }
const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:f'
const proxy = { IntegrationType: 'AWS_PROXY', IntegrationUri: functionArn, PayloadFormatVersion: '2.0' }

eachDatabase('the API Gateway v2 store', { migrations, transactionModules: [new URL('./store.ts', import.meta.url)] }, (open) => {
  test('an account cannot have more APIs in a region than the limit', async () => {
    const database = await open()
    await database.transact(transactions.insertApi, { api: apiOf('a'), auto, apisMax: 1 })
    await assert.rejects(database.transact(transactions.insertApi, { api: apiOf('b'), auto, apisMax: 1 }), conflict('limit'))
    await database.transact(transactions.insertApi, { api: { ...apiOf('c'), region: 'eu-west-1' }, auto, apisMax: 1 })
    assert.equal((await listApis(database, { ...scope, limit: 10 })).length, 1)
  })

  test('an API is found in its own account and region only', async () => {
    const database = await open()
    await database.transact(transactions.insertApi, { api: apiOf('a'), auto, apisMax: 9 })
    assert.equal((await findApi(database, scope, 'a'))?.api.id, 'a')
    assert.equal(await findApi(database, { ...scope, accountId: '111111111111' }, 'a'), undefined)
    assert.equal(await findApi(database, { ...scope, region: 'eu-west-1' }, 'a'), undefined)
    assert.equal((await findApiLocation(database, 'a'))?.accountId, scope.accountId)
  })

  test('of two edits of one revision the second is refused', async () => {
    const database = await open()
    await database.transact(transactions.insertApi, { api: apiOf('a'), auto, apisMax: 9 })
    const stored = (await findApi(database, scope, 'a'))!
    await database.transact(transactions.updateApi, { ...stored, auto: undefined })
    await assert.rejects(database.transact(transactions.updateApi, { ...stored, auto: undefined }), conflict('revision'))
  })

  test('routes that are made at once are all kept, and deployed', async () => {
    const caller = createCaller(await open())
    const { ApiId } = await quickCreated(caller)
    const keys = Array.from({ length: 12 }, (_, index) => `GET /r${index}`)
    await Promise.all(keys.map((RouteKey) => caller.run('CreateRoute', { ApiId, RouteKey })))
    const { Items } = await caller.run('GetRoutes', { ApiId, MaxResults: '100' }) as { Items: Answer[] }
    assert.deepEqual(Items.map(({ RouteKey }) => RouteKey as string).sort(), ['$default', ...keys].sort())
    const deployed = await caller.snapshots.findStage({ apiId: ApiId, stageName: '$default' })
    assert.equal(Object.keys(deployed!.snapshot.routes).length, 13)
  })

  test('lists go on where a page ended', async () => {
    const { run } = createCaller(await open())
    for (const Name of ['a', 'b', 'c']) await run('CreateApi', { Name, ProtocolType: 'HTTP' })
    const first = await run('GetApis', { MaxResults: '2' })
    const second = await run('GetApis', { MaxResults: '2', NextToken: first['NextToken'] })
    assert.deepEqual([...first['Items'] as Answer[], ...second['Items'] as Answer[]].map(({ Name }) => Name), ['a', 'b', 'c'])
    assert.equal(second['NextToken'], undefined)
    await assert.rejects(run('GetApis', { NextToken: '%' }), /Invalid nextToken specified/)
    await assert.rejects(run('GetApis', { MaxResults: 'many' }), /Invalid maxResults specified/)
  })

  test('quick create makes an integration, a route and a stage that deploys itself', async () => {
    const caller = createCaller(await open())
    const { ApiId } = await quickCreated(caller)
    const [integration] = (await caller.run('GetIntegrations', { ApiId }))['Items'] as Answer[]
    const [route] = (await caller.run('GetRoutes', { ApiId }))['Items'] as Answer[]
    const stage = await caller.run('GetStage', { ApiId, StageName: '$default' })
    assert.partialDeepStrictEqual(integration, { ApiGatewayManaged: true, IntegrationType: 'AWS_PROXY', IntegrationUri: functionArn, PayloadFormatVersion: '2.0' })
    assert.partialDeepStrictEqual(route, { ApiGatewayManaged: true, RouteKey: '$default', Target: `integrations/${integration!['IntegrationId']}` })
    assert.partialDeepStrictEqual(stage, { ApiGatewayManaged: true, AutoDeploy: true })
    assert.equal(stage['LastDeploymentStatusMessage'], `Successfully deployed stage with deployment ID '${stage['DeploymentId']}'`)
    await assert.rejects(caller.run('DeleteIntegration', { ApiId, IntegrationId: integration!['IntegrationId'] }), /managed by API Gateway/)
    await caller.run('UpdateApi', { ApiId, Target: 'https://example.com', RouteKey: 'GET /x' })
    assert.partialDeepStrictEqual((await caller.run('GetIntegrations', { ApiId }))['Items'], [{ IntegrationType: 'HTTP_PROXY', IntegrationUri: 'https://example.com', IntegrationMethod: 'ANY' }])
    assert.partialDeepStrictEqual((await caller.run('GetRoutes', { ApiId }))['Items'], [{ RouteKey: 'GET /x', ApiGatewayManaged: true }])
  })

  test('every change reaches a stage that deploys itself, and no other', async () => {
    const caller = createCaller(await open())
    const { ApiId } = await quickCreated(caller)
    const at = async (stageName: string) => caller.snapshots.findStage({ apiId: ApiId, stageName })
    const first = (await at('$default'))!
    await caller.run('CreateStage', { ApiId, StageName: 'fixed', DeploymentId: first.snapshot.deploymentId })
    await caller.run('CreateRoute', { ApiId, RouteKey: 'GET /new' })
    const then = (await at('$default'))!
    assert.notEqual(then.snapshot.deploymentId, first.snapshot.deploymentId)
    assert.deepEqual(Object.values(then.snapshot.routes).map(({ routeKey }) => routeKey).sort(), ['$default', 'GET /new'])
    assert.equal((await at('fixed'))!.snapshot.deploymentId, first.snapshot.deploymentId, 'what is deployed stays as it was')
    assert.equal(await at('$default'), then, 'the same deployment is the same object')

    await caller.run('TagResource', { ResourceArn: `arn:aws:apigateway:us-east-1::/apis/${ApiId}`, Tags: { a: 'b' } })
    assert.equal((await at('$default'))!.snapshot, then.snapshot, 'a tag deploys nothing')
    await caller.run('UpdateApi', { ApiId, CorsConfiguration: { AllowOrigins: ['https://a.example'] } })
    assert.deepEqual((await at('$default'))!.snapshot.corsConfiguration?.allowOrigins, ['https://a.example'])
  })

  test('old automatic deployments go, and those that a stage points at stay', async () => {
    const caller = createCaller(await open())
    const { ApiId } = await quickCreated(caller)
    const { DeploymentId } = await caller.run('GetStage', { ApiId, StageName: '$default' })
    await caller.run('CreateStage', { ApiId, StageName: 'fixed', DeploymentId })
    for (let changes = 0; changes <= AUTO_DEPLOYMENTS_KEPT_MAX + 1; changes++) await caller.run('UpdateApi', { ApiId, Description: String(changes) })
    const { Items } = await caller.run('GetDeployments', { ApiId, MaxResults: '500' }) as { Items: Answer[] }
    // The one of each stage, and those that are kept.
    assert.equal(Items.length, AUTO_DEPLOYMENTS_KEPT_MAX + 2)
    assert.ok(Items.some((deployment) => deployment['DeploymentId'] === DeploymentId))
    assert.ok(Items.every((deployment) => deployment['AutoDeployed'] === true))
  })

  test('a deployment that a stage points at cannot be deleted', async () => {
    const caller = createCaller(await open())
    const { ApiId } = await quickCreated(caller)
    const { DeploymentId } = await caller.run('CreateDeployment', { ApiId, Description: 'mine' })
    await caller.run('CreateStage', { ApiId, StageName: 'prod', DeploymentId })
    await assert.rejects(caller.run('DeleteDeployment', { ApiId, DeploymentId }), /Active stages pointing to this deployment must be moved or deleted/)
    await caller.run('DeleteStage', { ApiId, StageName: 'prod' })
    await caller.run('DeleteDeployment', { ApiId, DeploymentId })
    await assert.rejects(caller.run('GetDeployment', { ApiId, DeploymentId }), /Invalid Deployment identifier specified/)
    await assert.rejects(caller.run('CreateStage', { ApiId, StageName: 'prod', DeploymentId }), /Deployment id does not exist/)
  })

  test('limits hold at their edges', async () => {
    const database = await open()
    const caller = createCaller(database)
    const { ApiId } = await quickCreated(caller)
    for (let stages = 1; stages < STAGES_PER_API_MAX; stages++) await caller.run('CreateStage', { ApiId, StageName: `s${stages}` })
    await assert.rejects(caller.run('CreateStage', { ApiId, StageName: 'more' }), /Maximum number/)
    await assert.rejects(caller.run('CreateStage', { ApiId, StageName: 's1' }), /Stage already exists/)

    const stored = (await findApi(database, scope, ApiId))!
    const { [Object.keys(stored.api.design.routes)[0]!]: route } = stored.api.design.routes
    for (let routes = 1; routes < ROUTES_PER_API_MAX; routes++) stored.api.design.routes[`r${routes}`] = { ...route!, routeId: `r${routes}`, routeKey: `GET /r${routes}` }
    await database.transact(transactions.updateApi, { ...stored, auto: undefined })
    await assert.rejects(caller.run('CreateRoute', { ApiId, RouteKey: 'GET /more' }), /Maximum number of Routes for this API has been reached/)
    assert.ok(DEPLOYMENTS_PER_API_MAX > AUTO_DEPLOYMENTS_KEPT_MAX + STAGES_PER_API_MAX, 'automatic deployments alone never use up the limit')
  })

  test('a domain leads where its longest key does, until it is changed', async () => {
    const database = await open()
    const caller = createCaller(database)
    const { ApiId } = await quickCreated(caller)
    await caller.run('CreateStage', { ApiId, StageName: 'v1' })
    const DomainName = 'api.example.com'
    await caller.run('CreateDomainName', { DomainName, DomainNameConfigurations: [{ EndpointType: 'REGIONAL' }] })
    await assert.rejects(caller.run('CreateDomainName', { DomainName, DomainNameConfigurations: [{ EndpointType: 'REGIONAL' }] }), /The domain name resource already exists/)
    const find = (path: string, host = DomainName) => caller.snapshots.findMapping(host, path)
    assert.deepEqual([await find('/x'), await caller.snapshots.hasDomain('API.example.com')], [undefined, true])
    const { ApiMappingId } = await caller.run('CreateApiMapping', { DomainName, ApiId, Stage: '$default' })
    await caller.run('CreateApiMapping', { DomainName, ApiId, Stage: 'v1', ApiMappingKey: 'shop/v1' })
    assert.deepEqual(await find('/shop'), { apiId: ApiId, stageName: '$default', mappingKey: '' })
    assert.deepEqual(await find('/shop/v1'), { apiId: ApiId, stageName: 'v1', mappingKey: 'shop/v1' })
    assert.deepEqual(await find('/shop/v1/carts', 'API.example.com'), { apiId: ApiId, stageName: 'v1', mappingKey: 'shop/v1' })
    assert.equal((await find('/shop/v10'))?.mappingKey, '')
    await assert.rejects(caller.run('DeleteApi', { ApiId }), /API mapping/)
    await assert.rejects(caller.run('DeleteStage', { ApiId, StageName: 'v1' }), /API mapping/)
    await caller.run('DeleteApiMapping', { DomainName, ApiMappingId })
    assert.equal(await find('/other'), undefined)
    await caller.run('DeleteDomainName', { DomainName })
    assert.deepEqual([await find('/shop/v1'), await caller.snapshots.hasDomain(DomainName)], [undefined, false])
  })

  test('a wildcard domain stands for one label', async () => {
    const caller = createCaller(await open())
    const { ApiId } = await quickCreated(caller)
    await caller.run('CreateDomainName', { DomainName: '*.example.com', DomainNameConfigurations: [{ EndpointType: 'REGIONAL' }] })
    await caller.run('CreateApiMapping', { DomainName: '*.example.com', ApiId, Stage: '$default' })
    assert.equal((await caller.snapshots.findMapping('a.example.com', '/'))?.apiId, ApiId)
    assert.equal(await caller.snapshots.findMapping('a.b.example.com', '/'), undefined)
    assert.deepEqual([await caller.snapshots.hasDomain('a.example.com'), await caller.snapshots.hasDomain('a.b.example.com')], [true, false])
    await caller.run('CreateDomainName', { DomainName: 'a.example.com', DomainNameConfigurations: [{ EndpointType: 'REGIONAL' }] })
    assert.equal(await caller.snapshots.findMapping('a.example.com', '/'), undefined)
  })

  test("a mapping leads to the account's own stages only, REST APIs' among them", async () => {
    const database = await open()
    const owner = createCaller(database)
    const { ApiId } = await quickCreated(owner)
    const rest = {
      findApi: async (apiId: string) => apiId === 'restapi001' ? { apiId, accountId: '111111111111', region: 'us-east-1' } : undefined,
      findStage: async ({ stageName }: { stageName: string }) => stageName === 'prod' ? {} as never : undefined,
    }
    const other = createCaller(database, { accountId: '111111111111', rest })
    await other.run('CreateDomainName', { DomainName: 'other.example.com', DomainNameConfigurations: [{ EndpointType: 'REGIONAL' }] })
    await assert.rejects(other.run('CreateApiMapping', { DomainName: 'other.example.com', ApiId, Stage: '$default' }), /Invalid API identifier specified 111111111111:/)
    await assert.rejects(owner.run('CreateApiMapping', { DomainName: 'other.example.com', ApiId, Stage: '$default' }), /Invalid domain name identifier specified/)
    await assert.rejects(other.run('CreateApiMapping', { DomainName: 'other.example.com', ApiId: 'restapi001', Stage: 'none' }), /Invalid stage identifier specified/)
    await other.run('CreateApiMapping', { DomainName: 'other.example.com', ApiId: 'restapi001', Stage: 'prod' })
    assert.equal((await other.snapshots.findMapping('other.example.com', '/'))?.apiId, 'restapi001')
  })

  test('what every object has is no resource of an API', async () => {
    const { run } = createCaller(await open())
    const { ApiId } = await run('CreateApi', { Name: 'w', ProtocolType: 'WEBSOCKET', RouteSelectionExpression: '$request.body.action' })
    const { RouteId } = await run('CreateRoute', { ApiId, RouteKey: 'constructor' })
    await run('CreateStage', { ApiId, StageName: 's' })
    const name = 'constructor'
    for (const [operation, input] of Object.entries({
      GetRoute: { RouteId: name }, GetIntegration: { IntegrationId: name }, GetAuthorizer: { AuthorizerId: name }, GetModel: { ModelId: name },
      GetRouteResponse: { RouteId, RouteResponseId: name }, DeleteRouteRequestParameter: { RouteId, RequestParameterKey: name },
      DeleteRouteSettings: { StageName: 's', RouteKey: name }, CreateRoute: { RouteKey: 'a', Target: `integrations/${name}` },
    })) await assert.rejects(run(operation, { ApiId, ...input }), { code: 'NotFoundException' }, operation)
    const { RouteSettings } = await run('UpdateStage', { ApiId, StageName: 's', RouteSettings: { [name]: { LoggingLevel: 'ERROR' } } })
    assert.deepEqual(RouteSettings, { [name]: { DataTraceEnabled: false, DetailedMetricsEnabled: false, LoggingLevel: 'ERROR', ThrottlingBurstLimit: undefined, ThrottlingRateLimit: undefined } })
  })

  test('an API goes with its stages and deployments', async () => {
    const caller = createCaller(await open())
    const { ApiId } = await quickCreated(caller)
    assert.partialDeepStrictEqual(await caller.snapshots.findApi(ApiId), { protocolType: 'HTTP', disableExecuteApiEndpoint: false })
    await caller.run('UpdateApi', { ApiId, DisableExecuteApiEndpoint: true })
    assert.equal((await caller.snapshots.findApi(ApiId))?.disableExecuteApiEndpoint, true)
    assert.ok(await caller.snapshots.findStage({ apiId: ApiId, stageName: '$default' }))
    await caller.run('DeleteApi', { ApiId })
    assert.equal(await caller.snapshots.findApi(ApiId), undefined)
    assert.equal(await caller.snapshots.findStage({ apiId: ApiId, stageName: '$default' }), undefined)
    await assert.rejects(caller.run('DeleteApi', { ApiId }), /Invalid API identifier specified/)
  })

  test('a reset of the authorizers cache changes what the data plane holds of the stage', async () => {
    const caller = createCaller(await open())
    const { ApiId } = await quickCreated(caller)
    const before = (await caller.snapshots.findStage({ apiId: ApiId, stageName: '$default' }))!
    await caller.run('ResetAuthorizersCache', { ApiId, StageName: '$default' })
    const then = (await caller.snapshots.findStage({ apiId: ApiId, stageName: '$default' }))!
    assert.equal(before.stage.authorizerFlushes, undefined)
    assert.equal(then.stage.authorizerFlushes, 1)
    assert.equal(then.snapshot, before.snapshot)
    await assert.rejects(caller.run('ResetAuthorizersCache', { ApiId, StageName: 'none' }), /Invalid stage identifier specified/)
  })
})

const auto = { deploymentId: 'd', now: 1 }

const conflict = (reason: string) => (error: unknown) => error instanceof Conflict && error.reason === reason

async function quickCreated({ run }: TestCaller): Promise<{ ApiId: string }> {
  const { ApiId } = await run('CreateApi', { Name: 'a', ProtocolType: 'HTTP', Target: proxy.IntegrationUri })
  return { ApiId: ApiId as string }
}

function apiOf(id: string): V2Api {
  return {
    ...scope, id, createdAtMs: 1,
    settings: {
      name: id, protocolType: 'HTTP', routeSelectionExpression: '$request.method $request.path', apiKeySelectionExpression: '$request.header.x-api-key',
      disableExecuteApiEndpoint: false, ipAddressType: 'ipv4',
    },
    design: { routes: {}, integrations: {}, authorizers: {}, models: {} },
  }
}
