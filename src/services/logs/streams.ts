// Log streams: create, describe, delete.

import type { CreateLogStreamRequest, DeleteLogStreamRequest, DescribeLogStreamsRequest, DescribeLogStreamsResponse } from '@aws-sdk/client-cloudwatch-logs'
import type { Scope } from '#aws/arn.ts'
import type { Call, Valid } from '#aws/service.ts'
import type { LogsService } from './api.ts'
import { refusingConflicts } from './conflicts.ts'
import { errors, noSuchGroup, noSuchStream } from './errors.ts'
import { keyOf } from './groups.ts'
import { checkNameLength, DESCRIBE_LIMIT, groupNamedBy, streamArn, type LogStream } from './model.ts'
import { findGroup, listStreamsByName, listStreamsByTime, transactions } from './store.ts'
import { numberIn, readToken, writeToken } from './tokens.ts'

export async function createLogStream(input: Valid<CreateLogStreamRequest>, { scope, atMs }: Call, { database }: LogsService): Promise<void> {
  checkNameLength(input.logStreamName)
  const key = { ...keyOf(scope, input.logGroupName), stream: input.logStreamName }
  await refusing(database.transact(transactions.insertStream, { key, createdAtMs: atMs }))
}

export async function deleteLogStream(input: Valid<DeleteLogStreamRequest>, { scope }: Call, { database, flush }: LogsService): Promise<void> {
  await flush()
  await refusing(database.transact(transactions.deleteStream, { ...keyOf(scope, input.logGroupName), stream: input.logStreamName }))
}

export async function describeLogStreams(input: Valid<DescribeLogStreamsRequest>, { scope }: Call, { database, flush }: LogsService): Promise<DescribeLogStreamsResponse> {
  const named = groupNamedBy(input, scope)
  const byTime = input.orderBy === 'LastEventTime'
  // Observed: published answers of DescribeLogStreams; moto has it too.
  if (byTime && input.logStreamNamePrefix !== undefined) throw errors.InvalidParameterException('Cannot order by LastEventTime with a logStreamNamePrefix.')
  await flush()
  const group = await findGroup(database, keyOf(named.scope, named.name))
  if (!group) throw noSuchGroup()
  const limit = input.limit ?? DESCRIBE_LIMIT
  const isDescending = input.descending === true
  const token = readToken(input.nextToken)
  const common = { groupId: group.id, isDescending, limit: limit + 1 }
  const found = byTime
    ? await listStreamsByTime(database, { ...common, after: token && { atMs: numberIn(token[0]), id: numberIn(token[1]) } })
    : await listStreamsByName(database, { ...common, prefix: input.logStreamNamePrefix ?? '', after: token?.[0] })
  const page = found.slice(0, limit)
  const last = page.at(-1)
  const next = found.length > limit && last ? { nextToken: writeToken(byTime ? [last.last_event_at_ms ?? 0, last.id] : [last.name]) } : {}
  return { logStreams: page.map((stream) => describe(stream, named.scope, named.name)), ...next }
}

/**
 * Observed: AWS, 03-02-2026, recorded by localstack's test_create_and_delete_log_stream: a stream without events has no times.
 * Source: LogStream, API reference: since 2019 `storedBytes` of a stream is always 0.
 */
function describe(stream: LogStream, scope: Scope, groupName: string) {
  return {
    logStreamName: stream.name,
    creationTime: stream.created_at_ms,
    ...(stream.first_event_at_ms === null ? {} : { firstEventTimestamp: stream.first_event_at_ms }),
    ...(stream.last_event_at_ms === null ? {} : { lastEventTimestamp: stream.last_event_at_ms }),
    ...(stream.last_ingested_at_ms === null ? {} : { lastIngestionTime: stream.last_ingested_at_ms, uploadSequenceToken: sequenceToken(stream.id) }),
    arn: streamArn(scope, groupName, stream.name),
    storedBytes: 0,
  }
}

/**
 * Accepted by nobody and needed by nobody; clients of old repeat it.
 *
 * Source: PutLogEvents, API reference: the sequence token is ignored, and requests are accepted without.
 */
export function sequenceToken(streamId: number): string {
  return String(streamId).padStart(56, '4900000000000000000000000000000000000000000000000000')
}

const refusing = refusingConflicts({
  'missing': noSuchGroup,
  'missing stream': noSuchStream,
  // Observed: AWS, 03-02-2026, recorded by localstack's test_create_log_stream_duplicate_error.
  'exists': () => errors.ResourceAlreadyExistsException('The specified log stream already exists'),
})
