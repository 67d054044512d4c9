// AssumeRoleWithWebIdentity against an issuer on loopback: which tokens are refused and why, and what the session is.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { migrations } from '#services/iam/migrations.ts'
import { eachDatabase } from '#test/support/each-database.ts'
import { firstAccountId as accountId, startIam } from '#test/support/iam-in-process.ts'
import { startIssuer, type Issuer } from '#test/support/issuer.ts'

const RoleArn = `arn:aws:iam::${accountId}:role/web`
const startMs = Date.parse('2026-05-01T10:00:00Z')
const document = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement })

eachDatabase('web identities', { migrations, transactionModules: [new URL('../../iam/store.ts', import.meta.url)] }, (open) => {
  let issuer: Issuer
  before(async () => { issuer = await startIssuer() })
  after(() => issuer.close())

  const start = async ({ condition, actions = ['sts:AssumeRoleWithWebIdentity'] }: { condition?: object, actions?: string[] } = {}) => {
    issuer.answer.configuration = 'truth'
    const server = await startIam(await open())
    const { OpenIDConnectProviderArn: providerArn } = await server.run('CreateOpenIDConnectProvider', { Url: issuer.url, ClientIDList: ['countersign-tests', 'other'] })
    const trust = document({ Effect: 'Allow', Principal: { Federated: providerArn }, Action: actions, ...(condition && { Condition: condition }) })
    await server.run('CreateRole', { RoleName: 'web', AssumeRolePolicyDocument: trust })
    return {
      ...server, providerArn: providerArn as string,
      assume: (WebIdentityToken: string, more: object = {}) => server.run('AssumeRoleWithWebIdentity', { RoleArn, RoleSessionName: 's1', WebIdentityToken, ...more }),
      token: (claims: Record<string, unknown> = {}, nowMs = startMs) => issuer.token(claims, { nowMs }),
    }
  }
  const refused = (promise: Promise<unknown>, code: string, message: string | RegExp) => assert.rejects(promise, { name: code, message })
  const notAuthorized = 'Not authorized to perform sts:AssumeRoleWithWebIdentity'

  describe('refuses', () => {
    test('what is no signed token', async () => {
      const { assume } = await start()
      const unsigned = new UnsecuredJWT({ iss: issuer.url, sub: 'a', aud: 'countersign-tests' }).setIssuedAt().setExpirationTime('1h').encode()
      const { privateKey } = await generateKeyPair('PS256')
      const otherAlgorithm = await new SignJWT({ iss: issuer.url, sub: 'a', aud: 'countersign-tests' }).setProtectedHeader({ alg: 'PS256' }).sign(privateKey)
      const withSecret = await new SignJWT({ iss: issuer.url, sub: 'a', aud: 'countersign-tests' }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32, 1))
      for (const token of ['nothing', 'a.b.c', unsigned, otherAlgorithm, withSecret]) await refused(assume(token), 'InvalidIdentityToken', /^The ID Token provided is not a valid JWT\./)
    })

    test('an issuer whom the account does not know, or another account does', async () => {
      const { assume, token, run, root, providerArn } = await start()
      await refused(assume(await token({ iss: 'https://elsewhere.example.com' })), 'InvalidIdentityToken', 'No OpenIDConnect provider found in your account for https://elsewhere.example.com')
      await run('DeleteOpenIDConnectProvider', { OpenIDConnectProviderArn: providerArn })
      await run('CreateOpenIDConnectProvider', { Url: issuer.url, ClientIDList: ['countersign-tests'] }, await root('222222222222'))
      await refused(assume(await token()), 'InvalidIdentityToken', `No OpenIDConnect provider found in your account for ${issuer.url}`)
    })

    test('another audience, also one of several', async () => {
      const { assume, token, run, providerArn } = await start()
      for (const aud of ['somebody', undefined, ['countersign-tests', 'other']]) await refused(assume(await token({ aud })), 'InvalidIdentityToken', 'Incorrect token audience')
      await refused(assume(await token({ azp: 'somebody' })), 'InvalidIdentityToken', 'Incorrect token audience')
      await run('RemoveClientIDFromOpenIDConnectProvider', { OpenIDConnectProviderArn: providerArn, ClientID: 'countersign-tests' })
      await refused(assume(await token()), 'InvalidIdentityToken', 'Incorrect token audience')
    })

    test('a token that another key signed, or that was changed', async () => {
      const { assume, token } = await start()
      const { privateKey } = await generateKeyPair('RS256')
      const forged = await new SignJWT({ iss: issuer.url, sub: 'a', aud: 'countersign-tests', iat: startMs / 1000, exp: startMs / 1000 + 60 }).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)
      await refused(assume(forged), 'InvalidIdentityToken', /^The signature of the token/)
      const [head, , signature] = (await token()).split('.')
      const changed = Buffer.from(JSON.stringify({ iss: issuer.url, sub: 'admin', aud: 'countersign-tests', iat: startMs / 1000, exp: startMs / 1000 + 60 })).toString('base64url')
      await refused(assume(`${head}.${changed}.${signature}`), 'InvalidIdentityToken', /^The signature of the token/)
    })

    test('a token that is over, or not to be used yet but for a little skew of clocks', async () => {
      const { assume, token } = await start()
      const now = startMs / 1000
      await refused(assume(await token({ exp: now })), 'ExpiredTokenException', `Token expired: current date/time ${now} must be before the expiration date/time ${now}`)
      await refused(assume(await token({ exp: undefined })), 'InvalidIdentityToken', /exp and iat/)
      await refused(assume(await token({ nbf: now + 301 })), 'InvalidIdentityToken', 'The token was issued for later.')
      assert.ok(await assume(await token({ iat: now + 300, exp: now + 900 })))
    })

    test('when the issuer cannot be reached, answers badly, or says that it is another', async () => {
      const unreachable = await startIssuer()
      const { assume, run } = await start()
      await run('CreateOpenIDConnectProvider', { Url: unreachable.url, ClientIDList: ['countersign-tests'] })
      const token = await unreachable.token({}, { nowMs: startMs })
      unreachable.close()
      await refused(assume(token), 'IDPCommunicationError', /could not be reached/)
      for (const configuration of [undefined, { issuer: 'https://other.example.com', jwks_uri: `${issuer.url}/keys` }, { issuer: issuer.url, jwks_uri: 'http://127.0.0.1:1/keys' }, { issuer: issuer.url }]) {
        const server = await start()
        issuer.answer.configuration = configuration
        await refused(server.assume(await server.token()), 'InvalidIdentityToken', /^Couldn't retrieve verification key from your identity provider/)
      }
    })

    test('a role that does not exist or does not trust the provider, and claims that the trust policy does not want', async () => {
      const { assume, token, run } = await start()
      await refused(assume(await token(), { RoleArn: `arn:aws:iam::${accountId}:role/none` }), 'AccessDenied', notAuthorized)
      await run('UpdateAssumeRolePolicy', { RoleName: 'web', PolicyDocument: document({ Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:*' }) })
      await refused(assume(await token()), 'AccessDenied', notAuthorized)
      const name = issuer.url.replace('http://', '')
      for (const condition of [{ StringEquals: { [`${name}:sub`]: 'another' } }, { StringEquals: { [`${name}:aud`]: 'other' } }, { 'ForAnyValue:StringEquals': { [`${name}:amr`]: 'mfa' } }]) {
        const server = await start({ condition })
        await refused(server.assume(await server.token()), 'AccessDenied', notAuthorized)
      }
      const tagged = await start()
      await refused(tagged.assume(await tagged.token({ 'https://aws.amazon.com/tags': { principal_tags: { team: ['red'] } } })), 'AccessDenied', 'Not authorized to perform sts:TagSession')
      await refused(tagged.assume(await tagged.token({ 'https://aws.amazon.com/source_identity': 'alice' })), 'AccessDenied', 'Not authorized to perform sts:SetSourceIdentity')
    })

    test('to last longer than the role allows', async () => {
      const { assume, token } = await start()
      await refused(assume(await token(), { DurationSeconds: 3601 }), 'ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.')
    })
  })

  describe('does', () => {
    test('begin a session, when the token\'s claims are those that the trust policy wants', async () => {
      const name = issuer.url.replace('http://', '')
      const condition = { StringEquals: { [`${name}:sub`]: 'service-7', [`${name}:aud`]: 'countersign-tests', 'sts:RoleSessionName': 's1' }, 'ForAnyValue:StringEquals': { [`${name}:amr`]: 'mfa' } }
      const { assume, token, credential, providerArn } = await start({ condition })
      const { Credentials, ...answer } = await assume(await token({ amr: ['pwd', 'mfa'] }))
      assert.equal(answer.SubjectFromWebIdentityToken, 'service-7')
      assert.equal(answer.Provider, providerArn)
      assert.equal(answer.Audience, 'countersign-tests')
      assert.equal(answer.AssumedRoleUser.Arn, `arn:aws:sts::${accountId}:assumed-role/web/s1`)
      const { caller } = await credential(Credentials.AccessKeyId, Credentials.SessionToken)
      assert.equal(caller.arn, `arn:aws:sts::${accountId}:assumed-role/web/s1`)
      assert.equal(caller.is === 'role' && caller.session?.federatedProvider, providerArn)
    })

    test('take tags and the source identity from the token', async () => {
      const { assume, token, credential } = await start({ actions: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'] })
      const claims = { 'https://aws.amazon.com/tags': { principal_tags: { team: ['red'] }, transitive_tag_keys: ['team'] }, 'https://aws.amazon.com/source_identity': 'alice' }
      const { Credentials, SourceIdentity } = await assume(await token(claims))
      assert.equal(SourceIdentity, 'alice')
      const { caller } = await credential(Credentials.AccessKeyId, Credentials.SessionToken)
      assert.ok(caller.is === 'role')
      assert.deepEqual([caller.session?.tags, caller.session?.transitiveTagKeys, caller.session?.sourceIdentity], [{ team: 'red' }, ['team'], 'alice'])
    })

    test('ask the issuer once an hour, and again when it signs with another key', async () => {
      const { assume, token, tick } = await start()
      const before = issuer.asked()
      await assume(await token())
      await assume(await token())
      assert.equal(issuer.asked(), before + 1)
      await issuer.rotate()
      await refused(assume(await token()), 'InvalidIdentityToken', /^The signature of the token/)
      tick(10_000)
      await assume(await token())
      assert.equal(issuer.asked(), before + 2)
      tick(3_600_000)
      await assume(await token({}, startMs + 3_610_000))
      assert.equal(issuer.asked(), before + 3)
    })
  })
})
