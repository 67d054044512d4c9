// Gateway responses and proxy responses, case by case (`test/cases/execute-api/`): APIs imported by the SDK and called over the wire.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { CreateDeploymentCommand, GetResourcesCommand, ImportRestApiCommand, TestInvokeMethodCommand } from '@aws-sdk/client-api-gateway'
import { AddPermissionCommand, CreateFunctionCommand } from '@aws-sdk/client-lambda'
import { rawRequest, sendRaw, type RawAnswer } from '#test/support/raw-request.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { zip } from '#test/support/zip.ts'

interface Expected {
  status: number
  body?: string
  bodyMatches?: string
  headers?: Record<string, string>
  /** Headers that the answer must not have. */
  absent?: string[]
  /** How the line of the execution log begins that says why. */
  log?: string
}

interface GatewayCase {
  says: string
  source: string
  gatewayResponses?: object
  stageVariables?: Record<string, string>
  request: { method: string, path: string, stage?: string, headers?: Record<string, string>, body?: string }
  expect: Expected
}

interface ProxyCase {
  says: string
  source: string
  /** What the function returns; `{ throw }` makes it fail. */
  answer: unknown
  accept?: string
  expect: Expected
}

const casesOf = <Case>(name: string): Case[] => JSON.parse(readFileSync(new URL(`../../cases/execute-api/${name}.json`, import.meta.url), 'utf8')) as Case[]

const fine = { 200: { description: 'fine' } }
const mock = (more: object = {}) => ({ type: 'mock', requestTemplates: { 'application/json': '{"statusCode": 200}' }, responses: { default: { statusCode: '200' } }, ...more })

/** One path for each way of being refused. */
const paths = {
  '/open': { get: { responses: fine, 'x-amazon-apigateway-integration': mock() } },
  '/keyed': { get: { responses: fine, security: [{ key: [] }], 'x-amazon-apigateway-integration': mock() } },
  '/signed': { get: { responses: fine, 'x-amazon-apigateway-auth': { type: 'aws_iam' }, 'x-amazon-apigateway-integration': mock() } },
  '/strict': { post: { responses: fine, 'x-amazon-apigateway-integration': mock({ passthroughBehavior: 'never' }) } },
  '/unanswered': { get: { responses: fine, 'x-amazon-apigateway-integration': mock({ responses: { '5\\d\\d': { statusCode: '200' } } }) } },
  '/checked/{id}': {
    post: {
      responses: fine, 'x-amazon-apigateway-request-validator': 'all', 'x-amazon-apigateway-integration': mock(),
      parameters: [
        { name: 'id', in: 'path', required: true, type: 'string' }, { name: 'q', in: 'query', required: true, type: 'string' },
        { name: 'Named', in: 'body', required: true, schema: { $ref: '#/definitions/Named' } },
      ],
    },
  },
}

const definition = (more: object) => Buffer.from(JSON.stringify({
  swagger: '2.0', info: { title: 'cases', version: '1' }, paths,
  securityDefinitions: { key: { type: 'apiKey', name: 'x-api-key', in: 'header' } },
  definitions: { Named: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } } },
  'x-amazon-apigateway-request-validators': { all: { validateRequestBody: true, validateRequestParameters: true } },
  ...more,
}))

function check({ status, headers, text }: RawAnswer, expected: Expected): void {
  assert.equal(status, expected.status)
  if (expected.body !== undefined) assert.equal(text, expected.body)
  if (expected.bodyMatches !== undefined) assert.match(text, new RegExp(expected.bodyMatches))
  for (const [name, value] of Object.entries(expected.headers ?? {})) assert.equal(String(headers[name]).replaceAll(',', ', ').replaceAll(',  ', ', '), value, name)
  for (const name of expected.absent ?? []) assert.equal(headers[name], undefined, name)
}

describe('gateway responses', () => {
  let server: TestServer
  before(async () => { server = await startServer() })
  after(() => server.close())

  for (const { says, gatewayResponses, stageVariables, request, expect } of casesOf<GatewayCase>('gateway-responses')) {
    test(says, async () => {
      const body = definition({ 'x-amazon-apigateway-gateway-responses': gatewayResponses ?? {} })
      const { id: restApiId } = await server.apigateway.send(new ImportRestApiCommand({ body, failOnWarnings: true }))
      await server.apigateway.send(new CreateDeploymentCommand({ restApiId: restApiId!, stageName: 'dev', variables: stageVariables }))
      const { method, path, stage = 'dev', headers = {}, body: sent = '' } = request
      const answer = await sendRaw(rawRequest({
        method, target: `/${stage}${path}`, host: `${restApiId}.execute-api.localhost:${server.port}`, body: sent, headers: { 'user-agent': 'cases/1', ...headers },
      }), { port: server.port })
      check(answer, expect)
    })
  }
})

describe('proxy responses', () => {
  let server: TestServer
  let restApiId: string
  let resourceId: string
  before(async () => {
    server = await startServer()
    const role = await server.role('function', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }])
    const { FunctionArn } = await server.lambda.send(new CreateFunctionCommand({
      FunctionName: 'answers', Runtime: 'nodejs22.x', Handler: 'index.handler', Role: role,
      Code: { ZipFile: await zip({ 'index.mjs': `export async function handler({ body }) {
        const answer = JSON.parse(body)
        if (answer?.throw) throw new Error(answer.throw)
        return answer
      }` }) },
    }))
    await server.lambda.send(new AddPermissionCommand({ FunctionName: 'answers', StatementId: 'api', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' }))
    const uri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${FunctionArn}/invocations`
    const { id } = await server.apigateway.send(new ImportRestApiCommand({
      body: definition({ 'x-amazon-apigateway-binary-media-types': ['image/png'], paths: { '/': { post: { responses: {}, 'x-amazon-apigateway-integration': { type: 'aws_proxy', httpMethod: 'POST', uri } } } } }),
    }))
    restApiId = id!
    await server.apigateway.send(new CreateDeploymentCommand({ restApiId, stageName: 'dev' }))
    resourceId = (await server.apigateway.send(new GetResourcesCommand({ restApiId }))).items![0]!.id!
  })
  after(() => server.close())

  for (const { says, answer, accept, expect } of casesOf<ProxyCase>('proxy-responses')) {
    test(says, async () => {
      const body = JSON.stringify(answer)
      check(await sendRaw(rawRequest({
        method: 'POST', target: '/dev/', host: `${restApiId}.execute-api.localhost:${server.port}`, body,
        headers: { 'content-type': 'application/json', ...accept === undefined ? {} : { accept } },
      }), { port: server.port }), expect)
      if (expect.log === undefined) return
      const tested = await server.apigateway.send(new TestInvokeMethodCommand({ restApiId, resourceId, httpMethod: 'POST', body }))
      assert.ok(tested.log?.includes(` : ${expect.log}`), tested.log ?? 'no log')
    })
  }
})
