// Selection expressions: what they name, and what they do without it.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compileSelection, type SelectionScope } from './selection.ts'

type Given = Partial<Omit<SelectionScope, 'body'>> & { body?: unknown }

function selected(expression: string, { body = {}, ...given }: Given = {}): string | undefined {
  const absent = () => undefined
  return compileSelection(expression)({
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), header: absent, querystring: absent, context: absent, stageVariable: absent, ...given,
  })
}

const named = (values: Record<string, string>) => (name: string): string | undefined => values[name]

describe('an expression has no value', () => {
  test('when a variable has none, whatever else stands in it', () => {
    for (const expression of ['$request.body.action', '${request.body.action}', 'x-${request.body.action}-y', '$request.header.a', '$request.querystring.a', '$context.a', '$stageVariables.a']) {
      assert.equal(selected(expression), undefined, expression)
    }
  })

  test('when the message is no JSON, is empty, or is another kind of JSON', () => {
    for (const body of ['', 'hello', '{"action":', '"action"', '7', 'null', '[]', '{"action":null}', 'action']) assert.equal(selected('$request.body.action', { body }), undefined, body)
  })

  test('when a path leads into nothing', () => {
    const body = { a: { b: 'x' }, list: ['y'] }
    for (const path of ['a.c', 'a.b.c', 'list[1]', 'b.a']) assert.equal(selected(`$request.body.${path}`, { body }), undefined, path)
  })

  test('when it asks for an answer where there is none yet', () => {
    assert.equal(selected('$integration.response.statuscode'), undefined)
  })
})

describe('an expression', () => {
  test('ends a variable without braces where no name could go on', () => {
    const body = { action: 'join', version: '2' }
    assert.equal(selected('$request.body.action', { body }), 'join')
    assert.equal(selected('$request.body.action/$request.body.version', { body }), 'join/2')
    assert.equal(selected('$request.body.action$request.body.version', { body }), 'join2')
  })

  test('ends a variable in braces where they end', () => {
    const body = { version: 'v2', service: { name: 'chat' } }
    assert.equal(selected('${request.body.version}-beta', { body }), 'v2-beta')
    assert.equal(selected('${request.body.service.name}${request.body.version}', { body }), 'chatv2')
  })

  test('takes an escaped dollar as it is', () => {
    assert.equal(selected(String.raw`\$default`), '$default')
    assert.equal(selected(String.raw`\$request.body.action`, { body: { action: 'join' } }), '$request.body.action')
    assert.equal(selected(String.raw`\${request.body.action}`, { body: { action: 'join' } }), '${request.body.action}')
  })

  test('is itself where nothing of it is a variable', () => {
    for (const expression of ['$default', 'static', '', '$', '${}', '$request', 'a$b']) assert.equal(selected(expression), expression)
  })

  test('is evaluated once: what it comes to is no expression', () => {
    assert.equal(selected('$request.body.action', { body: { action: '$request.body.other', other: 'x' } }), '$request.body.other')
  })

  test('reads nested members, elements of lists, and values that are no text', () => {
    const body = { a: { 'b-c': [{ d: 'deep' }] }, number: 7, float: 1.5, yes: true, object: { x: 1 }, list: [1, 2] }
    assert.equal(selected('$request.body.a.b-c[0].d', { body }), 'deep')
    assert.equal(selected('${request.body.a.b-c[0].d}', { body }), 'deep')
    assert.deepEqual(['number', 'float', 'yes', 'object', 'list'].map((name) => selected(`$request.body.${name}`, { body })), ['7', '1.5', 'true', '{"x":1}', '[1,2]'])
  })

  test('reads the whole message, headers, queries, context and stage variables', () => {
    assert.equal(selected('$request.body', { body: 'ping' }), 'ping')
    assert.equal(selected('$request.header.x-a', { header: named({ 'x-a': '1' }) }), '1')
    assert.equal(selected('$request.querystring.q', { querystring: named({ q: '2' }) }), '2')
    assert.equal(selected('$context.routeKey', { context: named({ routeKey: 'join' }) }), 'join')
    assert.equal(selected('${stageVariables.color}-route', { stageVariable: named({ color: 'blue' }) }), 'blue-route')
  })

  test('reads the answer of an integration', () => {
    const response = { status: 404, headers: { 'X-Kind': ['a', 'b'] }, body: Buffer.from('{"error":{"code":"E1"}}') }
    const values = ['statuscode', 'header.x-kind', 'multivalueheader.X-Kind', 'body.error.code'].map((name) => selected(`\${integration.response.${name}}`, { response }))
    assert.deepEqual(values, ['404', 'b', 'a,b', 'E1'])
  })

  test('gives back every text that a message holds', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '0', '"', '\\', '/', '$', '{', '}', '.', '[', '\0', '\n', '\u2028', 'é', '😀', '\ud800') })
    fc.assert(fc.property(text, text, (action, other) => {
      assert.equal(selected('$request.body.action', { body: { other, action } }), action)
    }))
  })

  test('never throws, whatever it and the message are', () => {
    const pieces = fc.constantFrom('$', '\\', '{', '}', '[', ']', '.', 'request', 'body', '${request.body.a}', '$request.body', "'", '*', '?', '(', ')', '@', '..', '0', ' ', 'é', '/')
    fc.assert(fc.property(fc.array(pieces, { maxLength: 8 }), fc.oneof(fc.json(), fc.string()), (expression, body) => {
      const value = selected(expression.join(''), { body })
      assert.ok(value === undefined || typeof value === 'string')
    }), { numRuns: 500 })
  })
})
