// Definitions of HTTP APIs: what an import makes of them and says of them, and that an export is imported as the same API.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { openDatabase } from '#storage/open.ts'
import type { Store } from '#storage/database.ts'
import { createCaller, type Answer, type TestCaller } from '../caller.testing.ts'
import { DEFINITION_BYTES_MAX } from '../limits.ts'
import { migrations } from '../migrations.ts'

const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:f'
const proxy = { type: 'AWS_PROXY', httpMethod: 'POST', uri: functionArn, payloadFormatVersion: '2.0' }
const open = { openapi: '3.0.1', info: { title: 'an API', version: '1.0' } }

describe('definitions of HTTP APIs', () => {
  let database: Store
  let caller: TestCaller
  const directory = mkdtempSync(join(tmpdir(), 'countersign-apigatewayv2-'))
  before(async () => {
    database = await openDatabase({
      engine: { file: join(directory, 'core.db') }, store: 'core', migrations, transactionModules: [new URL('../store.ts', import.meta.url)], clock: systemClock,
    })
    caller = createCaller(database)
  })
  after(async () => {
    await database.close()
    rmSync(directory, { recursive: true })
  })

  const imported = (document: object, options: object = {}) => caller.run('ImportApi', { Body: JSON.stringify(document), ...options })
  const routesOf = async (ApiId: unknown) => (await caller.run('GetRoutes', { ApiId, MaxResults: '100' }))['Items'] as Answer[]
  const keysOf = async (ApiId: unknown) => (await routesOf(ApiId)).map(({ RouteKey }) => RouteKey as string).sort()
  const exported = async (ApiId: unknown, options: object = {}) =>
    Buffer.from((await caller.run('ExportApi', { ApiId, Specification: 'OAS30', OutputType: 'JSON', ...options }))['body'] as Buffer).toString()

  test('refuses what is no OpenAPI 3.0', async () => {
    for (const Body of ['', 'nothing', '{"openapi": "3.1.0"}', JSON.stringify({ swagger: '2.0', info: { title: 'a' } }), '[]']) {
      await assert.rejects(caller.run('ImportApi', { Body }), { code: 'BadRequestException', message: 'Invalid OpenAPI input.' })
    }
    await assert.rejects(caller.run('ImportApi', { Body: ' '.repeat(DEFINITION_BYTES_MAX + 1) }), /API definition cannot be larger than 6291456 bytes/)
    await assert.rejects(caller.run('ImportApi', { Body: ' '.repeat(DEFINITION_BYTES_MAX) }), /Invalid OpenAPI input/)
    await assert.rejects(imported({ ...open, info: {} }), /Invalid API name specified/)
    await assert.rejects(imported({ ...open, 'x-amazon-apigateway-importexport-version': '2.0' }), /^BadRequestException: Errors found during import:\n\tUnsupported/)
    await assert.rejects(imported(open, { Basepath: 'wrong' }), /Invalid basepath specified: wrong/)
  })

  test('refuses an operation that asks for several authorizers', async () => {
    // Source: API Gateway developer guide, "Use OpenAPI definitions for HTTP APIs", errors.
    await assert.rejects(imported({ ...open, paths: { '/': { get: { security: [{ a: [] }, { b: [] }] } } } }), /Errors found during import/)
    await assert.rejects(imported({ ...open, paths: { '/': { get: { security: [{ a: [], b: [] }] } } } }), /Errors found during import/)
  })

  test('says what it has no use for, and what it leaves out', async () => {
    // Seen in reports: the answer of ImportApi to the developer guide's pet store, whose versions are numbers.
    const get = { responses: {}, parameters: [], 'x-amazon-apigateway-integration': { type: 'HTTP_PROXY', httpMethod: 'GET', uri: 'http://a.example', payloadFormatVersion: 1 } }
    const api = await imported({ ...open, paths: { '/pets': { get } }, components: { schemas: {} } })
    assert.deepEqual(api['ImportInfo'], [
      'components: key [schemas] will be ignored by API Gateway',
      'paths./pets.get: key [responses] will be ignored by API Gateway',
      'paths./pets.get: key [parameters] will be ignored by API Gateway',
    ])
    assert.deepEqual(api['Warnings'], ["Unable to create integration for resource at path 'GET /pets': Unsupported PayloadFormatVersion: 1. Ignoring."])
    assert.equal((await routesOf(api['ApiId']))[0]!['Target'], undefined)
    await assert.rejects(imported({ ...open, paths: { '/pets': { get } } }, { FailOnWarnings: true }), {
      code: 'BadRequestException',
      message: "Warnings found during import:\n\tUnable to create integration for resource at path 'GET /pets': Unsupported PayloadFormatVersion: 1. Ignoring.",
    })
  })

  test('warns of references that lead nowhere', async () => {
    // Source: moto's tests of reimport_api.
    const content = { 'application/json': { schema: { $ref: '#/components/schemas/ModelThatDoesNotExist' } } }
    await assert.rejects(imported({ ...open, paths: { '/update': { get: { responses: { 200: { content } } } } } }, { FailOnWarnings: true }), {
      message: "Warnings found during import:\n\tParse issue: attribute paths.'/update'(get).responses.200.content.schema.#/components/schemas/ModelThatDoesNotExist is missing",
    })
  })

  test('leaves out a route whose authorizer cannot be made, rather than opening it', async () => {
    const securitySchemes = {
      broken: { type: 'oauth2', 'x-amazon-apigateway-authorizer': { type: 'jwt', identitySource: '$request.header.Authorization', jwtConfiguration: { issuer: 'http://a.example', audience: ['x'] } } },
      bearer: { type: 'http', scheme: 'bearer' },
    }
    const paths = {
      '/broken': { get: { security: [{ broken: [] }], 'x-amazon-apigateway-integration': proxy } },
      '/bearer': { get: { security: [{ bearer: [] }], 'x-amazon-apigateway-integration': proxy } },
      '/unknown': { get: { security: [{ unknown: [] }], 'x-amazon-apigateway-integration': proxy } },
      '/open': { get: { 'x-amazon-apigateway-integration': proxy } },
    }
    const api = await imported({ ...open, paths, components: { securitySchemes } })
    assert.deepEqual(await keysOf(api['ApiId']), ['GET /open'])
    assert.equal((api['Warnings'] as string[]).length, 4)
    assert.equal((api['Warnings'] as string[]).some((text) => text.startsWith("Unable to create Authorizer 'broken': Invalid issuer")), true)
  })

  test('makes routes, integrations, authorizers, CORS and tags', async () => {
    const api = await imported({
      ...open,
      tags: [{ name: 'team', 'x-amazon-apigateway-tag-value': 'x' }, { name: 'no value' }],
      paths: {
        '/pets/{id}': {
          get: { operationId: 'getPet', security: [{ tokens: ['read'] }], 'x-amazon-apigateway-integration': { ...proxy, uri: 'arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:f' } },
          post: { security: [{ lambda: [] }], 'x-amazon-apigateway-integration': { $ref: '#/components/x-amazon-apigateway-integrations/shared' } },
        },
        '/signed/{proxy+}': { 'x-amazon-apigateway-any-method': { 'x-amazon-apigateway-auth': { type: 'AWS_IAM' } } },
        '/$default': { 'x-amazon-apigateway-any-method': { isDefaultRoute: true, 'x-amazon-apigateway-integration': proxy } },
      },
      components: {
        'x-amazon-apigateway-integrations': { shared: { type: 'http_proxy', httpMethod: 'GET', uri: 'https://a.example/{id}', payloadFormatVersion: '1.0', timeoutInMillis: 1000 } },
        securitySchemes: {
          tokens: {
            type: 'openIdConnect', openIdConnectUrl: 'https://issuer.example/.well-known/openid-configuration',
            'x-amazon-apigateway-authorizer': { type: 'jwt', identitySource: '$request.header.Authorization', jwtConfiguration: { audience: ['x'] } },
          },
          lambda: {
            type: 'apiKey', name: 'Authorization', in: 'header',
            'x-amazon-apigateway-authorizer': {
              type: 'request', identitySource: '$request.header.Authorization, $request.querystring.q', authorizerPayloadFormatVersion: '2.0', enableSimpleResponses: true,
              authorizerUri: `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`, authorizerCredentials: 'arn:aws:iam::000000000000:role/r',
            },
          },
        },
      },
      'x-amazon-apigateway-cors': { allowOrigins: ['*'], allowMethods: ['GET'], maxAge: 60 },
      'x-amazon-apigateway-importexport-version': '1.0',
    })
    assert.equal(api['Warnings'], undefined)
    assert.partialDeepStrictEqual(api, { Name: 'an API', Version: '1.0', Tags: { team: 'x' }, CorsConfiguration: { AllowOrigins: ['*'], AllowMethods: ['GET'], MaxAge: 60 } })
    const routes = await routesOf(api['ApiId'])
    const route = (key: string) => routes.find(({ RouteKey }) => RouteKey === key)!
    assert.partialDeepStrictEqual(route('GET /pets/{id}'), { OperationName: 'getPet', AuthorizationType: 'JWT', AuthorizationScopes: ['read'] })
    assert.partialDeepStrictEqual(route('POST /pets/{id}'), { AuthorizationType: 'CUSTOM' })
    assert.partialDeepStrictEqual(route('ANY /signed/{proxy+}'), { AuthorizationType: 'AWS_IAM' })
    assert.partialDeepStrictEqual(route('$default'), { AuthorizationType: 'NONE' })
    const authorizers = (await caller.run('GetAuthorizers', { ApiId: api['ApiId'] }))['Items'] as Answer[]
    assert.partialDeepStrictEqual(authorizers.find(({ Name }) => Name === 'tokens'), { JwtConfiguration: { Issuer: 'https://issuer.example', Audience: ['x'] } })
    assert.partialDeepStrictEqual(authorizers.find(({ Name }) => Name === 'lambda'), { IdentitySource: ['$request.header.Authorization', '$request.querystring.q'], EnableSimpleResponses: true })
    const integrations = (await caller.run('GetIntegrations', { ApiId: api['ApiId'] }))['Items'] as Answer[]
    assert.deepEqual(integrations.map(({ IntegrationUri }) => IntegrationUri as string).sort(), [functionArn, functionArn, 'https://a.example/{id}'].sort())
    assert.deepEqual(caller.required.at(-1), { action: 'iam:PassRole', resource: 'arn:aws:iam::000000000000:role/r', context: { 'iam:passedtoservice': 'apigateway.amazonaws.com' } })
  })

  test('reads YAML, and prepends or splits the base path', async () => {
    const Body = `openapi: 3.0.1
info: { title: an API, version: '1.0' }
servers: [{ url: 'https://a.example/v1/shop' }]
paths:
  /carts:
    get: {}
`
    for (const [Basepath, key] of [['ignore', 'GET /carts'], ['prepend', 'GET /v1/shop/carts'], ['split', 'GET /shop/carts']] as const) {
      assert.deepEqual(await keysOf((await caller.run('ImportApi', { Body, Basepath }))['ApiId']), [key])
    }
  })

  test('puts another definition in the place of what an API was', async () => {
    const { ApiId } = await caller.run('CreateApi', { Name: 'was', ProtocolType: 'HTTP', Target: functionArn })
    const before = (await caller.snapshots.findStage({ apiId: ApiId as string, stageName: '$default' }))!
    await caller.run('ReimportApi', { ApiId, Body: JSON.stringify({ ...open, paths: { '/is': { get: { 'x-amazon-apigateway-integration': proxy } } } }) })
    assert.deepEqual(await keysOf(ApiId), ['GET /is'])
    assert.equal((await caller.run('GetApi', { ApiId }))['Name'], 'an API')
    const then = (await caller.snapshots.findStage({ apiId: ApiId as string, stageName: '$default' }))!
    assert.notEqual(then.snapshot.deploymentId, before.snapshot.deploymentId, 'a stage that deploys itself serves it')
    const failing = JSON.stringify({ ...open, info: { title: 'failed', version: '1' }, paths: { bad: { get: {} } } })
    await assert.rejects(caller.run('ReimportApi', { ApiId, Body: failing, FailOnWarnings: true }), /Parse issue: attribute paths\. Resource bad should start with \//)
    assert.equal((await caller.run('GetApi', { ApiId }))['Name'], 'an API', 'a refused import changes nothing')
    const socket = await caller.run('CreateApi', { Name: 'w', ProtocolType: 'WEBSOCKET', RouteSelectionExpression: '$request.body.action' })
    await assert.rejects(caller.run('ReimportApi', { ApiId: socket['ApiId'], Body: JSON.stringify(open) }), /protocol type of HTTP/)
  })

  test('an export refuses what cannot be exported', async () => {
    const { ApiId } = await caller.run('CreateApi', { Name: 'empty', ProtocolType: 'HTTP' })
    const input = { ApiId, Specification: 'OAS30', OutputType: 'JSON' }
    // Seen in reports: users' logs of ExportApi.
    await assert.rejects(caller.run('ExportApi', input), { code: 'BadRequestException', message: 'Unable to deploy API because no valid routes exist in this API' })
    await assert.rejects(caller.run('ExportApi', { ...input, Specification: 'OAS20' }), /Unsupported specification: OAS20/)
    await assert.rejects(caller.run('ExportApi', { ...input, OutputType: 'XML' }), /Unsupported output type: XML/)
    await assert.rejects(caller.run('ExportApi', { ...input, ExportVersion: '2.0' }), /Unsupported export version: 2.0/)
    await assert.rejects(caller.run('ExportApi', { ...input, StageName: 'none' }), /Invalid stage identifier specified/)
  })

  test('an export has the form of AWS, and is imported as the same API', async () => {
    const { ApiId } = await caller.run('CreateApi', { Name: 'round', Version: '7', ProtocolType: 'HTTP', Target: functionArn, CorsConfiguration: { AllowOrigins: ['*'] } })
    const { IntegrationId } = await caller.run('CreateIntegration', {
      ApiId, IntegrationType: 'HTTP_PROXY', IntegrationMethod: 'GET', IntegrationUri: 'https://a.example', PayloadFormatVersion: '1.0', TimeoutInMillis: 12000,
      RequestParameters: { 'append:querystring.nodeId': '$request.path.id' }, ResponseParameters: { 200: { 'overwrite:header.a': 'b' } },
    })
    const { AuthorizerId } = await caller.run('CreateAuthorizer', {
      ApiId, Name: 'tokens', AuthorizerType: 'JWT', IdentitySource: ['$request.header.Authorization'], JwtConfiguration: { Issuer: 'https://issuer.example', Audience: ['x'] },
    })
    await caller.run('CreateRoute', { ApiId, RouteKey: 'GET /items/{id}', Target: `integrations/${IntegrationId}`, AuthorizationType: 'JWT', AuthorizerId, AuthorizationScopes: ['read'] })
    await caller.run('CreateRoute', { ApiId, RouteKey: 'ANY /signed', Target: `integrations/${IntegrationId}`, AuthorizationType: 'AWS_IAM' })
    const text = await exported(ApiId)
    const document = JSON.parse(text) as Answer
    // Source: exports that users keep in their repositories.
    assert.partialDeepStrictEqual(document, {
      openapi: '3.0.1',
      info: { title: 'round', version: '7' },
      servers: [{ url: `http://127.0.0.1:4566/_aws/execute-api/${ApiId}/{basePath}`, variables: { basePath: { default: '' } } }],
      paths: {
        '/items/{id}': {
          get: {
            responses: { default: { description: 'Default response for GET /items/{id}' } },
            security: [{ tokens: ['read'] }],
            'x-amazon-apigateway-integration': {
              responseParameters: { 200: { 'overwrite:header.a': 'b' } }, requestParameters: { 'append:querystring.nodeId': '$request.path.id' },
              payloadFormatVersion: '1.0', type: 'http_proxy', httpMethod: 'GET', uri: 'https://a.example', connectionType: 'INTERNET', timeoutInMillis: 12000,
            },
          },
          parameters: [{ name: 'id', in: 'path', description: 'Generated path parameter for id', required: true, schema: { type: 'string' } }],
        },
        '/$default': { 'x-amazon-apigateway-any-method': { isDefaultRoute: true } },
      },
      'x-amazon-apigateway-cors': { allowOrigins: ['*'] },
      'x-amazon-apigateway-importexport-version': '1.0',
    })
    assert.equal(document['paths']['/$default']['x-amazon-apigateway-any-method']['x-amazon-apigateway-integration']['timeoutInMillis'], undefined)

    const copy = await caller.run('ImportApi', { Body: text, FailOnWarnings: true })
    const again = JSON.parse(await exported(copy['ApiId'])) as Answer
    assert.deepEqual({ ...again, servers: null }, { ...document, servers: null })
    const yaml = await exported(ApiId, { OutputType: 'YAML', StageName: '$default' })
    assert.deepEqual(await keysOf((await caller.run('ImportApi', { Body: yaml, FailOnWarnings: true }))['ApiId']), await keysOf(ApiId))
    assert.doesNotMatch(await exported(ApiId, { IncludeExtensions: false }), /x-amazon-apigateway/)
  })
})
