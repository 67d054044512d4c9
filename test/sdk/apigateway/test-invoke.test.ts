// TestInvokeMethod by the SDK: a method of an API that was never deployed, run without key and credentials, and its log.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import {
  GetResourcesCommand, ImportRestApiCommand, PutRestApiCommand, TestInvokeMethodCommand, type TestInvokeMethodCommandInput, type TestInvokeMethodCommandOutput,
} from '@aws-sdk/client-api-gateway'
import { AddPermissionCommand, CreateFunctionCommand } from '@aws-sdk/client-lambda'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { zip } from '#test/support/zip.ts'

const responses = { 200: { description: 'fine' } }
const mock = (responseTemplate: string) => ({
  'x-amazon-apigateway-integration': {
    type: 'mock', requestTemplates: { 'application/json': '{"statusCode": 200}' },
    responses: { default: { statusCode: '200', responseTemplates: { 'application/json': responseTemplate } } },
  },
})

const petId = [{ name: 'petId', in: 'path', type: 'string', required: true }]
const paths = {
  '/pets': { get: { responses, ...mock('{"pets": "all the pets"}') } },
  '/pets/{petId}': {
    get: { parameters: petId, responses, ...mock('{"petId": "$input.params(\'petId\')"}') },
    post: { parameters: petId, responses, ...mock('{"petId": "$input.params(\'petId\')"}') },
  },
  '/guarded': { get: { responses, security: [{ key: [] }], 'x-amazon-apigateway-auth': { type: 'aws_iam' }, ...mock('$context.identity.apiKeyId $stageVariables.color $context.stage $context.path') } },
  '/broken': { get: { responses, ...mock('#set($list = [1])\n  $list.get(3)') } },
}

const uri = 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:echo/invocations'
const functionPaths = {
  '/echo': { post: { responses, 'x-amazon-apigateway-integration': { type: 'aws', httpMethod: 'POST', uri, responses: { default: { statusCode: '200' } } } } },
  '/proxy/{proxy+}': { 'x-amazon-apigateway-any-method': { responses, 'x-amazon-apigateway-integration': { type: 'aws_proxy', httpMethod: 'POST', uri } } },
}

const definition = (all: object): Buffer => Buffer.from(JSON.stringify({
  swagger: '2.0', info: { title: 'tested', version: '1' }, paths: all, securityDefinitions: { key: { type: 'apiKey', name: 'x-api-key', in: 'header' } },
}))

interface Imported {
  server: TestServer
  restApiId: string
  /** Tests the method of the resource with that path. */
  run(path: string, given?: Partial<TestInvokeMethodCommandInput>): Promise<TestInvokeMethodCommandOutput>
}

async function imported(t: TestContext): Promise<Imported> {
  const server = await startServer(t)
  const { id: restApiId } = await server.apigateway.send(new ImportRestApiCommand({ body: definition(paths) }))
  return {
    server, restApiId: restApiId!,
    async run(path, given = {}) {
      const { items = [] } = await server.apigateway.send(new GetResourcesCommand({ restApiId, limit: 100 }))
      const resourceId = items.find((item) => item.path === path)?.id
      return server.apigateway.send(new TestInvokeMethodCommand({ restApiId, resourceId, httpMethod: 'GET', ...given }))
    },
  }
}

/** Lines without their dates, which have AWS's form. */
function linesOf({ log = '' }: TestInvokeMethodCommandOutput): string[] {
  const [first, ...lines] = log.split('\n')
  assert.match(first!, /^Execution log for request [0-9a-f-]{36}$/)
  return lines.map((line) => line.replace(/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d UTC \d{4} : /, '').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, '<id>'))
}

describe('TestInvokeMethod refuses', () => {
  test('a resource, a method and an API that are not there', async (t) => {
    const { server, restApiId, run } = await imported(t)
    // Observed: AWS, 29-09-2025, recorded by localstack's test_invoke_test_method.
    await refuses(run('/pets', { httpMethod: 'DELETE' }), 404, 'NotFoundException', 'Invalid Method identifier specified')
    await refuses(run('/pets', { resourceId: 'invalid' }), 404, 'NotFoundException', 'Invalid Resource identifier specified')
    const nowhere = server.apigateway.send(new TestInvokeMethodCommand({ restApiId: 'nothere123', resourceId: 'invalid', httpMethod: 'GET' }))
    await refuses(nowhere, 404, 'NotFoundException', 'Invalid Resource identifier specified')
    const { apigateway } = server.clients(await server.user('reader', [{ Effect: 'Allow', Action: 'apigateway:GET', Resource: '*' }]))
    await refuses(apigateway.send(new TestInvokeMethodCommand({ restApiId, resourceId: 'any', httpMethod: 'GET' })), 403, 'AccessDeniedException', /apigateway:POST/)
  })
})

describe('TestInvokeMethod runs', () => {
  test('a mock that was never deployed, and logs what AWS logs', async (t) => {
    const { run } = await imported(t)
    const got = await run('/pets/{petId}', { pathWithQueryString: '/pets/123?foo=bar' })
    assert.deepEqual([got.status, got.body, got.headers, got.multiValueHeaders], [200, '{"petId": "123"}', { 'Content-Type': 'application/json' }, { 'Content-Type': ['application/json'] }])
    assert.ok(Number.isInteger(got.latency))
    // Observed: AWS, 29-09-2025, recorded by localstack's test_invoke_test_method.
    assert.deepEqual(linesOf(got), [
      'Starting execution for request: <id>',
      'HTTP Method: GET, Resource Path: /pets/123',
      'Method request path: {petId=123}',
      'Method request query string: {foo=bar}',
      'Method request headers: {}',
      'Method request body before transformations: ',
      'Method response body after transformations: {"petId": "123"}',
      'Method response headers: {Content-Type=application/json}',
      'Successfully completed execution',
      'Method completed with status: 200',
      '',
    ])
    const posted = await run('/pets/{petId}', { httpMethod: 'POST', pathWithQueryString: '/pets/123', body: '{"foo": "bar"}' })
    assert.equal(linesOf(posted)[5], 'Method request body before transformations: {"foo": "bar"}')
  })

  test('without a path the resource\'s own, and a path of another resource without parameters', async (t) => {
    const { run } = await imported(t)
    // Observed: AWS, 29-09-2025, recorded by localstack's test_invoke_test_method.
    const own = await run('/pets/{petId}')
    assert.deepEqual([own.body, linesOf(own)[1], linesOf(own)[2]], ['{"petId": "{petId}"}', 'HTTP Method: GET, Resource Path: /pets/{petId}', 'Method request path: {petId={petId}}'])
    const other = await run('/pets/{petId}', { pathWithQueryString: '/random/test' })
    assert.deepEqual([other.body, linesOf(other)[1], linesOf(other)[2]], ['{"petId": ""}', 'HTTP Method: GET, Resource Path: /random/test', 'Method request path: {}'])
  })

  test('without key and signature, with stage variables and headers that it masks', async (t) => {
    const { run } = await imported(t)
    const got = await run('/guarded', {
      stageVariables: { color: 'blue' }, headers: { Authorization: 'Bearer a-token-of-somebody', 'X-One': '1' }, multiValueHeaders: { 'x-two': ['a', 'b'] },
    })
    assert.deepEqual([got.status, got.body], [200, 'test-invoke-api-key-id blue test-invoke-stage /guarded'])
    assert.equal(linesOf(got)[4], 'Method request headers: {Authorization=********************mebody, X-One=1, x-two=a,b}')
  })

  test('a template that fails, with the reason in the log alone', async (t) => {
    const { run } = await imported(t)
    const got = await run('/broken')
    assert.deepEqual([got.status, got.body, got.headers], [500, '{"message":"Internal server error"}', { 'x-amzn-ErrorType': 'InternalServerErrorException' }])
    assert.deepEqual(linesOf(got).slice(-3), ['Execution failed due to configuration error: Unable to transform response', 'Method completed with status: 500', ''])
  })

  test('functions: 500 until they let API Gateway in, then false for false', async (t) => {
    const { run, server, restApiId } = await imported(t)
    const role = await server.role('function', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }])
    await server.lambda.send(new CreateFunctionCommand({
      FunctionName: 'echo', Runtime: 'nodejs22.x', Handler: 'index.handler', Role: role,
      Code: { ZipFile: await zip({ 'index.mjs': 'export const handler = async (event) => event?.httpMethod ? { statusCode: 200, body: JSON.stringify(event) } : event' }) },
    }))
    await server.apigateway.send(new PutRestApiCommand({ restApiId, mode: 'merge', body: definition(functionPaths) }))
    const refused = await run('/echo', { httpMethod: 'POST', body: 'false' })
    assert.deepEqual([refused.status, refused.body], [500, '{"message":"Internal server error"}'])
    assert.deepEqual(linesOf(refused).slice(-4), [
      'Sending request to https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:echo/invocations',
      'Execution failed due to configuration error: Invalid permissions on Lambda function', 'Method completed with status: 500', '',
    ])
    const permission = { FunctionName: 'echo', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' }
    await server.lambda.send(new AddPermissionCommand({ ...permission, StatementId: 'tests', SourceArn: `arn:aws:execute-api:us-east-1:000000000000:${restApiId}/test-invoke-stage/*` }))
    const echoed = await run('/echo', { httpMethod: 'POST', body: 'false' })
    assert.deepEqual([echoed.status, echoed.body], [200, 'false'])
    const log = echoed.log!
    assert.match(log, / : Endpoint request body after transformations: false\n/)
    assert.match(log, /X-Amz-Source-Arn=arn:aws:execute-api:us-east-1:000000000000:\w+\/test-invoke-stage\/POST\/echo/)
    assert.match(log, / : Received response\. Status: 200, Integration latency: \d+ ms\n/)
    assert.match(log, / : Endpoint response headers: \{.*Content-Type=application\/json.*X-Amz-Executed-Version=\$LATEST/)
    assert.match(log, / : Endpoint response body before transformations: false\n/)
    const proxied = await run('/proxy/{proxy+}', { pathWithQueryString: '/proxy/a/b' })
    const event = JSON.parse(proxied.body!)
    // Source: events of test invocations that users published.
    assert.deepEqual([event.path, event.headers, event.multiValueHeaders, event.stageVariables, event.pathParameters], ['/proxy/a/b', null, null, null, { proxy: 'a/b' }])
    const { identity, stage, domainName, path } = event.requestContext
    assert.deepEqual([stage, domainName, path, identity.sourceIp, identity.apiKey, identity.userArn], [
      'test-invoke-stage', 'testPrefix.testDomainName', '/proxy/a/b', 'test-invoke-source-ip', 'test-invoke-api-key', 'arn:aws:iam::000000000000:root',
    ])
  })
})
