// What the server's own services log: taken without waiting, written in batches.

import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Database } from '#storage/database.ts'
import { createBatches } from './batches.ts'
import type { LogEntry, LogSink } from './index.ts'
import { newEvent } from './model.ts'
import { transactions, type Append } from './store.ts'

const SINK_DELAY_MS = 250
/** Bytes of events that may wait to be written; beyond it they are dropped. */
const SINK_BUFFER_BYTES_MAX = 16 * 1024 * 1024
/** A longer message is cut. Source: PutLogEvents, API reference: an event has at most 1 MB. */
const MESSAGE_CHARACTERS_MAX = 256 * 1024

interface Sink extends LogSink {
  flush(): Promise<void>
  dropped(): number
  close(): Promise<void>
}

export function createSink({ database, clock, log, eventBytesMax }: { database: Database, clock: Clock, log: Log, eventBytesMax: number }): Sink {
  const batches = createBatches<Append>({
    clock,
    delayMs: SINK_DELAY_MS,
    weightMax: SINK_BUFFER_BYTES_MAX,
    countOf: ({ events }) => events.length,
    onDrop: (events, cause) => log.error({ events, err: cause }, 'log events were dropped'),
    write: (batch) => database.transact(transactions.appendEvents, { appends: joined(batch), ingestedAtMs: clock.now(), bytesMax: eventBytesMax }),
  })
  return {
    append(entry) {
      const append = appendOf(entry)
      if (append.events.length > 0) batches.add(append, append.events.reduce((sum, { bytes }) => sum + bytes, 0))
    },
    flush: batches.flush,
    dropped: batches.dropped,
    close: batches.flush,
  }
}

function appendOf({ accountId, region, group, stream, events }: LogEntry): Append {
  return {
    key: { accountId, region, name: group, stream },
    // As on AWS, an event cannot be empty.
    events: events.filter(({ message }) => message !== '').map(({ timestampMs, message }) => newEvent(Math.trunc(timestampMs), message.slice(0, MESSAGE_CHARACTERS_MAX))),
  }
}

/** One append for each stream, its events in the order in which they came. */
function joined(batch: readonly Append[]): Append[] {
  const byStream = new Map<string, Append>()
  for (const { key, events } of batch) {
    const name = JSON.stringify([key.accountId, key.region, key.name, key.stream])
    const known = byStream.get(name)
    byStream.set(name, { key, events: known ? [...known.events, ...events] : events })
  }
  return [...byStream.values()]
}
