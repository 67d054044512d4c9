// Formats of access logs at the edge of their size.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACCESS_LOG_FORMAT_BYTES_MAX } from './limits.ts'
import { accessLogFormat } from './stage-logging.ts'

test('a format has at most ACCESS_LOG_FORMAT_BYTES_MAX bytes', () => {
  const format = `${'é'.repeat((ACCESS_LOG_FORMAT_BYTES_MAX - 20) / 2)} $context.requestId`
  const largest = format.padEnd(format.length + ACCESS_LOG_FORMAT_BYTES_MAX - Buffer.byteLength(format), ' ')
  assert.equal(Buffer.byteLength(accessLogFormat(largest)), ACCESS_LOG_FORMAT_BYTES_MAX)
  assert.throws(() => accessLogFormat(`${largest} `), { code: 'BadRequestException', message: 'Access Log format cannot be longer than 3072 bytes' })
})
