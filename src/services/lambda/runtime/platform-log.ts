// What the platform itself says about an environment: each event once, as a line of the log (text or JSON) and as telemetry.

import type { FunctionSettings } from '../model.ts'
import { endLine, initReportLine, initStartLine, reportLine, startLine } from './log-lines.ts'

type Status = 'success' | 'error' | 'failure' | 'timeout'
type Phase = 'init' | 'invoke'

interface Ended {
  status: Status
  errorType?: string | undefined
}

export interface ReportMetrics {
  durationMs: number
  billedDurationMs: number
  memorySizeMB: number
  maxMemoryUsedMB: number
  initDurationMs?: number | undefined
}

/** Source: Lambda developer guide, "Lambda Telemetry API Event schema reference": names and members of records. */
export type PlatformEvent =
  | { type: 'platform.initStart', record: { initializationType: string, phase: Phase, runtimeVersion: string, runtimeVersionArn: string, functionName: string, functionVersion: string } }
  | { type: 'platform.initRuntimeDone', record: Ended & { initializationType: string, phase: Phase } }
  | { type: 'platform.initReport', record: Ended & { initializationType: string, phase: Phase, metrics: { durationMs: number } } }
  | { type: 'platform.start', record: { requestId: string, version: string, tracing?: Tracing } }
  | { type: 'platform.runtimeDone', record: Ended & { requestId: string, metrics: { durationMs: number, producedBytes?: number }, tracing?: Tracing } }
  | { type: 'platform.report', record: Ended & { requestId: string, metrics: ReportMetrics, tracing?: Tracing } }
  | { type: 'platform.extension', record: { name: string, state: string, events: readonly string[], errorType?: string | undefined } }
  | { type: 'platform.telemetrySubscription' | 'platform.logsSubscription', record: { name: string, state: string, types: readonly string[] } }

export interface Tracing {
  type: 'X-Amzn-Trace-Id'
  value: string
}

/** Of `LoggingConfig`. Source: Lambda API reference, LoggingConfig. */
export interface LogSettings {
  format: 'Text' | 'JSON'
  /** Which events of the platform are logged, in JSON. */
  systemLevel: 'DEBUG' | 'INFO' | 'WARN'
  /** Which messages of the function are logged, in JSON. */
  applicationLevel: 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL'
}

export function logSettingsOf({ logFormat = 'Text', systemLogLevel = 'INFO', applicationLogLevel = 'INFO' }: Pick<FunctionSettings, 'logFormat' | 'systemLogLevel' | 'applicationLogLevel'>): LogSettings {
  return { format: logFormat, systemLevel: systemLogLevel, applicationLevel: applicationLogLevel }
}

const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']

/** Source: Lambda developer guide, "Log-level filtering", system log level event mapping. */
function systemLevelOf({ type, record }: PlatformEvent): string {
  const isGood = !('status' in record) || record.status === 'success'
  switch (type) {
    case 'platform.initStart': return 'INFO'
    case 'platform.initRuntimeDone':
    case 'platform.runtimeDone': return isGood ? 'DEBUG' : 'WARN'
    case 'platform.initReport': return !isGood ? 'WARN' : record.initializationType === 'on-demand' ? 'DEBUG' : 'INFO'
    case 'platform.report': return isGood ? 'INFO' : 'WARN'
    case 'platform.extension': return record.errorType === undefined ? 'INFO' : 'WARN'
    default: return 'INFO'
  }
}

/** The lines of the log that an event makes: none, one or (END and REPORT) two. */
export function linesOf(event: PlatformEvent, { format, systemLevel }: LogSettings, atMs: number): string[] {
  if (format === 'Text') return textLinesOf(event)
  return levels.indexOf(systemLevelOf(event)) < levels.indexOf(systemLevel) ? [] : [`${JSON.stringify(telemetryOf(event, atMs))}\n`]
}

export interface TelemetryEvent {
  time: string
  type: string
  record: unknown
}

export function telemetryOf({ type, record }: PlatformEvent, atMs: number): TelemetryEvent {
  return { time: new Date(atMs).toISOString(), type, record: 'metrics' in record ? { ...record, metrics: rounded(record.metrics) } : record }
}

/** Source: the same reference: durations have up to three decimals. */
function rounded(metrics: object): object {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, typeof value === 'number' ? Math.round(value * 1000) / 1000 : value]))
}

function textLinesOf(event: PlatformEvent): string[] {
  switch (event.type) {
    case 'platform.initStart': return event.record.phase === 'invoke' ? [] : [initStartLine(event.record.runtimeVersion, event.record.runtimeVersionArn)]
    case 'platform.initReport': {
      const { status, errorType, phase, metrics } = event.record
      return status === 'success' ? [] : [initReportLine({ initMs: metrics.durationMs, phase, status, errorType })]
    }
    case 'platform.start': return [startLine(event.record.requestId, event.record.version)]
    case 'platform.report': {
      const { requestId, status, errorType, metrics } = event.record
      return [endLine(requestId), reportLine({
        requestId, durationMs: metrics.durationMs, billedDurationMs: metrics.billedDurationMs, memoryMb: metrics.memorySizeMB, usedMemoryMb: metrics.maxMemoryUsedMB,
        initMs: metrics.initDurationMs, status, errorType,
      })]
    }
    // Source: AWS's runtime interface emulator, here and below.
    case 'platform.extension': {
      const { name, state, events, errorType } = event.record
      return [`EXTENSION\tName: ${name}\tState: ${state}\tEvents: [${events.join(',')}]${errorType === undefined ? '' : `\tError Type: ${errorType}`}\n`]
    }
    case 'platform.telemetrySubscription':
    case 'platform.logsSubscription': {
      const { name, state, types } = event.record
      return [`${event.type === 'platform.logsSubscription' ? 'LOGS' : 'TELEMETRY'}\tName: ${name}\tState: ${state}\tTypes: [${types.join(', ')}]\n`]
    }
    case 'platform.initRuntimeDone':
    case 'platform.runtimeDone': return []
  }
}

/**
 * Whether a line that the function wrote to its output is logged: in JSON it may say its level, and counts as INFO when it does not.
 *
 * Source: Lambda developer guide, "Log-level filtering".
 */
export function isLogged(line: string, { format, applicationLevel }: LogSettings): boolean {
  if (format === 'Text' || applicationLevel === 'TRACE' || applicationLevel === 'DEBUG' || applicationLevel === 'INFO' && !line.startsWith('{')) return true
  return levels.indexOf(levelOf(line)) >= levels.indexOf(applicationLevel)
}

function levelOf(line: string): string {
  if (!line.startsWith('{')) return 'INFO'
  try {
    const { level } = JSON.parse(line) as { level?: unknown }
    const named = typeof level === 'string' ? level.toUpperCase() : 'INFO'
    return levels.includes(named) ? named : named === 'WARNING' ? 'WARN' : named === 'CRITICAL' ? 'FATAL' : 'INFO'
  } catch {
    return 'INFO'
  }
}
