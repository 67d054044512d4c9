// Conversions between text and bytes, as recorded; and what templates make of them.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { ContentHandling } from '#services/apigateway/index.ts'
import { GatewayRefusal } from '../gateway-responses.ts'
import { startBackend, type Backend } from './backend.testing.ts'
import { requestPayload, responsePayload } from './content-handling.ts'

interface Case {
  says: string
  source: string
  given: { payload: 'request' | 'response', contentHandling: ContentHandling | null, binaryMediaTypes: string[] | null, contentType?: string, accept?: string, body: string }
  expect: string | 500
}

const { cases } = JSON.parse(readFileSync(new URL('../../../../test/cases/execute-api/content-handling.json', import.meta.url), 'utf8')) as { cases: Case[] }

const raw = gzipSync('compressed data, should be invalid UTF-8 string')
const encoded = Buffer.from(raw.toString('base64'))
const text = Buffer.from('this is a UTF8 text typed object')
const bodies: Record<string, Buffer> = {
  raw, encoded, text, mangled: Buffer.from(raw.toString('utf8')), 'twice encoded': Buffer.from(encoded.toString('base64')), 'encoded text': Buffer.from(text.toString('base64')),
}

describe('test/cases/execute-api/content-handling.json', () => {
  for (const { says, source, given: { payload, contentType, accept, body, ...given }, expect } of cases) {
    test(says, () => {
      assert.ok(source)
      const handling = { contentHandling: given.contentHandling ?? undefined, binaryMediaTypes: given.binaryMediaTypes ?? undefined }
      const convert = () => payload === 'request' ? requestPayload(bodies[body]!, contentType, handling) : responsePayload(bodies[body]!, { contentType, accept }, handling)
      if (expect === 500) assert.throws(convert, (error) => error instanceof GatewayRefusal && error.status === 500)
      else assert.deepEqual(convert().bytes, bodies[expect])
    })
  }
})

describe('an integration', () => {
  let backend: Backend
  before(async () => { backend = await startBackend() })
  after(() => backend[Symbol.asyncDispose]())

  const mock = (contentHandling?: ContentHandling) => ({ type: 'MOCK' as const, uri: '', contentHandling, requestTemplates: { 'application/json': '{"statusCode": 200}' } })

  // Source: serverless/serverless-application-model issue 553, clebert/aws-simple issue 167.
  test('with */* among the binary types gives no bytes to a template, not even none; as text it does', async () => {
    const api = { binaryMediaTypes: ['*/*'] }
    const refused = await backend.call({ integration: mock(), api, request: { method: 'OPTIONS' } })
    assert.deepEqual([refused.response.status, refused.text], [500, '{"message":"Internal server error"}'])
    assert.match(JSON.stringify(refused.steps), /Execution failed due to configuration error: Unable to transform request/)
    assert.equal((await backend.call({ integration: mock('CONVERT_TO_TEXT'), api, request: { method: 'OPTIONS' } })).response.status, 200)
  })

  // Source: developer guide, "Content type conversions in API Gateway": a template can take the base64 of a binary payload.
  test('gives the base64 of bytes to a template', async () => {
    const { sent } = await backend.call({
      integration: { contentHandling: 'CONVERT_TO_TEXT', requestTemplates: { 'image/png': '{"data": "$input.body"}' } }, api: { binaryMediaTypes: ['image/png'] },
      request: { method: 'POST', headers: [['Content-Type', 'image/png']], body: raw },
    })
    assert.equal(String(sent!.body), `{"data": "${encoded.toString()}"}`)
  })

  test('passes bytes both ways where the API calls their type binary', async () => {
    for (const type of ['HTTP', 'HTTP_PROXY'] as const) {
      const { sent, response } = await backend.call({
        integration: { type }, api: { binaryMediaTypes: ['image/png'] }, answers: { headers: { 'Content-Type': 'image/png' }, body: raw },
        request: { method: 'PUT', headers: [['Content-Type', 'image/png'], ['Accept', 'image/png']], body: raw },
      })
      assert.deepEqual([sent!.body, response.body], [raw, raw], type)
    }
  })

  test('passes what a server has encoded as it is', async () => {
    const { response } = await backend.call({ integration: { type: 'HTTP_PROXY' }, answers: { headers: { 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip' }, body: raw } })
    assert.deepEqual([response.body, response.headers['Content-Encoding']], [raw, 'gzip'])
  })

  test('of a mock makes bytes of a template\'s base64', async () => {
    const { response } = await backend.call({
      integration: mock(), integrationResponses: { 200: { contentHandling: 'CONVERT_TO_BINARY', responseTemplates: { 'image/png': encoded.toString() } } },
    })
    assert.deepEqual([response.body, response.headers['Content-Type']], [raw, 'image/png'])
  })
})
