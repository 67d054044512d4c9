// What a cache keeps, and when it lets go.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createCache } from './cached.ts'
import type { Change } from './database.ts'

describe('a cache', () => {
  test('does not keep a load that failed', async () => {
    const { cache, loads } = cacheOf(async (key, count) => {
      if (count === 1) throw new Error('no')
      return key
    })
    await assert.rejects(cache.get('a'), /no/)
    assert.equal(await cache.get('a'), 'a')
    assert.equal(loads.length, 2)
  })

  test('hands out, but does not keep, what was loaded while it changed', async () => {
    const { cache, tell, loads } = cacheOf(async (key, count) => `${key}${count}`)
    const first = cache.get('a')
    tell({ topic: 'note', key: 'a' })
    assert.equal(await first, 'a1')
    assert.equal(await cache.get('a'), 'a2')
    assert.equal(loads.length, 2)
  })

  test('lets concurrent callers share one load, and keeps it', async () => {
    const { cache, loads } = cacheOf(async (key) => key)
    assert.deepEqual(await Promise.all([cache.get('a'), cache.get('a')]), ['a', 'a'])
    await cache.get('a')
    assert.deepEqual(loads, ['a'])
  })

  test('drops one key, or everything when changes may have been missed', async () => {
    const { cache, tell, loads } = cacheOf(async (key) => key)
    const read = async () => {
      loads.length = 0
      for (const key of ['a', 'b']) await cache.get(key)
      return loads.join('')
    }
    assert.equal(await read(), 'ab')
    assert.equal(await read(), '')
    tell({ topic: 'note', key: 'b' })
    assert.equal(await read(), 'b')
    tell({ topic: 'other', key: 'b' })
    assert.equal(await read(), '')
    tell(undefined)
    assert.equal(await read(), 'ab')
  })

  test('drops the entry used longest ago when it is full', async () => {
    const { cache, loads } = cacheOf(async (key) => key)
    for (const key of ['a', 'b', 'c', 'a', 'd']) await cache.get(key)
    loads.length = 0
    for (const key of ['a', 'c', 'd', 'b']) await cache.get(key)
    assert.deepEqual(loads, ['b'])
  })
})

function cacheOf(load: (key: string, count: number) => Promise<string>) {
  const loads: string[] = []
  let tell: (change: Change | undefined) => void = () => {}
  const cache = createCache<string, string>({
    database: {
      onChange(listener) {
        tell = listener
        return () => {}
      },
    },
    load: (key) => load(key, loads.push(key)),
    staleAfter: (change) => change.topic === 'note' ? { key: change.key } : 'none',
    entriesMax: 3,
  })
  return { cache, loads, tell: (change: Change | undefined) => tell(change) }
}
