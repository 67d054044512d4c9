// Web identities over the wire: a request without a signature, an issuer over HTTPS known by its thumbprint, and what else is not let in that way.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { AddClientIDToOpenIDConnectProviderCommand, CreateOpenIDConnectProviderCommand, CreateRoleCommand, DeleteOpenIDConnectProviderCommand, GetOpenIDConnectProviderCommand, ListRolesCommand, PutRolePolicyCommand, UpdateOpenIDConnectProviderThumbprintCommand } from '@aws-sdk/client-iam'
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { policyOf } from '#test/support/accounts.ts'
import { startIssuer } from '#test/support/issuer.ts'
import { absent, awsRaw, runProgram } from '#test/support/programs.ts'
import { rawRequest, sendRaw, signRaw } from '#test/support/raw-request.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'

const RoleArn = 'arn:aws:iam::000000000000:role/web'
const role = { RoleArn, RoleSessionName: 's1' }

async function withRole(server: TestServer, url: string, ThumbprintList?: string[]): Promise<string> {
  const { OpenIDConnectProviderArn } = await server.iam.send(new CreateOpenIDConnectProviderCommand({ Url: url, ClientIDList: ['countersign-tests'], ...(ThumbprintList && { ThumbprintList }) }))
  const trust = policyOf({
    Effect: 'Allow', Principal: { Federated: OpenIDConnectProviderArn! }, Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { [`${url.replace(/^https?:\/\//, '')}:sub`]: 'service-7' } },
  })
  await server.iam.send(new CreateRoleCommand({ RoleName: 'web', AssumeRolePolicyDocument: trust }))
  await server.iam.send(new PutRolePolicyCommand({ RoleName: 'web', PolicyName: 'p', PolicyDocument: policyOf({
    Effect: 'Allow', Action: 'iam:ListRoles', Resource: '*', Condition: { StringEquals: { 'aws:FederatedProvider': OpenIDConnectProviderArn! } },
  }) }))
  return OpenIDConnectProviderArn!
}

/** A client without any credentials. */
const nobody = (server: TestServer) => server.clients({ accessKeyId: '', secretAccessKey: '' }).sts

async function startOverTls(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-issuer-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  await runProgram('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert], { env: process.env })
  const tls = { key: readFileSync(key), cert: readFileSync(cert) }
  const issuer = await startIssuer(tls)
  t.after(() => issuer.close())
  return { issuer, thumbprint: new X509Certificate(tls.cert).fingerprint.replaceAll(':', '') }
}

describe('without a signature', () => {
  test('nothing else is answered, however it is written', async (t) => {
    const server = await startServer(t)
    const host = `127.0.0.1:${server.port}`
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
    for (const body of ['Action=GetCallerIdentity&Version=2011-06-15', 'Action=AssumeRole&Version=2011-06-15&RoleArn=x', 'Action=ListUsers&Version=2010-05-08', 'Action=AssumeRoleWithWebIdentity', 'Action=AssumeRoleWithWebIdentity&Version=2010-05-08', '', '&&&=', 'x'.repeat(60_000)]) {
      const answer = await sendRaw(rawRequest({ method: 'POST', host, headers: form, body }), { port: server.port })
      assert.deepEqual([answer.status, /<Code>(\w+)<\/Code>/.exec(answer.text)?.[1]], [403, 'MissingAuthenticationToken'], body.slice(0, 80))
    }
    assert.equal((await sendRaw(rawRequest({ method: 'POST', host, headers: form, body: 'x'.repeat(70_000) }), { port: server.port })).status, 413)
    assert.equal((await sendRaw(rawRequest({ method: 'POST', host, headers: { 'X-Amz-Target': 'DynamoDB_20120810.ListTables', 'Content-Type': 'application/x-amz-json-1.0' }, body: 'Action=AssumeRoleWithWebIdentity&Version=2011-06-15' }), { port: server.port })).status, 400)
  })

  test('a wrong signature is refused even where none is needed', async (t) => {
    const server = await startServer(t)
    const request = rawRequest({
      method: 'POST', host: `127.0.0.1:${server.port}`, body: 'Action=AssumeRoleWithWebIdentity&Version=2011-06-15', headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    })
    const answer = await sendRaw(signRaw(request, { credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, service: 'sts' }), { port: server.port })
    assert.deepEqual([answer.status, /<Code>(\w+)<\/Code>/.exec(answer.text)?.[1]], [403, 'InvalidClientTokenId'])
  })

  test('a token is refused in STS\'s words', async (t) => {
    const server = await startServer(t)
    const issuer = await startIssuer()
    t.after(() => issuer.close())
    const arn = await withRole(server, issuer.url)
    const assume = (WebIdentityToken: string) => nobody(server).send(new AssumeRoleWithWebIdentityCommand({ ...role, WebIdentityToken }))
    await refuses(assume('not a token'), 400, 'InvalidIdentityTokenException', /^The ID Token provided is not a valid JWT\./)
    await refuses(assume(await issuer.token({ aud: 'other' })), 400, 'InvalidIdentityTokenException', 'Incorrect token audience')
    await refuses(assume(await issuer.token({ exp: 1 })), 400, 'ExpiredTokenException', /^Token expired: current date\/time \d+ must be before the expiration date\/time 1$/)
    await refuses(assume(await issuer.token({ sub: 'service-8' })), 403, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity')
    await server.iam.send(new AddClientIDToOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn, ClientID: 'other' }))
    await nobody(server).send(new AssumeRoleWithWebIdentityCommand({ ...role, WebIdentityToken: await issuer.token({ aud: 'other' }) }))
    await server.iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }))
    await refuses(assume(await issuer.token()), 400, 'InvalidIdentityTokenException', `No OpenIDConnect provider found in your account for ${issuer.url}`)
  })

  test('a good token begins a session of the role', async (t) => {
    const server = await startServer(t)
    const issuer = await startIssuer()
    t.after(() => issuer.close())
    await withRole(server, issuer.url)
    const { Credentials: made, SubjectFromWebIdentityToken } = await nobody(server).send(new AssumeRoleWithWebIdentityCommand({ ...role, WebIdentityToken: await issuer.token() }))
    assert.equal(SubjectFromWebIdentityToken, 'service-7')
    const session = server.clients({ accessKeyId: made!.AccessKeyId!, secretAccessKey: made!.SecretAccessKey!, sessionToken: made!.SessionToken! })
    assert.equal((await session.sts.send(new GetCallerIdentityCommand({}))).Arn, 'arn:aws:sts::000000000000:assumed-role/web/s1')
    assert.equal((await session.iam.send(new ListRolesCommand({}))).Roles!.length, 1)
  })

  test('the AWS CLI does the same', { skip: absent('aws') }, async (t) => {
    const server = await startServer(t)
    const issuer = await startIssuer()
    t.after(() => issuer.close())
    await withRole(server, issuer.url)
    const { AWS_ACCESS_KEY_ID: _key, AWS_SECRET_ACCESS_KEY: _secret, ...env } = server.environment()
    const { code, stdout, stderr } = await awsRaw(env, ['sts', 'assume-role-with-web-identity', '--role-arn', RoleArn, '--role-session-name', 's1', '--web-identity-token', await issuer.token()])
    assert.equal(code, 0, stderr)
    assert.equal(JSON.parse(stdout).AssumedRoleUser.Arn, 'arn:aws:sts::000000000000:assumed-role/web/s1')
  })
})

describe('an issuer over HTTPS', { skip: absent('openssl') }, () => {
  test('is trusted by the thumbprint of its certificate, and only by that when no authority vouches for it', async (t) => {
    const server = await startServer(t)
    const { issuer, thumbprint } = await startOverTls(t)
    const OpenIDConnectProviderArn = await withRole(server, issuer.url)
    const assume = async () => nobody(server).send(new AssumeRoleWithWebIdentityCommand({ ...role, WebIdentityToken: await issuer.token() }))
    await assert.rejects(assume(), { name: 'IDPCommunicationErrorException' })
    await server.iam.send(new UpdateOpenIDConnectProviderThumbprintCommand({ OpenIDConnectProviderArn, ThumbprintList: ['a'.repeat(40)] }))
    await refuses(assume(), 400, 'InvalidIdentityTokenException', /^Couldn't retrieve verification key/)
    await server.iam.send(new UpdateOpenIDConnectProviderThumbprintCommand({ OpenIDConnectProviderArn, ThumbprintList: ['a'.repeat(40), thumbprint] }))
    assert.ok((await assume()).Credentials)
    assert.deepEqual((await server.iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }))).ThumbprintList, ['a'.repeat(40), thumbprint.toLowerCase()])
  })
})
