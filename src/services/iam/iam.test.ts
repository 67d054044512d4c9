// IAM on both engines, its operations called as the wire calls them: validation aside, access first.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemRandom } from '#lib/random.ts'
import type { Database } from '#storage/database.ts'
import { eachDatabase } from '#test/support/each-database.ts'
import { firstAccountId as accountId, startIam } from '#test/support/iam-in-process.ts'
import { migrations } from './migrations.ts'
import { accountOfAccessKeyId, newAccessKeyId } from './model.ts'

const trust = (principal: object, extra: object = {}) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole', ...extra }] })
const allowing = (Action: string | string[], Resource = '*') => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] })
const forLambda = trust({ Service: 'lambda.amazonaws.com' })

eachDatabase('IAM', { migrations, transactionModules: [new URL('./store.ts', import.meta.url)] }, (open) => {
  const start = async (database?: Database) => startIam(database ?? await open())

  const refused = (promise: Promise<unknown>, code: string, message: string | RegExp) => assert.rejects(promise, { name: code, message })

  describe('refuses', () => {
    test('names that are taken, whatever their case', async () => {
      const { run } = await start()
      await run('CreateUser', { UserName: 'bob' })
      await refused(run('CreateUser', { UserName: 'bob' }), 'EntityAlreadyExists', 'User with name bob already exists.')
      await refused(run('CreateUser', { UserName: 'BOB' }), 'EntityAlreadyExists', 'User with name BOB already exists.')
      await run('CreateRole', { RoleName: 'bob', AssumeRolePolicyDocument: forLambda })
      await refused(run('CreateRole', { RoleName: 'bob', AssumeRolePolicyDocument: forLambda }), 'EntityAlreadyExists', 'Role with name bob already exists.')
      await run('CreatePolicy', { PolicyName: 'p', PolicyDocument: allowing('s3:*') })
      await refused(run('CreatePolicy', { PolicyName: 'p', PolicyDocument: allowing('s3:*') }), 'EntityAlreadyExists', 'A policy called p already exists. Duplicate names are not allowed.')
    })

    test('what is not there', async () => {
      const { run } = await start()
      await refused(run('GetUser', { UserName: 'x' }), 'NoSuchEntity', 'The user with name x cannot be found.')
      await refused(run('DeleteRole', { RoleName: 'x' }), 'NoSuchEntity', 'The role with name x cannot be found.')
      await refused(run('GetGroup', { GroupName: 'x' }), 'NoSuchEntity', 'The group with name x cannot be found.')
      await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: forLambda })
      await refused(run('GetRolePolicy', { RoleName: 'r', PolicyName: 'p' }), 'NoSuchEntity', 'The role policy with name p cannot be found.')
      const arn = `arn:aws:iam::${accountId}:policy/nothing`
      await refused(run('AttachRolePolicy', { RoleName: 'r', PolicyArn: arn }), 'NoSuchEntity', `Policy ${arn} does not exist or is not attachable.`)
      await refused(run('DetachRolePolicy', { RoleName: 'r', PolicyArn: arn }), 'NoSuchEntity', `Policy ${arn} was not found.`)
      await refused(run('GetPolicy', { PolicyArn: arn }), 'NoSuchEntity', `Policy ${arn} was not found.`)
      await refused(run('GetPolicyVersion', { PolicyArn: arn, VersionId: 'v1' }), 'NoSuchEntity', `Policy ${arn} version v1 does not exist or is not attachable.`)
      await refused(run('AttachRolePolicy', { RoleName: 'r', PolicyArn: 'longpolicynamebutnoarn' }), 'ValidationError', 'ARN longpolicynamebutnoarn is not valid.')
      await refused(run('AddUserToGroup', { UserName: 'x', GroupName: 'y' }), 'NoSuchEntity', 'The user with name x cannot be found.')
      await refused(run('UpdateAccessKey', { AccessKeyId: 'AKIAIOSFODNN7EXAMPLE', Status: 'Active' }), 'NoSuchEntity', 'The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found.')
    })

    test('policies that are none', async () => {
      const { run } = await start()
      await refused(run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: 'not json at all' }), 'MalformedPolicyDocument', 'This policy contains invalid Json')
      await refused(run('CreatePolicy', { PolicyName: 'p', PolicyDocument: '{}' }), 'MalformedPolicyDocument', 'Syntax errors in policy.')
      const ghost = `arn:aws:iam::${accountId}:user/ghost`
      await refused(run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: trust({ AWS: ghost }) }), 'MalformedPolicyDocument', `Invalid principal in policy: "AWS":"${ghost}"`)
      await refused(run('CreateUser', { UserName: 'u', PermissionsBoundary: `arn:aws:iam::${accountId}:policy/none` }), 'NoSuchEntity',
        `Scope ARN: arn:aws:iam::${accountId}:policy/none does not exist or is not attachable.`)
    })

    test('to delete what others belong to', async () => {
      const { run } = await start()
      await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: forLambda })
      await run('AttachRolePolicy', { RoleName: 'r', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' })
      await refused(run('DeleteRole', { RoleName: 'r' }), 'DeleteConflict', 'Cannot delete entity, must detach all policies first.')
      await run('DetachRolePolicy', { RoleName: 'r', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' })
      await run('PutRolePolicy', { RoleName: 'r', PolicyName: 'p', PolicyDocument: allowing('s3:*') })
      await refused(run('DeleteRole', { RoleName: 'r' }), 'DeleteConflict', 'Cannot delete entity, must delete policies first.')
      await run('DeleteRolePolicy', { RoleName: 'r', PolicyName: 'p' })
      await run('DeleteRole', { RoleName: 'r' })
      await run('CreateUser', { UserName: 'u' })
      await run('CreateAccessKey', { UserName: 'u' })
      await refused(run('DeleteUser', { UserName: 'u' }), 'DeleteConflict', 'Cannot delete entity, must delete access keys first.')
      const { Policy } = await run('CreatePolicy', { PolicyName: 'p', PolicyDocument: allowing('s3:*') })
      await run('AttachUserPolicy', { UserName: 'u', PolicyArn: Policy.Arn })
      await refused(run('DeletePolicy', { PolicyArn: Policy.Arn }), 'DeleteConflict', 'Cannot delete a policy attached to entities.')
    })

    test('more than the quotas allow', async () => {
      const { run } = await start()
      await run('CreateUser', { UserName: 'u' })
      await run('CreateAccessKey', { UserName: 'u' })
      await run('CreateAccessKey', { UserName: 'u' })
      await refused(run('CreateAccessKey', { UserName: 'u' }), 'LimitExceeded', 'Cannot exceed quota for AccessKeysPerUser: 2')
      const { Policy: { Arn: PolicyArn } } = await run('CreatePolicy', { PolicyName: 'p', PolicyDocument: allowing('s3:*') })
      for (let version = 2; version <= 5; version++) await run('CreatePolicyVersion', { PolicyArn, PolicyDocument: allowing('s3:*') })
      await refused(run('CreatePolicyVersion', { PolicyArn, PolicyDocument: allowing('s3:*') }), 'LimitExceeded', /^A managed policy can have up to 5 versions\./)
      await refused(run('DeletePolicyVersion', { PolicyArn, VersionId: 'v1' }), 'DeleteConflict', 'Cannot delete the default version of a policy.')
      await run('DeletePolicyVersion', { PolicyArn, VersionId: 'v5' })
      assert.equal((await run('CreatePolicyVersion', { PolicyArn, PolicyDocument: allowing('s3:*') })).PolicyVersion.VersionId, 'v6', 'a number is never given twice')
      const large = allowing(Array.from({ length: 100 }, (_, index) => `s3:SomeRatherLongActionName${index}`))
      await refused(run('PutUserPolicy', { UserName: 'u', PolicyName: 'p', PolicyDocument: large }), 'LimitExceeded', 'Maximum policy size of 2048 bytes exceeded for user u')
    })

    test('tags of one key twice', async () => {
      const { run } = await start()
      const Tags = [{ Key: 'a', Value: '1' }, { Key: 'A', Value: '2' }]
      await refused(run('CreateUser', { UserName: 'u', Tags }), 'InvalidInput', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.')
      await run('CreatePolicy', { PolicyName: 'p', PolicyDocument: allowing('s3:*'), Tags })
    })

    test('names in IAM\'s own words', async () => {
      const { run } = await start()
      await refused(run('CreateRole', { RoleName: 'bad/name', AssumeRolePolicyDocument: forLambda }), 'ValidationError',
        'The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-')
      await refused(run('CreateUser', { UserName: 'u', Path: 'bad' }), 'ValidationError', /^The specified value for path is invalid\./)
    })

    test('who lacks the permission, naming the resource as IAM does', async () => {
      const { run, user } = await start()
      const bob = await user('bob')
      await run('CreateRole', { RoleName: 'r', Path: '/teams/', AssumeRolePolicyDocument: forLambda })
      const start_ = `User: arn:aws:iam::${accountId}:user/bob is not authorized to perform:`
      await refused(run('GetRole', { RoleName: 'r' }, bob), 'AccessDenied', `${start_} iam:GetRole on resource: role r because no identity-based policy allows the iam:GetRole action`)
      await refused(run('ListRoles', {}, bob), 'AccessDenied', `${start_} iam:ListRoles on resource: arn:aws:iam::${accountId}:role/ because no identity-based policy allows the iam:ListRoles action`)
      await refused(run('CreateUser', { UserName: 'eve', Path: '/x/' }, bob), 'AccessDenied',
        `${start_} iam:CreateUser on resource: arn:aws:iam::${accountId}:user/x/eve because no identity-based policy allows the iam:CreateUser action`)
      await run('PutUserPolicy', { UserName: 'bob', PolicyName: 'p', PolicyDocument: allowing('iam:GetRole', `arn:aws:iam::${accountId}:role/teams/*`) })
      assert.equal((await run('GetRole', { RoleName: 'r' }, bob)).Role.RoleName, 'r')
    })

    test('to change a policy of AWS', async () => {
      const { run } = await start()
      await refused(run('DeletePolicy', { PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' }), 'AccessDenied', /./)
    })
  })

  describe('does', () => {
    test('describe users, roles and policies as IAM does', async () => {
      const { run } = await start()
      const { User } = await run('CreateUser', { UserName: 'u', Path: '/p/', Tags: [{ Key: 'team', Value: 'red' }] })
      assert.match(User.UserId, /^AIDA[A-Z2-7]{17}$/)
      assert.deepEqual({ ...User, UserId: undefined }, {
        Path: '/p/', UserName: 'u', UserId: undefined, Arn: `arn:aws:iam::${accountId}:user/p/u`, CreateDate: new Date('2026-05-01T10:00:00Z'), Tags: [{ Key: 'team', Value: 'red' }],
      })
      const { Role } = await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: forLambda, Description: 'd' })
      assert.deepEqual(Object.keys(Role).sort(), ['Arn', 'AssumeRolePolicyDocument', 'CreateDate', 'Path', 'RoleId', 'RoleName'])
      assert.equal(decodeURIComponent(Role.AssumeRolePolicyDocument), forLambda)
      assert.ok(!/["{}:* ]/.test(Role.AssumeRolePolicyDocument), 'documents are percent-encoded')
      const got = (await run('GetRole', { RoleName: 'r' })).Role
      assert.equal(got.MaxSessionDuration, 3600)
      assert.equal(got.Description, 'd')
    })

    test('list in pages', async () => {
      const { run } = await start()
      for (const UserName of ['c', 'A', 'b', 'd']) await run('CreateUser', { UserName, Path: UserName === 'd' ? '/x/' : '/' })
      const first = await run('ListUsers', { MaxItems: 2 })
      assert.deepEqual([first.Users.map((user: any) => user.UserName), first.IsTruncated], [['A', 'b'], true])
      const second = await run('ListUsers', { MaxItems: 2, Marker: first.Marker })
      assert.deepEqual([second.Users.map((user: any) => user.UserName), second.IsTruncated, second.Marker], [['c', 'd'], false, undefined])
      assert.deepEqual((await run('ListUsers', { PathPrefix: '/x' })).Users.map((user: any) => user.UserName), ['d'])
    })

    test('give the root its key and keep no secret in the clear', async () => {
      const core = await open()
      const { iam, run } = await start(core)
      assert.deepEqual(await iam.findRootKey(accountId), { accessKeyId: `AKIAROOT${accountId}`, secretAccessKey: 'root-secret-of-the-account' })
      await run('CreateUser', { UserName: 'u' })
      const { AccessKey } = await run('CreateAccessKey', { UserName: 'u' })
      const rows = await core.query({ text: 'select * from iam_access_keys', values: [] })
      assert.equal(rows.length, 2)
      assert.ok(!JSON.stringify(rows).includes(AccessKey.SecretAccessKey) && !JSON.stringify(rows).includes('root-secret'))
      await iam.ensureAccount({ accountId, rootAccessKeyId: 'AKIAANOTHERANOTHER00', rootSecretAccessKey: 'another-root-secret' })
      assert.deepEqual(await iam.identity.findCredential(`AKIAROOT${accountId}`, undefined), { refused: 'unknown key' })
    })

    test('put the account into the id of a key', () => {
      for (const account of ['000000000000', accountId, '999999999999']) {
        const id = newAccessKeyId('AKIA', account, systemRandom)
        assert.match(id, /^AKIA[A-Z2-7]{16}$/)
        assert.equal(accountOfAccessKeyId(id), account)
      }
      assert.equal(accountOfAccessKeyId('nonsense'), undefined)
    })

    test('judge keys as they are now', async () => {
      const { run, iam } = await start()
      await run('CreateUser', { UserName: 'u' })
      const { AccessKeyId } = (await run('CreateAccessKey', { UserName: 'u' })).AccessKey
      const find = () => iam.identity.findCredential(AccessKeyId, undefined)
      assert.ok('caller' in await find())
      await run('UpdateAccessKey', { UserName: 'u', AccessKeyId, Status: 'Inactive' })
      assert.deepEqual(await find(), { refused: 'inactive key' })
      await run('UpdateAccessKey', { UserName: 'u', AccessKeyId, Status: 'Active' })
      await run('UpdateUser', { UserName: 'u', NewUserName: 'v' })
      const renamed = await find()
      assert.ok('caller' in renamed && renamed.caller.arn === `arn:aws:iam::${accountId}:user/v`)
      await run('DeleteAccessKey', { UserName: 'v', AccessKeyId })
      assert.deepEqual(await find(), { refused: 'unknown key' })
      assert.deepEqual(await iam.identity.findCredential('AKIATESTTESTTESTTEST', undefined), { refused: 'unknown key' })
    })

    test('apply policies at the next request: inline, managed, of groups, and boundaries', async () => {
      const { run, user } = await start()
      const bob = await user('bob')
      const may = () => run('ListGroups', {}, bob).then(() => true, () => false)
      assert.equal(await may(), false)
      await run('PutUserPolicy', { UserName: 'bob', PolicyName: 'p', PolicyDocument: allowing('iam:*') })
      assert.equal(await may(), true)
      await run('DeleteUserPolicy', { UserName: 'bob', PolicyName: 'p' })
      assert.equal(await may(), false)
      const { Policy: { Arn: PolicyArn } } = await run('CreatePolicy', { PolicyName: 'p', PolicyDocument: allowing('iam:List*') })
      await run('AttachUserPolicy', { UserName: 'bob', PolicyArn })
      assert.equal(await may(), true)
      await run('CreatePolicyVersion', { PolicyArn, PolicyDocument: allowing('s3:*'), SetAsDefault: true })
      assert.equal(await may(), false)
      await run('SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v1' })
      assert.equal(await may(), true)
      await run('DetachUserPolicy', { UserName: 'bob', PolicyArn })
      assert.equal(await may(), false)
      await run('CreateGroup', { GroupName: 'g' })
      await run('AttachGroupPolicy', { GroupName: 'g', PolicyArn: 'arn:aws:iam::aws:policy/IAMReadOnlyAccess' })
      await run('AddUserToGroup', { GroupName: 'g', UserName: 'bob' })
      assert.equal(await may(), true)
      await run('PutGroupPolicy', { GroupName: 'g', PolicyName: 'no', PolicyDocument: allowing('iam:ListGroups').replace('Allow', 'Deny') })
      assert.equal(await may(), false)
      await run('DeleteGroupPolicy', { GroupName: 'g', PolicyName: 'no' })
      await run('PutUserPermissionsBoundary', { UserName: 'bob', PermissionsBoundary: 'arn:aws:iam::aws:policy/CloudWatchLogsFullAccess' })
      await refused(run('ListGroups', {}, bob), 'AccessDenied', /because no permissions boundary allows the iam:ListGroups action$/)
      await run('DeleteUserPermissionsBoundary', { UserName: 'bob' })
      assert.equal(await may(), true)
      await run('RemoveUserFromGroup', { GroupName: 'g', UserName: 'bob' })
      assert.equal(await may(), false)
    })

    test('know AWS\'s own policies by name', async () => {
      const { run } = await start()
      const { Policies } = await run('ListPolicies', { Scope: 'AWS' })
      assert.ok(Policies.some((policy: any) => policy.Arn === 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'))
      const { PolicyVersion } = await run('GetPolicyVersion', { PolicyArn: 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole', VersionId: 'v1' })
      assert.deepEqual(JSON.parse(decodeURIComponent(PolicyVersion.Document)).Statement[0].Action, ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'])
    })

    test('say who uses a policy', async () => {
      const { run } = await start()
      const { Policy: { Arn: PolicyArn } } = await run('CreatePolicy', { PolicyName: 'p', PolicyDocument: allowing('s3:*') })
      await run('CreateUser', { UserName: 'u', PermissionsBoundary: PolicyArn })
      await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: forLambda })
      await run('AttachRolePolicy', { RoleName: 'r', PolicyArn })
      const { PolicyRoles, PolicyUsers } = await run('ListEntitiesForPolicy', { PolicyArn })
      assert.deepEqual([PolicyRoles.map((role: any) => role.RoleName), PolicyUsers], [['r'], []])
      const { AttachmentCount, PermissionsBoundaryUsageCount } = (await run('GetPolicy', { PolicyArn })).Policy
      assert.deepEqual([AttachmentCount, PermissionsBoundaryUsageCount], [1, 1])
    })

    test('keep tags in order of their keys', async () => {
      const { run } = await start()
      await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: forLambda, Tags: [{ Key: 'b', Value: '1' }] })
      await run('TagRole', { RoleName: 'r', Tags: [{ Key: 'a', Value: '2' }, { Key: 'B', Value: '3' }] })
      assert.deepEqual((await run('ListRoleTags', { RoleName: 'r' })).Tags, [{ Key: 'a', Value: '2' }, { Key: 'b', Value: '3' }])
      await run('UntagRole', { RoleName: 'r', TagKeys: ['A'] })
      assert.deepEqual((await run('ListRoleTags', { RoleName: 'r' })).Tags, [{ Key: 'b', Value: '3' }])
    })
  })

  describe('OpenID Connect providers', () => {
    const Url = 'https://issuer.example.com/path'
    const OpenIDConnectProviderArn = `arn:aws:iam::${accountId}:oidc-provider/issuer.example.com/path`

    // Observed: AWS, 17-02-2026 and 18-02-2026, recorded by localstack's TestOIDCProviderCreateErrors and TestOIDCProviderOperations.
    test('are refused twice, with a bad URL, with too much, and when they are not there', async () => {
      const { run } = await start()
      for (const bad of ['example.org', 'http://example.org', 'ftp://example.org', 'https://example.org/?a=1', 'https://a:b@example.org', 'https://']) {
        await refused(run('CreateOpenIDConnectProvider', { Url: bad }), 'ValidationError', 'Invalid Open ID Connect Provider URL')
      }
      await refused(run('CreateOpenIDConnectProvider', { Url, ThumbprintList: Array<string>(6).fill('a'.repeat(40)) }), 'InvalidInput', 'Thumbprint list must contain fewer than 5 entries.')
      const tooMany = Array.from({ length: 101 }, (_, index) => String(index))
      await refused(run('CreateOpenIDConnectProvider', { Url, ClientIDList: tooMany }), 'LimitExceeded', 'Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100')
      await refused(run('GetOpenIDConnectProvider', { OpenIDConnectProviderArn }), 'NoSuchEntity', `OpenIDConnect Provider not found for arn ${OpenIDConnectProviderArn}`)
      await refused(run('DeleteOpenIDConnectProvider', { OpenIDConnectProviderArn }), 'NoSuchEntity', `OpenId connect Provider ${OpenIDConnectProviderArn} cannot be found.`)
      await run('CreateOpenIDConnectProvider', { Url, ClientIDList: tooMany.slice(1) })
      await refused(run('CreateOpenIDConnectProvider', { Url }), 'EntityAlreadyExists', `Provider with url ${Url} already exists.`)
      await refused(run('AddClientIDToOpenIDConnectProvider', { OpenIDConnectProviderArn, ClientID: 'one more' }), 'LimitExceeded', 'Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100')
    })

    test('are refused to whoever may not, and to other accounts', async () => {
      const { run, user, root } = await start()
      await run('CreateOpenIDConnectProvider', { Url })
      await refused(run('GetOpenIDConnectProvider', { OpenIDConnectProviderArn }, await user('alice')), 'AccessDenied', /not authorized to perform: iam:GetOpenIDConnectProvider on resource: arn:aws:iam::123456789012:oidc-provider\/issuer/)
      const other = await root('222222222222')
      await refused(run('GetOpenIDConnectProvider', { OpenIDConnectProviderArn }, other), 'AccessDenied', /no resource-based policy allows/)
      await refused(run('DeleteOpenIDConnectProvider', { OpenIDConnectProviderArn }, other), 'AccessDenied', /no resource-based policy allows/)
      assert.deepEqual(await run('ListOpenIDConnectProviders', {}, other), { OpenIDConnectProviderList: [] })
    })

    test('are made, changed, tagged, listed and deleted', async () => {
      const { run } = await start()
      const thumbprint = 'AB'.repeat(20)
      assert.deepEqual(await run('CreateOpenIDConnectProvider', { Url, ClientIDList: ['one'], Tags: [{ Key: 'a', Value: '1' }] }), { OpenIDConnectProviderArn, Tags: [{ Key: 'a', Value: '1' }] })
      await run('AddClientIDToOpenIDConnectProvider', { OpenIDConnectProviderArn, ClientID: 'two' })
      await run('AddClientIDToOpenIDConnectProvider', { OpenIDConnectProviderArn, ClientID: 'two' })
      await run('RemoveClientIDFromOpenIDConnectProvider', { OpenIDConnectProviderArn, ClientID: 'one' })
      await run('UpdateOpenIDConnectProviderThumbprint', { OpenIDConnectProviderArn, ThumbprintList: [thumbprint] })
      await run('TagOpenIDConnectProvider', { OpenIDConnectProviderArn, Tags: [{ Key: 'b', Value: '2' }] })
      await run('UntagOpenIDConnectProvider', { OpenIDConnectProviderArn, TagKeys: ['a'] })
      const { CreateDate, ...rest } = await run('GetOpenIDConnectProvider', { OpenIDConnectProviderArn })
      assert.ok(CreateDate instanceof Date)
      assert.deepEqual(rest, { Url: 'issuer.example.com/path', ClientIDList: ['two'], ThumbprintList: [thumbprint.toLowerCase()], Tags: [{ Key: 'b', Value: '2' }] })
      assert.deepEqual(await run('ListOpenIDConnectProviderTags', { OpenIDConnectProviderArn }), { Tags: [{ Key: 'b', Value: '2' }], IsTruncated: false })
      assert.deepEqual(await run('ListOpenIDConnectProviders'), { OpenIDConnectProviderList: [{ Arn: OpenIDConnectProviderArn }] })
      await run('DeleteOpenIDConnectProvider', { OpenIDConnectProviderArn })
      assert.deepEqual(await run('ListOpenIDConnectProviders'), { OpenIDConnectProviderList: [] })
    })
  })

  describe('accounts', () => {
    test('are made once, each with a root of its own', async () => {
      const { iam, credential } = await start()
      const made = await iam.createAccount('222222222222')
      assert.ok(made)
      assert.equal(await iam.createAccount('222222222222'), undefined)
      const { caller, secretAccessKey } = await credential(made.accessKeyId)
      assert.deepEqual([caller.is, caller.accountId, secretAccessKey], ['root', '222222222222', made.secretAccessKey])
      const drawn = await iam.createAccount()
      assert.match(drawn!.accountId, /^[1-9]\d{11}$/)
      assert.deepEqual((await iam.listAccounts()).map((one) => one.accountId), [accountId, '222222222222', drawn!.accountId].toSorted())
    })

    test('do not lend each other permissions boundaries', async () => {
      const { run, root } = await start()
      const { Policy } = await run('CreatePolicy', { PolicyName: 'p', PolicyDocument: allowing('*') }, await root('222222222222'))
      await run('CreateUser', { UserName: 'alice' })
      await refused(run('PutUserPermissionsBoundary', { UserName: 'alice', PermissionsBoundary: Policy.Arn }), 'NoSuchEntity', `Scope ARN: ${Policy.Arn} does not exist or is not attachable.`)
      await refused(run('AttachUserPolicy', { UserName: 'alice', PolicyArn: Policy.Arn }), 'NoSuchEntity', /does not exist or is not attachable/)
    })
  })

  describe('sessions of roles', () => {
    async function withRole(policy = allowing('iam:ListRoles')) {
      const core = await open()
      const server = await start(core)
      await server.run('CreateRole', { RoleName: 'r', Path: '/p/', AssumeRolePolicyDocument: forLambda, Tags: [{ Key: 'team', Value: 'red' }] })
      await server.run('PutRolePolicy', { RoleName: 'r', PolicyName: 'p', PolicyDocument: policy })
      const role = (await server.iam.roles.findRole(`arn:aws:iam::${accountId}:role/p/r`))!
      return { ...server, core, role }
    }

    test('are known by their token alone, on every node', async () => {
      const { iam, role, core, run } = await withRole()
      const { accessKeyId, sessionToken, secretAccessKey } = await iam.roles.issue({ role, sessionName: 's1', durationSeconds: 900 })
      assert.match(accessKeyId, /^ASIA[A-Z2-7]{16}$/)
      const elsewhere = await start(core)
      const { caller, secretAccessKey: secret } = await elsewhere.credential(accessKeyId, sessionToken)
      assert.equal(secret, secretAccessKey)
      assert.equal(caller.arn, `arn:aws:sts::${accountId}:assumed-role/r/s1`)
      assert.equal(caller.userId, `${role.roleId}:s1`)
      assert.ok(await run('ListRoles', {}, caller))
    })

    test('are refused without token, with another\'s token, and once expired', async () => {
      const { iam, role, tick } = await withRole()
      const one = await iam.roles.issue({ role, sessionName: 's1', durationSeconds: 900 })
      const other = await iam.roles.issue({ role, sessionName: 's2', durationSeconds: 900 })
      const find = (token?: string) => iam.identity.findCredential(one.accessKeyId, token)
      assert.deepEqual(await find(), { refused: 'token missing' })
      assert.deepEqual(await find(other.sessionToken), { refused: 'token invalid' })
      assert.deepEqual(await find(`${one.sessionToken.slice(0, -2)}AA`), { refused: 'token invalid' })
      assert.deepEqual(await find('test'), { refused: 'token invalid' })
      tick(899_999)
      assert.ok('caller' in await find(one.sessionToken))
      tick(1)
      assert.deepEqual(await find(one.sessionToken), { refused: 'token expired' })
    })

    test('end with their role, even when another takes its name', async () => {
      const { iam, role, run } = await withRole()
      const { accessKeyId, sessionToken } = await iam.roles.issue({ role, sessionName: 's1', durationSeconds: 900 })
      const find = () => iam.identity.findCredential(accessKeyId, sessionToken)
      assert.ok('caller' in await find())
      await run('DeleteRolePolicy', { RoleName: 'r', PolicyName: 'p' })
      await run('DeleteRole', { RoleName: 'r' })
      assert.deepEqual(await find(), { refused: 'principal deleted' })
      await run('CreateRole', { RoleName: 'r', Path: '/p/', AssumeRolePolicyDocument: forLambda })
      assert.deepEqual(await find(), { refused: 'principal deleted' })
    })

    test('have the role\'s policies as they are now, within the session\'s own', async () => {
      const { iam, role, run, credential } = await withRole(allowing('iam:*'))
      const { accessKeyId, sessionToken } = await iam.roles.issue({ role, sessionName: 's1', durationSeconds: 900, terms: { policy: allowing('iam:ListRoles'), policyArns: ['arn:aws:iam::aws:policy/AWSLambdaExecute'] } })
      const { caller } = await credential(accessKeyId, sessionToken)
      assert.ok(await run('ListRoles', {}, caller))
      await refused(run('ListUsers', {}, caller), 'AccessDenied', /because no session policy allows the iam:ListUsers action$/)
      await run('DeleteRolePolicy', { RoleName: 'r', PolicyName: 'p' })
      await refused(run('ListRoles', {}, caller), 'AccessDenied', /because no identity-based policy allows the iam:ListRoles action$/)
    })

    test('know which services a role trusts', async () => {
      const { iam, role } = await withRole()
      assert.equal(iam.roles.isTrusting(role, 'lambda.amazonaws.com'), true)
      assert.equal(iam.roles.isTrusting(role, 'apigateway.amazonaws.com'), false)
    })

    test('are found by the role\'s whole ARN', async () => {
      const { iam } = await withRole()
      assert.equal(await iam.roles.findRole(`arn:aws:iam::${accountId}:role/r`), undefined)
      assert.equal(await iam.roles.findRole(`arn:aws:iam::999999999999:role/p/r`), undefined)
    })
  })
})
