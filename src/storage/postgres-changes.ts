// Follows the changes that other processes commit to the same PostgreSQL.

import type { Client, QueryConfig } from 'pg'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { everythingChanged, type ChangeListeners } from './changes.ts'

/** Another process's change is heard within this time, even where notifications do not arrive. */
const POLL_MS = 500
/** A poll that takes longer has failed, and so has a new attempt to connect. */
const POLL_TIMEOUT_MS = 500
/** The first connection may take longer: nothing is derived from the store yet. */
const FIRST_TIMEOUT_MS = 10_000
/** After this long without a poll that worked, changes may have been missed. */
const SILENCE_MS_MAX = 1000
const PRUNE_EVERY_MS = 60_000
/** Changes kept for processes that were away; one that was away for more drops everything. */
const CHANGES_KEPT = 10_000
const CHANGES_READ_MAX = 1000

const prune = `
  with horizon as (
    update countersign_change_horizon set pruned_seq = greatest(pruned_seq, (select max(seq) from countersign_changes) - ${CHANGES_KEPT}) returning pruned_seq
  )
  delete from countersign_changes where seq <= (select pruned_seq from horizon)`

export interface FollowerOptions {
  /** A connection of its own, not yet connected, with so much time to connect and for each statement. */
  connect: (timeoutMs: number) => Client
  /** What the store's notifications come under. */
  channel: string
  /** The number that this process's own changes carry; they have been told already. */
  origin: number
  listeners: ChangeListeners
  clock: Clock
  log: Log | undefined
}

export interface Follower {
  /** From now on this process's own changes are told again when they are read: a commit whose end it did not see may still come. */
  hearOwn(): void
  stop(): Promise<void>
}

/** Follows from now on. Resolves once nothing that is committed later can be missed. */
export async function followChanges({ connect, channel, origin, listeners, clock, log }: FollowerOptions): Promise<Follower> {
  let isStopping = false
  let hearsOwn = false
  let sleeping = new AbortController()
  let client: Client | undefined
  let position: number | undefined
  let heardAtMs = clock.monotonic()
  let toldAtMs = -Infinity
  let prunedAtMs = clock.monotonic()
  let isSilent = false

  async function open(): Promise<Client> {
    const opened = connect(patienceMs())
    opened.on('error', () => sleeping.abort())
    opened.on('notification', () => sleeping.abort())
    try {
      await opened.connect()
      await opened.query(`listen ${channel}`)
      return opened
    } catch (error) {
      void opened.end().catch(() => {})
      throw error
    }
  }

  function patienceMs(): number {
    return position === undefined ? FIRST_TIMEOUT_MS : POLL_TIMEOUT_MS
  }

  async function ask<R extends object>(on: Client, text: string, values: unknown[] = []): Promise<R[]> {
    const question: QueryConfig & { query_timeout: number } = { text, values, query_timeout: patienceMs() }
    return (await on.query<R>(question)).rows
  }

  async function poll(): Promise<void> {
    client ??= await open()
    const [found] = await ask<{ pruned: number, latest: number }>(client,
      'select (select pruned_seq from countersign_change_horizon) as pruned, coalesce((select max(seq) from countersign_changes), 0) as latest')
    const { pruned, latest } = found!
    const end = Math.max(pruned, latest)
    if (position === undefined) position = end
    else if (pruned > position || end < position) {
      // This process was away for longer than changes are kept, or the store is another.
      position = end
      listeners.tell(everythingChanged, '')
    } else if (latest > position) await readChanges(client)
    if (clock.monotonic() - prunedAtMs > PRUNE_EVERY_MS) {
      prunedAtMs = clock.monotonic()
      await ask(client, prune)
    }
  }

  async function readChanges(from: Client): Promise<void> {
    // The horizon in the same statement: another process may have pruned what was still to be read since the last one.
    const changes = await ask<{ seq: number, topic: string, key: string, origin: number, pruned: number }>(from,
      `select seq, topic, key, origin, (select pruned_seq from countersign_change_horizon) as pruned
      from countersign_changes where seq > $1 order by seq limit ${CHANGES_READ_MAX}`, [position])
    if (changes.length === 0 || changes[0]!.pruned > position!) listeners.tell(everythingChanged, '')
    for (const change of changes) {
      if (hearsOwn || change.origin !== origin) listeners.tell(change.topic, change.key)
      position = change.seq
    }
    if (changes.length === CHANGES_READ_MAX) sleeping.abort()
  }

  async function run(): Promise<void> {
    while (!isStopping) {
      sleeping = new AbortController()
      try {
        await poll()
        heardAtMs = clock.monotonic()
        if (isSilent) log?.info({ channel }, 'the changes of other processes are heard again')
        isSilent = false
      } catch (error) {
        void client?.end().catch(() => {})
        client = undefined
        const now = clock.monotonic()
        if (now - heardAtMs >= SILENCE_MS_MAX && now - toldAtMs >= SILENCE_MS_MAX) {
          toldAtMs = now
          if (!isSilent) log?.warn({ channel, because: (error as Error).message }, 'the changes of other processes are not heard; nothing derived is kept')
          isSilent = true
          listeners.tell(everythingChanged, '')
        }
        // The connection is known to be broken: neither its own error nor a notification may cut the pause short.
        sleeping = new AbortController()
      }
      if (!isStopping) await clock.sleep(POLL_MS, sleeping.signal)
    }
    await client?.end().catch(() => {})
  }

  await poll()
  const ended = run()
  return {
    hearOwn() { hearsOwn = true },
    async stop() {
      isStopping = true
      sleeping.abort()
      await ended
    },
  }
}
