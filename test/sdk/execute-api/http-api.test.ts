// HTTP APIs before real functions, made with the official client: which route takes a request, what the function gets, what its answer becomes.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import {
  CreateApiCommand, CreateApiMappingCommand, CreateDeploymentCommand, CreateDomainNameCommand, DeleteRouteCommand, GetRoutesCommand, UpdateApiCommand, UpdateStageCommand,
} from '@aws-sdk/client-apigatewayv2'
import { AddPermissionCommand } from '@aws-sdk/client-lambda'
import { functionArnOf, functionIntegration, newHttpApi, type TestHttpApi } from '#test/support/http-api.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { deployNode } from '../lambda/deploy.ts'

/** Answers its event, or what the query asks for. */
const echo = `export const handler = async (event) => {
  const { answer } = event.queryStringParameters ?? {}
  if (answer === 'event') return { statusCode: 200, body: JSON.stringify(event) }
  if (answer === 'fail') throw new Error('no')
  if (answer === 'sleep') return new Promise((done) => setTimeout(done, 3_000))
  return answer === undefined ? event : JSON.parse(answer)
}`

const NOT_FOUND = [404, '{"message":"Not Found"}']
const ERROR = [500, '{"message":"Internal Server Error"}']

async function echoing(t: TestContext): Promise<{ server: TestServer } & TestHttpApi & { json(method: string, target: string): Promise<any> }> {
  const server = await startServer(t)
  await deployNode(server, 'echo', echo)
  const api = await newHttpApi(server, {
    routes: {
      'GET /pets': functionIntegration('echo'),
      'GET /pets/{id}': functionIntegration('echo'),
      'ANY /pets/dog': functionIntegration('echo'),
      'ANY /pets/{id}/{proxy+}': functionIntegration('echo'),
      'POST /old/{id}': functionIntegration('echo', '1.0'),
      'GET /slow': functionIntegration('echo', '2.0', { TimeoutInMillis: 500 }),
      'GET /variable': functionIntegration('${stageVariables.name}'),
    },
    stages: { $default: { StageVariables: { color: 'blue', name: 'echo' } }, prod: {} },
  })
  return { server, ...api, async json(method, target) {
    const { status, text } = await api.call(method, target)
    assert.equal(status, 200, text)
    return JSON.parse(text)
  } }
}

describe('an HTTP API before a function', () => {
  test('answers 500 until the function lets API Gateway in for the route', async (t) => {
    const { call, permit } = await echoing(t)
    const answer = async () => {
      const { status, text } = await call('GET', '/pets')
      return status === 200 ? 200 : [status, text]
    }
    assert.deepEqual(await answer(), ERROR)
    await permit('echo', '*/POST/pets')
    assert.deepEqual(await answer(), ERROR)
    await permit('echo', '*/GET/pets')
    assert.equal(await answer(), 200)
  })

  test('finds no route, no stage and no deployment: 404', async (t) => {
    const { server, call } = await echoing(t)
    for (const [method, target] of [['POST', '/pets'], ['GET', '/'], ['GET', '/pets/'], ['GET', '/prod'], ['GET', '/nowhere/pets'], ['DELETE', '/pets/7']] as const) {
      const { status, text, headers } = await call(method, target)
      assert.deepEqual([status, text], NOT_FOUND, `${method} ${target}`)
      assert.match(headers['apigw-requestid']!, /^[\w-]{15}=$/)
      assert.equal(headers['content-type'], 'application/json')
      assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith('x-amz')), [])
    }
    const empty = await newHttpApi(server, { routes: {}, stages: {} })
    assert.deepEqual([(await empty.call('GET', '/')).status, (await empty.call('GET', '/')).text], NOT_FOUND)
  })

  test('selects the most specific route that has the method', async (t) => {
    const { json, permit } = await echoing(t)
    await permit('echo')
    const routeOf = async (method: string, target: string) => {
      const { routeKey, pathParameters } = await json(method, target)
      return pathParameters === undefined ? routeKey : [routeKey, pathParameters]
    }
    assert.equal(await routeOf('GET', '/pets'), 'GET /pets')
    assert.deepEqual(await routeOf('GET', '/pets/cat'), ['GET /pets/{id}', { id: 'cat' }])
    assert.equal(await routeOf('GET', '/pets/dog'), 'ANY /pets/dog')
    assert.equal(await routeOf('DELETE', '/pets/dog'), 'ANY /pets/dog')
    assert.deepEqual(await routeOf('PUT', '/pets/dog/tail/tip'), ['ANY /pets/{id}/{proxy+}', { id: 'dog', proxy: 'tail/tip' }])
    assert.deepEqual(await routeOf('PUT', '/pets/dog/'), ['ANY /pets/{id}/{proxy+}', { id: 'dog', proxy: '' }])
    assert.deepEqual(await routeOf('GET', '/pets/a%20b%2Fc'), ['GET /pets/{id}', { id: 'a b/c' }])
    assert.equal(await routeOf('GET', '/%70ets'), 'GET /pets')
  })

  test('gives it an event of format 2.0, with the stage in the path where it has a name', async (t) => {
    const { ApiId, host, call, json, permit } = await echoing(t)
    await permit('echo')
    const event = await json('GET', '/prod/pets/a%20b?x=1&x=2&y=%20')
    const domainName = host.replace(/:\d+$/, '')
    assert.partialDeepStrictEqual(event, {
      version: '2.0', routeKey: 'GET /pets/{id}', rawPath: '/prod/pets/a b', rawQueryString: 'x=1&x=2&y=%20', queryStringParameters: { x: '1,2', y: ' ' }, pathParameters: { id: 'a b' },
      requestContext: {
        accountId: '000000000000', apiId: ApiId, domainName, domainPrefix: ApiId, routeKey: 'GET /pets/{id}', stage: 'prod',
        http: { method: 'GET', path: '/prod/pets/a b', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: '' },
      },
      isBase64Encoded: false,
    })
    assert.ok(!('stageVariables' in event) && !('cookies' in event) && !('body' in event) && !('authorizer' in event.requestContext))
    const named = await json('GET', '/pets')
    assert.deepEqual([named.rawPath, named.requestContext.stage, named.stageVariables], ['/pets', '$default', { color: 'blue', name: 'echo' }])
    const { text, headers } = await call('PUT', '/pets/dog', { headers: { 'Content-Type': 'application/json', Cookie: 'a=1; b=2', 'X-Two': 'one' }, body: '{"é":1}' })
    const put = JSON.parse(text)
    assert.partialDeepStrictEqual(put, { body: '{"é":1}', isBase64Encoded: false, cookies: ['a=1', 'b=2'], headers: { 'content-type': 'application/json', 'x-two': 'one', 'content-length': '8' } })
    assert.ok(!('cookie' in put.headers))
    assert.equal(put.requestContext.requestId, headers['apigw-requestid'])
    assert.match(put.headers['x-amzn-trace-id'], /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/)
  })

  test('gives it an event of format 1.0', async (t) => {
    const { json, ApiId, permit } = await echoing(t)
    await permit('echo')
    assert.partialDeepStrictEqual(await json('POST', '/prod/old/a%20b?x=1&x=2&answer=event'), {
      version: '1.0', resource: '/old/{id}', path: '/prod/old/a%20b', httpMethod: 'POST', pathParameters: { id: 'a b' }, stageVariables: null, body: null, isBase64Encoded: false,
      queryStringParameters: { x: '2' }, multiValueQueryStringParameters: { x: ['1', '2'] },
      requestContext: { apiId: ApiId, httpMethod: 'POST', path: '/prod/old/a%20b', resourceId: 'POST /old/{id}', resourcePath: '/old/{id}', stage: 'prod', protocol: 'HTTP/1.1' },
    })
  })

  test('reads only responses in format 1.0', async (t) => {
    const { call, permit } = await echoing(t)
    await permit('echo')
    // An event is no answer: it has no status.
    const { status, text } = await call('POST', '/prod/old/7?x=1&x=2', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'a=1' })
    assert.deepEqual([status, text], ERROR)
    const answer = encodeURIComponent('{"statusCode":201,"multiValueHeaders":{"Set-Cookie":["a=1","b=2"]},"body":"x"}')
    const told = await call('POST', `/prod/old/7?answer=${answer}`)
    assert.deepEqual([told.status, told.text, told.headers['set-cookie'], told.headers['content-type']], [201, 'x', 'a=1, b=2', 'text/plain; charset=utf-8'])
  })

  test('reads its answer: inferred, or as a response', async (t) => {
    const { call, permit } = await echoing(t)
    await permit('echo')
    const answerTo = async (answer: string) => {
      const { status, headers, text } = await call('GET', `/pets?answer=${encodeURIComponent(answer)}`)
      return [status, headers['content-type'], text]
    }
    assert.deepEqual(await answerTo('"Hello from Lambda!"'), [200, 'application/json', 'Hello from Lambda!'])
    assert.deepEqual(await answerTo('{"message":"Hello"}'), [200, 'application/json', '{"message":"Hello"}'])
    assert.deepEqual(await answerTo('{"statusCode":404,"body":"no"}'), [404, 'text/plain; charset=utf-8', 'no'])
    assert.deepEqual(await answerTo('{"statusCode":200,"isBase64Encoded":true,"headers":{"Content-Type":"image/png"},"body":"aGVsbG8="}'), [200, 'image/png', 'hello'])
    const { headers } = await call('GET', `/pets?answer=${encodeURIComponent('{"statusCode":200,"cookies":["a=1; HttpOnly","b=2"]}')}`)
    assert.equal(headers['set-cookie'], 'a=1; HttpOnly, b=2')
    for (const answer of ['{"statusCode":"x"}', '{"statusCode":200,"body":{}}', 'fail']) {
      const { status, text } = await call('GET', `/pets?answer=${encodeURIComponent(answer)}`)
      assert.deepEqual([status, text], ERROR, answer)
    }
  })

  test('waits no longer than the integration says', async (t) => {
    const { call, permit } = await echoing(t)
    await permit('echo')
    const { status, text } = await call('GET', '/slow?answer=sleep')
    assert.deepEqual([status, text], [503, '{"message":"Service Unavailable"}'])
  })

  test('puts stage variables into the URI', async (t) => {
    const { call, permit } = await echoing(t)
    await permit('echo')
    assert.equal((await call('GET', '/variable')).status, 200)
    const { status, text } = await call('GET', '/prod/variable')
    assert.deepEqual([status, text], ERROR)
  })

  test('serves what was deployed last, to the stages that ask for it', async (t) => {
    const { server: { apigatewayv2 }, ApiId, call, permit } = await echoing(t)
    await permit('echo')
    await apigatewayv2.send(new UpdateStageCommand({ ApiId, StageName: 'prod', AutoDeploy: false }))
    const { Items = [] } = await apigatewayv2.send(new GetRoutesCommand({ ApiId }))
    await apigatewayv2.send(new DeleteRouteCommand({ ApiId, RouteId: Items.find(({ RouteKey }) => RouteKey === 'GET /pets')!.RouteId }))
    assert.deepEqual([(await call('GET', '/pets')).status, (await call('GET', '/prod/pets')).status], [404, 200])
    await apigatewayv2.send(new CreateDeploymentCommand({ ApiId, StageName: 'prod' }))
    assert.equal((await call('GET', '/prod/pets')).status, 404)
  })
})

describe('the address of an HTTP API', () => {
  test('is a host, a path, or a domain of one\'s own; the default one can be disabled', async (t) => {
    const { server, ApiId, call, permit } = await echoing(t)
    const { apigatewayv2, port } = server
    await permit('echo')
    const localhost = `127.0.0.1:${port}`
    await apigatewayv2.send(new CreateDomainNameCommand({ DomainName: 'api.example.com', DomainNameConfigurations: [{ CertificateArn: 'arn:aws:acm:us-east-1:000000000000:certificate/a', EndpointType: 'REGIONAL' }] }))
    await apigatewayv2.send(new CreateApiMappingCommand({ DomainName: 'api.example.com', ApiId, Stage: 'prod', ApiMappingKey: 'shop/v1' }))
    const seen = async (target: string, host: string) => {
      const { status, text } = await call('GET', target, { host })
      if (status !== 200) return [status, text]
      const { rawPath, requestContext: { stage, domainName } } = JSON.parse(text)
      return [rawPath, stage, domainName]
    }
    assert.deepEqual(await seen(`/_aws/execute-api/${ApiId}/pets`, localhost), ['/pets', '$default', '127.0.0.1'])
    assert.deepEqual(await seen(`/_aws/execute-api/${ApiId}/prod/pets`, localhost), ['/prod/pets', 'prod', '127.0.0.1'])
    assert.deepEqual(await seen(`/restapis/${ApiId}/prod/_user_request_/pets`, localhost), ['/prod/pets', 'prod', '127.0.0.1'])
    assert.deepEqual(await seen('/shop/v1/pets', `api.example.com:${port}`), ['/prod/pets', 'prod', 'api.example.com'])
    assert.deepEqual((await seen('/shop/v1/pets', 'API.example.com')).slice(1, 2), ['prod'])
    assert.deepEqual(await seen('/elsewhere', 'api.example.com'), [403, '{"message":"Forbidden"}'])
    const { text } = await call('POST', '/shop/v1/old/7?answer=event', { host: 'api.example.com' })
    assert.equal(JSON.parse(text).path, '/shop/v1/old/7')
    await apigatewayv2.send(new UpdateApiCommand({ ApiId, DisableExecuteApiEndpoint: true }))
    assert.deepEqual(await seen(`/_aws/execute-api/${ApiId}/pets`, localhost), NOT_FOUND)
    assert.deepEqual(await seen('/pets', `${ApiId}.execute-api.localhost:${port}`), NOT_FOUND)
    assert.equal((await seen('/shop/v1/pets', 'api.example.com'))[1], 'prod')
  })

  test('of a quick-created API takes every path by its $default route', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'echo', echo)
    const { ApiId } = await server.apigatewayv2.send(new CreateApiCommand({ Name: 'quick', ProtocolType: 'HTTP', Target: functionArnOf('echo') }))
    const api = await newHttpApi(server, { routes: {}, stages: {} })
    await api.permit('echo')
    const host = `${ApiId}.execute-api.localhost:${server.port}`
    assert.deepEqual([(await api.call('PUT', '/any/path', { host })).status, (await api.call('PUT', '/any/path', { host })).text], ERROR)
    await server.lambda.send(new AddPermissionCommand({
      FunctionName: 'echo', StatementId: 'quick', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com', SourceArn: `arn:aws:execute-api:us-east-1:000000000000:${ApiId}/*/$default`,
    }))
    const { text } = await api.call('PUT', '/any/path', { host })
    assert.partialDeepStrictEqual(JSON.parse(text), { routeKey: '$default', rawPath: '/any/path', requestContext: { http: { method: 'PUT' }, stage: '$default' } })
  })
})
