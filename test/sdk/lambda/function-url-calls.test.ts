// Function URLs called as clients call them: signed and unsigned, buffered and streamed, from other origins.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { AddPermissionCommand, CreateFunctionUrlConfigCommand, DeleteFunctionUrlConfigCommand, RemovePermissionCommand, UpdateFunctionUrlConfigCommand, type FunctionUrlAuthType, type CreateFunctionUrlConfigRequest } from '@aws-sdk/client-lambda'
import { signHeaders } from '#aws/sigv4/sign.ts'
import { newAccount } from '#test/support/accounts.ts'
import { rawRequest, sendRaw } from '#test/support/raw-request.ts'
import { startServer, type Credentials, type TestServer } from '#test/support/server.ts'
import { deployNode } from './deploy.ts'

const FORBIDDEN = { Message: 'Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html' }

interface Answered { status: number, text: string, headers: Headers }

async function published(t: TestContext, source: string, config: Partial<CreateFunctionUrlConfigRequest> = {}, isOpen = true): Promise<{ server: TestServer, url: string, urlId: string }> {
  const server = await startServer(t)
  await deployNode(server, 'fn', source)
  const { FunctionUrl } = await server.lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: 'fn', AuthType: 'NONE', ...config }))
  if (isOpen) await open(server, config.AuthType ?? 'NONE')
  return { server, url: FunctionUrl!, urlId: /lambda-url\/(\w+)/.exec(FunctionUrl!)![1]! }
}

const open = (server: TestServer, FunctionUrlAuthType: FunctionUrlAuthType, Principal = '*') =>
  server.lambda.send(new AddPermissionCommand({ FunctionName: 'fn', StatementId: 'url', Action: 'lambda:InvokeFunctionUrl', Principal, FunctionUrlAuthType }))

async function call(url: string, init: RequestInit = {}): Promise<Answered> {
  const response = await fetch(url, init)
  return { status: response.status, text: await response.text(), headers: response.headers }
}

function signed(url: string, credentials: Credentials, service = 'lambda', region = 'us-east-1'): Promise<Answered> {
  const { host, pathname, search } = new URL(url)
  const { host: _, ...headers } = signHeaders({ method: 'GET', path: pathname, rawQuery: search.slice(1), headers: { host }, body: Buffer.alloc(0), service, region, credentials, nowMs: Date.now() })
  return call(url, { headers })
}

describe('a function URL', () => {
  test('lets nobody in whom no policy lets in, and nobody at an address that no function has', async (t) => {
    const { server, url } = await published(t, 'export const handler = async () => 1', {}, false)
    const refused = await call(url)
    assert.deepEqual([refused.status, JSON.parse(refused.text), refused.headers.get('x-amzn-errortype')], [403, FORBIDDEN, 'AccessDeniedException'])
    const nowhere = await call(url.replace(/\w+\/$/, '0123456789abcdefghijklmnopqrstuv/'))
    assert.deepEqual([nowhere.status, nowhere.text, nowhere.headers.get('content-type'), nowhere.headers.get('x-amzn-errortype')], [403, '{"Message":null}', 'application/json', 'AccessDeniedException'])
    // The permission is for another kind of authorization.
    await open(server, 'AWS_IAM')
    assert.equal((await call(url)).status, 403)
    await server.lambda.send(new RemovePermissionCommand({ FunctionName: 'fn', StatementId: 'url' }))
    await open(server, 'NONE')
    assert.deepEqual([(await call(url)).status, (await call(url)).text], [200, '1'])
    await server.lambda.send(new RemovePermissionCommand({ FunctionName: 'fn', StatementId: 'url' }))
    assert.equal((await call(url)).status, 403)
    await server.lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName: 'fn' }))
    assert.equal((await call(url)).text, '{"Message":null}')
  })

  test('under AWS_IAM wants a signature and a permission, across accounts of both sides', async (t) => {
    const { server, url } = await published(t, 'export const handler = async ({ requestContext }) => requestContext.authorizer?.iam ?? null', { AuthType: 'AWS_IAM' }, false)
    assert.deepEqual(JSON.parse((await call(url)).text), FORBIDDEN)
    const wrong = await signed(url, { ...server.credentials, secretAccessKey: 'x'.repeat(40) })
    assert.deepEqual([wrong.status, wrong.headers.get('x-amzn-errortype')], [403, 'InvalidSignatureException'])
    assert.match(JSON.parse(wrong.text).message, /^The request signature we calculated does not match/)
    const unknown = await signed(url, { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x'.repeat(40) })
    assert.deepEqual([unknown.status, JSON.parse(unknown.text)], [403, { message: 'The security token included in the request is invalid.' }])
    assert.equal((await signed(url, server.credentials, 'execute-api')).status, 403)
    const elsewhere = await signed(url, server.credentials, 'lambda', 'eu-west-1')
    assert.deepEqual([elsewhere.status, JSON.parse(elsewhere.text)], [403, { message: "Credential should be scoped to a valid region, not 'eu-west-1'. " }])

    const stranger = await server.user('stranger', [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*' }])
    assert.deepEqual(JSON.parse((await signed(url, stranger)).text), FORBIDDEN)
    const member = await server.user('member', [{ Effect: 'Allow', Action: 'lambda:InvokeFunctionUrl', Resource: 'arn:aws:lambda:us-east-1:000000000000:function:fn', Condition: { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } } }])
    const known = await signed(`${url}a/b?x=1`, member)
    assert.equal(known.status, 200)
    assert.partialDeepStrictEqual(JSON.parse(known.text), { accountId: '000000000000', accessKey: member.accessKeyId, cognitoIdentity: null, userArn: 'arn:aws:iam::000000000000:user/member' })

    const other = await newAccount(server, '222222222222')
    assert.deepEqual(JSON.parse((await signed(url, other.credentials)).text), FORBIDDEN)
    await open(server, 'AWS_IAM', '222222222222')
    assert.equal((await signed(url, other.credentials)).status, 200)
  })

  test('gives the function an event of format 2.0, with the path as it was sent', async (t) => {
    const { server, url, urlId } = await published(t, 'export const handler = async (event) => event')
    const { text, headers } = await call(`${url}a%20b/c?x=1&x=2`, { method: 'POST', headers: { 'content-type': 'text/plain', cookie: 'a=1; b=2' }, body: 'hello' })
    const event = JSON.parse(text)
    assert.equal(headers.get('content-type'), 'application/json')
    assert.partialDeepStrictEqual(event, {
      version: '2.0', routeKey: '$default', rawPath: '/a%20b/c', rawQueryString: 'x=1&x=2', cookies: ['a=1', 'b=2'], queryStringParameters: { x: '1,2' }, body: 'hello', isBase64Encoded: false,
      requestContext: { accountId: 'anonymous', apiId: urlId, domainPrefix: urlId, http: { method: 'POST', path: '/a%20b/c', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' }, routeKey: '$default', stage: '$default' },
    })
    assert.equal(event.requestContext.authorizer, undefined)
    assert.equal(event.headers.cookie, undefined)
    const host = `${urlId}.lambda-url.us-east-1.on.aws`
    const byHost = await sendRaw(rawRequest({ method: 'GET', target: '/x', host }), { port: server.port })
    assert.partialDeepStrictEqual(JSON.parse(byHost.body.toString()), { rawPath: '/x', requestContext: { domainName: host } })
  })

  test('answers what the function answers, and 502 where it fails', async (t) => {
    const { url } = await published(t, `export const handler = async ({ rawPath, body }) => {
      if (rawPath === '/throw') throw new Error('no')
      return JSON.parse(body)
    }`)
    const answered = async (value: unknown, path = '') => {
      const { status, text, headers } = await call(url + path, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: JSON.stringify(value) })
      return [status, text, headers.get('content-type')]
    }
    assert.deepEqual(await answered({ hello: 'world' }), [200, '{"hello":"world"}', 'application/json'])
    assert.deepEqual(await answered('hello'), [200, 'hello', 'application/json'])
    assert.deepEqual(await answered({ statusCode: '418', body: "i'm a teapot" }), [418, "i'm a teapot", 'application/json'])
    assert.deepEqual(await answered({ statusCode: 201, headers: { 'Content-Type': 'image/png' }, body: 'aGk=', isBase64Encoded: true }), [201, 'hi', 'image/png'])
    assert.deepEqual(await answered({ statusCode: 200, body: {} }), [502, 'Internal Server Error', 'text/plain'])
    assert.deepEqual(await answered({}, 'throw'), [502, 'Internal Server Error', 'text/plain'])
    const large = await call(url, { method: 'POST', body: Buffer.alloc(6 * 1024 * 1024 + 1) })
    assert.equal(large.status, 413)
  })

  test('streams what the function writes, with the head that it states', async (t) => {
    const { server, url } = await published(t, `export const handler = awslambda.streamifyResponse(async ({ rawPath }, stream) => {
      if (rawPath === '/throw') throw new Error('no')
      const body = rawPath === '/plain' ? stream : awslambda.HttpResponseStream.from(stream, { statusCode: 202, headers: { 'Content-Type': 'text/html', 'x-own': 'yes' }, cookies: ['a=1', 'b=2'] })
      for (const part of ['<p>', 'one', '</p>']) { body.write(part); await new Promise((done) => setTimeout(done, 5)) }
      body.end()
    })`, { InvokeMode: 'RESPONSE_STREAM' })
    const { status, text, headers } = await call(url)
    assert.deepEqual([status, text, headers.get('content-type'), headers.get('x-own'), headers.getSetCookie()], [202, '<p>one</p>', 'text/html', 'yes', ['a=1', 'b=2']])
    assert.equal(headers.get('transfer-encoding'), 'chunked')
    const plain = await call(`${url}plain`)
    assert.deepEqual([plain.status, plain.text, plain.headers.get('content-type')], [200, '<p>one</p>', 'application/octet-stream'])
    assert.equal((await call(`${url}throw`)).status, 502)
    // Buffered, the same function answers a whole response.
    await server.lambda.send(new UpdateFunctionUrlConfigCommand({ FunctionName: 'fn', InvokeMode: 'BUFFERED' }))
    assert.notEqual((await call(url)).headers.get('transfer-encoding'), 'chunked')
  })

  test('answers preflights itself, and says who may read its answers', async (t) => {
    const Cors = { AllowOrigins: ['https://a.example'], AllowMethods: ['GET', 'PUT'], AllowHeaders: ['x-own'], ExposeHeaders: ['x-seen'], MaxAge: 60, AllowCredentials: true }
    const { url } = await published(t, "export const handler = async () => ({ statusCode: 200, headers: { 'access-control-allow-origin': 'of the function' }, body: '' })", { Cors })
    const preflight = (origin: string) => call(url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PUT' } })
    const { status, text, headers } = await preflight('https://a.example')
    assert.deepEqual([status, text], [200, ''])
    const cors = (of: Headers) => Object.fromEntries([...of].filter(([name]) => name.startsWith('access-control-')))
    assert.deepEqual(cors(headers), {
      'access-control-allow-origin': 'https://a.example', 'access-control-allow-methods': 'GET,PUT', 'access-control-allow-headers': 'x-own', 'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'x-seen', 'access-control-max-age': '60',
    })
    assert.deepEqual(cors((await preflight('https://b.example')).headers), {})
    assert.equal((await call(url, { headers: { origin: 'https://a.example' } })).headers.get('access-control-allow-origin'), 'https://a.example')
    assert.equal((await call(url, { headers: { origin: 'https://b.example' } })).headers.get('access-control-allow-origin'), null)
  })
})
