// The order in which requests are judged, and what a refused or failed one is answered.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAuthenticator, SignatureRefusal, type Authenticator, type SignatureFault } from '#aws/authenticate.ts'
import { AwsError } from '#aws/errors.ts'
import { createDispatcher } from '#aws/dispatch.ts'
import { systemClock } from '#lib/clock.ts'
import { ClientGone } from '#lib/http.ts'
import { systemRandom } from '#lib/random.ts'
import { anySignature, createEcho, signedFor, styles } from '#test/sdk/wire/echo.ts'
import { headerOf, jsonOf, requestOf } from '#test/sdk/wire/requests.ts'

const getItem = (parts: { body?: string, headers?: Record<string, string>, onBody?: () => void } = {}) => requestOf({
  ...parts,
  headers: { ...signedFor('dynamodb'), 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'DynamoDB_20120810.GetItem', ...parts.headers },
  body: parts.body ?? '{"TableName":"abc","Key":{}}',
})

const refusing = (fault: SignatureFault, message: string): Authenticator => ({ begin: async () => { throw new SignatureRefusal(fault, message) } })

describe('a request', () => {
  test('of an unknown caller has its body left unread', async () => {
    let isRead = false
    const echo = createEcho({ dynamodb: { GetItem: {} } }, { authenticator: refusing('unknown-key', 'The security token included in the request is invalid.') })
    const answer = await echo.handle(getItem({ onBody: () => { isRead = true } }))
    assert.equal(isRead, false)
    assert.deepEqual(jsonOf(answer), { __type: 'com.amazon.coral.service#UnrecognizedClientException', message: 'The security token included in the request is invalid.' })
  })

  test('whose signature is wrong over its body is refused before the body is understood', async () => {
    const authenticator: Authenticator = {
      begin: async (...args) => ({ ...await anySignature.begin(...args), finish: () => { throw new SignatureRefusal('mismatch', 'The request signature we calculated does not match') } }),
    }
    const answer = await createEcho({ dynamodb: { GetItem: {} } }, { authenticator }).handle(getItem({ body: 'not json' }))
    assert.equal(jsonOf(answer).__type, 'com.amazon.coral.service#InvalidSignatureException')
  })

  test('names the service of its scope to the authenticator', async () => {
    const seen: string[][] = []
    const authenticator: Authenticator = { begin: (request, expected) => { seen.push([...expected.services]); return anySignature.begin(request, expected) } }
    const echo = createEcho({}, { authenticator })
    await echo.handle(getItem())
    await echo.handle(requestOf({ method: 'GET', target: '/v2/apis', headers: signedFor('apigateway') }))
    await echo.handle(requestOf({ method: 'GET', target: '/2015-03-31/functions' }))
    assert.deepEqual(seen, [['dynamodb'], ['apigateway'], ['lambda']])
  })

  test('for an operation that is not served is told so by name, before anything else about it is judged', async () => {
    const answer = await createEcho({}).handle(getItem({ body: 'not json' }))
    assert.equal(answer.status, 501)
    assert.deepEqual(jsonOf(answer), { __type: 'com.amazon.coral.service#NotImplemented', message: 'DynamoDB.GetItem is not implemented by Countersign.' })
    const unsigned = await createEcho({}).handle(requestOf({ method: 'GET', target: '/2015-03-31/functions' }))
    assert.equal(unsigned.status, 403, 'but only when its caller is known')
  })

  test('with a constraint violated gets the code of the service', async () => {
    const answer = await createEcho({ dynamodb: { GetItem: {} } }).handle(getItem({ body: '{"TableName":""}' }))
    assert.equal(answer.status, 400)
    assert.deepEqual(jsonOf(answer), {
      __type: 'com.amazon.coral.validate#ValidationException',
      message: "2 validation errors detected: Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1; Value null at 'key' failed to satisfy constraint: Member must not be null",
    })
  })

  test('that its caller may not make is refused with the first refusal, and no handler runs', async () => {
    const authorizer = { decide: async (_call: unknown, { action }: { action: string }) => ({ allowed: false, message: `User: x is not authorized to perform: ${action}`, statements: [{ policy: 'p', sid: 's', effect: 'Deny' as const }] }) }
    const echo = createEcho({ dynamodb: { GetItem: {} }, lambda: { ListFunctions: {} }, iam: { ListUsers: {} } }, { authorizer })
    const answer = await echo.handle(getItem())
    assert.equal(echo.lastInput, undefined)
    assert.deepEqual(jsonOf(answer), { __type: 'com.amazon.coral.service#AccessDeniedException', Message: 'User: x is not authorized to perform: dynamodb:GetItem' })
    assert.deepEqual(echo.traces[0]!.trace.steps().map(({ step }) => step), ['authentication', 'route', 'policy', 'response'])
    assert.deepEqual(echo.traces[0]!.trace.steps()[2]!.facts, { action: 'dynamodb:GetItem', resource: '*', allowed: false, statements: [{ policy: 'p', sid: 's', effect: 'Deny' }] })
    const lambda = await echo.handle(requestOf({ method: 'GET', target: '/2015-03-31/functions', headers: signedFor('lambda') }))
    assert.deepEqual([lambda.status, jsonOf(lambda)], [403, { Message: 'User: x is not authorized to perform: lambda:ListFunctions' }])
    const iam = await echo.handle(requestOf({ headers: { ...signedFor('iam'), 'content-type': 'application/x-www-form-urlencoded' }, body: 'Action=ListUsers&Version=2010-05-08' }))
    assert.equal(iam.status, 403)
    assert.match(String(iam.body), /<Code>AccessDenied<\/Code>/)
  })

  test('may be refused by a permission that only its handler knows', async () => {
    const authorizer = { decide: async (_call: unknown, { action }: { action: string }) => ({ allowed: action !== 'iam:PassRole', message: 'User: x may not', statements: [] }) }
    const echo = createEcho({ lambda: { ListFunctions: async (_input, call) => { await call.require({ action: 'iam:PassRole', resource: '*' }); return {} } } }, { authorizer })
    const answer = await echo.handle(requestOf({ method: 'GET', target: '/2015-03-31/functions', headers: signedFor('lambda') }))
    assert.deepEqual([answer.status, headerOf(answer, 'x-amzn-errortype')], [403, 'AccessDeniedException'])
  })

  test('larger than its service reads is refused with 413', async () => {
    const answers = { dynamodb: { GetItem: {} }, lambda: { CreateFunction: {} }, iam: { ListUsers: {} } }
    const echo = createEcho(answers, { bodyBytesMax: 10 })
    assert.deepEqual((await echo.handle(getItem())).status, 413)
    const lambda = await echo.handle(requestOf({ target: '/2015-03-31/functions', headers: signedFor('lambda'), body: 'x'.repeat(11) }))
    assert.deepEqual([lambda.status, headerOf(lambda, 'x-amzn-errortype')], [413, 'RequestEntityTooLargeException'])
    assert.equal(jsonOf(lambda).message, 'Request must be smaller than 10 bytes for the CreateFunction operation')
    const edge = await echo.handle(requestOf({ target: '/2015-03-31/functions', headers: signedFor('lambda'), body: 'x'.repeat(10) }))
    assert.equal(edge.status, 400, 'at the limit it is read')
  })

  test('that fails for a reason of ours says nothing about the reason, and the log has it', async () => {
    const fail = () => { throw new Error('password is hunter2') }
    const said = 'The request processing has failed because of an unknown error, exception or failure.'
    for (const [answers, request, expected] of [
      [{ dynamodb: { GetItem: fail } }, getItem(), { __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError', message: said }],
      [{ lambda: { ListFunctions: fail } }, requestOf({ method: 'GET', target: '/2015-03-31/functions', headers: signedFor('lambda') }), { Type: 'Service', Message: said }],
      [{ apigateway: { GetRestApis: fail } }, requestOf({ method: 'GET', target: '/restapis', headers: signedFor('apigateway') }), { message: said }],
    ] as const) {
      const echo = createEcho(answers)
      const answer = await echo.handle(request)
      assert.equal(answer.status, 500)
      assert.deepEqual(jsonOf(answer), expected)
      assert.match(String(echo.failures[0]), /hunter2/)
    }
  })

  test('whose client has gone away is nobody\'s to answer', async () => {
    const gone = new ClientGone()
    const request = { ...getItem(), body: () => Promise.reject(gone) }
    await assert.rejects(createEcho({ dynamodb: { GetItem: {} } }).handle(request), gone)
  })
})

test('a connection of ours that breaks is a failure of ours, not a client that has gone away', async () => {
  const echo = createEcho({ dynamodb: { GetItem: () => { throw Object.assign(new Error('the database is gone'), { code: 'ECONNRESET' }) } } })
  assert.equal((await echo.handle(getItem())).status, 500)
  assert.match(String(echo.failures[0]), /the database is gone/)
  assert.equal(echo.traces.length, 1)
})

describe('a request for no service', () => {
  test('that says nothing of itself is missing a token', async () => {
    const answer = await createEcho({}).handle(requestOf({ method: 'GET' }))
    assert.deepEqual([answer.status, jsonOf(answer)], [403, { message: 'Missing Authentication Token' }])
  })

  test('of another service is told that it is not here', async () => {
    const answer = await createEcho({}).handle(requestOf({ method: 'PUT', target: '/bucket', headers: signedFor('s3') }))
    assert.deepEqual([answer.status, headerOf(answer, 'x-amzn-errortype'), jsonOf(answer)], [501, 'NotImplemented', { message: 'The service s3 is not implemented by Countersign.' }])
  })

  test('is found by query parameters as well: a presigned request', async () => {
    const echo = createEcho({ sts: { GetCallerIdentity: { Account: '1' } } })
    const answer = await echo.handle(requestOf({ method: 'GET', target: '/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20260102%2Fus-east-1%2Fsts%2Faws4_request' }))
    assert.equal(answer.status, 200)
  })

  for (const [says, parts, status] of [
    ['an unsigned form', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'Action=GetCallerIdentity&Version=2011-06-15' }, 403],
    ['an unsigned action in the query string', { method: 'GET', target: '/?Action=GetCallerIdentity&Version=2011-06-15' }, 403],
  ] as const) {
    test(`${says} is refused in XML`, async () => {
      const answer = await createEcho({}).handle(requestOf(parts))
      assert.equal(answer.status, status)
      assert.match(String(answer.body), /<Code>MissingAuthenticationToken<\/Code><Message>Request is missing Authentication Token<\/Message>/)
    })
  }
})

describe('a refused signature', () => {
  const iam = requestOf({ headers: { ...signedFor('iam'), 'content-type': 'application/x-www-form-urlencoded' }, body: 'Action=ListUsers&Version=2010-05-08' })
  const lambda = requestOf({ method: 'GET', target: '/2015-03-31/functions', headers: signedFor('lambda') })
  // Source: "Common Errors" of the IAM, DynamoDB and Lambda API references; recorded answers of STS.
  for (const [fault, xml, xmlStatus, json, rest] of [
    ['missing', 'MissingAuthenticationToken', 403, 'MissingAuthenticationTokenException', 'MissingAuthenticationTokenException'],
    ['incomplete', 'IncompleteSignature', 400, 'IncompleteSignatureException', 'IncompleteSignatureException'],
    ['unknown-key', 'InvalidClientTokenId', 403, 'UnrecognizedClientException', 'UnrecognizedClientException'],
    ['expired-token', 'ExpiredToken', 403, 'ExpiredTokenException', 'ExpiredTokenException'],
    ['scope', 'SignatureDoesNotMatch', 403, 'InvalidSignatureException', 'InvalidSignatureException'],
    ['expired', 'SignatureDoesNotMatch', 403, 'InvalidSignatureException', 'InvalidSignatureException'],
    ['mismatch', 'SignatureDoesNotMatch', 403, 'InvalidSignatureException', 'InvalidSignatureException'],
  ] as const) {
    test(`(${fault}) has the code, status and form of each family`, async () => {
      const echo = createEcho({}, { authenticator: refusing(fault, 'said "so"') })
      const query = await echo.handle(iam)
      assert.equal(query.status, xmlStatus)
      assert.match(String(query.body), new RegExp(`<Code>${xml}</Code><Message>said &quot;so&quot;</Message>`))
      const dynamodb = await echo.handle(getItem())
      assert.deepEqual([dynamodb.status, jsonOf(dynamodb)], [400, { __type: `com.amazon.coral.service#${json}`, message: 'said "so"' }])
      const byRest = await echo.handle(lambda)
      assert.deepEqual([byRest.status, headerOf(byRest, 'x-amzn-errortype'), jsonOf(byRest).message], [403, rest, fault === 'missing' ? 'Missing Authentication Token' : 'said "so"'])
    })
  }
})

describe('every request', () => {
  test('leaves one trace with its facts, without headers or secrets', async () => {
    const echo = createEcho({ dynamodb: { GetItem: () => { throw new AwsError('ResourceNotFoundException', 400, 'Requested resource not found') } } })
    const answer = await echo.handle(getItem())
    assert.equal(jsonOf(answer).__type, 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException')
    assert.equal(echo.traces.length, 1)
    const { trace, facts } = echo.traces[0]!
    assert.equal(headerOf(answer, 'x-amzn-requestid'), trace.requestId)
    const { atMs, durationMs, requestId, ...rest } = facts
    assert.ok(atMs > 0 && durationMs >= 0 && requestId === trace.requestId)
    assert.deepEqual(rest, {
      status: 400, service: 'dynamodb', operation: 'GetItem', errorCode: 'ResourceNotFoundException', accountId: '000000000000',
      callerArn: 'arn:aws:iam::000000000000:user/alice', accessKeyId: 'AKIAEXAMPLE', region: 'us-east-1',
    })
    assert.ok(!JSON.stringify(trace.steps()).includes('Signature='))
  })

  test('with a wrong signature leaves a trace without the canonical request, which the answer has', async () => {
    const message = "The request signature we calculated does not match.\n\nThe Canonical String for this request should have been\n'x-amz-security-token:secret'"
    const echo = createEcho({}, { authenticator: { begin: async () => { throw new SignatureRefusal('mismatch', message, 'The request signature we calculated does not match.') } } })
    assert.equal(jsonOf(await echo.handle(getItem())).message, message)
    const steps = echo.traces[0]!.trace.steps()
    assert.deepEqual(steps[0]!.facts, { refused: 'mismatch' })
    assert.equal(steps[1]!.facts['message'], 'The request signature we calculated does not match.')
    assert.ok(!JSON.stringify(steps).includes('secret'))
  })
})

test('a refusal that repeats the Authorization header leaves a trace without it', async () => {
  const identity = { findCredential: async () => ({ refused: 'unknown key' as const }) }
  for (const authorization of ['AWS4-HMAC-SHA256 Credential=hunter2', 'AWS4-HMAC-SHA256 hunter2']) {
    const echo = createEcho({}, { authenticator: createAuthenticator({ identity, clock: systemClock }) })
    const answer = await echo.handle(getItem({ headers: { authorization } }))
    assert.match(jsonOf(answer).message, /hunter2/, 'DynamoDB repeats it in its answer')
    assert.ok(!JSON.stringify(echo.traces[0]!.trace.steps()).includes('hunter2'))
  }
})

test('a table that names an operation its model does not have stops the start', () => {
  const operations = { GetItems: { access: () => [], run: () => ({}) } }
  assert.throws(() => createDispatcher({
    services: [{ model: 'dynamodb-2012-08-10', operations, service: {}, bodyBytesMax: 1, errors: styles['dynamodb']! }],
    authenticator: anySignature, authorizer: { decide: async () => ({ allowed: true, message: '', statements: [] }) },
    clock: systemClock, random: systemRandom, log: { error: () => {} }, onTrace: () => {},
  }), /dynamodb-2012-08-10 has no operation GetItems/)
})
