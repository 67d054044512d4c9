// Log groups: create, describe, delete, retention, tags.

import type {
  CreateLogGroupRequest, DeleteLogGroupRequest, DeleteRetentionPolicyRequest, DescribeLogGroupsRequest, DescribeLogGroupsResponse,
  ListTagsForResourceRequest, ListTagsLogGroupRequest, PutRetentionPolicyRequest, TagLogGroupRequest, TagResourceRequest,
  UntagLogGroupRequest, UntagResourceRequest,
} from '@aws-sdk/client-cloudwatch-logs'
import type { Scope } from '#aws/arn.ts'
import type { Call, Valid } from '#aws/service.ts'
import type { Database } from '#storage/database.ts'
import type { LogsService } from './api.ts'
import { refusingConflicts } from './conflicts.ts'
import { errors, noSuchGroup } from './errors.ts'
import { checkNameLength, DESCRIBE_LIMIT, groupArn, groupOfArn, RETENTION_DAYS, TAGS_MAX, type LogGroup } from './model.ts'
import { findGroup, listGroups, transactions, type GroupKey } from './store.ts'
import { readToken, writeToken } from './tokens.ts'

export async function createLogGroup(input: Valid<CreateLogGroupRequest>, { scope, atMs }: Call, { database }: LogsService): Promise<void> {
  checkNameLength(input.logGroupName)
  // There is no key service here, so no key exists; a group is never kept unencrypted after its owner asked for encryption.
  if (input.kmsKeyId !== undefined) throw errors.InvalidParameterException('The specified KMS Key Id could not be found.')
  // Ours: a delivery group keeps events for two days only to hand them on, and nothing here hands on.
  if (input.logGroupClass === 'DELIVERY') throw errors.InvalidParameterException('Log group class DELIVERY is not supported.')
  await refusing(database.transact(transactions.insertGroup, {
    key: keyOf(scope, input.logGroupName),
    createdAtMs: atMs,
    groupClass: input.logGroupClass ?? 'STANDARD',
    isProtected: input.deletionProtectionEnabled === true,
    tags: input.tags ?? {},
  }))
}

export async function describeLogGroups(input: Valid<DescribeLogGroupsRequest>, { scope }: Call, { database }: LogsService): Promise<DescribeLogGroupsResponse> {
  if (input.logGroupNamePrefix !== undefined && input.logGroupNamePattern !== undefined) {
    // Observed: AWS, 03-02-2026, recorded by localstack's test_describe_log_groups_prefix_and_pattern_error.
    throw errors.InvalidParameterException('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.')
  }
  // Ours: there are no monitoring accounts to look into.
  if (input.includeLinkedAccounts === true || input.accountIdentifiers?.some((id) => id !== scope.accountId)) {
    throw errors.InvalidParameterException('Log groups of other accounts are not supported.')
  }
  if (input.logGroupIdentifiers !== undefined) return { logGroups: await groupsNamed(database, scope, input.logGroupIdentifiers) }
  const limit = input.limit ?? DESCRIBE_LIMIT
  const found = await listGroups(database, {
    ...scope,
    after: readToken(input.nextToken)?.[0] ?? '',
    prefix: input.logGroupNamePrefix ?? '',
    part: input.logGroupNamePattern ?? '',
    limit: limit + 1,
  })
  const page = found.slice(0, limit)
  return { logGroups: page.map(describe), ...(found.length > limit ? { nextToken: writeToken([page.at(-1)!.name]) } : {}) }
}

async function groupsNamed(database: Database, scope: Scope, identifiers: readonly string[]) {
  const names = identifiers.map((identifier) => identifier.startsWith('arn:') ? groupOfArn(identifier, scope).name : identifier)
  const groups = await Promise.all(names.map((name) => findGroup(database, keyOf(scope, name))))
  return groups.filter((group) => group !== undefined).map(describe)
}

/** Observed: AWS, 03-02-2026, recorded by localstack's test_describe_log_groups_with_prefix. */
function describe(group: LogGroup) {
  const arn = groupArn({ accountId: group.account_id, region: group.region }, group.name)
  return {
    logGroupName: group.name,
    creationTime: group.created_at_ms,
    ...(group.retention_days === null ? {} : { retentionInDays: group.retention_days }),
    metricFilterCount: 0,
    arn: `${arn}:*`,
    storedBytes: group.event_bytes,
    logGroupClass: group.class as 'STANDARD',
    logGroupArn: arn,
    deletionProtectionEnabled: group.deletion_protected === 1,
  }
}

export async function deleteLogGroup(input: Valid<DeleteLogGroupRequest>, { scope }: Call, { database, flush }: LogsService): Promise<void> {
  // What functions have logged until now goes with the group, instead of making it anew a moment later.
  await flush()
  await refusing(database.transact(transactions.deleteGroup, keyOf(scope, input.logGroupName)))
}

export async function putRetentionPolicy(input: Valid<PutRetentionPolicyRequest>, { scope }: Call, { database }: LogsService): Promise<void> {
  const days = input.retentionInDays
  if (!RETENTION_DAYS.includes(days)) {
    throw errors.InvalidParameterException(
      `1 validation error detected: Value '${days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [${RETENTION_DAYS.join(', ')}]`)
  }
  await refusing(database.transact(transactions.updateRetention, { key: keyOf(scope, input.logGroupName), days }))
}

export async function deleteRetentionPolicy(input: Valid<DeleteRetentionPolicyRequest>, { scope }: Call, { database }: LogsService): Promise<void> {
  await refusing(database.transact(transactions.updateRetention, { key: keyOf(scope, input.logGroupName), days: null }))
}

export async function tagLogGroup(input: Valid<TagLogGroupRequest>, { scope }: Call, { database }: LogsService): Promise<void> {
  await updateTags(database, keyOf(scope, input.logGroupName), { set: input.tags })
}

export async function untagLogGroup(input: Valid<UntagLogGroupRequest>, { scope }: Call, { database }: LogsService): Promise<void> {
  await updateTags(database, keyOf(scope, input.logGroupName), { remove: input.tags })
}

export async function listTagsLogGroup(input: Valid<ListTagsLogGroupRequest>, { scope }: Call, { database }: LogsService) {
  return { tags: await findTags(database, keyOf(scope, input.logGroupName)) }
}

export async function tagResource(input: Valid<TagResourceRequest>, { scope }: Call, { database }: LogsService): Promise<void> {
  await updateTags(database, keyOf(scope, groupOfArn(input.resourceArn, scope).name), { set: input.tags })
}

export async function untagResource(input: Valid<UntagResourceRequest>, { scope }: Call, { database }: LogsService): Promise<void> {
  await updateTags(database, keyOf(scope, groupOfArn(input.resourceArn, scope).name), { remove: input.tagKeys })
}

export async function listTagsForResource(input: Valid<ListTagsForResourceRequest>, { scope }: Call, { database }: LogsService) {
  return { tags: await findTags(database, keyOf(scope, groupOfArn(input.resourceArn, scope).name)) }
}

async function updateTags(database: Database, key: GroupKey, { set = {}, remove = [] }: { set?: Record<string, string>, remove?: readonly string[] }): Promise<void> {
  await refusing(database.transact(transactions.updateTags, { key, set, remove, tagsMax: TAGS_MAX }))
}

async function findTags(database: Database, key: GroupKey): Promise<Record<string, string>> {
  const group = await findGroup(database, key)
  if (!group) throw noSuchGroup()
  return JSON.parse(group.tags) as Record<string, string>
}

export const keyOf = ({ accountId, region }: Scope, name: string): GroupKey => ({ accountId, region, name })

const refusing = refusingConflicts({
  'missing': noSuchGroup,
  // Observed: AWS, 03-02-2026, recorded by localstack's test_create_log_group_duplicate_error.
  'exists': () => errors.ResourceAlreadyExistsException('The specified log group already exists'),
  // Ours: the words; the guide says that the call fails with a validation error.
  'protected': () => errors.ValidationException('The log group has deletion protection enabled.'),
  'too many': () => errors.TooManyTagsException(`The resource may have at most ${TAGS_MAX} tags.`),
})
