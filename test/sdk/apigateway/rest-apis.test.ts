// API Gateway's control plane through the official SDK: what the wire adds to the recorded cases.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  APIGatewayClient, CreateDeploymentCommand, CreateModelCommand, CreateResourceCommand, CreateRestApiCommand, CreateStageCommand, DeleteIntegrationCommand,
  DeleteMethodCommand, DeleteResourceCommand, DeleteRestApiCommand,
  GetDomainNamesCommand, GetGatewayResponseCommand, GetIntegrationResponseCommand, GetMethodCommand, GetResourcesCommand, GetRestApiCommand, GetRestApisCommand,
  GetStageCommand, GetStagesCommand, GetTagsCommand, PutIntegrationCommand, PutIntegrationResponseCommand, PutMethodCommand, PutMethodResponseCommand,
  TagResourceCommand, UntagResourceCommand, UpdateMethodResponseCommand, UpdateRestApiCommand, UpdateStageCommand,
} from '@aws-sdk/client-api-gateway'
import { refuses } from '#test/support/refuses.ts'
import { startServer } from '#test/support/server.ts'

describe('REST APIs', () => {
  test('refuses what the model does not allow, in the words of its validator', async (t) => {
    const { apigateway } = await startServer(t)
    // Observed: AWS, 11-07-2025, recorded by localstack's test_create_rest_api_with_endpoint_configuration.
    await refuses(
      apigateway.send(new CreateRestApiCommand({ name: 'a', endpointConfiguration: { types: ['wrong' as never], ipAddressType: 'wrong' as never } })), 400, 'ValidationException',
      "2 validation errors detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, REGIONAL]]; Value 'wrong' at 'createRestApiInput.endpointConfiguration.ipAddressType' failed to satisfy constraint: Member must satisfy enum value set: [ipv4, dualstack]")
    // Observed: AWS, 30-06-2025, recorded by localstack's test_update_method_response_negative_tests.
    await refuses(
      apigateway.send(new UpdateMethodResponseCommand({ restApiId: 'a', resourceId: 'b', httpMethod: 'GET', statusCode: 'wrong' })), 400, 'ValidationException',
      "1 validation error detected: Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [1-5]\\d\\d")
    // Observed: AWS, 15-04-2024, recorded by localstack's test_put_integration_wrong_type.
    await refuses(
      apigateway.send(new PutIntegrationCommand({ restApiId: 'a', resourceId: 'b', httpMethod: 'GET', type: 'HTTPS_PROXY' as never })), 400, 'ValidationException',
      "1 validation error detected: Value 'HTTPS_PROXY' at 'putIntegrationInput.type' failed to satisfy constraint: Member must satisfy enum value set: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]")
    // Observed: AWS, 15-04-2024, recorded by localstack's test_gateway_response_validation.
    await refuses(
      apigateway.send(new GetGatewayResponseCommand({ restApiId: 'a', responseType: 'FAKE_RESPONSE_TYPE' as never })), 400, 'ValidationException',
      /^1 validation error detected: Value 'FAKE_RESPONSE_TYPE' at 'responseType' failed to satisfy constraint: Member must satisfy enum value set: \[REQUEST_TOO_LARGE, RESOURCE_NOT_FOUND, /)
  })

  test('refuses what is not served, by name', async (t) => {
    const { apigateway } = await startServer(t)
    await assert.rejects(apigateway.send(new GetDomainNamesCommand({})), (error: { $metadata: { httpStatusCode: number }, message: string }) => {
      assert.equal(error.$metadata.httpStatusCode, 501)
      assert.match(error.message, /GetDomainNames/)
      return true
    })
  })

  test('refuses an API of another account or region as one that does not exist', async (t) => {
    const server = await startServer(t)
    const { id } = await server.apigateway.send(new CreateRestApiCommand({ name: 'a' }))
    const elsewhere = server.clients(server.credentials, 'eu-west-1').apigateway
    await refuses(elsewhere.send(new GetRestApiCommand({ restApiId: id })), 404, 'NotFoundException', `Invalid API identifier specified 000000000000:${id}`)
    assert.deepEqual((await elsewhere.send(new GetRestApisCommand({}))).items, [])
  })

  test('creates, reads, lists, tags, updates and deletes', async (t) => {
    const { apigateway } = await startServer(t)
    const created = await apigateway.send(new CreateRestApiCommand({ name: 'a', description: 'an API', tags: { team: 'x' }, minimumCompressionSize: 0 }))
    assert.equal(created.$metadata.httpStatusCode, 201)
    assert.match(created.id!, /^[a-z0-9]{10}$/)
    assert.match(created.rootResourceId!, /^[a-z0-9]{10}$/)
    assert.ok(created.createdDate instanceof Date && Math.abs(created.createdDate.getTime() - Date.now()) < 60_000)
    const { $metadata: _metadata, ...api } = created
    const read = await apigateway.send(new GetRestApiCommand({ restApiId: api.id }))
    assert.deepEqual({ ...read, $metadata: undefined }, { ...api, $metadata: undefined })
    const { items } = await apigateway.send(new GetRestApisCommand({}))
    assert.deepEqual(items, [api])

    const resourceArn = `arn:aws:apigateway:us-east-1::/restapis/${api.id}`
    await apigateway.send(new TagResourceCommand({ resourceArn, tags: { more: 'y' } }))
    await apigateway.send(new UntagResourceCommand({ resourceArn, tagKeys: ['team'] }))
    assert.deepEqual((await apigateway.send(new GetTagsCommand({ resourceArn }))).tags, { more: 'y' })

    const updated = await apigateway.send(new UpdateRestApiCommand({ restApiId: api.id, patchOperations: [{ op: 'replace', path: '/name', value: 'b' }] }))
    assert.equal(updated.name, 'b')
    const deleted = await apigateway.send(new DeleteRestApiCommand({ restApiId: api.id }))
    assert.equal(deleted.$metadata.httpStatusCode, 202)
    await refuses(apigateway.send(new GetRestApiCommand({ restApiId: api.id })), 404, 'NotFoundException', `Invalid API identifier specified 000000000000:${api.id}`)
  })

  test('says a resource policy as AWS does: escaped once more', async (t) => {
    const { apigateway } = await startServer(t)
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*' }] })
    const api = await apigateway.send(new CreateRestApiCommand({ name: 'a', policy }))
    const said = JSON.parse(JSON.parse(`"${api.policy}"`)) as { Statement: { Resource: string }[] }
    assert.equal(said.Statement[0]!.Resource, `arn:aws:execute-api:us-east-1:000000000000:${api.id}/*`)
  })
})

describe('methods, integrations and stages', () => {
  test('build an API by hand and deploy it', async (t) => {
    const { apigateway } = await startServer(t)
    const { restApiId, resourceId } = await petsApi(apigateway)
    const at = { restApiId, resourceId, httpMethod: 'GET' }
    const method = await apigateway.send(new GetMethodCommand(at))
    assert.equal(method.authorizationType, 'AWS_IAM')
    assert.deepEqual(method.methodResponses, { 200: { statusCode: '200', responseModels: { 'application/json': 'Pet' } } })
    // The SDK reads as an empty text what AWS answers as null.
    assert.deepEqual(method.methodIntegration!.integrationResponses, { 200: { statusCode: '200', selectionPattern: '', responseTemplates: { 'application/json': '' } } })
    assert.equal((await apigateway.send(new GetIntegrationResponseCommand({ ...at, statusCode: '200' }))).selectionPattern, '')

    const { items } = await apigateway.send(new GetResourcesCommand({ restApiId, embed: ['methods'] }))
    assert.equal(items!.find(({ path }) => path === '/pets')!.resourceMethods!['GET']!.authorizationType, 'AWS_IAM')
    const { items: bare } = await apigateway.send(new GetResourcesCommand({ restApiId }))
    assert.deepEqual(bare!.find(({ path }) => path === '/pets')!.resourceMethods, { GET: {} })

    const { id: deploymentId } = await apigateway.send(new CreateDeploymentCommand({ restApiId, description: 'first' }))
    await apigateway.send(new CreateStageCommand({ restApiId, stageName: 'dev', deploymentId, variables: { table: 'pets' } }))
    await refuses(apigateway.send(new CreateStageCommand({ restApiId, stageName: 'dev', deploymentId })), 409, 'ConflictException', 'Stage already exists')
    const stage = await apigateway.send(new UpdateStageCommand({
      restApiId, stageName: 'dev', patchOperations: [{ op: 'replace', path: '/~1pets~1{id}/GET/logging/loglevel', value: 'OFF' }],
    }))
    assert.equal(stage.methodSettings!['pets/{id}/GET']!.loggingLevel, 'OFF')
    assert.deepEqual((await apigateway.send(new GetStageCommand({ restApiId, stageName: 'dev' }))).variables, { table: 'pets' })
    assert.deepEqual((await apigateway.send(new GetStagesCommand({ restApiId, deploymentId: 'other' }))).item, [])
  })

  test('what is deleted is answered without content', async (t) => {
    const { apigateway } = await startServer(t)
    const { restApiId, resourceId } = await petsApi(apigateway)
    const at = { restApiId, resourceId, httpMethod: 'GET' }
    // Observed: AWS, 31-05-2023, recorded by localstack's test_lambda_aws_integration_with_request_template.
    assert.equal((await apigateway.send(new DeleteIntegrationCommand(at))).$metadata.httpStatusCode, 204)
    await refuses(apigateway.send(new GetIntegrationResponseCommand({ ...at, statusCode: '200' })), 404, 'NotFoundException', 'Invalid Integration identifier specified')
    assert.equal((await apigateway.send(new DeleteMethodCommand(at))).$metadata.httpStatusCode, 204)
    assert.equal((await apigateway.send(new DeleteResourceCommand({ restApiId, resourceId }))).$metadata.httpStatusCode, 202)
  })

  test('refuses an integration of a function that does not exist', async (t) => {
    const { apigateway } = await startServer(t)
    const { restApiId, resourceId } = await petsApi(apigateway)
    const uri = 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:nothing/invocations'
    await refuses(
      apigateway.send(new PutIntegrationCommand({ restApiId, resourceId, httpMethod: 'GET', type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri })),
      400, 'BadRequestException', 'Invalid function ARN or invalid uri')
    // A stage variable decides later.
    await apigateway.send(new PutIntegrationCommand({
      restApiId, resourceId, httpMethod: 'GET', type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri: uri.replace('nothing', '${stageVariables.function}'),
    }))
  })
})

describe('permissions', () => {
  test('a caller needs the HTTP method on the path', async (t) => {
    const server = await startServer(t)
    const { restApiId, resourceId } = await petsApi(server.apigateway)
    const reader = server.clients(await server.user('reader', [{ Effect: 'Allow', Action: 'apigateway:GET', Resource: `arn:aws:apigateway:us-east-1::/restapis/${restApiId}/resources*` }])).apigateway
    await reader.send(new GetResourcesCommand({ restApiId }))
    await reader.send(new GetMethodCommand({ restApiId, resourceId, httpMethod: 'GET' }))
    await refuses(reader.send(new GetRestApiCommand({ restApiId })), 403, 'AccessDeniedException', new RegExp(
      `^User: arn:aws:iam::000000000000:user/reader is not authorized to perform: apigateway:GET on resource: arn:aws:apigateway:us-east-1::/restapis/${restApiId}`))
    await refuses(reader.send(new CreateResourceCommand({ restApiId, parentId: resourceId, pathPart: 'x' })), 403, 'AccessDeniedException', new RegExp(
      `apigateway:POST on resource: arn:aws:apigateway:us-east-1::/restapis/${restApiId}/resources/${resourceId}`))
  })

  test('a role in an integration has to be passed', async (t) => {
    const server = await startServer(t)
    const { restApiId, resourceId } = await petsApi(server.apigateway)
    const author = server.clients(await server.user('author', [{ Effect: 'Allow', Action: 'apigateway:*', Resource: '*' }])).apigateway
    const put = { restApiId, resourceId, httpMethod: 'GET', type: 'AWS', integrationHttpMethod: 'POST', uri: 'arn:aws:apigateway:us-east-1:dynamodb:action/GetItem' } as const
    await refuses(author.send(new PutIntegrationCommand(put)), 400, 'BadRequestException', /^Role ARN must be specified for AWS integrations$/)
    await author.send(new PutIntegrationCommand({ ...put, credentials: 'arn:aws:iam::*:user/*' }))
    await refuses(author.send(new PutIntegrationCommand({ ...put, credentials: 'arn:aws:iam::000000000000:role/tables' })), 403, 'AccessDeniedException',
      /iam:PassRole on resource: arn:aws:iam::000000000000:role\/tables/)
  })

  test('a resource policy has a permission of its own', async (t) => {
    const server = await startServer(t)
    const { restApiId } = await petsApi(server.apigateway)
    const author = server.clients(await server.user('author', [{ Effect: 'Allow', Action: ['apigateway:PATCH', 'apigateway:GET'], Resource: '*' }])).apigateway
    await author.send(new UpdateRestApiCommand({ restApiId, patchOperations: [{ op: 'replace', path: '/description', value: 'x' }] }))
    await refuses(author.send(new UpdateRestApiCommand({ restApiId, patchOperations: [{ op: 'replace', path: '/policy', value: '' }] })), 403, 'AccessDeniedException', /apigateway:UpdateRestApiPolicy/)
  })
})

/** `GET /pets`, a mock under `AWS_IAM` that answers a `Pet`. */
async function petsApi(apigateway: APIGatewayClient): Promise<{ restApiId: string, resourceId: string }> {
  const { id: restApiId, rootResourceId } = await apigateway.send(new CreateRestApiCommand({ name: 'pets' }))
  const { id: resourceId } = await apigateway.send(new CreateResourceCommand({ restApiId, parentId: rootResourceId, pathPart: 'pets' }))
  await apigateway.send(new CreateModelCommand({ restApiId, name: 'Pet', contentType: 'application/json', schema: '{"type":"object"}' }))
  const at = { restApiId, resourceId, httpMethod: 'GET' }
  await apigateway.send(new PutMethodCommand({ ...at, authorizationType: 'AWS_IAM' }))
  await apigateway.send(new PutMethodResponseCommand({ ...at, statusCode: '200', responseModels: { 'application/json': 'Pet' } }))
  await apigateway.send(new PutIntegrationCommand({ ...at, type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' } }))
  await apigateway.send(new PutIntegrationResponseCommand({ ...at, statusCode: '200', selectionPattern: '', responseTemplates: { 'application/json': '' } }))
  return { restApiId: restApiId!, resourceId: resourceId! }
}
