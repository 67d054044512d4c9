// How a process gets the tag that its connections' ids begin with: one that no other process has, or had while its connections could live.

import type { Clock } from '#lib/clock.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Database } from '#storage/database.ts'
import { newNodeTag } from '../connection-ids.ts'
import { NODE_VALID_MS, TAGS_TRIED_MAX } from './limits.ts'
import { transactions } from './store.ts'

/**
 * Claims a tag for this process; called once, before anything that names connections. `createSharedConnections` keeps it.
 * On the embedded engine, where nobody else can be, nothing is written.
 *
 * @throws Error when every tag that was tried is taken.
 */
export async function claimNode({ database, clock, random }: { database: Database, clock: Pick<Clock, 'now'>, random: RandomSource }): Promise<{ nodeTag: string }> {
  for (let tries = 0; tries < TAGS_TRIED_MAX; tries++) {
    const nodeTag = newNodeTag(random)
    if (database.engine === 'sqlite') return { nodeTag }
    if (await database.transact(transactions.claim, { tag: nodeTag, aliveUntilMs: clock.now() + NODE_VALID_MS })) return { nodeTag }
  }
  throw new Error(`each of ${TAGS_TRIED_MAX} tags for this process was taken; is the source of randomness broken?`)
}
