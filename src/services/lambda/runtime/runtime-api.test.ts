// The Runtime API as its bytes: what is read, what is answered, what is refused.

import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { describe, test } from 'node:test'
import { createRuntimeConnection } from './runtime-api.ts'
import type { EventReceiver } from './runtime-listener.ts'

/** An environment's end of the connection, by hand: what it is sent, and what the server heard. */
function connect() {
  const sent: Buffer[] = []
  const heard: unknown[][] = []
  const socket = new Duplex({ read() {}, write(chunk: Buffer, _encoding, done) { sent.push(Buffer.from(chunk)); done() } })
  let waiting: EventReceiver | undefined
  createRuntimeConnection(socket, {
    onNext(receiver) {
      waiting = receiver
      heard.push(['next'])
    },
    onResponse(id, payload, used) {
      heard.push(['response', id, payload.length < 100 ? payload.toString() : payload.length, used])
      return id !== 'unknown'
    },
    onStream(id, contentType) {
      heard.push(['stream', id, contentType])
      if (id === 'unknown') return undefined
      let text = ''
      return {
        data(chunk) { text += chunk.toString() },
        end: (failure, used) => heard.push(['streamed', text, failure && [failure.errorType, failure.body.toString()], used]),
      }
    },
    onError: (id, payload, type) => heard.push(['error', id, payload.toString(), type]) > 0,
    onOversize: (id, bytes) => heard.push(['oversize', id, bytes]),
    onGarbage: (reason) => heard.push(['garbage', reason]),
  })
  const connection: EventReceiver = { send(message) { waiting!.send(message) } }
  const say = async (text: string | Buffer, pieces = Infinity) => {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at += pieces) socket.push(bytes.subarray(at, at + pieces))
    await new Promise((done) => { setImmediate(done) })
  }
  return { heard, connection, say, sent: () => Buffer.concat(sent.splice(0)).toString('latin1') }
}

const NEXT = 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: r\r\n\r\n'
const post = (target: string, body: string, headers = '') => `POST /2018-06-01/runtime${target} HTTP/1.1\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`
const event = { requestId: 'id-1', deadlineMs: 123, functionArn: 'arn', traceHeader: 'Root=1', clientContext: undefined, payload: Buffer.from('{"a":"ä"}') }

describe('the Runtime API', () => {
  test('gives an event to whoever asks for the next one', async () => {
    const { heard, connection, say, sent } = connect()
    await say(NEXT)
    assert.deepEqual(heard, [['next']])
    assert.equal(sent(), '')
    connection.send(event)
    assert.equal(sent(), 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\nLambda-Runtime-Aws-Request-Id: id-1\r\nLambda-Runtime-Deadline-Ms: 123\r\n'
      + `Lambda-Runtime-Invoked-Function-Arn: arn\r\nLambda-Runtime-Trace-Id: Root=1\r\n\r\n${Buffer.from('{"a":"ä"}').toString('latin1')}`)
  })

  test('hears answers and errors, however their bytes arrive', async () => {
    for (const pieces of [1, 7, Infinity]) {
      const { heard, say } = connect()
      await say(post('/invocation/id-1/response', '"ä"', 'Countersign-Memory: 5\r\n') + post('/invocation/id-2/error', '{}', 'Lambda-Runtime-Function-Error-Type: Own\r\n') + post('/init/error', '{"x":1}'), pieces)
      assert.deepEqual(heard, [['response', 'id-1', '"ä"', 5], ['error', 'id-2', '{}', 'Own'], ['error', undefined, '{"x":1}', undefined]])
    }
  })

  test('says at once that an answer was taken, or with the next event when that is asked for in the same breath', async () => {
    const { connection, say, sent } = connect()
    const accepted = 'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
    await say(post('/invocation/id-1/response', '1'))
    assert.equal(sent(), accepted)
    await say(post('/invocation/id-1/response', '1') + NEXT)
    assert.equal(sent(), '')
    connection.send(event)
    assert.ok(sent().startsWith(`${accepted}HTTP/1.1 200 OK\r\n`))
  })

  test('takes answers up to the limit, and reads over what is larger', async () => {
    const { heard, say, sent } = connect()
    await say(post('/invocation/a/response', 'x'.repeat(6_291_556)), 100_000)
    await say(post('/invocation/b/response', 'x'.repeat(6_291_557)) + post('/invocation/c/response', '1'), 100_000)
    assert.deepEqual(heard, [['response', 'a', 6_291_556, undefined], ['oversize', 'b', 6_291_557], ['response', 'c', '1', undefined]])
    assert.match(sent(), /HTTP\/1\.1 413 /)
  })

  test('answers 404 for other addresses, and gives up on what is no HTTP', async () => {
    const { heard, say, sent } = connect()
    await say('GET /2018-06-01/other HTTP/1.1\r\n\r\n')
    assert.match(sent(), /^HTTP\/1\.1 404 /)
    await say('x'.repeat(70_000))
    assert.deepEqual(heard, [['garbage', 'a head without an end']])
    const other = connect()
    await other.say('POST /2018-06-01/runtime/init/error HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n')
    assert.deepEqual(other.heard, [['garbage', 'a request without a plain content length']])
  })

  test('hears streamed answers, however their bytes arrive, and how they failed', async () => {
    const stream = (id: string, chunks: string[], trailers = '') => `POST /2018-06-01/runtime/invocation/${id}/response HTTP/1.1\r\nContent-Type: text/x\r\n`
      + `Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n${trailers}\r\n`
    for (const pieces of [1, 5, Infinity]) {
      const { heard, say, sent } = connect()
      const failure = `Lambda-Runtime-Function-Error-Type: Own\r\nLambda-Runtime-Function-Error-Body: ${Buffer.from('{"x":1}').toString('base64')}\r\n`
      await say(stream('a', ['one', 'x'.repeat(20)], 'Countersign-Memory: 7\r\n') + stream('b', [], failure) + stream('unknown', ['y']) + NEXT, pieces)
      assert.deepEqual(heard, [
        ['stream', 'a', 'text/x'], ['streamed', `one${'x'.repeat(20)}`, undefined, 7], ['stream', 'b', 'text/x'], ['streamed', '', ['Own', '{"x":1}'], undefined], ['stream', 'unknown', 'text/x'], ['next'],
      ])
      if (pieces === Infinity) assert.equal(sent(), '')
      else assert.match(sent(), /^HTTP\/1.1 202 .*HTTP\/1.1 202 .*HTTP\/1.1 400 /s)
    }
  })

  test('refuses an answer to what nobody asked', async () => {
    const { say, sent } = connect()
    await say(post('/invocation/unknown/response', '1'))
    assert.match(sent(), /^HTTP\/1\.1 400 /)
  })
})
