// Authorizers of HTTP APIs with the official client: tokens that a real issuer signs, and real functions that say who calls.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { ResetAuthorizersCacheCommand, UpdateAuthorizerCommand } from '@aws-sdk/client-apigatewayv2'
import { systemClock } from '#lib/clock.ts'
import { functionArnOf, functionIntegration, newHttpApi, type TestHttpApi } from '#test/support/http-api.ts'
import { startIssuer, type Issuer } from '#test/support/issuer.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { deployNode } from '../lambda/deploy.ts'

const echo = 'export const handler = async ({ requestContext }) => ({ statusCode: 200, body: JSON.stringify(requestContext.authorizer ?? null) })'

const UNAUTHORIZED = [401, '{"message":"Unauthorized"}']
const FORBIDDEN = [403, '{"message":"Forbidden"}']
const ERROR = [500, '{"message":"Internal Server Error"}']

interface World extends TestHttpApi {
  server: TestServer
  /** Status and text, or status and what the function saw of its authorizer. */
  get(target: string, headers?: Record<string, string>): Promise<[number, any]>
}

function getBy(api: TestHttpApi): World['get'] {
  return async (target, headers = {}) => {
    const { status, text } = await api.call('GET', target, { headers })
    return [status, status === 200 ? JSON.parse(text) : text]
  }
}

describe('a JWT authorizer', () => {
  async function start(t: TestContext): Promise<World & { issuer: Issuer, as(token: string): Record<string, string>, tick(ms: number): void }> {
    let aheadMs = 0
    const issuer = await startIssuer()
    t.after(() => issuer.close())
    const server = await startServer(t, { clock: { ...systemClock, now: () => Date.now() + aheadMs } })
    await deployNode(server, 'echo', echo)
    const route = { AuthorizationType: 'JWT' as const, authorizer: 'tokens' }
    const api = await newHttpApi(server, {
      authorizers: { tokens: { AuthorizerType: 'JWT', IdentitySource: ['$request.header.Authorization'], JwtConfiguration: { Audience: ['countersign-tests', 'other'], Issuer: issuer.url } } },
      routes: {
        'GET /mine': { ...functionIntegration('echo'), route },
        'GET /scoped': { ...functionIntegration('echo'), route: { ...route, AuthorizationScopes: ['orders/read', 'orders/write'] } },
        'POST /old': { ...functionIntegration('echo', '1.0'), route },
        'GET /open': functionIntegration('echo'),
      },
    })
    await api.permit('echo')
    return { ...api, server, issuer, get: getBy(api), as: (token) => ({ Authorization: `Bearer ${token}` }), tick: (ms) => { aheadMs += ms } }
  }

  test('refuses a request without a token, and says that it wants one', async (t) => {
    const { call, get } = await start(t)
    const { status, text, headers } = await call('GET', '/mine')
    assert.deepEqual([status, text, headers['www-authenticate'], headers['content-type']], [...UNAUTHORIZED, 'Bearer', undefined])
    assert.deepEqual(await get('/open'), [200, null])
  })

  test('says what is wrong with a token', async (t) => {
    const { call, issuer, as } = await start(t)
    const stranger = await startIssuer()
    t.after(() => stranger.close())
    const cases: [token: string, description: string][] = [
      [await issuer.token({ aud: 'somebody' }), 'the token does not have a valid audience'],
      [await issuer.token({ aud: undefined, client_id: 'somebody' }), 'the token does not have a valid audience'],
      [await issuer.token({ iss: `${issuer.url}/` }), 'the issuer of the token does not match'],
      [await stranger.token(), 'the issuer of the token does not match'],
      [await stranger.token({ iss: issuer.url }), 'the signature of the token is not valid'],
      [await issuer.token({ exp: Math.floor(Date.now() / 1000) - 1 }), 'the token has expired'],
      [await issuer.token({ exp: undefined }), 'the token has no expiration time'],
      [await issuer.token({ nbf: Math.floor(Date.now() / 1000) + 300 }), 'the token is not valid yet'],
      [`${(await issuer.token()).slice(0, -6)}AAAAAA`, 'the signature of the token is not valid'],
      ['eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.', 'signing method none is invalid'],
      [`${Buffer.from('{"alg":"RS\\"256"}').toString('base64url')}.e30.`, 'the signing algorithm of the token is not supported'],
      ['nothing', 'token contains an invalid number of segments'],
      ['a.b.c', 'the token is not a valid JWT'],
    ]
    for (const [token, description] of cases) {
      const { status, text, headers } = await call('GET', '/mine', { headers: as(token) })
      assert.deepEqual([status, text], UNAUTHORIZED, description)
      assert.equal(headers['www-authenticate'], `Bearer scope="" error="invalid_token" error_description="${description}"`)
      assert.equal(headers['content-type'], undefined)
    }
    const { headers } = await call('GET', '/scoped', { headers: as('nothing') })
    assert.equal(headers['www-authenticate'], 'Bearer scope="orders/read orders/write" error="invalid_token" error_description="token contains an invalid number of segments"')
  })

  test('wants one of the route\'s scopes', async (t) => {
    const { get, issuer, as } = await start(t)
    assert.deepEqual(await get('/scoped', as(await issuer.token())), FORBIDDEN)
    assert.deepEqual(await get('/scoped', as(await issuer.token({ scope: 'orders orders/delete' }))), FORBIDDEN)
    for (const claims of [{ scope: 'openid orders/write' }, { scp: ['orders/read'] }]) {
      const [status, { jwt }] = await get('/scoped', as(await issuer.token(claims)))
      assert.deepEqual([status, jwt.scopes], [200, ['orders/read', 'orders/write']])
    }
  })

  test('tells the function what the token claims, as text', async (t) => {
    const { call, get, issuer, as } = await start(t)
    const token = await issuer.token({ aud: undefined, client_id: 'other', admin: true, groups: ['a', 'b'], level: 3 })
    const [status, { jwt }] = await get('/mine', as(token))
    assert.equal(status, 200)
    assert.partialDeepStrictEqual(jwt, { claims: { sub: 'service-7', client_id: 'other', admin: 'true', groups: '[a b]', level: '3', iss: issuer.url }, scopes: null })
    // Without the word in front, too.
    assert.equal((await get('/mine', { Authorization: token }))[0], 200)
    const { text } = await call('POST', '/old', { headers: as(token) })
    assert.partialDeepStrictEqual(JSON.parse(text), { claims: { sub: 'service-7' }, scopes: null })
  })

  test('learns a new key of the issuer, and forgets the old one', async (t) => {
    const { get, issuer, as, tick } = await start(t)
    const old = await issuer.token({ exp: Math.floor(Date.now() / 1000) + 10_000 })
    assert.equal((await get('/mine', as(old)))[0], 200)
    await issuer.rotate()
    tick(20_000)
    assert.equal((await get('/mine', as(await issuer.token())))[0], 200)
    assert.deepEqual(await get('/mine', as(old)), UNAUTHORIZED)
    assert.equal(issuer.asked(), 2)
  })

  test('lets nobody in while the issuer cannot be asked', async (t) => {
    const { get, issuer, as } = await start(t)
    issuer.answer.configuration = undefined
    assert.deepEqual(await get('/mine', as(await issuer.token())), UNAUTHORIZED)
  })
})

/** Says yes to `allow…`; counts its calls; does what is wrong where it is asked to. */
const authorizer = `let calls = 0
export const handler = async (event) => {
  const [token = '', ...more] = [event.identitySource ?? []].flat()
  if (token === 'nobody') throw new Error('Unauthorized')
  if (token === 'fail') throw new Error('no')
  if (token === 'nonsense') return { isAuthorized: 'yes' }
  const context = { calls: ++calls, token, seen: { list: [1, 2] } }
  const isAuthorized = token.startsWith('allow')
  if (event.version === '2.0' && event.headers.simple !== 'no') return { isAuthorized, context: token === 'allow-event' ? { event } : context }
  return {
    principalId: 'p', context: token === 'allow-event' ? { event: JSON.stringify(event) } : { calls, token },
    policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: isAuthorized ? 'Allow' : 'Deny', Resource: event.routeArn ?? event.methodArn }] },
  }
}`

describe('a Lambda authorizer', () => {
  const uri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArnOf('auth')}/invocations`

  async function start(t: TestContext): Promise<World> {
    const server = await startServer(t)
    await deployNode(server, 'echo', echo)
    await deployNode(server, 'auth', authorizer)
    const by = (authorizer: string) => ({ ...functionIntegration('echo'), route: { AuthorizationType: 'CUSTOM' as const, authorizer } })
    const common = { AuthorizerType: 'REQUEST' as const, AuthorizerUri: uri, IdentitySource: ['$request.header.Authorization'] }
    const simple = { ...common, AuthorizerPayloadFormatVersion: '2.0', EnableSimpleResponses: true }
    const api = await newHttpApi(server, {
      authorizers: {
        simple: { ...simple, AuthorizerResultTtlInSeconds: 0 },
        kept: { ...simple, AuthorizerResultTtlInSeconds: 300 },
        byRoute: { ...simple, IdentitySource: ['$request.header.Authorization', '$context.routeKey'], AuthorizerResultTtlInSeconds: 300 },
        two: { ...simple, IdentitySource: ['$request.header.Authorization', '$request.querystring.key', '$stageVariables.color'], AuthorizerResultTtlInSeconds: 0 },
        policy: { ...common, AuthorizerPayloadFormatVersion: '2.0', AuthorizerResultTtlInSeconds: 0 },
        old: { ...common, AuthorizerPayloadFormatVersion: '1.0', AuthorizerResultTtlInSeconds: 300 },
      },
      routes: {
        'GET /simple/{id}': by('simple'), 'GET /kept': by('kept'), 'GET /kept/too': by('kept'), 'GET /by-route': by('byRoute'), 'GET /by-route/too': by('byRoute'), 'GET /two': by('two'),
        'GET /policy': by('policy'), 'GET /old/{id}': by('old'),
        'GET /old-format/{id}': { ...by('old'), PayloadFormatVersion: '1.0' },
      },
      stages: { $default: { StageVariables: { color: 'blue' } }, plain: {} },
    })
    await api.permit('echo')
    await api.permit('auth', 'authorizers/*')
    return { ...api, server, get: getBy(api) }
  }
  const as = (Authorization: string, more: Record<string, string> = {}) => ({ Authorization, ...more })

  test('is not asked without an identity', async (t) => {
    const { get } = await start(t)
    for (const target of ['/simple/7', '/kept', '/policy', '/old/7']) assert.deepEqual(await get(target), UNAUTHORIZED, target)
    assert.deepEqual(await get('/two', as('allow')), UNAUTHORIZED)
    assert.deepEqual(await get('/two?key=', as('allow')), UNAUTHORIZED)
    assert.deepEqual(await get('/plain/two?key=1', as('allow')), UNAUTHORIZED)
    assert.equal((await get('/two?key=1', as('allow')))[0], 200)
  })

  test('refuses, and fails, in one word each', async (t) => {
    const { get } = await start(t)
    for (const target of ['/simple/7', '/policy', '/old/7']) {
      assert.deepEqual(await get(target, as('deny', { simple: 'no' })), target === '/simple/7' ? ERROR : FORBIDDEN, target)
      assert.deepEqual(await get(target, as('nobody')), UNAUTHORIZED, target)
      assert.deepEqual(await get(target, as('fail')), ERROR, target)
      assert.deepEqual(await get(target, as('nonsense')), ERROR, target)
    }
    assert.deepEqual(await get('/simple/7', as('deny')), FORBIDDEN)
  })

  test('must let API Gateway in', async (t) => {
    const { server, get, ApiId, authorizerIds } = await start(t)
    await deployNode(server, 'closed', authorizer)
    await server.apigatewayv2.send(new UpdateAuthorizerCommand({ ApiId, AuthorizerId: authorizerIds['simple'], AuthorizerUri: uri.replace(':function:auth/', ':function:closed/') }))
    assert.deepEqual(await get('/simple/7', as('allow')), ERROR)
  })

  test('gives the function what it told, of any kind', async (t) => {
    const { get } = await start(t)
    assert.deepEqual(await get('/simple/7', as('allow')), [200, { lambda: { calls: 1, token: 'allow', seen: { list: [1, 2] } } }])
    assert.deepEqual(await get('/policy', as('allow', { simple: 'no' })), [200, { lambda: { calls: 2, token: 'allow' } }])
    const [, { principalId, ...told }] = await get('/old-format/7', as('allow'))
    assert.deepEqual([principalId, told], ['p', { claims: null, scopes: null, calls: 3, token: 'allow' }])
  })

  test('sees the request in its own format', async (t) => {
    const { ApiId, get } = await start(t)
    const [, { lambda: { event } }] = await get('/simple/a%20b?x=1', as('allow-event', { Cookie: 'a=1' }))
    assert.partialDeepStrictEqual(event, {
      version: '2.0', type: 'REQUEST', routeArn: `arn:aws:execute-api:us-east-1:000000000000:${ApiId}/$default/GET/simple/a b`, identitySource: ['allow-event'], routeKey: 'GET /simple/{id}',
      rawPath: '/simple/a b', rawQueryString: 'x=1', cookies: ['a=1'], headers: { authorization: 'allow-event' }, queryStringParameters: { x: '1' }, pathParameters: { id: 'a b' },
      stageVariables: { color: 'blue' }, requestContext: { apiId: ApiId, stage: '$default', http: { method: 'GET', path: '/simple/a b' } },
    })
    assert.ok(!('body' in event) && !('isBase64Encoded' in event))
    const [, { lambda }] = await get('/old/7?x=1&x=2', as('allow-event'))
    assert.partialDeepStrictEqual(JSON.parse(lambda.event), {
      version: '1.0', type: 'REQUEST', methodArn: `arn:aws:execute-api:us-east-1:000000000000:${ApiId}/$default/GET/old/7`, identitySource: 'allow-event', authorizationToken: 'allow-event',
      resource: '/old/{id}', path: '/old/7', httpMethod: 'GET', queryStringParameters: { x: '2' }, pathParameters: { id: '7' }, requestContext: { resourcePath: '/old/{id}', stage: '$default' },
    })
  })

  test('is asked once for each identity, on every route that has it', async (t) => {
    const { server: { apigatewayv2 }, ApiId, get } = await start(t)
    const calls = async (target: string, token: string) => (await get(target, as(token)))[1].lambda.calls
    assert.deepEqual([await calls('/kept', 'allow-1'), await calls('/kept', 'allow-1'), await calls('/kept/too', 'allow-1'), await calls('/kept', 'allow-2')], [1, 1, 1, 2])
    assert.deepEqual([await calls('/by-route', 'allow-1'), await calls('/by-route/too', 'allow-1'), await calls('/by-route', 'allow-1')], [3, 4, 3])
    await apigatewayv2.send(new ResetAuthorizersCacheCommand({ ApiId, StageName: '$default' }))
    assert.equal(await calls('/kept', 'allow-1'), 5)
    // A policy that is kept speaks of the routes that it names, and of no other.
    assert.equal((await get('/old/7', as('allow')))[0], 200)
    assert.deepEqual(await get('/old/8', as('allow')), FORBIDDEN)
  })
})
