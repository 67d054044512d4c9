// SQL of events: accepted, leased by the process that runs them, given up; and how each function's events are to be treated.

import { Conflict, defineTransactions, sql, type Reader, type Row, type Transaction } from '#storage/database.ts'
import type { FunctionKey } from '../function-rows.ts'
import { queueOf, type EventInvokeConfig, type GivenUpEvent, type QueuedEvent } from './model.ts'

export type EventConflict = 'event exists' | 'event missing' | 'config missing'

/** An event with the bytes that the function gets. */
export interface Stored<Event> {
  event: Event
  payload: Uint8Array
}

/** When an event runs, or until when the process of this lease runs it. */
export interface Turn {
  dueAtMs: number
  /** Empty when nobody does. */
  lease: string
}

export interface DueQueue {
  queue: string
  dueAtMs: number
}

/** Every function that has events, with the time of the one that is due first. One index lookup for each function. */
export async function listQueues(db: Reader): Promise<DueQueue[]> {
  const rows = await db.query<{ queue: string, due_at_ms: number }>(sql`
    with recursive queues (queue) as (
      select min(queue) from lambda_events
      union all
      select (select min(lambda_events.queue) from lambda_events where lambda_events.queue > queues.queue) from queues where queues.queue is not null
    )
    select queue, (select min(due_at_ms) from lambda_events where lambda_events.queue = queues.queue) as due_at_ms from queues where queue is not null`)
  return rows.map((row) => ({ queue: row.queue, dueAtMs: row.due_at_ms }))
}

export async function countEvents(db: Reader): Promise<Map<string, number>> {
  const rows = await db.query<{ queue: string, events: number }>(sql`select queue, count(*) as events from lambda_events group by queue`)
  return new Map(rows.map(({ queue, events }) => [queue, Number(events)]))
}

export interface ListedEvent {
  event: QueuedEvent | GivenUpEvent
  turn: Turn | undefined
}

/** An account's events that wait or run, those first that were accepted last. */
export async function listWaiting(db: Reader, { accountId, limit }: { accountId: string, limit: number }): Promise<ListedEvent[]> {
  const rows = await db.query(sql`
    select id, due_at_ms, lease, record from lambda_events where queue >= ${`${accountId}/`} and queue < ${`${accountId}0`}
    order by accepted_at_ms desc, id limit ${limit}`)
  return rows.map((row) => ({ event: recordOf<QueuedEvent>(row), turn: turnOf(row) }))
}

/** An account's events that were given up, the latest first. */
export async function listGivenUp(db: Reader, { accountId, limit }: { accountId: string, limit: number }): Promise<ListedEvent[]> {
  const rows = await db.query(sql`
    select id, record from lambda_given_up_events where account_id = ${accountId} order by given_up_at_ms desc, id limit ${limit}`)
  return rows.map((row) => ({ event: recordOf<GivenUpEvent>(row), turn: undefined }))
}

export async function findEvent(db: Reader, id: string): Promise<(ListedEvent & { payload: Uint8Array }) | undefined> {
  const [waiting] = await db.query(sql`select * from lambda_events where id = ${id}`)
  if (waiting) return { event: recordOf<QueuedEvent>(waiting), turn: turnOf(waiting), payload: waiting['payload'] as Uint8Array }
  const [row] = await db.query(sql`select * from lambda_given_up_events where id = ${id}`)
  return row && { event: recordOf<GivenUpEvent>(row), turn: undefined, payload: row['payload'] as Uint8Array }
}

/** `qualifier` is `$LATEST`, a version or an alias. */
export async function findConfig(db: Reader, { accountId, region, name }: FunctionKey, qualifier: string): Promise<EventInvokeConfig | undefined> {
  const [row] = await db.query(sql`
    select record from lambda_event_invoke_configs
    where account_id = ${accountId} and region = ${region} and name = ${name} and qualifier = ${qualifier}`)
  return row && JSON.parse(row['record'] as string) as EventInvokeConfig
}

export async function listConfigs(
  db: Reader, { accountId, region, name, after, limit }: FunctionKey & { after: string, limit: number },
): Promise<{ qualifier: string, config: EventInvokeConfig }[]> {
  const rows = await db.query(sql`
    select qualifier, record from lambda_event_invoke_configs
    where account_id = ${accountId} and region = ${region} and name = ${name} and qualifier > ${after} order by qualifier limit ${limit}`)
  return rows.map((row) => ({ qualifier: row['qualifier'] as string, config: JSON.parse(row['record'] as string) as EventInvokeConfig }))
}

/** With a function, its settings go; with a version or an alias, its own. To be called in the transaction that deletes it. */
export async function deleteConfigsOf(tx: Transaction, { accountId, region, name }: FunctionKey, qualifier?: string): Promise<void> {
  const ofQualifier = qualifier === undefined ? sql`` : sql`and qualifier = ${qualifier}`
  await tx.run(sql`delete from lambda_event_invoke_configs where account_id = ${accountId} and region = ${region} and name = ${name} ${ofQualifier}`)
}

/** One event done with: by whom, and the events for other functions that come of it. */
interface Ending {
  id: string
  lease: string
  deliveries: readonly Stored<QueuedEvent>[]
}

export const transactions = defineTransactions('lambda-events', {
  /** Conflicts: `event exists`. */
  async accept(tx, { event, payload, dueAtMs, lease }: Stored<QueuedEvent> & Turn): Promise<void> {
    await insertEvent(tx, { event, payload, dueAtMs, lease })
  },

  /** Leases events that are due, of each queue at most so many, the oldest first; never those that this process runs already. */
  async claim(tx, { queues, nowMs, untilMs, lease }: { queues: readonly { queue: string, limit: number }[], nowMs: number, untilMs: number, lease: string }): Promise<Stored<QueuedEvent>[]> {
    const claimed: Stored<QueuedEvent>[] = []
    for (const { queue, limit } of queues) {
      const rows = await tx.query(sql`
        update lambda_events set lease = ${lease}, due_at_ms = ${untilMs} where id in (
          select id from lambda_events where queue = ${queue} and due_at_ms <= ${nowMs} and lease <> ${lease} order by due_at_ms limit ${limit} /* skip locked */
        ) returning id, record, payload`)
      for (const row of rows) claimed.push({ event: recordOf<QueuedEvent>(row), payload: row['payload'] as Uint8Array })
    }
    return claimed
  },

  async renew(tx, { ids, lease, untilMs }: { ids: readonly string[], lease: string, untilMs: number }): Promise<void> {
    for (const id of ids) await tx.run(sql`update lambda_events set due_at_ms = ${untilMs} where id = ${id} and lease = ${lease}`)
  },

  /** Lets go of an event. Whether it was still this process's. */
  async putBack(tx, { event, dueAtMs, lease }: { event: QueuedEvent, dueAtMs: number, lease: string }): Promise<boolean> {
    return await tx.run(sql`
      update lambda_events set lease = '', due_at_ms = ${dueAtMs}, record = ${plainOf(event)} where id = ${event.id} and lease = ${lease}`) > 0
  },

  /** The leases of a process that is no more, or of all when only one process can use the store. */
  async releaseAll(tx, { dueAtMs }: { dueAtMs: number }): Promise<void> {
    await tx.run(sql`update lambda_events set lease = '', due_at_ms = ${dueAtMs} where lease <> ''`)
  },

  /** The function has answered. Whether the event was still this process's; otherwise nothing happens. */
  async complete(tx, ending: Ending): Promise<boolean> {
    return endEvent(tx, ending)
  },

  async giveUp(tx, { event, payload, ...ending }: Ending & Stored<GivenUpEvent>): Promise<boolean> {
    if (!await endEvent(tx, ending)) return false
    await tx.run(sql`
      insert into lambda_given_up_events (id, account_id, given_up_at_ms, record, payload)
      values (${event.id}, ${event.accountId}, ${event.givenUpAtMs}, ${plainOf(event)}, ${payload})
      on conflict (id) do update set given_up_at_ms = excluded.given_up_at_ms, record = excluded.record`)
    return true
  },

  /** An event that was given up gets its attempts again, as if it had come now. Conflicts: `event missing`. */
  async retry(tx, { id, accountId, nowMs }: { id: string, accountId: string, nowMs: number }): Promise<QueuedEvent> {
    const [row] = await tx.query(sql`delete from lambda_given_up_events where id = ${id} and account_id = ${accountId} returning id, record, payload`)
    if (!row) throw conflict('event missing')
    const { givenUpAtMs: _at, condition: _why, undelivered: _to, ...given } = recordOf<GivenUpEvent>(row)
    const event: QueuedEvent = { ...given, acceptedAtMs: nowMs, attempts: 0, refusals: 0 }
    await insertEvent(tx, { event, payload: row['payload'] as Uint8Array, dueAtMs: nowMs, lease: '' })
    return event
  },

  /** Forgets what was given up before then, and what was given up before the last so many. Resolves with how many were forgotten. */
  async prune(tx, { beforeMs, keptMax, limit }: { beforeMs: number, keptMax: number, limit: number }): Promise<number> {
    return tx.run(sql`
      delete from lambda_given_up_events where id in (
        select id from lambda_given_up_events where given_up_at_ms < ${beforeMs}
          or given_up_at_ms < coalesce((select given_up_at_ms from lambda_given_up_events order by given_up_at_ms desc limit 1 offset ${keptMax - 1}), 0)
        limit ${limit})`)
  },

  /** Replaces what there was. */
  async putConfig(tx, { key, qualifier, config }: { key: FunctionKey, qualifier: string, config: EventInvokeConfig }): Promise<void> {
    await tx.run(sql`
      insert into lambda_event_invoke_configs (account_id, region, name, qualifier, record)
      values (${key.accountId}, ${key.region}, ${key.name}, ${qualifier}, ${JSON.stringify(config)})
      on conflict (account_id, region, name, qualifier) do update set record = excluded.record`)
  },

  /** Changes the members that are given. Conflicts: `config missing`. */
  async updateConfig(tx, { key, qualifier, change }: { key: FunctionKey, qualifier: string, change: EventInvokeConfig }): Promise<EventInvokeConfig> {
    const config = await findConfig(tx, key, qualifier)
    if (!config) throw conflict('config missing')
    const next = { ...config, ...change }
    await tx.run(sql`
      update lambda_event_invoke_configs set record = ${JSON.stringify(next)}
      where account_id = ${key.accountId} and region = ${key.region} and name = ${key.name} and qualifier = ${qualifier}`)
    return next
  },

  /** Conflicts: `config missing`. */
  async deleteConfig(tx, { key, qualifier }: { key: FunctionKey, qualifier: string }): Promise<void> {
    if (!await findConfig(tx, key, qualifier)) throw conflict('config missing')
    await deleteConfigsOf(tx, key, qualifier)
  },
})

async function insertEvent(tx: Transaction, { event, payload, dueAtMs, lease }: Stored<QueuedEvent> & Turn): Promise<void> {
  const inserted = await tx.run(sql`
    insert into lambda_events (id, queue, due_at_ms, lease, accepted_at_ms, record, payload)
    values (${event.id}, ${queueOf(event)}, ${dueAtMs}, ${lease}, ${event.acceptedAtMs}, ${plainOf(event)}, ${payload}) on conflict do nothing`)
  if (inserted === 0) throw conflict('event exists')
}

async function endEvent(tx: Transaction, { id, lease, deliveries }: Ending): Promise<boolean> {
  if (await tx.run(sql`delete from lambda_events where id = ${id} and lease = ${lease}`) === 0) return false
  for (const { event, payload } of deliveries) await insertEvent(tx, { event, payload, dueAtMs: event.acceptedAtMs, lease: '' })
  return true
}

function conflict(reason: EventConflict): Conflict {
  return new Conflict(reason)
}

/** Without the id, which has a column. */
function plainOf({ id: _, ...rest }: QueuedEvent | GivenUpEvent): string {
  return JSON.stringify(rest)
}

function recordOf<Event extends QueuedEvent>(row: Row): Event {
  return { id: row['id'] as string, ...JSON.parse(row['record'] as string) as object } as Event
}

function turnOf(row: Row): Turn {
  return { dueAtMs: row['due_at_ms'] as number, lease: row['lease'] as string }
}
