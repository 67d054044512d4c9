// WebSockets over a real server: what breaks a rule or a limit is refused with its code, the rest arrives whole and in order.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { WebSocket, type ClientOptions } from 'ws'
import { certificate } from '#test/support/certificates.ts'
import { absent } from '#test/support/programs.ts'
import { serve, type HttpServer, type HttpServerOptions } from './http-server.ts'
import { CLOSE_TIMEOUT_MS, type WebSocketConnection, type WebSocketHandlers, type WebSocketLimits, type WebSocketMessage } from './web-socket.ts'
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, closing, fragmented, frame, handshake, rawClient, type RawClient } from './web-socket.testing.ts'

const limits: WebSocketLimits = { messageBytesMax: 128 * 1024, frameBytesMax: 32 * 1024, unsentBytesMax: 1024 * 1024 }

/** What one connection told, in order. */
type Told = { message: string, isBinary: boolean } | 'ping' | { code: number, reason: string }

interface Live {
  connection: WebSocketConnection
  told: Told[]
  closed: Promise<{ code: number, reason: string }>
}

interface Sockets extends HttpServer {
  /** The next connection that opens. */
  next(): Promise<Live>
  errors: unknown[]
}

interface Behaviour {
  echoes?: boolean
  onMessage?: (message: WebSocketMessage, live: Live) => void
  onOpen?: (live: Live) => void
  server?: Partial<HttpServerOptions>
}

/** A server that opens every WebSocket and writes down what it is told. */
async function sockets(t: TestContext, { echoes = false, onMessage, onOpen, server: options = {} }: Behaviour = {}): Promise<Sockets> {
  const errors: unknown[] = []
  const opened: Live[] = []
  const waiting: ((live: Live) => void)[] = []
  const open = (connection: WebSocketConnection): WebSocketHandlers => {
    const end = Promise.withResolvers<{ code: number, reason: string }>()
    const live: Live = { connection, told: [], closed: end.promise }
    const waiter = waiting.shift()
    if (waiter) waiter(live)
    else opened.push(live)
    onOpen?.(live)
    return {
      onMessage(message) {
        live.told.push({ message: message.data.toString(), isBinary: message.isBinary })
        if (echoes) void connection.send(message.data, { binary: message.isBinary })
        onMessage?.(message, live)
      },
      onPing: () => { live.told.push('ping') },
      onClose(code, reason) {
        live.told.push({ code, reason })
        end.resolve({ code, reason })
      },
    }
  }
  const server = await serve({
    hosts: ['127.0.0.1'], port: 0, onError: (error) => errors.push(error), webSocketLimits: limits,
    handle: async () => ({ status: 200, headers: {}, body: 'plain' }), upgrade: async () => ({ opened: open }), ...options,
  })
  t.after(() => server.close(0))
  return { ...server, errors, next: async () => opened.shift() ?? new Promise((resolve) => { waiting.push(resolve) }) }
}

/** A client whose connection is open, and our side of it. */
async function connected(server: Sockets, options: ClientOptions & { protocols?: string[], scheme?: string } = {}): Promise<{ client: WebSocket, live: Live }> {
  const { protocols = [], scheme = 'ws', ...rest } = options
  const client = new WebSocket(`${scheme}://127.0.0.1:${server.port}/`, protocols, rest)
  const [live] = await Promise.all([server.next(), once(client, 'open')])
  return { client, live }
}

/** A client that breaks rules, and our side of its connection. `early` goes out with the handshake. */
async function rawConnected(server: Sockets, early: Buffer = Buffer.alloc(0)): Promise<{ client: RawClient, live: Live }> {
  const client = await rawClient(server.port, Buffer.concat([Buffer.from(handshake()), early]))
  assert.match(await client.answered(), /^HTTP\/1\.1 101 /)
  return { client, live: await server.next() }
}

/** The closing frame as a server sends it. */
const closingFrame = (code: number, reason = '') => frame({ opcode: CLOSE, payload: closing(code, reason), isMasked: false })

const texts = (told: readonly Told[]) => told.flatMap((one) => typeof one === 'object' && 'message' in one ? [one.message] : [])

describe('a connection refuses', () => {
  const cases: { says: string, sends: Buffer, code: number }[] = [
    { says: 'a frame of one byte too many, at its header', sends: frame({ opcode: TEXT, announcedBytes: limits.frameBytesMax + 1 }).subarray(0, 4), code: 1009 },
    { says: 'a frame of one byte too many, whole and in one piece', sends: frame({ opcode: TEXT, payload: 'x'.repeat(limits.frameBytesMax + 1) }), code: 1009 },
    { says: 'a frame larger than any message, at its header', sends: frame({ opcode: BINARY, announcedBytes: 2 ** 40 }).subarray(0, 10), code: 1009 },
    { says: 'a large frame although a closing frame follows', sends: Buffer.concat([frame({ opcode: TEXT, payload: 'x'.repeat(limits.frameBytesMax + 1) }), frame({ opcode: CLOSE, payload: closing(1000) })]), code: 1009 },
    {
      says: 'a message of many frames, each at the limit, at the header of the one that is too many',
      sends: Buffer.concat([
        ...[TEXT, CONTINUATION, CONTINUATION, CONTINUATION].map((opcode) => frame({ opcode, payload: 'x'.repeat(limits.frameBytesMax), isLast: false })),
        frame({ opcode: CONTINUATION, payload: 'x' }).subarray(0, 2),
      ]),
      code: 1009,
    },
    { says: 'a message in more pieces than anybody needs', sends: Buffer.concat([frame({ opcode: TEXT, isLast: false }), ...Array.from({ length: 4096 }, () => frame({ opcode: CONTINUATION, isLast: false }))]), code: 1008 },
    { says: 'text that is no UTF-8', sends: frame({ opcode: TEXT, payload: Buffer.from([0xc3, 0x28]) }), code: 1007 },
    { says: 'a frame without a mask', sends: frame({ opcode: TEXT, payload: 'x', isMasked: false }), code: 1002 },
    { says: 'a large frame without a mask for the mask', sends: frame({ opcode: TEXT, announcedBytes: limits.frameBytesMax + 1, isMasked: false }), code: 1002 },
    { says: 'a control frame that is too long', sends: frame({ opcode: PING, payload: 'x'.repeat(126) }), code: 1002 },
    { says: 'a control frame in pieces', sends: frame({ opcode: PING, isLast: false }), code: 1002 },
    { says: 'a compressed frame', sends: frame({ opcode: TEXT, payload: 'x', reserved: 4 }), code: 1002 },
    { says: 'an unknown kind of frame', sends: frame({ opcode: 0x3 }), code: 1002 },
    { says: 'a continuation of nothing', sends: frame({ opcode: CONTINUATION }), code: 1002 },
    { says: 'a message within another', sends: Buffer.concat([frame({ opcode: TEXT, isLast: false }), frame({ opcode: TEXT })]), code: 1002 },
    { says: 'a closing frame with a code that may not be sent', sends: frame({ opcode: CLOSE, payload: closing(1005) }), code: 1002 },
  ]
  for (const { says, sends, code } of cases) {
    test(`${says}: ${code}`, async (t) => {
      const server = await sockets(t)
      const { client, live } = await rawConnected(server, frame({ opcode: TEXT, payload: 'before' }))
      client.socket.write(sends)
      assert.deepEqual(await client.ended(), closingFrame(code))
      client.socket.end()
      assert.deepEqual(await live.closed, { code, reason: '' })
      assert.deepEqual(live.told, [{ message: 'before', isBinary: false }, { code, reason: '' }])
      assert.deepEqual(server.errors, [])
    })
  }

  test('a large frame that comes in one piece with whole messages before it: those are told', async (t) => {
    const server = await sockets(t)
    const before = Buffer.concat([frame({ opcode: TEXT, payload: 'one' }), fragmented(Buffer.from('two'), [1, 1])])
    const { client, live } = await rawConnected(server, Buffer.concat([before, frame({ opcode: TEXT, payload: 'x'.repeat(40_000) }), frame({ opcode: TEXT, payload: 'after' }), frame({ opcode: PING })]))
    client.socket.end()
    await live.closed
    assert.deepEqual(live.told, [{ message: 'one', isBinary: false }, { message: 'two', isBinary: false }, { code: 1009, reason: '' }])
  })

  test('a real client\'s large message with 1009', async (t) => {
    const server = await sockets(t)
    const { client, live } = await connected(server)
    client.send('x'.repeat(32 * 1024 + 1))
    assert.equal((await once(client, 'close'))[0], 1009)
    await live.closed
    assert.deepEqual(live.told, [{ code: 1009, reason: '' }])
  })

  test('random bytes, whatever they are, and goes on serving', async (t) => {
    const server = await sockets(t)
    const anything = fc.array(fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.record({ opcode: fc.nat(15), payload: fc.string({ maxLength: 200 }), isLast: fc.boolean(), isMasked: fc.boolean(), reserved: fc.constantFrom(0, 0, 0, 1, 4) }).map(frame),
    ), { maxLength: 10 })
    await fc.assert(fc.asyncProperty(anything, async (bytes) => {
      const { client, live } = await rawConnected(server)
      client.socket.end(Buffer.concat(bytes))
      await live.closed
      assert.equal(live.told.filter((one) => typeof one === 'object' && 'code' in one).length, 1)
      client.socket.destroy()
    }), { numRuns: 100 })
    assert.deepEqual(server.errors, [])
    assert.equal((await fetch(`http://127.0.0.1:${server.port}/`)).status, 200)
  })

  test('a flood of pings: cut', async (t) => {
    const server = await sockets(t)
    const { client, live } = await rawConnected(server, Buffer.concat(Array.from({ length: 2000 }, () => frame({ opcode: PING, payload: 'x'.repeat(125) }))))
    assert.equal((await live.closed).code, 1006)
    client.socket.destroy()
  })
})

describe('an open connection', () => {
  test('tells messages whole and in order, as text or binary, and sends the same', async (t) => {
    const server = await sockets(t, { echoes: true })
    const { client } = await connected(server)
    const echoed: [Buffer, boolean][] = []
    client.on('message', (data: Buffer, isBinary) => echoed.push([data, isBinary]))
    const sent: [Buffer, boolean][] = [[Buffer.from('é'), false], [Buffer.alloc(0), false], [Buffer.from([0xff, 0]), true], [Buffer.alloc(0), true], [Buffer.alloc(32 * 1024, 'x'), false]]
    for (const [data, binary] of sent) client.send(data, { binary })
    while (echoed.length < sent.length) await once(client, 'message')
    assert.deepEqual(echoed, sent)
  })

  test('sends a large message in frames of the limit, and none empty behind them', async (t) => {
    const server = await sockets(t)
    const { client, live } = await rawConnected(server)
    const message = Buffer.alloc(65 * 1024, 'x')
    assert.equal(await live.connection.send(message), 'sent')
    assert.equal(await live.connection.send(Buffer.alloc(32 * 1024, 'y'), { binary: true }), 'sent')
    live.connection.terminate()
    assert.deepEqual(await client.ended(), Buffer.concat([
      frame({ opcode: TEXT, payload: 'x'.repeat(32 * 1024), isLast: false, isMasked: false }),
      frame({ opcode: CONTINUATION, payload: 'x'.repeat(32 * 1024), isLast: false, isMasked: false }),
      frame({ opcode: CONTINUATION, payload: 'x'.repeat(1024), isMasked: false }),
      frame({ opcode: BINARY, payload: 'y'.repeat(32 * 1024), isMasked: false }),
    ]))
  })

  test('tells what came together with the handshake', async (t) => {
    const server = await sockets(t)
    const { client, live } = await rawConnected(server, Buffer.concat([frame({ opcode: TEXT, payload: 'early' }), frame({ opcode: CLOSE, payload: closing(1000) })]))
    client.socket.end()
    await live.closed
    assert.deepEqual(live.told, [{ message: 'early', isBinary: false }, { code: 1000, reason: '' }])
  })

  test('answers pings itself, between the pieces of a message too, and tells of them and of pongs', async (t) => {
    const server = await sockets(t)
    const { client, live } = await rawConnected(server)
    client.socket.write(Buffer.concat([
      frame({ opcode: TEXT, payload: 'o', isLast: false }), frame({ opcode: PING, payload: 'are you there' }), frame({ opcode: CONTINUATION, payload: 'ne' }), frame({ opcode: PONG }),
      frame({ opcode: CLOSE, payload: closing(3000, 'bye') }),
    ]))
    assert.deepEqual(await client.ended(), Buffer.concat([frame({ opcode: PONG, payload: 'are you there', isMasked: false }), closingFrame(3000, 'bye')]))
    client.socket.end()
    await live.closed
    assert.deepEqual(live.told, ['ping', { message: 'one', isBinary: false }, 'ping', { code: 3000, reason: 'bye' }])
  })

  test('tells the code of a client that closes: its own, 1005 without one, 1006 when it is cut', async (t) => {
    const server = await sockets(t)
    const ends: [(client: WebSocket) => void, { code: number, reason: string }][] = [
      [(client) => client.close(4001, 'bored'), { code: 4001, reason: 'bored' }],
      [(client) => client.close(), { code: 1005, reason: '' }],
      [(client) => client.terminate(), { code: 1006, reason: '' }],
    ]
    for (const [end, expected] of ends) {
      const { client, live } = await connected(server)
      end(client)
      assert.deepEqual(await live.closed, expected)
      assert.equal(await live.connection.send('late'), 'closed')
      live.connection.close(1000)
      live.connection.terminate()
      live.connection.pause()
      live.connection.resume()
      assert.deepEqual(live.told, [expected])
    }
  })

  test('closes with a code and a reason once, and tells no more messages', async (t) => {
    const server = await sockets(t)
    const { client, live } = await rawConnected(server)
    live.connection.close(1001, 'Going away')
    live.connection.close(1000)
    assert.equal(await live.connection.send('late'), 'closed')
    await client.received(1)
    client.socket.end(Buffer.concat([frame({ opcode: TEXT, payload: 'late' }), frame({ opcode: CLOSE, payload: closing(1001, 'as you say') })]))
    assert.deepEqual(await client.ended(), closingFrame(1001, 'Going away'))
    assert.deepEqual(await live.closed, { code: 1001, reason: 'as you say' })
    assert.equal(live.told.length, 1)
  })

  test('refuses codes and reasons that no closing frame may have, and stays open', async (t) => {
    const server = await sockets(t)
    const { live } = await connected(server)
    assert.throws(() => live.connection.close(1005))
    assert.throws(() => live.connection.close(1000, 'x'.repeat(124)))
    assert.equal(await live.connection.send('still here'), 'sent')
  })

  test('cuts a client that does not answer the closing frame in time', async (t) => {
    const server = await sockets(t)
    const { client, live } = await rawConnected(server)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    live.connection.close(1001)
    await client.received(1)
    t.mock.timers.tick(CLOSE_TIMEOUT_MS - 1)
    await turn()
    assert.deepEqual(live.told, [])
    t.mock.timers.tick(1)
    t.mock.timers.reset()
    assert.deepEqual(await live.closed, { code: 1006, reason: '' })
  })

  test('is cut without a closing frame when it is terminated', async (t) => {
    const server = await sockets(t)
    const { client, live } = await connected(server)
    live.connection.terminate()
    assert.equal((await once(client, 'close'))[0], 1006)
    assert.deepEqual(await live.closed, { code: 1006, reason: '' })
  })

  test('says that it is full when a client does not read, and gives up what waits when it goes', async (t) => {
    const server = await sockets(t)
    const { client, live } = await rawConnected(server)
    client.socket.pause()
    const waiting: Promise<string>[] = []
    let outcome = ''
    while (outcome !== 'full') {
      const sending = live.connection.send(Buffer.alloc(128 * 1024, 'x'))
      outcome = await Promise.race([sending, turn('waits')])
      if (outcome === 'waits') waiting.push(sending)
      assert.ok(waiting.length <= limits.unsentBytesMax / (128 * 1024))
    }
    assert.ok(waiting.length > 0)
    client.socket.destroy()
    assert.ok((await Promise.all(waiting)).includes('closed'))
    await live.closed
  })

  test('judges exactly what may wait', async (t) => {
    const server = await sockets(t, { server: { webSocketLimits: { ...limits, unsentBytesMax: 1000 } } })
    const { live } = await connected(server)
    assert.equal(await live.connection.send('x'.repeat(1001)), 'full')
    assert.equal(await live.connection.send('é'.repeat(501)), 'full')
    assert.equal(await live.connection.send('é'.repeat(500)), 'sent')
  })

  test('tells nothing while it is paused, not even what came together, and then all of it before the end', async (t) => {
    const server = await sockets(t, { onMessage: (_, { connection }) => connection.pause() })
    const all = ['1', '2', '3', '4']
    const { client, live } = await rawConnected(server, Buffer.concat([...all.map((payload) => frame({ opcode: TEXT, payload })), frame({ opcode: CLOSE, payload: closing(1000) })]))
    client.socket.end()
    await client.ended()
    for (const index of all.keys()) {
      const isLast = index === all.length - 1
      assert.deepEqual(live.told, [...all.slice(0, index + 1).map((message) => ({ message, isBinary: false })), ...isLast ? [{ code: 1000, reason: '' }] : []])
      live.connection.resume()
      await turn()
    }
  })

  test('reads nothing while it is paused from its beginning on', async (t) => {
    const server = await sockets(t, { onOpen: ({ connection }) => connection.pause() })
    const { client, live } = await rawConnected(server, frame({ opcode: PING }))
    client.socket.write(frame({ opcode: TEXT, payload: 'x' }))
    for (let turns = 0; turns < 20; turns += 1) await turn()
    assert.deepEqual(live.told, [])
    live.connection.resume()
    client.socket.end(frame({ opcode: CLOSE }))
    await live.closed
    assert.deepEqual(live.told, ['ping', { message: 'x', isBinary: false }, { code: 1005, reason: '' }])
  })

  test('drops what it holds when it is closed while it is paused', async (t) => {
    const server = await sockets(t, { onMessage: (_, { connection }) => {
      connection.pause()
      connection.close(1008, 'enough')
    } })
    const { client, live } = await rawConnected(server, Buffer.concat(['1', '2'].map((payload) => frame({ opcode: TEXT, payload }))))
    await client.received(1)
    client.socket.write(frame({ opcode: CLOSE, payload: closing(1008) }))
    assert.deepEqual(await client.ended(), closingFrame(1008, 'enough'))
    client.socket.end()
    await live.closed
    assert.deepEqual(live.told, [{ message: '1', isBinary: false }, { code: 1008, reason: '' }])
  })

  test('closes with 1011 when a handler throws, and tells us why', async (t) => {
    const server = await sockets(t, { onMessage: () => { throw new Error('a secret detail') } })
    const { client, live } = await connected(server)
    client.send('x')
    assert.deepEqual((await once(client, 'close')).map(String), ['1011', ''])
    assert.deepEqual(await live.closed, { code: 1011, reason: '' })
    assert.deepEqual(server.errors.map((error) => (error as Error).message), ['a secret detail'])
  })

  test('is offered no compression', async (t) => {
    const server = await sockets(t)
    const { client } = await connected(server, { perMessageDeflate: true })
    assert.equal(client.extensions, '')
  })

  test('works over TLS', { skip: absent('openssl') }, async (t) => {
    const server = await sockets(t, { echoes: true, server: { tls: await certificate({ host: 'localhost' }) } })
    const { client, live } = await connected(server, { scheme: 'wss', rejectUnauthorized: false })
    client.send('x'.repeat(32 * 1024))
    assert.equal(String((await once(client, 'message'))[0]).length, 32 * 1024)
    client.send('x'.repeat(32 * 1024 + 1))
    assert.deepEqual([(await once(client, 'close'))[0], (await live.closed).code], [1009, 1009])
  })

  test('tells random messages in random pieces whole and in order, and judges exactly at the limits', async (t) => {
    const small: WebSocketLimits = { messageBytesMax: 300, frameBytesMax: 130, unsentBytesMax: 1000 }
    const server = await sockets(t, { server: { webSocketLimits: small } })
    const pieces = fc.array(fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 120, max: 131 })), { minLength: 1, maxLength: 5 })
    const messages = fc.array(fc.record({ pieces, isPinged: fc.boolean() }), { maxLength: 8 })
    await fc.assert(fc.asyncProperty(messages, fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 30 }), async (made, chunkSizes) => {
      const payloads = made.map(({ pieces }, index) => String(index).repeat(pieces.reduce((sum, size) => sum + size, 0)))
      const bytes = Buffer.concat([
        ...made.flatMap(({ pieces, isPinged }, index) => [fragmented(Buffer.from(payloads[index]!), pieces.slice(0, -1)), isPinged ? frame({ opcode: PING }) : Buffer.alloc(0)]),
        frame({ opcode: CLOSE, payload: closing(1000) }),
      ])
      const { client, live } = await rawConnected(server)
      let at = 0
      for (const size of chunkSizes) {
        client.socket.write(bytes.subarray(at, at += size))
        await turn()
      }
      client.socket.end(bytes.subarray(at))
      const refused = made.findIndex(({ pieces }, index) => pieces.some((size) => size > small.frameBytesMax) || payloads[index]!.length > small.messageBytesMax)
      assert.equal((await live.closed).code, refused === -1 ? 1000 : 1009)
      assert.deepEqual(texts(live.told), refused === -1 ? payloads : payloads.slice(0, refused))
      client.socket.destroy()
    }), { numRuns: 100 })
  })
})
