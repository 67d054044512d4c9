// test/cases/events/http-api.json: the events of HTTP APIs, and what becomes of answers to them.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { headersFromRaw, type HttpRequest } from '#lib/http.ts'
import { answerV1, answerV2 } from './answers.ts'
import { eventV1, eventV2, type CallFacts } from './events.ts'
import { requestParts } from './request-parts.ts'

type Members = Record<string, unknown>

interface EventCase {
  says: string
  source: string
  format: '1.0' | '2.0'
  extendedRequestId?: string
  request: { method: string, path: string, query: string, headers: [string, string][], body?: string, bodyBase64?: string }
  facts: Omit<CallFacts, 'atMs' | 'pathParameters' | 'stageVariables'> & Partial<Pick<CallFacts, 'pathParameters' | 'stageVariables'>> & { at: string }
  event?: Members
  contains?: Members
  lacks?: Record<string, string[]>
}

interface AnswerCase {
  says: string
  source: string
  format: '1.0' | '2.0'
  payload: string
  /** Null: no answer at all. */
  expect: { status: number, headers: Record<string, string | string[]>, body: string } | null
}

const { events, answers } = JSON.parse(readFileSync(new URL('../../../test/cases/events/http-api.json', import.meta.url), 'utf8')) as { events: EventCase[], answers: AnswerCase[] }

function eventOf({ format, request, facts: { at, ...facts }, extendedRequestId = '' }: EventCase): Members {
  const { method, path, query, headers, body = '', bodyBase64 } = request
  const bytes = bodyBase64 === undefined ? Buffer.from(body) : Buffer.from(bodyBase64, 'base64')
  const sent: HttpRequest = { method, path, rawQuery: query, headers: headersFromRaw(headers.flat()), remoteAddress: '192.0.2.1', isSecure: true, body: async () => bytes }
  const parts = requestParts(sent, bytes, { traceHeader: 'Root=1-5e6722a7-cc56;Parent=1;Sampled=0' })
  const known: CallFacts = { pathParameters: {}, stageVariables: {}, ...facts, atMs: Date.parse(at) }
  // As a function reads it.
  return JSON.parse(JSON.stringify(format === '2.0' ? eventV2(parts, known) : eventV1(parts, known, extendedRequestId))) as Members
}

describe('the event of an HTTP API', () => {
  for (const one of events) {
    test(one.says, () => {
      assert.ok(one.source)
      const event = eventOf(one)
      if (one.event) assert.deepEqual(event, one.event)
      if (one.contains) assert.partialDeepStrictEqual(event, one.contains)
      for (const [within, names] of Object.entries(one.lacks ?? {})) {
        const members = within === '' ? event : event[within] as Members
        for (const name of names) assert.ok(!Object.hasOwn(members, name), name)
      }
    })
  }

  test('headers stand in the order of their names', () => {
    const headers = (format: '1.0' | '2.0') => Object.keys(eventOf({
      says: '', source: '', format, facts: { ...events[0]!.facts },
      request: { method: 'GET', path: '/', query: '', headers: [['X-Z', '1'], ['Accept', '*/*'], ['Host', 'h']] },
    })['headers'] as Members)
    assert.deepEqual(headers('2.0'), ['accept', 'content-length', 'host', 'x-amzn-trace-id', 'x-forwarded-for', 'x-forwarded-port', 'x-forwarded-proto', 'x-z'])
    assert.deepEqual(headers('1.0'), ['Content-Length', 'Host', 'X-Amzn-Trace-Id', 'X-Forwarded-For', 'X-Forwarded-Port', 'X-Forwarded-Proto', 'accept', 'x-z'])
  })

  test('addresses that a request came by are kept, and the client\'s is not said twice', () => {
    const forwardedFor = (value: string) => {
      const one = { ...events[0]!, request: { ...events[0]!.request, headers: [['X-Forwarded-For', value]] as [string, string][] } }
      return (eventOf(one)['headers'] as Members)['x-forwarded-for']
    }
    assert.equal(forwardedFor('198.51.100.7'), '198.51.100.7, 192.0.2.1')
    assert.equal(forwardedFor('198.51.100.7, 192.0.2.1'), '198.51.100.7, 192.0.2.1')
  })
})

describe('what a function answers to an HTTP API', () => {
  for (const { says, source, format, payload, expect } of answers) {
    test(says, () => {
      assert.ok(source)
      const answer = (format === '2.0' ? answerV2 : answerV1)(Buffer.from(payload))
      assert.deepEqual(answer && { ...answer, body: answer.body.toString('utf8') }, expect ?? undefined)
    })
  }

  test('function URLs say JSON where a response names no type', () => {
    assert.equal(answerV2(Buffer.from('{"statusCode":200}'), { contentType: 'application/json' })!.headers['content-type'], 'application/json')
  })
})
