// The REST protocol, judged by what Lambda and API Gateway answer.

import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { AwsError } from '#aws/errors.ts'
import { loadModel } from '#aws/model.ts'
import { createEcho, signedFor } from '#test/sdk/wire/echo.ts'
import { headerOf, jsonOf, requestOf } from '#test/sdk/wire/requests.ts'
import { createRouter } from './rest-routes.ts'

const lambda = (method: string, target: string, body: string | Buffer = '', headers: Record<string, string> = {}) =>
  requestOf({ method, target, body, headers: { ...signedFor('lambda'), ...headers } })

const gateway = (method: string, target: string, body = '') => requestOf({ method, target, body, headers: signedFor('apigateway') })

const answers = {
  lambda: { Invoke: {}, InvokeAsync: { Status: 202 }, CreateFunction: {}, ListFunctions: {}, DeleteFunction: {}, UntagResource: {}, GetFunction: {}, CreateAlias: {}, ListTags: {}, ListEventSourceMappings: {}, ListDurableExecutionsByFunction: {} },
  apigateway: { ImportRestApi: {}, PutRestApi: {}, GetResources: {}, CreateRestApi: {}, GetExport: {}, GetRestApi: {}, DeleteRestApi: {}, GetTags: {} },
  apigatewayv2: { CreateApi: {}, GetApis: {} },
}

describe('a REST request that no operation has', () => {
  for (const [method, target] of [['GET', '/nowhere'], ['PATCH', '/2015-03-31/functions'], ['GET', '/2021-10-31/functions/x/policy'], ['GET', '/2015-03-31/functions/%zz'], ['GET', '/2015-03-31/functions//policy'], ['GET', '/']] as const) {
    test(`${method} ${target} is refused in the words of AWS's front end`, async () => {
      const answer = await createEcho(answers).handle(lambda(method, target))
      assert.equal(answer.status, 403)
      assert.equal(answer.body, '<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized</Message>\n</AccessDeniedException>\n')
      assert.equal(headerOf(answer, 'x-amzn-errortype'), 'AccessDeniedException')
    })
  }
})

test('slashes at the beginning of a path count once, as in its signature', async () => {
  const echo = createEcho({ lambda: { ListFunctions: { Functions: [] } } })
  assert.equal((await echo.handle(requestOf({ method: 'GET', target: '//2015-03-31/functions', headers: signedFor('lambda') }))).status, 200)
})

describe('a REST request that does not parse', () => {
  for (const [body, expected] of [
    ['{"FunctionName":', {}],
    ['null', {}],
    ['[]', { Message: 'Start of list found where not expected' }],
    ['{"FunctionName":{}}', { Message: 'Start of structure or map found where not expected.' }],
    ['{"Timeout":"3"}', { Message: 'STRING_VALUE can not be converted to an Integer' }],
    ['{"Code":{"ZipFile":7}}', { Message: 'NUMBER_VALUE can not be converted to a Blob' }],
    ['{"Environment":{"Variables":{"A":1}}}', { Message: 'NUMBER_VALUE can not be converted to a String' }],
  ] as const) {
    test(`the body ${body}: SerializationException`, async () => {
      const answer = await createEcho(answers).handle(lambda('POST', '/2015-03-31/functions', body))
      assert.equal(answer.status, 400)
      assert.deepEqual(jsonOf(answer), expected)
      assert.equal(headerOf(answer, 'x-amzn-errortype'), 'SerializationException')
    })
  }

  test('a query parameter that is no number is refused', async () => {
    const answer = await createEcho(answers).handle(lambda('GET', '/2015-03-31/functions?MaxItems=x'))
    assert.deepEqual([answer.status, headerOf(answer, 'x-amzn-errortype')], [400, 'SerializationException'])
  })
})

describe('a REST request', () => {
  test('is found with and without a trailing slash, by label, literal and query parameter', () => {
    const model = loadModel('lambda-2015-03-31')
    const find = createRouter(model.operationNames.map((name) => model.operation(name)!))
    const name = (method: string, path: string, query = '') => find(method, path, query)?.operation.name
    assert.equal(name('GET', '/2015-03-31/functions/'), 'ListFunctions')
    assert.equal(name('POST', '/2014-11-13/functions/f/invoke-async/'), 'InvokeAsync')
    assert.equal(name('GET', '/2018-10-31/layers'), 'ListLayers')
    assert.equal(name('GET', '/2018-10-31/layers', 'find=LayerVersion&Arn=a'), 'GetLayerVersionByArn')
    assert.equal(name('GET', '/2019-09-30/functions/f/provisioned-concurrency'), 'GetProvisionedConcurrencyConfig')
    assert.equal(name('GET', '/2019-09-30/functions/f/provisioned-concurrency', 'List=ALL'), 'ListProvisionedConcurrencyConfigs')
    assert.equal(name('GET', '/2019-09-25/functions/f/event-invoke-config/list'), 'ListFunctionEventInvokeConfigs')
    assert.equal(name('GET', '/2015-03-31/functions/list'), 'GetFunction')
    assert.equal(name('DELETE', '/2015-03-31/functions'), undefined)
  })

  test('every operation of every REST model finds itself', () => {
    for (const file of ['lambda-2015-03-31', 'apigateway-2015-07-09', 'apigatewayv2-2018-11-29']) {
      const model = loadModel(file)
      const find = createRouter(model.operationNames.map((name) => model.operation(name)!))
      for (const name of model.operationNames) {
        const { method, requestUri } = model.operation(name)!
        const [path, query = ''] = requestUri.replace(/\{[^}]+\}/g, 'some%2Fthing').split('?')
        const found = find(method, path!, query)
        assert.equal(found?.operation.name, name)
        for (const label of Object.values(found.labels)) assert.equal(label, 'some/thing')
      }
    }
  })

  test('a greedy label takes the rest of the path', () => {
    const operation = { name: 'Get', method: 'GET', requestUri: '/things/{Key+}', responseCode: 200, input: undefined, output: undefined, resultWrapper: undefined }
    const find = createRouter([operation])
    assert.deepEqual(find('GET', '/things/a/b%20c', '')?.labels, { Key: 'a/b c' })
    assert.equal(find('GET', '/things', ''), undefined)
  })

  test('carries members in path, query and headers and the rest in its body', async () => {
    const echo = createEcho(answers)
    await echo.handle(lambda('POST', '/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af/invocations?Qualifier=live%2D1', '{"k": 1}', { 'X-Amz-Invocation-Type': 'Event', 'X-Amz-Log-Type': 'Tail' }))
    assert.deepEqual(echo.lastInput, { FunctionName: 'arn:aws:lambda:us-east-1:000000000000:function:f', Qualifier: 'live-1', InvocationType: 'Event', LogType: 'Tail', Payload: Buffer.from('{"k": 1}') })
    await echo.handle(lambda('POST', '/2015-03-31/functions/f/aliases', '{"Name":"live","FunctionVersion":"1","FunctionName":"another"}'))
    assert.deepEqual(echo.lastInput, { Name: 'live', FunctionVersion: '1', FunctionName: 'f' }, 'a body does not overrule the path')
    await echo.handle(lambda('DELETE', '/2017-03-31/tags/arn:aws:lambda:us-east-1:000000000000:function:f?tagKeys=a&tagKeys=b%20c'))
    assert.deepEqual(echo.lastInput, { Resource: 'arn:aws:lambda:us-east-1:000000000000:function:f', TagKeys: ['a', 'b c'] })
    await echo.handle(gateway('GET', '/restapis/a/stages/s/exports/swagger?extensions=apigateway&accepts=x'))
    assert.deepEqual(echo.lastInput, { restApiId: 'a', stageName: 's', exportType: 'swagger', parameters: { extensions: 'apigateway', accepts: 'x' } })
    await echo.handle(gateway('POST', '/restapis?mode=import&failonwarnings=true&basepath=prepend', 'swagger: "2.0"'))
    assert.deepEqual(echo.lastInput, { failOnWarnings: true, parameters: { mode: 'import', basepath: 'prepend' }, body: Buffer.from('swagger: "2.0"') })
  })

  test('is answered under the names of the wire', async () => {
    const echo = createEcho({ apigatewayv2: { CreateApi: { ApiId: 'a', CreatedDate: new Date('2026-01-02T03:04:05Z'), CorsConfiguration: { AllowCredentials: true } } } })
    const answer = await echo.handle(gateway('POST', '/v2/apis', '{"name":"n","protocolType":"HTTP","corsConfiguration":{"allowOrigins":["*"]}}'))
    assert.deepEqual(echo.lastInput, { Name: 'n', ProtocolType: 'HTTP', CorsConfiguration: { AllowOrigins: ['*'] } })
    assert.equal(answer.status, 201)
    assert.deepEqual(jsonOf(answer), { apiId: 'a', createdDate: '2026-01-02T03:04:05Z', corsConfiguration: { allowCredentials: true } })
  })

  test('is answered with the status, the headers and the bytes that the operation says', async () => {
    const echo = createEcho({ lambda: { Invoke: { StatusCode: 200, FunctionError: 'Unhandled', LogResult: 'bG9n', ExecutedVersion: '$LATEST', Payload: new Uint8Array([123, 125]) }, InvokeAsync: { Status: 202 }, DeleteFunction: { StatusCode: 204 } } })
    const answer = await echo.handle(lambda('POST', '/2015-03-31/functions/f/invocations'))
    assert.equal(answer.status, 200)
    assert.equal(String(answer.body), '{}')
    assert.equal(headerOf(answer, 'x-amz-function-error'), 'Unhandled')
    assert.equal(headerOf(answer, 'x-amz-log-result'), 'bG9n')
    assert.equal(headerOf(answer, 'x-amz-executed-version'), '$LATEST')
    assert.equal(headerOf(answer, 'content-type'), 'application/json')
    assert.equal((await echo.handle(lambda('POST', '/2014-11-13/functions/f/invoke-async/', '{}'))).status, 202)
    const deleted = await echo.handle(lambda('DELETE', '/2015-03-31/functions/f'))
    assert.deepEqual([deleted.status, deleted.body], [204, undefined])
  })

  test('may be answered by a stream, under the content type that the output names', async () => {
    const body = Readable.from(['a'])
    const echo = createEcho({ apigateway: { GetExport: { contentType: 'application/yaml', contentDisposition: 'attachment; filename="x"', body } } })
    const answer = await echo.handle(gateway('GET', '/restapis/a/stages/s/exports/swagger'))
    assert.equal(answer.body, body)
    assert.equal(headerOf(answer, 'content-type'), 'application/yaml')
  })

  test('an answer without output has no body', async () => {
    const answer = await createEcho(answers).handle(gateway('DELETE', '/restapis/a'))
    assert.deepEqual([answer.status, answer.body], [202, undefined])
  })
})

describe('an error of a REST service', () => {
  test('has its type in a header and the message under the name of its shape', async () => {
    // Source: the error shapes of Lambda's model: `ResourceNotFoundException` has `Message`, `InvalidParameterValueException` `message`.
    for (const [code, key] of [['ResourceNotFoundException', 'Message'], ['InvalidParameterValueException', 'message']] as const) {
      const echo = createEcho({ lambda: { GetFunction: () => { throw new AwsError(code, 404, 'Function not found: f', { Type: 'User' }) } } })
      const answer = await echo.handle(lambda('GET', '/2015-03-31/functions/f'))
      assert.equal(answer.status, 404)
      assert.equal(headerOf(answer, 'x-amzn-errortype'), code)
      assert.deepEqual(jsonOf(answer), { Type: 'User', [key]: 'Function not found: f' })
    }
  })

  test('has the message under the name that it has on the wire', async () => {
    // Source: the error shapes of API Gateway v2's model: `Message` travels as `message`.
    const echo = createEcho({ apigatewayv2: { GetApis: () => { throw new AwsError('NotFoundException', 404, 'Invalid API identifier specified 1:a', { ResourceType: 'Api' }) } } })
    const answer = await echo.handle(gateway('GET', '/v2/apis'))
    assert.deepEqual(jsonOf(answer), { resourceType: 'Api', message: 'Invalid API identifier specified 1:a' })
  })

  test('writes members that belong in headers there', async () => {
    const echo = createEcho({ apigateway: { GetRestApi: () => { throw new AwsError('TooManyRequestsException', 429, 'Too Many Requests', { retryAfterSeconds: '3' }) } } })
    const answer = await echo.handle(gateway('GET', '/restapis/a'))
    assert.equal(headerOf(answer, 'retry-after'), '3')
    assert.deepEqual(jsonOf(answer), { message: 'Too Many Requests' })
  })
})
