// CloudWatch Logs as the rest of the program sees it: the service's definition, the sink that functions log into, and the traces.

import type { ServiceDefinition } from '#aws/service.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Database } from '#storage/database.ts'
import { operations, type LogsService } from './api.ts'
import { startRetention } from './retention.ts'
import { createSink } from './sink.ts'
import { createTraces, type TraceStore } from './traces.ts'
import { findGroup } from './store.ts'

export type { TraceFacts, TraceRecord, TraceStore } from './traces.ts'

/** Where services of this server put log events of the things they run. */
export interface LogSink {
  /**
   * Takes events for one stream, in the order of the call; group and stream are created when they do not exist.
   *
   * Never waits and never throws: events are written in batches within half a second, what does not fit the buffer is dropped,
   * counted and reported in the server's log. A crash loses at most the last second.
   */
  append(entry: LogEntry): void
}

export interface LogEntry {
  accountId: string
  region: string
  /** `/aws/lambda/NAME`. */
  group: string
  stream: string
  events: readonly LogLine[]
}

export interface LogLine {
  timestampMs: number
  message: string
}

export interface LogsDependencies {
  /** The logs store, not the core one. */
  database: Database
  clock: Clock
  random: RandomSource
  log: Log
  limits?: Partial<LogsLimits>
}

/** How much the logs store keeps; beyond it the oldest goes first. */
export interface LogsLimits {
  /** Log events of all groups, messages and AWS's 26 bytes for each. */
  eventBytesMax: number
  traceBytesMax: number
  tracesMax: number
}

export interface Logs {
  definition: ServiceDefinition<LogsService>
  sink: LogSink
  traces: TraceStore
  /** What was dropped since the start because buffers were full or the store failed. */
  dropped(): { events: number, traces: number }
  /** Writes what is buffered and ends the background work. The database stays open. */
  close(): Promise<void>
}

const defaultLimits: LogsLimits = { eventBytesMax: 2 * 1024 ** 3, traceBytesMax: 256 * 1024 ** 2, tracesMax: 50_000 }

/** Largest body of a logs request: a PutLogEvents batch of 1 MiB may grow in JSON. */
const LOGS_BODY_BYTES_MAX = 8 * 1024 * 1024

export function createLogs({ database, clock, random, log, limits }: LogsDependencies): Logs {
  const { eventBytesMax, traceBytesMax, tracesMax } = { ...defaultLimits, ...limits }
  const sink = createSink({ database, clock, log, eventBytesMax })
  const traces = createTraces({ database, clock, log, traceBytesMax, tracesMax })
  const retention = startRetention({ database, clock, log })
  return {
    definition: {
      model: 'logs-2014-03-28',
      operations,
      service: { database, clock, random, log, eventBytesMax, flush: sink.flush },
      tagsOf: async (arn, scope) => {
        const name = /^arn:aws:logs:[^:]*:[^:]*:log-group:([^:]+)/.exec(arn)?.[1]
        const group = name === undefined ? undefined : await findGroup(database, { ...scope, name })
        return group && JSON.parse(group.tags) as Record<string, string>
      },
      bodyBytesMax: LOGS_BODY_BYTES_MAX,
      errors: {
        validation: { code: 'InvalidParameterException', status: 400 },
        accessDenied: { code: 'AccessDeniedException', status: 400 },
        // Names that are too long are refused in words of their own: see `checkNameLength`.
        constraints: { LogGroupName: { max: undefined }, LogStreamName: { max: undefined } },
      },
    },
    sink,
    traces,
    dropped: () => ({ events: sink.dropped(), traces: traces.dropped() }),
    async close() {
      await retention.close()
      await sink.close()
      await traces.close()
    },
  }
}
