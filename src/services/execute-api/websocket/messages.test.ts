// Messages of WebSocket APIs: which route they take, what is refused of them, and what goes back.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { StageRecord } from '#services/apigatewayv2/index.ts'
import { openSocket } from '#test/support/web-socket-client.ts'
import { FunctionFails, socketSnapshot, startSocketGateway, stepsOf, toApi, type GivenSocketRoutes, type SocketApiGiven, type SocketGatewayGiven } from './websocket.testing.ts'

async function talking(t: TestContext, routes: GivenSocketRoutes, given: SocketGatewayGiven = {}, api: SocketApiGiven = {}) {
  const gateway = await startSocketGateway(t, socketSnapshot(routes, api), { invoke: ({ payload }) => ({ statusCode: 200, body: (JSON.parse(payload.toString()) as any).requestContext.routeKey }), ...given })
  const client = await openSocket(gateway.url, { headers: toApi })
  return { ...gateway, client }
}

/** What the client is told of a refusal, with the ids judged and taken out. */
async function refusal({ client, traces }: Awaited<ReturnType<typeof talking>>, message: string | object): Promise<Record<string, unknown>> {
  const { connectionId, ...rest } = JSON.parse(await client.ask(message)) as Record<string, unknown>
  assert.match(String(connectionId), /^[\w-]{15}=$/)
  const { requestId, ...told } = rest
  if (requestId !== undefined) assert.equal(requestId, traces.at(-1)!.facts.requestId)
  return { ...told, hasRequestId: requestId !== undefined }
}

const INTERNAL = { message: 'Internal server error', hasRequestId: true }

describe('a message is refused', () => {
  test('when no route takes it and there is no $default', async (t) => {
    const all = await talking(t, { $connect: {}, $disconnect: {}, chat: { isTwoWay: true } })
    for (const message of ['hello', '', '{"action":"other"}', '{"action":"$connect"}', '{"action":"$disconnect"}', '{"action":"$default"}', '[]', '{}']) {
      assert.deepEqual(await refusal(all, message), { message: 'Forbidden', hasRequestId: true }, message)
    }
    assert.equal(all.traces.at(-1)!.facts.status, 403)
    assert.deepEqual(all.events().map(({ requestContext }) => requestContext.routeKey), ['$connect'])
  })

  test('when its stage has gone meanwhile; the connection stays', async (t) => {
    const all = await talking(t, { $default: { isTwoWay: true } })
    all.deploy(undefined)
    assert.deepEqual(await refusal(all, 'x'), { message: 'Forbidden', hasRequestId: true })
    all.deploy(socketSnapshot({ $default: { isTwoWay: true } }))
    assert.equal(await all.client.ask('x'), '$default')
  })

  test('when its function fails, answers nothing, or does not answer in time', async (t) => {
    const routes: GivenSocketRoutes = { $default: {}, slow: { integration: { timeoutInMillis: 50 } } }
    const all = await talking(t, routes, { invoke: ({ payload }) => {
      const { body } = JSON.parse(payload.toString()) as { body: string }
      if (body === 'fail') throw new FunctionFails('no')
      if (body.includes('slow')) return new Promise(() => {})
      return body === 'malformed' ? 'x' : undefined
    } })
    for (const message of ['fail', 'nothing', 'malformed']) assert.deepEqual(await refusal(all, message), INTERNAL)
    assert.deepEqual(await refusal(all, { action: 'slow' }), { message: 'Endpoint request timed out', hasRequestId: true })
    assert.deepEqual(all.traces.slice(-2).map(({ facts }) => facts.status), [502, 504])
  })

  test('when something of ours fails: that is in the log, and the client reads only that there was one', async (t) => {
    const all = await talking(t, { $default: {} }, { invoke: () => { throw new TypeError('secret of ours') } })
    assert.deepEqual(await refusal(all, 'x'), INTERNAL)
    assert.deepEqual(all.errors.map((error) => (error as Error).message), ['secret of ours'])
  })

  test('when its route has no integration', async (t) => {
    assert.deepEqual(await refusal(await talking(t, { $default: { route: { target: 'integrations/gone' } } }), 'x'), INTERNAL)
  })
})

describe('a message takes', () => {
  test('the route that it names, $default otherwise', async (t) => {
    const { client } = await talking(t, { $connect: {}, $disconnect: {}, $default: { isTwoWay: true }, chat: { isTwoWay: true }, '7': { isTwoWay: true } })
    assert.equal(await client.ask({ action: 'chat' }), 'chat')
    assert.equal(await client.ask({ action: 7 }), '7')
    for (const message of ['hello', '', '{"action":"Chat"}', '{"action":"$connect"}', '{"action":"$disconnect"}', '{"action":{"x":1}}', '{"action":""}', '{"action":"constructor"}', '{"action":"__proto__"}', '["chat"]', '{"action":"chat"']) {
      assert.equal(await client.ask(message), '$default', message)
    }
  })

  test('the route of a selection of several values', async (t) => {
    const { client } = await talking(t, { $default: { isTwoWay: true }, 'v2/join-blue': { isTwoWay: true } }, { stage: { stageVariables: { color: 'blue' } } },
      { api: { routeSelectionExpression: '${request.body.version}/${request.body.do.what}-${stageVariables.color}' } })
    assert.equal(await client.ask({ version: 'v2', do: { what: 'join' } }), 'v2/join-blue')
    assert.equal(await client.ask({ version: 'v2' }), '$default')
  })

  test('the routes that are deployed now, not those of its handshake', async (t) => {
    const { client, deploy } = await talking(t, { $default: { isTwoWay: true } })
    assert.equal(await client.ask({ action: 'chat' }), '$default')
    deploy(socketSnapshot({ $default: { isTwoWay: true }, chat: { isTwoWay: true } }, { api: { deploymentId: 'd2' } }))
    assert.equal(await client.ask({ action: 'chat' }), 'chat')
  })
})

describe('what goes back', () => {
  test('is nothing on a one-way route, whatever the integration answers', async (t) => {
    const { client, settled, invocations } = await talking(t, { $default: { isTwoWay: true }, quiet: {}, half: { route: { routeResponseSelectionExpression: '$default' } } })
    client.send({ action: 'quiet' })
    client.send({ action: 'half' })
    await settled('quiet')
    await settled('half')
    assert.equal(await client.ask('x'), '$default')
    assert.equal(invocations.length, 3)
  })

  test('is the body of a proxy\'s answer as it is, of any status, and when it is empty, too', async (t) => {
    const answers: unknown[] = [{ statusCode: 500, body: '{"a":1}' }, { statusCode: 200, body: 'é😀' }, { body: 'x' }, { statusCode: 200 }, { statusCode: 200, body: '' }]
    const { client } = await talking(t, { $default: { isTwoWay: true } }, { invoke: () => answers.shift() })
    assert.equal(await client.ask('1'), '{"a":1}')
    assert.equal(await client.ask('2'), 'é😀')
    assert.equal(await client.ask('3'), 'x')
    assert.equal(await client.ask('4'), '')
    assert.equal(await client.ask('5'), '')
  })
})

describe('validation', () => {
  const models = { chat: { type: 'object', required: ['text'], properties: { text: { type: 'string', maxLength: 5 } } }, all: { type: 'object', required: ['action'] } }
  const validated = (route: object, integration: GivenSocketRoutes[string]['integration'] = {}): GivenSocketRoutes => ({ $default: { isTwoWay: true, route, integration } })
  const BAD = { message: 'Bad request body', hasRequestId: false }

  test('refuses a body that the selected model does not take, by the id of the message', async (t) => {
    const all = await talking(t, validated({ modelSelectionExpression: '$request.body.kind', requestModels: { chat: 'chat', $default: 'all' } }), {}, { models })
    for (const message of ['text', '{"kind":"chat"}', '{"kind":"chat","text":"longer"}', '{"kind":"other"}', '{}', '']) {
      const { messageId, ...told } = await refusal(all, message)
      assert.deepEqual(told, BAD, message)
      assert.match(String(messageId), /^[\w-]{15}=$/)
    }
    assert.deepEqual(all.invocations, [])
    assert.equal(await all.client.ask({ kind: 'chat', text: 'short' }), '$default')
    assert.equal(await all.client.ask({ kind: 'other', action: 'x' }), '$default')
  })

  test('refuses a body for which there is no model, and every body where the model is gone', async (t) => {
    const without = await talking(t, validated({ modelSelectionExpression: '$request.body.kind', requestModels: { chat: 'chat' } }), {}, { models })
    const { messageId: _id, ...told } = await refusal(without, '{"kind":"other"}')
    assert.deepEqual(told, BAD)
    const gone = await talking(t, validated({ modelSelectionExpression: '$default', requestModels: { $default: 'gone' } }), {}, { models })
    assert.equal((await refusal(gone, '{}'))['message'], 'Bad request body')
  })

  test('looks at nothing without a model selection expression', async (t) => {
    const { client } = await talking(t, validated({ requestModels: { $default: 'chat' } }), {}, { models })
    assert.equal(await client.ask('text'), '$default')
  })

  test('is told of in the trace, without the body', async (t) => {
    const all = await talking(t, validated({ modelSelectionExpression: '$default', requestModels: { $default: 'chat' } }), {}, { models })
    await refusal(all, '{"text":"body-secret"}')
    assert.deepEqual(stepsOf(all.traces.at(-1)!, 'validate'), [{ model: '$default', validationErrors: '[object/text must NOT have more than 5 characters]' }])
    assert.doesNotMatch(JSON.stringify(all.traces), /secret/)
  })
})

describe('the trace', () => {
  test('is one for each event, with the route that it took', async (t) => {
    const { client, traces, settled } = await talking(t, { $connect: {}, $disconnect: {}, $default: { isTwoWay: true } })
    await client.ask('x')
    client.socket.close()
    await settled('$disconnect')
    assert.deepEqual(traces.map(({ facts }) => [facts.operation, facts.status]), [['api123/prod $connect', 200], ['api123/prod $default', 200], ['api123/prod $disconnect', 200]])
    assert.deepEqual(traces.map((one) => stepsOf(one, 'route')[0]!['selected']), ['$connect', '$default', '$disconnect'])
  })

  test('has bodies only where data tracing is on', async (t) => {
    const routes: GivenSocketRoutes = { $default: { isTwoWay: true, integration: { integrationType: 'MOCK', requestTemplates: { $default: '{"statusCode": 200, "text": $input.json("$.text")}' } }, responses: { $default: { responseTemplates: { $default: 'ok' } } } } }
    const shown = async (stage: Partial<StageRecord>) => {
      const { client, traces } = await talking(t, routes, { stage })
      assert.equal(await client.ask({ text: 'private' }), 'ok')
      return JSON.stringify(traces).includes('private')
    }
    assert.equal(await shown({}), false)
    assert.equal(await shown({ defaultRouteSettings: { dataTraceEnabled: true } }), true)
    assert.equal(await shown({ defaultRouteSettings: { dataTraceEnabled: true }, routeSettings: { $default: { dataTraceEnabled: false } } }), false)
  })
})
