// What a decision says: AWS's sentence for each cause, and what it knows of the request without being told.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { headersFromRaw } from '#lib/http.ts'
import { createAuthorizer } from './authorize.ts'
import type { Caller } from './caller.ts'
import type { CallerPolicies } from './identity.ts'
import { compilePolicy } from './policy/compile.ts'
import type { Policy, PolicyStatement } from './policy/document.ts'
import type { Permission } from './service.ts'

const accountId = '111111111111'
const alice: Caller = {
  is: 'user', accountId, arn: `arn:aws:iam::${accountId}:user/alice`, userId: 'AIDAALICE', accessKeyId: 'AKIAALICE', userName: 'alice',
}
const worker: Caller = {
  is: 'role', accountId, arn: `arn:aws:sts::${accountId}:assumed-role/worker/s1`, userId: 'AROAWORKER:s1', accessKeyId: 'ASIAWORKER',
  roleName: 'worker', roleArn: `arn:aws:iam::${accountId}:role/worker`, roleId: 'AROAWORKER', sessionName: 's1',
  issuedAtMs: Date.parse('2026-05-01T10:00:00Z'), expiresAtMs: Date.parse('2026-05-01T11:00:00Z'),
  session: { sourceIdentity: 'admin' },
}
const root: Caller = { is: 'root', accountId, arn: `arn:aws:iam::${accountId}:root`, userId: accountId, accessKeyId: 'AKIAROOT' }
const table = `arn:aws:dynamodb:us-east-1:${accountId}:table/t`

const policy = (...statements: PolicyStatement[]): Policy => compilePolicy({ Version: '2012-10-17', Statement: statements }, 'p')
const everything: PolicyStatement = { Effect: 'Allow', Action: '*', Resource: '*' }

function decide(caller: Caller, policies: CallerPolicies, permission: Partial<Permission> = {}) {
  const authorizer = createAuthorizer({ identity: { policiesFor: async () => policies }, clock: { now: () => 0 } })
  return authorizer.decide({
    caller,
    scope: { accountId, region: 'eu-west-1' },
    atMs: Date.parse('2026-05-01T10:30:00.250Z'),
    request: { headers: headersFromRaw(['User-Agent', 'aws-cli/2']), remoteAddress: '127.0.0.1', isSecure: false },
  }, { action: 'dynamodb:GetItem', resource: table, ...permission })
}

describe('a refusal says', () => {
  const start = `User: ${alice.arn} is not authorized to perform: dynamodb:GetItem`

  test('that no identity-based policy allows', async () => {
    const { allowed, message } = await decide(alice, { identity: [] })
    assert.equal(allowed, false)
    assert.equal(message, `${start} on resource: ${table} because no identity-based policy allows the dynamodb:GetItem action`)
  })

  test('that an identity-based policy denies, and which statement', async () => {
    const { message, statements } = await decide(alice, { identity: [policy(everything, { ...everything, Sid: 'No', Effect: 'Deny' })] })
    assert.equal(message, `${start} on resource: ${table} with an explicit deny in an identity-based policy`)
    assert.deepEqual(statements.map(({ sid, effect }) => [sid, effect]), [[undefined, 'Allow'], ['No', 'Deny']])
  })

  test('that the boundary does not allow, or denies', async () => {
    const elsewhere = policy({ ...everything, Action: 's3:*' })
    const { message } = await decide(alice, { identity: [policy(everything)], boundary: elsewhere })
    assert.equal(message, `${start} on resource: ${table} because no permissions boundary allows the dynamodb:GetItem action`)
    const denied = await decide(alice, { identity: [policy(everything)], boundary: policy({ ...everything, Effect: 'Deny' }) })
    assert.equal(denied.message, `${start} on resource: ${table} with an explicit deny in a permissions boundary`)
  })

  test('that no session policy allows', async () => {
    const { message } = await decide(worker, { identity: [policy(everything)], session: [policy({ ...everything, Action: 's3:*' })] })
    assert.equal(message, `User: ${worker.arn} is not authorized to perform: dynamodb:GetItem on resource: ${table} `
      + 'because no session policy allows the dynamodb:GetItem action')
  })

  test("that another account's resource has no policy for the caller", async () => {
    const resource = 'arn:aws:dynamodb:us-east-1:222222222222:table/t'
    const { message } = await decide(root, { identity: [] }, { resource })
    assert.equal(message, `User: ${root.arn} is not authorized to perform: dynamodb:GetItem on resource: ${resource} `
      + 'because no resource-based policy allows the dynamodb:GetItem action')
  })

  test('that a resource-based policy denies, even to root', async () => {
    const resourcePolicy = policy({ ...everything, Effect: 'Deny', Principal: '*' })
    const { message } = await decide(root, { identity: [] }, { resourcePolicy })
    assert.match(message, /with an explicit deny in a resource-based policy$/)
  })

  test('no resource where the service prints none, and the name where it prints a name', async () => {
    assert.equal((await decide(alice, { identity: [] }, { resource: '' })).message, `${start} because no identity-based policy allows the dynamodb:GetItem action`)
    assert.match((await decide(alice, { identity: [] }, { shownAs: 'user bob' })).message, /GetItem on resource: user bob because/)
  })
})

describe('a decision knows', () => {
  const allows = async (caller: Caller, Condition: NonNullable<PolicyStatement['Condition']>, more: Partial<CallerPolicies> = {}, permission: Partial<Permission> = {}) =>
    (await decide(caller, { identity: [policy({ ...everything, Condition })], ...more }, permission)).allowed

  test('who calls', async () => {
    assert.ok(await allows(alice, { StringEquals: {
      'aws:PrincipalArn': alice.arn, 'aws:PrincipalAccount': accountId, 'aws:PrincipalType': 'User', 'aws:userid': 'AIDAALICE', 'aws:username': 'alice',
    } }))
    assert.ok(await allows(worker, { StringEquals: {
      'aws:PrincipalArn': `arn:aws:iam::${accountId}:role/worker`, 'aws:PrincipalType': 'AssumedRole', 'aws:userid': 'AROAWORKER:s1', 'aws:SourceIdentity': 'admin',
    }, Null: { 'aws:username': 'true' } }))
  })

  test('from where, when, and how', async () => {
    assert.ok(await allows(alice, {
      IpAddress: { 'aws:SourceIp': '127.0.0.0/8' },
      StringEquals: { 'aws:RequestedRegion': 'eu-west-1', 'aws:UserAgent': 'aws-cli/2', 'aws:ResourceAccount': accountId },
      Bool: { 'aws:SecureTransport': 'false', 'aws:PrincipalIsAWSService': 'false', 'aws:ViaAWSService': 'false' },
      DateGreaterThan: { 'aws:CurrentTime': '2026-05-01T10:30:00Z' },
      NumericEquals: { 'aws:EpochTime': '1777631400' },
    }))
  })

  test('IAM and STS as services of us-east-1', async () => {
    assert.ok(await allows(alice, { StringEquals: { 'aws:RequestedRegion': 'us-east-1' } }, {}, { action: 'iam:GetUser', resource: alice.arn }))
  })

  test('when a session began, and that it has no MFA, of which a user\'s key says nothing', async () => {
    assert.ok(await allows(worker, { DateEquals: { 'aws:TokenIssueTime': '2026-05-01T10:00:00Z' }, Bool: { 'aws:MultiFactorAuthPresent': 'false' } }))
    assert.ok(await allows(alice, { Null: { 'aws:TokenIssueTime': 'true', 'aws:MultiFactorAuthPresent': 'true' } }))
  })

  test("the principal's tags, whatever the case of their keys", async () => {
    assert.ok(await allows(alice, { StringEquals: { 'aws:PrincipalTag/TEAM': 'red' } }, { tags: { team: 'red' } }))
  })

  test("the permission's own keys", async () => {
    assert.ok(await allows(alice, { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } }, {}, { context: { 'iam:PassedToService': 'lambda.amazonaws.com' } }))
  })
})
