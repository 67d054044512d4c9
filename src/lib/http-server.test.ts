// Node's HTTP server behind our values: what arrives is what was sent, and what misbehaves is bounded.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { describe, test, type TestContext } from 'node:test'
import { BodyTooLarge, ClientGone, type HttpRequest, type HttpResponse } from './http.ts'
import { serve, type HttpServer, type HttpServerOptions } from './http-server.ts'

async function serving(t: TestContext, handle: (request: HttpRequest) => Promise<HttpResponse>, options: Partial<HttpServerOptions> = {}): Promise<HttpServer & { errors: unknown[] }> {
  const errors: unknown[] = []
  const server = await serve({ hosts: ['127.0.0.1'], port: 0, handle, onError: (error) => errors.push(error), ...options })
  t.after(() => server.close(0))
  return { ...server, errors }
}

/** Sends bytes and answers everything that comes back until the connection ends. */
function exchange(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    let answer = ''
    socket.on('data', (chunk) => { answer += chunk.toString('latin1') })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
    socket.write(bytes)
  })
}

const ok: HttpResponse = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'ok' }

describe('serve()', () => {
  test('refuses bytes that are no HTTP, and heads beyond the limit', async (t) => {
    const { port } = await serving(t, async () => ok)
    assert.match(await exchange(port, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /)
    assert.match(await exchange(port, `GET / HTTP/1.1\r\nhost: x\r\nbig: ${'x'.repeat(40_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /)
  })

  test('refuses a header that is folded over two lines, whatever would be made of it', async (t) => {
    const { port } = await serving(t, async () => ok)
    assert.match(await exchange(port, 'GET / HTTP/1.1\r\nhost: x\r\nmy-header: one\r\n two\r\n\r\n'), /^HTTP\/1\.1 400 /)
  })

  test('answers a failing handler with a bare 500 and says so only to us', async (t) => {
    const { port, errors } = await serving(t, async () => { throw new Error('a secret detail') })
    const response = await fetch(`http://127.0.0.1:${port}/`)
    assert.deepEqual([response.status, await response.text()], [500, '{"message":"Internal server error"}'])
    assert.equal((errors[0] as Error).message, 'a secret detail')
  })

  test('does not ask for a body that the handler does not want', async (t) => {
    const { port } = await serving(t, async () => ({ status: 403, headers: {}, body: 'no' }))
    const answer = await exchange(port, 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\nexpect: 100-continue\r\n\r\n')
    assert.match(answer, /^HTTP\/1\.1 403 /)
    assert.match(answer, /connection: close/i)
    assert.doesNotMatch(answer, /100 Continue/)
  })

  test('stops reading a body at its limit, announced or not', async (t) => {
    const { port } = await serving(t, async (request) => {
      try {
        await request.body(10)
        return ok
      } catch (error) {
        assert.ok(error instanceof BodyTooLarge)
        return { status: 413, headers: {}, body: '' }
      }
    })
    assert.equal((await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x'.repeat(10) })).status, 200)
    assert.match(await exchange(port, 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 11\r\n\r\n'), /^HTTP\/1\.1 413 /)
    assert.match(await exchange(port, 'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nb\r\n12345678901\r\n'), /^HTTP\/1\.1 413 /)
  })

  test('hands over target and headers as they were sent', async (t) => {
    let seen: HttpRequest | undefined
    const { port } = await serving(t, async (request) => {
      seen = request
      return ok
    })
    await exchange(port, 'GET /a%2Fb//c/%2e%2e/.d?x=%20&x HTTP/1.1\r\nHost: one\r\nX-A: 1\r\nx-a:  2 \r\nconnection: close\r\n\r\n')
    assert.equal(seen!.path, '/a%2Fb//c/%2e%2e/.d')
    assert.equal(seen!.rawQuery, 'x=%20&x')
    assert.deepEqual(seen!.headers.all('x-A'), ['1', '2'])
    assert.equal(seen!.remoteAddress, '127.0.0.1')
    await exchange(port, 'GET http://other.example/path?q HTTP/1.1\r\nHost: one\r\nconnection: close\r\n\r\n')
    assert.equal(seen!.path, '/path')
  })

  test('resolves dot segments, so that a path is not signed as one and served as another', async (t) => {
    const { port } = await serving(t, async ({ path }) => ({ ...ok, body: path }))
    for (const [sent, path] of [['/public/../admin', '/admin'], ['/a/./b/', '/a/b/'], ['/a/b/..', '/a'], ['/..', '/'], ['//a//../b', '/b'], ['/a/...', '/a/...'], ['//a', '//a']] as const) {
      assert.equal((await exchange(port, `GET ${sent} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)).split('\r\n\r\n')[1], path, sent)
    }
  })

  test('refuses a request with two hosts or two lengths', async (t) => {
    const { port } = await serving(t, async () => ok)
    for (const lines of ['host: a\r\nHost: b', 'host: a\r\nhost: a', 'host: a\r\ncontent-length: 1\r\ncontent-length: 2', 'host: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked']) {
      assert.match(await exchange(port, `POST / HTTP/1.1\r\n${lines}\r\nconnection: close\r\n\r\n`), /^HTTP\/1\.1 400 /, lines)
    }
  })

  test('answers a failing handler although its error looks like a lost connection', async (t) => {
    const { port, errors } = await serving(t, async () => { throw Object.assign(new Error('the database is gone'), { code: 'ECONNRESET' }) })
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 500)
    assert.equal(errors.length, 1)
  })

  test('says nothing of a client that goes away while its body is read', async (t) => {
    const reading = Promise.withResolvers<void>()
    const failed = Promise.withResolvers<unknown>()
    const { port, errors } = await serving(t, async (request) => {
      const body = request.body(100)
      reading.resolve()
      return body.then(() => ok, (error: unknown) => {
        failed.resolve(error)
        throw error
      })
    })
    const socket = connect({ host: '127.0.0.1', port })
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12345')
    await reading.promise
    socket.destroy()
    assert.ok(await failed.promise instanceof ClientGone)
    assert.deepEqual(errors, [])
  })

  test('believes forwarded headers only of trusted proxies', async (t) => {
    const facts = async ({ remoteAddress, isSecure, headers }: HttpRequest): Promise<HttpResponse> => ({ ...ok, body: JSON.stringify([remoteAddress, isSecure, headers.get('host')]) })
    const headers = { 'x-forwarded-for': '203.0.113.9, 198.51.100.7, 127.0.0.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'api.example' }
    const plain = await serving(t, facts)
    assert.deepEqual(await (await fetch(`http://127.0.0.1:${plain.port}/`, { headers })).json(), ['127.0.0.1', false, `127.0.0.1:${plain.port}`])
    const trusting = await serving(t, facts, { trustedProxies: ['127.0.0.0/8'] })
    assert.deepEqual(await (await fetch(`http://127.0.0.1:${trusting.port}/`, { headers })).json(), ['198.51.100.7', true, 'api.example'])
  })

  test('streams a body that is a stream', async (t) => {
    const { port } = await serving(t, async () => ({ status: 200, headers: {}, body: Readable.from(['a', 'b']) }))
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'ab')
  })

  test('lets a request under way finish when it closes', async () => {
    const started = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const server = await serve({ hosts: ['127.0.0.1'], port: 0, onError: () => {}, handle: async () => {
      started.resolve()
      await release.promise
      return ok
    } })
    const response = fetch(`http://127.0.0.1:${server.port}/`)
    await started.promise
    const closed = server.close(5000)
    release.resolve()
    assert.equal((await response).status, 200)
    await closed
  })
})
