// HTTP APIs before another server, and what they do themselves: mappings, cross-origin requests, throttles, access logs.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { DeleteCorsConfigurationCommand, UpdateApiCommand, UpdateStageCommand } from '@aws-sdk/client-apigatewayv2'
import { CreateLogGroupCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { rawRequest, sendRaw, signRaw } from '#test/support/raw-request.ts'
import { newHttpApi, serverIntegration, type HttpApiGiven, type TestHttpApi } from '#test/support/http-api.ts'
import { startServer, type TestServer } from '#test/support/server.ts'

interface Sent {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: string
}

interface World extends TestHttpApi {
  server: TestServer
  /** What the backend was sent last. */
  sent(): Sent
}

/**
 * A backend that answers 200 with a header and JSON, whatever status a query asks for, or nothing at all. `{backend}` in a route's URI stands for it.
 */
async function start(t: TestContext, given: HttpApiGiven): Promise<World> {
  let sent: Sent | undefined
  const backend = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      sent = { method: incoming.method!, url: incoming.url!, headers: incoming.headers, body: Buffer.concat(chunks).toString() }
      const { searchParams } = new URL(incoming.url!, 'http://x')
      if (searchParams.has('silent')) return
      outgoing.writeHead(Number(searchParams.get('status') ?? 200), {
        'Content-Type': 'application/json', 'X-Backend': 'one', 'Set-Cookie': ['a=1', 'b=2'], 'Access-Control-Allow-Origin': 'https://backend.example', Vary: 'Accept',
      }).end('{"pet":{"name":"rex","tags":["a","b"]}}')
    })
  }).listen(0, '127.0.0.1')
  t.after(() => {
    backend.closeAllConnections()
    backend.close()
  })
  await once(backend, 'listening')
  const origin = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`
  const server = await startServer(t)
  const routes = Object.fromEntries(Object.entries(given.routes).map(([key, route]) => [key, { ...route, IntegrationUri: route.IntegrationUri!.replace('{backend}', origin) }]))
  const api = await newHttpApi(server, { ...given, routes })
  return { ...api, server, sent: () => sent! }
}

describe('an HTTP API before another server', () => {
  const routes = {
    'ANY /any/{proxy+}': serverIntegration('{backend}/base/{proxy}'),
    'GET /fixed': serverIntegration('{backend}/fixed?own=1', { IntegrationMethod: 'POST' }),
    'GET /short': serverIntegration('{backend}/x', { TimeoutInMillis: 100 }),
    'GET /closed': serverIntegration('http://127.0.0.1:1/'),
    'GET /signed': { ...serverIntegration('{backend}/'), route: { AuthorizationType: 'AWS_IAM' as const } },
  }

  test('answers 503 where the server does not, in time or at all', async (t) => {
    const { call } = await start(t, { routes })
    for (const target of ['/short?silent=1', '/closed']) {
      const { status, text } = await call('GET', target)
      assert.deepEqual([status, text], [503, '{"message":"Service Unavailable"}'], target)
    }
  })

  test('passes method, path, query, headers and body on, and the answer back', async (t) => {
    const { call, sent, host } = await start(t, { routes })
    const { status, text, headers } = await call('PATCH', '/any/a%20b/c?x=1&x=2&y=%26', { headers: { 'X-Own': 'mine', Cookie: 'c=1', 'X-Forwarded-For': '198.51.100.7', 'Content-Type': 'text/plain' }, body: 'hello' })
    assert.deepEqual([status, text, headers['x-backend'], headers['set-cookie']], [200, '{"pet":{"name":"rex","tags":["a","b"]}}', 'one', 'a=1, b=2'])
    assert.match(headers['apigw-requestid']!, /=$/)
    const { method, url, body, headers: got } = sent()
    assert.deepEqual([method, url, body], ['PATCH', '/base/a%20b/c?x=1&x=2&y=%26', 'hello'])
    assert.equal(got['x-own'], 'mine')
    assert.equal(got.cookie, 'c=1')
    assert.equal(got.via, 'HTTP/1.1 AmazonAPIGateway')
    assert.match(String(got.forwarded), new RegExp(`^by=[\\d.]+;for=.*;host=${host.replace(/:\d+$/, '')};proto=http$`))
    for (const name of ['x-forwarded-for', 'x-forwarded-port', 'x-forwarded-proto']) assert.ok(!(name in got), name)
    assert.match(String(got['x-amzn-trace-id']), /^Root=1-/)
    await call('GET', '/fixed?z=1')
    assert.deepEqual([sent().method, sent().url], ['POST', '/fixed?own=1&z=1'])
    assert.equal((await call('GET', '/any/x?status=404')).status, 404)
    assert.equal((await call('GET', '/any/x?status=302')).status, 302)
  })

  test('takes signatures like any other', async (t) => {
    const { server, call, host } = await start(t, { routes })
    const { status, text } = await call('GET', '/signed')
    assert.deepEqual([status, text], [403, '{"message":"Forbidden"}'])
    const request = rawRequest({ method: 'GET', target: '/signed', host })
    assert.equal((await sendRaw(signRaw(request, { credentials: server.credentials, service: 'execute-api' }), server)).status, 200)
  })
})

describe('parameter mappings', () => {
  const RequestParameters = {
    'append:header.x-added': '$request.header.x-own', 'overwrite:header.x-own': 'static', 'remove:header.x-gone': "''", 'append:querystring.stage': '$stageVariables.color',
    'overwrite:querystring.id': '$request.path.id', 'remove:querystring.q': "''", 'overwrite:header.x-context': '${context.httpMethod}:${context.stage}',
    'overwrite:header.x-name': '$request.body.pet.name', 'overwrite:path': '/mapped/${request.path.id}', 'append:header.x-nothing': '$request.header.not-there',
  }
  const ResponseParameters = {
    200: { 'append:header.x-added': '$response.body.pet.name', 'overwrite:header.x-backend': '$context.apiId', 'remove:header.set-cookie': "''" },
    404: { 'overwrite:statuscode': '410', 'overwrite:header.x-status': '$response.header.x-backend' },
  }

  test('change what the backend gets and what the client gets', async (t) => {
    const { ApiId, call, sent } = await start(t, {
      routes: { 'POST /pets/{id}': serverIntegration('{backend}/a', { RequestParameters, ResponseParameters }) }, stages: { $default: { StageVariables: { color: 'blue' } } },
    })
    const { status, headers } = await call('POST', '/pets/7?q=1&id=8&other=2', { headers: { 'X-Own': 'mine', 'X-Gone': 'x', 'Content-Type': 'application/json' }, body: '{"pet":{"name":"tom"}}' })
    const { url, headers: got } = sent()
    assert.equal(url, '/mapped/7?id=7&other=2&stage=blue')
    assert.deepEqual([got['x-added'], got['x-own'], got['x-gone'], got['x-name'], got['x-nothing']], ['mine', 'static', undefined, 'tom', undefined])
    assert.equal(got['x-context'], 'POST:$default')
    assert.deepEqual([status, headers['x-added'], headers['x-backend'], headers['set-cookie']], [200, 'rex', ApiId, undefined])
    const refused = await call('POST', '/pets/7?status=404')
    assert.deepEqual([refused.status, refused.headers['x-status'], refused.headers['set-cookie']], [410, 'one', 'a=1, b=2'])
    assert.equal((await call('POST', '/pets/7?status=500')).status, 500)
  })
})

describe('cross-origin requests', () => {
  const CorsConfiguration = { AllowOrigins: ['https://shop.example', 'http://*'], AllowMethods: ['GET', 'POST'], AllowHeaders: ['content-type', 'x-own'], ExposeHeaders: ['x-backend'], MaxAge: 300, AllowCredentials: true }
  const preflight = (Origin: string) => ({ headers: { Origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' } })
  const corsOf = (headers: Record<string, string>) => Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')))

  test('are answered by the gateway: preflights without a route, and headers on every answer', async (t) => {
    const { call } = await start(t, { api: { CorsConfiguration }, routes: { 'GET /pets': serverIntegration('{backend}/') } })
    const allowed = await call('OPTIONS', '/anything', preflight('https://shop.example'))
    assert.deepEqual([allowed.status, allowed.text], [204, ''])
    assert.deepEqual(corsOf(allowed.headers), {
      'access-control-allow-origin': 'https://shop.example', 'access-control-allow-methods': 'GET,POST', 'access-control-allow-headers': 'content-type,x-own', 'access-control-max-age': '300',
      'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'x-backend',
    })
    const refused = await call('OPTIONS', '/pets', preflight('https://evil.example'))
    assert.deepEqual([refused.status, corsOf(refused.headers)], [204, {}])
    const own = { 'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'x-backend' }
    const { headers } = await call('GET', '/pets', { headers: { Origin: 'http://any.example' } })
    assert.deepEqual(corsOf(headers), { 'access-control-allow-origin': 'http://any.example', ...own })
    assert.equal(headers['vary'], 'Accept, Origin')
    assert.deepEqual(corsOf((await call('GET', '/pets', { headers: { Origin: 'https://evil.example' } })).headers), {})
    const missing = await call('GET', '/nothing', { headers: { Origin: 'https://shop.example' } })
    assert.deepEqual([missing.status, corsOf(missing.headers)], [404, { 'access-control-allow-origin': 'https://shop.example', ...own }])
  })

  test('are the backend\'s affair without a configuration', async (t) => {
    const { server: { apigatewayv2 }, ApiId, call } = await start(t, { api: { CorsConfiguration: { AllowOrigins: ['*'] } }, routes: { 'ANY /pets': serverIntegration('{backend}/') } })
    const origin = { headers: { Origin: 'https://shop.example' } }
    assert.deepEqual(corsOf((await call('GET', '/pets', origin)).headers), { 'access-control-allow-origin': '*' })
    await apigatewayv2.send(new DeleteCorsConfigurationCommand({ ApiId }))
    assert.deepEqual(corsOf((await call('GET', '/pets', origin)).headers), { 'access-control-allow-origin': 'https://backend.example' })
    const { status, headers } = await call('OPTIONS', '/pets', preflight('https://shop.example'))
    assert.deepEqual([status, headers['x-backend']], [200, 'one'])
    assert.equal((await call('OPTIONS', '/none', preflight('https://shop.example'))).status, 404)
    await apigatewayv2.send(new UpdateApiCommand({ ApiId, CorsConfiguration: { AllowOrigins: ['https://shop.example'] } }))
    assert.equal((await call('OPTIONS', '/none', preflight('https://shop.example'))).status, 204)
  })
})

describe('a stage of an HTTP API', () => {
  test('throttles its routes, each by its own settings', async (t) => {
    const { server: { apigatewayv2 }, ApiId, call } = await start(t, { routes: { 'GET /pets': serverIntegration('{backend}/'), 'GET /free': serverIntegration('{backend}/') } })
    await apigatewayv2.send(new UpdateStageCommand({ ApiId, StageName: '$default', RouteSettings: { 'GET /pets': { ThrottlingBurstLimit: 2, ThrottlingRateLimit: 0.01 } } }))
    const statuses = []
    for (let count = 0; count < 4; count++) statuses.push((await call('GET', '/pets')).status)
    assert.deepEqual(statuses, [200, 200, 429, 429])
    assert.equal((await call('GET', '/pets')).text, '{"message":"Too Many Requests"}')
    assert.equal((await call('GET', '/free')).status, 200)
  })

  test('writes a line for each request in its own format', async (t) => {
    const { server, ApiId, call } = await start(t, { routes: { 'GET /pets/{id}': serverIntegration('{backend}/'), 'GET /signed': { ...serverIntegration('{backend}/'), route: { AuthorizationType: 'AWS_IAM' } } } })
    await server.logs.send(new CreateLogGroupCommand({ logGroupName: 'access' }))
    const Format = ['requestId', 'routeKey', 'httpMethod', 'path', 'stage', 'status', 'protocol', 'identity.sourceIp', 'integrationStatus', 'error.message', 'responseLength', 'domainName', 'authorizer.claims.sub']
      .map((name) => `$context.${name}`).join(' ')
    await server.apigatewayv2.send(new UpdateStageCommand({ ApiId, StageName: '$default', AccessLogSettings: { DestinationArn: 'arn:aws:logs:us-east-1:000000000000:log-group:access', Format } }))
    const called = [await call('GET', '/pets/7'), await call('GET', '/nothing'), await call('GET', '/signed')]
    const ids = called.map(({ headers }) => headers['apigw-requestid'])
    const lines = async (): Promise<string[]> => ((await server.logs.send(new FilterLogEventsCommand({ logGroupName: 'access' }))).events ?? []).map(({ message }) => message!)
    for (let tries = 0; tries < 60 && (await lines()).length < 3; tries++) await new Promise((done) => setTimeout(done, 50))
    const domain = `${ApiId}.execute-api.us-east-1.localhost`
    assert.deepEqual((await lines()).toSorted(), [
      `${ids[0]} GET /pets/{id} GET /pets/7 $default 200 HTTP/1.1 127.0.0.1 200 - 39 ${domain} -`,
      `${ids[1]} - GET /nothing $default 404 HTTP/1.1 127.0.0.1 - Not Found 23 ${domain} -`,
      `${ids[2]} GET /signed GET /signed $default 403 HTTP/1.1 127.0.0.1 - Forbidden 23 ${domain} -`,
    ].toSorted())
  })
})
