// What stands behind the routes of WebSocket APIs other than a function's proxy: tables of DynamoDB, servers, mocks, functions with templates.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { CreateTableCommand, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { functionArnOf } from '#test/support/http-api.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { newSocketApi, Refused } from '#test/support/websocket-api.ts'
import { deployNode } from '../lambda/deploy.ts'

interface Received { method: string, url: string, headers: IncomingHttpHeaders, body: string }

let server: TestServer
let backend: Server
let backendUrl = ''
const received: Received[] = []

before(async () => {
  server = await startServer()
  // Answers with the status that the path names.
  backend = createServer(async (incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming
    received.push({ method, url, headers, body: await text(incoming) })
    outgoing.writeHead(Number(/\/(\d{3})/.exec(url)?.[1] ?? 200), { 'Content-Type': 'application/json', 'X-Own': 'header' }).end(`{"heard":${received.length > 0}}`)
  }).listen(0, '127.0.0.1')
  await once(backend, 'listening')
  backendUrl = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`
})
after(async () => {
  backend.close()
  await server.close()
})

const mock = (template: string) => ({ IntegrationType: 'MOCK', RequestTemplates: { $default: template } } as const)
const action = (name: string, CredentialsArn: string, template: object) =>
  ({ IntegrationType: 'AWS', IntegrationMethod: 'POST', IntegrationUri: `arn:aws:apigateway:us-east-1:dynamodb:action/${name}`, CredentialsArn, RequestTemplates: { $default: JSON.stringify(template) } } as const)

describe('a table of DynamoDB behind a WebSocket API', () => {
  test('knows the connections, by templates and a role alone', async () => {
    const { dynamodb } = server
    const TableName = 'connections'
    await dynamodb.send(new CreateTableCommand({ TableName, BillingMode: 'PAY_PER_REQUEST', AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }], KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] }))
    const table = `arn:aws:dynamodb:us-east-1:000000000000:table/${TableName}`
    const writer = await server.role('writer', 'apigateway.amazonaws.com', [{ Effect: 'Allow', Action: ['dynamodb:PutItem', 'dynamodb:DeleteItem'], Resource: table }])
    const reader = await server.role('reader', 'apigateway.amazonaws.com', [{ Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: table }])
    const stranger = await server.role('stranger', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'dynamodb:*', Resource: '*' }])
    const id = { S: '$context.connectionId' }
    const put = { TableName, Item: { id, ip: { S: '$context.identity.sourceIp' }, name: { S: "$input.params('name')" } } }
    const say = { TableName, Item: { id, said: { S: "$input.path('$.text')" } } }
    const answers = { '$default': '{"unexpected": true}', '/2\\d{2}/': '{"stored": true}', '/4\\d{2}/': "{\"refused\": \"$input.path('$.__type').split('#')[1]\"}" }

    const { connect: turnedAway } = await newSocketApi(server, { routes: { $connect: action('PutItem', reader, put) } })
    await assert.rejects(turnedAway(), (error) => error instanceof Refused && error.status === 400)
    const { connect: distrusted } = await newSocketApi(server, { routes: { $connect: action('PutItem', stranger, put) } })
    await assert.rejects(distrusted(), (error) => error instanceof Refused && error.status === 500)

    const { connect } = await newSocketApi(server, {
      routes: {
        $connect: action('PutItem', writer, put),
        $disconnect: action('DeleteItem', writer, { TableName, Key: { id } }),
        $default: { ...mock('{"statusCode": 200}'), isTwoWay: true, responses: { $default: '$context.connectionId' } },
        say: { ...action('PutItem', writer, say), isTwoWay: true, responses: answers },
        whisper: { ...action('PutItem', reader, say), isTwoWay: true, responses: answers },
      },
    })
    const client = await connect({ query: 'name=Zo%C3%AB' })
    const connectionId = await client.ask('id')
    const stored = async () => (await dynamodb.send(new GetItemCommand({ TableName, Key: { id: { S: connectionId } } }))).Item
    assert.deepEqual(await stored(), { id: { S: connectionId }, ip: { S: '127.0.0.1' }, name: { S: 'Zoë' } })
    assert.equal(await client.ask({ action: 'whisper', text: 'psst' }), '{"refused": "AccessDeniedException"}')
    assert.equal(await client.ask({ action: 'say', text: 'hello' }), '{"stored": true}')
    assert.deepEqual(await stored(), { id: { S: connectionId }, said: { S: 'hello' } })
    await client[Symbol.asyncDispose]()
    while (await stored()) { /* $disconnect is told after the connection has gone */ }
  })
})

describe('a server behind a WebSocket API', () => {
  test('turns clients away by its status, and gets a handshake as it was', async () => {
    const proxy = (path: string) => ({ IntegrationType: 'HTTP_PROXY', IntegrationMethod: 'POST', IntegrationUri: `${backendUrl}${path}` } as const)
    const { connect: refused } = await newSocketApi(server, { routes: { $connect: proxy('/403') } })
    await assert.rejects(refused(), (error) => error instanceof Refused && error.status === 403)
    const { connect } = await newSocketApi(server, {
      routes: {
        $connect: { ...proxy('/connected'), RequestParameters: { 'integration.request.header.X-Connection': 'context.connectionId' } },
        $default: { ...proxy('/said'), isTwoWay: true, RequestParameters: { 'integration.request.querystring.what': 'route.request.body.what', 'integration.request.header.X-Stage': "'fixed'" } },
      },
    })
    received.length = 0
    await using client = await connect({ query: 'a=1&a=2', headers: { 'X-Own': 'yes' } })
    assert.equal(await client.ask({ what: 'a b' }), '{"heard":true}')
    const [connected, said] = received
    assert.deepEqual([connected!.method, connected!.url, connected!.headers['x-own'], connected!.headers['x-connection']?.length], ['POST', '/connected?a=1&a=2', 'yes', 16])
    assert.deepEqual([said!.url, said!.headers['x-stage'], said!.body], ['/said?what=a%20b', 'fixed', '{"what":"a b"}'])
  })

  test('is sent what a template makes, and answers through the response that its status selects', async () => {
    const http = (path: string, template: string) => ({
      IntegrationType: 'HTTP', IntegrationMethod: 'PUT', IntegrationUri: `${backendUrl}${path}`, TemplateSelectionExpression: '$request.body.kind', RequestTemplates: { $default: template, short: '{}' },
      isTwoWay: true, responses: { '$default': '"other"', '/5\\d{2}/': '{"failed": "$context.routeKey"}', '/200/': undefined },
    } as const)
    const { connect } = await newSocketApi(server, {
      routes: { good: http('/200', '{"text": $input.json(\'$.text\')}'), teapot: http('/418', 'x'), broken: http('/503', 'x') },
    })
    await using client = await connect()
    received.length = 0
    assert.equal(await client.ask({ action: 'good', text: 'hi' }), '{"heard":true}')
    assert.equal(await client.ask({ action: 'good', text: 'hi', kind: 'short' }), '{"heard":true}')
    assert.deepEqual(received.map(({ method, body }) => [method, body]), [['PUT', '{"text": "hi"}'], ['PUT', '{}']])
    assert.equal(await client.ask({ action: 'teapot' }), '"other"')
    assert.equal(await client.ask({ action: 'broken' }), '{"failed": "broken"}')
    const forbidden = JSON.parse(await client.ask({ action: 'none' }))
    assert.equal(forbidden.message, 'Forbidden')
  })
})

describe('a function behind templates', () => {
  test('is given what the template makes, and its error selects the response', async () => {
    await deployNode(server, 'sums', "export const handler = async ({ a, b }) => { if (typeof a !== 'number') throw new Error('Bad input: ' + a); return { sum: a + b } }")
    const sums = {
      IntegrationType: 'AWS', IntegrationMethod: 'POST', IntegrationUri: `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArnOf('sums')}/invocations`,
      RequestTemplates: { $default: '{"a": $input.json(\'$.a\'), "b": 1}' },
    } as const
    const { connect, permit } = await newSocketApi(server, {
      routes: {
        $default: { ...sums, isTwoWay: true, responses: { '$default': "$input.path('$.sum')", '/Bad.*/': "{\"why\": \"$input.path('$.errorMessage')\"}" } },
        later: { ...sums, isTwoWay: true, RequestParameters: { 'integration.request.header.X-Amz-Invocation-Type': "'Event'" }, responses: { '$default': '"accepted"' } },
      },
    })
    await using client = await connect()
    assert.equal(JSON.parse(await client.ask({ a: 1 })).message, 'Internal server error')
    await permit('sums')
    assert.equal(await client.ask({ a: 1 }), '2')
    assert.equal(await client.ask({ a: 'x' }), '{"why": "Bad input: x"}')
    assert.equal(await client.ask({ action: 'later', a: 1 }), '"accepted"')
  })
})

describe('a mock', () => {
  test('turns clients away, or answers by the response that its status selects', async () => {
    const { connect: refused } = await newSocketApi(server, { routes: { $connect: mock("{\"statusCode\": #if($input.params('in') == 'yes')200#{else}401#end}") } })
    await assert.rejects(refused(), (error) => error instanceof Refused && error.status === 401)
    await (await refused({ query: 'in=yes' }))[Symbol.asyncDispose]()
    const { connect } = await newSocketApi(server, {
      routes: {
        $default: { ...mock("{\"statusCode\": $input.path('$.status')}"), isTwoWay: true, responses: { '/4\\d{2}/': '{"no": "$context.messageId"}', '/200/': '{"yes": "$stageVariables.color"}' } },
        silent: { ...mock('{"statusCode": 200}'), responses: { $default: 'never sent' } },
      },
      stage: { StageVariables: { color: 'blue' } },
    })
    await using client = await connect()
    client.send({ action: 'silent' })
    assert.equal(await client.ask({ status: 200 }), '{"yes": "blue"}')
    assert.match(await client.ask({ status: 404 }), /^\{"no": "[\w-]{15}="\}$/)
    assert.equal(JSON.parse(await client.ask({ status: 301 })).message, 'Internal server error')
  })
})
