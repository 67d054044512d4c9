// Access logs: what a format becomes.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LogEntry } from '#services/logs/index.ts'
import { compileAccessLogFormat, createAccessLog, logGroupOf, variablesIn, type AccessValue } from './access-log.ts'

const render = (format: string, values: Record<string, AccessValue>) => compileAccessLogFormat(format)((name) => values[name])

describe('compileAccessLogFormat()', () => {
  test('puts values where the format names them, in JSON, CLF, XML and CSV', () => {
    const values = { requestId: 'r-1', status: 200, 'identity.sourceIp': '10.0.0.1', 'identity.caller': undefined, responseLength: 0 }
    assert.equal(render('{"id":"$context.requestId","status":"$context.status"}', values), '{"id":"r-1","status":"200"}')
    assert.equal(render('$context.identity.sourceIp $context.identity.caller [$context.status]"x" $context.responseLength', values), '10.0.0.1 - [200]"x" 0')
    assert.equal(render('<request id="$context.requestId"><ip>$context.identity.sourceIp</ip></request>', values), '<request id="r-1"><ip>10.0.0.1</ip></request>')
    assert.equal(render('$context.identity.sourceIp,$context.requestId', values), '10.0.0.1,r-1')
  })

  test('prints a hyphen for what is missing, null or empty', () => {
    assert.equal(render('$context.a $context.b $context.c $context.d $context.requestID', { a: null, b: '', c: undefined, requestId: 'x' }), '- - - - -')
  })

  test('ends a name where the word ends, and takes braces', () => {
    assert.equal(render('$context.requestId.', { requestId: 'r' }), 'r.')
    assert.equal(render('$context.requestId-$context.status:x', { requestId: 'r', status: 1 }), 'r-1:x')
    assert.equal(render('${context.requestId}x $context $requestId $$context.status', { requestId: 'r', status: 1 }), 'rx $context $requestId $1')
  })

  test('knows claims and properties of authorizers with colons and hyphens', () => {
    assert.deepEqual(variablesIn('$context.authorizer.claims.custom:tenant-id $context.authorizer.claims.sub: $context.authorizer.key'), [
      'authorizer.claims.custom:tenant-id', 'authorizer.claims.sub', 'authorizer.key',
    ])
  })

  test('keeps a value from ending its text or its line; a quoted message stays quoted', () => {
    assert.equal(render('{"agent":"$context.identity.userAgent"}', { 'identity.userAgent': 'x","status":"200"}\n{' }), '{"agent":"x\\",\\"status\\":\\"200\\"}\\n{"}')
    assert.equal(render('{"message":$context.error.messageString}', { 'error.messageString': '"Forbidden"' }), '{"message":"Forbidden"}')
  })

  test('drops the end of line that a format may have', () => {
    assert.equal(render('$context.requestId\n', { requestId: 'r' }), 'r')
  })
})

describe('logGroupOf()', () => {
  test('names the group of an ARN with or without its star, and nothing else', () => {
    const group = { accountId: '000000000000', region: 'us-east-1', group: '/aws/apigw/a_b-c.d#1' }
    assert.deepEqual(logGroupOf('arn:aws:logs:us-east-1:000000000000:log-group:/aws/apigw/a_b-c.d#1'), group)
    assert.deepEqual(logGroupOf('arn:aws:logs:us-east-1:000000000000:log-group:/aws/apigw/a_b-c.d#1:*'), group)
    for (const other of ['', 'x', 'arn:aws:logs:us-east-1:000000000000:x', 'arn:aws:firehose:us-east-1:000000000000:deliverystream/amazon-apigateway-x', 'arn:aws:logs:us-east-1:000000000000:log-group:a:log-stream:b']) {
      assert.equal(logGroupOf(other), undefined, other)
    }
  })
})

test('lines go to the stage\'s group, and nowhere while destination or format are missing', () => {
  const written: LogEntry[] = []
  const log = createAccessLog({ append: (entry) => { written.push(entry) } })
  const destinationArn = 'arn:aws:logs:eu-west-1:123456789012:log-group:access'
  const settings = { destinationArn, format: '$context.requestId' }
  const at = Date.parse('2026-03-04T05:06:07Z')
  for (const incomplete of [undefined, {}, { destinationArn }, { format: 'x' }, { destinationArn: 'x', format: 'x' }]) log.write(incomplete, at, () => 'r')
  assert.equal(written.length, 0)
  log.write(settings, at, () => 'r1')
  log.write(settings, at, () => 'r2')
  assert.deepEqual(written.map(({ events }) => events[0]!.message), ['r1', 'r2'])
  assert.deepEqual(written[0], { accountId: '123456789012', region: 'eu-west-1', group: 'access', stream: '2026-03-04', events: [{ timestampMs: at, message: 'r1' }] })
})
