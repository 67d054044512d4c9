// How many items a table has and how large they are: counted when asked, not with every write.

import type { Database } from '#storage/database.ts'
import { listItemSizes } from './store.ts'

export interface TableCounts {
  items: number
  bytes: number
}

export interface Counts {
  /**
   * Counts the items of a table. Exact up to `INLINE_ITEMS_MAX` items; a larger table answers with the last whole count (at first with
   * what was counted so far) and is counted on in the background, at most once a minute.
   */
  of(tableId: number): Promise<TableCounts>
}

const CHUNK_ITEMS = 5000
const INLINE_ITEMS_MAX = 50_000
const RECOUNT_AFTER_MS = 60_000
/** Large tables remembered. */
const LARGE_TABLES_MAX = 100

/** Source: TableDescription, API reference: AWS brings these figures up to date about every six hours. */
export function createCounts({ database, clock }: { database: Database, clock: { now(): number } }): Counts {
  const large = new Map<number, { counts: TableCounts, atMs: number, isCounting: boolean }>()

  async function count(tableId: number, itemsMax: number): Promise<TableCounts & { isWhole: boolean }> {
    const total = { items: 0, bytes: 0 }
    let after = { partition: Buffer.alloc(0) as Uint8Array, sort: Buffer.alloc(0) as Uint8Array }
    while (total.items < itemsMax) {
      const chunk = await listItemSizes(database, tableId, after, CHUNK_ITEMS)
      for (const { bytes } of chunk) total.bytes += bytes
      total.items += chunk.length
      const last = chunk.at(-1)
      if (!last || chunk.length < CHUNK_ITEMS) return { ...total, isWhole: true }
      after = { partition: last.partition_key, sort: last.sort_key }
      // Others come in between: the embedded store reads on the thread that serves.
      await new Promise((resolve) => { setImmediate(resolve) })
    }
    return { ...total, isWhole: false }
  }

  async function recount(tableId: number, known: { counts: TableCounts, atMs: number, isCounting: boolean }): Promise<void> {
    known.isCounting = true
    try {
      known.counts = await count(tableId, Infinity)
    } catch {
      // The store is closing, or failing for everybody: the old figures stand.
    } finally {
      known.isCounting = false
      known.atMs = clock.now()
    }
  }

  return {
    async of(tableId) {
      const known = large.get(tableId)
      if (known) {
        if (!known.isCounting && clock.now() - known.atMs > RECOUNT_AFTER_MS) void recount(tableId, known)
        return known.counts
      }
      const counts = await count(tableId, INLINE_ITEMS_MAX)
      if (!counts.isWhole) {
        const begun = { counts, atMs: clock.now(), isCounting: false }
        large.set(tableId, begun)
        if (large.size > LARGE_TABLES_MAX) large.delete(large.keys().next().value!)
        void recount(tableId, begun)
      }
      return counts
    },
  }
}
