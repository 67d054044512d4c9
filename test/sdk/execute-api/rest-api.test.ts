// Deployed REST APIs called over the wire: signatures, permissions, addresses and functions of a real server.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { CreateDeploymentCommand, ImportRestApiCommand, PutRestApiCommand } from '@aws-sdk/client-api-gateway'
import { AddPermissionCommand, CreateFunctionCommand, RemovePermissionCommand } from '@aws-sdk/client-lambda'
import { ZipFile } from 'yazl'
import { rawRequest, sendRaw, signRaw, type RawAnswer } from '#test/support/raw-request.ts'
import { startServer, type Credentials, type TestServer } from '#test/support/server.ts'

const mock = (responses: object = { default: { statusCode: '200' } }) =>
  ({ type: 'mock', requestTemplates: { 'application/json': '{"statusCode": 200}' }, responses })

const responses = { 200: { description: 'fine' }, 404: { description: 'not there' } }

const paths = {
  '/open': { get: { responses, 'x-amazon-apigateway-integration': mock() } },
  '/page': {
    get: {
      responses,
      'x-amazon-apigateway-integration': mock({ default: { statusCode: '200', responseTemplates: { 'text/html': '<p>$context.stage</p>' } } }),
    },
  },
  '/secured': { post: { responses, 'x-amazon-apigateway-auth': { type: 'aws_iam' }, 'x-amazon-apigateway-integration': mock() } },
}

const uri = 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:catalog/invocations'

/** An API is refused while its functions are not there, so these paths come after the function. */
const functionPaths = {
  '/catalog/{name}': {
    get: {
      responses,
      'x-amazon-apigateway-integration': {
        type: 'aws', httpMethod: 'POST', uri,
        requestTemplates: { 'application/json': '{"name": "$input.params(\'name\')"}' },
        responses: {
          default: { statusCode: '200' },
          '.*NotFound.*': { statusCode: '404', responseTemplates: { 'application/json': '{"error_message":"Service Not Found"}' } },
        },
      },
    },
  },
  '/proxy/{proxy+}': { 'x-amazon-apigateway-any-method': { responses, 'x-amazon-apigateway-integration': { type: 'aws_proxy', httpMethod: 'POST', uri } } },
}

const definition = (all: object): string => JSON.stringify({ swagger: '2.0', info: { title: 'data plane', version: '1' }, basePath: '/v1', paths: all })

interface Deployed {
  server: TestServer
  apiId: string
  /** Sends a request to the API by the host form, signed when there are credentials. */
  call(given: { method?: string, path: string, body?: string, as?: Credentials, host?: string, signedHost?: string, headers?: Record<string, string> }): Promise<RawAnswer>
}

async function deploy(t: TestContext): Promise<Deployed> {
  const server = await startServer(t)
  const { id: apiId } = await server.apigateway.send(new ImportRestApiCommand({ body: Buffer.from(definition(paths)) }))
  await server.apigateway.send(new CreateDeploymentCommand({ restApiId: apiId!, stageName: 'dev' }))
  return {
    server,
    apiId: apiId!,
    call({ method = 'GET', path, body = '', as, host = `${apiId}.execute-api.localhost:${server.port}`, signedHost, headers = {} }) {
      const request = rawRequest({ method, target: path, host, body, headers })
      const signed = as ? signRaw(request, { credentials: as, service: 'execute-api', ...(signedHost === undefined ? {} : { signedHost }) }) : request
      return sendRaw(signed, { port: server.port })
    },
  }
}

const invoke = (apiId: string) => ({ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: `arn:aws:execute-api:us-east-1:000000000000:${apiId}/dev/POST/secured` })
const secured = { method: 'POST', path: '/dev/secured', body: '{"a":1}' }

describe('a deployed REST API refuses', () => {
  test('what it does not have, and stages and APIs that are not there', async (t) => {
    const { call, server } = await deploy(t)
    for (const path of ['/dev/nowhere', '/dev/v1/open']) {
      const answer = await call({ path })
      assert.deepEqual([answer.status, answer.text, answer.headers['x-amzn-errortype']], [403, '{"message":"Missing Authentication Token"}', 'MissingAuthenticationTokenException'])
    }
    for (const given of [{ path: '/prod/open' }, { path: '/' }, { path: '/dev/open', host: `nothere123.execute-api.localhost:${server.port}` }]) {
      const answer = await call(given)
      assert.deepEqual([answer.status, answer.text], [403, '{"message":"Forbidden"}'])
    }
  })

  test('an unsigned call, an unknown key, and a wrong secret with the canonical string', async (t) => {
    const { call, server } = await deploy(t)
    const unsigned = await call(secured)
    assert.deepEqual([unsigned.status, unsigned.text], [403, '{"message":"Missing Authentication Token"}'])
    const unknown = await call({ ...secured, as: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x'.repeat(40) } })
    assert.deepEqual([unknown.status, unknown.text, unknown.headers['x-amzn-errortype']], [403, '{"message":"The security token included in the request is invalid."}', 'UnrecognizedClientException'])
    const wrong = await call({ ...secured, as: { ...server.credentials, secretAccessKey: 'x'.repeat(40) } })
    assert.deepEqual([wrong.status, wrong.headers['x-amzn-errortype']], [403, 'InvalidSignatureException'])
    assert.match(JSON.parse(wrong.text).message, /^The request signature we calculated does not match.*\n\nThe Canonical String for this request should have been\n'POST\n\/dev\/secured\n/)
  })

  test('a wrong secret before it asks what its owner may do: nobody learns from a key id alone whose it is', async (t) => {
    const { call, server } = await deploy(t)
    const nobody = await server.user('nobody', [{ Effect: 'Allow', Action: 'sts:*', Resource: '*' }])
    const wrong = await call({ ...secured, as: { ...nobody, secretAccessKey: 'x'.repeat(40) } })
    assert.deepEqual([wrong.status, wrong.headers['x-amzn-errortype']], [403, 'InvalidSignatureException'])
    assert.doesNotMatch(wrong.text, /nobody/)
  })

  test('a caller without execute-api:Invoke, naming caller and action, the account masked in the ARN', async (t) => {
    const { call, server, apiId } = await deploy(t)
    const answer = await call({ ...secured, as: await server.user('nobody', [{ ...invoke(apiId), Resource: '*', Action: 'execute-api:Other' }]) })
    assert.equal(answer.status, 403)
    assert.equal(answer.headers['x-amzn-errortype'], 'AccessDeniedException')
    assert.deepEqual(JSON.parse(answer.text), {
      Message: `User: arn:aws:iam::000000000000:user/nobody is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:${apiId}/dev/POST/secured because no identity-based policy allows the execute-api:Invoke action`,
    })
    const denied = await call({ ...secured, as: await server.user('denied', [invoke(apiId), { ...invoke(apiId), Effect: 'Deny' }]) })
    assert.match(JSON.parse(denied.text).Message, /with an explicit deny in an identity-based policy$/)
  })
})

describe('a deployed REST API serves', () => {
  test('a caller with execute-api:Invoke, signed for the host with or without its port, and by path', async (t) => {
    const { call, server, apiId } = await deploy(t)
    const as = await server.user('caller', [invoke(apiId)])
    assert.equal((await call({ ...secured, as })).status, 200)
    assert.equal((await call({ ...secured, as, signedHost: `${apiId}.execute-api.localhost` })).status, 200)
    for (const prefix of [`/_aws/execute-api/${apiId}`, `/restapis/${apiId}`]) {
      const path = prefix.startsWith('/_aws') ? `${prefix}/dev/secured` : `${prefix}/dev/_user_request_/secured`
      assert.equal((await call({ ...secured, as, path, host: `127.0.0.1:${server.port}` })).status, 200, path)
    }
  })

  test('a page, and a new deployment at the next request', async (t) => {
    const { call, server, apiId } = await deploy(t)
    const page = await call({ path: '/dev/page' })
    assert.deepEqual([page.text, page.headers['content-type']], ['<p>dev</p>', 'text/html'])
    const changed = definition(paths).replace('<p>$context.stage</p>', '<p>new</p>')
    await server.apigateway.send(new PutRestApiCommand({ restApiId: apiId, mode: 'overwrite', body: Buffer.from(changed) }))
    assert.equal((await call({ path: '/dev/page' })).text, '<p>dev</p>')
    await server.apigateway.send(new CreateDeploymentCommand({ restApiId: apiId, stageName: 'dev' }))
    assert.equal((await call({ path: '/dev/page' })).text, '<p>new</p>')
  })

  test('functions, once their policy lets API Gateway in', async (t) => {
    const { call, server, apiId } = await deploy(t)
    const role = await server.role('function', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }])
    await server.lambda.send(new CreateFunctionCommand({
      FunctionName: 'catalog', Runtime: 'nodejs22.x', Handler: 'index.handler', Role: role,
      Code: { ZipFile: await zip('index.mjs', `export async function handler(event) {
        if (event.httpMethod) return { statusCode: 201, headers: { 'X-Seen': event.pathParameters.proxy }, body: event.body }
        if (event.name === 'gone') throw new Error('NotFound: gone')
        return { endpoint_url: event.name, ttl: 300 }
      }`) },
    }))
    await server.apigateway.send(new PutRestApiCommand({ restApiId: apiId, mode: 'merge', body: Buffer.from(definition(functionPaths)) }))
    await server.apigateway.send(new CreateDeploymentCommand({ restApiId: apiId, stageName: 'dev' }))
    const refused = await call({ path: '/dev/catalog/x' })
    assert.deepEqual([refused.status, refused.text], [500, '{"message":"Internal server error"}'])
    const permission = { FunctionName: 'catalog', StatementId: 'api', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' }
    await server.lambda.send(new AddPermissionCommand({ ...permission, SourceArn: `arn:aws:execute-api:us-east-1:000000000000:${apiId}/*/*/*` }))
    const found = await call({ path: '/dev/catalog/x' })
    assert.deepEqual([found.status, JSON.parse(found.text)], [200, { endpoint_url: 'x', ttl: 300 }])
    const missing = await call({ path: '/dev/catalog/gone' })
    assert.deepEqual([missing.status, missing.text], [404, '{"error_message":"Service Not Found"}'])
    const proxied = await call({ method: 'PUT', path: '/dev/proxy/a/b', body: 'hi' })
    assert.deepEqual([proxied.status, proxied.headers['x-seen'], proxied.text], [201, 'a/b', 'hi'])
    await server.lambda.send(new RemovePermissionCommand({ FunctionName: 'catalog', StatementId: 'api' }))
    assert.equal((await call({ path: '/dev/catalog/x' })).status, 500)
  })
})

async function zip(name: string, content: string): Promise<Buffer> {
  const file = new ZipFile()
  file.addBuffer(Buffer.from(content), name)
  file.end()
  const chunks: Buffer[] = []
  for await (const chunk of file.outputStream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
