// Integrations of deployed REST APIs, over the wire: tables and other services with a role, functions with credentials, servers over HTTP.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { CreateDeploymentCommand, ImportRestApiCommand } from '@aws-sdk/client-api-gateway'
import { CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs'
import { CreateTableCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { PutRolePolicyCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam'
import { AddPermissionCommand, CreateFunctionCommand } from '@aws-sdk/client-lambda'
import { rawRequest, sendRaw, signRaw, type RawAnswer } from '#test/support/raw-request.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type Credentials, type TestServer } from '#test/support/server.ts'
import { zip } from '#test/support/zip.ts'

interface Call {
  method?: string
  path: string
  headers?: Record<string, string>
  body?: string | Buffer
  as?: Credentials
}

const account = '000000000000'
const responses = { 200: { description: 'fine' }, 403: { description: 'not allowed' }, 404: { description: 'not there' } }
const uriOf = (service: string, target: string) => `arn:aws:apigateway:us-east-1:${service}:${target}`

/** Deploys an API of these paths as stage `dev`; answers how it is called. */
async function deploy(server: TestServer, paths: object, settings: object = {}): Promise<(call: Call) => Promise<RawAnswer>> {
  const definition = { swagger: '2.0', info: { title: 'integrations', version: '1' }, paths, ...settings }
  const { id } = await server.apigateway.send(new ImportRestApiCommand({ failOnWarnings: true, body: Buffer.from(JSON.stringify(definition)) }))
  await server.apigateway.send(new CreateDeploymentCommand({ restApiId: id!, stageName: 'dev' }))
  return ({ method = 'GET', path, headers = {}, body = '', as }) => {
    const request = rawRequest({ method, target: `/dev${path}`, host: `${id}.execute-api.localhost:${server.port}`, body, headers })
    return sendRaw(as ? signRaw(request, { credentials: as, service: 'execute-api' }) : request, { port: server.port })
  }
}

const operation = (integration: object, more: object = {}) => ({ responses, 'x-amazon-apigateway-integration': integration, ...more })

async function serving(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('a table behind a method, with no function', () => {
  const lookup = (credentials: string) => ({
    '/catalog/{name}': {
      get: operation({
        type: 'aws', httpMethod: 'POST', uri: uriOf('dynamodb', 'action/GetItem'), credentials,
        requestTemplates: { 'application/json': '{"TableName": "catalog", "Key": {"name": {"S": "$input.params(\'name\')"}}}' },
        responses: {
          default: { statusCode: '200', responseTemplates: { 'application/json': '#set($item = $input.path("$.Item")){"endpoint_url": "$item.url.S", "ttl": $item.ttl.N}' } },
          '4\\d{2}': { statusCode: '403' },
        },
      }),
    },
  })

  async function withTable(t: TestContext) {
    const server = await startServer(t)
    await server.dynamodb.send(new CreateTableCommand({
      TableName: 'catalog', BillingMode: 'PAY_PER_REQUEST', AttributeDefinitions: [{ AttributeName: 'name', AttributeType: 'S' }], KeySchema: [{ AttributeName: 'name', KeyType: 'HASH' }],
    }))
    await server.dynamodb.send(new PutItemCommand({ TableName: 'catalog', Item: { name: { S: 'one' }, url: { S: 'https://one.example/' }, ttl: { N: '300' } } }))
    return server
  }

  test('is refused without a role when the API is made', async (t) => {
    const server = await startServer(t)
    await refuses(deploy(server, { '/x': { get: operation({ type: 'aws', httpMethod: 'POST', uri: uriOf('dynamodb', 'action/Scan') }) } }), 400, 'BadRequestException', /Role ARN must be specified for AWS integrations/)
  })

  test('answers 500 where the role does not trust API Gateway, or is not there', async (t) => {
    const server = await withTable(t)
    for (const role of [await server.role('untrusting', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: '*', Resource: '*' }]), `arn:aws:iam::${account}:role/nowhere`]) {
      const call = await deploy(server, lookup(role))
      const answer = await call({ path: '/catalog/one' })
      assert.deepEqual([answer.status, answer.text, answer.headers['x-amzn-errortype']], [500, '{"message":"Internal server error"}', 'InternalServerErrorException'])
    }
  })

  test('answers what the table says where the role may not read it: a response of its own', async (t) => {
    const server = await withTable(t)
    const call = await deploy(server, lookup(await server.role('powerless', 'apigateway.amazonaws.com', [{ Effect: 'Allow', Action: 'dynamodb:PutItem', Resource: '*' }])))
    const answer = await call({ path: '/catalog/one' })
    assert.equal(answer.status, 403)
    assert.match(answer.text, /AccessDeniedException.*arn:aws:sts::000000000000:assumed-role\/powerless\/BackplaneAssumeRoleSession is not authorized to perform: dynamodb:GetItem/)
  })

  test('is read as the role may, and as it may at this moment', async (t) => {
    const server = await withTable(t)
    const allowed = [{ Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: `arn:aws:dynamodb:us-east-1:${account}:table/catalog` }]
    const call = await deploy(server, lookup(await server.role('reader', 'apigateway.amazonaws.com', allowed)))
    const answer = await call({ path: '/catalog/one' })
    assert.deepEqual([answer.status, JSON.parse(answer.text), answer.headers['content-type']], [200, { endpoint_url: 'https://one.example/', ttl: 300 }, 'application/json'])
    const denied = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] })
    await server.iam.send(new PutRolePolicyCommand({ RoleName: 'reader', PolicyName: 'test', PolicyDocument: denied }))
    assert.equal((await call({ path: '/catalog/one' })).status, 403)
    const distrust = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] })
    await server.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'reader', PolicyDocument: distrust }))
    assert.equal((await call({ path: '/catalog/one' })).status, 500)
  })
})

describe('other services behind a method', () => {
  test('are called as the caller with arn:aws:iam::*:user/*, as a role otherwise, by action or by path', async (t) => {
    const server = await startServer(t)
    const role = await server.role('logs', 'apigateway.amazonaws.com', [{ Effect: 'Allow', Action: ['logs:*', 'sts:*', 'lambda:ListFunctions'], Resource: '*' }])
    await server.logs.send(new CreateLogGroupCommand({ logGroupName: 'mine' }))
    const json = { default: { statusCode: '200' } }
    const call = await deploy(server, {
      '/me': { get: operation({ type: 'aws', httpMethod: 'GET', uri: uriOf('sts', 'action/GetCallerIdentity'), credentials: 'arn:aws:iam::*:user/*', responses: json }, { 'x-amazon-apigateway-auth': { type: 'aws_iam' } }) },
      '/role': { get: operation({ type: 'aws', httpMethod: 'POST', uri: uriOf('sts', 'action/GetCallerIdentity'), credentials: role, responses: json }) },
      '/xml': { get: operation({
        type: 'aws', httpMethod: 'POST', uri: uriOf('sts', 'action/GetCallerIdentity'), credentials: role, responses: json,
        requestParameters: { 'integration.request.header.Accept': "'application/xml'" },
      }) },
      '/refused': { get: operation({ type: 'aws', httpMethod: 'POST', uri: uriOf('sts', 'action/AssumeRole'), credentials: role, responses: json }) },
      '/groups': { get: operation({
        type: 'aws', httpMethod: 'POST', uri: uriOf('logs', 'path/'), credentials: role, responses: json,
        requestParameters: { 'integration.request.header.X-Amz-Target': "'Logs_20140328.DescribeLogGroups'", 'integration.request.header.Content-Type': "'application/x-amz-json-1.1'" },
        requestTemplates: { 'application/json': '{}' },
      }) },
      '/functions': { get: operation({ type: 'aws', httpMethod: 'GET', uri: uriOf('lambda', 'path/2015-03-31/functions/'), credentials: role, responses: json }) },
      '/queue': { get: operation({ type: 'aws', httpMethod: 'POST', uri: uriOf('sqs', 'path/000000000000/queue'), credentials: role, responses: json }) },
    })
    const ann = await server.user('ann', [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' }])
    // API Gateway accepts JSON, and services of the query protocol answer it; what maps the header gets XML.
    const identity = (text: string) => JSON.parse(text).GetCallerIdentityResponse.GetCallerIdentityResult
    assert.equal(identity((await call({ path: '/me', as: ann })).text).Arn, 'arn:aws:iam::000000000000:user/ann')
    assert.equal(identity((await call({ path: '/role' })).text).Arn, 'arn:aws:sts::000000000000:assumed-role/logs/BackplaneAssumeRoleSession')
    assert.match((await call({ path: '/xml' })).text, /<Arn>arn:aws:sts::000000000000:assumed-role\/logs\/BackplaneAssumeRoleSession<\/Arn>/)
    assert.deepEqual(JSON.parse((await call({ path: '/refused' })).text).Error.Type, 'Sender')
    assert.equal(JSON.parse((await call({ path: '/groups' })).text).logGroups[0].logGroupName, 'mine')
    assert.deepEqual(JSON.parse((await call({ path: '/functions' })).text).Functions, [])
    const unserved = await call({ path: '/queue' })
    assert.equal(unserved.status, 501)
    assert.match(unserved.text, /integrations with sqs/)
  })
})

describe('a function behind a method with credentials', () => {
  test('needs lambda:InvokeFunction of the role, and no permission of its own', async (t) => {
    const server = await startServer(t)
    const execution = await server.role('function', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }])
    await server.lambda.send(new CreateFunctionCommand({
      FunctionName: 'echo', Runtime: 'nodejs22.x', Handler: 'index.handler', Role: execution,
      Code: { ZipFile: await zip({ 'index.mjs': `export const handler = async (event) => {
        if (event.fail) throw new Error('NotFound: ' + event.fail)
        return event.httpMethod ? { statusCode: 201, body: event.path } : event
      }` }) },
    }))
    const uri = uriOf('lambda', `path/2015-03-31/functions/arn:aws:lambda:us-east-1:${account}:function:echo/invocations`)
    const powerless = await server.role('powerless', 'apigateway.amazonaws.com', [{ Effect: 'Allow', Action: 'lambda:GetFunction', Resource: '*' }])
    const invoking = await server.role('invoking', 'apigateway.amazonaws.com', [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*' }])
    const plain = (credentials: string) => operation({ type: 'aws', httpMethod: 'POST', uri, credentials, responses: { default: { statusCode: '200' }, 'NotFound.*': { statusCode: '404' } } })
    const call = await deploy(server, {
      '/powerless': { post: plain(powerless) },
      '/invoking': { post: plain(invoking) },
      '/proxy': { get: { responses, 'x-amazon-apigateway-integration': { type: 'aws_proxy', httpMethod: 'POST', uri, credentials: invoking } } },
    })
    const refused = await call({ method: 'POST', path: '/powerless', body: '{}' })
    assert.deepEqual([refused.status, refused.text], [500, '{"message":"Internal server error"}'])
    assert.equal((await call({ method: 'POST', path: '/invoking', body: '{"a":1}' })).text, '{"a":1}')
    assert.equal((await call({ method: 'POST', path: '/invoking', body: '{"fail":"x"}' })).status, 404)
    const proxied = await call({ path: '/proxy' })
    assert.deepEqual([proxied.status, proxied.text], [201, '/proxy'])
    // The function's own policy may let the role in as well.
    await server.lambda.send(new AddPermissionCommand({ FunctionName: 'echo', StatementId: 'role', Action: 'lambda:InvokeFunction', Principal: powerless }))
    assert.equal((await call({ method: 'POST', path: '/powerless', body: '{}' })).status, 200)
  })
})

describe('a server behind a method', () => {
  test('that is too slow, redirects, or answers bytes', async (t) => {
    const server = await startServer(t)
    const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0x00])
    let received: Buffer | undefined
    const backend = await serving(t, (incoming, outgoing) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
        received = Buffer.concat(chunks)
        if (incoming.url === '/slow') return
        if (incoming.url === '/moved') outgoing.writeHead(302, { location: 'https://example.com/' }).end()
        else outgoing.writeHead(200, { 'content-type': 'image/png' }).end(png)
      })
    })
    const proxy = (path: string, more: object = {}) => operation({ type: 'http_proxy', httpMethod: 'ANY', uri: `${backend}${path}`, ...more })
    const call = await deploy(server, {
      '/slow': { get: proxy('/slow', { timeoutInMillis: 50 }) },
      '/moved': { get: proxy('/moved') },
      '/image': { put: proxy('/image') },
    }, { 'x-amazon-apigateway-binary-media-types': ['image/png'] })
    const slow = await call({ path: '/slow' })
    assert.deepEqual([slow.status, slow.text], [504, '{"message":"Endpoint request timed out"}'])
    const moved = await call({ path: '/moved' })
    assert.deepEqual([moved.status, moved.headers['location']], [302, 'https://example.com/'])
    const image = await call({ method: 'PUT', path: '/image', body: png, headers: { 'content-type': 'image/png', accept: 'image/png' } })
    assert.deepEqual([received, image.body], [png, png])
    const shown = await call({ method: 'PUT', path: '/image', headers: { accept: 'text/html' } })
    assert.equal(shown.text, png.toString('base64'))
  })

  test('gets bodies unfolded, and its answers are folded for those who ask, where the API says so', async (t) => {
    const server = await startServer(t)
    let received: string | undefined
    const backend = await serving(t, (incoming, outgoing) => {
      incoming.setEncoding('utf8').on('data', (text: string) => { received = text }).on('end', () => outgoing.end('x'.repeat(1000)))
    })
    const call = await deploy(server, { '/x': { post: operation({ type: 'http_proxy', httpMethod: 'POST', uri: backend }) } }, { 'x-amazon-apigateway-minimum-compression-size': 100 })
    const answer = await call({ method: 'POST', path: '/x', body: gzipSync('hello'), headers: { 'content-encoding': 'gzip', 'accept-encoding': 'gzip, br' } })
    assert.equal(received, 'hello')
    assert.deepEqual([answer.headers['content-encoding'], gunzipSync(answer.body).toString()], ['gzip', 'x'.repeat(1000)])
    assert.equal((await call({ method: 'POST', path: '/x', body: 'plain' })).text, 'x'.repeat(1000))
  })
})
