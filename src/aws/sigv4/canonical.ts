// The canonical request of Signature Version 4: what a client and the server each compute and must agree on.
//
// Every part is a function of its own, so that a variant of a request (its host without the port, its path encoded once)
// is made by changing one part. Texts come as the server reads them from the wire: one character a byte.
// Source: IAM user guide, "Create a signed AWS API request", steps 1 to 3.

import { hash } from 'node:crypto'
import { normalizedPath, type HttpHeaders } from '#lib/http.ts'

export const ALGORITHM = 'AWS4-HMAC-SHA256'
export const TERMINATOR = 'aws4_request'

/** The parts of a canonical request, each canonical already. */
export interface CanonicalParts {
  method: string
  path: string
  query: string
  /** One line a header, each with its line end. */
  headers: string
  /** Lower-case names in order, joined by semicolons. */
  signedHeaders: string
  /** SHA-256 of the body in lower-case hexadecimal. */
  payloadHash: string
}

export function canonicalRequest({ method, path, query, headers, signedHeaders, payloadHash }: CanonicalParts): string {
  return `${method}\n${path}\n${query}\n${headers}\n${signedHeaders}\n${payloadHash}`
}

/** `scope` is `date/region/service/aws4_request`; `timestamp` is ISO 8601 basic. */
export function stringToSign(timestamp: string, scope: string, canonical: string): string {
  return `${ALGORITHM}\n${timestamp}\n${scope}\n${hashOfText(canonical)}`
}

/** SHA-256 in hexadecimal of a text that has one character a byte. */
export function hashOfText(text: string): string {
  return hash('sha256', Buffer.byteLength(text) === text.length ? text : Buffer.from(text, 'latin1'), 'hex')
}

/** SHA-256 in hexadecimal of a body. */
export function hashOfBody(body: Buffer): string {
  return hash('sha256', body, 'hex')
}

const PERCENT_ENCODED = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
const encodeCharacter = (character: string): string => PERCENT_ENCODED[character.charCodeAt(0) & 0xff]!

const NEEDS_ENCODING_IN_PATH = /[^A-Za-z0-9\-._~/]/g
const NEEDS_NORMALIZING = /\/\/|\/\.\.?(?:\/|$)/

/**
 * The path as it enters the canonical request.
 *
 * Every service but S3 encodes the path *twice*: the client percent-encodes it to send it, and signs the percent-encoding
 * of that. So `/restapis/a%20b` is signed as `/restapis/a%2520b`, and `/$default` as `/%24default`. Empty, `.` and `..`
 * segments are resolved first. S3 does neither: it signs the path as it is sent.
 *
 * Source: IAM user guide, "Create a signed AWS API request", step 1, canonical URI.
 * Source: the server's own canonical strings, as execute-api prints them (`/path/%25C3%25A4`, `/%24default`):
 * furaiev/amazon-cognito-identity-dart-2 issue 57, aws/aws-sdk-net issue 3132.
 */
export function canonicalPath(path: string, service: string): string {
  if (service === 's3') return path || '/'
  const normalized = NEEDS_NORMALIZING.test(path) ? normalizedPath(path) : path
  return normalized.replace(NEEDS_ENCODING_IN_PATH, encodeCharacter) || '/'
}

/**
 * The query as it enters the canonical request: names and values encoded once, ordered by name and then by value as they
 * are when encoded. A parameter without `=` has an empty value; empty parameters (`a=1&&b=2`) are dropped.
 *
 * `leftOut` names parameters that are not signed (`X-Amz-Signature`).
 *
 * Source: IAM user guide, "Create a signed AWS API request", step 1, canonical query string.
 */
export function canonicalQuery(rawQuery: string, leftOut: readonly string[] = []): string {
  if (rawQuery === '') return ''
  const parameters = queryParameters(rawQuery).filter(([name]) => !leftOut.includes(name))
  if (parameters.length > 1) parameters.sort(([a, aValue], [b, bValue]) => compare(a, b) || compare(aValue, bValue))
  return parameters.map(([name, value]) => `${name}=${value}`).join('&')
}

/** The parameters of a query in the order they came, names and values encoded once. */
export function queryParameters(rawQuery: string): [name: string, value: string][] {
  const parameters: [string, string][] = []
  for (const piece of rawQuery.split('&')) {
    if (piece === '') continue
    const equalSign = piece.indexOf('=')
    parameters.push(equalSign === -1
      ? [encodedOnce(piece), '']
      : [encodedOnce(piece.slice(0, equalSign)), encodedOnce(piece.slice(equalSign + 1))])
  }
  return parameters
}

const compare = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0

const NEEDS_A_LOOK = /[^A-Za-z0-9\-._~]/
const ESCAPE_OR_RESERVED = /%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~]/g
const UNRESERVED = /[A-Za-z0-9\-._~]/

/**
 * The same bytes with every one but the unreserved percent-encoded, in capitals, whatever was encoded before. A `%` that
 * begins no escape stands for itself.
 *
 * `+` is a space. Source: the canonical strings that execute-api prints for a query made by `URLSearchParams`
 * (`id+eq+123` is `id%20eq%20123`): zirkelc/aws-signature-v4 issue 4.
 */
function encodedOnce(text: string): string {
  if (!NEEDS_A_LOOK.test(text)) return text
  return text.replace(ESCAPE_OR_RESERVED, (found) => {
    if (found === '+') return '%20'
    if (found.length === 1) return encodeCharacter(found)
    const character = String.fromCharCode(Number.parseInt(found.slice(1), 16))
    return UNRESERVED.test(character) ? character : found.toUpperCase()
  })
}

/** The bytes behind an encoded name or value, one character each. Never fails. */
export function decodedBytes(encoded: string): string {
  return encoded.includes('%')
    ? encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    : encoded
}

/**
 * The lines of the signed headers: lower-case name, colon, value without outer space and with inner runs of space folded
 * into one; the values of a repeated header joined by commas in their order. `names` are lower-case and in order.
 *
 * A signed header that is not in the request counts as empty. Source: a canonical string that DynamoDB printed, with
 * `connection:` for a header that had been dropped on the way: vibe-aws/vibe-aws issue 1.
 */
export function canonicalHeaders(headers: HttpHeaders, names: readonly string[]): string {
  let lines = ''
  for (const name of names) {
    const values = headers.all(name)
    lines += `${name}:${values.length === 1 ? foldedValue(values[0]!) : values.map(foldedValue).join(',')}\n`
  }
  return lines
}

const NEEDS_FOLDING = /\t| {2}|^ | $/

/** Only spaces and tabs: a byte of 0xA0 may be half of a UTF-8 character. */
function foldedValue(value: string): string {
  return NEEDS_FOLDING.test(value) ? value.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '') : value
}

/** The names of signed headers as they enter the canonical request: lower-case, in order, whatever the client's order was. */
export function canonicalNames(signedHeaders: string): string[] {
  const names = signedHeaders.toLowerCase().split(';')
  for (let index = 1; index < names.length; index++) {
    if (names[index]! < names[index - 1]!) return names.sort()
  }
  return names
}
