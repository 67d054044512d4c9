// FilterLogEvents: the events of a group that match a pattern, over all or some of its streams.

import type { FilterLogEventsRequest, FilterLogEventsResponse } from '@aws-sdk/client-cloudwatch-logs'
import type { Call, Valid } from '#aws/service.ts'
import type { Database } from '#storage/database.ts'
import type { LogsService } from './api.ts'
import { errors, noSuchGroup, noSuchStream } from './errors.ts'
import { withinBytes } from './events.ts'
import { keyOf } from './groups.ts'
import { beforeEverything, groupNamedBy, PAGE_BYTES_MAX, PAGE_EVENTS_MAX, retainedFromMs, type LogEvent, type Position } from './model.ts'
import { compilePattern, PatternRefusal } from './patterns/compile.ts'
import { findGroup, findStream, listEventKeys, listEvents, listStreamNames, listStreamsByName, type EventRange } from './store.ts'
import { numberIn, readToken, writeToken } from './tokens.ts'

/** What one call looks at, at most: then it answers with what it found and a token. As on AWS, a page may be empty and have a token. */
const SCAN_EVENTS_MAX = 20_000
const SCAN_BYTES_MAX = 8 * 1024 * 1024
const CHUNK_EVENTS = 1000
/** Ours: streams that one prefix may stand for. */
const PREFIX_STREAMS_MAX = 1000

/** Source: FilterLogEvents, API reference: events are ordered by time over all streams (`interleaved` is always so); `endTime` is inclusive. */
export async function filterLogEvents(input: Valid<FilterLogEventsRequest>, { scope, atMs }: Call, { database, flush }: LogsService): Promise<FilterLogEventsResponse> {
  if (input.logStreamNames !== undefined && input.logStreamNamePrefix !== undefined) {
    throw errors.InvalidParameterException('logStreamNamePrefix and logStreamNames are mutually exclusive parameters.')
  }
  const named = groupNamedBy(input, scope)
  const matches = patternOf(input.filterPattern)
  const token = readToken(input.nextToken)
  const after = token ? { atMs: numberIn(token[0]), id: numberIn(token[1]) } : beforeEverything
  await flush()
  const group = await findGroup(database, keyOf(named.scope, named.name))
  if (!group) throw noSuchGroup()
  const range = {
    groupId: group.id,
    streamIds: await streamsOf(database, group.id, input),
    fromMs: Math.max(input.startTime ?? 0, retainedFromMs(group, atMs)),
    untilMs: input.endTime === undefined ? Number.MAX_SAFE_INTEGER : input.endTime + 1,
  }
  const { found, next } = await scan(database, range, { after, matches, limit: input.limit ?? PAGE_EVENTS_MAX })
  const streams = await listStreamNames(database, [...new Set(found.map(({ stream_id }) => stream_id))])
  return {
    // Events of a stream that was deleted a moment ago have lost its name.
    events: found.filter(({ stream_id }) => streams.has(stream_id)).map((event) => ({
      logStreamName: streams.get(event.stream_id)!,
      timestamp: event.at_ms,
      message: event.message,
      ingestionTime: event.ingested_at_ms,
      eventId: eventId(event),
    })),
    // Source: FilterLogEvents, API reference: no longer told since 2020.
    searchedLogStreams: [],
    ...(next ? { nextToken: writeToken([next.atMs, next.id]) } : {}),
  }
}

function patternOf(filterPattern: string | undefined): (message: string) => boolean {
  try {
    return compilePattern(filterPattern ?? '')
  } catch (error) {
    throw error instanceof PatternRefusal ? errors.InvalidParameterException(error.message) : error
  }
}

/** The chosen streams; undefined for all. */
async function streamsOf(database: Database, groupId: number, { logStreamNames, logStreamNamePrefix }: Valid<FilterLogEventsRequest>): Promise<number[] | undefined> {
  if (logStreamNames !== undefined) {
    const streams = await Promise.all([...new Set(logStreamNames)].map((name) => findStream(database, groupId, name)))
    return streams.map((stream) => {
      if (!stream) throw noSuchStream()
      return stream.id
    })
  }
  if (logStreamNamePrefix === undefined) return undefined
  const streams = await listStreamsByName(database, { groupId, prefix: logStreamNamePrefix, after: undefined, isDescending: false, limit: PREFIX_STREAMS_MAX + 1 })
  if (streams.length > PREFIX_STREAMS_MAX) throw errors.InvalidParameterException(`logStreamNamePrefix matches more than ${PREFIX_STREAMS_MAX} log streams.`)
  return streams.map(({ id }) => id)
}

/** Looks at events in order until the page or the scan is full. `next` is where to go on, absent at the end. */
async function scan(database: Database, range: EventRange, { after, matches, limit }: {
  after: Position, matches: (message: string) => boolean, limit: number
}): Promise<{ found: LogEvent[], next: Position | undefined }> {
  const found: LogEvent[] = []
  if (range.streamIds?.length === 0) return { found, next: undefined }
  let position = after
  let seenEvents = 0
  let seenBytes = 0
  let foundBytes = 0
  while (seenEvents < SCAN_EVENTS_MAX && seenBytes < SCAN_BYTES_MAX) {
    const listed = await listEventKeys(database, range, position, CHUNK_EVENTS)
    const keys = withinBytes(listed)
    const last = keys.at(-1)
    if (!last) return { found, next: undefined }
    const bytesOf = new Map(keys.map(({ id, bytes }) => [id, bytes]))
    for (const event of await listEvents(database, range, keys[0]!, last)) {
      const bytes = bytesOf.get(event.id) ?? 0
      if (matches(event.message)) {
        if (found.length >= limit || (found.length > 0 && foundBytes + bytes > PAGE_BYTES_MAX)) return { found, next: position }
        found.push(event)
        foundBytes += bytes
      }
      seenEvents++
      seenBytes += bytes
      position = { atMs: event.at_ms, id: event.id }
    }
    position = { atMs: last.at_ms, id: last.id }
    if (listed.length < CHUNK_EVENTS && keys.length === listed.length) return { found, next: undefined }
  }
  return { found, next: position }
}

/** Unique and the same in every answer, so that `aws logs tail --follow` can tell what it has shown. 56 digits, as AWS's. */
function eventId({ at_ms, id }: LogEvent): string {
  return `3${String(at_ms).padStart(19, '0')}${String(id).padStart(36, '0')}`
}
