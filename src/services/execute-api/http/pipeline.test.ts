// The data plane of HTTP APIs over deployments given as values: limits, what is not served, what is compiled when, whose a request is.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { headersFromRaw } from '#lib/http.ts'
import type { V2ApiSnapshot } from '#services/apigatewayv2/index.ts'
import { API_HOST, gatewayOver, requestOf, snapshotOf, sourceOf, stageOf, type GatewayGiven, type GivenRoutes, type RequestGiven } from './gateway.testing.ts'
import { PAYLOAD_BYTES_MAX } from './steps/read-body.ts'

async function call(routes: GivenRoutes, request: RequestGiven, given: GatewayGiven = {}, changes: Partial<V2ApiSnapshot> = {}) {
  const snapshot = snapshotOf(routes, changes)
  const { gateway, invocations, steps } = gatewayOver(sourceOf(() => snapshot), given)
  const { status, headers, body } = await gateway.handle(requestOf(request))
  return { status, headers, text: String(body ?? ''), invocations, steps: steps() }
}

const error = (message: string) => JSON.stringify({ message })

describe('the body of a request', () => {
  const routes: GivenRoutes = { 'POST /': {}, 'POST /signed': { route: { authorizationType: 'AWS_IAM' } } }

  test('is refused above 10 MB, and nothing is invoked', async () => {
    const { status, text, invocations } = await call(routes, { method: 'POST', body: Buffer.alloc(PAYLOAD_BYTES_MAX + 1) })
    assert.deepEqual([status, text, invocations.length], [413, error('Request Entity Too Large'), 0])
  })

  test('may have 10 MB', async () => {
    const { status, invocations } = await call(routes, { method: 'POST', body: Buffer.alloc(PAYLOAD_BYTES_MAX) })
    assert.deepEqual([status, (JSON.parse(invocations[0]!.payload.toString()) as { isBase64Encoded: boolean }).isBase64Encoded], [200, true])
  })

  test('is not read where nobody has signed', async () => {
    const snapshot = snapshotOf(routes)
    const { gateway } = gatewayOver(sourceOf(() => snapshot))
    const { status } = await gateway.handle({ ...requestOf({ method: 'POST', path: '/signed' }), body: async () => { throw new Error('read') } })
    assert.equal(status, 403)
  })
})

describe('what is not served', () => {
  test('is refused by its name, and never let through', async () => {
    const named = async (integration: NonNullable<GivenRoutes[string]['integration']>) => {
      const { status, text } = await call({ 'GET /': { integration } }, {})
      assert.equal(status, 501)
      return (JSON.parse(text) as { message: string }).message
    }
    assert.match(await named({ integrationSubtype: 'SQS-SendMessage' }), /SQS-SendMessage are not served/)
    assert.match(await named({ integrationType: 'HTTP_PROXY', integrationUri: 'http://x/', connectionType: 'VPC_LINK', connectionId: 'v' }), /VPC links are not served/)
    assert.match(await named({ integrationType: 'MOCK' }), /MOCK integrations of HTTP APIs are not served/)
  })

  test('an authorization that is not known lets nobody in', async () => {
    const { status, text, invocations } = await call({ 'GET /': { route: { authorizationType: 'OTHER' as 'NONE' } } }, {})
    assert.deepEqual([status, text, invocations.length], [403, error('Forbidden'), 0])
  })

  test('a route without an integration, or with an authorizer that is gone, fails', async () => {
    const broken: GivenRoutes = { 'GET /': { route: { target: 'integrations/gone' } }, 'GET /jwt': { route: { authorizationType: 'JWT', authorizerId: 'gone' } }, 'GET /custom': { route: { authorizationType: 'CUSTOM', authorizerId: 'gone' } } }
    for (const path of ['/', '/jwt', '/custom']) {
      const { status, text, invocations } = await call(broken, { path })
      assert.deepEqual([status, text, invocations.length], [500, error('Internal Server Error'), 0], path)
    }
  })

  test('a WebSocket API is no HTTP API', async () => {
    const { status } = await call({ $default: {} }, {}, {}, { protocolType: 'WEBSOCKET' })
    assert.equal(status, 403)
  })
})

test('a deployment is compiled once, with its first request; the next one anew', async () => {
  let snapshot = snapshotOf({ 'GET /': {} })
  const compiled: string[] = []
  const { gateway } = gatewayOver(sourceOf(() => snapshot), { onCompileHttpApi: ({ deploymentId }) => compiled.push(deploymentId) })
  for (let count = 0; count < 3; count++) assert.equal((await gateway.handle(requestOf({}))).status, 200)
  assert.deepEqual(compiled, ['d1'])
  snapshot = snapshotOf({ 'POST /': {} }, { deploymentId: 'd2' })
  for (let count = 0; count < 3; count++) assert.equal((await gateway.handle(requestOf({}))).status, 404)
  assert.deepEqual(compiled, ['d1', 'd2'])
})

describe('a request', () => {
  const { gateway } = gatewayOver(sourceOf(() => snapshotOf({ $default: {} })))
  const whose = async (host: string, headers: Record<string, string> = {}) => {
    const request = { path: '/v1/x', headers: headersFromRaw(Object.entries({ Host: host, ...headers }).flat()) }
    return gateway.matches(request) ? 'the API\'s' : await gateway.isForCustomDomain(request) ? 'the domain\'s' : 'nobody\'s'
  }
  const signedFor = (service: string) => ({ Authorization: `AWS4-HMAC-SHA256 Credential=AKIA/20260501/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0` })

  test('is an API\'s by its host or a domain\'s by its name', async () => {
    assert.equal(await whose(API_HOST), 'the API\'s')
    assert.equal(await whose('api.example.com'), 'the domain\'s')
    assert.equal(await whose('api.example.com:4566', signedFor('execute-api')), 'the domain\'s')
    assert.equal(await whose('api.example.com', { Authorization: 'Bearer x' }), 'the domain\'s')
    for (const host of ['other.example.com', 'localhost:4566', '127.0.0.1', '[::1]:4566', 'example', '']) assert.equal(await whose(host), 'nobody\'s', host)
  })

  test('to a domain that leads nowhere is the domain\'s, and forbidden', async () => {
    assert.equal(await whose('empty.example.com'), 'the domain\'s')
    const { status, headers, body } = await gateway.handle(requestOf({ host: 'empty.example.com', path: '/x' }))
    assert.deepEqual([status, String(body), headers['x-amzn-ErrorType']], [403, error('Forbidden'), 'ForbiddenException'])
  })

  test('that is signed for another service is never a domain\'s, whoever took its name', async () => {
    for (const service of ['sts', 'lambda', 'dynamodb']) assert.equal(await whose('api.example.com', signedFor(service)), 'nobody\'s', service)
    assert.equal(await whose('api.example.com', { Authorization: 'AWS4-HMAC-SHA256 SignedHeaders=host,Credential=AKIA/20260501/us-east-1/sts/aws4_request,Signature=0' }), 'nobody\'s')
  })
})

test('the id of a request is told to the client, to the function and in the trace', async () => {
  const { headers, invocations } = await call({ $default: {} }, { path: '/x' })
  const { requestContext } = JSON.parse(invocations[0]!.payload.toString()) as { requestContext: { requestId: string } }
  assert.equal(headers['apigw-requestid'], requestContext.requestId)
  assert.match(requestContext.requestId, /^[\w-]{15}=$/)
})

test('a route that takes the whole path comes before a greedy one, however specific that begins', async () => {
  const routeOf = async (routes: string[], path: string, method = 'GET') => {
    const { invocations } = await call(Object.fromEntries(routes.map((routeKey) => [routeKey, {}])), { path, method })
    return (JSON.parse(invocations[0]!.payload.toString()) as { routeKey: string }).routeKey
  }
  assert.equal(await routeOf(['GET /x/{proxy+}', 'GET /{a}/b/c'], '/x/b/c'), 'GET /{a}/b/c')
  assert.equal(await routeOf(['GET /x/{proxy+}', 'ANY /{a}/b/c'], '/x/b/c'), 'ANY /{a}/b/c')
  assert.equal(await routeOf(['GET /x/{proxy+}', 'GET /{a}/b/c'], '/x/b/d'), 'GET /x/{proxy+}')
  assert.equal(await routeOf(['GET /x/{proxy+}', 'POST /{a}/b/c'], '/x/b/c'), 'GET /x/{proxy+}')
  assert.equal(await routeOf(['ANY /{proxy+}', 'GET /pets/{proxy+}', 'GET /pets/dog/{id}', 'GET /pets/dog/1', '$default'], '/pets/dog/2'), 'GET /pets/dog/{id}')
})

test('for whom a function is invoked is the route as it is written', async () => {
  const sourceArnOf = async (routeKey: string, request: RequestGiven) => (await call({ [routeKey]: {} }, request)).invocations[0]!.sourceArn
  const arn = (called: string) => `arn:aws:execute-api:us-east-1:111111111111:api123/${called}`
  assert.equal(await sourceArnOf('GET /pets/{id}', { path: '/pets/7' }), arn('$default/GET/pets/{id}'))
  assert.equal(await sourceArnOf('ANY /{proxy+}', { path: '/prod/pets/7' }), arn('prod/*/{proxy+}'))
  assert.equal(await sourceArnOf('$default', { path: '/pets/7', method: 'PUT' }), arn('$default/$default'))
})

describe('the path that a function is shown', () => {
  const paths = async (payloadFormatVersion: '1.0' | '2.0', path: string, stageName: string) => {
    const snapshot = snapshotOf({ $default: { integration: { payloadFormatVersion } }, 'GET /': { integration: { payloadFormatVersion } } })
    const source = { ...sourceOf(() => snapshot), findMapping: async () => ({ apiId: 'api123', stageName, mappingKey: 'v1' }) }
    const { gateway, invocations } = gatewayOver(source)
    await gateway.handle(requestOf({ host: 'api.example.com', path }))
    const event = JSON.parse(invocations[0]!.payload.toString()) as { path: string, rawPath: string, requestContext: { path: string, http: { path: string } } }
    return payloadFormatVersion === '2.0' ? [event.rawPath, event.requestContext.http.path] : [event.path, event.requestContext.path]
  }

  // Source: aws/aws-lambda-dotnet's tests of its LambdaTestTool, which hold it against API Gateway.
  test('is as it was sent in format 1.0, and decoded in format 2.0', async () => {
    assert.deepEqual(await paths('1.0', '/v1/a%20b/%E2%98%95', '$default'), ['/v1/a%20b/%E2%98%95', '/v1/a%20b/%E2%98%95'])
    assert.deepEqual(await paths('2.0', '/v1/a%20b/%E2%98%95', '$default'), ['/a b/☕', '/a b/☕'])
  })

  // Source: CodeGenieApp/serverless-express issue 612, an event.
  test('is empty behind a mapping\'s key without a slash', async () => {
    assert.deepEqual(await paths('2.0', '/v1', '$default'), ['', ''])
    assert.deepEqual(await paths('2.0', '/v1/', '$default'), ['/', '/'])
    assert.deepEqual(await paths('2.0', '/v1', 'prod'), ['/prod', '/prod'])
    assert.deepEqual(await paths('1.0', '/v1', 'prod'), ['/v1', '/v1'])
  })
})

test('stages have variables of their own', async () => {
  const snapshot = snapshotOf({ $default: { integration: { integrationUri: 'arn:aws:lambda:us-east-1:111111111111:function:${stageVariables.fn}' } } })
  const { gateway, invocations } = gatewayOver(sourceOf(() => snapshot, (name) => stageOf(name, { stageVariables: { fn: name === 'prod' ? 'old' : 'new' } })))
  for (const path of ['/x', '/prod/x']) await gateway.handle(requestOf({ path }))
  assert.deepEqual(invocations.map(({ functionArn }) => functionArn.split(':').at(-1)), ['new', 'old'])
})
