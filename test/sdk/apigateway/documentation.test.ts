// Documentation parts by the SDK: refusals of the wire, and definitions that bring parts.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  CreateDocumentationPartCommand, CreateRestApiCommand, GetDocumentationPartsCommand, ImportDocumentationPartsCommand, ImportRestApiCommand, PutRestApiCommand,
  type APIGatewayClient, type DocumentationPartType,
} from '@aws-sdk/client-api-gateway'
import { refuses } from '#test/support/refuses.ts'
import { startServer } from '#test/support/server.ts'

const definition = (...documentationParts: object[]) => Buffer.from(JSON.stringify({
  openapi: '3.0.0', info: { title: 'documented', version: '1' }, paths: {}, 'x-amazon-apigateway-documentation': { version: '1.0.3', documentationParts },
}))

const aboutApi = (properties: object) => ({ location: { type: 'API' }, properties })
const aboutMethod = { location: { type: 'METHOD', path: '/', method: 'GET' }, properties: { description: 'a method' } }

async function partsOf(gateway: APIGatewayClient, restApiId: string) {
  const { items = [] } = await gateway.send(new GetDocumentationPartsCommand({ restApiId }))
  return items.map(({ location, properties }) => ({ ...location, properties: JSON.parse(properties!) as unknown }))
}

describe('documentation of REST APIs', () => {
  /** Observed: AWS, 15-04-2024, recorded by localstack's TestApiGatewayApiDocumentationPart::test_invalid_create_documentation_part_operations. */
  test('a place has one of the types', async (t) => {
    const { gateway, restApiId } = await newApi(t)
    await refuses(gateway.send(new CreateDocumentationPartCommand({ restApiId, location: { type: 'INVALID' as DocumentationPartType }, properties: '{}' })), 400, 'ValidationException',
      "1 validation error detected: Value 'INVALID' at 'createDocumentationPartInput.location.type' failed to satisfy constraint: Member must satisfy enum value set: [RESPONSE_BODY, RESPONSE, METHOD, MODEL, AUTHORIZER, RESPONSE_HEADER, RESOURCE, PATH_PARAMETER, REQUEST_BODY, QUERY_PARAMETER, API, REQUEST_HEADER]")
  })

  /** Observed: AWS, 18-11-2025, recorded by localstack's test_import_documentation_parts_bad_file. */
  test('what is no definition is refused', async (t) => {
    const { gateway, restApiId } = await newApi(t)
    await refuses(gateway.send(new ImportDocumentationPartsCommand({ restApiId, mode: 'overwrite', body: Buffer.from('somethingsomething {') })), 400, 'BadRequestException',
      'Unable to build importer with provided input.')
  })

  /** Source: API Gateway developer guide, "Import API documentation". */
  test('merged parts replace attributes of those about the same; overwriting replaces all', async (t) => {
    const { gateway, restApiId } = await newApi(t)
    const send = (mode: 'merge' | 'overwrite', ...parts: object[]) => gateway.send(new ImportDocumentationPartsCommand({ restApiId, mode, body: definition(...parts) }))
    const { ids = [], warnings } = await send('merge', aboutApi({ description: 'one', summary: 'stays' }), aboutMethod)
    assert.equal(ids.length, 2)
    assert.deepEqual(warnings, [])
    assert.deepEqual((await send('merge', aboutApi({ description: 'two' }))).ids, [ids[0]], 'the same part')
    assert.deepEqual(await partsOf(gateway, restApiId), [
      { type: 'API', properties: { description: 'two', summary: 'stays' } }, { type: 'METHOD', path: '/', method: 'GET', properties: { description: 'a method' } },
    ])
    await send('overwrite', aboutApi({ description: 'three' }))
    assert.deepEqual(await partsOf(gateway, restApiId), [{ type: 'API', properties: { description: 'three' } }])
  })

  test('a part that can be none is a warning, which refuses the import where it is asked to', async (t) => {
    const { gateway, restApiId } = await newApi(t)
    const input = { restApiId, body: definition({ location: { type: 'QUERY_PARAMETER', path: '/' }, properties: {} }, aboutMethod) }
    await refuses(gateway.send(new ImportDocumentationPartsCommand({ ...input, failOnWarnings: true })), 400, 'BadRequestException', /^Warnings found during import:\n\tIgnoring a documentation part: /)
    const { ids = [], warnings = [] } = await gateway.send(new ImportDocumentationPartsCommand(input))
    assert.equal(ids.length, 1)
    assert.equal(warnings.length, 1)
  })

  /** Source: API Gateway API reference, ImportRestApi and PutRestApi. */
  test('definitions of APIs bring documentation, unless it is to be ignored', async (t) => {
    const { apigateway: gateway } = await startServer(t)
    const body = definition(aboutApi({ description: 'one' }))
    const { id: restApiId = '' } = await gateway.send(new ImportRestApiCommand({ body }))
    assert.deepEqual(await partsOf(gateway, restApiId), [{ type: 'API', properties: { description: 'one' } }])
    const changed = definition(aboutApi({ description: 'two' }))
    await gateway.send(new PutRestApiCommand({ restApiId, mode: 'overwrite', body: changed, parameters: { ignore: 'documentation' } }))
    assert.deepEqual(await partsOf(gateway, restApiId), [{ type: 'API', properties: { description: 'one' } }])
    await gateway.send(new PutRestApiCommand({ restApiId, mode: 'overwrite', body: changed }))
    assert.deepEqual(await partsOf(gateway, restApiId), [{ type: 'API', properties: { description: 'two' } }])
    const { id: cloned = '' } = await gateway.send(new CreateRestApiCommand({ name: 'clone', cloneFrom: restApiId }))
    assert.deepEqual(await partsOf(gateway, cloned), [{ type: 'API', properties: { description: 'two' } }])
  })
})

async function newApi(t: Parameters<typeof startServer>[0]) {
  const { apigateway: gateway } = await startServer(t)
  const { id: restApiId = '' } = await gateway.send(new CreateRestApiCommand({ name: 'documented' }))
  return { gateway, restApiId }
}
