// What integrations of WebSocket APIs that are no proxies are sent, and what becomes of their answers: templates, content handling, responses.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { openSocket, type TestSocket } from '#test/support/web-socket-client.ts'
import { FunctionFails, socketSnapshot, startSocketGateway, stepsOf, toApi, type GivenSocketRoutes, type SocketGatewayGiven, type TestSocketGateway } from './websocket.testing.ts'

type Given = Omit<GivenSocketRoutes[string], 'isTwoWay'>

/** A two-way route before a function of type `AWS` that answers what it was sent, as text; its default response passes that through. */
async function transforming(t: TestContext, { integration, responses = { $default: {} }, ...rest }: Given, given: SocketGatewayGiven = {}): Promise<TestSocketGateway & { client: TestSocket }> {
  const snapshot = socketSnapshot({ $default: { isTwoWay: true, integration: { integrationType: 'AWS', ...integration }, responses, ...rest } })
  const gateway = await startSocketGateway(t, snapshot, { invoke: ({ payload }) => payload.toString(), ...given })
  return { ...gateway, client: await openSocket(gateway.url, { headers: toApi }) }
}

const sent = async ({ client }: { client: TestSocket }, message: string | object): Promise<string> => JSON.parse(await client.ask(message)) as string
const messageOf = (text: string) => (JSON.parse(text) as { message: string }).message

describe('a request template', () => {
  const requestTemplates = { chat: '{"said": $input.json("$.text")}', $default: '{"other": true}' }
  const byKind = { templateSelectionExpression: '$request.body.kind', requestTemplates }

  test('is the selected one, the default for what selects none', async (t) => {
    const all = await transforming(t, { integration: byKind })
    assert.equal(await sent(all, { kind: 'chat', text: 'hi' }), '{"said": "hi"}')
    for (const message of ['{"kind":"other"}', '{}', 'no JSON']) assert.equal(await sent(all, message), '{"other": true}', message)
  })

  test('is the default without a selection expression', async (t) => {
    assert.equal(await sent(await transforming(t, { integration: { requestTemplates } }), { kind: 'chat' }), '{"other": true}')
  })

  test('knows the message, the context and the stage\'s variables', async (t) => {
    const all = await transforming(t, { integration: { requestTemplates: { $default: '"$context.routeKey $context.eventType $context.connectionId $context.messageId $stageVariables.color $input.path(\'$.a[1]\')"' } } }, { stage: { stageVariables: { color: 'blue' } } })
    assert.match(await sent(all, { a: [1, 'two'] }), /^"\$default MESSAGE [\w-]{15}= [\w-]{15}= blue two"$/)
  })

  test('that is empty passes the message through', async (t) => {
    assert.equal(await sent(await transforming(t, { integration: { requestTemplates: { $default: '' } } }), 'as it is'), 'as it is')
  })

  test('that asks a message for its JSON which has none is refused, as one that fails', async (t) => {
    const all = await transforming(t, { integration: { requestTemplates: { $default: '$input.json("$.a")' } } })
    assert.match(messageOf(await all.client.ask('{"a":')), /^Could not parse request body into json/)
    const broken = await transforming(t, { integration: { requestTemplates: { $default: '#foreach($x in' } } })
    assert.equal(messageOf(await broken.client.ask('{}')), 'Internal server error')
    assert.deepEqual([...all.invocations, ...broken.invocations], [])
  })
})

describe('passthrough', () => {
  const outcome = async (t: TestContext, integration: Given['integration'], message = '{"kind":"none"}') => {
    const all = await transforming(t, { integration: { templateSelectionExpression: '$request.body.kind', ...integration } })
    const text = await all.client.ask(message)
    return all.invocations.length === 1 ? 'passed' : messageOf(text)
  }
  const some = { requestTemplates: { chat: '{}' } }

  test('NEVER refuses what no template takes', async (t) => {
    assert.equal(await outcome(t, { passthroughBehavior: 'NEVER' }), 'Unsupported Media Type')
    assert.equal(await outcome(t, { passthroughBehavior: 'NEVER', ...some }), 'Unsupported Media Type')
    assert.equal(await outcome(t, { passthroughBehavior: 'NEVER', ...some }, '{"kind":"chat"}'), 'passed')
  })

  test('WHEN_NO_TEMPLATES refuses it where there are templates', async (t) => {
    assert.equal(await outcome(t, { passthroughBehavior: 'WHEN_NO_TEMPLATES', ...some }), 'Unsupported Media Type')
    assert.equal(await outcome(t, { passthroughBehavior: 'WHEN_NO_TEMPLATES' }), 'passed')
  })

  test('WHEN_NO_MATCH, and nothing said, let it pass', async (t) => {
    assert.equal(await outcome(t, { passthroughBehavior: 'WHEN_NO_MATCH', ...some }), 'passed')
    assert.equal(await outcome(t, some), 'passed')
  })
})

describe('content handling', () => {
  test('undoes the base64 of a message', async (t) => {
    const bytes: Buffer[] = []
    const all = await transforming(t, { integration: { contentHandlingStrategy: 'CONVERT_TO_BINARY' } }, { invoke: ({ payload }) => { bytes.push(payload) } })
    await all.client.ask(Buffer.from([0xff, 0x00, 0x80]).toString('base64'))
    assert.deepEqual(bytes, [Buffer.from([0xff, 0x00, 0x80])])
    for (const message of ['no base64!', '{"a":1}']) assert.equal(messageOf(await all.client.ask(message)), 'Internal server error')
    assert.equal(bytes.length, 1)
  })

  test('makes base64 of an answer, and undoes it', async (t) => {
    const answering = (contentHandlingStrategy: 'CONVERT_TO_TEXT' | 'CONVERT_TO_BINARY', body: Buffer) => transforming(t, {
      integration: { integrationType: 'HTTP', integrationUri: 'http://backend.example/' }, responses: { $default: { contentHandlingStrategy } },
    }, { http: { send: async () => ({ status: 200, headers: { get: () => undefined, all: () => [], entries: () => [] }, body }), close() {} } })
    assert.equal(await (await answering('CONVERT_TO_TEXT', Buffer.from([0xff, 0x00]))).client.ask('x'), '/wA=')
    assert.equal(await (await answering('CONVERT_TO_BINARY', Buffer.from('aGVsbG8='))).client.ask('x'), 'hello')
  })
})

describe('the response of an integration', () => {
  const says = (text: string) => ({ responseTemplates: { $default: text } })
  const told = async (t: TestContext, responses: Given['responses'], fail: string | undefined, integration: Given['integration'] = {}) => {
    const all = await transforming(t, { integration, ...responses && { responses } }, { invoke: () => {
      if (fail !== undefined) throw new FunctionFails(fail)
      return { ok: true }
    } })
    return { text: await all.client.ask('{}'), traces: all.traces }
  }

  test('is selected by the message of a function\'s error, whole; the default takes the rest', async (t) => {
    const responses = { '/Bad.*/': says('bad'), '.*(?:not found|gone).*': says('gone'), '$default': says('other') }
    for (const [message, text] of [['Bad luck', 'bad'], ['too Bad', 'other'], ['it is gone now', 'gone'], ['', 'other']] as const) assert.equal((await told(t, responses, message)).text, text, message)
    assert.equal((await told(t, responses, undefined)).text, 'other')
  })

  test('is the first that fits, in the order of their keys', async (t) => {
    const responses = { 'b.*': says('second'), 'B?a?.*': says('first'), '$default': says('other') }
    assert.equal((await told(t, responses, 'bad')).text, 'first')
  })

  test('is missing: the client reads of a failure, and the log line says why', async (t) => {
    for (const responses of [{}, { 'no match': says('x') }]) {
      const { text, traces } = await told(t, responses, undefined)
      assert.equal(messageOf(text), 'Internal server error')
      assert.match(String(stepsOf(traces.at(-1)!, 'refusal')[0]!['line']), /No match for output mapping and no default output mapping configured\. Endpoint Response Status Code: 200$/)
    }
  })

  test('whose pattern does not compile never fits', async (t) => {
    assert.equal((await told(t, { '(((': says('broken'), '$default': says('other') }, '(((')).text, 'other')
  })

  test('has its template selected by the answer', async (t) => {
    const responses = { $default: { templateSelectionExpression: '${integration.response.body.kind}', responseTemplates: { a: 'A: $input.path("$.n")', $default: 'else' } } }
    const answers: unknown[] = [{ kind: 'a', n: 7 }, { kind: 'b' }, 'text']
    const { client } = await transforming(t, { responses }, { invoke: () => answers.shift() })
    assert.deepEqual([await client.ask('1'), await client.ask('2'), await client.ask('3')], ['A: 7', 'else', 'else'])
  })

  test('whose template fails is a failure', async (t) => {
    assert.equal(messageOf((await told(t, { $default: says('#set($x = ') }, undefined)).text), 'Internal server error')
  })

  test('is selected by the status of a mock', async (t) => {
    const responses = { '/4\\d\\d/': says('refused'), '/2\\d\\d/': says('fine'), '$default': says('other') }
    for (const [status, text] of [[404, 'refused'], [200, 'fine'], [302, 'other']] as const) {
      assert.equal((await told(t, responses, undefined, { integrationType: 'MOCK', requestTemplates: { $default: `{"statusCode":${status}}` } })).text, text)
    }
    assert.equal(messageOf((await told(t, responses, undefined, { integrationType: 'MOCK', requestTemplates: { $default: '{}' } })).text), 'Internal server error')
  })
})
