// API keys of handshakes, and the throttles that handshakes and messages meet.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { ExecuteApiOptions } from '../index.ts'
import { openSocket, refusedSocket } from '#test/support/web-socket-client.ts'
import { socketSnapshot, startSocketGateway, stepsOf, toApi, type SocketApiGiven } from './websocket.testing.ts'

type Metering = ExecuteApiOptions['metering']

const VALUE = 'a-key-of-twenty-four-chars'
const grant = { keyId: 'k1', planId: 'p1', throttle: undefined, methodThrottles: {}, quota: undefined }
const ofOneKey: Metering = {
  admit: async () => undefined,
  findKey: async (stage, value) => value === VALUE ? { is: 'granted', grant } : value === 'disabled' ? { is: 'refused', because: 'disabled key', keyId: 'k2' } : { is: 'refused', because: 'unknown key' },
}

describe('a route that needs an API key', () => {
  const keyed = (t: TestContext, { api, usageIdentifierKey, metering = ofOneKey }: { api?: SocketApiGiven['api'], usageIdentifierKey?: string, metering?: Metering } = {}) => {
    const custom = { authorizationType: 'CUSTOM', authorizerId: 'a' } as const
    const policyDocument = { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: '*' }] }
    const snapshot = socketSnapshot({ $connect: { route: { apiKeyRequired: true, ...api && custom } }, $disconnect: {}, $default: { isTwoWay: true } }, { authorizers: { a: {} }, ...api && { api } })
    return startSocketGateway(t, snapshot, {
      metering,
      invoke: ({ functionArn }) => functionArn.endsWith(':auth') ? { principalId: 'me', policyDocument, usageIdentifierKey } : { statusCode: 200, body: 'ok' },
    })
  }
  const ofAuthorizer = { apiKeySelectionExpression: '$context.authorizer.usageIdentifierKey' }

  test('refuses a client without one, with an unknown one, with a disabled one', async (t) => {
    const gateway = await keyed(t)
    for (const key of [{}, { 'x-api-key': '' }, { 'x-api-key': 'unknown' }, { 'x-api-key': 'disabled' }, { 'api-key': VALUE }]) {
      const { status, body, headers } = await refusedSocket(`${gateway.url}?x-api-key=${VALUE}`, { headers: { ...toApi, ...key } as Record<string, string> })
      assert.deepEqual([status, (JSON.parse(body) as { message: string }).message, headers['x-amzn-errortype']], [403, 'Forbidden', 'ForbiddenException'])
    }
    assert.deepEqual(gateway.invocations, [])
  })

  test('refuses a client whose authorizer names none, whatever its header says', async (t) => {
    for (const usageIdentifierKey of [undefined, 'unknown']) {
      const gateway = await keyed(t, { api: ofAuthorizer, ...usageIdentifierKey !== undefined && { usageIdentifierKey } })
      assert.equal((await refusedSocket(gateway.url, { headers: { ...toApi, 'x-api-key': VALUE } })).status, 403)
    }
  })

  test('lets in by the header or by the authorizer\'s answer; events know the key, traces its end only', async (t) => {
    for (const [gateway, headers] of [[await keyed(t), { 'x-api-key': VALUE }], [await keyed(t, { api: ofAuthorizer, usageIdentifierKey: VALUE }), {}]] as const) {
      await using client = await openSocket(gateway.url, { headers: { ...toApi, ...headers } as Record<string, string> })
      assert.equal(await client.ask('x'), 'ok')
      const identity = gateway.events().at(-1).requestContext.identity
      assert.deepEqual([identity.apiKey, identity.apiKeyId], [VALUE, 'k1'])
      assert.deepEqual(stepsOf(await gateway.settled('$connect'), 'api-key').map(({ keyId, usagePlanId }) => [keyId, usagePlanId]), [['k1', 'p1']])
      assert.ok(!JSON.stringify(gateway.traces).includes(VALUE))
    }
  })

  test('counts a handshake for its key, and messages for nobody\'s', async (t) => {
    const counted: unknown[] = []
    const gateway = await keyed(t, { metering: { ...ofOneKey, admit: async ({ resourcePath, grant: counts }) => {
      counted.push([resourcePath, counts?.keyId])
      return undefined
    } } })
    await using client = await openSocket(gateway.url, { headers: { ...toApi, 'x-api-key': VALUE } })
    await client.ask('x')
    assert.deepEqual(counted, [['$connect', 'k1'], ['$default', undefined]])
  })
})

describe('a limit that is met', () => {
  const limited = (t: TestContext, limit: Awaited<ReturnType<Metering['admit']>>, route: string) =>
    startSocketGateway(t, socketSnapshot({ $connect: {}, $disconnect: {}, $default: { isTwoWay: true } }), {
      metering: { ...ofOneKey, admit: async ({ resourcePath }) => resourcePath === route ? limit : undefined }, invoke: () => ({ statusCode: 200, body: 'ok' }),
    })

  test('refuses the handshake with 429', async (t) => {
    for (const [limit, message, type] of [['method throttle', 'Too Many Requests', 'TooManyRequestsException'], ['account throttle', 'Too Many Requests', 'TooManyRequestsException'], ['quota', 'Limit Exceeded', 'LimitExceededException']] as const) {
      const gateway = await limited(t, limit, '$connect')
      const { status, body, headers } = await refusedSocket(gateway.url, { headers: toApi })
      assert.deepEqual([status, (JSON.parse(body) as { message: string }).message, headers['x-amzn-errortype']], [429, message, type])
      assert.deepEqual(gateway.invocations, [])
    }
  })

  test('refuses a message with one of its own, and the connection stays', async (t) => {
    const gateway = await limited(t, 'method throttle', '$default')
    await using client = await openSocket(gateway.url, { headers: toApi })
    const { connectionId, requestId, ...rest } = JSON.parse(await client.ask('x')) as Record<string, string>
    assert.deepEqual(rest, { message: 'Too Many Requests' })
    const told = await gateway.settled('$default')
    assert.deepEqual([told.facts.requestId, told.facts.status, connectionId], [requestId, 429, gateway.events()[0].requestContext.connectionId])
    assert.equal((JSON.parse(await client.ask('y')) as { message: string }).message, 'Too Many Requests')
  })

  test('never keeps $disconnect from being told', async (t) => {
    const gateway = await limited(t, 'account throttle', '$disconnect')
    const client = await openSocket(gateway.url, { headers: toApi })
    client.socket.close()
    assert.equal((await gateway.settled('$disconnect')).facts.status, 200)
  })

  test('is the route\'s own where the stage has one for it, the stage\'s otherwise', async (t) => {
    const asked: unknown[] = []
    const gateway = await startSocketGateway(t, socketSnapshot({ $default: { isTwoWay: true }, chat: { isTwoWay: true }, slow: { isTwoWay: true } }), {
      invoke: () => ({ statusCode: 200, body: 'ok' }),
      stage: { defaultRouteSettings: { throttlingRateLimit: 10, throttlingBurstLimit: 5 }, routeSettings: { chat: { throttlingRateLimit: 1 }, slow: { throttlingBurstLimit: 0 } } },
      metering: { ...ofOneKey, admit: async ({ resourcePath, methodLimit }) => {
        asked.push([resourcePath, methodLimit])
        return undefined
      } },
    })
    await using client = await openSocket(gateway.url, { headers: toApi })
    for (const action of ['chat', 'slow', 'other']) await client.ask({ action })
    assert.deepEqual(asked, [['chat', { rateLimit: 1, burstLimit: 5 }], ['slow', { rateLimit: 10, burstLimit: 0 }], ['$default', { rateLimit: 10, burstLimit: 5 }]])
  })
})
