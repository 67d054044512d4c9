// Frames of event streams, read back with the official codec.

import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { EventStreamCodec } from '@smithy/core/event-streams'
import { requestOf } from '#test/sdk/wire/requests.ts'
import { loadModel } from '../model.ts'
import { writeFrame } from './event-stream.ts'
import { createRestJsonProtocol } from './rest-json.ts'

const codec = new EventStreamCodec((bytes) => Buffer.from(bytes as Uint8Array).toString('utf8'), (text) => Buffer.from(text))

/** The frames of a stream, decoded one after the other. */
function framesOf(bytes: Buffer) {
  const frames = []
  for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at)) frames.push(codec.decode(bytes.subarray(at, at + bytes.readUInt32BE(at))))
  return frames
}

describe('an event stream', () => {
  test('has frames that the official codec reads, and writes the same', () => {
    for (const payload of [Buffer.alloc(0), Buffer.from('ä'), Buffer.alloc(100_000, 7)]) {
      const headers = { ':event-type': { type: 'string' as const, value: 'X' }, ':content-type': { type: 'string' as const, value: 'application/octet-stream' } }
      const written = writeFrame(Object.entries(headers).map(([name, { value }]) => [name, value]), payload)
      const { headers: read, body } = codec.decode(written)
      assert.deepEqual({ ...read }, headers)
      assert.deepEqual(Buffer.from(body), payload)
      assert.deepEqual(Buffer.from(codec.encode({ headers, body: payload })), written)
    }
  })

  test('is the body of an answer: bytes as they are, other events as JSON', async () => {
    const model = loadModel('lambda-2015-03-31')
    const events = (async function* () {
      yield { PayloadChunk: { Payload: Buffer.from([0, 255]) } }
      yield { InvokeComplete: { ErrorCode: 'Unhandled', LogResult: undefined } }
    })()
    const { status, headers, body } = createRestJsonProtocol(model).write(model.operation('InvokeWithResponseStream')!, { StatusCode: 200, ExecutedVersion: '$LATEST', EventStream: events }, 'id', requestOf({}))
    assert.equal(status, 200)
    assert.deepEqual(headers, { 'x-amzn-RequestId': 'id', 'Content-Type': 'application/vnd.amazon.eventstream', 'X-Amz-Executed-Version': '$LATEST' })
    const frames = framesOf(await buffer(body as AsyncIterable<Buffer>)).map((frame) => [...Object.values(frame.headers).map(({ value }) => value), Buffer.from(frame.body).toString('latin1')])
    assert.deepEqual(frames, [
      ['PayloadChunk', 'application/octet-stream', 'event', '\0\xff'],
      ['InvokeComplete', 'application/json', 'event', '{"ErrorCode":"Unhandled"}'],
    ])
  })
})
