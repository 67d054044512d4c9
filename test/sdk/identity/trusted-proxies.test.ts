// A proxy that rewrites host, protocol and address: believed only where the settings name it.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { CreateDeploymentCommand, ImportRestApiCommand } from '@aws-sdk/client-api-gateway'
import { rawRequest, sendRaw, signRaw } from '#test/support/raw-request.ts'
import { startServer, type Credentials } from '#test/support/server.ts'

const definition = JSON.stringify({ swagger: '2.0', info: { title: 'x', version: '1' }, paths: { '/': { get: {
  responses: { 200: { description: 'fine' } }, 'x-amazon-apigateway-auth': { type: 'aws_iam' },
  'x-amazon-apigateway-integration': { type: 'mock', requestTemplates: { 'application/json': '{"statusCode": 200}' }, responses: { default: { statusCode: '200', responseTemplates: { 'application/json': '"$context.identity.sourceIp"' } } } },
} } } })

interface Sent {
  path: string
  as: Credentials
  service: string
  /** What the client signed and sent to the proxy. */
  signedHost: string
  /** What the proxy sends on. */
  host?: string
  forwarded?: Record<string, string>
}

async function start(t: TestContext, trustedProxies: string) {
  const server = await startServer(t, { settings: { TRUSTED_PROXIES: trustedProxies } })
  const { id } = await server.apigateway.send(new ImportRestApiCommand({ body: Buffer.from(definition) }))
  await server.apigateway.send(new CreateDeploymentCommand({ restApiId: id!, stageName: 'dev' }))
  const publicHost = `${id}.execute-api.us-east-1.amazonaws.com`
  return {
    server, publicHost,
    /** The client signs for one host; the proxy sends another, and says what it knows of the client. */
    send({ path, as, service, signedHost, host = `127.0.0.1:${server.port}`, forwarded = {} }: Sent) {
      const signed = signRaw(rawRequest({ target: path, host, headers: {} }), { credentials: as, service, signedHost })
      return sendRaw({ ...signed, headers: [...signed.headers, ...Object.entries(forwarded)] }, { port: server.port })
    },
  }
}

describe('behind a proxy that rewrites the host', () => {
  test('a signature is refused when the proxy is not trusted', async (t) => {
    const { server, publicHost, send } = await start(t, '10.0.0.0/8')
    const forwarded = { 'X-Forwarded-Host': 'lambda.example.com' }
    const service = await send({ path: '/2015-03-31/functions', as: server.credentials, service: 'lambda', signedHost: 'lambda.example.com', forwarded })
    assert.deepEqual([service.status, service.headers['x-amzn-errortype']], [403, 'InvalidSignatureException'])
    // Without its host, the request is for no API at all.
    const api = await send({ path: '/dev/', as: server.credentials, service: 'execute-api', signedHost: publicHost, forwarded: { 'X-Forwarded-Host': publicHost } })
    assert.equal(api.status, 501)
  })

  test('a signature is accepted for the host that a trusted proxy names, with or without a port, and for no other', async (t) => {
    const { server, publicHost, send } = await start(t, '127.0.0.1')
    for (const signedHost of ['lambda.example.com', 'lambda.example.com:8443']) {
      const forwarded = { 'X-Forwarded-Host': signedHost }
      assert.equal((await send({ path: '/2015-03-31/functions', as: server.credentials, service: 'lambda', signedHost, forwarded })).status, 200)
    }
    const other = await send({ path: '/2015-03-31/functions', as: server.credentials, service: 'lambda', signedHost: 'lambda.example.com', forwarded: { 'X-Forwarded-Host': 'lambda.example.org' } })
    assert.equal(other.status, 403)
    const silent = await send({ path: '/2015-03-31/functions', as: server.credentials, service: 'lambda', signedHost: 'lambda.example.com' })
    assert.equal(silent.status, 403)
    const api = await send({ path: '/dev/', as: server.credentials, service: 'execute-api', signedHost: publicHost, forwarded: { 'X-Forwarded-Host': publicHost } })
    assert.equal(api.status, 200)
  })
})

describe('aws:SourceIp and aws:SecureTransport are', () => {
  const policy = [
    { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*', Condition: { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' }, Bool: { 'aws:SecureTransport': 'true' } } },
  ]
  const forwarded = { 'X-Forwarded-For': '198.51.100.9, 203.0.113.7', 'X-Forwarded-Proto': 'https' }

  test('the proxy\'s own when it is not trusted', async (t) => {
    const { server, publicHost, send } = await start(t, '')
    const as = await server.user('alice', policy)
    const answer = await send({ path: '/dev/', as, service: 'execute-api', signedHost: publicHost, host: publicHost, forwarded })
    assert.equal(answer.status, 403)
    assert.match(answer.text, /no identity-based policy allows the execute-api:Invoke action/)
  })

  test('the client\'s when it is: the last address that is no proxy\'s, whatever was made up before it', async (t) => {
    const { server, publicHost, send } = await start(t, '127.0.0.1,192.0.2.0/24')
    const as = await server.user('alice', policy)
    const call = (headers: Record<string, string>) => send({ path: '/dev/', as, service: 'execute-api', signedHost: publicHost, host: publicHost, forwarded: headers })
    const direct = await call(forwarded)
    assert.deepEqual([direct.status, direct.text], [200, '"203.0.113.7"'])
    assert.equal((await call({ ...forwarded, 'X-Forwarded-For': '203.0.113.7, 192.0.2.1' })).status, 200)
    assert.equal((await call({ ...forwarded, 'X-Forwarded-For': '203.0.113.7, 198.51.100.9' })).status, 403)
    assert.equal((await call({ ...forwarded, 'X-Forwarded-Proto': 'http' })).status, 403)
  })
})
