// WebSocket APIs, models, responses and custom domains through the official SDK.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  CreateApiCommand, CreateApiMappingCommand, CreateAuthorizerCommand, CreateDeploymentCommand, CreateDomainNameCommand, CreateIntegrationCommand,
  CreateIntegrationResponseCommand, CreateModelCommand, CreateRouteCommand, CreateRouteResponseCommand, CreateStageCommand, DeleteApiMappingCommand,
  DeleteDomainNameCommand, DeleteIntegrationResponseCommand, DeleteModelCommand, DeleteRouteRequestParameterCommand, DeleteRouteResponseCommand, GetApiMappingCommand,
  GetApiMappingsCommand, GetDomainNameCommand, GetDomainNamesCommand, GetIntegrationResponseCommand, GetIntegrationResponsesCommand, GetModelCommand, GetModelTemplateCommand,
  GetModelsCommand, GetRouteCommand, GetRouteResponseCommand, GetRouteResponsesCommand, GetTagsCommand, TagResourceCommand, UpdateApiMappingCommand, UpdateDomainNameCommand,
  UpdateIntegrationResponseCommand, UpdateModelCommand, UpdateRouteCommand, UpdateRouteResponseCommand,
} from '@aws-sdk/client-apigatewayv2'
import { allowLogging } from '#test/support/logging-role.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer } from '#test/support/server.ts'

const webSocket = { Name: 'w', ProtocolType: 'WEBSOCKET', RouteSelectionExpression: '$request.body.action' } as const
const authorizerUri = 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations'

describe('WebSocket APIs', () => {
  test('refuses authorizers and integrations that they do not have', async (t) => {
    const { apigatewayv2 } = await startServer(t)
    const { ApiId } = await apigatewayv2.send(new CreateApiCommand(webSocket))
    // Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-websocket-identity-source-expression (the beginning).
    await refuses(
      apigatewayv2.send(new CreateAuthorizerCommand({ ApiId, Name: 'a', AuthorizerType: 'REQUEST', AuthorizerUri: authorizerUri, IdentitySource: ['$request.header.Authorization'] })),
      400, 'BadRequestException',
      /^Invalid request identity source expression: \$request\.header\.Authorization\. The sources must be separated by comma, and each source must be either a request parameter, matching 'route\.request\.querystring\|header\.\[a-zA-Z0-9\._-\]\+', or a stage v/)
    await refuses(apigatewayv2.send(new CreateApiCommand({ ...webSocket, Target: 'https://a.example' })), 400, 'BadRequestException', /Target is only supported for HTTP APIs/)
    await refuses(apigatewayv2.send(new CreateStageCommand({ ApiId, StageName: '$default' })), 400, 'BadRequestException', 'Stage name only allows a-zA-Z0-9_')
  })

  test('routes with responses, mocks with responses, deployed', async (t) => {
    const server = await startServer(t)
    const { apigatewayv2, port } = server
    const { ApiId, ApiEndpoint } = await apigatewayv2.send(new CreateApiCommand(webSocket))
    assert.equal(ApiEndpoint, `ws://127.0.0.1:${port}/_aws/execute-api/${ApiId}`)
    const { AuthorizerId } = await apigatewayv2.send(new CreateAuthorizerCommand({ ApiId, Name: 'a', AuthorizerType: 'REQUEST', AuthorizerUri: authorizerUri, IdentitySource: ['route.request.querystring.auth'] }))
    const { IntegrationId } = await apigatewayv2.send(new CreateIntegrationCommand({
      ApiId, IntegrationType: 'MOCK', RequestTemplates: { 200: '{"statusCode":200}' }, TemplateSelectionExpression: '200', PassthroughBehavior: 'NEVER',
    }))
    const Target = `integrations/${IntegrationId}`
    await apigatewayv2.send(new CreateRouteCommand({ ApiId, RouteKey: '$connect', Target, AuthorizationType: 'CUSTOM', AuthorizerId, ApiKeyRequired: true }))
    const { RouteId } = await apigatewayv2.send(new CreateRouteCommand({
      ApiId, RouteKey: 'send', Target, RouteResponseSelectionExpression: '$default', RequestParameters: { 'route.request.header.a': { Required: true } }, ModelSelectionExpression: 'send', RequestModels: { send: 'Message' },
    }))
    await apigatewayv2.send(new UpdateRouteCommand({ ApiId, RouteId, RequestParameters: { 'route.request.header.b': { Required: false } } }))
    await apigatewayv2.send(new DeleteRouteRequestParameterCommand({ ApiId, RouteId, RequestParameterKey: 'route.request.header.a' }))
    assert.deepEqual((await apigatewayv2.send(new GetRouteCommand({ ApiId, RouteId }))).RequestParameters, { 'route.request.header.b': { Required: false } })

    const { RouteResponseId } = await apigatewayv2.send(new CreateRouteResponseCommand({ ApiId, RouteId, RouteResponseKey: '$default' }))
    await refuses(apigatewayv2.send(new CreateRouteResponseCommand({ ApiId, RouteId, RouteResponseKey: '$default' })), 409, 'ConflictException', /already exists/)
    await apigatewayv2.send(new UpdateRouteResponseCommand({ ApiId, RouteId, RouteResponseId, ModelSelectionExpression: '200' }))
    assert.partialDeepStrictEqual(await apigatewayv2.send(new GetRouteResponseCommand({ ApiId, RouteId, RouteResponseId })), { ModelSelectionExpression: '200', RouteResponseKey: '$default' })
    assert.equal((await apigatewayv2.send(new GetRouteResponsesCommand({ ApiId, RouteId }))).Items?.length, 1)
    await apigatewayv2.send(new DeleteRouteResponseCommand({ ApiId, RouteId, RouteResponseId }))
    await refuses(apigatewayv2.send(new GetRouteResponseCommand({ ApiId, RouteId, RouteResponseId })), 404, 'NotFoundException', `Invalid RouteResponse identifier specified ${RouteResponseId}`)

    await refuses(apigatewayv2.send(new CreateIntegrationResponseCommand({ ApiId, IntegrationId, IntegrationResponseKey: '200' })), 400, 'BadRequestException', /IntegrationResponseKey/)
    const { IntegrationResponseId } = await apigatewayv2.send(new CreateIntegrationResponseCommand({ ApiId, IntegrationId, IntegrationResponseKey: '/200/', ResponseTemplates: { 200: '{}' } }))
    await apigatewayv2.send(new UpdateIntegrationResponseCommand({ ApiId, IntegrationId, IntegrationResponseId, IntegrationResponseKey: '$default', TemplateSelectionExpression: '200' }))
    assert.partialDeepStrictEqual(await apigatewayv2.send(new GetIntegrationResponseCommand({ ApiId, IntegrationId, IntegrationResponseId })), { IntegrationResponseKey: '$default', ResponseTemplates: { 200: '{}' } })
    assert.equal((await apigatewayv2.send(new GetIntegrationResponsesCommand({ ApiId, IntegrationId }))).Items?.length, 1)
    await apigatewayv2.send(new DeleteIntegrationResponseCommand({ ApiId, IntegrationId, IntegrationResponseId }))

    await allowLogging(server)
    await apigatewayv2.send(new CreateStageCommand({ ApiId, StageName: 'dev', DefaultRouteSettings: { LoggingLevel: 'INFO', DataTraceEnabled: true } }))
    const { DeploymentId } = await apigatewayv2.send(new CreateDeploymentCommand({ ApiId, StageName: 'dev' }))
    assert.match(DeploymentId!, /^[a-z0-9]{6}$/)
  })

  test('models, and the templates that are made of them', async (t) => {
    const { apigatewayv2 } = await startServer(t)
    const { ApiId } = await apigatewayv2.send(new CreateApiCommand(webSocket))
    const Schema = JSON.stringify({ type: 'object', properties: { name: { type: 'string' }, count: { type: 'integer' }, tags: { type: 'array', items: { type: 'boolean' } } } })
    await refuses(apigatewayv2.send(new CreateModelCommand({ ApiId, Name: 'm', Schema: 'nothing' })), 400, 'BadRequestException', /Invalid model schema specified/)
    const { ModelId } = await apigatewayv2.send(new CreateModelCommand({ ApiId, Name: 'Message', ContentType: 'application/json', Schema }))
    await refuses(apigatewayv2.send(new CreateModelCommand({ ApiId, Name: 'Message', Schema })), 409, 'ConflictException', /already exists/)
    // Source: API Gateway developer guide, "Models and mapping templates".
    assert.equal((await apigatewayv2.send(new GetModelTemplateCommand({ ApiId, ModelId }))).Value, [
      "#set($inputRoot = $input.path('$'))", '{', '  "name" : "foo",', '  "count" : 42,', '  "tags" : [',
      '##TODO: Update this foreach loop to reference array from input json', '#foreach($elem in $inputRoot)', '    true#if($foreach.hasNext),#end', '#end', '  ]', '}',
    ].join('\n'))
    assert.equal((await apigatewayv2.send(new UpdateModelCommand({ ApiId, ModelId, Name: 'Renamed', Description: 'd' }))).Schema, Schema)
    assert.partialDeepStrictEqual(await apigatewayv2.send(new GetModelCommand({ ApiId, ModelId })), { Name: 'Renamed', Description: 'd', ContentType: 'application/json' })
    assert.equal((await apigatewayv2.send(new GetModelsCommand({ ApiId }))).Items?.length, 1)
    const { RouteId } = await apigatewayv2.send(new CreateRouteCommand({ ApiId, RouteKey: 'a', RequestModels: { a: 'Renamed' } }))
    await refuses(apigatewayv2.send(new DeleteModelCommand({ ApiId, ModelId })), 409, 'ConflictException', new RegExp(`\\[${RouteId}\\]`))
  })
})

describe('custom domain names', () => {
  test('refuses what would not be honoured', async (t) => {
    const { apigatewayv2 } = await startServer(t)
    await refuses(apigatewayv2.send(new CreateDomainNameCommand({ DomainName: 'a.example.com', MutualTlsAuthentication: { TruststoreUri: 's3://a/b' } })), 501, 'NotImplemented', /MutualTlsAuthentication/)
    await refuses(apigatewayv2.send(new CreateDomainNameCommand({ DomainName: 'a.example.com', RoutingMode: 'ROUTING_RULE_ONLY' })), 501, 'NotImplemented', /Routing rules/)
    await refuses(apigatewayv2.send(new CreateDomainNameCommand({ DomainName: 'Not A Domain' })), 400, 'BadRequestException', 'Invalid domain name specified: Not A Domain')
    await refuses(apigatewayv2.send(new GetDomainNameCommand({ DomainName: 'none.example.com' })), 404, 'NotFoundException', 'Invalid domain name identifier specified')
  })

  test('domains and their mappings: made, read, changed, tagged, deleted', async (t) => {
    const { apigatewayv2 } = await startServer(t)
    const { ApiId } = await apigatewayv2.send(new CreateApiCommand({ Name: 'a', ProtocolType: 'HTTP', Target: 'https://a.example' }))
    const DomainName = 'api.example.com'
    const CertificateArn = 'arn:aws:acm:us-east-1:000000000000:certificate/11111111-2222-3333-4444-555555555555'
    const created = await apigatewayv2.send(new CreateDomainNameCommand({ DomainName, DomainNameConfigurations: [{ CertificateArn, EndpointType: 'REGIONAL' }], Tags: { a: 'b' } }))
    assert.equal(created.$metadata.httpStatusCode, 201)
    assert.match(created.DomainNameConfigurations?.[0]?.ApiGatewayDomainName ?? '', /^d-[a-z0-9]{10}\.execute-api\.us-east-1\.localhost$/)
    assert.equal((await apigatewayv2.send(new UpdateDomainNameCommand({ DomainName, DomainNameConfigurations: [{ SecurityPolicy: 'TLS_1_0' }] }))).DomainNameConfigurations?.[0]?.CertificateArn, CertificateArn)
    await apigatewayv2.send(new TagResourceCommand({ ResourceArn: created.DomainNameArn, Tags: { c: 'd' } }))
    assert.deepEqual((await apigatewayv2.send(new GetTagsCommand({ ResourceArn: created.DomainNameArn }))).Tags, { a: 'b', c: 'd' })
    assert.equal((await apigatewayv2.send(new GetDomainNamesCommand({}))).Items?.length, 1)

    await refuses(apigatewayv2.send(new CreateApiMappingCommand({ DomainName, ApiId, Stage: 'none' })), 400, 'BadRequestException', 'Invalid stage identifier specified')
    await refuses(apigatewayv2.send(new CreateApiMappingCommand({ DomainName, ApiId, Stage: '$default', ApiMappingKey: '/a' })), 400, 'BadRequestException', /ApiMapping key/)
    const { ApiMappingId } = await apigatewayv2.send(new CreateApiMappingCommand({ DomainName, ApiId, Stage: '$default', ApiMappingKey: 'shop/v1' }))
    assert.equal((await apigatewayv2.send(new UpdateApiMappingCommand({ DomainName, ApiMappingId, ApiId, ApiMappingKey: 'shop' }))).ApiMappingKey, 'shop')
    const { $metadata: _metadata, ...mapping } = await apigatewayv2.send(new GetApiMappingCommand({ DomainName, ApiMappingId }))
    assert.deepEqual(mapping, { ApiId, ApiMappingId, ApiMappingKey: 'shop', Stage: '$default' })
    assert.equal((await apigatewayv2.send(new GetApiMappingsCommand({ DomainName }))).Items?.length, 1)
    assert.equal((await apigatewayv2.send(new DeleteApiMappingCommand({ DomainName, ApiMappingId }))).$metadata.httpStatusCode, 204)
    assert.equal((await apigatewayv2.send(new DeleteDomainNameCommand({ DomainName }))).$metadata.httpStatusCode, 204)
  })
})
