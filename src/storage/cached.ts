// Derived values (compiled policies, snapshots, keys) kept until what they were derived from changes.

import type { Change, Database } from './database.ts'

export interface Cache<Key extends string, Value> {
  /** The value, loaded when it is not here. Concurrent callers share one load. A failed load is not kept. */
  get(key: Key): Promise<Value>
}

export interface CacheOptions<Key extends string, Value> {
  database: Pick<Database, 'onChange'>
  load: (key: Key) => Promise<Value>
  /** Says what a change makes stale: one key, everything, or nothing. */
  staleAfter: (change: Change) => { key: Key } | 'all' | 'none'
  /** Beyond this many entries the one used longest ago is dropped. */
  entriesMax: number
}

/** A value whose load began before a change and ended after it is handed to its callers but not kept. */
export function createCache<Key extends string, Value>({ database, load, staleAfter, entriesMax }: CacheOptions<Key, Value>): Cache<Key, Value> {
  const entries = new Map<Key, Promise<Value>>()
  database.onChange((change) => {
    const stale = change === undefined ? 'all' : staleAfter(change)
    if (stale === 'all') entries.clear()
    else if (stale !== 'none') entries.delete(stale.key)
  })
  return {
    get(key) {
      const known = entries.get(key)
      if (known) {
        entries.delete(key)
        entries.set(key, known)
        return known
      }
      const loading = load(key)
      entries.set(key, loading)
      loading.catch(() => { if (entries.get(key) === loading) entries.delete(key) })
      if (entries.size > entriesMax) entries.delete(entries.keys().next().value!)
      return loading
    },
  }
}
