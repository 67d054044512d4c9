// Lambda authorizers of WebSocket APIs: who is asked about, what the function is told, and what later events say of its answer.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { GetRoutesCommand, UpdateAuthorizerCommand, UpdateRouteCommand } from '@aws-sdk/client-apigatewayv2'
import { functionArnOf } from '#test/support/http-api.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { newSocketApi, Refused, type SocketApiGiven, type TestSocketApi } from '#test/support/websocket-api.ts'
import { deployNode } from '../lambda/deploy.ts'

/** Answers as the header `answer` says, and tells the test what it was asked. */
const keeper = `export const handler = async (event) => {
  await fetch(process.env.TOLD, { method: 'POST', body: JSON.stringify({ asked: event }) })
  const answer = event.headers.answer ?? 'Allow'
  if (answer === 'Unauthorized') throw new Error('Unauthorized')
  if (answer === 'fail') throw new Error('no')
  if (answer === 'malformed') return { isAuthorized: true }
  if (answer === 'array') return { ...policy('Allow', event.methodArn), context: { list: [1] } }
  if (answer.startsWith('arn:')) return policy('Allow', answer)
  return policy(answer, event.methodArn)
}
const policy = (Effect, Resource) => ({
  principalId: 'me', context: { team: 'blue', age: 7, isOld: false }, policyDocument: { Version: '2012-10-17', Statement: [{ Effect, Action: 'execute-api:Invoke', Resource }] },
})`

const listener = `export const handler = async (event) => {
  await fetch(process.env.TOLD, { method: 'POST', body: JSON.stringify({ told: event }) })
  return { statusCode: 200, body: 'heard' }
}`

let server: TestServer
let notes: Server
const told: { asked?: any, told?: any }[] = []
let toldMore = () => {}

before(async () => {
  notes = createServer(async (incoming, outgoing) => {
    told.push(JSON.parse(await text(incoming)))
    outgoing.end()
    toldMore()
  }).listen(0, '127.0.0.1')
  await once(notes, 'listening')
  server = await startServer()
  const Environment = { Variables: { TOLD: `http://127.0.0.1:${(notes.address() as AddressInfo).port}/` } }
  await Promise.all([deployNode(server, 'keeper', keeper, { Environment }), deployNode(server, 'listener', listener, { Environment })])
})
after(async () => {
  notes.close()
  await server.close()
})

const AuthorizerUri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArnOf('keeper')}/invocations`
const heard = { IntegrationType: 'AWS_PROXY', IntegrationUri: functionArnOf('listener') } as const

async function kept(IdentitySource: string[], stage: SocketApiGiven['stage'] = {}): Promise<TestSocketApi> {
  const api = await newSocketApi(server, {
    authorizers: { keeper: { AuthorizerType: 'REQUEST', AuthorizerUri, IdentitySource } },
    routes: { $connect: { ...heard, route: { AuthorizationType: 'CUSTOM', authorizer: 'keeper' } }, $disconnect: heard, $default: { ...heard, isTwoWay: true } },
    stage,
  })
  await Promise.all([api.permit('keeper'), api.permit('listener')])
  told.length = 0
  return api
}

/** Status, message and type. */
async function refusal(connecting: Promise<AsyncDisposable>): Promise<unknown> {
  const refused = await connecting.then(() => assert.fail('connected'), (error: unknown) => error)
  assert.ok(refused instanceof Refused, String(refused))
  const { message, connectionId, requestId } = JSON.parse(refused.body)
  assert.deepEqual([connectionId.length, requestId.length], [16, 16])
  return [refused.status, message, refused.headers['x-amzn-errortype']]
}

const UNAUTHORIZED = [401, 'Unauthorized', 'UnauthorizedException']
const ERROR = [500, null, 'AuthorizerConfigurationException']

describe('a Lambda authorizer of $connect', () => {
  test('is not asked about a client without each of its identity sources', async () => {
    const { connect } = await kept(['route.request.header.Auth', 'route.request.querystring.token', 'stageVariables.color', 'context.identity.sourceIp'], { StageVariables: { color: 'blue' } })
    for (const { query = '', headers = {} } of [{}, { headers: { Auth: 'x' } }, { query: 'token=x' }, { query: 'token=', headers: { Auth: 'x' } }, { query: 'Token=x', headers: { Auth: 'x' } }, { query: 'token=x', headers: { Auth: '' } }]) {
      assert.deepEqual(await refusal(connect({ query, headers })), UNAUTHORIZED)
    }
    assert.deepEqual(told, [])
    await using _client = await connect({ query: 'token=x', headers: { auth: 'x' } })
    for (const source of ['stageVariables.shape', 'context.authorizer.principalId', 'context.connectionName']) {
      const other = await kept([source], { StageVariables: { color: 'blue' } })
      assert.deepEqual(await refusal(other.connect()), UNAUTHORIZED)
      assert.deepEqual(told, [])
    }
  })

  test('refuses by its policy, by Unauthorized, and by failing; the function behind is not invoked', async () => {
    const { connect, ApiId } = await kept([])
    const said = (answer: string) => refusal(connect({ headers: { answer } }))
    const arn = `arn:aws:execute-api:us-east-1:000000000000:${ApiId}`
    assert.deepEqual(await said('Unauthorized'), UNAUTHORIZED)
    assert.deepEqual(await said('Deny'), [403, 'User is not authorized to access this resource with an explicit deny in an identity-based policy', 'AccessDeniedException'])
    for (const answer of [`${arn}/dev/$connect`, `${arn}/prod/$default`, `${arn}/prod/GET/$connect`, arn.replace('us-east-1', 'eu-west-1')]) {
      assert.deepEqual(await said(answer), [403, 'User is not authorized to access this resource', 'AccessDeniedException'])
    }
    for (const answer of ['fail', 'malformed', 'array']) assert.deepEqual(await said(answer), ERROR)
    assert.equal(told.filter((one) => one.told).length, 0)
    for (const answer of ['Allow', `${arn}/*`, `${arn}/prod/$connect`, `${arn}/*/$connect`]) await (await connect({ headers: { answer } }))[Symbol.asyncDispose]()
  })

  test('that may not be invoked, or is not there, lets nobody in', async () => {
    const { connect, ApiId, deploy } = await newSocketApi(server, {
      authorizers: { keeper: { AuthorizerType: 'REQUEST', AuthorizerUri, IdentitySource: [] } },
      routes: { $connect: { IntegrationType: 'MOCK', RequestTemplates: { $default: '{"statusCode": 200}' }, route: { AuthorizationType: 'CUSTOM', authorizer: 'keeper' } } },
    })
    assert.deepEqual(await refusal(connect()), ERROR)
    const { Items: [route] = [] } = await server.apigatewayv2.send(new GetRoutesCommand({ ApiId }))
    await server.apigatewayv2.send(new UpdateAuthorizerCommand({ ApiId, AuthorizerId: route!.AuthorizerId, AuthorizerUri: AuthorizerUri.replace(':keeper/', ':nobody/') }))
    await deploy()
    assert.deepEqual(await refusal(connect()), ERROR)
  })

  test('is told who connects, and later events of the connection tell what it answered', async () => {
    const { connect, ApiId } = await kept(['route.request.querystring.token'], { StageVariables: { color: 'blue' } })
    const client = await connect({ query: 'token=secret&token=other', headers: { 'X-Own': 'yes' } })
    await client.ask('hello')
    const ended = new Promise<void>((resolve) => { toldMore = () => { if (told.length === 4) resolve() } })
    client.socket.close(1000, 'bye')
    await ended
    const [{ asked } = {}, ...events] = told
    assert.partialDeepStrictEqual(asked, {
      type: 'REQUEST', methodArn: `arn:aws:execute-api:us-east-1:000000000000:${ApiId}/prod/$connect`, headers: { 'X-Own': 'yes' },
      queryStringParameters: { token: 'other' }, multiValueQueryStringParameters: { token: ['secret', 'other'] }, stageVariables: { color: 'blue' },
      requestContext: { routeKey: '$connect', eventType: 'CONNECT', stage: 'prod', apiId: ApiId, identity: { sourceIp: '127.0.0.1' } },
    })
    assert.equal(asked.requestContext.authorizer, undefined)
    assert.deepEqual(events.map(({ told: { requestContext: { eventType, routeKey, authorizer: { integrationLatency, ...authorizer } } } }) => [eventType, routeKey, typeof integrationLatency, authorizer]), [
      ['CONNECT', '$connect', 'number', { principalId: 'me', team: 'blue', age: '7', isOld: 'false' }],
      ['MESSAGE', '$default', 'undefined', { principalId: 'me', team: 'blue', age: '7', isOld: 'false' }],
      ['DISCONNECT', '$disconnect', 'undefined', { principalId: 'me', team: 'blue', age: '7', isOld: 'false' }],
    ])
    const { requestContext } = events[2]!.told
    assert.deepEqual([requestContext.disconnectStatusCode, requestContext.disconnectReason, requestContext.connectionId], [1000, 'bye', asked.requestContext.connectionId])
  })

  test('is asked every time, and until a deployment says otherwise', async () => {
    const { connect, ApiId, deploy } = await kept([])
    for (let count = 0; count < 2; count++) await (await connect())[Symbol.asyncDispose]()
    assert.equal(told.filter(({ asked }) => asked).length, 2)
    const { Items = [] } = await server.apigatewayv2.send(new GetRoutesCommand({ ApiId }))
    const { RouteId } = Items.find(({ RouteKey }) => RouteKey === '$connect')!
    await server.apigatewayv2.send(new UpdateRouteCommand({ ApiId, RouteId, AuthorizationType: 'NONE' }))
    assert.deepEqual(await refusal(connect({ headers: { answer: 'Unauthorized' } })), UNAUTHORIZED)
    await deploy()
    await (await connect({ headers: { answer: 'Unauthorized' } }))[Symbol.asyncDispose]()
    await server.apigatewayv2.send(new UpdateRouteCommand({ ApiId, RouteId, AuthorizationType: 'AWS_IAM' }))
    await deploy()
    assert.deepEqual(await refusal(connect()), [403, 'Missing Authentication Token', 'MissingAuthenticationTokenException'])
  })
})
