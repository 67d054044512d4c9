// A client of one account that assumes a role of another and signs a GET by hand against an HTTP API there, in another region: on both forms of its
// address, with every half missing in turn, and to the second.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { CreateApiCommand, CreateIntegrationCommand, CreateRouteCommand, CreateStageCommand, UpdateApiCommand } from '@aws-sdk/client-apigatewayv2'
import {
  CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, DeleteRolePolicyCommand, DeleteUserPolicyCommand, PutRolePolicyCommand, PutUserPolicyCommand, UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { AssumeRoleCommand, type AssumeRoleCommandInput } from '@aws-sdk/client-sts'
import { systemClock } from '#lib/clock.ts'
import { findTrace } from '#src/cli/trace.ts'
import { newAccount, policyOf, type TestAccount } from '#test/support/accounts.ts'
import { signedHeaders } from '#test/support/hand-signed.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type Credentials, type TestServer } from '#test/support/server.ts'

const first = '000000000000'
const second = '222222222222'
const region = 'ap-south-1'
const RoleArn = `arn:aws:iam::${second}:role/api-caller`
const aliceArn = `arn:aws:iam::${first}:user/alice`
const assumed = `arn:aws:sts::${second}:assumed-role/api-caller/AssumedRoleSession`
const ExternalId = 'contract-7'

const mayAssume = { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: RoleArn }
const mayInvoke = { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: 'arn:aws:execute-api:*:*:*' }
const trusting = (principal: string) => policyOf({ Effect: 'Allow', Principal: { AWS: principal }, Action: 'sts:AssumeRole', Condition: { StringEquals: { 'sts:ExternalId': ExternalId } } })

type Form = 'host' | 'path'
const forms: readonly Form[] = ['host', 'path']

interface World {
  server: TestServer
  other: TestAccount
  apiId: string
  alice: Credentials
  assume(more?: Partial<AssumeRoleCommandInput>): Promise<Credentials>
  /** Status, and who the backend was told called, or the refusal. */
  get(form: Form, credentials: Credentials, path?: string): Promise<{ status: number, body: string, requestId: string }>
  allowRole(...statements: object[]): Promise<unknown>
  tick(ms: number): void
}

/** Both halves in place, in both accounts. The clock stands still. */
async function start(t: TestContext): Promise<World> {
  let nowMs = Date.now()
  const server = await startServer(t, { clock: { ...systemClock, now: () => nowMs } })
  const other = await newAccount(server, second)
  const backend = createServer((incoming, outgoing) => outgoing.end(String(incoming.headers['x-caller']))).listen(0, '127.0.0.1')
  t.after(() => { backend.close() })
  await once(backend, 'listening')

  await server.iam.send(new CreateUserCommand({ UserName: 'alice' }))
  const { AccessKey } = await server.iam.send(new CreateAccessKeyCommand({ UserName: 'alice' }))
  const alice = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
  await server.iam.send(new PutUserPolicyCommand({ UserName: 'alice', PolicyName: 'p', PolicyDocument: policyOf(mayAssume) }))
  await other.iam.send(new CreateRoleCommand({ RoleName: 'api-caller', AssumeRolePolicyDocument: trusting(aliceArn) }))
  const allowRole = (...statements: object[]) => other.iam.send(new PutRolePolicyCommand({ RoleName: 'api-caller', PolicyName: 'p', PolicyDocument: policyOf(...statements) }))
  await allowRole(mayInvoke)

  const { apigatewayv2 } = server.clients(other.credentials, region)
  const { ApiId = '' } = await apigatewayv2.send(new CreateApiCommand({ Name: 'hello', ProtocolType: 'HTTP' }))
  const { IntegrationId } = await apigatewayv2.send(new CreateIntegrationCommand({
    ApiId, IntegrationType: 'HTTP_PROXY', IntegrationMethod: 'GET', PayloadFormatVersion: '1.0', IntegrationUri: `http://127.0.0.1:${(backend.address() as AddressInfo).port}/`,
    RequestParameters: { 'overwrite:header.x-caller': '$context.identity.userArn' },
  }))
  await apigatewayv2.send(new CreateRouteCommand({ ApiId, RouteKey: 'GET /hello', AuthorizationType: 'AWS_IAM', Target: `integrations/${IntegrationId}` }))
  await apigatewayv2.send(new CreateStageCommand({ ApiId, StageName: '$default', AutoDeploy: true }))

  const { sts } = server.clients(alice)
  return {
    server, other, apiId: ApiId, alice, allowRole,
    async assume(more = {}) {
      const { Credentials: made } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'AssumedRoleSession', ExternalId, ...more }))
      return { accessKeyId: made!.AccessKeyId!, secretAccessKey: made!.SecretAccessKey!, sessionToken: made!.SessionToken! }
    },
    get(form, credentials, resource = '/hello') {
      const host = form === 'host' ? `${ApiId}.execute-api.${region}.localhost:${server.port}` : `127.0.0.1:${server.port}`
      const path = form === 'host' ? resource : `/_aws/execute-api/${ApiId}${resource}`
      const headers = signedHeaders({ host, path, region, credentials, nowMs })
      return new Promise((resolve, reject) => {
        request({ host: '127.0.0.1', port: server.port, path, headers }, (answer) => {
          let body = ''
          answer.setEncoding('utf8').on('data', (part: string) => { body += part }).on('end', () => resolve({ status: answer.statusCode!, body, requestId: String(answer.headers['apigw-requestid']) }))
        }).on('error', reject).end()
      })
    },
    tick: (ms) => { nowMs += ms },
  }
}

/** One word for whatever is wrong. */
async function forbids(world: World, credentials: Credentials): Promise<void> {
  for (const form of forms) {
    const { status, body } = await world.get(form, credentials)
    assert.deepEqual({ status, body }, { status: 403, body: '{"message":"Forbidden"}' }, form)
  }
}

async function answers(world: World, credentials: Credentials): Promise<void> {
  for (const form of forms) {
    const { status, body } = await world.get(form, credentials)
    assert.deepEqual({ status, body }, { status: 200, body: assumed }, form)
  }
}

/** What the trace tells the API's account of a refusal. */
async function reasonOf({ server, other }: World, requestId: string): Promise<Record<string, unknown>> {
  const session = { endpoint: server.endpoint, region, credentials: other.credentials }
  for (let tries = 0; ; tries++) {
    try {
      const { steps } = await findTrace(session, requestId, Date.now())
      return steps.findLast(({ step }) => step === 'policy' || step === 'authentication')!.facts
    } catch (error) {
      if (tries === 40) throw error
      await new Promise((done) => setTimeout(done, 50))
    }
  }
}

describe('a client that assumes a role of another account for an HTTP API is refused', () => {
  test('a session without its own account\'s permission, and without the role\'s trust', async (t) => {
    const { server, other, assume } = await start(t)
    const refused = (promise: Promise<unknown>) => refuses(promise, 403, 'AccessDenied', `User: ${aliceArn} is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`)
    await refused(assume({ ExternalId: undefined }))
    await other.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'api-caller', PolicyDocument: trusting(`arn:aws:iam::${second}:root`) }))
    await refused(assume())
    await other.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'api-caller', PolicyDocument: trusting(aliceArn) }))
    await server.iam.send(new DeleteUserPolicyCommand({ UserName: 'alice', PolicyName: 'p' }))
    await refused(assume())
  })

  test('at the API without the role\'s permission; the reason and the statements stand in the trace alone', async (t) => {
    const world = await start(t)
    const { other, apiId, assume, get, allowRole } = world
    const credentials = await assume()
    const resource = `arn:aws:execute-api:${region}:${second}:${apiId}/$default/GET/hello`
    const refusal = `User: ${assumed} is not authorized to perform: execute-api:Invoke on resource: ${resource}`
    await allowRole(mayInvoke, { Sid: 'NotHello', ...mayInvoke, Effect: 'Deny', Resource: resource })
    await forbids(world, credentials)
    const denied = await reasonOf(world, (await get('path', credentials)).requestId)
    assert.equal(denied['message'], `${refusal} with an explicit deny in an identity-based policy`)
    assert.ok((denied['statements'] as { sid?: string, effect: string }[]).some(({ sid, effect }) => sid === 'NotHello' && effect === 'Deny'))
    await allowRole({ ...mayInvoke, Resource: `arn:aws:execute-api:us-east-1:${second}:${apiId}/*` })
    await forbids(world, credentials)
    await other.iam.send(new DeleteRolePolicyCommand({ RoleName: 'api-caller', PolicyName: 'p' }))
    await forbids(world, credentials)
    assert.equal((await reasonOf(world, (await get('host', credentials)).requestId))['message'], `${refusal} because no identity-based policy allows the execute-api:Invoke action`)
    await allowRole({ ...mayInvoke, Resource: resource })
    await answers(world, credentials)
  })

  test('by the session\'s own policy', async (t) => {
    const world = await start(t)
    await forbids(world, await world.assume({ Policy: policyOf({ Effect: 'Allow', Action: 's3:*', Resource: '*' }) }))
  })

  test('with its own keys, whatever its own account allows: an HTTP API has no policy that could let it in', async (t) => {
    const world = await start(t)
    await world.server.iam.send(new PutUserPolicyCommand({ UserName: 'alice', PolicyName: 'p', PolicyDocument: policyOf(mayInvoke) }))
    await forbids(world, world.alice)
  })

  test('with a token that is missing, tampered with, or of another session', async (t) => {
    const world = await start(t)
    const credentials = await world.assume()
    const { sessionToken: _, ...withoutToken } = credentials
    const { sessionToken } = await world.assume()
    const changed = `${credentials.sessionToken!.slice(0, 40)}${credentials.sessionToken![40] === 'A' ? 'B' : 'A'}${credentials.sessionToken!.slice(41)}`
    await forbids(world, withoutToken)
    for (const token of [changed, sessionToken!, 'x']) await forbids(world, { ...credentials, sessionToken: token })
    await answers(world, credentials)
  })

  test('from the second on at which its session ends', async (t) => {
    const world = await start(t)
    const credentials = await world.assume({ DurationSeconds: 900 })
    world.tick(899_000)
    await answers(world, credentials)
    world.tick(1_000)
    await forbids(world, credentials)
  })
})

describe('a client that assumes a role of another account for an HTTP API', () => {
  test('is answered on the host form and on the path form', async (t) => {
    const world = await start(t)
    await answers(world, await world.assume())
  })

  test('finds nothing at the default endpoint once it is disabled', async (t) => {
    const world = await start(t)
    const { apigatewayv2 } = world.server.clients(world.other.credentials, region)
    await apigatewayv2.send(new UpdateApiCommand({ ApiId: world.apiId, DisableExecuteApiEndpoint: true }))
    const credentials = await world.assume()
    for (const form of forms) {
      const { status, body } = await world.get(form, credentials)
      assert.deepEqual({ status, body }, { status: 404, body: '{"message":"Not Found"}' })
    }
  })
})
