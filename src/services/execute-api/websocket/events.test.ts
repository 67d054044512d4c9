// test/cases/events/websocket.json: what functions behind WebSocket APIs, and their authorizers, are given.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { steppedClock } from '#test/support/stepped-clock.ts'
import { openSocket } from '#test/support/web-socket-client.ts'
import { socketSnapshot, startSocketGateway, toApi } from './websocket.testing.ts'

interface Case {
  says: string
  source: string
  of: string
  /** The client's address. */
  from: string
  headers?: Record<string, string>
  query?: string
  stageVariables?: Record<string, string>
  authorizer?: Record<string, unknown>
  message?: string
  close?: { code?: number }
  silentMs?: number
  event: Record<string, unknown>
}

const { cases } = JSON.parse(readFileSync(new URL('../../../../test/cases/events/websocket.json', import.meta.url), 'utf8')) as { cases: Case[] }

/** What differs per call, by the name of its member. */
const shapes: Readonly<Record<string, [placeholder: string, shape: RegExp]>> = {
  'extendedRequestId': ['<id>', /^[\w-]{15}=$/], 'requestId': ['<id>', /^[\w-]{15}=$/], 'connectionId': ['<id>', /^[\w-]{15}=$/], 'messageId': ['<id>', /^[\w-]{15}=$/],
  'connectedAt': ['<ms>', /^\d{13}$/], 'requestTimeEpoch': ['<ms>', /^\d{13}$/], 'integrationLatency': ['<number>', /^\d+$/],
  'requestTime': ['<time>', /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/],
  'X-Amzn-Trace-Id': ['<trace>', /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/], 'Sec-WebSocket-Key': ['<key>', /^[A-Za-z0-9+/]{22}==$/],
}

/** The event with placeholders where a value has the shape that belongs there. */
function comparable(event: unknown): unknown {
  return JSON.parse(JSON.stringify(event), (name, value: unknown) => {
    const [placeholder, shape] = shapes[name] ?? []
    const isList = Array.isArray(value)
    const one = isList ? value[0] as unknown : value
    if (!shape || placeholder === undefined || !['string', 'number'].includes(typeof one) || !shape.test(String(one))) return value
    return isList ? [placeholder] : placeholder
  })
}

describe('the event of a WebSocket API', () => {
  for (const one of cases) {
    test(one.says, async (t) => {
      const clock = steppedClock()
      const route = one.authorizer ? { authorizationType: 'CUSTOM', authorizerId: 'a' } as const : {}
      const snapshot = socketSnapshot({ $connect: { route }, $disconnect: {}, $default: { isTwoWay: true }, chat: { isTwoWay: true } }, { authorizers: { a: {} } })
      const policyDocument = { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: '*' }] }
      const gateway = await startSocketGateway(t, snapshot, {
        clock, ...one.stageVariables && { stage: { stageVariables: one.stageVariables } },
        invoke: ({ functionArn }) => functionArn.endsWith(':auth') ? { ...one.authorizer, policyDocument } : { statusCode: 200, body: 'ok' },
      })
      const headers = { ...toApi, ...one.headers, 'X-Forwarded-For': one.from, 'X-Forwarded-Proto': 'https' }
      await using client = await openSocket(`${gateway.url}${one.query === undefined ? '' : `?${one.query}`}`, { headers })
      if (one.message !== undefined) assert.equal(await client.ask(one.message), 'ok')
      if (one.close) client.socket.close(one.close.code)
      if (one.silentMs !== undefined) clock.step(one.silentMs)
      if (one.of === '$disconnect') await gateway.settled('$disconnect')
      const event: unknown = gateway.events().find(({ type, requestContext }) => one.of === 'authorizer' ? type === 'REQUEST' : type === undefined && requestContext.routeKey === one.of)
      assert.deepEqual(comparable(event), one.event)
      assert.equal(JSON.stringify(comparable(event)), JSON.stringify(one.event))
    })
  }
})
