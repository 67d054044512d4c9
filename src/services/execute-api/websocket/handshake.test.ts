// Handshakes of WebSocket APIs: whom `$connect` turns away and how, and which subprotocol the others get.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { AwsError } from '#aws/errors.ts'
import type { V2ApiSnapshot } from '#services/apigatewayv2/index.ts'
import { openSocket, refusedSocket, type Refused } from '#test/support/web-socket-client.ts'
import { FunctionFails, socketSnapshot, startSocketGateway, stepsOf, toApi, type GivenSocketRoutes, type SocketGatewayGiven } from './websocket.testing.ts'

const before = (t: TestContext, $connect: GivenSocketRoutes[string], given: SocketGatewayGiven = {}, api: Partial<V2ApiSnapshot> = {}) =>
  startSocketGateway(t, socketSnapshot({ $connect, $disconnect: {}, $default: { isTwoWay: true } }, { api }), given)

const ownBody = ({ body, headers }: Refused) => {
  const { message, connectionId, requestId, ...rest } = JSON.parse(body) as Record<string, unknown>
  assert.match(String(connectionId), /^[\w-]{15}=$/)
  assert.equal(requestId, headers['x-amzn-requestid'])
  assert.deepEqual([headers['content-type'], rest], ['application/json', {}])
  return message
}

describe('a handshake is refused', () => {
  const to = async (t: TestContext, target: (url: string) => string, api: Partial<V2ApiSnapshot> = {}) => {
    const gateway = await before(t, {}, {}, api)
    const refused = await refusedSocket(target(gateway.url), { headers: toApi })
    assert.deepEqual(gateway.invocations, [])
    return [refused.status, ownBody(refused), refused.headers['x-amzn-errortype']]
  }
  const forbidden = [403, 'Forbidden', 'ForbiddenException']

  test('on a stage that is not there', async (t) => { assert.deepEqual(await to(t, (url) => url.replace('/prod', '/other')), forbidden) })
  test('without a stage', async (t) => { assert.deepEqual(await to(t, (url) => url.replace('/prod', '/')), forbidden) })
  test('below the stage', async (t) => { assert.deepEqual(await to(t, (url) => `${url}/chat`), forbidden) })
  test('of an API that answers at its domains only', async (t) => { assert.deepEqual(await to(t, (url) => url, { disableExecuteApiEndpoint: true }), forbidden) })

  test('when nothing is deployed', async (t) => {
    const gateway = await before(t, {})
    gateway.deploy(undefined)
    assert.equal((await refusedSocket(gateway.url, { headers: toApi })).status, 403)
  })

  test('when it is none: a plain request is asked to upgrade at every path of a stage', async (t) => {
    const { pathUrl, invocations } = await before(t, {})
    const get = async (path: string) => {
      const answer = await fetch(new URL(path, pathUrl.replace('ws:', 'http:')))
      return [answer.status, (await answer.json() as { message: string }).message, answer.headers.get('upgrade')]
    }
    for (const path of ['prod', 'prod/', 'prod/chat', 'prod/chat/1']) assert.deepEqual(await get(path), [426, 'Upgrade Required', 'websocket'], path)
    assert.deepEqual(await get('other'), [403, 'Forbidden', null])
    assert.deepEqual(invocations, [])
  })
})

describe('the function of $connect turns a client away', () => {
  const refusedBy = async (t: TestContext, invoke: SocketGatewayGiven['invoke'], integration: GivenSocketRoutes[string]['integration'] = {}) => {
    const gateway = await before(t, { integration }, { invoke })
    const refused = await refusedSocket(gateway.url, { headers: toApi })
    const { facts } = await gateway.settled('$connect')
    assert.deepEqual([facts.status, gateway.errors], [refused.status, []])
    return refused
  }
  const ownStatus = async (...given: Parameters<typeof refusedBy>) => {
    const refused = await refusedBy(...given)
    assert.equal(ownBody(refused), refused.status === 504 ? 'Endpoint request timed out' : 'Internal server error')
    return refused.status
  }

  test('by any status but one from 200 to 299', async (t) => {
    for (const statusCode of [300, 302, 400, 401, 403, 404, 418, 500, 503]) {
      const { status, body } = await refusedBy(t, () => ({ statusCode, body: 'why' }))
      assert.deepEqual([status, body], [statusCode, ''])
    }
  })

  test('by a status that no handshake can be answered with', async (t) => {
    for (const statusCode of [100, 101, 199]) assert.equal(await ownStatus(t, () => ({ statusCode })), 502)
  })

  test('when it fails', async (t) => {
    assert.equal(await ownStatus(t, () => { throw new FunctionFails('no') }), 502)
    assert.equal(await ownStatus(t, () => { throw new FunctionFails('no') }, { integrationType: 'AWS' }), 502)
  })

  test('when it answers what is no response', async (t) => {
    for (const answer of [undefined, 'text', 7, [], { statusCode: 'x' }, { statusCode: 200, more: 1 }, { body: {} }]) assert.equal(await ownStatus(t, () => answer), 502)
  })

  test('when it does not answer in time', async (t) => {
    assert.equal(await ownStatus(t, () => new Promise(() => {}), { timeoutInMillis: 50 }), 504)
  })

  test('when it may not be called, or is not there', async (t) => {
    assert.equal(await ownStatus(t, () => { throw new AwsError('AccessDeniedException', 403, 'no') }), 500)
    assert.equal(await ownStatus(t, () => { throw new AwsError('ResourceNotFoundException', 404, 'no') }), 500)
  })

  test('when it names a subprotocol that no header can say', async (t) => {
    for (const protocol of ['', ' a', 'a\r\nX-Injected: 1', 'a\0', 'é']) {
      assert.equal(await ownStatus(t, () => ({ statusCode: 200, headers: { 'Sec-WebSocket-Protocol': protocol } })), 502)
    }
  })

  test('when its route has no integration, or one that is not served', async (t) => {
    const none = await before(t, { route: { target: 'integrations/gone' } })
    assert.equal((await refusedSocket(none.url, { headers: toApi })).status, 500)
    const link = await before(t, { integration: { integrationType: 'HTTP_PROXY', integrationUri: 'http://x/', connectionType: 'VPC_LINK', connectionId: 'v' } })
    const refused = await refusedSocket(link.url, { headers: toApi })
    assert.equal(refused.status, 501)
    assert.match(String(ownBody(refused)), /VPC links are not served/)
  })
})

describe('a failure of ours', () => {
  test('is in the log, and the client reads only that there was one', async (t) => {
    const gateway = await before(t, {}, { invoke: () => { throw new TypeError('secret of ours') } })
    const refused = await refusedSocket(gateway.url, { headers: toApi })
    assert.deepEqual([refused.status, ownBody(refused), refused.body.includes('secret')], [500, 'Internal server error', false])
    assert.deepEqual(gateway.errors.map((error) => (error as Error).message), ['secret of ours'])
  })
})

describe('a client may stay', () => {
  const connects = async (t: TestContext, routes: GivenSocketRoutes, given: SocketGatewayGiven = {}) => {
    const gateway = await startSocketGateway(t, socketSnapshot(routes), given)
    await using client = await openSocket(gateway.url, { headers: toApi })
    assert.equal(client.socket.protocol, '')
    return gateway
  }

  test('where nobody asks about it', async (t) => {
    const { invocations } = await connects(t, { $default: {} })
    assert.deepEqual(invocations, [])
  })

  test('by every status from 200 to 299', async (t) => {
    for (const statusCode of [200, 201, 204, 299]) await connects(t, { $connect: {} }, { invoke: () => ({ statusCode }) })
    await connects(t, { $connect: {} }, { invoke: () => ({}) })
  })

  test('by a mock, by its template\'s status', async (t) => {
    const mock = (statusCode: unknown): GivenSocketRoutes => ({ $connect: { integration: { integrationType: 'MOCK', requestTemplates: { $default: `{"statusCode": ${statusCode}}` } } } })
    await connects(t, mock(200))
    for (const [statusCode, status] of [[403, 403], [101, 502], [1000, 502], [-1, 502], ['"x"', 500]] as const) {
      const { url } = await startSocketGateway(t, socketSnapshot(mock(statusCode)))
      assert.equal((await refusedSocket(url, { headers: toApi })).status, status, String(statusCode))
    }
  })

  test('in the path form of the address, and behind a custom domain', async (t) => {
    const gateway = await before(t, {})
    await using one = await openSocket(gateway.pathUrl)
    assert.equal(one.socket.readyState, one.socket.OPEN)
    await using other = await openSocket(gateway.url.replace('/prod', '/v1'), { headers: { Host: 'api.example.com' } })
    assert.equal(other.socket.readyState, other.socket.OPEN)
    assert.deepEqual(gateway.events().map(({ requestContext }) => requestContext.domainName), ['127.0.0.1', 'api.example.com'])
  })

  test('and reads the id of the request in the answer', async (t) => {
    const gateway = await before(t, {})
    const answered = Promise.withResolvers<string | undefined>()
    await using client = await openSocket(gateway.url, { headers: toApi, onUpgrade: (headers) => answered.resolve(headers['x-amzn-requestid'] as string | undefined) })
    assert.equal(await answered.promise, gateway.events()[0].requestContext.requestId)
    assert.ok(client)
  })
})

describe('the subprotocol', () => {
  const chosen = async (t: TestContext, $connect: GivenSocketRoutes[string], invoke: SocketGatewayGiven['invoke']) => {
    const gateway = await before(t, $connect, { invoke })
    await using client = await openSocket(gateway.url, { headers: toApi, protocols: ['v1.chat', 'v2.chat'] })
    return client.socket.protocol
  }

  test('is the one that the function names, however it spells the header', async (t) => {
    for (const headers of [{ 'Sec-WebSocket-Protocol': 'v2.chat' }, { 'sec-websocket-protocol': 'v2.chat' }]) assert.equal(await chosen(t, {}, () => ({ statusCode: 200, headers })), 'v2.chat')
    assert.equal(await chosen(t, {}, () => ({ statusCode: 200, multiValueHeaders: { 'Sec-WebSocket-Protocol': ['v1.chat'] } })), 'v1.chat')
  })

  test('is the one that the selected response maps', async (t) => {
    const responseParameters = { 'route.response.header.Sec-WebSocket-Protocol': 'integration.response.body.protocol' }
    const $connect: GivenSocketRoutes[string] = { integration: { integrationType: 'AWS' }, responses: { $default: { responseParameters } } }
    assert.equal(await chosen(t, $connect, () => ({ protocol: 'v1.chat' })), 'v1.chat')
    const fixed = { 'route.response.header.Sec-WebSocket-Protocol': "'v2.chat'" }
    assert.equal(await chosen(t, { ...$connect, responses: { $default: { responseParameters: fixed } } }, () => ({})), 'v2.chat')
  })

  test('is none where the function names none, and a client that wanted one leaves', async (t) => {
    const gateway = await before(t, {})
    await assert.rejects(openSocket(gateway.url, { headers: toApi, protocols: ['v1.chat'] }), /Server sent no subprotocol/)
    assert.equal(gateway.events()[0].headers['Sec-WebSocket-Protocol'], 'v1.chat')
    const told = await gateway.settled('$disconnect')
    assert.deepEqual(stepsOf(told, 'response'), [{ status: 200 }])
  })
})
