// How places are shared out among the events of several functions.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sharesOf } from './shares.ts'

const demands = (names: string, running = 0, room = Infinity) => names.split('').map((queue) => ({ queue, running, room }))
const limits = (shares: ReturnType<typeof sharesOf>) => shares.map(({ limit }) => limit)

describe('the places for events', () => {
  test('are never more than half one function\'s', () => {
    assert.deepEqual(limits(sharesOf(demands('a'), { placesMax: 50, runningTotal: 0 })), [25])
    assert.deepEqual(sharesOf([{ queue: 'a', running: 25, room: Infinity }], { placesMax: 50, runningTotal: 25 }), [])
  })

  test('are left to functions that come later, half of what there is each time', () => {
    assert.deepEqual(limits(sharesOf(demands('abcdefgh'), { placesMax: 50, runningTotal: 0 })), [25, 12, 6, 3, 2, 1, 1])
    assert.deepEqual(limits(sharesOf(demands('b'), { placesMax: 50, runningTotal: 25 })), [12])
  })

  test('are no more than the function has room for', () => {
    assert.deepEqual(sharesOf([...demands('a', 0, 3), ...demands('b', 0, 0), ...demands('c', 0, 1)], { placesMax: 50, runningTotal: 0 }), [{ queue: 'a', limit: 3 }, { queue: 'c', limit: 1 }])
  })

  test('are none when all are taken', () => {
    assert.deepEqual(sharesOf(demands('ab'), { placesMax: 50, runningTotal: 50 }), [])
  })
})
