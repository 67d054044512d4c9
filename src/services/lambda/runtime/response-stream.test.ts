// Streamed answers: their head, their limits, and those who read slowly or not at all.

import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { INVOKE_RESPONSE_BYTES_MAX, STREAMED_RESPONSE_BYTES_MAX, STREAM_PRELUDE_BYTES_MAX } from '../limits.ts'
import { createInvocation, type Ended } from './invocation.ts'
import { createResponseSink, separatePrelude, type ResponseSink } from './response-stream.ts'

const event = { requestId: 'r', functionArn: 'arn', traceHeader: 't', clientContext: undefined, payload: Buffer.alloc(0) }
const source = { pause() {}, resume() {} }
const swallowing: ResponseSink = { begin() {}, write: () => true, onDrain() {} }

function running(sink?: ResponseSink) {
  const ends: Ended[] = []
  const invocation = createInvocation(event, { sink, startedAtMs: 0, startedAt: 0 })
  const receiver = invocation.stream('text/plain', source, (ended) => {
    if (!invocation.deadline.signal.aborted) ends.push(ended)
    invocation.deadline.abort('answered')
  })!
  return { invocation, receiver, ends }
}

describe('a streamed answer', () => {
  test('has the limit of streams where it is handed on, and that of buffered ones where it is kept', () => {
    for (const [sink, bytesMax] of [[swallowing, STREAMED_RESPONSE_BYTES_MAX], [undefined, INVOKE_RESPONSE_BYTES_MAX]] as const) {
      const whole = running(sink)
      const chunk = Buffer.alloc(1024 * 1024)
      for (let left = bytesMax; left > 0; left -= chunk.length) whole.receiver.data(chunk.subarray(0, Math.min(left, chunk.length)))
      whole.receiver.end(undefined, undefined)
      assert.deepEqual([whole.ends.length, whole.ends[0]!.status, whole.ends[0]!.payload.length], [1, 'success', sink ? 0 : bytesMax])

      const over = running(sink)
      for (let left = bytesMax + 1; left > 0; left -= chunk.length) over.receiver.data(chunk.subarray(0, Math.min(left, chunk.length)))
      over.receiver.end(undefined, undefined)
      assert.deepEqual([over.ends.length, over.ends[0]!.errorType], [1, 'Function.ResponseSizeTooLarge'])
      assert.match(over.ends[0]!.payload.toString(), new RegExp(`\\(${bytesMax} bytes\\)`))
    }
  })

  test('waits for a reader, and does not wait for one who has gone', async () => {
    const sink = createResponseSink()
    const heard: string[] = []
    const invocation = createInvocation(event, { sink, startedAtMs: 0, startedAt: 0 })
    const receiver = invocation.stream(undefined, { pause: () => heard.push('pause'), resume: () => heard.push('resume') }, () => {})!
    receiver.data(Buffer.alloc(100_000))
    assert.equal(await sink.begun, 'application/octet-stream')
    assert.deepEqual(heard, ['pause'])
    sink.stream.resume()
    while (heard.length < 2) await new Promise((done) => { setImmediate(done) })
    assert.deepEqual(heard, ['pause', 'resume'])
    sink.stream.pause()
    receiver.data(Buffer.alloc(100_000))
    sink.stream.destroy()
    while (heard.length < 4) await new Promise((done) => { setImmediate(done) })
    receiver.data(Buffer.alloc(100_000))
    assert.deepEqual(heard, ['pause', 'resume', 'pause', 'resume'])
    assert.equal(invocation.stream(undefined, source, () => {}), undefined, 'there is one answer')
  })
})

describe('separatePrelude()', () => {
  const separated = async (...chunks: string[]) => {
    const stream = new PassThrough()
    const separating = separatePrelude(stream)
    for (const chunk of chunks) {
      stream.write(chunk)
      await new Promise((done) => { setImmediate(done) })
    }
    stream.end()
    const { metadata, body } = await separating
    return [metadata, (await buffer(body)).toString()]
  }
  const zeros = '\0'.repeat(8)

  test('takes the head off, however its bytes arrive', async () => {
    assert.deepEqual(await separated(`{"statusCode":201}${zeros}body`), [{ statusCode: 201 }, 'body'])
    assert.deepEqual(await separated('{"statusCode"', ':201}\0\0\0', '\0\0\0\0\0', 'bo', 'dy'), [{ statusCode: 201 }, 'body'])
    assert.deepEqual(await separated(`{}${zeros}`), [{}, ''])
    assert.deepEqual(await separated(`[]${zeros}x`), [undefined, 'x'])
  })

  test('leaves what has none, or one without an end', async () => {
    assert.deepEqual(await separated('no head'), [undefined, 'no head'])
    const atEdge = ' '.repeat(STREAM_PRELUDE_BYTES_MAX - zeros.length - 2)
    assert.deepEqual(await separated(`{}${atEdge}${zeros}x`), [{}, 'x'])
    const beyond = 'x'.repeat(STREAM_PRELUDE_BYTES_MAX + 1)
    assert.deepEqual(await separated(beyond, zeros), [undefined, `${beyond}${zeros}`])
  })
})
