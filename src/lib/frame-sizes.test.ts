// The sizes of frames are judged by their headers, however the bytes are cut.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createFrameSizes } from './frame-sizes.ts'
import { BINARY, CLOSE, CONTINUATION, PING, TEXT, closing, frame } from './web-socket.testing.ts'

/** Feeds bytes in chunks of a size; answers where it was refused and after how many messages. */
function read(bytes: Buffer, frameBytesMax: number, chunkBytes = bytes.length): { messages: number, at: number } | undefined {
  const sizes = createFrameSizes(frameBytesMax)
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const messages = sizes.read(bytes.subarray(at, at + chunkBytes))
    if (messages !== undefined) return { messages, at: Math.min(at + chunkBytes, bytes.length) }
  }
  return undefined
}

describe('createFrameSizes()', () => {
  test('refuses a frame at the last byte of its length, before its mask and its payload', () => {
    assert.deepEqual(read(frame({ opcode: TEXT, payload: 'x'.repeat(126) }), 125, 1), { messages: 0, at: 4 })
    assert.deepEqual(read(frame({ opcode: TEXT, payload: 'x'.repeat(11) }), 10, 1), { messages: 0, at: 2 })
    assert.deepEqual(read(frame({ opcode: TEXT, announcedBytes: 32_769 }), 32_768, 1), { messages: 0, at: 4 })
    assert.deepEqual(read(frame({ opcode: BINARY, announcedBytes: 2 ** 53 }), 32_768, 1), { messages: 0, at: 10 })
  })

  test('refuses a small frame whose length has more bytes than it needs, and none that is at the limit', () => {
    const wordy = Buffer.concat([Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 11, 1, 2, 3, 4]), Buffer.alloc(11)])
    assert.deepEqual(read(wordy, 10), { messages: 0, at: wordy.length })
    assert.equal(read(wordy, 11), undefined)
    for (const bytes of [0, 1, 125, 126, 32_768, 65_535, 65_536]) assert.equal(read(frame({ opcode: TEXT, payload: 'x'.repeat(bytes) }), bytes), undefined, String(bytes))
  })

  test('counts the messages before a frame that is too large: not pieces, not pings', () => {
    const bytes = Buffer.concat([
      frame({ opcode: TEXT, payload: 'one' }), frame({ opcode: TEXT, payload: 'two, ', isLast: false }), frame({ opcode: PING }),
      frame({ opcode: CONTINUATION, payload: 'all of it' }), frame({ opcode: TEXT, isLast: false }), frame({ opcode: CONTINUATION, payload: '0123456789' }),
    ])
    assert.equal(read(bytes, 9)!.messages, 2)
  })

  test('judges nothing after a closing frame, and nothing of a stream that breaks the protocol', () => {
    const large = frame({ opcode: TEXT, payload: '0123456789' })
    for (const first of [
      frame({ opcode: CLOSE, payload: closing(1000) }), frame({ opcode: TEXT, isMasked: false }), frame({ opcode: TEXT, reserved: 4 }), frame({ opcode: PING, payload: 'x'.repeat(126) }),
    ]) assert.equal(read(Buffer.concat([first, large]), 9), undefined)
  })

  test('judges the same however the bytes are cut', () => {
    const frames = fc.array(fc.record({ opcode: fc.constantFrom(CONTINUATION, TEXT, BINARY, PING), bytes: fc.integer({ min: 0, max: 125 }) }), { maxLength: 20 })
    fc.assert(fc.property(frames, fc.integer({ min: 1, max: 130 }), fc.integer({ min: 1, max: 40 }), (made, frameBytesMax, chunkBytes) => {
      const bytes = Buffer.concat(made.map(({ opcode, bytes }) => frame({ opcode, payload: 'x'.repeat(bytes) })))
      const isData = ({ opcode }: { opcode: number }) => opcode !== PING
      const refused = made.findIndex((one) => isData(one) && one.bytes > frameBytesMax)
      assert.equal(read(bytes, frameBytesMax, chunkBytes)?.messages, refused === -1 ? undefined : made.slice(0, refused).filter(isData).length)
    }))
  })
})
