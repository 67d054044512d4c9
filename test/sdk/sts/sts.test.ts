// STS over the wire, with the official client.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CreateRoleCommand, DeleteRoleCommand, DeleteRolePolicyCommand, ListRolesCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { AssumeRoleCommand, GetAccessKeyInfoCommand, GetCallerIdentityCommand, DecodeAuthorizationMessageCommand, type AssumeRoleCommandOutput } from '@aws-sdk/client-sts'
import { refuses } from '#test/support/refuses.ts'
import { keptDirectory } from '#test/support/kept-directory.ts'
import { startServer, type TestServer } from '#test/support/server.ts'

const account = '000000000000'
/** A permission that no test asks for. */
const elsewhere = { Effect: 'Allow', Action: 's3:*', Resource: '*' }
const RoleArn = `arn:aws:iam::${account}:role/r`

async function withRole(server: TestServer, actions: string | string[]) {
  const keys = await server.user('alice', [elsewhere])
  await server.iam.send(new CreateRoleCommand({
    RoleName: 'r',
    AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:user/alice` }, Action: 'sts:AssumeRole' }] }),
  }))
  await server.iam.send(new PutRolePolicyCommand({
    RoleName: 'r', PolicyName: 'p', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] }),
  }))
  return server.clients(keys)
}

const keysOf = ({ Credentials }: AssumeRoleCommandOutput) => ({
  accessKeyId: Credentials!.AccessKeyId!, secretAccessKey: Credentials!.SecretAccessKey!, sessionToken: Credentials!.SessionToken!,
})

describe('refuses', () => {
  test('a session name and an ARN that are none', async (t) => {
    const { sts } = await startServer(t)
    await refuses(sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'Session1:2' })), 400, 'ValidationError',
      "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*")
    await refuses(sts.send(new AssumeRoleCommand({ RoleArn: 'nothing-valid-in-here', RoleSessionName: 's1' })), 400, 'ValidationError', 'nothing-valid-in-here is invalid')
  })

  test('who is not trusted', async (t) => {
    const server = await startServer(t)
    const { sts } = server.clients(await server.user('bob', [{ Effect: 'Allow', Action: '*', Resource: '*' }]))
    await refuses(sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 's1' })), 403, 'AccessDenied',
      `User: arn:aws:iam::${account}:user/bob is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`)
  })

  test('a session key without its token, or with another', async (t) => {
    const server = await startServer(t)
    const { sts } = await withRole(server, 'iam:ListRoles')
    const one = keysOf(await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 's1' })))
    const other = keysOf(await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 's2' })))
    for (const keys of [{ accessKeyId: one.accessKeyId, secretAccessKey: one.secretAccessKey }, { ...one, sessionToken: other.sessionToken }, { ...one, sessionToken: 'x' }]) {
      await refuses(server.clients(keys).sts.send(new GetCallerIdentityCommand({})), 403, 'InvalidClientTokenId', /^The security token included in the request is invalid\.?$/)
    }
  })

  test('what is not served', async (t) => {
    const { sts } = await startServer(t)
    await assert.rejects(sts.send(new DecodeAuthorizationMessageCommand({ EncodedMessage: 'x' })), (error: any) => error.$metadata.httpStatusCode === 501)
  })
})

describe('does', () => {
  test('say who calls', async (t) => {
    const { sts, credentials } = await startServer(t)
    const { Account, Arn, UserId } = await sts.send(new GetCallerIdentityCommand({}))
    assert.deepEqual({ Account, Arn, UserId }, { Account: account, Arn: `arn:aws:iam::${account}:root`, UserId: account })
    assert.equal((await sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: credentials.accessKeyId }))).Account, account)
  })

  test('let a trusted user become a role, with the role\'s permissions, until the role is gone', async (t) => {
    const server = await startServer(t)
    const alice = await withRole(server, 'iam:ListRoles')
    const answer = await alice.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 's1', DurationSeconds: 900 }))
    assert.match(answer.AssumedRoleUser!.AssumedRoleId!, /^AROA[A-Z2-7]{17}:s1$/)
    const session = server.clients(keysOf(answer))
    assert.equal((await session.sts.send(new GetCallerIdentityCommand({}))).Arn, `arn:aws:sts::${account}:assumed-role/r/s1`)
    assert.equal((await session.iam.send(new ListRolesCommand({}))).Roles!.length, 1)
    await refuses(alice.iam.send(new ListRolesCommand({})), 403, 'AccessDenied', /user\/alice is not authorized to perform: iam:ListRoles/)
    await server.iam.send(new DeleteRolePolicyCommand({ RoleName: 'r', PolicyName: 'p' }))
    await refuses(session.iam.send(new ListRolesCommand({})), 403, 'AccessDenied', /assumed-role\/r\/s1 is not authorized to perform: iam:ListRoles .* no identity-based policy allows/)
    await server.iam.send(new DeleteRoleCommand({ RoleName: 'r' }))
    await refuses(session.sts.send(new GetCallerIdentityCommand({})), 403, 'InvalidClientTokenId', 'The security token included in the request is invalid.')
  })

  test('keep sessions good over a restart', async (t) => {
    const dataDir = keptDirectory()
    const first = await startServer(t, { dataDir })
    const alice = await withRole(first, 'iam:ListRoles')
    const keys = keysOf(await alice.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 's1' })))
    await first.close()
    const second = await startServer(t, { dataDir })
    assert.equal((await second.clients(keys).iam.send(new ListRolesCommand({}))).Roles!.length, 1)
  })
})
