// WebSocket APIs whose $connect is signed: by headers, as programs do, and by a presigned address, as browsers must. Who may not connect reaches nothing.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { Sha256 } from '@aws-crypto/sha256-js'
import { CreateApiMappingCommand, CreateDomainNameCommand, CreateStageCommand } from '@aws-sdk/client-apigatewayv2'
import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { SignatureV4 } from '@smithy/signature-v4'
import aws4 from 'aws4'
import fc from 'fast-check'
import { systemClock } from '#lib/clock.ts'
import { newAccount, policyOf } from '#test/support/accounts.ts'
import { functionArnOf } from '#test/support/http-api.ts'
import { sendRaw } from '#test/support/raw-request.ts'
import { startServer, type Credentials, type TestServer } from '#test/support/server.ts'
import { newSocketApi, openSocket, Refused, type TestSocketApi } from '#test/support/websocket-api.ts'
import { deployNode } from '../lambda/deploy.ts'

const account = '000000000000'
const domainName = 'ws.example.com'

let server: TestServer
let api: TestSocketApi
let backend: Server
/** Requests that the backend of `$connect` got: nobody who is refused makes one. */
let reached = 0
let aheadMs = 0

before(async () => {
  server = await startServer(undefined, { clock: { ...systemClock, now: () => Date.now() + aheadMs } })
  backend = createServer((_incoming, outgoing) => {
    reached += 1
    outgoing.end()
  }).listen(0, '127.0.0.1')
  await once(backend, 'listening')
  await deployNode(server, 'echo', 'export const handler = async ({ requestContext }) => ({ statusCode: 200, body: JSON.stringify(requestContext) })')
  const { port } = backend.address() as AddressInfo
  api = await newSocketApi(server, {
    routes: {
      $connect: { IntegrationType: 'HTTP_PROXY', IntegrationMethod: 'POST', IntegrationUri: `http://127.0.0.1:${port}/`, route: { AuthorizationType: 'AWS_IAM' } },
      $default: { IntegrationType: 'AWS_PROXY', IntegrationUri: functionArnOf('echo'), isTwoWay: true },
    },
  })
  await api.permit('echo')
  const { apigatewayv2 } = server
  await apigatewayv2.send(new CreateStageCommand({ ApiId: api.ApiId, StageName: 'empty' }))
  await apigatewayv2.send(new CreateDomainNameCommand({ DomainName: domainName, DomainNameConfigurations: [{ CertificateArn: `arn:aws:acm:us-east-1:${account}:certificate/a`, EndpointType: 'REGIONAL' }] }))
  await apigatewayv2.send(new CreateApiMappingCommand({ DomainName: domainName, ApiId: api.ApiId, Stage: 'prod', ApiMappingKey: 'chat/v1' }))
})
after(async () => {
  backend.close()
  await server.close()
})

interface Place { host: string, path: string }

/** Every address of the stage. */
const places: Readonly<Record<string, () => Place>> = {
  'path form': () => ({ host: `127.0.0.1:${server.port}`, path: `/_aws/execute-api/${api.ApiId}/prod` }),
  'host form': () => ({ host: api.host, path: '/prod' }),
  'custom domain': () => ({ host: domainName, path: '/chat/v1' }),
}

interface Changes { service?: string, region?: string, host?: string, path?: string, method?: string, atMs?: number, expiresSeconds?: number }

type Signing = (place: Place, credentials: Credentials, changes?: Changes) => Promise<{ path: string, headers: Record<string, string> }>

const requestAt = (place: Place, { host = place.host, path = place.path, method = 'GET' }: Changes) =>
  ({ method, protocol: 'http:', hostname: host, path, headers: { host } })
const signer = (credentials: Credentials, { service = 'execute-api', region = 'us-east-1' }: Changes) => new SignatureV4({ service, region, credentials, sha256: Sha256, applyChecksum: false })
const query = (given: Record<string, unknown>) => new URLSearchParams(given as Record<string, string>).toString()

const signings: Readonly<Record<string, Signing>> = {
  async '@smithy/signature-v4, headers'(place, credentials, changes = {}) {
    const { headers } = await signer(credentials, changes).sign(requestAt(place, changes), { signingDate: new Date(changes.atMs ?? Date.now() + aheadMs) })
    return { path: place.path, headers: { ...headers, host: place.host } }
  },
  async '@smithy/signature-v4, presigned'(place, credentials, changes = {}) {
    const signed = await signer(credentials, changes).presign(requestAt(place, changes), { signingDate: new Date(changes.atMs ?? Date.now() + aheadMs), expiresIn: changes.expiresSeconds ?? 60 })
    return { path: `${place.path}?${query(signed.query ?? {})}`, headers: { host: place.host } }
  },
  async 'aws4, headers'(place, credentials, changes = {}) {
    const date = new Date(changes.atMs ?? Date.now() + aheadMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
    const { host = place.host, path = place.path, method = 'GET', service = 'execute-api', region = 'us-east-1' } = changes
    const { headers = {} } = aws4.sign({ method, host, path, service, region, headers: { 'Host': host, 'X-Amz-Date': date } }, credentials)
    const { Host: _, ...signed } = headers as Record<string, string>
    return { path: place.path, headers: { ...signed, host: place.host } }
  },
  async 'aws4, presigned'(place, credentials, changes = {}) {
    const date = new Date(changes.atMs ?? Date.now() + aheadMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
    const { host = place.host, path = place.path, method = 'GET', service = 'execute-api', region = 'us-east-1', expiresSeconds = 60 } = changes
    const signed = aws4.sign({ method, host, path: `${path}?X-Amz-Date=${date}&X-Amz-Expires=${expiresSeconds}`, service, region, signQuery: true, headers: { Host: host } }, credentials)
    return { path: `${place.path}?${signed.path!.split('?')[1]}`, headers: { host: place.host } }
  },
}

const open = ({ path, headers }: { path: string, headers: Record<string, string> }) => openSocket(`ws://127.0.0.1:${server.port}${path}`, { headers })

/** Status and type of the refusal; fails when there is a connection, or when the backend was reached. */
async function refusal(sent: { path: string, headers: Record<string, string> }): Promise<unknown> {
  const reachedBefore = reached
  const refused = await open(sent).then(() => assert.fail('connected'), (error: unknown) => error)
  assert.ok(refused instanceof Refused, String(refused))
  assert.equal(reached, reachedBefore)
  return [refused.status, refused.headers['x-amzn-errortype']]
}

const allow = (Resource: string | string[], Action = 'execute-api:Invoke') => ({ Effect: 'Allow', Action, Resource })
const arn = (resource: string) => `arn:aws:execute-api:us-east-1:${account}:${api.ApiId}/${resource}`

describe('a signed $connect refuses', () => {
  for (const [name, signing] of Object.entries(signings)) {
    test(`what ${name} signed wrongly`, async () => {
      const root = server.credentials
      const nowMs = Date.now() + aheadMs
      const wrong: [string, Credentials, Changes, string][] = [
        ['another secret', { ...root, secretAccessKey: 'x'.repeat(40) }, {}, 'InvalidSignatureException'],
        ['a key that is not known', { ...root, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' }, {}, 'UnrecognizedClientException'],
        ['a token that was never issued', { ...root, sessionToken: 'x' }, {}, 'UnrecognizedClientException'],
        ['another region', root, { region: 'eu-west-1' }, 'InvalidSignatureException'],
        ['another service', root, { service: 'lambda' }, 'InvalidSignatureException'],
        ['ten minutes ago', root, { atMs: nowMs - 600_000 }, 'InvalidSignatureException'],
        ['in ten minutes', root, { atMs: nowMs + 600_000 }, 'InvalidSignatureException'],
        ['another path', root, { path: '/dev' }, 'InvalidSignatureException'],
        ['another host', root, { host: 'other.execute-api.us-east-1.amazonaws.com' }, 'InvalidSignatureException'],
        ['another method', root, { method: 'POST' }, 'InvalidSignatureException'],
      ]
      for (const [what, credentials, changes, type] of wrong) {
        assert.deepEqual([what, await refusal(await signing(places['host form']!(), credentials, changes))], [what, [403, type]])
      }
    })
  }

  test('who does not sign, at every address', async () => {
    for (const place of Object.values(places)) {
      const { path, host } = place()
      assert.deepEqual(await refusal({ path, headers: { host } }), [403, 'MissingAuthenticationTokenException'])
      assert.deepEqual(await refusal({ path: `${path}?X-Amz-Algorithm=AWS4-HMAC-SHA256`, headers: { host } }), [403, 'IncompleteSignatureException'])
    }
  })

  test('a good signature for what is not there: another stage, one without a deployment, a path below the stage', async () => {
    const sign = signings['@smithy/signature-v4, headers']!
    for (const path of ['/dev', '/empty', '/', '/prod/chat', '/prod/$connect', '/%2Fprod']) {
      assert.deepEqual([path, await refusal(await sign({ host: api.host, path }, server.credentials))], [path, [403, 'ForbiddenException']])
    }
    assert.deepEqual(await refusal(await sign({ host: domainName, path: '/chat' }, server.credentials)), [403, 'ForbiddenException'])
  })

  test('callers whose policies name something else, deny it, or are of another account', async () => {
    const sign = signings['aws4, presigned']!
    const users = await Promise.all([
      server.user('none', [allow('*', 'lambda:*')]),
      server.user('manages', [allow('*', 'execute-api:ManageConnections')]),
      server.user('elsewhere', [allow([arn('dev/$connect'), arn('prod/$default'), arn('prod/GET/$connect'), `arn:aws:execute-api:eu-west-1:${account}:${api.ApiId}/*`, `arn:aws:execute-api:us-east-1:${account}:other/*`])]),
      server.user('denied', [allow('*'), { Effect: 'Deny', Action: 'execute-api:*', Resource: arn('*/$connect') }]),
    ])
    const stranger = await newAccount(server)
    for (const place of Object.values(places)) {
      for (const credentials of [...users, stranger.credentials]) assert.deepEqual(await refusal(await sign(place(), credentials)), [403, 'AccessDeniedException'])
    }
  })

  test('whatever way an unsigned or a denied request is spelled', async () => {
    const denied = await server.user('always-denied', [allow('*'), { Effect: 'Deny', Action: 'execute-api:Invoke', Resource: arn('prod/$connect') }])
    const presign = signings['@smithy/signature-v4, presigned']!
    const oddly = (word: string) => fc.array(fc.constantFrom('plain', 'upper', 'lower'), { minLength: word.length, maxLength: word.length }).map((how) => Array.from(word).map((letter, index) => {
      const hex = letter.charCodeAt(0).toString(16)
      return how[index] === 'plain' ? letter : `%${how[index] === 'upper' ? hex.toUpperCase() : hex}`
    }).join(''))
    const tails = fc.constantFrom('', '/', '//', '/.', '/..', '/./', '/%2e', '/%2F', '/@connections', '/%40connections/x', '/@connections/L0SM9cOFvHcCIhw=', '/$connect', '/%24connect', '?', '?a=1', '?X-Amz-Algorithm=none', '/..;/prod')
    const heads = fc.constantFrom(
      ['host', '/'], ['host', '//'], ['host', '/./'], ['host', '/x/../'], ['host', '/dev/../'], ['path', '/'], ['path', '//'], ['path', '/x/../'], ['domain', '/chat/v1'], ['domain', '//chat/v1'], ['domain', '/chat%2Fv1'], ['user', ''],
    )
    const requests = fc.record({ head: heads, stage: fc.oneof(oddly('prod'), fc.constantFrom('PROD', 'prod ', '', '$default').map((text) => text.replace(' ', '%20'))), tail: tails, isSigned: fc.boolean(), method: fc.constantFrom('GET', 'GET', 'GET', 'POST', 'OPTIONS') })
    const reachedBefore = reached
    await fc.assert(fc.asyncProperty(requests, async ({ head: [form, prefix = ''], stage, tail, isSigned, method }) => {
      const host = form === 'host' ? api.host : form === 'domain' ? domainName : `127.0.0.1:${server.port}`
      const path = form === 'domain' ? `${prefix}${tail}` : form === 'user' ? `/restapis/${api.ApiId}/${stage}/_user_request_${tail}` : form === 'path' ? `/_aws/execute-api/${api.ApiId}${prefix}${stage}${tail}` : `${prefix}${stage}${tail}`
      const target = isSigned && !path.includes('?') ? (await presign({ host, path }, denied)).path : path
      const { status } = await sendRaw({
        method, target, body: Buffer.alloc(0),
        headers: [['Host', host], ['Connection', 'Upgrade'], ['Upgrade', 'websocket'], ['Sec-WebSocket-Version', '13'], ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==']],
      }, { port: server.port })
      assert.ok(status >= 400 && status !== 500, `${method} ${target} of ${host}: ${status}`)
    }), { numRuns: 250 })
    assert.equal(reached, reachedBefore)
  })
})

describe('a signed $connect lets in', () => {
  for (const [name, signing] of Object.entries(signings)) {
    test(`by ${name}, at every address`, async () => {
      for (const place of Object.values(places)) {
        await using client = await open(await signing(place(), server.credentials))
        const { identity, connectionId, domainName: calledName } = JSON.parse(await client.ask('who'))
        assert.partialDeepStrictEqual(identity, { accountId: account, caller: account, user: account, userArn: `arn:aws:iam::${account}:root`, accessKey: server.credentials.accessKeyId, sourceIp: '127.0.0.1' })
        assert.deepEqual([connectionId.length, calledName], [16, place().host.replace(/:\d+$/, '')])
      }
    })
  }

  test('callers whose policies name it, exactly or by wildcards', async () => {
    const sign = signings['@smithy/signature-v4, presigned']!
    const resources = ['*', 'arn:aws:execute-api:*:*:*', arn('*'), arn('prod/*'), arn('*/$connect'), arn('prod/$connect'), arn('prod/$c?nnect')]
    for (const [index, resource] of resources.entries()) {
      const credentials = await server.user(`allowed-${index}`, [allow(resource)])
      await using client = await open(await sign(places['host form']!(), credentials))
      assert.partialDeepStrictEqual(JSON.parse(await client.ask('who')), { eventType: 'MESSAGE', identity: { userArn: `arn:aws:iam::${account}:user/allowed-${index}` } })
    }
  })

  test('sessions of a role with their token, until they expire', async () => {
    const { iam } = server
    const { sts } = server.clients(await server.user('assumes', [allow('*', 'sts:AssumeRole')]))
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'chatter', AssumeRolePolicyDocument: policyOf({ Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' }) }))
    await iam.send(new PutRolePolicyCommand({ RoleName: 'chatter', PolicyName: 'p', PolicyDocument: policyOf(allow(arn('prod/$connect'))) }))
    const { Credentials: issued } = await sts.send(new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: 'me', DurationSeconds: 900 }))
    const session = { accessKeyId: issued!.AccessKeyId!, secretAccessKey: issued!.SecretAccessKey!, sessionToken: issued!.SessionToken! }
    const { sessionToken: _, ...withoutToken } = session
    for (const sign of Object.values(signings)) {
      assert.deepEqual(await refusal(await sign(places['host form']!(), withoutToken)), [403, 'UnrecognizedClientException'])
      await using client = await open(await sign(places['host form']!(), session))
      const { identity } = JSON.parse(await client.ask('who'))
      assert.partialDeepStrictEqual(identity, { accountId: account, caller: `${Role!.RoleId}:me`, user: `${Role!.RoleId}:me`, userArn: `arn:aws:sts::${account}:assumed-role/chatter/me`, accessKey: session.accessKeyId })
    }
    // A connection that was opened outlives the session that opened it.
    const sign = signings['@smithy/signature-v4, presigned']!
    await using client = await open(await sign(places['host form']!(), session))
    const presigned = await sign(places['host form']!(), session, { expiresSeconds: 3_600 })
    aheadMs += 900_000
    assert.deepEqual(await refusal(presigned), [403, 'ExpiredTokenException'])
    assert.equal(JSON.parse(await client.ask('who')).eventType, 'MESSAGE')
  })

  test('a presigned address until the second in which it expires', async () => {
    const startMs = Math.floor((Date.now() + aheadMs) / 1000) * 1000
    const presigned = await signings['aws4, presigned']!(places['path form']!(), server.credentials, { atMs: startMs, expiresSeconds: 300 })
    const setNow = (ms: number) => { aheadMs = ms - Date.now() }
    setNow(startMs + 295_000)
    await (await open(presigned))[Symbol.asyncDispose]()
    setNow(startMs + 302_000)
    assert.deepEqual(await refusal(presigned), [403, 'InvalidSignatureException'])
  })
})
