// Work that many ask for and that is done one time after another.

export interface Turns {
  /** The work is done from its start once more, after what runs now. */
  ask(): void
  /** Resolves when nothing runs and nobody asks. */
  idle(): Promise<void>
}

/** `work` must not reject. All who ask before it starts share one run. */
export function oneAtATime(work: () => Promise<void>): Turns {
  let running: Promise<void> | undefined
  let isAsked = false

  async function run(): Promise<void> {
    while (isAsked) {
      // Whoever asks in the same moment shares this run.
      await Promise.resolve()
      isAsked = false
      await work()
    }
    running = undefined
  }

  return {
    ask() {
      isAsked = true
      running ??= run()
    },
    async idle() { await running },
  }
}

export interface Batches<Item> {
  add(item: Item): void
  /** Resolves when everything that was added is written. */
  idle(): Promise<void>
}

/** Writes what was added in its order: at most so many together, one batch after another. `write` must not reject. */
export function createBatches<Item>(countMax: number, write: (items: readonly Item[]) => Promise<void>): Batches<Item> {
  let waiting: Item[] = []
  const turns = oneAtATime(async () => {
    const items = waiting.slice(0, countMax)
    waiting = waiting.slice(countMax)
    if (waiting.length > 0) turns.ask()
    if (items.length > 0) await write(items)
  })
  return {
    add(item) {
      waiting.push(item)
      turns.ask()
    },
    idle: () => turns.idle(),
  }
}
