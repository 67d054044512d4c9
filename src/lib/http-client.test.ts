// Requests over real connections of loopback: what is sent, what is kept, and every way in which there is no answer.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createRawServer, type AddressInfo } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { createHttpClient, HttpFailure, type NoAnswer, type OutgoingRequest } from './http-client.ts'
import { certificate } from '#test/support/certificates.ts'
import { absent } from '#test/support/programs.ts'

const client = (t: TestContext) => {
  const made = createHttpClient()
  t.after(() => made.close())
  return made
}

async function listening(t: TestContext, server: Pick<Server, 'listen' | 'address' | 'close'>): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server as Server, 'listening')
  t.after(() => {
    server.close()
    ;(server as Partial<Server>).closeAllConnections?.()
  })
  return (server.address() as AddressInfo).port
}

const serving = async (t: TestContext, listener: RequestListener) => `http://127.0.0.1:${await listening(t, createServer(listener))}/`

const get = (url: string, given: Partial<OutgoingRequest> = {}): OutgoingRequest =>
  ({ method: 'GET', url, headers: [], body: Buffer.alloc(0), timeoutMs: 5_000, answerBytesMax: 100, ...given })

const fails = (sending: Promise<unknown>, because: NoAnswer) => assert.rejects(sending, (error) => error instanceof HttpFailure && error.because === because)

describe('no answer comes', () => {
  test('from a server that is too slow', async (t) => {
    const url = await serving(t, () => {})
    await fails(client(t).send(get(url, { timeoutMs: 50 })), 'timeout')
  })

  test('from a server that stops in the middle of its answer', async (t) => {
    const url = await serving(t, (_, outgoing) => { outgoing.writeHead(200, { 'content-length': 10 }).write('half') })
    await fails(client(t).send(get(url, { timeoutMs: 100 })), 'timeout')
    const cut = await serving(t, (_, outgoing) => { outgoing.writeHead(200, { 'content-length': 10 }).write('half', () => outgoing.destroy()) })
    await fails(client(t).send(get(cut)), 'network')
  })

  test('from a port that nobody listens at, a host that there is not, and no URL', async (t) => {
    await fails(client(t).send(get('http://127.0.0.1:1/')), 'network')
    await fails(client(t).send(get('http://nowhere.invalid/')), 'address')
    await fails(client(t).send(get('http://')), 'address')
    await fails(client(t).send(get('ftp://127.0.0.1/')), 'address')
  })

  test('from a server that speaks no HTTP, or wants another protocol', async (t) => {
    const port = await listening(t, createRawServer((socket) => { socket.end('SSH-2.0-x\r\n') }) as unknown as Server)
    await fails(client(t).send(get(`http://127.0.0.1:${port}/`)), 'network')
    await fails(client(t).send(get(`https://127.0.0.1:${port}/`)), 'network')
    const upgrading = await serving(t, (incoming) => { incoming.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n') })
    await fails(client(t).send(get(upgrading)), 'network')
  })

  test('that is larger than allowed, announced or not; one of just that size does', async (t) => {
    const url = await serving(t, ({ url: path }, outgoing) => {
      const body = Buffer.alloc(path === '/exactly' ? 100 : 101)
      if (path === '/announced') outgoing.setHeader('content-length', body.length)
      outgoing.write(body)
      outgoing.end()
    })
    await fails(client(t).send(get(url)), 'too large')
    await assert.rejects(client(t).send(get(`${url}announced`)), (error) => error instanceof HttpFailure && error.announcedBytes === 101)
    assert.equal((await client(t).send(get(`${url}exactly`))).body.length, 100)
  })
})

describe('a request', () => {
  test('is sent with its headers as they are, in order, and what HTTP needs besides', async (t) => {
    let seen: string[] = []
    const url = await serving(t, (incoming, outgoing) => { seen = incoming.rawHeaders; outgoing.end('ok') })
    await client(t).send(get(url, { method: 'POST', headers: [['x-Odd-CASE', '1'], ['A', '2'], ['A', '3']] }))
    assert.deepEqual(seen, ['Host', new URL(url).host, 'x-Odd-CASE', '1', 'A', '2', 'A', '3', 'Content-Length', '0', 'Connection', 'keep-alive'])
    await client(t).send(get(url, { headers: [['host', 'other.example']] }))
    assert.deepEqual(seen, ['host', 'other.example', 'Connection', 'keep-alive'])
  })

  test('is answered with every header line, and a redirect as it is', async (t) => {
    const url = await serving(t, (_, outgoing) => { outgoing.writeHead(302, { Location: '/elsewhere', 'Set-Cookie': ['a=1', 'b=2'] }).end('moved') })
    const answer = await client(t).send(get(url))
    assert.deepEqual([answer.status, answer.headers.get('location'), answer.headers.all('set-cookie'), answer.body.toString()], [302, '/elsewhere', ['a=1', 'b=2'], 'moved'])
  })

  test('uses the connection of the one before, and a new one where the server closed it meanwhile', async (t) => {
    const sockets = new Set<unknown>()
    let isCut = false
    const url = await serving(t, (incoming: IncomingMessage, outgoing) => {
      sockets.add(incoming.socket)
      if (isCut) {
        isCut = false
        incoming.socket.resetAndDestroy()
      } else outgoing.end('ok')
    })
    const one = client(t)
    await one.send(get(url))
    await one.send(get(url))
    assert.equal(sockets.size, 1)
    isCut = true
    assert.equal((await one.send(get(url))).status, 200)
    assert.equal(sockets.size, 2)
    isCut = true
    await fails(one.send(get(url, { method: 'POST' })), 'network')
  })
})

describe('over TLS', { skip: absent('openssl') }, () => {
  const secure = async (t: TestContext, given: Parameters<typeof certificate>[0]) => {
    const server = createTlsServer(await certificate(given), (_, outgoing) => outgoing.end('secret'))
    return listening(t, server as unknown as Server)
  }

  test('a certificate that nobody vouches for is refused unless any authority will do', async (t) => {
    const url = `https://localhost:${await secure(t, { host: 'localhost' })}/`
    await fails(client(t).send(get(url)), 'untrusted')
    assert.equal((await client(t).send(get(url, { takesAnyAuthority: true }))).body.toString(), 'secret')
  })

  test('even then its host name must be right, before anything is sent', async (t) => {
    const other = `https://localhost:${await secure(t, { host: 'other.example' })}/`
    await fails(client(t).send(get(other, { takesAnyAuthority: true })), 'wrong host')
  })
})
