// A client of one account that assumes a role of another and signs a GET by hand against a REST API there: with every half missing in turn.

import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, test, type TestContext } from 'node:test'
import { CreateDeploymentCommand, ImportRestApiCommand, UpdateRestApiCommand } from '@aws-sdk/client-api-gateway'
import {
  CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, DeleteRolePolicyCommand, DeleteUserPolicyCommand, PutRolePolicyCommand, PutUserPolicyCommand, UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { CreateFunctionCommand, InvokeCommand } from '@aws-sdk/client-lambda'
import { AssumeRoleCommand, type AssumeRoleCommandInput, type STSClient } from '@aws-sdk/client-sts'
import { systemClock } from '#lib/clock.ts'
import { newAccount, policyOf, type TestAccount } from '#test/support/accounts.ts'
import { signedHeaders } from '#test/support/hand-signed.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type Credentials, type TestServer } from '#test/support/server.ts'
import { zip } from '#test/support/zip.ts'

const first = '000000000000'
const second = '222222222222'
const RoleArn = `arn:aws:iam::${second}:role/api-caller`
const aliceArn = `arn:aws:iam::${first}:user/alice`
const assumed = `arn:aws:sts::${second}:assumed-role/api-caller/AssumedRoleSession`
const ExternalId = 'contract-7'

const definition = JSON.stringify({
  swagger: '2.0', info: { title: 'hello', version: '1' },
  paths: { '/hello': { get: {
    responses: { 200: { description: 'fine' } }, 'x-amazon-apigateway-auth': { type: 'aws_iam' },
    'x-amazon-apigateway-integration': { type: 'mock', requestTemplates: { 'application/json': '{"statusCode": 200}' }, responses: { default: { statusCode: '200', responseTemplates: { 'application/json': '"$context.identity.userArn"' } } } },
  } } },
})

interface World {
  server: TestServer
  other: TestAccount
  apiId: string
  host: string
  /** The user of the first account. */
  alice: { credentials: Credentials, sts: STSClient }
  assume(more?: Partial<AssumeRoleCommandInput>): Promise<Credentials>
  get(credentials: Credentials): Promise<{ status: number, body: any }>
  /** Puts the policy of alice, or of the role. */
  allowAlice(...statements: object[]): Promise<unknown>
  allowRole(...statements: object[]): Promise<unknown>
  tick(ms: number): void
}

const mayAssume = { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: RoleArn }
const mayInvoke = { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: 'arn:aws:execute-api:*:*:*' }
const trusting = (principal: string) => policyOf({ Effect: 'Allow', Principal: { AWS: principal }, Action: 'sts:AssumeRole', Condition: { StringEquals: { 'sts:ExternalId': ExternalId } } })

/** Both halves in place, in both accounts. */
async function start(t: TestContext): Promise<World> {
  let aheadMs = 0
  const server = await startServer(t, { clock: { ...systemClock, now: () => Date.now() + aheadMs } })
  const other = await newAccount(server, second)
  await server.iam.send(new CreateUserCommand({ UserName: 'alice' }))
  const { AccessKey } = await server.iam.send(new CreateAccessKeyCommand({ UserName: 'alice' }))
  const credentials = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
  const { sts } = server.clients(credentials)
  await other.iam.send(new CreateRoleCommand({ RoleName: 'api-caller', AssumeRolePolicyDocument: trusting(aliceArn) }))
  const { id } = await other.apigateway.send(new ImportRestApiCommand({ body: Buffer.from(definition) }))
  await other.apigateway.send(new CreateDeploymentCommand({ restApiId: id!, stageName: 'dev' }))
  const host = `${id}.execute-api.us-east-1.localhost:${server.port}`
  const world: World = {
    server, other, apiId: id!, host, alice: { credentials, sts },
    async assume(more = {}) {
      const { Credentials: made } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'AssumedRoleSession', ExternalId, ...more }))
      return { accessKeyId: made!.AccessKeyId!, secretAccessKey: made!.SecretAccessKey!, sessionToken: made!.SessionToken! }
    },
    get(as) {
      const headers = signedHeaders({ host, path: '/dev/hello', region: 'us-east-1', credentials: as, nowMs: Date.now() + aheadMs })
      return new Promise((resolve, reject) => {
        request({ host: '127.0.0.1', port: server.port, path: '/dev/hello', headers }, (answer) => {
          let text = ''
          answer.setEncoding('utf8').on('data', (part: string) => { text += part }).on('end', () => resolve({ status: answer.statusCode!, body: JSON.parse(text) }))
        }).on('error', reject).end()
      })
    },
    allowAlice: (...statements) => server.iam.send(new PutUserPolicyCommand({ UserName: 'alice', PolicyName: 'p', PolicyDocument: policyOf(...statements) })),
    allowRole: (...statements) => other.iam.send(new PutRolePolicyCommand({ RoleName: 'api-caller', PolicyName: 'p', PolicyDocument: policyOf(...statements) })),
    tick: (ms) => { aheadMs += ms },
  }
  await world.allowAlice(mayAssume)
  await world.allowRole(mayInvoke)
  return world
}

const notAssumed = `User: ${aliceArn} is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`
const notInvoked = (arn: string, apiId: string, because: string) =>
  `User: ${arn} is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********2222:${apiId}/dev/GET/hello ${because}`

describe('a client that assumes a role of another account is refused', () => {
  test('without its own account\'s permission', async (t) => {
    const { server, assume } = await start(t)
    await server.iam.send(new DeleteUserPolicyCommand({ UserName: 'alice', PolicyName: 'p' }))
    await refuses(assume(), 403, 'AccessDenied', notAssumed)
  })

  test('by its own account\'s denial', async (t) => {
    const { assume, allowAlice } = await start(t)
    await allowAlice(mayAssume, { ...mayAssume, Effect: 'Deny' })
    await refuses(assume(), 403, 'AccessDenied', `${notAssumed} with an explicit deny in an identity-based policy`)
  })

  test('without the role\'s trust', async (t) => {
    const { other, assume } = await start(t)
    await other.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'api-caller', PolicyDocument: trusting(`arn:aws:iam::${second}:root`) }))
    await refuses(assume(), 403, 'AccessDenied', notAssumed)
  })

  test('without the external id, and with another', async (t) => {
    const { assume } = await start(t)
    await refuses(assume({ ExternalId: undefined }), 403, 'AccessDenied', notAssumed)
    await refuses(assume({ ExternalId: 'contract-8' }), 403, 'AccessDenied', notAssumed)
  })

  test('a role that is not there, in the same words', async (t) => {
    const { assume, allowAlice } = await start(t)
    await allowAlice({ ...mayAssume, Resource: '*' })
    await refuses(assume({ RoleArn: `${RoleArn}2` }), 403, 'AccessDenied', `${notAssumed}2`)
  })

  test('at the API without the role\'s permission, naming the session, the account masked', async (t) => {
    const { other, apiId, assume, get, allowRole } = await start(t)
    const credentials = await assume()
    await allowRole(mayInvoke, { ...mayInvoke, Effect: 'Deny' })
    assert.deepEqual(await get(credentials), { status: 403, body: { Message: notInvoked(assumed, apiId, 'with an explicit deny in an identity-based policy') } })
    await other.iam.send(new DeleteRolePolicyCommand({ RoleName: 'api-caller', PolicyName: 'p' }))
    assert.deepEqual(await get(credentials), { status: 403, body: { Message: notInvoked(assumed, apiId, 'because no identity-based policy allows the execute-api:Invoke action') } })
  })

  test('at the API by the session\'s own policy', async (t) => {
    const { apiId, assume, get } = await start(t)
    const credentials = await assume({ Policy: policyOf({ Effect: 'Allow', Action: 's3:*', Resource: '*' }) })
    assert.deepEqual(await get(credentials), { status: 403, body: { Message: notInvoked(assumed, apiId, 'because no session policy allows the execute-api:Invoke action') } })
  })

  test('with a token that is missing, tampered with, of another session, or expired', async (t) => {
    const { assume, get, tick } = await start(t)
    const credentials = await assume({ DurationSeconds: 900 })
    const { sessionToken } = await assume()
    const { sessionToken: _, ...withoutToken } = credentials
    const changed = `${credentials.sessionToken!.slice(0, 40)}${credentials.sessionToken![40] === 'A' ? 'B' : 'A'}${credentials.sessionToken!.slice(41)}`
    assert.deepEqual(await get(withoutToken), { status: 403, body: { message: 'The security token included in the request is invalid.' } })
    for (const token of [changed, sessionToken!, 'x']) {
      assert.deepEqual(await get({ ...credentials, sessionToken: token }), { status: 403, body: { message: 'The security token included in the request is invalid' } })
    }
    assert.equal((await get(credentials)).status, 200)
    tick(900_000)
    assert.deepEqual(await get(credentials), { status: 403, body: { message: 'The security token included in the request is expired' } })
  })

  test('with its own keys in place of the session\'s', async (t) => {
    const { apiId, alice, get } = await start(t)
    assert.deepEqual(await get(alice.credentials), { status: 403, body: { Message: notInvoked(aliceArn, apiId, 'because no identity-based policy allows the execute-api:Invoke action') } })
  })
})

describe('a client of another account', () => {
  test('calls the API as the role\'s session, with both halves in place', async (t) => {
    const { assume, get } = await start(t)
    assert.deepEqual(await get(await assume()), { status: 200, body: assumed })
  })

  test('may be a function', async (t) => {
    const { server, other, host, allowAlice } = await start(t)
    await allowAlice(mayAssume)
    const Role = await server.role('caller', 'lambda.amazonaws.com', [mayAssume])
    await other.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'api-caller', PolicyDocument: trusting(Role) }))
    await server.lambda.send(new CreateFunctionCommand({
      FunctionName: 'caller', Runtime: 'nodejs22.x', Handler: 'index.handler', Role, Timeout: 30,
      Code: { ZipFile: await zip({ 'index.mjs': `
        import { createHash, createHmac } from 'node:crypto'
        import { request } from 'node:http'
        import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
        ${signedHeaders.toString()}
        export async function handler({ host, port, ...role }) {
          const { Credentials: made } = await new STSClient({}).send(new AssumeRoleCommand(role))
          const credentials = { accessKeyId: made.AccessKeyId, secretAccessKey: made.SecretAccessKey, sessionToken: made.SessionToken }
          const headers = signedHeaders({ host, path: '/dev/hello', region: 'us-east-1', credentials, nowMs: Date.now() })
          return new Promise((resolve, reject) => request({ host: '127.0.0.1', port, path: '/dev/hello', headers }, (answer) => {
            let text = ''
            answer.on('data', (part) => { text += part }).on('end', () => resolve({ status: answer.statusCode, body: JSON.parse(text) }))
          }).on('error', reject).end())
        }` }) },
    }))
    const call = async (more: object = {}) => {
      const Payload = Buffer.from(JSON.stringify({ host, port: server.port, RoleArn, RoleSessionName: 'AssumedRoleSession', ExternalId, ...more }))
      return JSON.parse(Buffer.from((await server.lambda.send(new InvokeCommand({ FunctionName: 'caller', Payload }))).Payload!).toString())
    }
    assert.deepEqual(await call(), { status: 200, body: assumed })
    assert.match((await call({ ExternalId: 'contract-8' })).errorMessage, /^User: arn:aws:sts::000000000000:assumed-role\/caller\/caller is not authorized to perform: sts:AssumeRole on resource: /)
  })

  test('needs the API\'s resource policy and its own, when it signs as itself', async (t) => {
    const { other, apiId, alice, get, allowAlice } = await start(t)
    const openTo = async (principal: string, more: object[] = []) => {
      const statement = { Effect: 'Allow', Principal: { AWS: principal }, Action: 'execute-api:Invoke', Resource: 'execute-api:/*' }
      await other.apigateway.send(new UpdateRestApiCommand({ restApiId: apiId, patchOperations: [{ op: 'replace', path: '/policy', value: policyOf(statement, ...more) }] }))
      await other.apigateway.send(new CreateDeploymentCommand({ restApiId: apiId, stageName: 'dev' }))
    }
    const refused = (because: string) => ({ status: 403, body: { Message: notInvoked(aliceArn, apiId, because) } })
    await allowAlice(mayInvoke)
    assert.deepEqual(await get(alice.credentials), refused('because no resource-based policy allows the execute-api:Invoke action'))
    await openTo(`arn:aws:iam::${second}:root`)
    assert.deepEqual(await get(alice.credentials), refused('because no resource-based policy allows the execute-api:Invoke action'))
    for (const principal of [aliceArn, first, `arn:aws:iam::${first}:root`, '*']) {
      await openTo(principal)
      assert.deepEqual(await get(alice.credentials), { status: 200, body: aliceArn }, principal)
    }
    await allowAlice(mayAssume)
    assert.deepEqual(await get(alice.credentials), refused('because no identity-based policy allows the execute-api:Invoke action'))
    await allowAlice(mayInvoke)
    await openTo('*', [{ Effect: 'Deny', Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*', Condition: { StringEquals: { 'aws:PrincipalAccount': first } } }])
    assert.deepEqual(await get(alice.credentials), refused('with an explicit deny in a resource-based policy'))
  })
})
