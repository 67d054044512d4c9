// The execution log of WebSocket APIs: what no line may have, however an event repeats it, and the lines of keys.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { headersFromRaw } from '#lib/http.ts'
import { openSocket, refusedSocket } from '#test/support/web-socket-client.ts'
import { socketSnapshot, startSocketGateway, toApi, type GivenSocketRoutes, type SocketApiGiven, type SocketGatewayGiven } from './websocket.testing.ts'

const policyDocument = { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: '*' }] }
const KEY = 'a-key-of-twenty-four-chars'
const grant = { keyId: 'k1', planId: 'p1', throttle: undefined, methodThrottles: {}, quota: undefined }
const metering: NonNullable<SocketGatewayGiven['metering']> = {
  admit: async () => undefined, findKey: async (_stage, value) => value === KEY ? { is: 'granted', grant } : { is: 'refused', because: 'unknown key' },
}
const custom = { authorizationType: 'CUSTOM', authorizerId: 'a' } as const

async function logging(t: TestContext, routes: GivenSocketRoutes, api: SocketApiGiven, given: SocketGatewayGiven = {}) {
  const groups = new Set<string>()
  const lines: string[] = []
  const gateway = await startSocketGateway(t, socketSnapshot(routes, api), {
    metering, stage: { defaultRouteSettings: { loggingLevel: 'INFO', dataTraceEnabled: true } }, ...given,
    logs: { append: ({ group, events }) => { groups.add(group); lines.push(...events.map(({ message }) => message)) } },
  })
  return { ...gateway, groups, lines, text: () => lines.join('\n') }
}

describe('no line of the execution log', () => {
  test('has a credential, a key, or what an authorizer looked at: in headers, in the query, in later events, from its answer', async (t) => {
    const identitySource = ['route.request.querystring.token', 'route.request.querystring.pin']
    const gateway = await logging(
      t, { $connect: { route: { ...custom, apiKeyRequired: true } }, $default: { isTwoWay: true }, $disconnect: {} },
      { authorizers: { a: { identitySource } }, api: { apiKeySelectionExpression: '$context.authorizer.usageIdentifierKey' } },
      { invoke: ({ functionArn, payload }) => functionArn.endsWith(':auth')
        ? { principalId: 'me', policyDocument, usageIdentifierKey: KEY, context: { echoed: JSON.parse(payload.toString('utf8')).queryStringParameters.token } }
        : { statusCode: 200, body: payload.toString('utf8') } },
    )
    const token = 'to"ken\\with/escapes+and=more'
    const headers = { ...toApi, 'Authorization': 'Digest username="ann", response="6629fae4aa"', 'x-api-key': 'another-key-in-a-header' }
    const client = await openSocket(`${gateway.url}?token=${encodeURIComponent(token)}&pin=4711`, { headers })
    await client.ask('hello')
    await client[Symbol.asyncDispose]()
    await gateway.settled('$disconnect')
    assert.ok(gateway.events().at(-1).requestContext.identity.apiKey === KEY && gateway.events()[2].requestContext.authorizer.echoed === token, 'the events repeat them')
    assert.equal(gateway.lines.filter((line) => line.includes('Endpoint request body after')).length, 4)
    assert.doesNotMatch(gateway.text(), /to\\*"ken|username=|6629fa|a-key-of|another-key|4711/)
    assert.match(gateway.text(), /Verifying Usage Plan for request: .*\. API Key: \*{20}-chars API Stage: api123\/prod\n.*Usage Plan check succeeded for API Key \*{20}-chars and API Stage api123\/prod\n/)
    assert.deepEqual([...gateway.groups], ['/aws/apigateway/api123/prod'])
  })

  test('has a part of one that begins where the line is cut off', async (t) => {
    const token = 'secret'.repeat(1_000)
    const gateway = await logging(t, { $connect: { route: custom } }, { authorizers: { a: { identitySource: ['route.request.header.x-padding', 'route.request.header.x-token'] } } }, {
      invoke: ({ payload, functionArn }) => functionArn.endsWith(':auth') ? { principalId: payload.length, policyDocument } : { statusCode: 200 },
    })
    for (let padding = 1; padding < 900; padding += 180) {
      const client = await openSocket(gateway.url, { headers: { ...toApi, 'x-padding': 'p'.repeat(padding), 'x-token': token } })
      await client[Symbol.asyncDispose]()
    }
    assert.ok(gateway.lines.some((line) => line.endsWith('* [TRUNCATED]')), 'none is cut in the token')
    assert.doesNotMatch(gateway.text(), /secretse/)
    assert.ok(gateway.lines.every((line) => line.length <= '(0123456789abcde=) '.length + 1_024 + ' [TRUNCATED]'.length))
  })

  test('has one in the address of a backend', async (t) => {
    const urls: string[] = []
    const http: NonNullable<SocketGatewayGiven['http']> = { send: async ({ url }) => {
      urls.push(url)
      return { status: 200, headers: headersFromRaw([]), body: Buffer.alloc(0) }
    }, close: () => {} }
    const toServer = { integrationType: 'HTTP_PROXY', integrationMethod: 'POST', integrationUri: 'http://backend.example/' } as const
    const gateway = await logging(t, { $connect: { route: custom, integration: toServer } }, { authorizers: { a: { identitySource: ['route.request.querystring.token', 'route.request.querystring.pin'] } } }, {
      http, invoke: () => ({ principalId: 'me', policyDocument }),
    })
    const client = await openSocket(`${gateway.url}?token=a%20long%2Ftoken&pin=4711`, { headers: toApi })
    await client[Symbol.asyncDispose]()
    assert.match(urls[0]!, /4711/)
    assert.match(gateway.text(), /Endpoint request URI: http:\/\/backend\.example\/\?token=\*+/)
    assert.doesNotMatch(gateway.text(), /4711|long%2F|long\/|long%20/)
  })
})

test('a key that is refused is told of by its end', async (t) => {
  const gateway = await logging(t, { $connect: { route: { apiKeyRequired: true } } }, {}, { stage: { defaultRouteSettings: { loggingLevel: 'ERROR' } } })
  assert.equal((await refusedSocket(gateway.url, { headers: { ...toApi, 'x-api-key': 'an-unknown-key' } })).status, 403)
  assert.deepEqual(gateway.lines.map((line) => line.replace(/^\(.*?\) /, '').replace(/Id: .*/, 'Id')), [
    'Extended Request Id',
    'API Key ********wn-key not authorized because method \'$connect\' requires API Key and API Key is not associated with a Usage Plan for API Stage api123/prod: No Usage Plan found for key and API Stage',
    'Method completed with status: 403',
  ])
})
