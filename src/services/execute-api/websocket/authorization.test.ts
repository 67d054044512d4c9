// Who may connect to a WebSocket API: authorizers, and what later events know of their answer.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { AwsError } from '#aws/errors.ts'
import type { Authorizer } from '#services/apigatewayv2/index.ts'
import { openSocket, refusedSocket, type SocketGiven } from '#test/support/web-socket-client.ts'
import { FunctionFails, functionUri, socketSnapshot, startSocketGateway, stepsOf, toApi, type SocketGatewayGiven } from './websocket.testing.ts'

const arn = 'arn:aws:execute-api:us-east-1:111111111111:api123/prod/$connect'
const policy = (Effect: 'Allow' | 'Deny', Resource: string | string[] = arn) => ({ Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect, Resource }] })
const allowed = { principalId: 'me', policyDocument: policy('Allow') }

/** `answer` is what the authorizer does; the API's own function answers whatever is asked of it. */
function authorized(t: TestContext, answer: () => unknown, authorizer: Partial<Authorizer> = {}, given: SocketGatewayGiven = {}) {
  const route = { authorizationType: 'CUSTOM', authorizerId: 'a' } as const
  const snapshot = socketSnapshot({ $connect: { route }, $disconnect: {}, $default: { isTwoWay: true } }, { authorizers: { a: authorizer } })
  return startSocketGateway(t, snapshot, { invoke: ({ functionArn }) => functionArn.includes(':auth') ? answer() : { statusCode: 200, body: 'ok' }, ...given })
}

async function refusal(gateway: Awaited<ReturnType<typeof authorized>>, { query = '', headers = {} }: SocketGiven & { query?: string } = {}) {
  const { status, body } = await refusedSocket(`${gateway.url}${query}`, { headers: { ...toApi, ...headers } })
  assert.ok(gateway.invocations.every(({ functionArn }) => functionArn.includes(':auth')), 'the function of $connect was asked')
  return [status, (JSON.parse(body) as { message: unknown }).message]
}

const NOBODY = [401, 'Unauthorized']
const DENIED = [403, 'User is not authorized to access this resource']
const DENIED_EXPLICITLY = [403, 'User is not authorized to access this resource with an explicit deny in an identity-based policy']
const BROKEN = [500, null]

describe('an authorizer refuses', () => {
  test('a client without every identity source, and is not asked', async (t) => {
    const identitySource = ['route.request.header.Auth', 'route.request.querystring.token', 'stageVariables.color']
    const gateway = await authorized(t, () => allowed, { identitySource }, { stage: { stageVariables: { color: 'blue' } } })
    for (const given of [{}, { headers: { Auth: 'x' } }, { query: '?token=x' }, { headers: { Auth: '' }, query: '?token=x' }, { headers: { Auth: 'x' }, query: '?token=' }, { headers: { Auth: 'x' }, query: '?Token=x' }]) {
      assert.deepEqual(await refusal(gateway, given), NOBODY, JSON.stringify(given))
    }
    assert.deepEqual(gateway.invocations, [])
    await using client = await openSocket(`${gateway.url}?token=x`, { headers: { ...toApi, auth: 'x' } })
    assert.ok(client)
    const uncolored = await authorized(t, () => allowed, { identitySource })
    assert.deepEqual(await refusal(uncolored, { headers: { Auth: 'x' }, query: '?token=x' }), NOBODY)
  })

  test('whom it does not know: its function fails with Unauthorized, in this spelling', async (t) => {
    assert.deepEqual(await refusal(await authorized(t, () => { throw new FunctionFails('Unauthorized') })), NOBODY)
    for (const message of ['unauthorized', 'Unauthorized.', '']) assert.deepEqual(await refusal(await authorized(t, () => { throw new FunctionFails(message) })), BROKEN, message)
  })

  test('by its policy: a deny, no word of it, or another resource', async (t) => {
    const answer = async (policyDocument: object) => refusal(await authorized(t, () => ({ principalId: 'me', policyDocument })))
    assert.deepEqual(await answer(policy('Deny')), DENIED_EXPLICITLY)
    assert.deepEqual(await answer({ Version: '2012-10-17', Statement: [...policy('Allow', '*').Statement, ...policy('Deny').Statement] }), DENIED_EXPLICITLY)
    for (const resource of [arn.replace('prod', 'dev'), arn.replace('api123', 'other'), arn.replace('$connect', '$default'), arn.replace('us-east-1', 'eu-west-1'), arn.replace('111111111111', '222222222222')]) {
      assert.deepEqual(await answer(policy('Allow', resource)), DENIED, resource)
    }
  })

  test('nobody and everybody where it is broken: no answer, a malformed one, no permission, no function, no authorizer', async (t) => {
    const answers = [undefined, 'text', {}, { principalId: 'me' }, { policyDocument: policy('Allow') }, { ...allowed, context: { list: [] } }, { ...allowed, policyDocument: 'x' }, { ...allowed, usageIdentifierKey: 7 }]
    for (const answer of answers) assert.deepEqual(await refusal(await authorized(t, () => answer)), BROKEN, JSON.stringify(answer))
    assert.deepEqual(await refusal(await authorized(t, () => { throw new AwsError('AccessDeniedException', 403, 'no') })), BROKEN)
    assert.deepEqual(await refusal(await authorized(t, () => allowed, { authorizerUri: 'https://example.com' })), BROKEN)
    assert.deepEqual(await refusal(await authorized(t, () => allowed, { authorizerType: 'JWT' })), BROKEN)
    assert.deepEqual(await refusal(await authorized(t, () => allowed, { authorizerCredentialsArn: 'arn:aws:iam::111111111111:role/gone' })), BROKEN)
  })

  test('with an authorization that is not known here', async (t) => {
    const gateway = await startSocketGateway(t, socketSnapshot({ $connect: { route: { authorizationType: 'OTHER' as 'NONE' } } }))
    assert.equal((await refusedSocket(gateway.url, { headers: toApi })).status, 403)
    assert.deepEqual(gateway.invocations, [])
  })
})

describe('an authorizer', () => {
  test('is asked by its own name, with each connection anew', async (t) => {
    const gateway = await authorized(t, () => allowed, { authorizerUri: functionUri('auth-of-${stageVariables.color}'), authorizerResultTtlInSeconds: 300 }, { stage: { stageVariables: { color: 'blue' } } })
    for (let count = 0; count < 2; count++) {
      await using client = await openSocket(gateway.url, { headers: toApi })
      assert.ok(client)
    }
    const asked = gateway.invocations.filter(({ functionArn }) => functionArn.includes(':auth'))
    assert.deepEqual(asked.map(({ functionArn, sourceArn, type }) => [functionArn.split(':').at(-1), sourceArn, type]), Array(2).fill(['auth-of-blue', 'arn:aws:execute-api:us-east-1:111111111111:api123/authorizers/a', 'RequestResponse']))
  })

  test('is not asked about messages and the end; what it told is known to all of them', async (t) => {
    const gateway = await authorized(t, () => ({ ...allowed, policyDocument: policy('Allow', `${arn.slice(0, arn.indexOf('/'))}/*`), context: { team: 'a', size: 3 } }))
    const client = await openSocket(gateway.url, { headers: toApi })
    assert.equal(await client.ask('x'), 'ok')
    client.socket.close()
    await gateway.settled('$disconnect')
    const [question, ...others] = gateway.events()
    assert.equal(question.requestContext.authorizer, undefined)
    const known = { team: 'a', size: '3', principalId: 'me' }
    assert.deepEqual(others.map(({ requestContext: { eventType, authorizer: { integrationLatency: _latency, ...authorizer } } }) => [eventType, authorizer]),
      [['CONNECT', known], ['MESSAGE', known], ['DISCONNECT', known]])
  })

  test('is told of in the trace by principal and outcome, without what it was asked and what it answered', async (t) => {
    const gateway = await authorized(t, () => ({ ...allowed, context: { secret: 'context-secret' }, usageIdentifierKey: 'key-secret' }), { identitySource: ['route.request.header.Authorization'] })
    await using client = await openSocket(`${gateway.url}?token=query-secret`, { headers: { ...toApi, 'Authorization': 'Bearer header-secret', 'x-api-key': 'key-secret' } })
    assert.equal(await client.ask('{"password":"body-secret"}'), 'ok')
    const told = await gateway.settled('$connect')
    assert.deepEqual(stepsOf(told, 'authorizer').map(({ id, principalId, outcome }) => [id, principalId, outcome]), [['a', 'me', 'allowed']])
    assert.equal(gateway.traces.length, 2)
    assert.doesNotMatch(JSON.stringify(gateway.traces), /secret/)
  })
})
