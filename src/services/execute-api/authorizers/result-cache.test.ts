// How long results of authorizers are kept, for whom, and how many.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createResultCache, RESULTS_MAX, type ResultKey } from './result-cache.ts'

const key = (change: Partial<ResultKey> = {}): ResultKey => ({ stage: 'a/dev', generation: 'd1', authorizerId: 'x', identity: ['token'], ...change })

function cache(resultsMax?: number) {
  const clock = { ms: 0, monotonic: () => clock.ms }
  return { clock, results: createResultCache<string>({ clock, ...(resultsMax === undefined ? {} : { resultsMax }) }) }
}

describe('results of authorizers', () => {
  test('are kept for the time of the authorizer, to the millisecond', () => {
    const { clock, results } = cache()
    results.keep(key(), 'allowed', 300)
    clock.ms = 299_999
    assert.equal(results.find(key()), 'allowed')
    clock.ms = 300_000
    assert.equal(results.find(key()), undefined)
  })

  test('are not kept where the authorizer keeps nothing', () => {
    const { results } = cache()
    results.keep(key(), 'allowed', 0)
    assert.equal(results.find(key()), undefined)
  })

  test('are those of one stage, authorizer and identity', () => {
    const { results } = cache()
    results.keep(key({ identity: ['ab', 'c'] }), 'allowed', 300)
    for (const change of [{ stage: 'a/prod' }, { authorizerId: 'y' }, { identity: ['a', 'bc'] }, { identity: ['ab'] }, { identity: ['ab', 'c', ''] }]) {
      assert.equal(results.find(key({ identity: ['ab', 'c'], ...change })), undefined)
    }
    assert.equal(results.find(key({ identity: ['ab', 'c'] })), 'allowed')
  })

  test('are gone when their stage serves something else, also when it serves the old again', () => {
    const { results } = cache()
    results.keep(key(), 'allowed', 300)
    results.keep(key({ stage: 'a/prod' }), 'allowed', 300)
    assert.equal(results.find(key({ generation: 'd2' })), undefined)
    assert.equal(results.find(key()), undefined)
    assert.equal(results.find(key({ stage: 'a/prod' })), 'allowed')
  })

  test(`are bounded (${RESULTS_MAX} unless told otherwise): the one used longest ago goes`, () => {
    const { results } = cache(2)
    results.keep(key({ identity: ['1'] }), '1', 300)
    results.keep(key({ identity: ['2'] }), '2', 300)
    assert.equal(results.find(key({ identity: ['1'] })), '1')
    results.keep(key({ identity: ['3'] }), '3', 300)
    assert.deepEqual(['1', '2', '3'].map((one) => results.find(key({ identity: [one] }))), ['1', undefined, '3'])
    results.keep(key({ stage: 'b/dev' }), '4', 300)
    assert.deepEqual(['1', '3'].map((one) => results.find(key({ identity: [one] }))), [undefined, '3'])
  })
})
