// Open connections of WebSocket APIs: how they end and who is told, what is worked on at once, and clients that leave early.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { signHeaders } from '#aws/sigv4/sign.ts'
import { systemClock } from '#lib/clock.ts'
import { steppedClock } from '#test/support/stepped-clock.ts'
import { openSocket, refusedSocket } from '#test/support/web-socket-client.ts'
import { API_HOST } from '../http/gateway.testing.ts'
import { callersOf } from './callers.testing.ts'
import { CONNECTION_MS_MAX, FRAME_BYTES_MAX, IDLE_MS_MAX, MESSAGE_BYTES_MAX, MESSAGES_AT_ONCE_MAX } from './limits.ts'
import { FunctionFails, socketSnapshot, startSocketGateway, stepsOf, toApi, type GivenSocketRoutes, type SocketGatewayGiven } from './websocket.testing.ts'

const all: GivenSocketRoutes = { $connect: {}, $disconnect: {}, $default: { isTwoWay: true } }
/** The message itself. */
const says = ({ payload }: { payload: Buffer }) => ({ statusCode: 200, body: (JSON.parse(payload.toString()) as { body?: string }).body })

async function talking(t: TestContext, given: SocketGatewayGiven = {}, routes = all) {
  const gateway = await startSocketGateway(t, socketSnapshot(routes), { invoke: says, ...given })
  return { ...gateway, client: await openSocket(gateway.url, { headers: toApi }) }
}

/** What the function of `$disconnect` was told. */
async function ended({ settled, events }: Pick<Awaited<ReturnType<typeof talking>>, 'settled' | 'events'>) {
  await settled('$disconnect')
  const { disconnectStatusCode, disconnectReason } = events().find(({ requestContext }) => requestContext.routeKey === '$disconnect').requestContext as Record<string, unknown>
  return [disconnectStatusCode, disconnectReason]
}

describe('the end of a connection', () => {
  test('is told with the client\'s code and words', async (t) => {
    for (const [code, reason] of [[1000, ''], [1000, 'bye'], [1001, 'page'], [3000, 'é'], [4999, 'own']] as const) {
      const connection = await talking(t)
      connection.client.socket.close(code, reason)
      assert.deepEqual(await ended(connection), [code, reason])
    }
  })

  test('is told as 1005 without a code, and as 1006 when the connection was cut', async (t) => {
    const polite = await talking(t)
    polite.client.socket.close()
    assert.deepEqual(await ended(polite), [1005, 'Client-side close frame status not set'])
    const rude = await talking(t)
    rude.client.socket.terminate()
    assert.deepEqual(await ended(rude), [1006, 'Connection closed abnormally'])
  })

  test('comes with a binary frame, which nobody is given', async (t) => {
    const connection = await talking(t)
    connection.client.socket.send(Buffer.from('x'), { binary: true })
    assert.equal((await connection.client.closed).code, 1003)
    assert.equal((await ended(connection))[0], 1003)
    assert.deepEqual(connection.events().map(({ requestContext }) => requestContext.eventType), ['CONNECT', 'DISCONNECT'])
  })

  test('comes with a message or a frame over its limit, and not at it', async (t) => {
    const frames = async (count: number, bytes: number) => {
      const connection = await talking(t, { invoke: ({ payload }) => ({ statusCode: 200, body: String((JSON.parse(payload.toString()) as { body?: string }).body?.length) }) })
      const send = (data: string, fin: boolean) => connection.client.socket.send(data, { fin })
      for (let at = 1; at <= count; at++) send('x'.repeat(bytes), at === count)
      return connection
    }
    const whole = MESSAGE_BYTES_MAX / FRAME_BYTES_MAX
    assert.equal(await (await frames(whole, FRAME_BYTES_MAX)).client.next(), String(MESSAGE_BYTES_MAX))
    for (const connection of [await frames(whole + 1, FRAME_BYTES_MAX), await frames(1, FRAME_BYTES_MAX + 1)]) {
      assert.equal((await connection.client.closed).code, 1009)
      assert.deepEqual(await ended(connection), [1009, 'Message too big'])
      assert.equal(connection.events().length, 2)
    }
  })

  test('comes with a text that is none', async (t) => {
    const connection = await talking(t)
    connection.client.socket.send(Buffer.from([0xff, 0xfe]), { binary: false })
    assert.equal((await connection.client.closed).code, 1007)
    assert.deepEqual(await ended(connection), [1007, 'Invalid frame payload data'])
  })

  test('comes after ten minutes of silence, which messages and pings break', async (t) => {
    const clock = steppedClock()
    const connection = await talking(t, { clock })
    clock.step(IDLE_MS_MAX - 30_000)
    assert.equal(await connection.client.ask('x'), 'x')
    clock.step(IDLE_MS_MAX - 30_000)
    connection.client.socket.ping()
    await once(connection.client.socket, 'pong')
    clock.step(IDLE_MS_MAX - 30_000)
    assert.equal(await connection.client.ask('y'), 'y')
    clock.step(IDLE_MS_MAX)
    assert.deepEqual(await connection.client.closed, { code: 1001, reason: 'Going away' })
    assert.deepEqual(await ended(connection), [1001, 'Going away'])
  })

  test('comes with DeleteConnection', async (t) => {
    const { keyOf, ...judges } = callersOf({ manager: [{ Effect: 'Allow', Action: 'execute-api:ManageConnections', Resource: '*' }] }, systemClock)
    const connection = await talking(t, judges)
    const path = `/prod/@connections/${encodeURIComponent(connection.events()[0].requestContext.connectionId as string)}`
    const headers = signHeaders({
      method: 'DELETE', path, rawQuery: '', headers: toApi, body: Buffer.alloc(0), service: 'execute-api', region: 'us-east-1', credentials: keyOf('manager'), nowMs: systemClock.now(),
    })
    const asking = request({ host: '127.0.0.1', port: connection.port, method: 'DELETE', path, headers }).end()
    const [answer] = await once(asking, 'response') as [IncomingMessage]
    answer.resume()
    assert.equal(answer.statusCode, 204)
    assert.deepEqual(await connection.client.closed, { code: 1000, reason: 'Connection Closed Normally' })
    assert.deepEqual(await ended(connection), [1000, 'Connection Closed Normally'])
  })

  test('comes after two hours, however busy it is', async (t) => {
    const clock = steppedClock()
    const connection = await talking(t, { clock })
    for (let passedMs = 0; passedMs < CONNECTION_MS_MAX - IDLE_MS_MAX; passedMs += IDLE_MS_MAX / 2) {
      clock.step(IDLE_MS_MAX / 2)
      assert.equal(await connection.client.ask('x'), 'x')
    }
    clock.step(IDLE_MS_MAX / 2)
    assert.equal(await connection.client.ask('x'), 'x')
    clock.step(IDLE_MS_MAX / 2)
    assert.equal((await connection.client.closed).code, 1001)
    assert.deepEqual(await ended(connection), [1001, 'Going away'])
  })

  test('is told once, and not again when its function fails; nobody is told where the route is missing or the stage has gone', async (t) => {
    const failing = await talking(t, { invoke: ({ payload }) => {
      if (payload.includes('$disconnect')) throw new FunctionFails('no')
      return { statusCode: 200 }
    } })
    failing.client.socket.close()
    assert.equal((await failing.settled('$disconnect')).facts.status, 502)
    assert.equal(failing.events().length, 2)
    const silent = await talking(t, {}, { $default: { isTwoWay: true } })
    silent.client.socket.close()
    await silent.settled('DISCONNECT')
    assert.deepEqual(silent.events(), [])
    const gone = await talking(t)
    gone.deploy(undefined)
    gone.client.socket.close()
    await gone.client.closed
    while (gone.traces.length < 2) await new Promise((resolve) => { setImmediate(resolve) })
    assert.deepEqual([gone.traces[1]!.facts.status, gone.events().length], [403, 1])
  })
})

describe('messages', () => {
  test('are worked on at once up to a limit, and all are answered', async (t) => {
    const count = 200
    const held: (() => void)[] = []
    let most = 0
    const connection = await talking(t, { invoke: async (invocation) => {
      if (!invocation.payload.includes('MESSAGE')) return { statusCode: 200 }
      await new Promise<void>((resolve) => { most = Math.max(most, held.push(resolve)) })
      return says(invocation)
    } })
    for (let at = 0; at < count; at++) connection.client.send(String(at))
    while (held.length < MESSAGES_AT_ONCE_MAX) await new Promise((resolve) => { setImmediate(resolve) })
    const answers = new Set<string>()
    while (answers.size < count) {
      const next = connection.client.next()
      while (held.length === 0) await new Promise((resolve) => { setImmediate(resolve) })
      held.splice(Math.floor(held.length / 2), 1)[0]!()
      answers.add(await next)
    }
    assert.equal(most, MESSAGES_AT_ONCE_MAX)
    assert.equal(connection.events().length, count + 1)
  })

  test('are answered as their work is done, not in their order', async (t) => {
    const slow = Promise.withResolvers<void>()
    const { client } = await talking(t, { invoke: async (invocation) => {
      if (invocation.payload.includes('slow')) await slow.promise
      return says(invocation)
    } })
    client.send('slow')
    assert.equal(await client.ask('fast'), 'fast')
    slow.resolve()
    assert.equal(await client.next(), 'slow')
  })

  test('whose sender has left are worked on to their end, and nobody is answered', async (t) => {
    const slow = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const connection = await talking(t, { invoke: async (invocation) => {
      if (invocation.payload.includes('slow')) {
        asked.resolve()
        await slow.promise
      }
      return says(invocation)
    } })
    connection.client.send('slow')
    await asked.promise
    connection.client.socket.close(1000)
    await connection.settled('$disconnect')
    slow.resolve()
    assert.equal((await connection.settled('$default')).facts.status, 200)
    assert.deepEqual(connection.errors, [])
  })

  test('that came before the client left are all told, the end last', async (t) => {
    const connection = await talking(t)
    for (const text of ['1', '2', '3']) connection.client.send(text)
    connection.client.socket.close(1000)
    await connection.settled('$disconnect')
    assert.deepEqual(connection.events().map(({ requestContext, body }) => body ?? requestContext.eventType), ['CONNECT', '1', '2', '3', 'DISCONNECT'])
  })
})

describe('a client that leaves while $connect is asked', () => {
  test('is told of to $disconnect, once $connect has let it in', async (t) => {
    const asked = Promise.withResolvers<void>()
    const slow = Promise.withResolvers<void>()
    const gateway = await startSocketGateway(t, socketSnapshot(all), { invoke: async ({ payload }) => {
      asked.resolve()
      if (payload.includes('"CONNECT"')) await slow.promise
      return { statusCode: 200 }
    } })
    const client = connect({ host: '127.0.0.1', port: gateway.port })
    client.write(`GET /prod HTTP/1.1\r\nHost: ${API_HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`)
    await asked.promise
    client.destroy()
    await once(client, 'close')
    slow.resolve()
    assert.deepEqual(await ended(gateway), [1006, 'Connection closed abnormally'])
    const [begun, gone] = gateway.events()
    assert.equal(begun.requestContext.connectionId, gone.requestContext.connectionId)
  })
})

describe('a handshake', () => {
  const required: GivenSocketRoutes = { ...all, $connect: { route: { requestParameters: { 'route.request.querystring.token': { required: true }, 'route.request.header.X-Room': { required: true }, 'route.request.querystring.more': { required: false } } } } }

  test('without a parameter that its route requires is refused, naming it', async (t) => {
    const gateway = await startSocketGateway(t, socketSnapshot(required))
    for (const [query, headers, missing] of [['', {}, 'token, X-Room'], ['?token=', { 'X-Room': 'a' }, 'token'], ['?token=t', {}, 'X-Room']] as const) {
      const { status, body, headers: answered } = await refusedSocket(`${gateway.url}${query}`, { headers: { ...toApi, ...headers } as Record<string, string> })
      assert.deepEqual([status, (JSON.parse(body) as { message: string }).message, answered['x-amzn-errortype']], [400, `Missing required request parameters: [${missing}]`, 'BadRequestException'])
    }
    assert.deepEqual(gateway.invocations, [])
    await using client = await openSocket(`${gateway.url}?token=t`, { headers: { ...toApi, 'x-room': 'a' } })
    assert.ok(client)
    assert.deepEqual(stepsOf(gateway.traces[0]!, 'validate'), [{ missing: ['token', 'X-Room'] }])
  })

  test('has parameters of its own: later events have none', async (t) => {
    const gateway = await startSocketGateway(t, socketSnapshot(required), { invoke: says })
    await using client = await openSocket(`${gateway.url}?token=t`, { headers: { ...toApi, 'X-Room': 'a' } })
    assert.equal(await client.ask('x'), 'x')
    assert.deepEqual(Object.keys(gateway.events()[1]), ['requestContext', 'body', 'isBase64Encoded'])
  })
})
