// What is wrong with a payload that is no JSON, as Lambda's parser says it.

import { isUtf8 } from 'node:buffer'

/**
 * The sentence, or undefined for JSON.
 *
 * Source: published answers of AWS: `Unrecognized token 'a': was expecting …` for bare words, `Unexpected character ('x' (code 120)): …` for
 * others, `Unexpected end-of-input …` for JSON that stops; each ends with a place.
 * Observed: AWS, 24-11-2025, recorded by localstack's test_lambda_invoke_payload_encoding_error: bytes that are no UTF-8.
 */
export function jsonFault(payload: Buffer): string | undefined {
  if (!isUtf8(payload)) return encodingFault(payload)
  const text = payload.toString('utf8')
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return sentence(text, (error as SyntaxError).message)
  }
}

const EXPECTED = "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

function sentence(text: string, message: string): string {
  const at = Number(/position (\d+)/.exec(message)?.[1] ?? text.length)
  const found = /^\s*([A-Za-z_$][\w$]*)/.exec(text)
  if (found && !['true', 'false', 'null'].includes(found[1]!)) return `Unrecognized token '${found[1]}': ${EXPECTED}\n at ${place(text, found[0].length)}`
  if (at >= text.length) return `Unexpected end-of-input\n at ${place(text, text.length)}`
  return unexpected(`'${text[at]}' (code ${text[at]!.codePointAt(0)})`, text, at)
}

/** What is wrong before those bytes counts first. Where a value may begin they are a character that begins none; elsewhere they are no text. */
function encodingFault(payload: Buffer): string {
  const at = validLength(payload)
  const before = payload.toString('utf8', 0, at)
  const byte = payload[at]!
  if (/(^|[[:,])\s*$/.test(before)) return unexpected(byte < 0xa0 ? `(CTRL-CHAR, code ${byte})` : `'${String.fromCharCode(byte)}' (code ${byte})`, before, at)
  const fault = /^\s*[A-Za-z]+$/.test(before) ? undefined : jsonFault(payload.subarray(0, at))
  const isBefore = fault !== undefined && !/^Unexpected end-of-input/.test(fault)
  return isBefore ? fault : `Invalid UTF-8 start byte 0x${byte.toString(16)}\n at ${place(before, before.length + 1)}`
}

/** How many bytes at the beginning are text: up to the first replacement character that was none before. */
function validLength(payload: Buffer): number {
  const text = payload.toString('utf8')
  let [length, from] = [0, 0]
  for (;;) {
    const at = text.indexOf('\ufffd', from)
    length += Buffer.byteLength(text.slice(from, at))
    if (payload.toString('latin1', length, length + 3) !== '\xef\xbf\xbd') return length
    length += 3
    from = at + 1
  }
}

function unexpected(character: string, text: string, at: number): string {
  return `Unexpected character (${character}): expected a valid value ${EXPECTED.slice('was expecting '.length)}\n at ${place(text, at)}`
}

/** Source: Jackson, whose sentences these are: columns are bytes. */
function place(text: string, at: number): string {
  const lines = text.slice(0, at).split('\n')
  const column = Buffer.byteLength(lines.at(-1)!) + 1 + Math.max(0, at - text.length)
  return `[Source: REDACTED (\`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION\` disabled); line: ${lines.length}, column: ${column}]`
}
