// Signatures over a real connection: bytes as they come off the wire, and bodies that are never read.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { serve, type HttpServer } from '#lib/http-server.ts'
import { createAuthenticator, SignatureRefusal } from '#aws/authenticate.ts'
import { rawRequest, sendRaw, signRaw, withHeader } from '#test/support/raw-request.ts'

const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

describe('over a connection', () => {
  let server: HttpServer
  let host: string

  before(async () => {
    const authenticator = createAuthenticator({
      clock: { now: () => Date.now() },
      identity: {
        findCredential: async (accessKeyId) => accessKeyId === credentials.accessKeyId
          ? { secretAccessKey: credentials.secretAccessKey, caller: { is: 'root', accountId: '123456789012', arn: 'arn:aws:iam::123456789012:root', userId: '123456789012', accessKeyId } }
          : { refused: 'unknown key' },
      },
    })
    server = await serve({
      hosts: ['127.0.0.1'],
      port: 0,
      onError: (error) => { throw error },
      handle: async (request) => {
        try {
          const claim = await authenticator.begin(request, { services: ['execute-api'] })
          claim.finish(await request.body(1_000_000))
          return { status: 200, headers: {}, body: 'accepted' }
        } catch (error) {
          if (!(error instanceof SignatureRefusal)) throw error
          return { status: 403, headers: {}, body: `${error.fault}: ${error.message}` }
        }
      },
    })
    host = `127.0.0.1:${server.port}`
  })

  after(() => server.close(0))

  const accepts = async (part: Parameters<typeof rawRequest>[0], signing: { signedHost?: string } = {}): Promise<void> => {
    const answer = await sendRaw(signRaw(rawRequest(part), { credentials, service: 'execute-api', ...signing }), server)
    assert.equal(answer.text, 'accepted')
    assert.equal(answer.status, 200)
  }

  test('refuses an unsigned request', async () => {
    const answer = await sendRaw(rawRequest({ host }), server)
    assert.equal(answer.text, 'missing: Missing Authentication Token')
  })

  test('refuses a request that was changed on the way', async () => {
    const signed = signRaw(rawRequest({ host, method: 'POST', body: '{"a":1}' }), { credentials, service: 'execute-api' })
    for (const changed of [
      { ...signed, body: Buffer.from('{"a":2}') },
      { ...signed, target: '/other' },
      withHeader(signed, 'Host', 'example.com'),
      withHeader(signed, 'Authorization', signed.headers.find(([name]) => name === 'Authorization')![1].replace(/[0-9a-f]{64}$/, '0'.repeat(64))),
    ]) {
      const answer = await sendRaw(changed, server)
      assert.match(answer.text, /^mismatch: The request signature we calculated does not match/)
    }
  })

  test('refuses an unknown key without waiting for the body', async () => {
    const request = rawRequest({ host, method: 'POST', headers: { 'Content-Length': '1000000' } })
    const unknown = { accessKeyId: 'AKIAIOSFODNN7UNKNOWN', secretAccessKey: 'secret' }
    const answer = await sendRaw(signRaw(request, { credentials: unknown, service: 'execute-api' }), server)
    assert.equal(answer.text, 'unknown-key: The security token included in the request is invalid.')
  })

  test('refuses a header line that is folded', async () => {
    // RFC 9112, section 5.2, lets a server refuse what earlier versions of HTTP allowed.
    const answer = await sendRaw(`GET / HTTP/1.1\r\nHost: ${host}\r\nMy-Header1: value1\r\n  value2\r\nConnection: close\r\n\r\n`, server)
    assert.equal(answer.status, 400)
  })

  test('accepts paths and queries as they are sent', async () => {
    for (const target of ['/', '/a%20b', '/a:b@c$d', '/$default/%40connections/a%3D', '//a//b/../c/./', '/a|b"c', '/?', '/?a', '/?a=1&a=&b=x+y&%C3%A4=%2f', '/?q="<>"']) {
      await accepts({ host, target })
    }
  })

  test('accepts headers in UTF-8, with space around them and repeated', async () => {
    await accepts({ host, headers: { 'X-Name': 'a   b\tc', 'X-Empty': '' } })
    const signed = signRaw(rawRequest({ host, headers: { 'X-City': Buffer.from('Zürich').toString('latin1') } }), { credentials, service: 'execute-api' })
    assert.equal((await sendRaw(withHeader(signed, 'X-City', 'Zürich'), server)).text, 'accepted')
    const repeated = signRaw(rawRequest({ host, headers: { 'X-Twice': '1,2' } }), { credentials, service: 'execute-api' })
    const once = withHeader(repeated, 'X-Twice', '1')
    assert.equal((await sendRaw({ ...once, headers: [...once.headers, ['x-twice', '2']] }, server)).text, 'accepted')
  })

  test('accepts the bare host name', async () => {
    await accepts({ host, method: 'POST', body: '{}' }, { signedHost: '127.0.0.1' })
    await accepts({ host: `abc123.execute-api.localhost:${server.port}` }, { signedHost: 'abc123.execute-api.localhost' })
  })
})
