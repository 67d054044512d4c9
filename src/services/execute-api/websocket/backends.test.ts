// The backends of WebSocket APIs: what servers, functions and services are sent, and what becomes of those that do not answer.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { ServiceAnswer, ServiceCall } from '#aws/service-calls.ts'
import { headersFromRaw } from '#lib/http.ts'
import { HttpFailure, type IncomingAnswer, type OutgoingRequest } from '#lib/http-client.ts'
import { openSocket, refusedSocket } from '#test/support/web-socket-client.ts'
import { functionUri, socketSnapshot, startSocketGateway, stepsOf, toApi, type GivenSocketRoutes, type SocketGatewayGiven } from './websocket.testing.ts'

const messageOf = (text: string) => (JSON.parse(text) as { message: string }).message

/** A server that notes what it is sent. */
function server(answer: (request: OutgoingRequest) => Partial<Omit<IncomingAnswer, 'headers'>> & { headers?: string[] } = () => ({})) {
  const requests: OutgoingRequest[] = []
  return {
    requests,
    http: {
      send: async (request: OutgoingRequest): Promise<IncomingAnswer> => {
        requests.push(request)
        const { status = 200, body = Buffer.from('answered'), headers = [] } = answer(request)
        return { status, body, headers: headersFromRaw(headers) }
      },
      close() {},
    },
  }
}

const headersOf = ({ headers }: OutgoingRequest) => Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]))
const toServer = { integrationType: 'HTTP_PROXY', integrationMethod: 'POST', integrationUri: 'http://backend.example/{id}?fixed=1' } as const
const twoWay = (integration: GivenSocketRoutes[string]['integration'], responses?: GivenSocketRoutes[string]['responses']): GivenSocketRoutes =>
  ({ $default: { isTwoWay: true, ...integration && { integration }, ...responses && { responses } } })

async function talking(t: TestContext, routes: GivenSocketRoutes, given: SocketGatewayGiven) {
  const gateway = await startSocketGateway(t, socketSnapshot(routes), given)
  return { ...gateway, client: await openSocket(gateway.url, { headers: toApi }) }
}

describe('a server behind a route', () => {
  test('that does not answer, or is not there, is told of as a failure', async (t) => {
    const failing = (because: HttpFailure['because']) => ({ send: async () => { throw new HttpFailure(because, 'secret of the network') }, close() {} })
    for (const [because, message] of [['timeout', 'Endpoint request timed out'], ['network', 'Network error communicating with endpoint'], ['address', 'Internal server error'], ['untrusted', 'Internal server error'], ['too large', 'Internal server error']] as const) {
      const { client, errors } = await talking(t, twoWay({ ...toServer, integrationUri: 'http://backend.example/' }), { http: failing(because) })
      assert.equal(messageOf(await client.ask('x')), message, because)
      assert.deepEqual(errors, [])
    }
  })

  test('is not called at an address that a parameter is missing from', async (t) => {
    const { http, requests } = server()
    const { client } = await talking(t, twoWay(toServer), { http })
    assert.equal(messageOf(await client.ask('x')), 'Internal server error')
    assert.deepEqual(requests, [])
  })

  test('is not sent headers that API Gateway sets, whatever maps to them', async (t) => {
    for (const name of ['Content-Length', 'transfer-encoding', 'X-Amzn-Trace-Id']) {
      const { http, requests } = server()
      const { client } = await talking(t, twoWay({ ...toServer, integrationUri: 'http://backend.example/', requestParameters: { [`integration.request.header.${name}`]: "'7'" } }), { http })
      assert.equal(messageOf(await client.ask('x')), 'Internal server error', name)
      assert.deepEqual(requests, [])
    }
  })

  test('is not sent headers that concern the connection to it', async (t) => {
    const { http, requests } = server()
    const requestParameters = Object.fromEntries(['Connection', 'TE', 'Expect'].map((name) => [`integration.request.header.${name}`, "'x'"]))
    const { client } = await talking(t, twoWay({ ...toServer, integrationUri: 'http://backend.example/', requestParameters }), { http })
    assert.equal(await client.ask('x'), 'answered')
    assert.deepEqual(['connection', 'te', 'expect'].filter((name) => name in headersOf(requests[0]!)), [])
  })

  test('is sent the message, and what is mapped of it, of the context and of the stage', async (t) => {
    const { http, requests } = server()
    const { client, traces } = await talking(t, twoWay({ ...toServer, requestParameters: {
      'integration.request.path.id': 'route.request.body.id', 'integration.request.querystring.q': 'route.request.body.q', 'integration.request.querystring.none': 'route.request.body.none',
      'integration.request.header.connectionId': 'context.connectionId', 'integration.request.header.X-Color': 'stageVariables.color', 'integration.request.header.X-Fixed': "'fixed'",
      'integration.request.header.X-Client': 'route.request.header.User-Agent', 'integration.request.header.X-Body': 'route.request.body',
    } }), { http, stage: { stageVariables: { color: 'blue' } } })
    const message = JSON.stringify({ id: 'a b', q: 'x&y=secret' })
    assert.equal(await client.ask(message), 'answered')
    const [request] = requests
    assert.deepEqual([request!.method, request!.url, request!.body.toString(), request!.timeoutMs], ['POST', 'http://backend.example/a%20b?fixed=1&q=x%26y%3Dsecret', message, 29_000])
    const { 'connectionid': connectionId, 'x-amzn-trace-id': trace, ...headers } = headersOf(request!)
    assert.match(connectionId!, /^[\w-]{15}=$/)
    assert.match(trace!, /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/)
    assert.deepEqual(headers, { 'x-color': 'blue', 'x-fixed': 'fixed', 'x-body': message, 'accept': 'application/json', 'user-agent': 'AmazonAPIGateway_api123', 'content-type': 'application/json', 'x-amzn-apigateway-api-id': 'api123' })
    assert.doesNotMatch(JSON.stringify(traces), /secret/)
  })

  test('is asked for permission by a proxy with the headers and the query of the handshake, but for a signature', async (t) => {
    const { http, requests } = server(() => ({ status: 204, headers: ['Sec-WebSocket-Protocol', 'v1'] }))
    const gateway = await startSocketGateway(t, socketSnapshot({ $connect: { integration: { ...toServer, integrationMethod: 'GET', integrationUri: 'http://backend.example/' } } }), { http })
    await using client = await openSocket(`${gateway.url}?a=1&a=2`, { headers: { ...toApi, 'X-Own': 'x', 'Authorization': 'Bearer t', 'X-Amz-Security-Token': 's' }, protocols: ['v1'] })
    assert.equal(client.socket.protocol, 'v1')
    const [request] = requests
    assert.deepEqual([request!.method, request!.url, request!.body.length], ['GET', 'http://backend.example/?a=1&a=2', 0])
    const headers = headersOf(request!)
    assert.deepEqual([headers['x-own'], headers['sec-websocket-version'], headers['sec-websocket-protocol'], headers['authorization'], headers['x-amz-security-token'], headers['connection'], headers['upgrade'], headers['host']],
      ['x', '13', 'v1', 'Bearer t', undefined, undefined, undefined, undefined])
    await using signed = await openSocket(gateway.url, { headers: { ...toApi, Authorization: 'AWS4-HMAC-SHA256 Credential=x' }, protocols: ['v1'] })
    assert.ok(signed)
    assert.equal(headersOf(requests[1]!)['authorization'], undefined)
  })

  test('turns clients away by its status; a redirection is not followed', async (t) => {
    for (const status of [301, 401, 500]) {
      const { http } = server(() => ({ status, headers: ['Location', 'http://elsewhere.example/'] }))
      const { url } = await startSocketGateway(t, socketSnapshot({ $connect: { integration: { ...toServer, integrationUri: 'http://backend.example/' } } }), { http })
      assert.equal((await refusedSocket(url, { headers: toApi })).status, status)
    }
  })

  test('that is no proxy\'s is sent nothing of the handshake but what is mapped', async (t) => {
    const { http, requests } = server()
    const integration = { ...toServer, integrationType: 'HTTP', integrationUri: 'http://backend.example/', requestParameters: { 'integration.request.header.X-Token': 'route.request.querystring.token', 'integration.request.multivaluequerystring.all': 'route.request.multivaluequerystring.a' } } as const
    const gateway = await startSocketGateway(t, socketSnapshot({ $connect: { integration, responses: { $default: {} } } }), { http })
    await using client = await openSocket(`${gateway.url}?token=t&a=1&a=2`, { headers: { ...toApi, 'X-Own': 'x' } })
    assert.ok(client)
    assert.equal(requests[0]!.url, 'http://backend.example/?all=1&all=2')
    assert.deepEqual([headersOf(requests[0]!)['x-token'], headersOf(requests[0]!)['x-own']], ['t', undefined])
  })

  test('is answered for by the response that fits its status, and as it is by a proxy', async (t) => {
    const { http } = server(({ url }) => ({ status: Number(new URL(url).searchParams.get('status')), body: Buffer.from('own words') }))
    const integration = { ...toServer, integrationUri: 'http://backend.example/', requestParameters: { 'integration.request.querystring.status': 'route.request.body.status' } } as const
    const ask = async (routes: GivenSocketRoutes, status: number) => (await talking(t, routes, { http })).client.ask({ status })
    const responses = { '/4\\d\\d/': { responseTemplates: { $default: 'refused' } }, '$default': { responseTemplates: { $default: 'fine' } } }
    assert.equal(await ask(twoWay({ ...integration, integrationType: 'HTTP' }, responses), 404), 'refused')
    assert.equal(await ask(twoWay({ ...integration, integrationType: 'HTTP' }, responses), 200), 'fine')
    assert.equal(await ask(twoWay(integration, responses), 404), 'own words')
  })
})

describe('a function behind a route', () => {
  test('is invoked for the route, in the stage\'s own variables\' name', async (t) => {
    const { client, invocations } = await talking(t, { chat: { isTwoWay: true, integration: { integrationUri: functionUri('${stageVariables.name}:live') } } }, { stage: { stageVariables: { name: 'chat' } }, invoke: () => ({ body: 'ok' }) })
    assert.equal(await client.ask({ action: 'chat' }), 'ok')
    const [{ functionArn, sourceArn, type, caller }] = invocations as [typeof invocations[number]]
    assert.deepEqual([functionArn, sourceArn, type, caller.arn], ['arn:aws:lambda:us-east-1:111111111111:function:chat:live', 'arn:aws:execute-api:us-east-1:111111111111:api123/prod/chat', 'RequestResponse', 'apigateway.amazonaws.com'])
  })

  test('is invoked as an event where the mapping says so, and answered for with 202', async (t) => {
    const requestParameters = { 'integration.request.header.X-Amz-Invocation-Type': "'Event'" }
    const { client, invocations, settled } = await talking(t, twoWay({ integrationType: 'AWS', requestParameters }, { $default: { responseTemplates: { $default: 'kept' } } }), {})
    assert.equal(await client.ask('{"a":1}'), 'kept')
    assert.deepEqual([invocations[0]!.type, invocations[0]!.payload.toString()], ['Event', '{"a":1}'])
    assert.equal(stepsOf(await settled('$default'), 'integration')[0]!['status'], 202)
  })

  test('is not invoked in a way that is not known', async (t) => {
    const { client, invocations } = await talking(t, twoWay({ integrationType: 'AWS', requestParameters: { 'integration.request.header.X-Amz-Invocation-Type': "'DryRun'" } }, { $default: {} }), {})
    assert.equal(messageOf(await client.ask('{}')), 'Internal server error')
    assert.deepEqual(invocations, [])
  })

  test('is not invoked where the address names none, or with a role that is not there', async (t) => {
    for (const integration of [{ integrationUri: 'https://example.com' }, { credentialsArn: 'arn:aws:iam::111111111111:role/gone' }]) {
      const { client, invocations } = await talking(t, twoWay(integration), {})
      assert.equal(messageOf(await client.ask('{}')), 'Internal server error')
      assert.deepEqual(invocations, [])
    }
  })
})

describe('a service behind a route', () => {
  const credentialsArn = 'arn:aws:iam::111111111111:role/caller'
  const role = { accountId: '111111111111', roleId: 'AROA1', name: 'caller', arn: credentialsArn }
  const roles = (isTrusting: boolean): NonNullable<SocketGatewayGiven['roles']> => ({
    findRole: async (arn) => arn === credentialsArn ? role as never : undefined, isTrusting: () => isTrusting,
    issue: async () => ({ accessKeyId: 'ASIA1', secretAccessKey: 'secret', sessionToken: 'secret', expiresAtMs: Date.now() + 3_600_000 }) as never,
  })
  const put = { integrationType: 'AWS', integrationMethod: 'POST', integrationUri: 'arn:aws:apigateway:us-east-1:dynamodb:action/PutItem', credentialsArn, requestTemplates: { $default: '{"Item": $input.json("$.item")}' } } as const
  const responses = { '/4\\d\\d/': { responseTemplates: { $default: 'refused' } }, '$default': { responseTemplates: { $default: 'stored' } } }

  async function calling(t: TestContext, integration: GivenSocketRoutes[string]['integration'], { isTrusting = true, answer = async () => ({ status: 200, headers: {}, body: Buffer.from('{}') }) }: { isTrusting?: boolean, answer?: (call: ServiceCall) => Promise<ServiceAnswer> } = {}) {
    const calls: ServiceCall[] = []
    const services = { serves: (service: string) => service === 'dynamodb', call: (call: ServiceCall) => {
      calls.push(call)
      return answer(call)
    } }
    return { ...await talking(t, twoWay(integration, responses), { services, roles: roles(isTrusting) }), calls }
  }

  test('is not called without a role, with one that is not there or does not trust API Gateway, or when it is not here', async (t) => {
    const { credentialsArn: _role, ...without } = put
    const cases = [[without, {}], [{ ...put, credentialsArn: `${credentialsArn}2` }, {}], [put, { isTrusting: false }], [{ ...put, integrationUri: 'arn:aws:apigateway:nothing' }, {}]] as const
    for (const [integration, given] of cases) {
      const { client, calls } = await calling(t, integration, given)
      assert.equal(messageOf(await client.ask('{"item":1}')), 'Internal server error')
      assert.deepEqual(calls, [])
    }
    const { client } = await calling(t, { ...put, integrationUri: 'arn:aws:apigateway:us-east-1:sqs:path/1/queue' })
    assert.match(messageOf(await client.ask('{"item":1}')), /integrations with sqs \(path\) are not served/)
  })

  test('is called in the name of the role, with what the template made', async (t) => {
    const { client, calls, traces } = await calling(t, put)
    assert.equal(await client.ask('{"item":{"id":"7"}}'), 'stored')
    const [{ service, region, target, method, body, caller }] = calls as [ServiceCall]
    assert.deepEqual([service, region, target, method, body.toString(), caller.arn],
      ['dynamodb', 'us-east-1', { action: 'PutItem' }, 'POST', '{"Item": {"id":"7"}}', 'arn:aws:sts::111111111111:assumed-role/caller/BackplaneAssumeRoleSession'])
    assert.doesNotMatch(JSON.stringify(traces), /secret/)
  })

  test('answers for its refusals by a response that fits', async (t) => {
    const { client } = await calling(t, put, { answer: async () => ({ status: 400, headers: {}, body: Buffer.from('{}') }) })
    assert.equal(await client.ask('{"item":1}'), 'refused')
  })

  test('that does not answer in time is a failure', async (t) => {
    const { client } = await calling(t, { ...put, timeoutInMillis: 50 }, { answer: () => new Promise(() => {}) })
    assert.equal(messageOf(await client.ask('{"item":1}')), 'Endpoint request timed out')
  })
})
