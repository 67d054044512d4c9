// Log events of one stream: PutLogEvents and GetLogEvents.

import type { GetLogEventsRequest, GetLogEventsResponse, PutLogEventsRequest, PutLogEventsResponse } from '@aws-sdk/client-cloudwatch-logs'
import type { Call, Valid } from '#aws/service.ts'
import { Conflict } from '#storage/database.ts'
import type { LogsService } from './api.ts'
import { badToken, errors, noSuchGroup, noSuchStream } from './errors.ts'
import { keyOf } from './groups.ts'
import {
  BATCH_BYTES_MAX, BATCH_SPAN_MS_MAX, beforeEverything, EVENT_AGE_MS_MAX, EVENT_AHEAD_MS_MAX, groupNamedBy, newEvent, PAGE_BYTES_MAX, PAGE_EVENTS_MAX,
  retainedFromMs, type NewEvent, type Position,
} from './model.ts'
import { findGroup, findStream, listEventKeys, listEventKeysBackwards, listEvents, transactions, type EventKey } from './store.ts'
import { sequenceToken } from './streams.ts'

export async function putLogEvents(input: Valid<PutLogEventsRequest>, { scope, atMs }: Call, { database, eventBytesMax }: LogsService): Promise<PutLogEventsResponse> {
  const events = input.logEvents.map(({ timestamp, message }) => newEvent(timestamp!, message!))
  checkBatch(events)
  const key = { ...keyOf(scope, input.logGroupName), stream: input.logStreamName }
  const group = await findGroup(database, key)
  if (!group) throw noSuchGroup()
  const stream = await findStream(database, group.id, key.stream)
  if (!stream) throw noSuchStream()
  const { accepted, rejected } = judge(events, { nowMs: atMs, retainedFromMs: retainedFromMs(group, atMs) })
  try {
    if (accepted.length > 0) await database.transact(transactions.insertEvents, { key, events: accepted, ingestedAtMs: atMs, bytesMax: eventBytesMax })
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
    throw error.reason === 'missing' ? noSuchGroup() : noSuchStream()
  }
  return {
    nextSequenceToken: sequenceToken(stream.id),
    ...(rejected ? { rejectedLogEventsInfo: rejected } : {}),
    // Decision: no entity is kept, and the answer says so in AWS's own way.
    ...(input.entity ? { rejectedEntityInfo: { errorType: 'UnsupportedLogGroupType' as const } } : {}),
  }
}

/** Source: PutLogEvents, API reference, the constraints on a batch. The words for order are recorded, the others are ours. */
function checkBatch(events: readonly NewEvent[]): void {
  if (events.some(({ atMs }, index) => index > 0 && atMs < events[index - 1]!.atMs)) {
    // Observed: AWS, 03-02-2026, recorded by localstack's test_put_log_events_wrong_order.
    throw errors.InvalidParameterException('Log events in a single PutLogEvents request must be in chronological order.')
  }
  const bytes = events.reduce((sum, event) => sum + event.bytes, 0)
  if (bytes > BATCH_BYTES_MAX) throw errors.InvalidParameterException(`Upload too large: ${bytes} bytes exceeds limit of ${BATCH_BYTES_MAX}`)
  if (events.length > 0 && events.at(-1)!.atMs - events[0]!.atMs > BATCH_SPAN_MS_MAX) {
    throw errors.InvalidParameterException('The batch of log events in a single PutLogEvents request cannot span more than 24 hours.')
  }
}

/**
 * Which events of a batch in order are accepted. Indexes end or start a rejected range, as the names say: an end is exclusive.
 *
 * Source: RejectedLogEventsInfo, API reference. The first index of what is too new; the index after the last that is too old or expired.
 */
export function judge(events: readonly NewEvent[], { nowMs, retainedFromMs: fromMs }: { nowMs: number, retainedFromMs: number }) {
  const firstFrom = (limitMs: number) => {
    const index = events.findIndex(({ atMs }) => atMs >= limitMs)
    return index === -1 ? events.length : index
  }
  const tooOldEnd = firstFrom(nowMs - EVENT_AGE_MS_MAX)
  const expiredEnd = firstFrom(fromMs)
  const tooNewStart = firstFrom(nowMs + EVENT_AHEAD_MS_MAX + 1)
  const rejected = {
    ...(tooNewStart < events.length ? { tooNewLogEventStartIndex: tooNewStart } : {}),
    ...(tooOldEnd > 0 ? { tooOldLogEventEndIndex: tooOldEnd } : {}),
    ...(expiredEnd > tooOldEnd ? { expiredLogEventEndIndex: expiredEnd } : {}),
  }
  return {
    accepted: events.slice(Math.max(tooOldEnd, expiredEnd), tooNewStart),
    rejected: Object.keys(rejected).length > 0 ? rejected : undefined,
  }
}

/**
 * Pages forwards or backwards from a token; without one, the latest events (or the first, with `startFromHead`).
 *
 * Source: GetLogEvents, API reference: `endTime` is exclusive; a page that has nothing more gives back the token it was asked with.
 */
export async function getLogEvents(input: Valid<GetLogEventsRequest>, { scope, atMs }: Call, { database, flush }: LogsService): Promise<GetLogEventsResponse> {
  const token = input.nextToken === undefined ? undefined : readPageToken(input.nextToken)
  const named = groupNamedBy(input, scope)
  await flush()
  const group = await findGroup(database, keyOf(named.scope, named.name))
  if (!group) throw noSuchGroup()
  const stream = await findStream(database, group.id, input.logStreamName)
  if (!stream) throw noSuchStream()
  const range = {
    groupId: group.id,
    streamIds: [stream.id],
    fromMs: Math.max(input.startTime ?? 0, retainedFromMs(group, atMs)),
    untilMs: input.endTime ?? Number.MAX_SAFE_INTEGER,
  }
  const limit = input.limit ?? PAGE_EVENTS_MAX
  const isForward = token ? token.isForward : input.startFromHead === true
  const keys = isForward
    ? withinBytes(await listEventKeys(database, range, token?.position ?? beforeEverything, limit))
    : withinBytes(await listEventKeysBackwards(database, range, token?.position ?? afterEverything, limit)).toReversed()
  const [first, last] = [keys[0], keys.at(-1)]
  if (!first || !last) {
    const position = token?.position ?? (isForward || stream.last_event_at_ms === null ? beforeEverything : { atMs: range.fromMs, id: 0 })
    return { events: [], nextForwardToken: pageToken('f', position), nextBackwardToken: pageToken('b', position) }
  }
  const events = await listEvents(database, range, first, last)
  return {
    events: events.map(({ at_ms, message, ingested_at_ms }) => ({ timestamp: at_ms, message, ingestionTime: ingested_at_ms })),
    nextForwardToken: pageToken('f', { atMs: last.at_ms, id: last.id }),
    nextBackwardToken: pageToken('b', { atMs: first.at_ms, id: first.id - 1 }),
  }
}

const afterEverything: Position = { atMs: Number.MAX_SAFE_INTEGER, id: 0 }

/** As many as fit a page; at least one. */
export function withinBytes(keys: readonly EventKey[], bytesMax = PAGE_BYTES_MAX): EventKey[] {
  let bytes = 0
  const end = keys.findIndex((key, index) => (bytes += key.bytes) > bytesMax && index > 0)
  return end === -1 ? [...keys] : keys.slice(0, end)
}

/** Looks as AWS's do: `f/` or `b/`, 56 digits, `/s`. */
function pageToken(direction: 'f' | 'b', { atMs, id }: Position): string {
  return `${direction}/${String(atMs).padStart(20, '0')}${String(id).padStart(36, '0')}/s`
}

function readPageToken(token: string): { isForward: boolean, position: Position } {
  const parts = /^([fb])\/0*(\d{1,16})(?<=^.{22})0*(\d{1,16})(?<=^.{58})\/s$/.exec(token)
  if (!parts) throw badToken()
  return { isForward: parts[1] === 'f', position: { atMs: Number(parts[2]), id: Number(parts[3]) } }
}
