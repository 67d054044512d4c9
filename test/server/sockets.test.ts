// WebSockets of a whole server: how long they last, how large their messages are, and clients that misbehave.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { GoneException, LimitExceededException } from '@aws-sdk/client-apigatewaymanagementapi'
import { WebSocket } from 'ws'
import { certificate } from '#test/support/certificates.ts'
import { absent } from '#test/support/programs.ts'
import { keptDirectory } from '#test/support/kept-directory.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { backendOf, eventually, functionBehind, recorder, socketApi, type Recorder } from '#test/support/socket-server.ts'
import { steppedClock, type SteppedClock } from '#test/support/stepped-clock.ts'
import { openSocket, refusedSocket } from '#test/support/web-socket-client.ts'
import type { TestSocketApi } from '#test/support/websocket-api.ts'

const mock = { IntegrationType: 'MOCK', RequestTemplates: { $default: '{"statusCode": 200}' } } as const
const answersId = { ...mock, isTwoWay: true, responses: { $default: '$context.connectionId' } }
const MINUTE_MS = 60_000
const FRAME_BYTES_MAX = 32 * 1024
const MESSAGE_BYTES_MAX = 128 * 1024

const handshake = (path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`

/** A client that speaks for itself: what it gets stays unread, and closing frames unanswered, unless the test says otherwise. */
async function rawClient(api: TestSocketApi, port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  socket.write(handshake(new URL(api.url).pathname))
  const [head] = await once(socket, 'data') as [Buffer]
  assert.match(head.toString('latin1'), /^HTTP\/1\.1 101 /)
  return socket
}

describe('a connection lasts', () => {
  let clock: SteppedClock
  let server: TestServer
  let api: TestSocketApi
  let record: Recorder
  let stopRecording = () => {}
  before(async () => {
    clock = steppedClock()
    server = await startServer(undefined, { clock })
    record = await recorder({ after: (hook) => { stopRecording = hook as () => void } })
    api = await socketApi(server, { $default: answersId, $disconnect: record.integration })
  })
  after(async () => {
    await server.close()
    stopRecording()
  })

  async function endOf(id: string): Promise<string[]> {
    await eventually(async () => assert.ok(record.told.some((line) => line.startsWith(id))))
    return record.told.filter((line) => line.startsWith(id)).map((line) => line.slice(id.length + 1))
  }

  test('ten minutes without a message, a ping or a push', async () => {
    await using silent = await openSocket(api.url)
    await using talking = await openSocket(api.url)
    const [silentId, id] = [await silent.ask('id'), await talking.ask('id')]
    const signs = [
      async () => { await talking.ask('x') },
      async () => {
        talking.socket.ping()
        await once(talking.socket, 'pong')
      },
      async () => {
        // Signatures go by the server's clock, which is ahead of this client's.
        using backend = backendOf(server, api.ApiId)
        backend.management.config.systemClockOffset = clock.now() - Date.now()
        await backend.push(id, 'pushed')
        assert.equal(await talking.next(), 'pushed')
      },
    ]
    for (const sign of signs) {
      clock.step(6 * MINUTE_MS)
      await sign()
    }
    assert.deepEqual(await silent.closed, { code: 1001, reason: 'Going away' })
    assert.deepEqual(await endOf(silentId), ['1001 Going away'])
    clock.step(6 * MINUTE_MS)
    assert.equal(await talking.ask('still there'), id)
    clock.step(10 * MINUTE_MS)
    assert.deepEqual(await talking.closed, { code: 1001, reason: 'Going away' })
    assert.deepEqual(await endOf(id), ['1001 Going away'])
  })

  test('two hours, however much is said', async () => {
    await using client = await openSocket(api.url)
    const id = await client.ask('id')
    for (let passed = 0; passed < 117; passed += 9) {
      clock.step(9 * MINUTE_MS)
      assert.equal(await client.ask('x'), id)
    }
    clock.step(3 * MINUTE_MS)
    assert.deepEqual(await client.closed, { code: 1001, reason: 'Going away' })
    assert.deepEqual(await endOf(id), ['1001 Going away'])
  })
})

describe('sizes', { skip: absent('openssl') }, () => {
  test('are judged at their edges, over TLS as without', async () => {
    const directory = keptDirectory()
    const { cert, key } = await certificate({ host: 'localhost' })
    const settings = { TLS_CERT: join(directory, 'cert.pem'), TLS_KEY: join(directory, 'key.pem') }
    writeFileSync(settings.TLS_CERT, cert)
    writeFileSync(settings.TLS_KEY, key)
    const plain = await startServer(undefined, { dataDir: directory })
    const api = await socketApi(plain, { $default: { ...mock, isTwoWay: true, responses: { $default: 'got it' } } })
    await judgesSizes(api.url)
    await plain.close()
    await using secure = await startServer(undefined, { dataDir: directory, settings })
    await judgesSizes(api.url.replace(/^ws:\/\/[^/]+/, `wss://127.0.0.1:${secure.port}`))
  })
})

/** Sends frames of such sizes as one message; answers what came back, or the code of the end. */
async function told(url: string, frames: readonly number[], binary = false): Promise<string | number> {
  const socket = new WebSocket(url, { rejectUnauthorized: false })
  await once(socket, 'open')
  const answer = new Promise<string | number>((resolve) => {
    socket.once('message', (data: Buffer) => resolve(data.toString()))
    socket.once('close', resolve)
  })
  frames.forEach((bytes, index) => socket.send('x'.repeat(bytes), { binary, fin: index === frames.length - 1 }))
  const what = await answer
  socket.terminate()
  return what
}

async function judgesSizes(url: string): Promise<void> {
  const whole = Array<number>(MESSAGE_BYTES_MAX / FRAME_BYTES_MAX).fill(FRAME_BYTES_MAX)
  assert.equal(await told(url, [FRAME_BYTES_MAX + 1]), 1009)
  assert.equal(await told(url, [...whole, 1]), 1009)
  assert.equal(await told(url, [1], true), 1003)
  assert.equal(await told(url, [FRAME_BYTES_MAX]), 'got it')
  assert.equal(await told(url, whole), 'got it')
}

describe('a client that misbehaves', () => {
  let server: TestServer
  let api: TestSocketApi
  before(async () => {
    server = await startServer()
    const sleeper = await functionBehind(server, 'sleeper', 'export const handler = async ({ body }) => { await new Promise((done) => setTimeout(done, 100)); return { statusCode: 200, body } }')
    api = await socketApi(server, { $connect: mock, $default: answersId, slow: { ...sleeper, isTwoWay: true } }, ['sleeper'])
  })
  after(() => server.close())

  test('does not read: what waits for it is bounded, who sends is told, and others are served', async (t) => {
    using backend = backendOf(server, api.ApiId)
    const deaf = await rawClient(api, server.port)
    t.after(() => deaf.destroy())
    deaf.resume()
    deaf.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78]))
    const [frame] = await once(deaf, 'data') as [Buffer]
    deaf.pause()
    const id = frame.subarray(2).toString()
    await using other = await openSocket(api.url)
    const otherId = await other.ask('id')
    // A push is answered once the system has taken it: these wait, until there is no room.
    const large = 'x'.repeat(MESSAGE_BYTES_MAX)
    let refused = 0
    const pushes: Promise<void>[] = []
    for (let at = 0; at < 400 && refused === 0; at++) {
      pushes.push(backend.push(id, large).then(() => {}, (error: unknown) => {
        if (error instanceof LimitExceededException) refused += 1
        else if (!(error instanceof GoneException)) throw error
      }))
      await new Promise((done) => setTimeout(done, 5))
    }
    assert.ok(refused > 0)
    assert.equal(await other.ask('id'), otherId)
    await backend.push(otherId, 'unaffected')
    assert.equal(await other.next(), 'unaffected')
    deaf.destroy()
    await Promise.all(pushes)
  })

  test('floods: everything is answered, and others do not wait for it', async () => {
    await using flooding = await openSocket(api.url)
    await using other = await openSocket(api.url)
    const count = 1_000
    const id = await flooding.ask('id')
    for (let at = 0; at < count; at++) flooding.send(String(at))
    assert.equal((await other.ask('id')).length, id.length)
    for (let at = 0; at < count; at++) assert.equal(await flooding.next(), id)
  })

  test('sends a hundred messages to a function that sleeps, and gets every answer', async () => {
    await using client = await openSocket(api.url)
    const sent = Array.from({ length: 100 }, (_, at) => JSON.stringify({ action: 'slow', at }))
    for (const message of sent) client.send(message)
    const answers: string[] = []
    while (answers.length < sent.length) answers.push(await client.next())
    assert.deepEqual(answers.sort(), sent.sort())
  })

  test('begins handshakes that it does not end, and one of forty kilobytes', async (t) => {
    const half = Array.from({ length: 100 }, () => connect({ host: '127.0.0.1', port: server.port }))
    t.after(() => { for (const socket of half) socket.destroy() })
    for (const socket of half) socket.on('error', () => {}).write(handshake(new URL(api.url).pathname).slice(0, 60))
    const { status } = await refusedSocket(api.url, { headers: { 'x-large': 'x'.repeat(40 * 1024) } })
    assert.equal(status, 431)
    await using client = await openSocket(api.url)
    assert.ok(await client.ask('id'))
  })

  test('comes and goes five hundred times', async () => {
    using backend = backendOf(server, api.ApiId)
    let id = ''
    for (let at = 0; at < 500; at++) {
      await using client = await openSocket(api.url)
      if (at === 499) id = await client.ask('id')
    }
    await eventually(() => assert.rejects(backend.push(id, 'x'), GoneException))
  })
})
