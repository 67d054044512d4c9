// Imports as authors make them: the SDK, boto3 and the AWS CLI, with a catalog of services as the definition.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  CreateDeploymentCommand, GetMethodCommand, GetModelsCommand, GetResourcesCommand, GetRestApisCommand, GetStageCommand, ImportRestApiCommand, PutRestApiCommand,
} from '@aws-sdk/client-api-gateway'
import { absent, aws, awsRaw, python } from '#test/support/programs.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer } from '#test/support/server.ts'

const mock = {
  type: 'mock',
  requestTemplates: { 'application/json': '{"statusCode": 200}' },
  responses: { default: { statusCode: '200' }, '.*NotFound.*': { statusCode: '404' } },
}

/** Lookup is open, registering is signed. */
const catalog = {
  swagger: '2.0',
  info: { title: 'catalog_service', version: '1.0.0' },
  basePath: '/v1',
  paths: {
    '/catalog/{name}/{version}': {
      parameters: ['name', 'version'].map((name) => ({ name, in: 'path', required: true, type: 'string' })),
      get: { responses: { 200: { description: 'found' }, 404: { description: 'unknown' } }, 'x-amazon-apigateway-integration': mock },
    },
    '/catalog/register': {
      post: {
        responses: { 200: { description: 'registered' } },
        parameters: [{ name: 'body', in: 'body', required: true, schema: { $ref: '#/definitions/Service' } }],
        'x-amazon-apigateway-auth': { type: 'aws_iam' },
        'x-amazon-apigateway-integration': { ...mock, responses: { default: { statusCode: '200' } } },
      },
    },
  },
  definitions: { Service: { type: 'object', properties: { ttl: { type: 'integer' } }, required: ['ttl'] } },
}

test('an imported catalog has its resources, methods and models, and can be deployed', async (t) => {
  const { apigateway } = await startServer(t)
  const body = Buffer.from(JSON.stringify(catalog))
  const imported = await apigateway.send(new ImportRestApiCommand({ body }))
  assert.equal(imported.$metadata.httpStatusCode, 201)
  assert.equal(imported.name, 'catalog_service')
  assert.equal(imported.warnings, undefined)
  const restApiId = imported.id!
  const { items } = await apigateway.send(new GetResourcesCommand({ restApiId }))
  assert.deepEqual(items!.map(({ path }) => path), ['/', '/catalog', '/catalog/register', '/catalog/{name}', '/catalog/{name}/{version}'])
  const register = items!.find(({ path }) => path === '/catalog/register')!
  const method = await apigateway.send(new GetMethodCommand({ restApiId, resourceId: register.id, httpMethod: 'POST' }))
  assert.equal(method.authorizationType, 'AWS_IAM')
  assert.deepEqual(method.requestModels, { 'application/json': 'Service' })
  assert.deepEqual((await apigateway.send(new GetModelsCommand({ restApiId }))).items!.map(({ name }) => name), ['Service'])

  // The API is found by its title and takes the same file again, below its base path.
  const { items: apis } = await apigateway.send(new GetRestApisCommand({}))
  const known = apis!.find(({ name }) => name === catalog.info.title)!
  await apigateway.send(new PutRestApiCommand({ restApiId: known.id, body, mode: 'merge', parameters: { basepath: 'prepend' } }))
  const { items: both } = await apigateway.send(new GetResourcesCommand({ restApiId, limit: 500 }))
  assert.ok(both!.some(({ path }) => path === '/catalog/register') && both!.some(({ path }) => path === '/v1/catalog/register'))

  const deployment = await apigateway.send(new CreateDeploymentCommand({ restApiId, stageName: 'dev' }))
  assert.equal(deployment.$metadata.httpStatusCode, 201)
  assert.equal((await apigateway.send(new GetStageCommand({ restApiId, stageName: 'dev' }))).deploymentId, deployment.id)
})

test('a bad file is refused in AWS\'s words, and warnings are told', async (t) => {
  const { apigateway } = await startServer(t)
  await refuses(apigateway.send(new ImportRestApiCommand({ body: Buffer.from('{"swagger"') })), 400, 'BadRequestException', 'Invalid OpenAPI input.')
  const dangling = { ...catalog, definitions: {} }
  const body = Buffer.from(JSON.stringify(dangling))
  const { warnings } = await apigateway.send(new ImportRestApiCommand({ body }))
  assert.deepEqual(warnings, ["Reference to model 'Service' not found. Ignoring."])
  await refuses(apigateway.send(new ImportRestApiCommand({ body, failOnWarnings: true })), 400, 'BadRequestException',
    "Warnings found during import:\n\tReference to model 'Service' not found. Ignoring.")
})

test('an import needs permission for what it sets', async (t) => {
  const server = await startServer(t)
  const mayImport = { Effect: 'Allow', Action: 'apigateway:POST', Resource: 'arn:aws:apigateway:us-east-1::/restapis' }
  const author = server.clients(await server.user('author', [mayImport])).apigateway
  await author.send(new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(catalog)) }))
  const integration = { ...mock, credentials: 'arn:aws:iam::000000000000:role/r' }
  const withRole = { ...catalog, paths: { '/a': { get: { responses: {}, 'x-amazon-apigateway-integration': integration } } } }
  await refuses(author.send(new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(withRole)) })), 403, 'AccessDeniedException', /iam:PassRole/)
  const withPolicy = { ...catalog, 'x-amazon-apigateway-policy': { Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' } } }
  await refuses(author.send(new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(withPolicy)) })), 403, 'AccessDeniedException', /apigateway:UpdateRestApiPolicy/)
})

test('the AWS CLI imports a file, puts it again and deploys', { skip: absent('aws') }, async (t) => {
  const server = await startServer(t)
  const env = server.environment()
  const file = definitionFile(t)
  const api = await aws(env, ['apigateway', 'import-rest-api', '--body', `fileb://${file}`])
  assert.equal(api.name, 'catalog_service')
  await aws(env, ['apigateway', 'put-rest-api', '--rest-api-id', api.id, '--mode', 'merge', '--parameters', 'basepath=prepend', '--body', `fileb://${file}`])
  const { items } = await aws(env, ['apigateway', 'get-resources', '--rest-api-id', api.id])
  assert.equal(items.length, 10)
  const { id } = await aws(env, ['apigateway', 'create-deployment', '--rest-api-id', api.id, '--stage-name', 'dev'])
  assert.match(id, /^[a-z0-9]{6}$/)
  const refused = await awsRaw(env, ['apigateway', 'get-stage', '--rest-api-id', api.id, '--stage-name', 'prod'])
  assert.match(refused.stderr, /An error occurred \(NotFoundException\) when calling the GetStage operation: Invalid stage identifier specified/)
})

test('boto3 imports, pages through resources and deletes', { skip: absent('boto3') }, async (t) => {
  const server = await startServer(t)
  const answer = await python(server.environment(), `
gateway = client('apigateway')
body = ${JSON.stringify(JSON.stringify(catalog))}
api = gateway.import_rest_api(body=body.encode())
paths = [r['path'] for page in gateway.get_paginator('get_resources').paginate(restApiId=api['id'], PaginationConfig={'PageSize': 2}) for r in page['items']]
deployed = gateway.create_deployment(restApiId=api['id'], stageName='dev')
gateway.delete_rest_api(restApiId=api['id'])
try:
    gateway.get_rest_api(restApiId=api['id'])
except gateway.exceptions.NotFoundException as e:
    gone = e.response['Error']['Message'].split(':')[0]
print(json.dumps({'paths': paths, 'status': deployed['ResponseMetadata']['HTTPStatusCode'], 'gone': gone}))
`)
  assert.deepEqual(answer, {
    paths: ['/', '/catalog', '/catalog/register', '/catalog/{name}', '/catalog/{name}/{version}'],
    status: 201,
    gone: 'Invalid API identifier specified 000000000000',
  })
})

function definitionFile(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-import-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'swagger.json')
  writeFileSync(file, JSON.stringify(catalog))
  return file
}
