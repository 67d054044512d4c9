// When another environment is started.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { afterInvocation, afterStart, isWorthStarting, newPace, PATIENCE_MS } from './patience.ts'

const crowd = { waiting: 1, environments: 1, starting: 0, oldestWaitMs: PATIENCE_MS }

describe('another environment', () => {
  test('is not started for nobody, nor before the patience is over', () => {
    assert.equal(isWorthStarting({ ...crowd, waiting: 0, environments: 0 }, newPace), false)
    assert.equal(isWorthStarting({ ...crowd, oldestWaitMs: PATIENCE_MS - 1 }, newPace), false)
    assert.equal(isWorthStarting({ ...crowd, starting: 1, oldestWaitMs: 2 * PATIENCE_MS - 1 }, newPace), false)
  })

  test('is started at once when there is none, and soon while nothing is known of the function', () => {
    assert.equal(isWorthStarting({ ...crowd, environments: 0, oldestWaitMs: 0 }, newPace), true)
    assert.equal(isWorthStarting(crowd, newPace), true)
    assert.equal(isWorthStarting({ ...crowd, starting: 1, oldestWaitMs: 2 * PATIENCE_MS }, newPace), true)
  })

  test('is not started where those at work are done before it would be ready', () => {
    const fast = { durationMs: 3, startMs: 100 }
    assert.equal(isWorthStarting({ ...crowd, waiting: 30, environments: 2, oldestWaitMs: 50 }, fast), false)
    assert.equal(isWorthStarting({ ...crowd, waiting: 100, environments: 2, oldestWaitMs: 50 }, fast), true)
  })

  test('is started for each call of a slow function', () => {
    const slow = { durationMs: 1_000, startMs: 100 }
    for (let environments = 1; environments < 10; environments++) assert.equal(isWorthStarting({ ...crowd, waiting: 10 - environments, environments }, slow), true)
  })

  test('is started for a call that has waited longer than it should have: the function has become slow', () => {
    const fast = { durationMs: 3, startMs: 100 }
    assert.equal(isWorthStarting({ ...crowd, oldestWaitMs: 203 }, fast), false)
    assert.equal(isWorthStarting({ ...crowd, oldestWaitMs: 204 }, fast), true)
  })

  test('follows what was measured of late', () => {
    let pace = newPace
    for (const durationMs of [1_000, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5]) pace = afterInvocation(pace, durationMs)
    assert.ok(pace.durationMs! > 5 && pace.durationMs! < 120, String(pace.durationMs))
    assert.equal(afterStart(newPace, 200).startMs, 120)
  })
})
