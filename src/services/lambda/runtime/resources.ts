// What an environment may use together: its memory, processes and files are looked at while it runs, and one that takes too much is ended.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { PROCESSES_MAX } from '../limits.ts'
import { memoryOf } from './isolation/processes.ts'

export type Exceeded = 'memory' | 'processes' | 'files'

export interface ResourcesOptions {
  clock: Clock
  memoryMb: number
  /** Watched where nothing else bounds it: how much all its files may hold together. */
  scratch: { directory: string, mb: number } | undefined
  pids: (options: { ageMsMax: number }) => number[]
  isBusy: () => boolean
  onExceeded: (what: Exceeded) => void
}

export interface Resources {
  /** Of its processes together, now. */
  residentBytes(): number
  stop(): void
}

/** Ours: how often it is looked at while it works, and while it does not. */
const BUSY_MS = 100
const IDLE_MS = 1_000
/** Which processes there are is found out once in so many looks: it takes reading all of /proc. */
const looksPerCensus = 10
/** Environments share what they read of it. */
const CENSUS_AGE_MS_MAX = 200
/** A directory with more entries than this is not measured to its end. */
const entriesMax = 20_000

export function watchResources({ clock, memoryMb, scratch, pids, isBusy, onExceeded }: ResourcesOptions): Resources {
  const stopped = new AbortController()
  let members: number[] = []
  const memoryBytesMax = memoryMb * 1024 * 1024

  async function watch(): Promise<void> {
    for (let look = 0; ; look++) {
      await clock.sleep(isBusy() ? BUSY_MS : IDLE_MS, stopped.signal)
      if (stopped.signal.aborted) return
      const isCensus = look % looksPerCensus === 0 || !isBusy()
      if (isCensus) members = pids({ ageMsMax: CENSUS_AGE_MS_MAX })
      const ownBytes = members.reduce((bytes, pid) => bytes + (memoryOf(pid)?.ownBytes ?? 0), 0)
      const what = ownBytes > memoryBytesMax ? 'memory' as const
        : members.length > PROCESSES_MAX ? 'processes' as const
          : isCensus && scratch !== undefined && await bytesIn(scratch.directory) > scratch.mb * 1024 * 1024 ? 'files' as const : undefined
      if (what !== undefined && !stopped.signal.aborted) onExceeded(what)
    }
  }
  void watch()
  return {
    residentBytes() {
      if (members.length === 0) members = pids({ ageMsMax: CENSUS_AGE_MS_MAX })
      return members.reduce((bytes, pid) => bytes + (memoryOf(pid)?.residentBytes ?? 0), 0)
    },
    stop() { stopped.abort('stopped') },
  }
}

/** What lies in a directory and below. Links are not followed. */
async function bytesIn(directory: string): Promise<number> {
  let bytes = 0
  let entries = 0
  const waiting = [directory]
  for (let at = waiting.pop(); at !== undefined && entries < entriesMax; at = waiting.pop()) {
    for (const entry of await readdir(at, { withFileTypes: true }).catch(() => [])) {
      entries++
      const path = join(at, entry.name)
      if (entry.isDirectory()) waiting.push(path)
      // Files that are larger than what is stored of them count as what is stored.
      else if (entry.isFile()) bytes += ((await stat(path).catch(() => undefined))?.blocks ?? 0) * 512
    }
  }
  return bytes
}
