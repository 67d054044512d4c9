// Two server processes over one PostgreSQL: what one acknowledges the other knows within a second.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, DeleteUserPolicyCommand, ListUsersCommand, PutUserPolicyCommand, UpdateAccessKeyCommand } from '@aws-sdk/client-iam'
import { CreateTableCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts'
import { freshPostgres, postgresIsAbsent } from '#test/support/postgres.ts'
import { newAccount } from '#test/support/accounts.ts'
import { startServer, type TestServer } from '#test/support/server.ts'

/** Repeats until it holds; fails with its last reason after a second (and a little, for the machine). */
async function withinASecond(check: () => Promise<void>): Promise<void> {
  const until = performance.now() + 1500
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > until) throw error
      await new Promise((done) => setTimeout(done, 50))
    }
  }
}

async function twoServers(t: TestContext): Promise<[TestServer, TestServer]> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-nodes-'))
  const { engine: { url }, remove } = await freshPostgres()
  const settings = { DATABASE_URL: url, MASTER_KEY_FILE: join(directory, 'master.key') }
  // At once: neither may find a key of its own that the other has replaced.
  const [first, second] = await Promise.all([startServer(undefined, { settings }), startServer(undefined, { settings })])
  t.after(async () => {
    await first.close()
    await second.close()
    await remove()
    rmSync(directory, { recursive: true, force: true })
  })
  return [first, second]
}

describe('two processes over one PostgreSQL', { skip: postgresIsAbsent() }, () => {
  test('share the root, users, tables and items', async (t) => {
    const [first, second] = await twoServers(t)
    assert.deepEqual(second.credentials, first.credentials)
    await first.dynamodb.send(new CreateTableCommand({ TableName: 'Shared', BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }] }))
    await withinASecond(async () => { await second.dynamodb.send(new PutItemCommand({ TableName: 'Shared', Item: { id: { S: 'a' }, n: { N: '1' } } })) })
    assert.deepEqual((await first.dynamodb.send(new GetItemCommand({ TableName: 'Shared', Key: { id: { S: 'a' } } }))).Item, { id: { S: 'a' }, n: { N: '1' } })
  })

  test('see a key deactivated and a policy removed on the other', async (t) => {
    const [first, second] = await twoServers(t)
    await first.iam.send(new CreateUserCommand({ UserName: 'u' }))
    const { AccessKey } = await first.iam.send(new CreateAccessKeyCommand({ UserName: 'u' }))
    const keys = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
    const there = second.clients(keys)
    const put = (Effect: string) => first.iam.send(new PutUserPolicyCommand({ UserName: 'u', PolicyName: 'p', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect, Action: 'iam:ListUsers', Resource: '*' }] }) }))
    await assert.rejects(there.iam.send(new ListUsersCommand({})), { name: 'AccessDenied' })
    await put('Allow')
    await withinASecond(async () => { await there.iam.send(new ListUsersCommand({})) })
    await first.iam.send(new DeleteUserPolicyCommand({ UserName: 'u', PolicyName: 'p' }))
    await withinASecond(() => assert.rejects(there.iam.send(new ListUsersCommand({})), { name: 'AccessDenied' }))
    await there.sts.send(new GetCallerIdentityCommand({}))
    await first.iam.send(new UpdateAccessKeyCommand({ UserName: 'u', AccessKeyId: keys.accessKeyId, Status: 'Inactive' }))
    await withinASecond(() => assert.rejects(there.sts.send(new GetCallerIdentityCommand({})), { name: 'InvalidClientTokenId' }))
  })

  test('know the accounts that the other made, and sessions of their roots', async (t) => {
    const [first, second] = await twoServers(t)
    const made = await newAccount(first, '222222222222')
    const { Credentials } = await made.sts.send(new GetSessionTokenCommand({}))
    const session = { accessKeyId: Credentials!.AccessKeyId!, secretAccessKey: Credentials!.SecretAccessKey!, sessionToken: Credentials!.SessionToken! }
    for (const keys of [made.credentials, session]) {
      await withinASecond(async () => { assert.equal((await second.clients(keys).sts.send(new GetCallerIdentityCommand({}))).Arn, 'arn:aws:iam::222222222222:root') })
    }
  })

  test('accept the session tokens that the other issued', async (t) => {
    const [first, second] = await twoServers(t)
    const keys = await first.user('caller', [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' }])
    const { Role } = await first.iam.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:root' }, Action: 'sts:AssumeRole' }] }) }))
    const { Credentials } = await first.clients(keys).sts.send(new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: 'session' }))
    const session = { accessKeyId: Credentials!.AccessKeyId!, secretAccessKey: Credentials!.SecretAccessKey!, sessionToken: Credentials!.SessionToken! }
    await withinASecond(async () => {
      assert.equal((await second.clients(session).sts.send(new GetCallerIdentityCommand({}))).Arn, 'arn:aws:sts::000000000000:assumed-role/r/session')
    })
  })
})
