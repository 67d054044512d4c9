// WebSocket APIs that ask for an API key: usage plans with their stages, keys from a header or from an authorizer, limits by key and by route.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  CreateApiKeyCommand, CreateUsagePlanCommand, CreateUsagePlanKeyCommand, DeleteUsagePlanCommand, GetUsageCommand, GetUsagePlanCommand, UpdateApiKeyCommand, UpdateUsagePlanCommand,
  type CreateUsagePlanCommandInput,
} from '@aws-sdk/client-api-gateway'
import { CreateApiCommand, CreateStageCommand, DeleteApiCommand, DeleteStageCommand } from '@aws-sdk/client-apigatewayv2'
import { newAccount } from '#test/support/accounts.ts'
import { functionArnOf } from '#test/support/http-api.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { newSocketApi, type Refused, type SocketApiGiven, type TestSocketApi } from '#test/support/websocket-api.ts'
import { deployNode } from '../lambda/deploy.ts'

const mock = { IntegrationType: 'MOCK', RequestTemplates: { $default: '{"statusCode": 200}' } } as const
/** Answers every message with what is known of the key. */
const keyed: SocketApiGiven['routes'] = {
  $connect: { ...mock, route: { ApiKeyRequired: true } },
  $default: { ...mock, isTwoWay: true, responses: { $default: '{"id": "$context.identity.apiKeyId"}' } },
}

interface Plan { usagePlanId: string, keyId: string, value: string }

let server: TestServer
before(async () => { server = await startServer() })
after(() => server.close())

async function planned({ ApiId }: { ApiId: string }, plan: Partial<CreateUsagePlanCommandInput> = {}): Promise<Plan> {
  const { apigateway } = server
  const { id: usagePlanId = '' } = await apigateway.send(new CreateUsagePlanCommand({ name: 'sockets', apiStages: [{ apiId: ApiId, stage: 'prod' }], ...plan }))
  const { id: keyId = '', value = '' } = await apigateway.send(new CreateApiKeyCommand({ name: 'key', enabled: true }))
  await apigateway.send(new CreateUsagePlanKeyCommand({ usagePlanId, keyId, keyType: 'API_KEY' }))
  return { usagePlanId, keyId, value }
}

/** 200, or the status, the message and the type of the refusal. */
async function outcome({ connect }: TestSocketApi, headers: Record<string, string> = {}): Promise<unknown> {
  try {
    await using _client = await connect({ headers })
    return 200
  } catch (error) {
    const { status, body, headers: { 'x-amzn-errortype': type } } = error as Refused
    return [status, JSON.parse(body).message, type]
  }
}

const FORBIDDEN = [403, 'Forbidden', 'ForbiddenException']
const TOO_MANY = [429, 'Too Many Requests', 'TooManyRequestsException']

describe('a usage plan', () => {
  test('refuses stages that are not there, are of an HTTP API, of another region, or of another account', async () => {
    const { apigateway, apigatewayv2 } = server
    const { ApiId } = await newSocketApi(server, { routes: { $default: mock } })
    const { ApiId: httpApi = '' } = await apigatewayv2.send(new CreateApiCommand({ Name: 'http', ProtocolType: 'HTTP' }))
    await apigatewayv2.send(new CreateStageCommand({ ApiId: httpApi, StageName: 'prod' }))
    const plan = (apiId: string, stage: string) => new CreateUsagePlanCommand({ name: 'refused', apiStages: [{ apiId, stage }] })
    const refused = (apiId: string, stage: string) => new RegExp(`^Invalid API Stage {api: ${apiId}, stage: ${stage}} specified for usageplan `)
    for (const [apiId, stage] of [[ApiId, 'nowhere'], ['0123456789', 'prod'], [httpApi, 'prod']] as const) {
      await refuses(apigateway.send(plan(apiId, stage)), 404, 'NotFoundException', refused(apiId, stage))
    }
    const other = await newAccount(server)
    await refuses(other.apigateway.send(plan(ApiId, 'prod')), 404, 'NotFoundException', refused(ApiId, 'prod'))
    await refuses(server.clients(server.credentials, 'eu-west-1').apigateway.send(plan(ApiId, 'prod')), 404, 'NotFoundException', refused(ApiId, 'prod'))
  })

  test('loses a stage of a WebSocket API with the stage, or with the API, and is changed and deleted as any other', async () => {
    const { apigateway, apigatewayv2 } = server
    const { ApiId } = await newSocketApi(server, { routes: { $default: mock } })
    for (const StageName of ['second', 'third']) await apigatewayv2.send(new CreateStageCommand({ ApiId, StageName }))
    const { id: usagePlanId } = await apigateway.send(new CreateUsagePlanCommand({ name: 'p', apiStages: [{ apiId: ApiId, stage: 'prod' }, { apiId: ApiId, stage: 'second' }] }))
    const added = await apigateway.send(new UpdateUsagePlanCommand({ usagePlanId, patchOperations: [{ op: 'add', path: '/apiStages', value: `${ApiId}:third` }, { op: 'replace', path: '/name', value: 'q' }] }))
    assert.deepEqual([added.name, added.apiStages?.map(({ stage }) => stage)], ['q', ['prod', 'second', 'third']])
    const stages = async () => (await apigateway.send(new GetUsagePlanCommand({ usagePlanId }))).apiStages!.map(({ stage }) => stage)
    await apigatewayv2.send(new DeleteStageCommand({ ApiId, StageName: 'second' }))
    assert.deepEqual(await stages(), ['prod', 'third'])
    await apigateway.send(new UpdateUsagePlanCommand({ usagePlanId, patchOperations: [{ op: 'remove', path: '/apiStages', value: `${ApiId}:third` }] }))
    assert.deepEqual(await stages(), ['prod'])
    await refuses(apigateway.send(new DeleteUsagePlanCommand({ usagePlanId })), 400, 'BadRequestException', new RegExp(`including ${ApiId}:prod$`))
    await apigatewayv2.send(new DeleteApiCommand({ ApiId }))
    assert.deepEqual(await stages(), [])
    await apigateway.send(new DeleteUsagePlanCommand({ usagePlanId }))
  })
})

describe('a $connect that asks for an API key', () => {
  test('refuses a client without one, with one that is not known, disabled, or of no plan with the stage', async () => {
    const api = await newSocketApi(server, { routes: keyed })
    const { value, keyId, usagePlanId } = await planned(api)
    const elsewhere = await planned(await newSocketApi(server, { routes: keyed }))
    for (const headers of [{}, { 'x-api-key': '' }, { 'x-api-key': 'unknown-unknown-unknown' }, { 'x-api-key': elsewhere.value }, { 'x-api-key': keyId }, { authorization: value }]) {
      assert.deepEqual(await outcome(api, headers as Record<string, string>), FORBIDDEN)
    }
    assert.equal(await outcome(api, { 'X-API-Key': value }), 200)
    const { apigateway } = server
    const setEnabled = (to: string) => apigateway.send(new UpdateApiKeyCommand({ apiKey: keyId, patchOperations: [{ op: 'replace', path: '/enabled', value: to }] }))
    await setEnabled('false')
    assert.deepEqual(await outcome(api, { 'x-api-key': value }), FORBIDDEN)
    await setEnabled('true')
    await apigateway.send(new UpdateUsagePlanCommand({ usagePlanId, patchOperations: [{ op: 'remove', path: '/apiStages', value: `${api.ApiId}:prod` }] }))
    assert.deepEqual(await outcome(api, { 'x-api-key': value }), FORBIDDEN)
  })

  test('lets its plan limit the rate and the number of connections', async () => {
    const api = await newSocketApi(server, { routes: keyed })
    const { value, usagePlanId, keyId } = await planned(api, { throttle: { rateLimit: 0.001, burstLimit: 2 }, quota: { limit: 4, period: 'DAY' } })
    const tries = async (count: number) => {
      const all: unknown[] = []
      while (all.length < count) all.push(await outcome(api, { 'x-api-key': value }))
      return all
    }
    assert.deepEqual(await tries(3), [200, 200, TOO_MANY])
    await server.apigateway.send(new UpdateUsagePlanCommand({ usagePlanId, patchOperations: [{ op: 'remove', path: '/throttle' }] }))
    assert.deepEqual(await tries(3), [200, 200, [429, 'Limit Exceeded', 'LimitExceededException']])
    const today = new Date().toISOString().slice(0, 10)
    const { items } = await server.apigateway.send(new GetUsageCommand({ usagePlanId, keyId, startDate: today, endDate: today }))
    assert.deepEqual(items, { [keyId]: [[4, 0]] })
  })

  test('takes the key that its authorizer names, where the API says so, and no other', async () => {
    await deployNode(server, 'keeper', `export const handler = async ({ methodArn, headers }) => ({
      principalId: 'me', usageIdentifierKey: headers.key, policyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: methodArn }] },
    })`)
    const authorizerUri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArnOf('keeper')}/invocations`
    const api = await newSocketApi(server, {
      api: { ApiKeySelectionExpression: '$context.authorizer.usageIdentifierKey' },
      authorizers: { keeper: { AuthorizerType: 'REQUEST', AuthorizerUri: authorizerUri, IdentitySource: [] } },
      routes: { ...keyed, $connect: { ...mock, route: { ApiKeyRequired: true, AuthorizationType: 'CUSTOM', authorizer: 'keeper' } } },
    })
    await api.permit('keeper')
    const { value, keyId } = await planned(api)
    assert.deepEqual(await outcome(api, { 'x-api-key': value }), FORBIDDEN)
    assert.deepEqual(await outcome(api, { 'key': 'unknown-unknown-unknown', 'x-api-key': value }), FORBIDDEN)
    await using client = await api.connect({ headers: { key: value } })
    assert.equal(await client.ask('which'), `{"id": "${keyId}"}`)
  })
})

describe('route settings', () => {
  test('throttle connections and messages, each route by its own', async () => {
    const api = await newSocketApi(server, {
      routes: { $connect: mock, $default: { ...mock, isTwoWay: true, responses: { $default: 'fine' } }, slow: { ...mock, isTwoWay: true, responses: { $default: 'slow' } } },
      stage: { DefaultRouteSettings: { ThrottlingBurstLimit: 2, ThrottlingRateLimit: 0.001 }, RouteSettings: { slow: { ThrottlingBurstLimit: 1, ThrottlingRateLimit: 0.001 } } },
    })
    await using client = await api.connect()
    assert.equal(await outcome(api), 200)
    assert.deepEqual(await outcome(api), TOO_MANY)
    assert.equal(await client.ask({ action: 'slow' }), 'slow')
    const refused = JSON.parse(await client.ask({ action: 'slow' }))
    assert.deepEqual([refused.message, Object.keys(refused)], ['Too Many Requests', ['message', 'connectionId', 'requestId']])
    assert.equal(await client.ask('any'), 'fine')
  })
})
