// IAM over the wire, with the official client.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  AttachRolePolicyCommand, CreateAccessKeyCommand, CreatePolicyCommand, CreateRoleCommand, CreateUserCommand, DeleteRoleCommand, DeleteUserCommand,
  DetachRolePolicyCommand, GetPolicyVersionCommand, GetRoleCommand, GetRolePolicyCommand, GetUserCommand, ListAttachedRolePoliciesCommand, ListRolesCommand,
  ListUsersCommand, ListUserTagsCommand, paginateListUsers, PutRolePolicyCommand, SetSecurityTokenServicePreferencesCommand, TagUserCommand, UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { refuses } from '#test/support/refuses.ts'
import { keptDirectory } from '#test/support/kept-directory.ts'
import { startServer } from '#test/support/server.ts'

const account = '000000000000'
/** A permission that no test asks for. */
const elsewhere = { Effect: 'Allow', Action: 's3:*', Resource: '*' }
const forLambda = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] })
const allowing = (Action: string, Resource = '*') => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] })

describe('refuses', () => {
  test('what the model does not allow, in the words of the validator', async (t) => {
    const { iam } = await startServer(t)
    await refuses(iam.send(new CreateRoleCommand({ RoleName: 'a'.repeat(65), AssumeRolePolicyDocument: forLambda })), 400, 'ValidationError',
      "1 validation error detected: Value at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64")
    await refuses(iam.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: forLambda, MaxSessionDuration: 60 })), 400, 'ValidationError',
      "1 validation error detected: Value at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600")
  })

  test('a trust policy that is not JSON, and a policy that is none', async (t) => {
    const { iam } = await startServer(t)
    await refuses(iam.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: 'nonsense' })), 400, 'MalformedPolicyDocumentException', 'This policy contains invalid Json')
    await refuses(iam.send(new CreatePolicyCommand({ PolicyName: 'p', PolicyDocument: '{"Version":"2012-10-17"}' })), 400, 'MalformedPolicyDocumentException', 'Syntax errors in policy.')
  })

  test('what is missing or taken', async (t) => {
    const { iam } = await startServer(t)
    await refuses(iam.send(new GetRoleCommand({ RoleName: 'none' })), 404, 'NoSuchEntityException', 'The role with name none cannot be found.')
    await iam.send(new CreateUserCommand({ UserName: 'u' }))
    await refuses(iam.send(new CreateUserCommand({ UserName: 'u' })), 409, 'EntityAlreadyExistsException', 'User with name u already exists.')
  })

  test('a caller without permission', async (t) => {
    const server = await startServer(t)
    const { iam } = server.clients(await server.user('bob', [elsewhere]))
    await refuses(iam.send(new ListUsersCommand({})), 403, 'AccessDenied',
      `User: arn:aws:iam::${account}:user/bob is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::${account}:user/ because no identity-based policy allows the iam:ListUsers action`)
    await refuses(iam.send(new GetUserCommand({ UserName: 'bob' })), 403, 'AccessDenied',
      `User: arn:aws:iam::${account}:user/bob is not authorized to perform: iam:GetUser on resource: user bob because no identity-based policy allows the iam:GetUser action`)
  })

  test('an operation that is not served, by its name', async (t) => {
    const { iam } = await startServer(t)
    await assert.rejects(iam.send(new SetSecurityTokenServicePreferencesCommand({ GlobalEndpointTokenVersion: 'v2Token' })), (error: any) =>
      error.$metadata.httpStatusCode === 501 && /SetSecurityTokenServicePreferences/.test(error.message))
  })
})

describe('does', () => {
  test('users, in pages, with tags', async (t) => {
    const { iam } = await startServer(t)
    for (const UserName of ['c', 'a', 'b']) await iam.send(new CreateUserCommand({ UserName, Tags: [{ Key: 'k', Value: '' }] }))
    const names: string[] = []
    for await (const page of paginateListUsers({ client: iam, pageSize: 2 }, {})) names.push(...page.Users!.map((user) => user.UserName!))
    assert.deepEqual(names, ['a', 'b', 'c'])
    await iam.send(new TagUserCommand({ UserName: 'a', Tags: [{ Key: 'j', Value: 'x @ y/é' }] }))
    assert.deepEqual((await iam.send(new ListUserTagsCommand({ UserName: 'a' }))).Tags, [{ Key: 'j', Value: 'x @ y/é' }, { Key: 'k', Value: '' }])
    const { User } = await iam.send(new GetUserCommand({ UserName: 'a' }))
    assert.ok(User!.CreateDate instanceof Date)
    await iam.send(new DeleteUserCommand({ UserName: 'a' }))
    assert.equal((await iam.send(new GetUserCommand({}))).User!.Arn, `arn:aws:iam::${account}:root`)
  })

  test('roles with inline and managed policies, whose documents come back percent-encoded', async (t) => {
    const { iam } = await startServer(t)
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'r', Path: '/teams/', AssumeRolePolicyDocument: forLambda, Description: 'd' }))
    assert.equal(Role!.Arn, `arn:aws:iam::${account}:role/teams/r`)
    const document = allowing("logs:*", 'arn:aws:logs:*:*:log-group:/x (y)*')
    await iam.send(new PutRolePolicyCommand({ RoleName: 'r', PolicyName: 'p', PolicyDocument: document }))
    const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName: 'r', PolicyName: 'p' }))
    assert.equal(decodeURIComponent(PolicyDocument!), document)
    assert.ok(!/[ "()*]/.test(PolicyDocument!))
    const PolicyArn = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'
    await iam.send(new AttachRolePolicyCommand({ RoleName: 'r', PolicyArn }))
    assert.deepEqual((await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: 'r' }))).AttachedPolicies, [{ PolicyName: 'AWSLambdaBasicExecutionRole', PolicyArn }])
    await refuses(iam.send(new DeleteRoleCommand({ RoleName: 'r' })), 409, 'DeleteConflictException', 'Cannot delete entity, must detach all policies first.')
    await iam.send(new DetachRolePolicyCommand({ RoleName: 'r', PolicyArn }))
    assert.equal((await iam.send(new ListRolesCommand({ PathPrefix: '/teams/' }))).Roles![0]!.MaxSessionDuration, 3600)
  })

  test('managed policies', async (t) => {
    const { iam } = await startServer(t)
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: 'p', PolicyDocument: allowing('s3:*') }))
    const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn: Policy!.Arn, VersionId: 'v1' }))
    assert.equal(decodeURIComponent(PolicyVersion!.Document!), allowing('s3:*'))
    assert.equal(PolicyVersion!.IsDefaultVersion, true)
  })

  test('keys that work at once, and stop at once', async (t) => {
    const server = await startServer(t)
    await server.iam.send(new CreateUserCommand({ UserName: 'u' }))
    const { AccessKey } = await server.iam.send(new CreateAccessKeyCommand({ UserName: 'u' }))
    const { sts } = server.clients({ accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! })
    assert.equal((await sts.send(new GetCallerIdentityCommand({}))).Arn, `arn:aws:iam::${account}:user/u`)
    await server.iam.send(new UpdateAccessKeyCommand({ UserName: 'u', AccessKeyId: AccessKey!.AccessKeyId, Status: 'Inactive' }))
    await refuses(sts.send(new GetCallerIdentityCommand({})), 403, 'InvalidClientTokenId', 'The security token included in the request is invalid.')
    await server.iam.send(new UpdateAccessKeyCommand({ UserName: 'u', AccessKeyId: AccessKey!.AccessKeyId, Status: 'Active' }))
    assert.ok(await sts.send(new GetCallerIdentityCommand({})))
  })

  test('survive a restart', async (t) => {
    const dataDir = keptDirectory()
    const first = await startServer(t, { dataDir })
    const keys = await first.user('bob', [{ Effect: 'Allow', Action: 'iam:ListUsers', Resource: '*' }])
    await first.close()
    const second = await startServer(t, { dataDir })
    assert.equal((await second.clients(keys).iam.send(new ListUsersCommand({}))).Users!.length, 1)
  })
})
