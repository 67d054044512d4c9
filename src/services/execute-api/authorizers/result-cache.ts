// What authorizers answered, kept for the time that each authorizer allows: REST, HTTP and WebSocket APIs share it.

import { createHash } from 'node:crypto'
import type { Clock } from '#lib/clock.ts'

/** Whose answer it is. */
export interface ResultKey {
  /** Of a stage: `{apiId}/{stageName}`. */
  stage: string
  /** What the stage serves: another deployment, or a flush of the cache, must change it, and empties what was kept of the stage. */
  generation: string
  authorizerId: string
  /** The values of the identity sources, in their order. */
  identity: readonly string[]
}

export interface ResultCache<Result> {
  /** The result that was kept, as long as it may be used. */
  find(key: ResultKey): Result | undefined
  /** Keeps a result for so many seconds; 0 keeps nothing. */
  keep(key: ResultKey, result: Result, ttlSeconds: number): void
}

/** Results in memory, of all APIs together; beyond it the one used longest ago goes. Ours. */
export const RESULTS_MAX = 10_000

interface Kept<Result> {
  result: Result
  /** On the monotonic clock. */
  untilMs: number
}

interface Stage<Result> {
  generation: string
  results: Map<string, Kept<Result>>
}

/** Tokens are not kept, but their hashes. */
export function createResultCache<Result>({ clock, resultsMax = RESULTS_MAX }: { clock: Pick<Clock, 'monotonic'>, resultsMax?: number }): ResultCache<Result> {
  // The stage used longest ago comes first, as does the result within its stage.
  const stages = new Map<string, Stage<Result>>()
  let size = 0

  function stageOf({ stage, generation }: ResultKey): Stage<Result> {
    let found = stages.get(stage)
    if (found && found.generation !== generation) {
      size -= found.results.size
      found = undefined
    }
    found ??= { generation, results: new Map() }
    stages.delete(stage)
    stages.set(stage, found)
    if (stages.size > resultsMax) forgetOldestStage()
    return found
  }

  function makeRoom(): void {
    while (size > resultsMax) {
      const [, { results }] = stages.entries().next().value!
      const oldest = results.keys().next().value
      if (oldest === undefined) {
        forgetOldestStage()
      } else {
        results.delete(oldest)
        size--
      }
    }
  }

  function forgetOldestStage(): void {
    const [name, { results }] = stages.entries().next().value!
    stages.delete(name)
    size -= results.size
  }

  return {
    find(key) {
      const { results } = stageOf(key)
      const hash = hashOf(key)
      const kept = results.get(hash)
      if (!kept) return undefined
      results.delete(hash)
      if (kept.untilMs <= clock.monotonic()) {
        size--
        return undefined
      }
      results.set(hash, kept)
      return kept.result
    },
    keep(key, result, ttlSeconds) {
      if (!(ttlSeconds > 0)) return
      const { results } = stageOf(key)
      const hash = hashOf(key)
      if (results.delete(hash)) size--
      results.set(hash, { result, untilMs: clock.monotonic() + ttlSeconds * 1000 })
      size++
      makeRoom()
    },
  }
}

/** Lengths stand before the values, so that no two lists of values look alike. */
function hashOf({ authorizerId, identity }: ResultKey): string {
  const hash = createHash('sha256').update(authorizerId)
  for (const value of identity) hash.update(`\n${value.length}:`).update(value)
  return hash.digest('base64url')
}
