// STS on both engines: who may assume which role, within an account and across accounts, and what the session then is.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Caller, RoleCaller } from '#aws/caller.ts'
import { migrations } from '#services/iam/migrations.ts'
import { eachDatabase } from '#test/support/each-database.ts'
import { firstAccountId as accountId, startIam } from '#test/support/iam-in-process.ts'

const otherAccountId = '222222222222'
const document = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
const trusting = (AWS: string | string[], extra: object = {}) => document({ Effect: 'Allow', Principal: { AWS }, Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'], ...extra })
const allowing = (Action: string, Resource = '*') => document({ Effect: 'Allow', Action, Resource })
const denying = (Action: string) => document({ Effect: 'Deny', Action, Resource: '*' })
const roleArn = `arn:aws:iam::${accountId}:role/r`
const aliceArn = `arn:aws:iam::${accountId}:user/alice`

eachDatabase('STS', { migrations, transactionModules: [new URL('../iam/store.ts', import.meta.url)] }, (open) => {
  const start = async () => {
    const server = await startIam(await open())
    return {
      ...server,
      role: (trust: string, more: object = {}) => server.run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: trust, ...more }),
      assume: (caller: Caller, more: object = {}) => server.run('AssumeRole', { RoleArn: roleArn, RoleSessionName: 's1', ...more }, caller),
      /** The caller that the answer's keys stand for. */
      session: async ({ Credentials }: any) => (await server.credential(Credentials.AccessKeyId, Credentials.SessionToken)).caller as RoleCaller,
    }
  }
  const refused = (promise: Promise<unknown>, code: string, message: string | RegExp) => assert.rejects(promise, { name: code, message })
  const denied = (caller: Caller, action = 'sts:AssumeRole') => `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${roleArn}`

  describe('AssumeRole within an account', () => {
    test('suffices when the trust policy names the caller', async () => {
      const { user, role, assume } = await start()
      const alice = await user('alice')
      await role(trusting(aliceArn))
      assert.ok(await assume(alice))
    })

    test('needs the caller\'s own permission when the trust policy names the account', async () => {
      const { user, role, assume } = await start()
      const alice = await user('alice')
      const bob = await user('bob', allowing('sts:AssumeRole', roleArn))
      await role(trusting(accountId))
      await refused(assume(alice), 'AccessDenied', denied(alice))
      assert.ok(await assume(bob))
    })

    test('needs the trust policy, whatever the caller may do', async () => {
      const { user, role, assume } = await start()
      const admin = await user('admin', allowing('*'))
      await role(document({ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }))
      await refused(assume(admin), 'AccessDenied', denied(admin))
    })

    test('refuses a role that does not exist like one that does not trust', async () => {
      const { user, assume } = await start()
      const admin = await user('admin', allowing('*'))
      await refused(assume(admin), 'AccessDenied', denied(admin))
    })

    test('is denied by either side', async () => {
      const { user, role, assume, run } = await start()
      const alice = await user('alice', denying('sts:*'))
      await role(trusting(aliceArn))
      await refused(assume(alice), 'AccessDenied', `${denied(alice)} with an explicit deny in an identity-based policy`)
      await run('DeleteUserPolicy', { UserName: 'alice', PolicyName: 'p' })
      await run('UpdateAssumeRolePolicy', { RoleName: 'r', PolicyDocument: document({ Effect: 'Deny', Principal: '*', Action: 'sts:AssumeRole' }) })
      await refused(assume(alice), 'AccessDenied', `${denied(alice)} with an explicit deny in the role trust policy`)
    })

    test('is not for the account\'s root', async () => {
      const { root, role, assume } = await start()
      await role(trusting(accountId))
      await refused(assume(await root(accountId)), 'AccessDenied', 'Roles may not be assumed by root accounts.')
    })

    test('asks for the external id that the trust policy wants', async () => {
      const { user, role, assume } = await start()
      const alice = await user('alice')
      await role(trusting(aliceArn, { Condition: { StringEquals: { 'sts:ExternalId': 'secret-7' } } }))
      await refused(assume(alice), 'AccessDenied', denied(alice))
      await refused(assume(alice, { ExternalId: 'secret-8' }), 'AccessDenied', denied(alice))
      assert.ok(await assume(alice, { ExternalId: 'secret-7' }))
    })
  })

  describe('AssumeRole across accounts', () => {
    const setUp = async (trust: string, policy?: string) => {
      const server = await start()
      const eve = await server.user('eve', policy, otherAccountId)
      await server.role(trust)
      return { ...server, eve }
    }
    const eveArn = `arn:aws:iam::${otherAccountId}:user/eve`

    test('needs the caller\'s own permission, even when named', async () => {
      const { assume, eve } = await setUp(trusting(eveArn))
      await refused(assume(eve), 'AccessDenied', denied(eve))
    })

    test('needs the trust policy', async () => {
      const { assume, eve } = await setUp(trusting(accountId), allowing('*'))
      await refused(assume(eve), 'AccessDenied', denied(eve))
    })

    test('is allowed by both together, by name or by account', async () => {
      for (const principal of [eveArn, otherAccountId, `arn:aws:iam::${otherAccountId}:root`]) {
        const { assume, eve, session } = await setUp(trusting(principal), allowing('sts:AssumeRole', roleArn))
        assert.equal((await session(await assume(eve))).accountId, accountId)
      }
    })
  })

  describe('AssumeRole refuses', () => {
    for (const arn of ['nothing-valid-in-here', 'arn::b:::something/test-role', 'arn:a::::something/test-role', 'arn:a:::something/test-role', 'arn:a:a::aaaaaaaaaa:']) {
      test(`${arn}, which is no ARN`, async () => {
        const { user, assume } = await start()
        await refused(assume(await user('alice'), { RoleArn: arn }), 'ValidationError', `${arn} is invalid`)
      })
    }

    test('to outlast what the role or a chain of roles allows', async () => {
      const { user, role, assume, session, run } = await start()
      const alice = await user('alice')
      await role(trusting([aliceArn, accountId]), { MaxSessionDuration: 7200 })
      assert.ok(await assume(alice, { DurationSeconds: 7200 }))
      await refused(assume(alice, { DurationSeconds: 7201 }), 'ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.')
      await run('PutRolePolicy', { RoleName: 'r', PolicyName: 'p', PolicyDocument: allowing('sts:AssumeRole') })
      const chained = await session(await assume(alice))
      assert.ok(await assume(chained, { DurationSeconds: 3600 }))
      await refused(assume(chained, { DurationSeconds: 3601 }), 'ValidationError', 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.')
    })

    test('session policies that are none', async () => {
      const { user, role, assume } = await start()
      const alice = await user('alice')
      await role(trusting(aliceArn))
      await refused(assume(alice, { Policy: '{}' }), 'MalformedPolicyDocument', 'Syntax errors in policy.')
      await refused(assume(alice, { PolicyArns: [{ arn: `arn:aws:iam::${accountId}:policy/none` }] }), 'InvalidParameterValue', /./)
    })

    test('tags that clash', async () => {
      const { user, role, assume, session, run } = await start()
      const alice = await user('alice')
      await role(trusting([aliceArn, accountId]))
      await run('PutRolePolicy', { RoleName: 'r', PolicyName: 'p', PolicyDocument: allowing('sts:*') })
      await refused(assume(alice, { Tags: [{ Key: 'a', Value: '1' }, { Key: 'A', Value: '2' }] }), 'InvalidParameterValue', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.')
      await refused(assume(alice, { Tags: [{ Key: 'a', Value: '1' }], TransitiveTagKeys: ['b'] }), 'InvalidParameterValue', 'The specified transitive tag key must be included in the requested tags.')
      const first = await session(await assume(alice, { Tags: [{ Key: 'a', Value: '1' }], TransitiveTagKeys: ['a'] }))
      await refused(assume(first, { Tags: [{ Key: 'A', Value: '2' }] }), 'InvalidParameterValue', /conflicts with a transitive tag key from the calling session\.$/)
    })

    test('tags where the trust policy does not allow to tag', async () => {
      const { user, role, assume } = await start()
      const alice = await user('alice')
      await role(trusting(aliceArn, { Action: 'sts:AssumeRole' }))
      await refused(assume(alice, { Tags: [{ Key: 'a', Value: '1' }] }), 'AccessDenied', denied(alice, 'sts:TagSession'))
      await refused(assume(alice, { SourceIdentity: 'alice' }), 'AccessDenied', denied(alice, 'sts:SetSourceIdentity'))
    })
  })

  describe('a session', () => {
    test('is what the answer says', async () => {
      const { user, role, assume, session, run } = await start()
      const alice = await user('alice')
      const { Role } = await role(trusting(aliceArn), { Path: '/' })
      const answer = await assume(alice, { DurationSeconds: 900 })
      assert.deepEqual(answer.AssumedRoleUser, { AssumedRoleId: `${Role.RoleId}:s1`, Arn: `arn:aws:sts::${accountId}:assumed-role/r/s1` })
      assert.deepEqual(answer.Credentials.Expiration, new Date('2026-05-01T10:15:00Z'))
      assert.equal(answer.PackedPolicySize, undefined)
      assert.deepEqual(await run('GetCallerIdentity', {}, await session(answer)), { UserId: `${Role.RoleId}:s1`, Account: accountId, Arn: `arn:aws:sts::${accountId}:assumed-role/r/s1` })
      assert.deepEqual(await run('GetAccessKeyInfo', { AccessKeyId: answer.Credentials.AccessKeyId }), { Account: accountId })
    })

    test('is limited by its policies', async () => {
      const { user, role, assume, session, run } = await start()
      const alice = await user('alice')
      await role(trusting(aliceArn))
      await run('AttachRolePolicy', { RoleName: 'r', PolicyArn: 'arn:aws:iam::aws:policy/IAMFullAccess' })
      const answer = await assume(alice, { Policy: allowing('iam:ListUsers') })
      assert.ok(answer.PackedPolicySize > 0)
      const caller = await session(answer)
      assert.ok(await run('ListUsers', {}, caller))
      await refused(run('ListRoles', {}, caller), 'AccessDenied', /because no session policy allows the iam:ListRoles action$/)
      const managed = await session(await assume(alice, { PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/IAMReadOnlyAccess' }] }))
      assert.ok(await run('ListRoles', {}, managed))
      await refused(run('CreateUser', { UserName: 'x' }, managed), 'AccessDenied', /because no session policy allows/)
    })

    test('hands transitive tags and its source identity on', async () => {
      const { user, role, assume, session, run } = await start()
      const alice = await user('alice')
      await role(trusting([aliceArn, accountId]))
      await run('PutRolePolicy', { RoleName: 'r', PolicyName: 'p', PolicyDocument: allowing('sts:*') })
      const first = await session(await assume(alice, { Tags: [{ Key: 'a', Value: '1' }, { Key: 'b', Value: '2' }], TransitiveTagKeys: ['a'], SourceIdentity: 'alice-at-desk' }))
      assert.deepEqual(first.session, { tags: { a: '1', b: '2' }, transitiveTagKeys: ['a'], sourceIdentity: 'alice-at-desk' })
      const answer = await assume(first, { Tags: [{ Key: 'c', Value: '3' }] })
      assert.equal(answer.SourceIdentity, 'alice-at-desk')
      assert.deepEqual((await session(answer)).session, { tags: { a: '1', c: '3' }, transitiveTagKeys: ['a'], sourceIdentity: 'alice-at-desk' })
      await refused(assume(first, { SourceIdentity: 'another' }), 'AccessDenied', /./)
    })

    test('has the tags of its role, over which its own win', async () => {
      const { user, role, assume, session, run } = await start()
      const alice = await user('alice')
      await role(trusting(aliceArn), { Tags: [{ Key: 'team', Value: 'red' }, { Key: 'site', Value: 'A' }] })
      await run('PutRolePolicy', { RoleName: 'r', PolicyName: 'p', PolicyDocument: document({
        Effect: 'Allow', Action: 'iam:ListRoles', Resource: '*', Condition: { StringEquals: { 'aws:PrincipalTag/team': 'blue', 'aws:PrincipalTag/site': 'A' } },
      }) })
      await refused(run('ListRoles', {}, await session(await assume(alice))), 'AccessDenied', /./)
      assert.ok(await run('ListRoles', {}, await session(await assume(alice, { Tags: [{ Key: 'Team', Value: 'blue' }] }))))
    })

    test('is revoked by a denial of sessions begun before', async () => {
      const { user, role, assume, session, run, tick } = await start()
      const alice = await user('alice')
      await role(trusting(aliceArn))
      await run('PutRolePolicy', { RoleName: 'r', PolicyName: 'p', PolicyDocument: allowing('iam:*') })
      const before = await session(await assume(alice))
      tick(60_000)
      await run('PutRolePolicy', { RoleName: 'r', PolicyName: 'revoke', PolicyDocument: document({
        Effect: 'Deny', Action: '*', Resource: '*', Condition: { DateLessThan: { 'aws:TokenIssueTime': '2026-05-01T10:01:00Z' } },
      }) })
      await refused(run('ListRoles', {}, before), 'AccessDenied', /with an explicit deny in an identity-based policy$/)
      assert.ok(await run('ListRoles', {}, await session(await assume(alice))))
    })
  })

  test('GetCallerIdentity answers whoever signed, whatever policies say', async () => {
    const { user, run, root } = await start()
    const alice = await user('alice', denying('*'))
    assert.deepEqual(await run('GetCallerIdentity', {}, alice), { UserId: alice.userId, Account: accountId, Arn: aliceArn })
    assert.deepEqual(await run('GetCallerIdentity', {}, await root(accountId)), { UserId: accountId, Account: accountId, Arn: `arn:aws:iam::${accountId}:root` })
  })
})
