// Who is told of committed changes.

import type { Log } from '#lib/log.ts'
import type { Change } from './database.ts'

type Listener = (change: Change | undefined) => void

/** The topic under which a store tells every process to drop everything. */
export const everythingChanged = '*'

export class ChangeListeners {
  readonly #listeners = new Set<Listener>()
  readonly #log: Pick<Log, 'error'> | undefined

  constructor(log: Pick<Log, 'error'> | undefined) {
    this.#log = log
  }

  /** Returns a function that ends it. */
  add(listener: Listener): () => void {
    // A wrapper of its own, so that adding one function twice makes two listeners.
    const own: Listener = (change) => listener(change)
    this.#listeners.add(own)
    return () => { this.#listeners.delete(own) }
  }

  /** Calls every listener at once. A listener that throws is logged and keeps nobody else from hearing. */
  tell(topic: string, key: string): void {
    const change = topic === everythingChanged ? undefined : { topic, key }
    for (const listener of this.#listeners) {
      try {
        listener(change)
      } catch (error) {
        this.#log?.error({ error }, 'a change listener failed')
      }
    }
  }
}
