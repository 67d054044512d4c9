// Every operation of CloudWatch Logs that is served, with the permission that AWS asks for.

import { operation, type Call, type Operations, type Permission } from '#aws/service.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Database } from '#storage/database.ts'
import { getLogEvents, putLogEvents } from './events.ts'
import { filterLogEvents } from './filter.ts'
import {
  createLogGroup, deleteLogGroup, deleteRetentionPolicy, describeLogGroups, listTagsForResource, listTagsLogGroup, putRetentionPolicy, tagLogGroup,
  tagResource, untagLogGroup, untagResource,
} from './groups.ts'
import { groupArn, groupNamedBy, groupResource, streamArn } from './model.ts'
import { createLogStream, deleteLogStream, describeLogStreams } from './streams.ts'

/** What the handlers share. */
export interface LogsService {
  /** The logs store. */
  database: Database
  clock: Clock
  random: RandomSource
  log: Log
  /** Beyond it the oldest events go. */
  eventBytesMax: number
  /** Writes what the server's own services have logged until now, so that a caller reads it. */
  flush: () => Promise<void>
}

interface NamesGroup { logGroupName?: string | undefined, logGroupIdentifier?: string | undefined }

/** `action` on the group that the input names. */
const onGroup = (action: string) => (input: NamesGroup, { scope }: Pick<Call, 'scope'>): Permission[] =>
  [{ action: `logs:${action}`, resource: groupResource(scope, groupNamedBy(input, scope).name) }]

const onStream = (action: string) => (input: NamesGroup & { logStreamName: string }, { scope }: Pick<Call, 'scope'>): Permission[] =>
  [{ action: `logs:${action}`, resource: streamArn(scope, groupNamedBy(input, scope).name, input.logStreamName) }]

/** Tags are asked about on the group itself, without `:*`. Source: Service Authorization Reference, CloudWatch Logs, resource types. */
const onBareGroup = (action: string) => (input: { logGroupName: string }, { scope }: Pick<Call, 'scope'>): Permission[] =>
  [{ action: `logs:${action}`, resource: groupArn(scope, input.logGroupName) }]

const onResource = (action: string) => (input: { resourceArn: string }): Permission[] =>
  [{ action: `logs:${action}`, resource: input.resourceArn.replace(/:\*$/, '') }]

export const operations: Operations<LogsService> = {
  CreateLogGroup: operation({ access: onGroup('CreateLogGroup'), run: createLogGroup }),
  DeleteLogGroup: operation({ access: onGroup('DeleteLogGroup'), run: deleteLogGroup }),
  // Observed: AccessDeniedException of DescribeLogGroups, published: `…on resource: arn:aws:logs:us-west-2:…:log-group::log-stream:`.
  DescribeLogGroups: operation({ access: (_input, { scope }) => [{ action: 'logs:DescribeLogGroups', resource: groupResource(scope, '') }], run: describeLogGroups }),
  PutRetentionPolicy: operation({ access: onGroup('PutRetentionPolicy'), run: putRetentionPolicy }),
  DeleteRetentionPolicy: operation({ access: onGroup('DeleteRetentionPolicy'), run: deleteRetentionPolicy }),
  TagLogGroup: operation({ access: onBareGroup('TagLogGroup'), run: tagLogGroup }),
  UntagLogGroup: operation({ access: onBareGroup('UntagLogGroup'), run: untagLogGroup }),
  ListTagsLogGroup: operation({ access: onBareGroup('ListTagsLogGroup'), run: listTagsLogGroup }),
  TagResource: operation({ access: onResource('TagResource'), run: tagResource }),
  UntagResource: operation({ access: onResource('UntagResource'), run: untagResource }),
  ListTagsForResource: operation({ access: onResource('ListTagsForResource'), run: listTagsForResource }),

  CreateLogStream: operation({ access: onStream('CreateLogStream'), run: createLogStream }),
  DeleteLogStream: operation({ access: onStream('DeleteLogStream'), run: deleteLogStream }),
  DescribeLogStreams: operation({ access: onGroup('DescribeLogStreams'), run: describeLogStreams }),

  PutLogEvents: operation({ access: onStream('PutLogEvents'), run: putLogEvents }),
  GetLogEvents: operation({ access: onStream('GetLogEvents'), run: getLogEvents }),
  FilterLogEvents: operation({ access: onGroup('FilterLogEvents'), run: filterLogEvents }),
}
