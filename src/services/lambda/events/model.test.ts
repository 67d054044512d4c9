// What follows from an attempt at an event, and the record of one that is done with.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { invocationRecord, isTooOld, stepAfter, type Attempt, type EventInvokeConfig, type QueuedEvent } from './model.ts'

const event: QueuedEvent = { id: 'r', accountId: '000000000000', region: 'us-east-1', name: 'f', acceptedAtMs: 1_000_000, attempts: 0, refusals: 0, traceHeader: 't' }
const failed: Attempt = { is: 'answered', executedVersion: '$LATEST', payload: Buffer.from('{"errorType":"Error","errorMessage":"no"}'), functionError: 'Unhandled' }
const throttled: Attempt = { is: 'refused', status: 429, message: 'TooManyRequestsException: Rate Exceeded.', isForGood: false }
const config = (changes: Partial<EventInvokeConfig>): EventInvokeConfig => ({ lastModifiedMs: 0, ...changes })
const seconds = (dueAtMs: number) => (dueAtMs - event.acceptedAtMs) / 1000

/** What becomes of an event whose attempts all end alike, each as soon as it is due. */
function course(attempt: Attempt, settings?: EventInvokeConfig) {
  const dueAfter: number[] = []
  let current = event
  for (let nowMs = event.acceptedAtMs; ;) {
    const step = stepAfter(attempt, current, settings, nowMs)
    if (step.is !== 'again') return { dueAfter, ends: step.is === 'given up' ? step.condition : step.is, last: step.is === 'given up' ? step.event : current }
    nowMs = step.dueAtMs
    dueAfter.push(seconds(nowMs))
    current = step.event
  }
}

// Source: Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation".
describe('an event', () => {
  test('whose function fails is tried again after one and after two minutes, and given up then', () => {
    const { dueAfter, ends, last } = course(failed)
    assert.deepEqual([dueAfter, ends, last.attempts, last.lastError], [[60, 180], 'RetriesExhausted', 3, 'Error: no'])
  })

  test('has as many attempts as its function wants', () => {
    assert.deepEqual(course(failed, config({ maximumRetryAttempts: 0 })).dueAfter, [])
    assert.deepEqual(course(failed, config({ maximumRetryAttempts: 1 })).dueAfter, [60])
    assert.deepEqual(course(failed, config({ maximumRetryAttempts: 2 })).dueAfter, [60, 180])
  })

  // Observed: AWS, 22-03-2023, recorded by localstack's test_maxeventage.
  test('is given up at once when its next attempt would come too late', () => {
    const { dueAfter, ends, last } = course(failed, config({ maximumEventAgeSeconds: 60 - 1 }))
    assert.deepEqual([dueAfter, ends, last.attempts], [[], 'EventAgeExceeded', 1])
    assert.deepEqual(course(failed, config({ maximumEventAgeSeconds: 60 })).dueAfter, [60], 'at its age it is not too old')
    assert.equal(course(failed, config({ maximumEventAgeSeconds: 100 })).last.attempts, 2)
  })

  test('that finds no room is tried again after one second, then twice as long each time, up to five minutes, for six hours', () => {
    const { dueAfter, ends, last } = course(throttled)
    assert.deepEqual(dueAfter.slice(0, 11), [1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111])
    assert.equal(ends, 'EventAgeExceeded')
    assert.ok(dueAfter.at(-1)! <= 21_600 && dueAfter.at(-1)! > 21_600 - 300)
    assert.equal(last.attempts, 0, 'the function never saw it')
  })

  test('that found no room has all its attempts left, and begins anew with one second once its function ran', () => {
    const waiting = stepAfter(throttled, stepAfter(throttled, event, undefined, 0).is === 'again' ? { ...event, refusals: 1 } : event, undefined, event.acceptedAtMs)
    assert.ok(waiting.is === 'again' && waiting.event.attempts === 0 && waiting.event.refusals === 2)
    const ran = stepAfter(failed, waiting.event, undefined, event.acceptedAtMs)
    assert.ok(ran.is === 'again' && ran.event.refusals === 0 && ran.event.attempts === 1)
  })

  test('whose function has no concurrency at all is given up at once', () => {
    const { ends, dueAfter, last } = course({ ...throttled, isForGood: true })
    assert.deepEqual([ends, dueAfter, last.attempts], ['ZeroReservedConcurrency', [], 0])
  })

  test('whose function is gone is given up at once', () => {
    assert.equal(course({ is: 'missing', message: 'Function not found' }).ends, 'RetriesExhausted')
  })

  test('is done with when its function answers', () => {
    assert.deepEqual(stepAfter({ is: 'answered', executedVersion: '1', payload: Buffer.from('null') }, event, undefined, 0), { is: 'done' })
  })

  test('has an age of six hours, unless its function wants less', () => {
    assert.equal(isTooOld(event, undefined, event.acceptedAtMs + 21_600_000), false)
    assert.equal(isTooOld(event, undefined, event.acceptedAtMs + 21_600_001), true)
    assert.equal(isTooOld(event, config({ maximumEventAgeSeconds: 60 }), event.acceptedAtMs + 60_001), true)
  })
})

describe('the record of an event', () => {
  const record = (condition: Parameters<typeof invocationRecord>[2]['condition'], attempt: Attempt | undefined, attempts: number, payload = '{}') =>
    invocationRecord({ ...event, attempts }, Buffer.from(payload), { condition, attempt, nowMs: 1_600_000_000_123 }).toString()
  const requestContext = { requestId: 'r', functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST' }

  // Observed: AWS, 21-03-2024, recorded by localstack's test_assess_lambda_destination_invocation.
  test('of an answer has request, response and both payloads', () => {
    assert.deepEqual(JSON.parse(record('Success', { is: 'answered', executedVersion: '$LATEST', payload: Buffer.from('{"a":1}') }, 1, '{"b":2}')), {
      version: '1.0', timestamp: '2020-09-13T12:26:40.123Z', requestContext: { ...requestContext, condition: 'Success', approximateInvokeCount: 1 },
      requestPayload: { b: 2 }, responseContext: { statusCode: 200, executedVersion: '$LATEST' }, responsePayload: { a: 1 },
    })
  })

  // Observed: AWS, 21-03-2024, recorded by localstack's test_lambda_destination_default_retries.
  test('of a function that failed says how, and how often', () => {
    assert.deepEqual(JSON.parse(record('RetriesExhausted', failed, 3)), {
      version: '1.0', timestamp: '2020-09-13T12:26:40.123Z', requestContext: { ...requestContext, condition: 'RetriesExhausted', approximateInvokeCount: 3 },
      requestPayload: {}, responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' }, responsePayload: { errorType: 'Error', errorMessage: 'no' },
    })
  })

  test('of one that never ran has no response', () => {
    const { responseContext, responsePayload, requestContext: { approximateInvokeCount } } = JSON.parse(record('ZeroReservedConcurrency', { ...throttled, isForGood: true }, 0))
    assert.deepEqual([responseContext, responsePayload, approximateInvokeCount], [undefined, undefined, 0])
    assert.deepEqual(JSON.parse(record('EventAgeExceeded', throttled, 0)).responseContext, { statusCode: 429 })
  })

  test('keeps numbers as they were written, and what is no JSON as text', () => {
    const text = record('Success', { is: 'answered', executedVersion: '1', payload: Buffer.from('12345678901234567890') }, 1, '{"n":1.10}')
    assert.match(text, /"requestPayload":\{"n":1\.10\}/)
    assert.match(text, /"responsePayload":12345678901234567890\}$/)
    assert.equal(JSON.parse(record('Success', { is: 'answered', executedVersion: '1', payload: Buffer.from('plain') }, 1)).responsePayload, 'plain')
  })
})
