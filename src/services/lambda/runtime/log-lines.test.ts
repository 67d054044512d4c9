// The lines that an invocation leaves in the log, as AWS writes them.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLineReader, createLogTail, createMessageReader, reportLine } from './log-lines.ts'

const bytesOf = (text: string, pieces: number): Buffer[] => {
  const bytes = Buffer.from(text)
  return Array.from({ length: Math.ceil(bytes.length / pieces) }, (_, at) => bytes.subarray(at * pieces, (at + 1) * pieces))
}

describe('createLineReader()', () => {
  test('gives lines with their ends, however they arrive', () => {
    for (const pieces of [1, 2, 3, 100]) {
      const lines: string[] = []
      const reader = createLineReader((line) => lines.push(line))
      for (const chunk of bytesOf('ä\n\nzwei\nrest', pieces)) reader.push(chunk)
      reader.end()
      reader.end()
      assert.deepEqual(lines, ['ä\n', '\n', 'zwei\n', 'rest'])
    }
  })

  test('cuts a line that never ends', () => {
    let longest = 0
    const reader = createLineReader((line) => { longest = Math.max(longest, line.length) })
    for (let at = 0; at < 100; at++) reader.push(Buffer.alloc(10_000, 'x'))
    reader.end()
    assert.ok(longest > 0 && longest <= 262_144, String(longest))
  })
})

test('createMessageReader() gives whole messages, and the beginning of one that is too long', () => {
  const framed = (text: string) => Buffer.concat([Buffer.from(Uint32Array.of(Buffer.byteLength(text)).buffer).reverse(), Buffer.from(text)])
  const bytes = Buffer.concat([framed('one\ntwo\n'), framed('x'.repeat(300_000)), framed('ä')])
  for (const pieces of [1000, 70_001, bytes.length]) {
    const messages: string[] = []
    const reader = createMessageReader((message) => messages.push(message))
    for (let at = 0; at < bytes.length; at += pieces) reader.push(bytes.subarray(at, at + pieces))
    assert.deepEqual(messages.map((message) => message.length), [8, 262_144, 1])
    assert.equal(messages[2], 'ä')
  }
})

test('createLogTail() keeps the last 4,096 bytes', () => {
  const tail = createLogTail()
  for (let at = 0; at < 1000; at++) tail.add(`line ${at} äöü\n`)
  assert.equal(tail.bytes().length, 4096)
  assert.ok(tail.bytes().toString().endsWith('line 999 äöü\n'))
  const small = createLogTail()
  small.add('one\n')
  assert.equal(small.bytes().toString(), 'one\n')
})

test('reportLine() has the parts of AWS\'s line, in its order', () => {
  const report = { requestId: 'r', durationMs: 1.234, billedDurationMs: 2, memoryMb: 128, usedMemoryMb: 40, initMs: undefined, status: 'success' } as const
  // Observed: AWS, 24-11-2025, recorded by localstack's test_invocation_with_logs.
  assert.equal(reportLine({ ...report, initMs: 99.999 }), 'REPORT RequestId: r\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\tInit Duration: 100.00 ms\t\n')
  assert.equal(reportLine({ ...report, status: 'error', errorType: 'Runtime.ExitError' }),
    'REPORT RequestId: r\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\tStatus: error\tError Type: Runtime.ExitError\t\n')
})
