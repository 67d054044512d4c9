// Calls for a caller who is established: judged like any other request, but for the signature.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createServiceCalls, type ServiceCall } from '#aws/service-calls.ts'
import { startTrace } from '#aws/trace.ts'
import { createEcho } from '#test/sdk/wire/echo.ts'

const given = (parts: Partial<ServiceCall>): ServiceCall => ({
  service: 'dynamodb', region: 'eu-west-1', caller: { is: 'user', accountId: '123456789012', arn: 'arn:aws:iam::123456789012:user/ann', userId: 'AIDA', accessKeyId: 'AKIA', userName: 'ann' },
  trace: startTrace('r', () => 0), method: 'POST', target: { action: 'GetItem' }, rawQuery: '', headers: [['Content-Type', 'application/json']], body: Buffer.from('{"TableName":"abc","Key":{}}'), ...parts,
})

describe('a call of one service by another', () => {
  test('of an action names it in the target, unless the request does', async () => {
    const calls = createServiceCalls(createEcho({ dynamodb: { GetItem: {}, PutItem: {} } }))
    assert.equal((await calls.call(given({}))).status, 200)
    const other = await calls.call(given({ headers: [['Content-Type', 'application/json'], ['X-Amz-Target', 'DynamoDB_20120810.DeleteItem']] }))
    assert.match(String(other.body), /DynamoDB\.DeleteItem is not implemented/)
  })

  test('of an action of the query protocol names it in the form, with the version', async () => {
    const calls = createServiceCalls(createEcho({ sts: { GetCallerIdentity: {} } }))
    for (const parts of [{ method: 'GET', body: Buffer.alloc(0) }, { body: Buffer.from('Action=GetCallerIdentity&Version=2011-06-15'), headers: [['Content-Type', 'application/x-www-form-urlencoded']] as const }]) {
      const answer = await calls.call(given({ service: 'sts', target: { action: 'GetCallerIdentity' }, ...parts }))
      assert.match(String(answer.body), /<GetCallerIdentityResponse/)
    }
  })

  test('is refused in the service\'s own form, and what was decided goes into the caller\'s trace', async () => {
    const calls = createServiceCalls(createEcho({ dynamodb: { GetItem: {} } }, { authorizer: { decide: async () => ({ allowed: false, message: 'no', statements: [] }) } }))
    const call = given({})
    const answer = await calls.call(call)
    assert.deepEqual([answer.status, JSON.parse(String(answer.body)).__type], [400, 'com.amazon.coral.service#AccessDeniedException'])
    const broken = await calls.call(given({ body: Buffer.from('not json') }))
    assert.match(String(broken.body), /SerializationException/)
    assert.deepEqual(call.trace.steps().map(({ step }) => step), ['route', 'policy'])
  })

  test('knows which services there are, and which of them have actions', () => {
    const calls = createServiceCalls(createEcho({}))
    assert.deepEqual([calls.serves('dynamodb', { action: 'x' }), calls.serves('lambda', { action: 'x' }), calls.serves('lambda', { path: '/' }), calls.serves('sqs', { path: '/' })], [true, false, true, false])
  })
})
