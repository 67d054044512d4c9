// HTTP APIs through the official SDK: what the wire adds to the recorded cases.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  CreateApiCommand, CreateAuthorizerCommand, CreateDeploymentCommand, CreateIntegrationCommand, CreateModelCommand, CreateRouteCommand, CreateStageCommand,
  CreateVpcLinkCommand, DeleteAccessLogSettingsCommand, DeleteApiCommand, DeleteAuthorizerCommand, DeleteCorsConfigurationCommand, DeleteDeploymentCommand,
  DeleteIntegrationCommand, DeleteRouteCommand, DeleteRouteSettingsCommand, DeleteStageCommand, ExportApiCommand, GetApiCommand, GetApisCommand,
  GetAuthorizerCommand, GetAuthorizersCommand, GetDeploymentCommand, GetDeploymentsCommand, GetIntegrationCommand, GetIntegrationsCommand, GetRouteCommand,
  GetRoutesCommand, GetStageCommand, GetStagesCommand, GetTagsCommand, ImportApiCommand, ReimportApiCommand, ResetAuthorizersCacheCommand, TagResourceCommand,
  UntagResourceCommand, UpdateApiCommand, UpdateAuthorizerCommand, UpdateDeploymentCommand, UpdateIntegrationCommand, UpdateRouteCommand, UpdateStageCommand,
} from '@aws-sdk/client-apigatewayv2'
import { refuses } from '#test/support/refuses.ts'
import { startServer } from '#test/support/server.ts'

const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:f'
const authorizerUri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`

describe('HTTP APIs', () => {
  test('refuses what is not served, by name', async (t) => {
    const { apigatewayv2 } = await startServer(t)
    await assert.rejects(apigatewayv2.send(new CreateVpcLinkCommand({ Name: 'a', SubnetIds: [] })), (error: { $metadata: { httpStatusCode: number }, message: string }) => {
      assert.equal(error.$metadata.httpStatusCode, 501)
      assert.match(error.message, /CreateVpcLink/)
      return true
    })
  })

  test('refuses an API of another account or region as one that does not exist', async (t) => {
    const server = await startServer(t)
    const { ApiId } = await server.apigatewayv2.send(new CreateApiCommand({ Name: 'a', ProtocolType: 'HTTP' }))
    const elsewhere = server.clients(server.credentials, 'eu-west-1').apigatewayv2
    await refuses(elsewhere.send(new GetApiCommand({ ApiId })), 404, 'NotFoundException', `Invalid API identifier specified 000000000000:${ApiId}`)
    await refuses(elsewhere.send(new CreateRouteCommand({ ApiId, RouteKey: 'GET /' })), 404, 'NotFoundException', `Invalid API identifier specified 000000000000:${ApiId}`)
    assert.deepEqual((await elsewhere.send(new GetApisCommand({}))).Items, [])
  })

  test('refuses what cannot be, in AWS\'s words', async (t) => {
    const { apigatewayv2 } = await startServer(t)
    const { ApiId } = await apigatewayv2.send(new CreateApiCommand({ Name: 'a', ProtocolType: 'HTTP' }))
    const { IntegrationId } = await apigatewayv2.send(new CreateIntegrationCommand({ ApiId, IntegrationType: 'AWS_PROXY', IntegrationUri: functionArn, PayloadFormatVersion: '2.0' }))
    const { RouteId } = await apigatewayv2.send(new CreateRouteCommand({ ApiId, RouteKey: 'GET /a', Target: `integrations/${IntegrationId}` }))
    await refuses(apigatewayv2.send(new CreateRouteCommand({ ApiId, RouteKey: 'GET /a' })), 409, 'ConflictException', 'Route with key GET /a already exists for this API')
    // Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-http-route-no-api-key; Ours: that an update names the route.
    await refuses(apigatewayv2.send(new UpdateRouteCommand({ ApiId, RouteId, ApiKeyRequired: true })), 400, 'BadRequestException',
      `ApiKeyRequired is not currently supported for HTTP APIs. Please set ApiKeyRequired to false for route ${RouteId}`)
    for (const key of ['GET /{proxy+}/a', 'GET /a/{b', 'GET /{a}/{a}']) await refuses(apigatewayv2.send(new CreateRouteCommand({ ApiId, RouteKey: key })), 400, 'BadRequestException', /path/)
    await refuses(apigatewayv2.send(new CreateRouteCommand({ ApiId, RouteKey: 'GET /b', Target: 'integrations/unknown' })), 404, 'NotFoundException', 'Invalid Integration identifier specified unknown')
    // What a change of the type leaves is judged as a whole.
    await refuses(apigatewayv2.send(new UpdateIntegrationCommand({ ApiId, IntegrationId, IntegrationType: 'HTTP_PROXY', IntegrationUri: 'https://a.example' })), 400, 'BadRequestException',
      'PayloadFormatVersion 2.0 is not supported for integration of type HTTP_PROXY')
    await refuses(apigatewayv2.send(new CreateModelCommand({ ApiId, Name: 'a', Schema: '{}' })), 400, 'BadRequestException', 'Currently, Models are not permitted for APIs with a protocol type of HTTP')
    await refuses(apigatewayv2.send(new CreateIntegrationCommand({ ApiId, IntegrationType: 'AWS_PROXY', IntegrationSubtype: 'SQS-SendMessage', PayloadFormatVersion: '1.0' })), 501, 'NotImplemented', /IntegrationSubtype is not served/)
    await apigatewayv2.send(new CreateStageCommand({ ApiId, StageName: '$default', AutoDeploy: true }))
    const { DeploymentId } = await apigatewayv2.send(new CreateDeploymentCommand({ ApiId }))
    await refuses(apigatewayv2.send(new UpdateStageCommand({ ApiId, StageName: '$default', DeploymentId })), 400, 'BadRequestException', /Deployment ID cannot be set on stage/)
    await refuses(apigatewayv2.send(new CreateStageCommand({ ApiId, StageName: '$default' })), 409, 'ConflictException', 'Stage already exists')
    await refuses(apigatewayv2.send(new GetStageCommand({ ApiId, StageName: 'none' })), 404, 'NotFoundException', 'Invalid stage identifier specified')
    await refuses(apigatewayv2.send(new GetTagsCommand({ ResourceArn: 'arn:aws:apigateway:us-east-1::/restapis/a' })), 400, 'BadRequestException', 'Invalid ARN specified in the request')
  })

  test('an API: made, shown at an address of this machine, changed, tagged, listed, deleted', async (t) => {
    const { apigatewayv2, port } = await startServer(t)
    const created = await apigatewayv2.send(new CreateApiCommand({
      Name: 'a', ProtocolType: 'HTTP', Tags: { team: 'x' }, CorsConfiguration: { AllowOrigins: ['https://a.example'], AllowMethods: ['GET'], MaxAge: 300 },
    }))
    assert.equal(created.$metadata.httpStatusCode, 201)
    assert.match(created.ApiId!, /^[a-z0-9]{10}$/)
    // Ours: AWS's address would lead past this server.
    assert.equal(created.ApiEndpoint, `http://127.0.0.1:${port}/_aws/execute-api/${created.ApiId}`)
    assert.ok(created.CreatedDate instanceof Date && created.CreatedDate.getMilliseconds() === 0)
    const { $metadata: _metadata, ...api } = created
    const { $metadata: _read, ...read } = await apigatewayv2.send(new GetApiCommand({ ApiId: created.ApiId }))
    assert.deepEqual(read, api)
    const { ApiId } = created
    const updated = await apigatewayv2.send(new UpdateApiCommand({ ApiId, Name: 'b', Description: 'an API', Version: '2', DisableExecuteApiEndpoint: true }))
    assert.partialDeepStrictEqual(updated, { Name: 'b', Description: 'an API', Version: '2', DisableExecuteApiEndpoint: true, CorsConfiguration: { MaxAge: 300 } })
    assert.equal((await apigatewayv2.send(new UpdateApiCommand({ ApiId, Description: '' }))).Description, undefined)
    assert.equal((await apigatewayv2.send(new DeleteCorsConfigurationCommand({ ApiId }))).$metadata.httpStatusCode, 204)
    assert.equal((await apigatewayv2.send(new GetApiCommand({ ApiId }))).CorsConfiguration, undefined)
    const ResourceArn = `arn:aws:apigateway:us-east-1::/apis/${ApiId}`
    assert.equal((await apigatewayv2.send(new TagResourceCommand({ ResourceArn, Tags: { env: 'dev' } }))).$metadata.httpStatusCode, 201)
    await apigatewayv2.send(new UntagResourceCommand({ ResourceArn, TagKeys: ['team'] }))
    assert.deepEqual((await apigatewayv2.send(new GetTagsCommand({ ResourceArn }))).Tags, { env: 'dev' })
    assert.deepEqual((await apigatewayv2.send(new GetApisCommand({}))).Items?.map(({ Name }) => Name), ['b'])
    assert.equal((await apigatewayv2.send(new DeleteApiCommand({ ApiId }))).$metadata.httpStatusCode, 204)
    await refuses(apigatewayv2.send(new GetApiCommand({ ApiId })), 404, 'NotFoundException', `Invalid API identifier specified 000000000000:${ApiId}`)
  })

  test('routes, integrations and authorizers: made, read, changed, deleted', async (t) => {
    const { apigatewayv2 } = await startServer(t)
    const { ApiId } = await apigatewayv2.send(new CreateApiCommand({ Name: 'a', ProtocolType: 'HTTP' }))
    const { IntegrationId } = await apigatewayv2.send(new CreateIntegrationCommand({
      ApiId, IntegrationType: 'HTTP_PROXY', IntegrationMethod: 'GET', IntegrationUri: 'https://a.example', PayloadFormatVersion: '1.0',
      RequestParameters: { 'append:header.a': '$request.header.b', 'overwrite:path': '/x', 'remove:header.f': '', 'remove:header.g': "''" }, ResponseParameters: { 200: { 'overwrite:header.c': 'd' }, 404: { 'overwrite:statuscode': '200' } },
    }))
    // An empty value takes a parameter away. Source: Terraform's update of aws_apigatewayv2_integration.
    const integration = await apigatewayv2.send(new UpdateIntegrationCommand({
      ApiId, IntegrationId, Description: 'd', RequestParameters: { 'overwrite:path': '', 'remove:header.f': '', 'remove:header.g': '' }, ResponseParameters: { 404: {}, 500: { 'remove:header.e': '' } }, TimeoutInMillis: 5000,
    }))
    assert.partialDeepStrictEqual(integration, { Description: 'd', TimeoutInMillis: 5000 })
    assert.deepEqual(integration.RequestParameters, { 'append:header.a': '$request.header.b', 'remove:header.f': '' })
    assert.deepEqual(integration.ResponseParameters, { 200: { 'overwrite:header.c': 'd' }, 500: { 'remove:header.e': '' } })
    assert.equal((await apigatewayv2.send(new GetIntegrationCommand({ ApiId, IntegrationId }))).IntegrationUri, 'https://a.example')
    assert.equal((await apigatewayv2.send(new GetIntegrationsCommand({ ApiId }))).Items?.length, 1)

    const JwtConfiguration = { Issuer: 'http://localhost:8080/realms/a', Audience: ['x'] }
    const jwt = await apigatewayv2.send(new CreateAuthorizerCommand({ ApiId, Name: 'tokens', AuthorizerType: 'JWT', IdentitySource: ['$request.header.Authorization'], JwtConfiguration }))
    const lambda = await apigatewayv2.send(new CreateAuthorizerCommand({
      ApiId, Name: 'function', AuthorizerType: 'REQUEST', IdentitySource: ['$request.header.a'], AuthorizerUri: authorizerUri, AuthorizerPayloadFormatVersion: '2.0',
    }))
    await refuses(apigatewayv2.send(new UpdateAuthorizerCommand({ ApiId, AuthorizerId: lambda.AuthorizerId, Name: 'tokens' })), 400, 'BadRequestException', /Authorizer name must be unique/)
    assert.partialDeepStrictEqual(
      await apigatewayv2.send(new UpdateAuthorizerCommand({ ApiId, AuthorizerId: lambda.AuthorizerId, AuthorizerResultTtlInSeconds: 0, EnableSimpleResponses: true })),
      { AuthorizerResultTtlInSeconds: 0, EnableSimpleResponses: true, Name: 'function' })
    assert.deepEqual((await apigatewayv2.send(new GetAuthorizerCommand({ ApiId, AuthorizerId: jwt.AuthorizerId }))).JwtConfiguration, JwtConfiguration)
    assert.equal((await apigatewayv2.send(new GetAuthorizersCommand({ ApiId }))).Items?.length, 2)

    const { RouteId } = await apigatewayv2.send(new CreateRouteCommand({
      ApiId, RouteKey: 'GET /a/{b}', Target: `integrations/${IntegrationId}`, AuthorizationType: 'JWT', AuthorizerId: jwt.AuthorizerId, AuthorizationScopes: ['read'],
    }))
    await refuses(apigatewayv2.send(new DeleteAuthorizerCommand({ ApiId, AuthorizerId: jwt.AuthorizerId })), 409, 'ConflictException', /is referenced in route: GET \/a\/\{b\}/)
    await refuses(apigatewayv2.send(new UpdateRouteCommand({ ApiId, RouteId, AuthorizerId: lambda.AuthorizerId })), 400, 'BadRequestException', /Setting the authorization type to JWT requires a valid JWT authorizer/)
    const route = await apigatewayv2.send(new UpdateRouteCommand({ ApiId, RouteId, RouteKey: 'ANY /a/{proxy+}', AuthorizationType: 'NONE', AuthorizationScopes: [] }))
    assert.partialDeepStrictEqual(route, { RouteKey: 'ANY /a/{proxy+}', AuthorizationType: 'NONE' })
    assert.deepEqual([route.AuthorizerId, route.AuthorizationScopes], [undefined, undefined])
    assert.equal((await apigatewayv2.send(new GetRouteCommand({ ApiId, RouteId }))).Target, `integrations/${IntegrationId}`)
    await apigatewayv2.send(new DeleteAuthorizerCommand({ ApiId, AuthorizerId: jwt.AuthorizerId }))
    assert.equal((await apigatewayv2.send(new DeleteRouteCommand({ ApiId, RouteId }))).$metadata.httpStatusCode, 204)
    await apigatewayv2.send(new DeleteIntegrationCommand({ ApiId, IntegrationId }))
    assert.deepEqual((await apigatewayv2.send(new GetRoutesCommand({ ApiId }))).Items, [])
  })

  test('stages and deployments: made by hand and by themselves', async (t) => {
    const { apigatewayv2 } = await startServer(t)
    const { ApiId } = await apigatewayv2.send(new CreateApiCommand({ Name: 'a', ProtocolType: 'HTTP', Target: functionArn, RouteKey: 'GET /a' }))
    const { DeploymentId } = await apigatewayv2.send(new CreateDeploymentCommand({ ApiId, Description: 'first' }))
    assert.partialDeepStrictEqual(await apigatewayv2.send(new GetDeploymentCommand({ ApiId, DeploymentId })), { AutoDeployed: false, DeploymentStatus: 'DEPLOYED', Description: 'first' })
    assert.equal((await apigatewayv2.send(new UpdateDeploymentCommand({ ApiId, DeploymentId, Description: 'renamed' }))).Description, 'renamed')
    const stage = await apigatewayv2.send(new CreateStageCommand({
      ApiId, StageName: 'prod', DeploymentId, StageVariables: { a: '1', b: '2' }, RouteSettings: { 'GET /a': { ThrottlingBurstLimit: 1, ThrottlingRateLimit: 0.5 } },
      AccessLogSettings: { DestinationArn: 'arn:aws:logs:us-east-1:000000000000:log-group:g', Format: '$context.requestId' }, DefaultRouteSettings: { DetailedMetricsEnabled: true },
    }))
    assert.partialDeepStrictEqual(stage, {
      DeploymentId, StageVariables: { a: '1', b: '2' }, DefaultRouteSettings: { DetailedMetricsEnabled: true },
      RouteSettings: { 'GET /a': { DetailedMetricsEnabled: false, ThrottlingBurstLimit: 1, ThrottlingRateLimit: 0.5 } },
    })
    const updated = await apigatewayv2.send(new UpdateStageCommand({ ApiId, StageName: 'prod', StageVariables: { a: '', c: '3' }, RouteSettings: { 'GET /a': { ThrottlingBurstLimit: 2 } } }))
    assert.deepEqual(updated.StageVariables, { b: '2', c: '3' })
    assert.deepEqual(updated.RouteSettings, { 'GET /a': { DetailedMetricsEnabled: false, ThrottlingBurstLimit: 2, ThrottlingRateLimit: 0.5 } })
    await apigatewayv2.send(new DeleteRouteSettingsCommand({ ApiId, StageName: 'prod', RouteKey: 'GET /a' }))
    await apigatewayv2.send(new DeleteAccessLogSettingsCommand({ ApiId, StageName: 'prod' }))
    await apigatewayv2.send(new ResetAuthorizersCacheCommand({ ApiId, StageName: 'prod' }))
    const bare = await apigatewayv2.send(new GetStageCommand({ ApiId, StageName: 'prod' }))
    assert.deepEqual([bare.RouteSettings, bare.AccessLogSettings], [{}, undefined])
    await apigatewayv2.send(new TagResourceCommand({ ResourceArn: `arn:aws:apigateway:us-east-1::/apis/${ApiId}/stages/prod`, Tags: { a: 'b' } }))
    assert.deepEqual((await apigatewayv2.send(new GetStagesCommand({ ApiId }))).Items?.map(({ StageName, Tags }) => [StageName, Tags]), [['$default', {}], ['prod', { a: 'b' }]])

    const auto = await apigatewayv2.send(new UpdateStageCommand({ ApiId, StageName: 'prod', AutoDeploy: true }))
    assert.notEqual(auto.DeploymentId, DeploymentId, 'a stage that begins to deploy itself is deployed to at once')
    assert.equal((await apigatewayv2.send(new GetDeploymentsCommand({ ApiId }))).Items?.filter(({ AutoDeployed }) => AutoDeployed).length, 2)
    await apigatewayv2.send(new DeleteDeploymentCommand({ ApiId, DeploymentId }))
    await apigatewayv2.send(new DeleteStageCommand({ ApiId, StageName: 'prod' }))
  })

  test('imports, exports and puts another definition in the place of the first', async (t) => {
    const { apigatewayv2 } = await startServer(t)
    const definition = (path: string) => JSON.stringify({
      openapi: '3.0.1', info: { title: 'a', version: '1' },
      paths: { [path]: { get: { 'x-amazon-apigateway-integration': { type: 'AWS_PROXY', httpMethod: 'POST', uri: functionArn, payloadFormatVersion: '2.0' } } } },
    })
    await refuses(apigatewayv2.send(new ImportApiCommand({ Body: '{}' })), 400, 'BadRequestException', 'Invalid OpenAPI input.')
    const imported = await apigatewayv2.send(new ImportApiCommand({ Body: definition('/a') }))
    assert.equal(imported.$metadata.httpStatusCode, 201)
    const { ApiId } = imported
    const { $metadata, body } = await apigatewayv2.send(new ExportApiCommand({ ApiId, Specification: 'OAS30', OutputType: 'JSON' }))
    assert.equal($metadata.httpStatusCode, 200)
    assert.deepEqual(Object.keys((JSON.parse(Buffer.from(body!).toString()) as { paths: object }).paths), ['/a'])
    assert.match(Buffer.from((await apigatewayv2.send(new ExportApiCommand({ ApiId, Specification: 'OAS30', OutputType: 'YAML' }))).body!).toString(), /^openapi: 3\.0\.1$/m)
    assert.equal((await apigatewayv2.send(new ReimportApiCommand({ ApiId, Body: definition('/b') }))).$metadata.httpStatusCode, 201)
    assert.deepEqual((await apigatewayv2.send(new GetRoutesCommand({ ApiId }))).Items?.map(({ RouteKey }) => RouteKey), ['GET /b'])
  })
})
