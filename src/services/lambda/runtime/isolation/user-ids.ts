// User ids for environments: no two on this machine have the same one, whichever server started them.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RandomSource } from '#lib/random.ts'

export interface UserIds {
  /** Every one that an environment may get. */
  readonly all: readonly number[]
  /** One that no other environment has, until it is given back. */
  take(): number
  giveBack(userId: number): void
  close(): void
}

/**
 * Ours: ids above those of people (1000…) and below those of containers and `nobody`, so that they exist in every user namespace of 65,536 ids.
 * A server claims a block of them, for more environments than it may have.
 */
const USER_ID_FIRST = 50_001
const BLOCKS = 40
const BLOCK_IDS = 225

/** `isRoot`: nobody else can start processes under other ids, and so needs to know whose they are. */
export function openUserIds({ random, isRoot }: { random: RandomSource, isRoot: boolean }): UserIds {
  const claim = isRoot ? claimBlock(random) : undefined
  const first = USER_ID_FIRST + (claim?.block ?? 0) * BLOCK_IDS
  const taken = new Set<number>()
  let last = first - 1
  return {
    all: Array.from({ length: BLOCK_IDS }, (_, at) => first + at),
    take() {
      // In turn, so that one is not used again at once.
      do last = last + 1 < first + BLOCK_IDS ? last + 1 : first
      while (taken.has(last))
      taken.add(last)
      return last
    },
    giveBack(userId) { taken.delete(userId) },
    close() { if (claim) rmSync(claim.directory, { recursive: true, force: true }) },
  }
}

function claimBlock(random: RandomSource): { block: number, directory: string } {
  const base = existsSync('/run') ? '/run/countersign' : join(tmpdir(), 'countersign-users')
  mkdirSync(base, { recursive: true, mode: 0o755 })
  const start = random.bytes(2).readUInt16BE(0)
  for (let at = 0; at < BLOCKS; at++) {
    const block = (start + at) % BLOCKS
    const directory = join(base, `users-${block}`)
    if (isAbandoned(directory)) rmSync(directory, { recursive: true, force: true })
    try {
      mkdirSync(directory)
    } catch {
      continue
    }
    writeFileSync(join(directory, 'pid'), String(process.pid))
    return { block, directory }
  }
  throw new Error(`${BLOCKS} servers on this machine have claimed all user ids for functions (${base})`)
}

/** Its server is gone. One that is being claimed has no number yet. */
function isAbandoned(directory: string): boolean {
  try {
    const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'))
    return pid > 0 && !existsSync(`/proc/${pid}`)
  } catch {
    return false
  }
}
