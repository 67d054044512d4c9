// GetExport by the SDK: what AWS was recorded to export, and definitions that come back as the same API.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  CreateDeploymentCommand, GetExportCommand, GetGatewayResponsesCommand, GetModelsCommand, GetResourcesCommand, GetRestApiCommand, ImportRestApiCommand, PutRestApiCommand,
  type APIGatewayClient, type GetExportCommandInput,
} from '@aws-sdk/client-api-gateway'
import { parse as parseYaml } from 'yaml'
import { refuses } from '#test/support/refuses.ts'
import { startServer } from '#test/support/server.ts'

const backend = 'http://petstore-demo-endpoint.execute-api.com/petstore/pets'

/** Source: localstack's file pets.json, what its recorded exports were made from. */
const pets = {
  swagger: '2.0', info: { title: 'Simple PetStore (Swagger)', version: '1.0.0' }, schemes: ['https'],
  paths: {
    '/pets': {
      get: {
        responses: { 200: { description: '200 response' } },
        'x-amazon-apigateway-integration': { responses: { default: { statusCode: '200' } }, uri: backend, passthroughBehavior: 'when_no_match', httpMethod: 'GET', type: 'http' },
      },
    },
    '/pets/{petId}': {
      get: {
        parameters: [{ name: 'petId', in: 'path', required: true, type: 'string' }],
        responses: { 200: { description: '200 response' } },
        'x-amazon-apigateway-integration': {
          responses: { default: { statusCode: '200' } }, requestParameters: { 'integration.request.path.id': 'method.request.path.petId' },
          uri: `${backend}/{id}`, passthroughBehavior: 'when_no_match', httpMethod: 'GET', type: 'http',
        },
      },
    },
  },
}

/** Everything that an import takes. */
const rich = {
  openapi: '3.0.1', info: { title: 'rich', version: '7', description: 'with everything' },
  paths: {
    '/': { get: { responses: { 200: { description: '200 response', headers: { 'Content-Type': { schema: { type: 'string' } } }, content: {} } }, 'x-amazon-apigateway-integration': {
      type: 'mock', passthroughBehavior: 'when_no_match', requestTemplates: { 'application/json': '{"statusCode": 200}' },
      responses: { default: { statusCode: '200', responseParameters: { 'method.response.header.Content-Type': "'text/html'" }, responseTemplates: { 'text/html': '<p>$context.stage</p>\n' } } },
    } } },
    '/orders/{id}': {
      post: {
        operationId: 'PlaceOrder', security: [{ sigv4: [] }, { api_key: [] }], 'x-amazon-apigateway-request-validator': 'both',
        parameters: [
          { name: 'id', in: 'path', required: true, schema: { type: 'string' } }, { name: 'dry', in: 'query', schema: { type: 'string' } },
          { name: 'X-Trace', in: 'header', required: true, schema: { type: 'string' } },
        ],
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Order' } } }, required: true },
        responses: {
          200: { description: '200 response', content: { 'application/json': { schema: { $ref: '#/components/schemas/Order' } } } },
          404: { description: '404 response', content: {} },
        },
        'x-amazon-apigateway-integration': {
          type: 'http', httpMethod: 'POST', uri: 'http://example.com/{id}', passthroughBehavior: 'never', contentHandling: 'CONVERT_TO_TEXT', timeoutInMillis: 5000,
          requestParameters: { 'integration.request.path.id': 'method.request.path.id', 'integration.request.header.x': "'y'" },
          requestTemplates: { 'application/json': '$input.body' }, cacheKeyParameters: ['method.request.path.id'],
          responses: { default: { statusCode: '200' }, '404': { statusCode: '404', responseTemplates: { 'application/json': '{"gone":true}' } } },
        },
      },
    },
    '/mine': { get: { security: [{ pool: ['orders/read'] }], responses: { 200: { description: '200 response', content: {} } }, 'x-amazon-apigateway-integration': {
      type: 'mock', passthroughBehavior: 'when_no_templates', requestTemplates: { 'application/json': '{"statusCode": 200}' }, responses: { default: { statusCode: '200' } },
    } } },
    '/any/{proxy+}': { 'x-amazon-apigateway-any-method': {
      parameters: [{ name: 'proxy', in: 'path', required: true, schema: { type: 'string' } }], responses: {},
      'x-amazon-apigateway-integration': { type: 'http_proxy', httpMethod: 'ANY', uri: 'http://example.com/{proxy}', passthroughBehavior: 'when_no_match', requestParameters: { 'integration.request.path.proxy': 'method.request.path.proxy' } },
    } },
  },
  components: {
    schemas: {
      Order: { type: 'object', required: ['item'], properties: { item: { $ref: '#/components/schemas/Item' } } },
      Item: { type: 'string', enum: ['a', 'b'] },
    },
    securitySchemes: {
      sigv4: { type: 'apiKey', name: 'Authorization', in: 'header', 'x-amazon-apigateway-authtype': 'awsSigv4' },
      api_key: { type: 'apiKey', name: 'x-api-key', in: 'header' },
      pool: {
        type: 'apiKey', name: 'Authorization', in: 'header', 'x-amazon-apigateway-authtype': 'cognito_user_pools',
        'x-amazon-apigateway-authorizer': { type: 'cognito_user_pools', providerARNs: ['arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abcdefghi'] },
      },
    },
  },
  'x-amazon-apigateway-request-validators': { both: { validateRequestParameters: true, validateRequestBody: true } },
  'x-amazon-apigateway-gateway-responses': { DEFAULT_4XX: { responseParameters: { 'gatewayresponse.header.Access-Control-Allow-Origin': "'*'" }, responseTemplates: { 'application/json': '{"e":$context.error.messageString}' } } },
  'x-amazon-apigateway-binary-media-types': ['image/png'], 'x-amazon-apigateway-minimum-compression-size': 1024, 'x-amazon-apigateway-api-key-source': 'AUTHORIZER',
  'x-amazon-apigateway-policy': { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*' }] },
}

async function deployed(apigateway: APIGatewayClient, definition: object): Promise<string> {
  const { id: restApiId } = await apigateway.send(new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(definition)), failOnWarnings: true }))
  await apigateway.send(new CreateDeploymentCommand({ restApiId: restApiId!, stageName: 'local' }))
  return restApiId!
}

async function exported(apigateway: APIGatewayClient, restApiId: string, given: Partial<GetExportCommandInput> = {}): Promise<any> {
  const { body } = await apigateway.send(new GetExportCommand({ restApiId, stageName: 'local', exportType: 'oas30', parameters: { extensions: 'apigateway' }, ...given }))
  const text = Buffer.from(body!).toString()
  return given.accepts === 'application/yaml' ? parseYaml(text) : JSON.parse(text)
}

/** An API without its ids: resources by path with their methods, models, gateway responses, settings. */
async function shapeOf(apigateway: APIGatewayClient, restApiId: string): Promise<object> {
  const { items = [] } = await apigateway.send(new GetResourcesCommand({ restApiId, embed: ['methods'], limit: 500 }))
  const { items: models = [] } = await apigateway.send(new GetModelsCommand({ restApiId, limit: 500 }))
  const { items: responses = [] } = await apigateway.send(new GetGatewayResponsesCommand({ restApiId, limit: 500 }))
  const { $metadata: _metadata, id: _id, rootResourceId: _root, createdDate: _date, policy, ...settings } = await apigateway.send(new GetRestApiCommand({ restApiId }))
  const ids = new Set(['cacheNamespace', 'requestValidatorId', 'authorizerId'])
  const resources = Object.fromEntries(items.map(({ path, resourceMethods }) => [path, resourceMethods]))
  return {
    settings, policy: policy?.replaceAll(restApiId, 'API'), resources: JSON.parse(JSON.stringify(resources, (key, value: unknown) => (ids.has(key) ? 'id' : value))) as unknown,
    models: Object.fromEntries(models.map(({ name, schema, contentType }) => [name, [schema?.replaceAll(restApiId, 'API'), contentType]])),
    responses: responses.filter(({ defaultResponse }) => defaultResponse !== true),
  }
}

describe('GetExport refuses', () => {
  test('a type and an extension that it does not have, a format that is neither JSON nor YAML, and a stage that is not there', async (t) => {
    const { apigateway } = await startServer(t)
    const restApiId = await deployed(apigateway, pets)
    const get = (given: Partial<GetExportCommandInput>) => apigateway.send(new GetExportCommand({ restApiId, stageName: 'local', exportType: 'oas30', ...given }))
    await refuses(get({ exportType: 'raml' }), 400, 'BadRequestException', "No API exporter for type 'raml'")
    await refuses(get({ parameters: { extensions: 'postman' } }), 501, 'NotImplemented', /Postman/)
    await refuses(get({ parameters: { extensions: 'other' } }), 400, 'BadRequestException', /^Invalid extension specified: other/)
    await refuses(get({ accepts: 'text/html' }), 400, 'BadRequestException', /^Invalid content type specified: text\/html/)
    await refuses(get({ stageName: 'other' }), 404, 'NotFoundException', 'Invalid stage identifier specified')
    await refuses(get({ restApiId: 'nothere123' }), 404, 'NotFoundException', 'Invalid stage identifier specified')
  })
})

describe('GetExport writes', () => {
  // Observed: AWS, 15-04-2024, recorded by localstack's test_export_swagger_openapi and test_export_oas30_openapi.
  test('Swagger 2.0 as AWS does', async (t) => {
    const { apigateway } = await startServer(t)
    const restApiId = await deployed(apigateway, pets)
    const plain = { paths: structuredClone(pets.paths) as Record<string, { get: Record<string, unknown> }> }
    for (const { get } of Object.values(plain.paths)) delete get['x-amazon-apigateway-integration']
    const frame = {
      swagger: '2.0', info: { version: '1.0.0', title: 'Simple PetStore (Swagger)' }, host: `${restApiId}.execute-api.us-east-1.amazonaws.com`, basePath: '/local', schemes: ['https'],
    }
    assert.deepEqual(await exported(apigateway, restApiId, { exportType: 'swagger', parameters: {} }), { ...frame, ...plain })
    assert.deepEqual(await exported(apigateway, restApiId, { exportType: 'swagger' }), { ...frame, paths: pets.paths })
    const answer = await apigateway.send(new GetExportCommand({ restApiId, stageName: 'local', exportType: 'swagger' }))
    assert.deepEqual([answer.contentType, answer.contentDisposition], ['application/octet-stream', 'attachment; filename="swagger_1.0.0.json"'])
  })

  test('OpenAPI 3.0 as AWS does', async (t) => {
    const { apigateway } = await startServer(t)
    const restApiId = await deployed(apigateway, pets)
    const { get } = (await exported(apigateway, restApiId)).paths['/pets/{petId}']
    assert.deepEqual(get, {
      parameters: [{ name: 'petId', in: 'path', required: true, schema: { type: 'string' } }],
      responses: { 200: { description: '200 response', content: {} } },
      'x-amazon-apigateway-integration': pets.paths['/pets/{petId}'].get['x-amazon-apigateway-integration'],
    })
    const { servers, openapi, info } = await exported(apigateway, restApiId)
    assert.deepEqual([openapi, info, servers], ['3.0.1', { version: '1.0.0', title: 'Simple PetStore (Swagger)' }, [
      { url: `https://${restApiId}.execute-api.us-east-1.amazonaws.com/{basePath}`, variables: { basePath: { default: 'local' } } },
    ]])
  })

  test('consumes and produces from models and templates, and when the API was created where it has no version', async (t) => {
    const { apigateway } = await startServer(t)
    const { info: { version: _version, ...info }, ...rest } = rich
    const restApiId = await deployed(apigateway, { ...rest, info: { ...info, version: '' } })
    const { paths, info: shown, definitions } = await exported(apigateway, restApiId, { exportType: 'swagger' })
    assert.match(shown.version, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.deepEqual([paths['/'].get.consumes, paths['/'].get.produces], [['application/json'], ['text/html']])
    assert.deepEqual(paths['/orders/{id}'].post.parameters.at(-1), { in: 'body', name: 'Order', required: true, schema: { $ref: '#/definitions/Order' } })
    assert.deepEqual(paths['/orders/{id}'].post.parameters[1], { name: 'dry', in: 'query', required: false, type: 'string' })
    assert.deepEqual(definitions.Order.properties.item, { $ref: '#/definitions/Item' })
  })

  test('only the extensions that are asked for', async (t) => {
    const { apigateway } = await startServer(t)
    const restApiId = await deployed(apigateway, rich)
    const names = async (extensions: string) => [...new Set(JSON.stringify(await exported(apigateway, restApiId, { parameters: { extensions } })).match(/x-amazon-apigateway-[a-z-]+/g))].toSorted()
    assert.deepEqual(await names('integrations'), ['x-amazon-apigateway-any-method', 'x-amazon-apigateway-integration'])
    assert.deepEqual(await names('authorizers'), ['x-amazon-apigateway-any-method', 'x-amazon-apigateway-authorizer', 'x-amazon-apigateway-authtype'])
    assert.equal((await names('apigateway')).length, 11)
  })
})

describe('an export that is imported again', () => {
  for (const exportType of ['oas30', 'swagger']) {
    for (const accepts of ['application/json', 'application/yaml']) {
      test(`is the same API, as ${exportType} in ${accepts}`, async (t) => {
        const { apigateway } = await startServer(t)
        const restApiId = await deployed(apigateway, rich)
        const first = await exported(apigateway, restApiId, { exportType, accepts })
        const again = await deployed(apigateway, first)
        assert.deepEqual(await shapeOf(apigateway, again), await shapeOf(apigateway, restApiId))
        const { host: _host, servers: _servers, ...second } = await exported(apigateway, again, { exportType, accepts })
        const { host: _firstHost, servers: _firstServers, ...expected } = first
        const withoutIds = (definition: object, id: string) => JSON.parse(JSON.stringify(definition).replaceAll(id, 'API')) as object
        assert.deepEqual(withoutIds(second, again), withoutIds(expected, restApiId))
        await apigateway.send(new PutRestApiCommand({ restApiId, mode: 'overwrite', body: Buffer.from(JSON.stringify(first)), failOnWarnings: true }))
      })
    }
  }
})
