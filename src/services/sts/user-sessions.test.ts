// Sessions of users and of federated users on both engines: what they may do, and what they may not call.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Caller } from '#aws/caller.ts'
import { createAuthorizer } from '#aws/authorize.ts'
import { compilePolicy } from '#aws/policy/compile.ts'
import type { PolicyStatement } from '#aws/policy/document.ts'
import { headersFromRaw } from '#lib/http.ts'
import { migrations } from '#services/iam/migrations.ts'
import { eachDatabase } from '#test/support/each-database.ts'
import { firstAccountId as accountId, startIam, type IamInProcess } from '#test/support/iam-in-process.ts'

const document = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
const allowing = (Action: string | string[], Resource = '*') => document({ Effect: 'Allow', Action, Resource })
const bobArn = `arn:aws:sts::${accountId}:federated-user/bob`
const tableArn = `arn:aws:dynamodb:us-east-1:${accountId}:table/t`

eachDatabase('sessions of users', { migrations, transactionModules: [new URL('../iam/store.ts', import.meta.url)] }, (open) => {
  const start = async () => {
    const server = await startIam(await open())
    const session = async ({ Credentials }: any) => (await server.credential(Credentials.AccessKeyId, Credentials.SessionToken)).caller
    return {
      ...server, session,
      federated: async (issuer: Caller, more: object = {}) => session(await server.run('GetFederationToken', { Name: 'bob', ...more }, issuer)),
      own: async (caller: Caller) => session(await server.run('GetSessionToken', {}, caller)),
    }
  }
  const refused = (promise: Promise<unknown>, code: string, message: string | RegExp) => assert.rejects(promise, { name: code, message })
  /** Decides for any action and resource, with or without the resource's own policy. */
  const decide = ({ iam }: IamInProcess, caller: Caller, action: string, statement?: PolicyStatement) =>
    createAuthorizer({ identity: iam.identity, clock: { now: () => 0 } }).decide(
      { caller, scope: { accountId: caller.accountId, region: 'us-east-1' }, atMs: 1, request: { headers: headersFromRaw([]), remoteAddress: '127.0.0.1', isSecure: false } },
      { action, resource: tableArn, ...(statement && { resourcePolicy: compilePolicy({ Version: '2012-10-17', Statement: statement }, 'policy of the table') }) })

  describe('GetSessionToken', () => {
    test('refuses sessions, and codes of MFA devices that nobody has', async () => {
      const { user, own, run } = await start()
      const alice = await user('alice')
      await refused(run('GetSessionToken', {}, await own(alice)), 'AccessDenied', 'Cannot call GetSessionToken with session credentials')
      await refused(run('GetSessionToken', { SerialNumber: `arn:aws:iam::${accountId}:mfa/alice`, TokenCode: '123456' }, alice), 'AccessDenied', /^MultiFactorAuthentication failed/)
    })

    test('needs no permission, and gives the user\'s own permissions for twelve hours', async () => {
      const server = await start()
      const alice = await server.user('alice', document({ Effect: 'Deny', Action: 'sts:*', Resource: '*' }, { Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: '*' }))
      const answer = await server.run('GetSessionToken', {}, alice)
      assert.deepEqual(answer.Credentials.Expiration, new Date('2026-05-01T22:00:00Z'))
      const session = await server.session(answer)
      assert.equal(session.arn, alice.arn)
      assert.match(answer.Credentials.AccessKeyId, /^ASIA/)
      assert.equal((await decide(server, session, 'dynamodb:GetItem')).allowed, true)
      assert.equal((await decide(server, session, 'dynamodb:PutItem')).allowed, false)
    })

    test('gives the root one hour at most', async () => {
      const { root, run } = await start()
      const { Credentials } = await run('GetSessionToken', { DurationSeconds: 7200 }, await root(accountId))
      assert.deepEqual(Credentials.Expiration, new Date('2026-05-01T11:00:00Z'))
    })

    test('gives sessions that call nothing of IAM, and of STS only AssumeRole and GetCallerIdentity', async () => {
      const { user, own, run } = await start()
      const session = await own(await user('alice', allowing('*')))
      await refused(run('ListUsers', {}, session), 'InvalidClientTokenId', 'The security token included in the request is invalid')
      await refused(run('GetFederationToken', { Name: 'bob' }, session), 'AccessDenied', 'Cannot call GetFederationToken with session credentials')
      await refused(run('GetAccessKeyInfo', { AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' }, session), 'AccessDenied', 'Cannot call GetAccessKeyInfo with session credentials')
      assert.equal((await run('GetCallerIdentity', {}, session)).Arn, `arn:aws:iam::${accountId}:user/alice`)
      await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: document({ Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:AssumeRole' }) })
      assert.ok(await run('AssumeRole', { RoleArn: `arn:aws:iam::${accountId}:role/r`, RoleSessionName: 's1' }, session))
    })

    test('gives sessions that policies can tell by when they began and that no MFA was used', async () => {
      const server = await start()
      const alice = await server.user('alice', document(
        { Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: '*', Condition: { Null: { 'aws:TokenIssueTime': 'false' } } },
        { Effect: 'Allow', Action: 'dynamodb:PutItem', Resource: '*', Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'false' } } },
        { Effect: 'Allow', Action: 'dynamodb:Scan', Resource: '*', Condition: { DateGreaterThan: { 'aws:TokenIssueTime': '2026-05-01T10:00:00Z' } } },
      ))
      const session = await server.own(alice)
      assert.equal((await decide(server, session, 'dynamodb:GetItem')).allowed, true)
      assert.equal((await decide(server, session, 'dynamodb:PutItem')).allowed, true)
      assert.equal((await decide(server, session, 'dynamodb:Scan')).allowed, false)
      for (const action of ['dynamodb:GetItem', 'dynamodb:PutItem']) assert.equal((await decide(server, alice, action)).allowed, false, `${action} by the key itself`)
    })

    test('gives sessions that end with the user', async () => {
      const { user, run, iam } = await start()
      const alice = await user('alice') as Extract<Caller, { is: 'user' }>
      const { Credentials } = await run('GetSessionToken', {}, alice)
      await run('DeleteAccessKey', { UserName: 'alice', AccessKeyId: alice.accessKeyId })
      await run('DeleteUser', { UserName: 'alice' })
      assert.deepEqual(await iam.identity.findCredential(Credentials.AccessKeyId, Credentials.SessionToken), { refused: 'principal deleted' })
    })
  })

  describe('GetFederationToken', () => {
    test('refuses who may not, and sessions of roles', async () => {
      const { user, run } = await start()
      const alice = await user('alice')
      await refused(run('GetFederationToken', { Name: 'bob' }, alice), 'AccessDenied',
        `User: ${alice.arn} is not authorized to perform: sts:GetFederationToken on resource: ${bobArn} because no identity-based policy allows the sts:GetFederationToken action`)
      const carol = await user('carol', allowing('sts:GetFederationToken'))
      await refused(run('GetFederationToken', { Name: 'bob', Tags: [{ Key: 'a', Value: '1' }] }, carol), 'AccessDenied', /not authorized to perform: sts:TagSession/)
      await refused(run('GetFederationToken', { Name: 'bob', Policy: '{}' }, carol), 'MalformedPolicyDocument', 'Syntax errors in policy.')
    })

    test('answers who the session is, and the size of its policies', async () => {
      const { user, run, session } = await start()
      const alice = await user('alice', allowing('sts:*'))
      const answer = await run('GetFederationToken', { Name: 'bob', DurationSeconds: 900 }, alice)
      assert.deepEqual(answer.FederatedUser, { FederatedUserId: `${accountId}:bob`, Arn: bobArn })
      assert.equal(answer.PackedPolicySize, 0)
      assert.deepEqual(answer.Credentials.Expiration, new Date('2026-05-01T10:15:00Z'))
      assert.ok((await run('GetFederationToken', { Name: 'bob', Policy: allowing('s3:*') }, alice)).PackedPolicySize > 0)
      assert.deepEqual(await run('GetCallerIdentity', {}, await session(answer)), { UserId: `${accountId}:bob`, Account: accountId, Arn: bobArn })
    })

    test('lets the session do what its user and its policies both allow', async () => {
      const server = await start()
      const alice = await server.user('alice', allowing(['sts:GetFederationToken', 'dynamodb:GetItem', 'dynamodb:PutItem']))
      const session = await server.federated(alice, { Policy: allowing(['dynamodb:GetItem', 'dynamodb:Scan']) })
      assert.equal((await decide(server, session, 'dynamodb:GetItem')).allowed, true)
      assert.match((await decide(server, session, 'dynamodb:PutItem')).message, /because no session policy allows the dynamodb:PutItem action$/)
      assert.match((await decide(server, session, 'dynamodb:Scan')).message, /because no identity-based policy allows the dynamodb:Scan action$/)
    })

    test('without session policies, lets the session do only what a resource\'s policy allows it by name', async () => {
      const server = await start()
      const alice = await server.user('alice', allowing('*'))
      const session = await server.federated(alice)
      assert.match((await decide(server, session, 'dynamodb:GetItem')).message, /because no session policy allows/)
      const statement = (AWS: string): PolicyStatement => ({ Effect: 'Allow', Principal: { AWS }, Action: 'dynamodb:GetItem', Resource: '*' })
      assert.equal((await decide(server, session, 'dynamodb:GetItem', statement(bobArn))).allowed, true)
      assert.equal((await decide(server, session, 'dynamodb:GetItem', statement(alice.arn))).allowed, false)
    })

    test('lets the session of a root do what its policies allow', async () => {
      const server = await start()
      const session = await server.federated(await server.root(accountId), { Policy: allowing('dynamodb:GetItem') })
      assert.equal((await decide(server, session, 'dynamodb:GetItem')).allowed, true)
      assert.equal((await decide(server, session, 'dynamodb:PutItem')).allowed, false)
    })

    test('gives sessions that call nothing of IAM, and of STS only GetCallerIdentity', async () => {
      const { user, federated, run } = await start()
      const session = await federated(await user('alice', allowing('*')), { Policy: allowing('*') })
      await refused(run('ListUsers', {}, session), 'InvalidClientTokenId', 'The security token included in the request is invalid')
      await refused(run('AssumeRole', { RoleArn: `arn:aws:iam::${accountId}:role/r`, RoleSessionName: 's1' }, session), 'AccessDenied', /with session credentials$/)
    })

    test('gives sessions whose tags policies read', async () => {
      const server = await start()
      const alice = await server.user('alice', document({ Effect: 'Allow', Action: ['sts:GetFederationToken', 'sts:TagSession'], Resource: '*' },
        { Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: '*', Condition: { StringEquals: { 'aws:PrincipalTag/team': 'red', 'aws:userid': `${accountId}:bob`, 'aws:PrincipalType': 'FederatedUser' } } }))
      const policy = { Policy: allowing('*') }
      assert.equal((await decide(server, await server.federated(alice, policy), 'dynamodb:GetItem')).allowed, false)
      assert.equal((await decide(server, await server.federated(alice, { ...policy, Tags: [{ Key: 'team', Value: 'red' }] }), 'dynamodb:GetItem')).allowed, true)
    })
  })
})
