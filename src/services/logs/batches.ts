// Things written in batches a little later: never waits, bounded, counts what it had to drop.

import type { Clock } from '#lib/clock.ts'

export interface Batches<Entry> {
  /** Takes an entry of this weight, or drops it when what waits and is being written weighs too much already. */
  add(entry: Entry, weight: number): void
  /** Resolves when everything taken so far is written or given up. Never rejects. */
  flush(): Promise<void>
  /** How many things were dropped since the start. */
  dropped(): number
}

interface BatchesOptions<Entry> {
  clock: Clock
  /** Writes a batch. A failure drops the batch. */
  write: (batch: Entry[]) => Promise<void>
  /** How many things an entry holds, for counting drops. */
  countOf: (entry: Entry) => number
  /** Told when something was dropped since it was last told, at most every ten seconds. */
  onDrop: (count: number, cause: unknown) => void
  delayMs: number
  weightMax: number
}

const TELL_EVERY_MS = 10_000

export function createBatches<Entry>({ clock, write, countOf, onDrop, delayMs, weightMax }: BatchesOptions<Entry>): Batches<Entry> {
  let waiting: Entry[] = []
  let waitingWeight = 0
  let writingWeight = 0
  let dropped = 0
  let told = 0
  let toldAt = -Infinity
  let timer: AbortController | undefined
  let writing: Promise<void> = Promise.resolve()

  function drop(count: number) {
    dropped += count
  }

  function tell(cause: unknown) {
    if (dropped === told || clock.monotonic() - toldAt < TELL_EVERY_MS) return
    onDrop(dropped - told, cause)
    told = dropped
    toldAt = clock.monotonic()
  }

  function startTimer() {
    if (timer) return
    const own = timer = new AbortController()
    void clock.sleep(delayMs, own.signal).then(() => {
      // A flush in between has ended this timer and taken the batch.
      if (timer === own) void flush()
    })
  }

  function flush(): Promise<void> {
    timer?.abort()
    timer = undefined
    tell('the buffer was full')
    if (waiting.length === 0) return writing
    const batch = waiting
    const weight = waitingWeight
    waiting = []
    waitingWeight = 0
    writingWeight += weight
    writing = writing.then(() => write(batch)).catch((cause: unknown) => {
      drop(batch.reduce((sum, entry) => sum + countOf(entry), 0))
      tell(cause)
    }).then(() => { writingWeight -= weight })
    return writing
  }

  return {
    add(entry, weight) {
      startTimer()
      if (waitingWeight + writingWeight + weight > weightMax) return drop(countOf(entry))
      waiting.push(entry)
      waitingWeight += weight
    },
    flush,
    dropped: () => dropped,
  }
}
