// What is compiled per deployment, counted by the engine itself: how often the functions that compile were called.

import assert from 'node:assert/strict'
import { Session } from 'node:inspector/promises'
import { test } from 'node:test'
import { CreateDeploymentCommand, ImportRestApiCommand } from '@aws-sdk/client-api-gateway'
import { rawRequest, sendRaw, signRaw } from '#test/support/raw-request.ts'
import { startServer } from '#test/support/server.ts'

/** File → functions that compile something of a deployment. */
const compilers = {
  'execute-api/rest/deployment.ts': ['compileDeployment', 'compileMethod', 'compilePattern', 'compileResourcePolicy'],
  'execute-api/rest/router.ts': ['createRouter'],
  'execute-api/body-validators.ts': ['compileBodyValidators', 'loadModels', 'compileModel'],
  'execute-api/templates/stored-template.ts': ['compileStoredTemplate'],
  'execute-api/templates/mapping-template.ts': ['compileMappingTemplate'],
  'execute-api/templates/velocity/parse.ts': ['parseTemplate'],
  'lib/java-regex.ts': ['compileJavaPattern'],
  'aws/policy/parse.ts': ['parsePolicy'],
  'aws/policy/compile.ts': ['compilePolicy'],
}

const responses = { 200: { description: 'fine' } }
const definition = {
  swagger: '2.0', info: { title: 'compiled', version: '1' },
  'x-amazon-apigateway-request-validators': { all: { validateRequestBody: true, validateRequestParameters: true } },
  'x-amazon-apigateway-policy': { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*' }] },
  definitions: { Named: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } } },
  paths: {
    '/named/{id}': {
      post: {
        responses, 'x-amazon-apigateway-auth': { type: 'aws_iam' }, 'x-amazon-apigateway-request-validator': 'all',
        parameters: [{ name: 'id', in: 'path', required: true, type: 'string' }, { name: 'Named', in: 'body', required: true, schema: { $ref: '#/definitions/Named' } }],
        'x-amazon-apigateway-integration': {
          type: 'mock', requestTemplates: { 'application/json': '#set($name = $input.path("$.name")){"statusCode": 200, "name": "$name"}' },
          responses: { '2\\d\\d': { statusCode: '200', responseTemplates: { 'application/json': '{"id":"$input.params(\'id\')","at":"$context.stage"}' } } },
        },
      },
    },
  },
}

test('templates, validators, policies and routes are compiled at a deployment\'s first request and never again', async (t) => {
  const server = await startServer(t)
  const { id: restApiId } = await server.apigateway.send(new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(definition)), failOnWarnings: true }))
  await server.apigateway.send(new CreateDeploymentCommand({ restApiId: restApiId!, stageName: 'dev' }))
  const call = async (id: number) => {
    const request = rawRequest({
      method: 'POST', target: `/dev/named/${id}`, host: `${restApiId}.execute-api.localhost:${server.port}`, body: '{"name":"x"}', headers: { 'content-type': 'application/json' },
    })
    const answer = await sendRaw(signRaw(request, { credentials: server.credentials, service: 'execute-api' }), { port: server.port })
    assert.deepEqual([answer.status, answer.text], [200, `{"id":"${id}","at":"dev"}`])
  }
  const session = new Session()
  session.connect()
  t.after(() => session.disconnect())
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  /** Calls since the last count, by file and function. */
  const count = async (): Promise<Record<string, number>> => {
    const { result } = await session.post('Profiler.takePreciseCoverage')
    return Object.fromEntries(Object.entries(compilers).flatMap(([file, names]) => {
      const functions = result.filter(({ url }) => url.endsWith(`/src/${file.startsWith('execute-api') ? 'services/' : ''}${file}`)).flatMap((script) => script.functions)
      return names.map((name) => [`${file} ${name}`, functions.filter(({ functionName }) => functionName === name).reduce((sum, { ranges }) => sum + ranges[0]!.count, 0)])
    }))
  }

  await count()
  await call(1)
  const first = await count()
  for (const [name, calls] of Object.entries(first)) assert.ok(calls > 0, `${name} is called at the first request`)
  for (let id = 2; id <= 20; id++) await call(id)
  assert.deepEqual(Object.entries(await count()).filter(([, calls]) => calls > 0), [])
  await server.apigateway.send(new CreateDeploymentCommand({ restApiId: restApiId!, stageName: 'dev' }))
  await call(21)
  assert.equal((await count())['execute-api/rest/deployment.ts compileDeployment'], 1)
})
