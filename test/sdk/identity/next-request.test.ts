// What changes about a principal counts at its next request: at every kind of service, at deployed APIs, and for sessions begun before.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { CreateDeploymentCommand, ImportRestApiCommand } from '@aws-sdk/client-api-gateway'
import { ListTablesCommand } from '@aws-sdk/client-dynamodb'
import {
  AddUserToGroupCommand, AttachRolePolicyCommand, AttachUserPolicyCommand, CreateAccessKeyCommand, CreateGroupCommand, CreatePolicyCommand, CreatePolicyVersionCommand, CreateRoleCommand,
  CreateUserCommand, DeleteAccessKeyCommand, DeleteRoleCommand, DeleteRolePolicyCommand, DeleteUserCommand, DeleteUserPolicyCommand, DetachRolePolicyCommand, DetachUserPolicyCommand, ListUsersCommand,
  PutGroupPolicyCommand, PutRolePolicyCommand, PutUserPermissionsBoundaryCommand, PutUserPolicyCommand, RemoveUserFromGroupCommand, TagUserCommand, UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import { ListFunctionsCommand } from '@aws-sdk/client-lambda'
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts'
import { policyOf } from '#test/support/accounts.ts'
import { rawRequest, sendRaw, signRaw } from '#test/support/raw-request.ts'
import { startServer, type Credentials, type TestServer } from '#test/support/server.ts'

const account = '000000000000'
const everything = { Effect: 'Allow', Action: '*', Resource: '*' }

interface World extends TestServer {
  /** A user without policies. */
  alice: Credentials
  /** What each door answers to these keys: 200, or the error's code. */
  doors(credentials: Credentials): Promise<Record<string, string>>
}

async function start(t: TestContext): Promise<World> {
  const server = await startServer(t)
  await server.iam.send(new CreateUserCommand({ UserName: 'alice' }))
  const { AccessKey } = await server.iam.send(new CreateAccessKeyCommand({ UserName: 'alice' }))
  const definition = { swagger: '2.0', info: { title: 'x', version: '1' }, paths: { '/': { get: {
    responses: { 200: { description: 'fine' } }, 'x-amazon-apigateway-auth': { type: 'aws_iam' },
    'x-amazon-apigateway-integration': { type: 'mock', requestTemplates: { 'application/json': '{"statusCode": 200}' }, responses: { default: { statusCode: '200' } } },
  } } } }
  const { id } = await server.apigateway.send(new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(definition)) }))
  await server.apigateway.send(new CreateDeploymentCommand({ restApiId: id!, stageName: 'dev' }))
  return {
    ...server,
    alice: { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! },
    async doors(credentials) {
      const { iam, dynamodb, lambda } = server.clients(credentials)
      const code = (call: Promise<unknown>) => call.then(() => '200', (error: Error) => error.name)
      const request = signRaw(rawRequest({ target: '/dev/', host: `${id}.execute-api.localhost:${server.port}` }), { credentials, service: 'execute-api' })
      const api = await sendRaw(request, { port: server.port })
      return {
        iam: await code(iam.send(new ListUsersCommand({}))),
        dynamodb: await code(dynamodb.send(new ListTablesCommand({}))),
        lambda: await code(lambda.send(new ListFunctionsCommand({}))),
        'execute-api': api.status === 200 ? '200' : api.headers['x-amzn-errortype']!,
      }
    },
  }
}

const open = { iam: '200', dynamodb: '200', lambda: '200', 'execute-api': '200' }
const denied = { iam: 'AccessDenied', dynamodb: 'AccessDeniedException', lambda: 'AccessDeniedException', 'execute-api': 'AccessDeniedException' }
const unknown = { iam: 'InvalidClientTokenId', dynamodb: 'UnrecognizedClientException', lambda: 'UnrecognizedClientException', 'execute-api': 'UnrecognizedClientException' }
/** IAM takes no session of a user. */
const openToSession = { ...open, iam: 'InvalidClientTokenId' }
const deniedToSession = { ...denied, iam: 'InvalidClientTokenId' }

describe('counts at the next request:', () => {
  test('a key that is deactivated, activated again, and deleted', async (t) => {
    const { iam, alice, doors } = await start(t)
    await iam.send(new PutUserPolicyCommand({ UserName: 'alice', PolicyName: 'p', PolicyDocument: policyOf(everything) }))
    const key = { UserName: 'alice', AccessKeyId: alice.accessKeyId }
    assert.deepEqual(await doors(alice), open)
    await iam.send(new UpdateAccessKeyCommand({ ...key, Status: 'Inactive' }))
    assert.deepEqual(await doors(alice), unknown)
    await iam.send(new UpdateAccessKeyCommand({ ...key, Status: 'Active' }))
    assert.deepEqual(await doors(alice), open)
    await iam.send(new DeleteAccessKeyCommand(key))
    assert.deepEqual(await doors(alice), unknown)
  })

  test('a policy that is attached, given another version, and detached', async (t) => {
    const { iam, alice, doors } = await start(t)
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: 'p', PolicyDocument: policyOf(everything) }))
    const PolicyArn = Policy!.Arn!
    assert.deepEqual(await doors(alice), denied)
    await iam.send(new AttachUserPolicyCommand({ UserName: 'alice', PolicyArn }))
    assert.deepEqual(await doors(alice), open)
    await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: policyOf(everything, { ...everything, Effect: 'Deny', Action: 'execute-api:*' }), SetAsDefault: true }))
    assert.deepEqual(await doors(alice), { ...open, 'execute-api': 'AccessDeniedException' })
    await iam.send(new DetachUserPolicyCommand({ UserName: 'alice', PolicyArn }))
    assert.deepEqual(await doors(alice), denied)
  })

  test('a group that is joined and left, a boundary, and a tag', async (t) => {
    const { iam, alice, doors } = await start(t)
    await iam.send(new CreateGroupCommand({ GroupName: 'g' }))
    await iam.send(new PutGroupPolicyCommand({ GroupName: 'g', PolicyName: 'p', PolicyDocument: policyOf({ ...everything, Condition: { StringEqualsIfExists: { 'aws:PrincipalTag/state': 'here' } } }) }))
    await iam.send(new AddUserToGroupCommand({ GroupName: 'g', UserName: 'alice' }))
    assert.deepEqual(await doors(alice), open)
    await iam.send(new TagUserCommand({ UserName: 'alice', Tags: [{ Key: 'state', Value: 'away' }] }))
    assert.deepEqual(await doors(alice), denied)
    await iam.send(new TagUserCommand({ UserName: 'alice', Tags: [{ Key: 'state', Value: 'here' }] }))
    await iam.send(new PutUserPermissionsBoundaryCommand({ UserName: 'alice', PermissionsBoundary: 'arn:aws:iam::aws:policy/IAMFullAccess' }))
    assert.deepEqual(await doors(alice), { ...denied, iam: '200' })
    await iam.send(new RemoveUserFromGroupCommand({ GroupName: 'g', UserName: 'alice' }))
    assert.deepEqual(await doors(alice), denied)
  })

  test('a role whose policy is detached, that is revoked, and that is deleted, for its sessions', async (t) => {
    const { iam, alice, doors, clients } = await start(t)
    const RoleArn = `arn:aws:iam::${account}:role/r`
    await iam.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: policyOf({ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:user/alice` }, Action: 'sts:AssumeRole' }) }))
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: 'p', PolicyDocument: policyOf(everything) }))
    const attachment = { RoleName: 'r', PolicyArn: Policy!.Arn! }
    await iam.send(new AttachRolePolicyCommand(attachment))
    const { Credentials: made } = await clients(alice).sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 's1' }))
    const session = { accessKeyId: made!.AccessKeyId!, secretAccessKey: made!.SecretAccessKey!, sessionToken: made!.SessionToken! }
    assert.deepEqual(await doors(session), open)
    const revocation = policyOf({ ...everything, Effect: 'Deny', Condition: { DateLessThan: { 'aws:TokenIssueTime': new Date(Date.now() + 60_000).toISOString() } } })
    await iam.send(new PutRolePolicyCommand({ RoleName: 'r', PolicyName: 'revoke', PolicyDocument: revocation }))
    assert.deepEqual(await doors(session), denied)
    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'r', PolicyName: 'revoke' }))
    assert.deepEqual(await doors(session), open)
    await iam.send(new DetachRolePolicyCommand(attachment))
    assert.deepEqual(await doors(session), denied)
    await iam.send(new DeleteRoleCommand({ RoleName: 'r' }))
    assert.deepEqual(await doors(session), unknown)
  })

  test('a user that loses its policy and is deleted, for its sessions', async (t) => {
    const { iam, alice, doors, clients } = await start(t)
    await iam.send(new PutUserPolicyCommand({ UserName: 'alice', PolicyName: 'p', PolicyDocument: policyOf(everything) }))
    const { Credentials: made } = await clients(alice).sts.send(new GetSessionTokenCommand({}))
    const session = { accessKeyId: made!.AccessKeyId!, secretAccessKey: made!.SecretAccessKey!, sessionToken: made!.SessionToken! }
    assert.deepEqual(await doors(session), openToSession)
    assert.equal((await clients(session).sts.send(new GetCallerIdentityCommand({}))).Arn, `arn:aws:iam::${account}:user/alice`)
    await iam.send(new DeleteUserPolicyCommand({ UserName: 'alice', PolicyName: 'p' }))
    assert.deepEqual(await doors(session), deniedToSession)
    await iam.send(new DeleteAccessKeyCommand({ UserName: 'alice', AccessKeyId: alice.accessKeyId }))
    await iam.send(new DeleteUserCommand({ UserName: 'alice' }))
    assert.deepEqual(await doors(session), unknown)
  })
})
