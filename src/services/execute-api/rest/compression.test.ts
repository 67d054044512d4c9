// Content codings of requests and answers.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { brotliCompressSync, deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib'
import { startBackend, type Backend, type BackendCase } from './backend.testing.ts'

let backend: Backend
before(async () => { backend = await startBackend() })
after(() => backend[Symbol.asyncDispose]())

const post = (coding: string, body: Buffer): BackendCase => ({ integration: { type: 'HTTP_PROXY' }, request: { method: 'POST', headers: [['Content-Encoding', coding], ['Content-Type', 'text/plain']], body } })

describe('a compressed request is refused', () => {
  // Source: developer guide, "Call an API method with a compressed payload".
  for (const [says, coding, body] of [
    ['in a coding that is not known', 'br', brotliCompressSync('hello')], ['that is not what it says', 'gzip', Buffer.from('hello')], ['that is cut off', 'gzip', gzipSync('hello').subarray(0, 15)],
  ] as const) {
    test(`with 415, ${says}`, async () => {
      const { response, text, sent } = await backend.call(post(coding, body))
      assert.deepEqual([response.status, text, sent], [415, '{"message":"Unsupported Media Type"}', undefined])
    })
  }

  test('with 413 where it unfolds to more than 10 MB; 10 MB do', async () => {
    const { response, text } = await backend.call(post('gzip', gzipSync(Buffer.alloc(10 * 1024 * 1024 + 1))))
    assert.deepEqual([response.status, text], [413, '{"message":"Request Too Long"}'])
    const { sent } = await backend.call(post('gzip', gzipSync(Buffer.alloc(10 * 1024 * 1024))))
    assert.equal(sent!.body.length, 10 * 1024 * 1024)
  })
})

describe('a compressed request', () => {
  test('reaches the integration unfolded, without its coding', async () => {
    for (const [coding, body] of [['gzip', gzipSync('hello')], ['GZIP', gzipSync('hello')], ['deflate', deflateSync('hello')], ['deflate', deflateRawSync('hello')], ['identity', Buffer.from('hello')]] as const) {
      const { sent } = await backend.call(post(coding, body))
      assert.deepEqual([String(sent!.body), sent!.headers['Content-Encoding'], sent!.headers['Content-Length']], ['hello', undefined, ['5']], coding)
    }
  })
})

describe('an answer', () => {
  const body = 'x'.repeat(100)
  const get = (acceptEncoding: string | undefined, minimumCompressionSize: number | undefined, headers: Record<string, string> = { 'Content-Type': 'text/plain' }): BackendCase => ({
    integration: { type: 'HTTP_PROXY' }, api: { minimumCompressionSize }, answers: { headers, body },
    request: { headers: acceptEncoding === undefined ? [] : [['Accept-Encoding', acceptEncoding]] },
  })

  // Source: developer guide, "Receive an API response with a compressed payload" and "Enable payload compression for an API".
  test('is compressed from the minimum size on, in the coding that the client likes best', async () => {
    const gzipped = await backend.call(get('gzip, deflate, br', 100))
    assert.deepEqual([gzipped.response.headers['Content-Encoding'], gunzipSync(gzipped.response.body as Buffer).toString()], ['gzip', body])
    const deflated = await backend.call(get('gzip;q=0.5, deflate', 0))
    assert.deepEqual([deflated.response.headers['Content-Encoding'], inflateSync(deflated.response.body as Buffer).toString()], ['deflate', body])
  })

  for (const [says, given] of [
    ['below the minimum size', get('gzip', 101)], ['of an API that has none', get('gzip', undefined)], ['for a client that says nothing', get(undefined, 0)],
    ['for a client that takes anything', get('*', 0)], ['for a client that likes another coding best', get('br, gzip;q=0.9', 0)], ['for a client that refuses', get('gzip;q=0', 0)],
    ['that is compressed already', get('gzip', 0, { 'Content-Encoding': 'compress' })],
  ] as const) {
    test(`is left as it is ${says}`, async () => {
      const { text, response } = await backend.call(given)
      assert.equal(text, body)
      assert.equal(response.headers['Content-Encoding'], given.answers?.headers?.['Content-Encoding'])
    })
  }

  test('of the gateway itself is never compressed', async () => {
    const { response, text } = await backend.call({ ...get('gzip', 0), integration: { uri: 'http://{nowhere}/' } })
    assert.deepEqual([response.status, text, response.headers['Content-Encoding']], [500, '{"message":"Internal server error"}', undefined])
  })
})
