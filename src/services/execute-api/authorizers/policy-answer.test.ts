// What is an answer of a Lambda authorizer, and what its policy allows.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { headersFromRaw } from '#lib/http.ts'
import { AUTHORIZER_RESULT_BYTES_MAX, contextTexts, evaluateAnswer, readPolicyAnswer, type PolicyAnswer } from './policy-answer.ts'

const api = 'arn:aws:execute-api:us-east-1:123456780000:api123'

function answer(change: Record<string, unknown> = {}, statement: Record<string, unknown> = {}): Record<string, unknown> {
  const Statement = [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: `${api}/dev/GET/*`, ...statement }]
  return { principalId: 'user', policyDocument: { Version: '2012-10-17', Statement }, ...change }
}

const read = (value: unknown) => readPolicyAnswer(Buffer.from(JSON.stringify(value)))

function good(value: unknown): PolicyAnswer {
  const result = read(value)
  assert.ok(!('malformed' in result), JSON.stringify(result))
  return result
}

const outcome = (given: PolicyAnswer, resource: string) => evaluateAnswer(given, {
  resource, scope: { accountId: '123456780000', region: 'us-east-1' }, atMs: 0,
  request: { headers: headersFromRaw([]), remoteAddress: '192.0.2.7', isSecure: true },
}).outcome

describe('an answer is malformed', () => {
  for (const [says, value, because] of [
    ['without principalId', answer({ principalId: undefined }), 'principalId is missing'],
    ['without a policy', answer({ policyDocument: undefined }), 'policyDocument is missing'],
    ['as a proxy response', { statusCode: 401, body: 'Unauthorized' }, 'principalId is missing'],
    ['as a text', 'Unauthorized', 'the answer is not an object'],
    ['as nothing', null, 'the answer is not an object'],
    ['with a list in its context', answer({ context: { a: ['hello'] } }), 'context.a is neither string nor number nor boolean'],
    ['with an object in its context', answer({ context: { a: {} } }), 'context.a is neither string nor number nor boolean'],
    ['with null in its context', answer({ context: { a: null } }), 'context.a is neither string nor number nor boolean'],
    ['with a text as context', answer({ context: 'a' }), 'context is not an object'],
    ['with a number as key', answer({ usageIdentifierKey: 7 }), 'usageIdentifierKey is not a string'],
    ['with a policy that is none', answer({}, { Effect: 'Maybe' }), 'policyDocument: Syntax errors in policy.'],
    ['with a policy of another version', answer({ policyDocument: { ...answer()['policyDocument'] as object, Version: '2020-01-01' } }), 'policyDocument: Syntax errors in policy.'],
  ] as const) {
    test(says, () => assert.deepEqual(read(value), { malformed: because }))
  }

  test('as what is not JSON, or above 8 KB', () => {
    assert.deepEqual(readPolicyAnswer(Buffer.from('<html>')), { malformed: 'the answer is not JSON' })
    const fill = (bytes: number) => readPolicyAnswer(Buffer.from(JSON.stringify(answer()).padEnd(bytes)))
    assert.ok(!('malformed' in fill(AUTHORIZER_RESULT_BYTES_MAX)))
    assert.deepEqual(fill(AUTHORIZER_RESULT_BYTES_MAX + 1), { malformed: 'the answer is larger than 8192 bytes' })
  })
})

describe('an answer', () => {
  test('keeps principal, context and key', () => {
    const { principalId, context, usageIdentifierKey } = good(answer({ principalId: 7, context: { text: 'a', number: 1.5, truth: true }, usageIdentifierKey: 'k' }))
    assert.deepEqual({ principalId, context, usageIdentifierKey }, { principalId: '7', context: { text: 'a', number: 1.5, truth: true }, usageIdentifierKey: 'k' })
    assert.deepEqual(contextTexts(context), { text: 'a', number: '1.5', truth: 'true' })
  })

  test('allows what its policy allows, and nothing else', () => {
    const given = good(answer())
    assert.equal(outcome(given, `${api}/dev/GET/pets/1`), 'allowed')
    assert.equal(outcome(given, `${api}/dev/POST/pets`), 'implicit-deny')
    assert.equal(outcome(given, `${api}/prod/GET/pets`), 'implicit-deny')
    assert.equal(outcome(good(answer({}, { Effect: 'Deny' })), `${api}/dev/GET/pets`), 'explicit-deny')
    assert.equal(outcome(good(answer({}, { Action: 'execute-api:ManageConnections' })), `${api}/dev/GET/pets`), 'implicit-deny')
  })

  test('takes a policy without a version, and conditions', () => {
    const { Version: _version, ...document } = answer()['policyDocument'] as Record<string, unknown>
    assert.equal(outcome(good(answer({ policyDocument: document })), `${api}/dev/GET/pets`), 'allowed')
    const from = (range: string) => outcome(good(answer({}, { Condition: { IpAddress: { 'aws:SourceIp': range } } })), `${api}/dev/GET/pets`)
    assert.deepEqual([from('192.0.2.0/24'), from('198.51.100.0/24')], ['allowed', 'implicit-deny'])
  })
})
