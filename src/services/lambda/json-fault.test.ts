// Payloads that are no JSON, and no text: what counts first, and where.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { jsonFault } from './json-fault.ts'

const place = (column: number) => ` at [Source: REDACTED (\`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION\` disabled); line: 1, column: ${column}]`
const expected = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

describe('bytes that are no UTF-8', () => {
  // Observed: AWS, 24-11-2025, recorded by localstack's test_lambda_invoke_payload_encoding_error.
  test('begin no value', () => {
    assert.equal(jsonFault(Buffer.from('99eb2c6a07a17a5968', 'hex')), `Unexpected character ((CTRL-CHAR, code 153)): expected a valid value ${expected}\n${place(1)}`)
  })

  test('are no part of a word or of a text', () => {
    assert.equal(jsonFault(Buffer.from('6e87729ee9b5d749ee9b6d74', 'hex')), `Invalid UTF-8 start byte 0x87\n${place(3)}`)
    assert.equal(jsonFault(Buffer.concat([Buffer.from('{"\ufffd":"a'), Buffer.from([0xff, 0x22, 0x7d])])), `Invalid UTF-8 start byte 0xff\n${place(11)}`)
  })

  test('come after what is wrong before them', () => {
    assert.match(jsonFault(Buffer.concat([Buffer.from('{]'), Buffer.from([0xff])]))!, /^Unexpected character \('\]' \(code 93\)\)/)
  })
})

test('replacement characters are characters', () => {
  assert.equal(jsonFault(Buffer.from('"\ufffd\ufffd"')), undefined)
})
