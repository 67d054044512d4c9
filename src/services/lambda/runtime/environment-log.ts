// What an environment logs: the platform's lines and the function's, to the log group, to the tail of the invocation under way, to extensions.

import type { Clock } from '#lib/clock.ts'
import type { createLogTail } from './log-lines.ts'
import { isLogged, linesOf, telemetryOf, type LogSettings, type PlatformEvent } from './platform-log.ts'
import type { Telemetry } from './telemetry.ts'

export interface EnvironmentLog {
  platform(event: PlatformEvent): void
  /** What a process wrote: a line of its output, or a whole message. */
  output(source: 'line' | 'message' | 'extension', text: string): void
  print(message: string): void
  /** Hands on what was printed; otherwise it goes at the end of this turn of the event loop. */
  flush(): void
}

export interface EnvironmentLogOptions {
  settings: LogSettings
  clock: Clock
  telemetry: Telemetry
  emit: (lines: readonly { timestampMs: number, message: string }[]) => void
  /** Of the invocation under way. */
  tail: () => ReturnType<typeof createLogTail> | undefined
}

export function createEnvironmentLog({ settings, clock, telemetry, emit, tail }: EnvironmentLogOptions): EnvironmentLog {
  let pending: { timestampMs: number, message: string }[] = []

  function print(message: string): void {
    if (pending.push({ timestampMs: clock.now(), message }) === 1) queueMicrotask(flush)
    tail()?.add(message)
  }

  function flush(): void {
    if (pending.length === 0) return
    const lines = pending
    pending = []
    emit(lines)
  }

  return {
    print, flush,
    platform(event) {
      for (const line of linesOf(event, settings, clock.now())) print(line)
      if (telemetry.isUsed) telemetry.publish('platform', telemetryOf(event, clock.now()))
    },
    output(source, text) {
      if (telemetry.isUsed) {
        const type = source === 'extension' ? 'extension' as const : 'function' as const
        telemetry.publish(type, { time: new Date(clock.now()).toISOString(), type, record: recordOf(text, settings) })
      }
      // Our bootstraps judge the level of their messages themselves.
      if (source === 'message' || isLogged(text, settings)) print(text)
    },
  }
}

/** Source: Lambda developer guide, "Telemetry API Event schema reference", function: an object where the log is JSON. */
function recordOf(text: string, { format }: LogSettings): unknown {
  if (format === 'Text' || !text.startsWith('{')) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
