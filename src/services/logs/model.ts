// Log groups, streams and events as values: limits, names, ARNs and what an identifier names.

import { formatArn, parseArn, type Scope } from '#aws/arn.ts'
import { errors } from './errors.ts'

/** Source: PutLogEvents, API reference: the sum of the messages in UTF-8 and 26 bytes for each. */
export const EVENT_OVERHEAD_BYTES = 26
export const BATCH_BYTES_MAX = 1_048_576
export const BATCH_SPAN_MS_MAX = 24 * 3_600_000
export const EVENT_AGE_MS_MAX = 14 * 24 * 3_600_000
export const EVENT_AHEAD_MS_MAX = 2 * 3_600_000

/** Source: GetLogEvents and FilterLogEvents, API reference: an answer holds at most 1 MB or 10,000 events. */
export const PAGE_BYTES_MAX = 1_048_576
export const PAGE_EVENTS_MAX = 10_000

export const DESCRIBE_LIMIT = 50
/** Source: TagResource, API reference. */
export const TAGS_MAX = 50
const NAME_CHARACTERS_MAX = 512

/** Source: PutRetentionPolicy, API reference, `retentionInDays`. */
export const RETENTION_DAYS: readonly number[] = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]

export interface LogGroup {
  id: number
  account_id: string
  region: string
  name: string
  created_at_ms: number
  class: string
  retention_days: number | null
  deletion_protected: number
  /** JSON. */
  tags: string
  event_bytes: number
}

export interface LogStream {
  id: number
  group_id: number
  name: string
  created_at_ms: number
  first_event_at_ms: number | null
  last_event_at_ms: number | null
  last_ingested_at_ms: number | null
}

export interface LogEvent {
  id: number
  stream_id: number
  at_ms: number
  ingested_at_ms: number
  message: string
}

/** An event before it is stored. */
export interface NewEvent {
  atMs: number
  message: string
  /** Of the message in UTF-8, and the overhead. */
  bytes: number
}

/** What PostgreSQL's text cannot hold is replaced, on both engines alike. */
export function newEvent(atMs: number, text: string): NewEvent {
  const message = text.includes('\0') ? text.replaceAll('\0', '\uFFFD').toWellFormed() : text.toWellFormed()
  return { atMs, message, bytes: Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES }
}

/** The ARN that names a group itself: for tags, and as `logGroupArn`. */
export function groupArn({ accountId, region }: Scope, name: string): string {
  return formatArn({ service: 'logs', region, accountId, resource: `log-group:${name}` })
}

/**
 * The resource that AWS asks policies about when an operation works on a group; `arn:…:log-group:NAME:*` allows it, the bare name
 * does not.
 *
 * Observed: AccessDeniedException of CreateLogGroup, published: `…on resource: arn:aws:logs:us-east-1:…:log-group:test-log-group:log-stream:`.
 */
export function groupResource(scope: Scope, name: string): string {
  return `${groupArn(scope, name)}:log-stream:`
}

export function streamArn(scope: Scope, groupName: string, name: string): string {
  return `${groupArn(scope, groupName)}:log-stream:${name}`
}

/** The group that an input names, by name or by identifier (a name or an ARN), and the scope it lies in. */
export function groupNamedBy(input: { logGroupName?: string | undefined, logGroupIdentifier?: string | undefined }, scope: Scope): { scope: Scope, name: string } {
  const { logGroupName, logGroupIdentifier } = input
  if (logGroupName !== undefined && logGroupIdentifier !== undefined) {
    // Observed: AWS, 03-02-2026, recorded by localstack's test_describe_log_streams_with_log_group_identifier.
    throw errors.ValidationException('LogGroup name and LogGroup ARN are mutually exclusive parameters.')
  }
  const identifier = logGroupName ?? logGroupIdentifier
  if (identifier === undefined) {
    throw errors.InvalidParameterException("1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null")
  }
  if (!identifier.startsWith('arn:')) return { scope, name: identifier }
  return groupOfArn(identifier, scope)
}

/** The group that an ARN names. Groups of other accounts and regions are out of reach. */
export function groupOfArn(text: string, scope: Scope): { scope: Scope, name: string } {
  const arn = parseArn(text)
  const name = /^log-group:([^:*]+)(:\*)?$/.exec(arn?.resource ?? '')?.[1]
  if (arn?.service !== 'logs' || name === undefined || arn.accountId !== scope.accountId || arn.region !== scope.region) {
    throw errors.InvalidParameterException(`Invalid resource identifier: ${text}`)
  }
  return { scope, name }
}

/** Observed: AWS, 03-02-2026, recorded by localstack's test_create_log_group_invalid_name_length. */
export function checkNameLength(name: string): void {
  if (name.length > NAME_CHARACTERS_MAX) {
    throw errors.InvalidParameterException('Invalid LogGroup or LogStream, both must have length less than or equal to 512.')
  }
}

/** Events older than this are as good as deleted; the sweep only takes their room. */
export function retainedFromMs({ retention_days }: Pick<LogGroup, 'retention_days'>, nowMs: number): number {
  return retention_days === null ? 0 : Math.max(0, nowMs - retention_days * 24 * 3_600_000)
}

/** Between two events of a stream or group: after the event of this time and id, in the order of both. */
export interface Position {
  atMs: number
  id: number
}

export const beforeEverything: Position = { atMs: 0, id: 0 }
