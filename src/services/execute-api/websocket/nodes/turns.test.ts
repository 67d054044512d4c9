// Work done one time after another, and what is written in batches.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createBatches, oneAtATime } from './turns.ts'

describe('work that many ask for', () => {
  test('runs once for all who ask before it starts, and once more for those who ask while it runs', async () => {
    const runs: PromiseWithResolvers<void>[] = []
    const turns = oneAtATime(() => {
      runs.push(Promise.withResolvers())
      return runs.at(-1)!.promise
    })
    await turns.idle()
    turns.ask()
    turns.ask()
    await Promise.resolve()
    assert.equal(runs.length, 1)
    turns.ask()
    turns.ask()
    assert.equal(runs.length, 1)
    const idle = turns.idle()
    runs[0]!.resolve()
    await new Promise(setImmediate)
    assert.equal(runs.length, 2)
    runs[1]!.resolve()
    await idle
    await turns.idle()
    assert.equal(runs.length, 2)
  })
})

describe('what is written in batches', () => {
  test('keeps its order, is never more than so much together, and never written twice at once', async () => {
    const written: number[][] = []
    let writing = 0
    const batches = createBatches<number>(3, async (items) => {
      assert.equal(writing++, 0)
      written.push([...items])
      await new Promise(setImmediate)
      if (items.includes(5)) batches.add(8)
      writing--
    })
    for (let item = 1; item <= 7; item++) batches.add(item)
    await batches.idle()
    assert.deepEqual(written, [[1, 2, 3], [4, 5, 6], [7, 8]])
  })
})
