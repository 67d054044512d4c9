// Authorizers of REST APIs with the official client and real functions, and user pools whose tokens a real issuer signs.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import {
  CreateAuthorizerCommand, CreateDeploymentCommand, DeleteAuthorizerCommand, FlushStageAuthorizersCacheCommand, GetAuthorizerCommand, GetAuthorizersCommand, ImportRestApiCommand,
  TestInvokeAuthorizerCommand, UpdateAuthorizerCommand,
} from '@aws-sdk/client-api-gateway'
import { AddPermissionCommand } from '@aws-sdk/client-lambda'
import { startIssuer } from '#test/support/issuer.ts'
import { rawRequest, sendRaw } from '#test/support/raw-request.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { deployNode } from '../lambda/deploy.ts'

const account = '000000000000'
const uriOf = (name: string) => `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:${account}:function:${name}/invocations`
const pool = `arn:aws:cognito-idp:us-east-1:${account}:userpool/us-east-1_Shop`

/** Allows `allow…`, denies `deny`, calls `nobody` unauthorized and fails at everything else. */
const authorizer = `let calls = 0
export async function handler({ authorizationToken: token, methodArn }) {
  if (token === 'nobody') throw new Error('Unauthorized')
  if (!/^(allow|deny)/.test(token)) throw new Error('no idea')
  const Effect = token === 'deny' ? 'Deny' : 'Allow'
  return {
    principalId: token, context: { calls: ++calls, isFine: true },
    policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect, Resource: methodArn }] },
  }
}`

const echo = 'export const handler = async ({ requestContext }) => ({ statusCode: 200, body: JSON.stringify(requestContext.authorizer ?? null) })'

const definition = JSON.stringify({
  swagger: '2.0', info: { title: 'authorized', version: '1' },
  securityDefinitions: {
    byToken: {
      type: 'apiKey', name: 'Authorization', in: 'header', 'x-amazon-apigateway-authtype': 'custom',
      'x-amazon-apigateway-authorizer': { type: 'token', authorizerUri: uriOf('auth'), authorizerResultTtlInSeconds: 300 },
    },
    shop: {
      type: 'apiKey', name: 'Authorization', in: 'header', 'x-amazon-apigateway-authtype': 'cognito_user_pools',
      'x-amazon-apigateway-authorizer': { type: 'cognito_user_pools', providerARNs: [pool] },
    },
  },
  paths: Object.fromEntries([['/custom', { byToken: [] }], ['/shop', { shop: [] }], ['/scoped', { shop: ['orders/read'] }]].map(([path, security]) => [path as string, {
    get: {
      security: [security], responses: { 200: { description: 'fine' } },
      'x-amazon-apigateway-integration': { type: 'aws_proxy', httpMethod: 'POST', uri: uriOf('echo') },
    },
  }])),
})

async function deploy(server: TestServer) {
  await deployNode(server, 'auth', authorizer)
  await deployNode(server, 'echo', echo)
  const { id: restApiId = '' } = await server.apigateway.send(new ImportRestApiCommand({ body: Buffer.from(definition) }))
  await server.apigateway.send(new CreateDeploymentCommand({ restApiId, stageName: 'dev' }))
  const permit = (FunctionName: string, source: string) => server.lambda.send(new AddPermissionCommand({
    FunctionName, StatementId: 'api', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com', SourceArn: `arn:aws:execute-api:us-east-1:${account}:${restApiId}/${source}`,
  }))
  await permit('echo', '*/*/*')
  const { items = [] } = await server.apigateway.send(new GetAuthorizersCommand({ restApiId }))
  return {
    restApiId, permit,
    authorizerId: items.find(({ name }) => name === 'byToken')!.id!,
    poolId: items.find(({ name }) => name === 'shop')!.id!,
    async call(path: string, authorization?: string) {
      const { status, text } = await sendRaw(rawRequest({
        method: 'GET', target: `/dev${path}`, host: `${restApiId}.execute-api.localhost:${server.port}`, headers: authorization === undefined ? {} : { authorization },
      }), { port: server.port })
      return [status, JSON.parse(text)] as const
    },
  }
}

describe('a function that authorizes', () => {
  test('must let API Gateway in for the authorizer, and then decides', async (t) => {
    const server = await startServer(t)
    const { call, permit, restApiId, authorizerId } = await deploy(server)
    assert.deepEqual(await call('/custom', 'allow'), [500, { message: null }])
    await permit('auth', `authorizers/${authorizerId}`)
    assert.deepEqual(await call('/custom'), [401, { message: 'Unauthorized' }])
    assert.deepEqual(await call('/custom', 'nobody'), [401, { message: 'Unauthorized' }])
    assert.deepEqual(await call('/custom', 'what'), [500, { message: null }])
    assert.deepEqual(await call('/custom', 'deny'), [403, { Message: 'User is not authorized to access this resource with an explicit deny in an identity-based policy' }])
    const [status, { integrationLatency, ...context }] = await call('/custom', 'allow')
    assert.deepEqual([status, context, typeof integrationLatency], [200, { principalId: 'allow', calls: '2', isFine: 'true' }, 'number'])
    assert.deepEqual(await call('/custom', 'allow'), [200, { principalId: 'allow', calls: '2', isFine: 'true', integrationLatency: 0 }])
    await server.apigateway.send(new FlushStageAuthorizersCacheCommand({ restApiId, stageName: 'dev' }))
    assert.equal((await call('/custom', 'allow'))[1].calls, '3')
  })

  test('is tried out by TestInvokeAuthorizer', async (t) => {
    const server = await startServer(t)
    const { permit, restApiId, authorizerId } = await deploy(server)
    const tryOut = (authorization?: string) => server.apigateway.send(new TestInvokeAuthorizerCommand({ restApiId, authorizerId, ...(authorization && { headers: { Authorization: authorization } }) }))
    const refused = await tryOut('allow')
    assert.deepEqual([refused.clientStatus, refused.policy], [500, undefined])
    assert.match(refused.log!, /^Execution log for request [\s\S]*Execution failed due to configuration error: Invalid permissions on Lambda function\n[\s\S]*Authorizer error\n[\s\S]* : AuthorizerConfigurationException\n$/)
    await permit('auth', 'authorizers/*')
    assert.equal((await tryOut()).clientStatus, 401)
    const allowed = await tryOut('allow-me')
    assert.deepEqual([allowed.clientStatus, allowed.principalId], [200, 'allow-me'])
    assert.deepEqual(JSON.parse(allowed.policy!).Statement[0].Resource, `arn:aws:execute-api:us-east-1:${account}:${restApiId}/ESTestInvoke-stage/GET/`)
    assert.match(allowed.log!, / : Starting authorizer: \w+ for request: [\s\S]*Authorizer result body before parsing: [\s\S]*Successfully completed authorizer execution\n$/)
    assert.ok(allowed.latency! >= 0)
    await refuses(server.apigateway.send(new TestInvokeAuthorizerCommand({ restApiId, authorizerId: 'none' })), 404, 'NotFoundException', 'Invalid Authorizer identifier specified')
  })
})

test('a user pool that an issuer stands for', async (t) => {
  const issuer = await startIssuer()
  t.after(() => issuer.close())
  const server = await startServer(t, { settings: { USER_POOL_ISSUERS: `${pool}=${issuer.url}` } })
  const { call, restApiId, poolId } = await deploy(server)
  assert.deepEqual(await call('/shop'), [401, { message: 'Unauthorized' }])
  assert.deepEqual(await call('/shop', await issuer.token({ exp: 1 })), [401, { message: 'The incoming token has expired' }])
  const [status, { claims }] = await call('/shop', await issuer.token({ token_use: 'id', email_verified: true }))
  assert.deepEqual([status, claims.sub, claims.email_verified], [200, 'service-7', 'true'])
  assert.deepEqual(await call('/scoped', await issuer.token({ token_use: 'id' })), [401, { message: 'Unauthorized' }])
  assert.equal((await call('/scoped', await issuer.token({ token_use: 'access', scope: 'orders/read' })))[0], 200)
  const tried = await server.apigateway.send(new TestInvokeAuthorizerCommand({ restApiId, authorizerId: poolId, headers: { Authorization: await issuer.token() } }))
  assert.deepEqual([tried.clientStatus, tried.claims?.['sub']], [200, 'service-7'])
})

describe('authorizers', () => {
  const made = async (t: TestContext) => {
    const server = await startServer(t)
    const { restApiId, authorizerId } = await deploy(server)
    return { server, restApiId, authorizerId }
  }

  test('refuse callers without permission on their path, and roles that may not be passed', async (t) => {
    const { server, restApiId, authorizerId } = await made(t)
    const path = `arn:aws:apigateway:us-east-1::/restapis/${restApiId}/authorizers`
    const { apigateway } = server.clients(await server.user('reader', [{ Effect: 'Allow', Action: ['apigateway:GET', 'apigateway:POST'], Resource: [path, `${path}/*`] }]))
    assert.equal((await apigateway.send(new GetAuthorizerCommand({ restApiId, authorizerId }))).name, 'byToken')
    await refuses(apigateway.send(new DeleteAuthorizerCommand({ restApiId, authorizerId })), 403, 'AccessDeniedException',
      `User: arn:aws:iam::${account}:user/reader is not authorized to perform: apigateway:DELETE on resource: ${path}/${authorizerId} because no identity-based policy allows the apigateway:DELETE action`)
    const role = `arn:aws:iam::${account}:role/invoker`
    const request = { restApiId, name: 'other', type: 'TOKEN', authorizerUri: uriOf('auth'), identitySource: 'method.request.header.Authorization', authorizerCredentials: role } as const
    await refuses(apigateway.send(new CreateAuthorizerCommand(request)), 403, 'AccessDeniedException', /iam:PassRole on resource: arn:aws:iam::000000000000:role\/invoker/)
  })

  test('are deleted once no method has them, and patched', async (t) => {
    const { server: { apigateway }, restApiId, authorizerId } = await made(t)
    await refuses(apigateway.send(new DeleteAuthorizerCommand({ restApiId, authorizerId })), 409, 'ConflictException', "Cannot delete authorizer 'byToken', is referenced in method: GET//custom")
    const patched = await apigateway.send(new UpdateAuthorizerCommand({ restApiId, authorizerId, patchOperations: [{ op: 'replace', path: '/authorizerResultTtlInSeconds', value: '0' }] }))
    assert.equal(patched.authorizerResultTtlInSeconds, 0)
    const { id } = await apigateway.send(new CreateAuthorizerCommand({ restApiId, name: 'free', type: 'REQUEST', authorizerUri: uriOf('auth'), identitySource: 'context.identity.sourceIp' }))
    await apigateway.send(new DeleteAuthorizerCommand({ restApiId, authorizerId: id }))
    await refuses(apigateway.send(new GetAuthorizerCommand({ restApiId, authorizerId: id })), 404, 'NotFoundException', 'Invalid Authorizer identifier specified')
  })
})
