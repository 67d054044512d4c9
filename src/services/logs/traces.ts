// The traces of requests, kept beside the logs: written in batches, the oldest dropped.

import type { Trace, TraceStep } from '#aws/trace.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Database } from '#storage/database.ts'
import { createBatches } from './batches.ts'
import { transactions } from './store.ts'
import { findTrace, listTraces, type TraceRow } from './trace-store.ts'

/** What is known about a request beside its steps: everything given is kept and shown. */
export interface TraceFacts {
  /** When the request arrived, milliseconds. */
  atMs: number
  /** Whose request it was; a trace without an account is shown to nobody's list. */
  accountId?: string | undefined
}

export interface TraceRecord {
  requestId: string
  /** ISO 8601. */
  at: string
  accountId?: string
  steps: TraceStep[]
  [fact: string]: unknown
}

export interface TraceStore {
  /** Keeps a trace. Never waits and never throws; what does not fit is dropped and counted. */
  record(trace: Trace, facts: TraceFacts): void
  /** Includes what was recorded just before. */
  find(requestId: string): Promise<TraceRecord | undefined>
  /** The account's latest, newest first, at most 1,000. */
  latest(accountId: string, limit: number): Promise<TraceRecord[]>
}

const TRACE_DELAY_MS = 500
/** What may wait: some 4,000 ordinary traces. A server under full load records that many twice a second and counts the others. */
const TRACE_BUFFER_CHARACTERS_MAX = 4 * 1024 * 1024
/** Traces that become text at once: what a request waits for them. */
const TRACES_AT_ONCE = 100
const LATEST_MAX = 1000

interface Waiting { trace: Trace, facts: TraceFacts }

export function createTraces({ database, clock, log, traceBytesMax, tracesMax }: {
  database: Database, clock: Clock, log: Log, traceBytesMax: number, tracesMax: number
}): TraceStore & { dropped(): number, close(): Promise<void> } {
  const batches = createBatches<Waiting>({
    clock,
    delayMs: TRACE_DELAY_MS,
    weightMax: TRACE_BUFFER_CHARACTERS_MAX,
    countOf: () => 1,
    onDrop: (traces, cause) => log.error({ traces, err: cause }, 'traces were dropped'),
    async write(batch) {
      for (let at = 0; at < batch.length; at += TRACES_AT_ONCE) {
        await database.transact(transactions.recordTraces, { rows: batch.slice(at, at + TRACES_AT_ONCE).map(rowOf), rowsMax: tracesMax, bytesMax: traceBytesMax })
      }
    },
  })
  return {
    record(trace, facts) {
      batches.add({ trace, facts }, weightOf(trace))
    },
    async find(requestId) {
      await batches.flush()
      const row = await findTrace(database, requestId)
      return row && JSON.parse(row.record) as TraceRecord
    },
    async latest(accountId, limit) {
      await batches.flush()
      const rows = await listTraces(database, accountId, Math.min(Math.max(1, limit), LATEST_MAX))
      return rows.map(({ record }) => JSON.parse(record) as TraceRecord)
    },
    dropped: batches.dropped,
    close: batches.flush,
  }
}

/** A guess at the characters of a trace: its steps become text only when they are written, off the path of the request. */
function weightOf(trace: Trace): number {
  let characters = 200
  for (const { facts } of trace.steps()) {
    characters += 150
    for (const name in facts) {
      const fact = facts[name]
      if (typeof fact === 'string') characters += fact.length
    }
  }
  return characters
}

function rowOf({ trace, facts }: Waiting): TraceRow {
  const { atMs, accountId, ...rest } = facts
  const record = { ...rest, requestId: trace.requestId, at: new Date(atMs).toISOString(), accountId, steps: trace.steps() }
  return { requestId: trace.requestId, accountId: accountId ?? '', atMs, record: JSON.stringify(record).replaceAll('\\u0000', '\\ufffd') }
}
