// The canonical parts of requests: paths, queries and headers as AWS signs them.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { headersFromRaw } from '#lib/http.ts'
import { canonicalHeaders, canonicalNames, canonicalPath, canonicalQuery, hashOfText } from './canonical.ts'

type Case = { says: string, source: string, expect: string } & (
  | { part: 'path', given: string, service: string }
  | { part: 'query', given: string }
  | { part: 'headers', given: [string, string][] }
)

const cases = JSON.parse(readFileSync(new URL('../../../test/cases/sigv4/canonical.json', import.meta.url), 'utf8')) as Case[]

/** Text as the server reads it from the wire: one character a byte. */
const wire = (text: string): string => Buffer.from(text).toString('latin1')

function canonical(one: Case): string {
  if (one.part === 'path') return canonicalPath(wire(one.given), one.service)
  if (one.part === 'query') return canonicalQuery(wire(one.given))
  return canonicalHeaders(headersFromRaw(one.given.flat().map(wire)), [...new Set(one.given.map(([name]) => name.toLowerCase()))])
}

for (const part of ['path', 'query', 'headers'] as const) {
  describe(`the canonical ${part}`, () => {
    for (const one of cases.filter((candidate) => candidate.part === part)) {
      test(one.says, () => assert.equal(canonical(one), wire(one.expect)))
    }
  })
}

test('a signed header that is not in the request counts as empty', () => {
  assert.equal(canonicalHeaders(headersFromRaw(['Host', 'a']), ['connection', 'host']), 'connection:\nhost:a\n')
})

test('signed headers are compared in lower case and in order', () => {
  assert.deepEqual(canonicalNames('X-Amz-Date;host;content-type'), ['content-type', 'host', 'x-amz-date'])
})

test('a canonical query is its own canonical query', () => {
  for (const one of cases) {
    if (one.part === 'query') assert.equal(canonicalQuery(one.expect), one.expect)
  }
})

test('a text is hashed byte by byte', () => {
  // The figure is that of `printf 'ä' | sha256sum`.
  assert.equal(hashOfText(wire('ä')), '33e6d73fee82904c8d7afb78de1154d1e8dc2a0edb08120e63df5b9385c2d9cc')
})
