// Handshakes of WebSockets: bad ones are refused before anybody is asked, the application may refuse the others, and a client may be gone by then.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { certificate } from '#test/support/certificates.ts'
import { absent } from '#test/support/programs.ts'
import type { HttpRequest, HttpResponse } from './http.ts'
import { serve, type HttpServer, type HttpServerOptions } from './http-server.ts'
import type { WebSocketConnection, WebSocketUpgrade } from './web-socket.ts'
import { ACCEPT, CLOSE, TEXT, closing, frame, handshake, rawClient } from './web-socket.testing.ts'

/** A server whose handshakes are answered so; `asked` are those that it was asked about. */
async function serving(t: TestContext, upgrade: HttpServerOptions['upgrade'], options: Partial<HttpServerOptions> = {}): Promise<HttpServer & { asked: HttpRequest[], errors: unknown[] }> {
  const asked: HttpRequest[] = []
  const errors: unknown[] = []
  const server = await serve({
    hosts: ['127.0.0.1'], port: 0, onError: (error) => errors.push(error), webSocketLimits: { messageBytesMax: 1000, frameBytesMax: 100, unsentBytesMax: 1000 },
    handle: async ({ method }) => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: `plain ${method}` }),
    upgrade: upgrade && (async (request) => {
      asked.push(request)
      return upgrade(request)
    }),
    ...options,
  })
  t.after(() => server.close(0))
  return { ...server, asked, errors }
}

const silent: WebSocketUpgrade = { opened: () => ({ onMessage() {}, onPing() {}, onClose() {} }) }

/** Sends a handshake; answers everything until the connection ends. */
async function exchange(port: number, bytes: string): Promise<string> {
  const client = await rawClient(port, bytes)
  const answer = (await client.received(Infinity)).toString('latin1')
  client.socket.destroy()
  return answer
}

/** A decision that a test takes when it likes, and what became of the connection. */
function decision() {
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<HttpResponse | WebSocketUpgrade>()
  const abandoned = Promise.withResolvers<void>()
  const events: string[] = []
  const upgrade: WebSocketUpgrade = {
    opened() {
      events.push('opened')
      return { onMessage() {}, onPing() {}, onClose() {} }
    },
    abandoned() {
      events.push('abandoned')
      abandoned.resolve()
    },
  }
  return {
    decide: async () => {
      asked.resolve()
      return answer.promise
    },
    asked: asked.promise, answer: answer.resolve, fail: answer.reject, upgrade, abandoned: abandoned.promise, events,
  }
}

describe('a handshake', () => {
  const bad: { says: string, sends: string, status: number, header?: RegExp }[] = [
    { says: 'with another method', sends: handshake({ method: 'POST' }), status: 405, header: /\r\nallow: GET\r\n/i },
    { says: 'over HTTP/1.0', sends: handshake({ version: '1.0' }), status: 400 },
    { says: 'without a key', sends: handshake({ headers: { 'Sec-WebSocket-Key': undefined } }), status: 400 },
    { says: 'with a key that is too short', sends: handshake({ headers: { 'Sec-WebSocket-Key': 'c2hvcnQ=' } }), status: 400 },
    { says: 'with two keys', sends: handshake({ headers: { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' } }), status: 400 },
    { says: 'without a version', sends: handshake({ headers: { 'Sec-WebSocket-Version': undefined } }), status: 400 },
    { says: 'of an old version', sends: handshake({ headers: { 'Sec-WebSocket-Version': '8' } }), status: 426, header: /\r\nsec-websocket-version: 13\r\n/i },
    { says: 'with an empty protocol', sends: handshake({ headers: { 'Sec-WebSocket-Protocol': 'a,,b' } }), status: 400 },
    { says: 'with a protocol that is no token', sends: handshake({ headers: { 'Sec-WebSocket-Protocol': 'a b' } }), status: 400 },
    { says: 'with a protocol twice', sends: handshake({ headers: { 'Sec-WebSocket-Protocol': 'a, b, a' } }), status: 400 },
    { says: 'with two hosts', sends: handshake({ headers: { host: 'other.example' } }), status: 400 },
  ]
  for (const { says, sends, status, header = /\r\nconnection: close\r\n/i } of bad) {
    test(`${says} is refused before anybody is asked: ${status}`, async (t) => {
      const server = await serving(t, async () => silent)
      const answer = await exchange(server.port, sends)
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
      assert.match(answer, header)
      assert.deepEqual([server.asked.length, server.errors], [0, []])
    })
  }

  test('may be refused with any answer, after which the connection ends', async (t) => {
    const server = await serving(t, async () => ({ status: 403, headers: { 'x-reason': ['a', 'b'] }, body: '{"message":"Forbidden"}' }))
    const answer = await exchange(server.port, handshake() + handshake())
    assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/)
    assert.match(answer, /\r\nx-reason: a\r\nx-reason: b\r\n/)
    assert.match(answer, /\r\nconnection: close\r\n/i)
    assert.match(answer, /\r\n\r\n\{"message":"Forbidden"\}$/)
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/`)
    assert.match(String((await once(client, 'error'))[0]), /Unexpected server response: 403/)
  })

  test('may be refused with a large answer to a client that reads slowly', async (t) => {
    const piece = 'x'.repeat(256 * 1024)
    const server = await serving(t, async () => ({ status: 200, headers: {}, body: Readable.from(Array.from({ length: 40 }, () => piece)) }))
    const client = await rawClient(server.port)
    client.socket.pause()
    client.socket.write(handshake())
    for (let turns = 0; turns < 50; turns += 1) await turn()
    client.socket.resume()
    const answer = (await client.ended()).toString('latin1')
    assert.equal(answer.split('x').length - 1, 40 * piece.length)
  })

  test('whose decision fails is answered with a bare 500, and only we learn why', async (t) => {
    const server = await serving(t, async () => { throw new Error('a secret detail') })
    assert.match(await exchange(server.port, handshake()), /^HTTP\/1\.1 500 [^]*\{"message":"Internal server error"\}$/)
    assert.deepEqual(server.errors.map((error) => (error as Error).message), ['a secret detail'])
  })

  test('answered with header values that would break the answer fails: 500', async (t) => {
    const server = await serving(t, async () => ({ ...silent, protocol: 'a\r\nx: y' }))
    assert.match(await exchange(server.port, handshake()), /^HTTP\/1\.1 500 /)
    assert.equal(server.errors.length, 1)
  })

  test('opens with what RFC 6455 asks for, and the headers of the answer', async (t) => {
    const server = await serving(t, async () => ({ ...silent, headers: { 'X-One': '1' } }))
    const client = await rawClient(server.port, handshake({ headers: { 'Sec-WebSocket-Protocol': 'a, b', 'Sec-WebSocket-Extensions': 'permessage-deflate' } }))
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${ACCEPT}`, 'X-One: 1']
    assert.equal(await client.answered(), [...lines, '', ''].join('\r\n'))
    client.socket.destroy()
  })

  test('opens with the protocol of the answer', async (t) => {
    const server = await serving(t, async ({ headers }) => ({ ...silent, protocol: headers.get('sec-websocket-protocol')?.split(',').at(-1) }))
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/`, ['one', 'two'])
    await once(client, 'open')
    assert.equal(client.protocol, 'two')
    client.terminate()
  })

  test('shows the request as it was sent, and forwarded headers of trusted proxies only', async (t) => {
    const headers = { 'X-Forwarded-For': '198.51.100.7', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'api.example' }
    for (const [trustedProxies, expected] of [[[], ['127.0.0.1', false, 'sockets.example']], [['127.0.0.0/8'], ['198.51.100.7', true, 'api.example']]] as const) {
      const server = await serving(t, async () => ({ status: 403, headers: {} }), { trustedProxies })
      await exchange(server.port, handshake({ target: '/a%2Fb/../c?x=%20', headers }))
      const request = server.asked[0]!
      assert.deepEqual([request.remoteAddress, request.isSecure, request.headers.get('host')], expected)
      assert.deepEqual([request.method, request.path, request.rawQuery, (await request.body(0)).length], ['GET', '/c', 'x=%20', 0])
      assert.ok(request.headers.entries().some(([name]) => name === 'Sec-WebSocket-Key'))
    }
  })

  test('is one over TLS, and on every address', { skip: absent('openssl') }, async (t) => {
    const server = await serving(t, async () => silent, { tls: await certificate({ host: 'localhost' }), hosts: ['127.0.0.1', '127.0.0.2'] })
    for (const host of server.hosts) {
      const client = new WebSocket(`wss://${host}:${server.port}/`, { rejectUnauthorized: false })
      await once(client, 'open')
      client.terminate()
    }
    assert.deepEqual(server.asked.map(({ isSecure }) => isSecure), server.hosts.map(() => true))
  })

  test('may follow other requests on a kept connection', async (t) => {
    const server = await serving(t, async () => silent)
    const client = await rawClient(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    const plain = await client.received(1)
    client.socket.write(handshake())
    assert.match((await client.received(plain.length + 1)).toString('latin1'), /plain GETHTTP\/1\.1 101 /)
    client.socket.destroy()
  })
})

describe('what is no handshake is a plain request', () => {
  const plain: { says: string, sends: string }[] = [
    { says: 'an upgrade to something else', sends: handshake({ headers: { Upgrade: 'h2c', Connection: 'Upgrade, HTTP2-Settings, close', 'HTTP2-Settings': 'AAMAAABkAAQAAP__' } }) },
    { says: 'an upgrade to one of several', sends: handshake({ headers: { Upgrade: 'websocket, h2c', Connection: 'Upgrade, close' } }) },
    { says: 'an upgrade that the connection does not have', sends: handshake({ headers: { Connection: 'close' } }) },
    { says: 'a handshake with a body', sends: `${handshake({ headers: { 'Content-Length': '4', Connection: 'Upgrade, close' } })}body` },
    { says: 'a handshake with a body in chunks', sends: `${handshake({ headers: { 'Transfer-Encoding': 'chunked', Connection: 'Upgrade, close' } })}0\r\n\r\n` },
  ]
  for (const { says, sends } of plain) {
    test(says, async (t) => {
      const server = await serving(t, async () => silent)
      assert.match(await exchange(server.port, sends), /^HTTP\/1\.1 200 [^]*plain GET$/)
      assert.equal(server.asked.length, 0)
    })
  }

  test('a handshake where nobody opens WebSockets', async (t) => {
    const server = await serving(t, undefined)
    assert.match(await exchange(server.port, handshake({ headers: { Connection: 'Upgrade, close' } })), /^HTTP\/1\.1 200 /)
  })

  test('a handshake behind a request that is not answered yet: no answer comes among frames', async (t) => {
    const release = Promise.withResolvers<void>()
    const server = await serving(t, async () => silent, { handle: async ({ path }) => {
      await release.promise
      return { status: 200, headers: {}, body: path }
    } })
    const client = await rawClient(server.port, `GET /slow HTTP/1.1\r\nHost: x\r\n\r\n${handshake({ target: '/socket', headers: { Connection: 'Upgrade, close' } })}`)
    await turn()
    release.resolve()
    assert.match((await client.received(Infinity)).toString('latin1'), /^HTTP\/1\.1 200 [^]*\/slowHTTP\/1\.1 200 [^]*\/socket$/)
    assert.equal(server.asked.length, 0)
  })

  test('a handshake without content is none the less one when it says so', async (t) => {
    const server = await serving(t, async () => silent)
    const client = await rawClient(server.port, handshake({ headers: { 'Content-Length': '0' } }))
    assert.match(await client.answered(), /^HTTP\/1\.1 101 /)
    client.socket.destroy()
  })
})

describe('a client that goes away before the decision', () => {
  for (const [how, leave] of [['ends', 'end'], ['breaks', 'resetAndDestroy']] as const) {
    test(`and ${how} its connection: the connection is abandoned, not opened`, async (t) => {
      const { decide, asked, answer, upgrade, abandoned, events } = decision()
      const server = await serving(t, decide)
      const socket = connect({ host: '127.0.0.1', port: server.port })
      socket.write(handshake())
      await asked
      socket[leave]()
      await once(socket, 'close')
      for (let turns = 0; turns < 20; turns += 1) await turn()
      answer(upgrade)
      await abandoned
      assert.deepEqual([events, server.errors], [['abandoned'], []])
    })
  }

  test('is not answered, however large the answer', async (t) => {
    const { decide, asked, answer } = decision()
    const server = await serving(t, decide)
    const socket = connect({ host: '127.0.0.1', port: server.port })
    socket.write(handshake())
    await asked
    socket.resetAndDestroy()
    for (let turns = 0; turns < 20; turns += 1) await turn()
    const body = Readable.from(['x'])
    answer({ status: 200, headers: {}, body })
    await once(body, 'close')
    assert.deepEqual(server.errors, [])
  })

  test('having sent frames already: opened, told them, and closed', async (t) => {
    const { decide, asked, answer } = decision()
    const server = await serving(t, decide)
    const socket = connect({ host: '127.0.0.1', port: server.port })
    socket.write(Buffer.concat([Buffer.from(handshake()), frame({ opcode: TEXT, payload: 'early' })]))
    await asked
    socket.end(frame({ opcode: TEXT, payload: 'late' }))
    for (let turns = 0; turns < 20; turns += 1) await turn()
    const told: unknown[] = []
    const closed = Promise.withResolvers<void>()
    answer({ opened: () => ({
      onMessage: ({ data }) => { told.push(data.toString()) },
      onPing() {},
      onClose(code) {
        told.push(code)
        closed.resolve()
      },
    }) })
    await closed.promise
    assert.deepEqual(told, ['early', 'late', 1006])
  })

  test('is told to us when the decision fails', async (t) => {
    const { decide, asked, fail } = decision()
    const told = Promise.withResolvers<unknown>()
    const server = await serving(t, decide, { onError: told.resolve })
    const socket = connect({ host: '127.0.0.1', port: server.port })
    socket.write(handshake())
    await asked
    socket.destroy()
    fail(new Error('no decision'))
    assert.equal((await told.promise as Error).message, 'no decision')
  })
})

describe('a server that closes', () => {
  test('waits for open connections that close, and no longer', async (t) => {
    const live = Promise.withResolvers<WebSocketConnection>()
    const { port, close } = await serving(t, async () => ({ opened: (connection) => {
      live.resolve(connection)
      return { onMessage() {}, onPing() {}, onClose() {} }
    } }))
    const client = new WebSocket(`ws://127.0.0.1:${port}/`)
    await once(client, 'open')
    const closed = close(60_000)
    ;(await live.promise).close(1001)
    assert.equal((await once(client, 'close'))[0], 1001)
    await closed
  })

  test('cuts what is left when its time is over: open connections, and those not decided', async (t) => {
    const end = Promise.withResolvers<number>()
    const server = await serving(t, async ({ path }) => {
      if (path === '/undecided') return new Promise(() => {})
      return { opened: () => ({ onMessage() {}, onPing() {}, onClose: end.resolve }) }
    })
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/`)
    await once(client, 'open')
    const undecided = await rawClient(server.port, handshake({ target: '/undecided' }))
    while (server.asked.length < 2) await turn()
    const lost = once(client, 'close')
    await server.close(0)
    assert.deepEqual([(await lost)[0], await end.promise], [1006, 1006])
    assert.equal((await undecided.received(1)).length, 0)
  })

  test('opens nothing more: 503, and the connection is abandoned', async (t) => {
    const { decide, asked, answer, upgrade, abandoned, events } = decision()
    const server = await serving(t, decide)
    const client = await rawClient(server.port, handshake())
    await asked
    const closed = server.close(60_000)
    answer(upgrade)
    await abandoned
    assert.match(await client.answered(), /^HTTP\/1\.1 503 /)
    client.socket.end()
    await closed
    assert.deepEqual(events, ['abandoned'])
  })
})

test('the closing frame of a client that came with its handshake ends the connection', async (t) => {
  const ends = Promise.withResolvers<number>()
  const server = await serving(t, async () => ({ opened: () => ({ onMessage() {}, onPing() {}, onClose: ends.resolve }) }))
  const client = await rawClient(server.port, Buffer.concat([Buffer.from(handshake()), frame({ opcode: CLOSE, payload: closing(1000) })]))
  client.socket.end()
  assert.equal(await ends.promise, 1000)
})
