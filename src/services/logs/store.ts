// All SQL of log groups, streams and events. Traces have their own, in `trace-store.ts`.

import { Conflict, defineTransactions, sql, type Reader, type Sql, type SqlValue, type Transaction } from '#storage/database.ts'
import type { LogEvent, LogGroup, LogStream, NewEvent, Position } from './model.ts'
import { oldestToDelete, recordTraces } from './trace-store.ts'

/** Rows that one step of a sweep takes at most: what a commit of others waits for it. */
export const SWEEP_ROWS_MAX = 2000
/** Steps that making room may take within one append. */
const ROOM_STEPS_MAX = 50

export interface GroupKey { accountId: string, region: string, name: string }
export interface StreamKey extends GroupKey { stream: string }

export async function findGroup(db: Reader, { accountId, region, name }: GroupKey): Promise<LogGroup | undefined> {
  return (await db.query<LogGroup>(sql`select * from log_groups where account_id = ${accountId} and region = ${region} and name = ${name}`))[0]
}

/** Groups by name, those after `after` first. `prefix` and `part` narrow the names. */
export async function listGroups(db: Reader, { accountId, region, after, prefix, part, limit }: {
  accountId: string, region: string, after: string, prefix: string, part: string, limit: number
}): Promise<LogGroup[]> {
  const contains = part === '' ? sql`` : sql` and name like ${`%${escapeLike(part)}%`} escape '\\'`
  const begins = prefix === '' ? sql`` : sql` and name >= ${prefix} and name like ${`${escapeLike(prefix)}%`} escape '\\'`
  return db.query<LogGroup>(sql`
    select * from log_groups where account_id = ${accountId} and region = ${region} and name > ${after}${begins}${contains} order by name limit ${limit}`)
}

export async function findStream(db: Reader, groupId: number, name: string): Promise<LogStream | undefined> {
  return (await db.query<LogStream>(sql`select * from log_streams where group_id = ${groupId} and name = ${name}`))[0]
}

export async function listStreamsByName(db: Reader, { groupId, prefix, after, isDescending, limit }: {
  groupId: number, prefix: string, after: string | undefined, isDescending: boolean, limit: number
}): Promise<LogStream[]> {
  const begins = prefix === '' ? sql`` : sql` and name like ${`${escapeLike(prefix)}%`} escape '\\'`
  const from = after === undefined ? sql`` : isDescending ? sql` and name < ${after}` : sql` and name > ${after}`
  const order = isDescending ? sql`order by name desc` : sql`order by name`
  return db.query<LogStream>(sql`select * from log_streams where group_id = ${groupId}${begins}${from} ${order} limit ${limit}`)
}

/** Streams without events count as older than all others. */
export async function listStreamsByTime(db: Reader, { groupId, after, isDescending, limit }: {
  groupId: number, after: Position | undefined, isDescending: boolean, limit: number
}): Promise<LogStream[]> {
  const from = after === undefined ? sql`` : isDescending
    ? sql` and (coalesce(last_event_at_ms, 0), id) < (${after.atMs}, ${after.id})`
    : sql` and (coalesce(last_event_at_ms, 0), id) > (${after.atMs}, ${after.id})`
  const order = isDescending ? sql`order by coalesce(last_event_at_ms, 0) desc, id desc` : sql`order by coalesce(last_event_at_ms, 0), id`
  return db.query<LogStream>(sql`select * from log_streams where group_id = ${groupId}${from} ${order} limit ${limit}`)
}

/** Which events: of one stream, of some streams of a group, or of the whole group; from `fromMs` to before `untilMs`. */
export interface EventRange {
  groupId: number
  /** Absent: all. */
  streamIds?: readonly number[] | undefined
  fromMs: number
  untilMs: number
}

/** Keys and sizes of events after a position, in order: cheap to read, for cutting a page before its messages are read. */
export async function listEventKeys(db: Reader, range: EventRange, after: Position, limit: number): Promise<EventKey[]> {
  return db.query<EventKey>(sql`
    select id, at_ms, bytes from log_events where ${inRange(range)} and (at_ms, id) > (${after.atMs}, ${after.id}) order by at_ms, id limit ${limit}`)
}

/** The same backwards: the last events at or before a position, the latest first. */
export async function listEventKeysBackwards(db: Reader, range: EventRange, upTo: Position, limit: number): Promise<EventKey[]> {
  return db.query<EventKey>(sql`
    select id, at_ms, bytes from log_events where ${inRange(range)} and (at_ms, id) <= (${upTo.atMs}, ${upTo.id}) order by at_ms desc, id desc limit ${limit}`)
}

export interface EventKey { id: number, at_ms: number, bytes: number }

/** The events from one to another, both included, in order. */
export async function listEvents(db: Reader, range: EventRange, first: EventKey, last: EventKey): Promise<LogEvent[]> {
  return db.query<LogEvent>(sql`
    select id, stream_id, at_ms, ingested_at_ms, message from log_events
    where ${inRange(range)} and (at_ms, id) >= (${first.at_ms}, ${first.id}) and (at_ms, id) <= (${last.at_ms}, ${last.id}) order by at_ms, id`)
}

export async function listStreamNames(db: Reader, ids: readonly number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map()
  const rows = await db.query<{ id: number, name: string }>(sql`select id, name from log_streams where id in (${list(ids)})`)
  return new Map(rows.map(({ id, name }) => [id, name]))
}

/** Groups whose retention may have work to do. */
export async function listRetainingGroups(db: Reader): Promise<{ id: number, retention_days: number }[]> {
  return db.query(sql`select id, retention_days from log_groups where retention_days is not null order by id`)
}

export async function hasPurges(db: Reader): Promise<boolean> {
  return (await db.query(sql`select id from log_purges limit 1`)).length > 0
}

/** Bytes of all events, as far as limits count them. */
export async function findUsedBytes(db: Reader): Promise<number> {
  return (await db.query<{ event_bytes: number }>(sql`select event_bytes from log_usage where id = 1`))[0]?.event_bytes ?? 0
}

function inRange({ groupId, streamIds, fromMs, untilMs }: EventRange): Sql {
  const of = streamIds === undefined ? sql`group_id = ${groupId}`
    : streamIds.length === 1 ? sql`stream_id = ${streamIds[0]!}`
    : sql`group_id = ${groupId} and stream_id in (${list(streamIds)})`
  return sql`${of} and at_ms >= ${fromMs} and at_ms < ${untilMs}`
}

function list(values: readonly SqlValue[]): Sql {
  return { text: values.map(() => '?').join(', '), values }
}

const escapeLike = (text: string): string => text.replace(/[\\%_]/g, '\\$&')

export interface Append {
  key: StreamKey
  events: readonly NewEvent[]
}

export const transactions = defineTransactions('logs', {
  recordTraces,

  /** @throws Conflict `exists`. */
  async insertGroup(transaction, { key, createdAtMs, groupClass, isProtected, tags }: {
    key: GroupKey, createdAtMs: number, groupClass: string, isProtected: boolean, tags: Record<string, string>
  }) {
    if (await ensureGroup(transaction, key, { createdAtMs, groupClass, isProtected, tags }) === undefined) throw new Conflict('exists')
  },

  /** The events go later, in the sweep. @throws Conflict `missing` or `protected`. */
  async deleteGroup(transaction, key: GroupKey) {
    const group = await findGroup(transaction, key)
    if (!group) throw new Conflict('missing')
    if (group.deletion_protected === 1) throw new Conflict('protected')
    await transaction.run(sql`insert into log_purges (group_id) values (${group.id})`)
    await transaction.run(sql`delete from log_streams where group_id = ${group.id}`)
    await transaction.run(sql`delete from log_groups where id = ${group.id}`)
  },

  /** @throws Conflict `missing` (the group) or `exists`. */
  async insertStream(transaction, { key, createdAtMs }: { key: StreamKey, createdAtMs: number }) {
    const group = await findGroup(transaction, key)
    if (!group) throw new Conflict('missing')
    if (await ensureStream(transaction, group.id, key.stream, createdAtMs) === undefined) throw new Conflict('exists')
  },

  /** @throws Conflict `missing` (the group) or `missing stream`. */
  async deleteStream(transaction, key: StreamKey) {
    const { stream } = await existing(transaction, key)
    await transaction.run(sql`insert into log_purges (stream_id) values (${stream.id})`)
    await transaction.run(sql`delete from log_streams where id = ${stream.id}`)
  },

  /** @throws Conflict `missing` (the group) or `missing stream`. */
  async insertEvents(transaction, { key, events, ingestedAtMs, bytesMax }: Append & { ingestedAtMs: number, bytesMax: number }) {
    const { group, stream } = await existing(transaction, key)
    await append(transaction, group.id, stream.id, events, ingestedAtMs)
    await makeRoom(transaction, bytesMax)
  },

  /** Creates groups and streams that are not there. */
  async appendEvents(transaction, { appends, ingestedAtMs, bytesMax }: { appends: readonly Append[], ingestedAtMs: number, bytesMax: number }) {
    for (const { key, events } of appends) {
      const created = { createdAtMs: ingestedAtMs, groupClass: 'STANDARD', isProtected: false, tags: {} }
      const groupId = (await findGroup(transaction, key))?.id ?? (await ensureGroup(transaction, key, created)) ?? (await findGroup(transaction, key))!.id
      const streamId = (await findStream(transaction, groupId, key.stream))?.id
        ?? (await ensureStream(transaction, groupId, key.stream, ingestedAtMs)) ?? (await findStream(transaction, groupId, key.stream))!.id
      await append(transaction, groupId, streamId, events, ingestedAtMs)
    }
    await makeRoom(transaction, bytesMax)
  },

  /** @throws Conflict `missing`. */
  async updateRetention(transaction, { key, days }: { key: GroupKey, days: number | null }) {
    const changed = await transaction.run(sql`
      update log_groups set retention_days = ${days} where account_id = ${key.accountId} and region = ${key.region} and name = ${key.name}`)
    if (changed === 0) throw new Conflict('missing')
  },

  /** @throws Conflict `missing`, or `too many` when more than `tagsMax` would remain. */
  async updateTags(transaction, { key, set, remove, tagsMax }: { key: GroupKey, set: Record<string, string>, remove: readonly string[], tagsMax: number }) {
    const group = await findGroup(transaction, key)
    if (!group) throw new Conflict('missing')
    const tags = { ...JSON.parse(group.tags) as Record<string, string>, ...set }
    for (const name of remove) delete tags[name]
    if (Object.keys(tags).length > tagsMax) throw new Conflict('too many')
    await transaction.run(sql`update log_groups set tags = ${JSON.stringify(tags)} where id = ${group.id}`)
  },

  /** Deletes some events of a group older than a time; resolves with their number. */
  async sweepGroup(transaction, { groupId, beforeMs }: { groupId: number, beforeMs: number }) {
    return deleteEvents(transaction, sql`select id from log_events where group_id = ${groupId} and at_ms < ${beforeMs} order by at_ms, id limit ${SWEEP_ROWS_MAX}`)
  },

  /** Deletes some events of deleted groups and streams; resolves with whether there may be more. */
  async sweepDeleted(transaction) {
    const [purge] = await transaction.query<{ id: number, group_id: number | null, stream_id: number | null }>(sql`select * from log_purges order by id limit 1`)
    if (!purge) return false
    const of = purge.group_id === null ? sql`stream_id = ${purge.stream_id}` : sql`group_id = ${purge.group_id}`
    const deleted = await deleteEvents(transaction, sql`select id from log_events where ${of} order by at_ms, id limit ${SWEEP_ROWS_MAX}`)
    if (deleted < SWEEP_ROWS_MAX) await transaction.run(sql`delete from log_purges where id = ${purge.id}`)
    return true
  },
})

async function existing(transaction: Transaction, key: StreamKey): Promise<{ group: LogGroup, stream: LogStream }> {
  const group = await findGroup(transaction, key)
  if (!group) throw new Conflict('missing')
  const stream = await findStream(transaction, group.id, key.stream)
  if (!stream) throw new Conflict('missing stream')
  return { group, stream }
}

/** The id of the group, unless it was there already. */
async function ensureGroup(transaction: Transaction, { accountId, region, name }: GroupKey, { createdAtMs, groupClass, isProtected, tags }: {
  createdAtMs: number, groupClass: string, isProtected: boolean, tags: Record<string, string>
}): Promise<number | undefined> {
  return (await transaction.query<{ id: number }>(sql`
    insert into log_groups (account_id, region, name, created_at_ms, class, deletion_protected, tags, event_bytes)
    values (${accountId}, ${region}, ${name}, ${createdAtMs}, ${groupClass}, ${isProtected ? 1 : 0}, ${JSON.stringify(tags)}, 0)
    on conflict (account_id, region, name) do nothing returning id`))[0]?.id
}

async function ensureStream(transaction: Transaction, groupId: number, name: string, createdAtMs: number): Promise<number | undefined> {
  return (await transaction.query<{ id: number }>(sql`
    insert into log_streams (group_id, name, created_at_ms) values (${groupId}, ${name}, ${createdAtMs})
    on conflict (group_id, name) do nothing returning id`))[0]?.id
}

/** Rows of one insert. Few sizes, so that few statements are kept prepared. */
const insertSizes = [64, 8, 1]

async function append(transaction: Transaction, groupId: number, streamId: number, events: readonly NewEvent[], ingestedAtMs: number): Promise<void> {
  if (events.length === 0) return
  let bytes = 0
  let firstMs = Infinity
  let lastMs = 0
  for (const event of events) {
    bytes += event.bytes
    firstMs = Math.min(firstMs, event.atMs)
    lastMs = Math.max(lastMs, event.atMs)
  }
  let at = 0
  for (const size of insertSizes) {
    for (; at + size <= events.length; at += size) {
      const rows = events.slice(at, at + size)
      await transaction.run({
        text: `insert into log_events (group_id, stream_id, at_ms, ingested_at_ms, bytes, message) values ${rows.map(() => '(?, ?, ?, ?, ?, ?)').join(', ')}`,
        values: rows.flatMap(({ atMs, message, bytes: ofRow }) => [groupId, streamId, atMs, ingestedAtMs, ofRow, message]),
      })
    }
  }
  await transaction.run(sql`
    update log_streams set last_ingested_at_ms = ${ingestedAtMs},
      first_event_at_ms = case when first_event_at_ms is null or first_event_at_ms > ${firstMs} then ${firstMs} else first_event_at_ms end,
      last_event_at_ms = case when last_event_at_ms is null or last_event_at_ms < ${lastMs} then ${lastMs} else last_event_at_ms end
    where id = ${streamId}`)
  await transaction.run(sql`update log_groups set event_bytes = event_bytes + ${bytes} where id = ${groupId}`)
  await transaction.run(sql`
    insert into log_usage (id, event_bytes) values (1, ${bytes}) on conflict (id) do update set event_bytes = log_usage.event_bytes + ${bytes}`)
}

/** Deletes the oldest events, in the order in which they came, until the limit holds again. */
async function makeRoom(transaction: Transaction, bytesMax: number): Promise<void> {
  for (let step = 0; step < ROOM_STEPS_MAX; step++) {
    const excess = await findUsedBytes(transaction) - bytesMax
    if (excess <= 0) return
    const oldest = await transaction.query<{ id: number, bytes: number }>(sql`select id, bytes from log_events order by id limit ${SWEEP_ROWS_MAX}`)
    const cut = oldestToDelete(oldest, excess)
    if (!cut) return
    await deleteEvents(transaction, sql`select id from log_events where id <= ${cut.id}`)
  }
}

/** Deletes the chosen events and takes their bytes off every count; resolves with their number. */
async function deleteEvents(transaction: Transaction, chosen: Sql): Promise<number> {
  const deleted = await transaction.query<{ group_id: number, stream_id: number, bytes: number }>(sql`
    delete from log_events where id in (${chosen}) returning group_id, stream_id, bytes`)
  if (deleted.length === 0) return 0
  const perGroup = new Map<number, number>()
  let total = 0
  for (const { group_id, bytes } of deleted) {
    perGroup.set(group_id, (perGroup.get(group_id) ?? 0) + bytes)
    total += bytes
  }
  for (const [groupId, bytes] of perGroup) await transaction.run(sql`update log_groups set event_bytes = event_bytes - ${bytes} where id = ${groupId}`)
  for (const streamId of new Set(deleted.map(({ stream_id }) => stream_id))) {
    await transaction.run(sql`
      update log_streams set first_event_at_ms = (select min(at_ms) from log_events where stream_id = ${streamId}) where id = ${streamId}`)
  }
  await transaction.run(sql`update log_usage set event_bytes = event_bytes - ${total} where id = 1`)
  return deleted.length
}
