// Who may do what with HTTP and WebSocket APIs: paths as resources, roles to pass, tags of APIs and stages.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  CreateApiCommand, CreateIntegrationCommand, CreateRouteCommand, CreateStageCommand, DeleteApiCommand, GetApiCommand, GetRoutesCommand, GetStageCommand, ImportApiCommand,
  UpdateAuthorizerCommand, UpdateStageCommand,
} from '@aws-sdk/client-apigatewayv2'
import { absent, aws, awsRaw, python } from '#test/support/programs.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer } from '#test/support/server.ts'

const role = 'arn:aws:iam::000000000000:role/r'
const proxy = { IntegrationType: 'AWS_PROXY', IntegrationUri: 'arn:aws:lambda:us-east-1:000000000000:function:f', PayloadFormatVersion: '2.0' } as const

describe('permissions', () => {
  test('actions are methods, resources are paths without an account', async (t) => {
    const server = await startServer(t)
    const { ApiId } = await server.apigatewayv2.send(new CreateApiCommand({ Name: 'a', ProtocolType: 'HTTP' }))
    const reader = server.clients(await server.user('reader', [{ Effect: 'Allow', Action: 'apigateway:GET', Resource: `arn:aws:apigateway:us-east-1::/apis/${ApiId}/routes` }])).apigatewayv2
    assert.deepEqual((await reader.send(new GetRoutesCommand({ ApiId }))).Items, [])
    const denied = (verb: string, path: string) =>
      `User: arn:aws:iam::000000000000:user/reader is not authorized to perform: apigateway:${verb} on resource: arn:aws:apigateway:us-east-1::${path} because no identity-based policy allows the apigateway:${verb} action`
    await refuses(reader.send(new GetApiCommand({ ApiId })), 403, 'AccessDeniedException', denied('GET', `/apis/${ApiId}`))
    await refuses(reader.send(new CreateRouteCommand({ ApiId, RouteKey: 'GET /' })), 403, 'AccessDeniedException', denied('POST', `/apis/${ApiId}/routes`))
    await refuses(reader.send(new DeleteApiCommand({ ApiId: 'unknown000' })), 403, 'AccessDeniedException', denied('DELETE', '/apis/unknown000'))
    await refuses(reader.send(new CreateApiCommand({ Name: 'b', ProtocolType: 'HTTP' })), 403, 'AccessDeniedException', denied('POST', '/apis'))
  })

  test('a role is passed, in integrations, authorizers and definitions', async (t) => {
    const server = await startServer(t)
    const { ApiId } = await server.apigatewayv2.send(new CreateApiCommand({ Name: 'a', ProtocolType: 'HTTP' }))
    const author = server.clients(await server.user('author', [{ Effect: 'Allow', Action: 'apigateway:*', Resource: '*' }])).apigatewayv2
    const mayNot = /is not authorized to perform: iam:PassRole on resource: arn:aws:iam::000000000000:role\/r /
    await refuses(author.send(new CreateIntegrationCommand({ ApiId, ...proxy, CredentialsArn: role })), 403, 'AccessDeniedException', mayNot)
    await refuses(author.send(new CreateApiCommand({ Name: 'b', ProtocolType: 'HTTP', Target: proxy.IntegrationUri, CredentialsArn: role })), 403, 'AccessDeniedException', mayNot)
    await refuses(author.send(new UpdateAuthorizerCommand({ ApiId, AuthorizerId: 'a', AuthorizerCredentialsArn: role })), 403, 'AccessDeniedException', mayNot)
    const definition = {
      openapi: '3.0.1', info: { title: 'a', version: '1' },
      paths: { '/': { get: { 'x-amazon-apigateway-integration': { type: 'AWS_PROXY', uri: proxy.IntegrationUri, payloadFormatVersion: '2.0', credentials: role } } } },
    }
    await refuses(author.send(new ImportApiCommand({ Body: JSON.stringify(definition) })), 403, 'AccessDeniedException', mayNot)
    const passer = server.clients(await server.user('passer', [
      { Effect: 'Allow', Action: 'apigateway:*', Resource: '*' },
      { Effect: 'Allow', Action: 'iam:PassRole', Resource: role, Condition: { StringEquals: { 'iam:PassedToService': 'apigateway.amazonaws.com' } } },
    ])).apigatewayv2
    assert.equal((await passer.send(new CreateIntegrationCommand({ ApiId, ...proxy, CredentialsArn: role }))).CredentialsArn, role)
  })

  test('tags decide: what is below an API has its tags, a stage its own', async (t) => {
    const server = await startServer(t)
    const { ApiId } = await server.apigatewayv2.send(new CreateApiCommand({ Name: 'a', ProtocolType: 'HTTP', Tags: { team: 'x' } }))
    for (const [StageName, team] of [['mine', 'x'], ['theirs', 'y']] as const) await server.apigatewayv2.send(new CreateStageCommand({ ApiId, StageName, Tags: { team } }))
    const member = server.clients(await server.user('member', [{ Effect: 'Allow', Action: 'apigateway:*', Resource: '*', Condition: { StringEquals: { 'aws:ResourceTag/team': 'x' } } }])).apigatewayv2
    assert.deepEqual((await member.send(new GetRoutesCommand({ ApiId }))).Items, [])
    assert.equal((await member.send(new UpdateStageCommand({ ApiId, StageName: 'mine', Description: 'd' }))).Description, 'd')
    await refuses(member.send(new GetStageCommand({ ApiId, StageName: 'theirs' })), 403, 'AccessDeniedException', /apigateway:GET/)
  })
})

describe('other clients', () => {
  test('the AWS CLI makes an API quickly, and is refused in AWS\'s words', { skip: absent('aws') }, async (t) => {
    const server = await startServer(t)
    const env = server.environment()
    const { ApiId } = await aws(env, ['apigatewayv2', 'create-api', '--name', 'a', '--protocol-type', 'HTTP', '--target', proxy.IntegrationUri])
    const { Items } = await aws(env, ['apigatewayv2', 'get-routes', '--api-id', ApiId])
    assert.equal(Items[0].RouteKey, '$default')
    const refused = await awsRaw(env, ['apigatewayv2', 'create-route', '--api-id', ApiId, '--route-key', 'TRACE /items'])
    assert.match(refused.stderr, /An error occurred \(BadRequestException\) when calling the CreateRoute operation: The provided route key is not formatted properly for HTTP protocol/)
  })

  test('boto3 makes a WebSocket API, pages through its routes and deletes it', { skip: absent('boto3') }, async (t) => {
    const server = await startServer(t)
    const answer = await python(server.environment(), `
gateway = client('apigatewayv2')
api = gateway.create_api(Name='w', ProtocolType='WEBSOCKET', RouteSelectionExpression='$request.body.action')
for key in ['$connect', '$disconnect', '$default']:
    gateway.create_route(ApiId=api['ApiId'], RouteKey=key)
keys = sorted(r['RouteKey'] for page in gateway.get_paginator('get_routes').paginate(ApiId=api['ApiId'], PaginationConfig={'PageSize': 2}) for r in page['Items'])
gateway.delete_api(ApiId=api['ApiId'])
try:
    gateway.get_api(ApiId=api['ApiId'])
except gateway.exceptions.NotFoundException as e:
    gone = e.response['Error']['Message'].split(':')[0]
print(json.dumps({'keys': keys, 'created': api['CreatedDate'].microsecond, 'gone': gone}))
`)
    assert.deepEqual(answer, { keys: ['$connect', '$default', '$disconnect'], created: 0, gone: 'Invalid API identifier specified 000000000000' })
  })
})
