// Follows the changes that other processes commit to the same PostgreSQL.

import type { Client } from 'pg'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { everythingChanged, type ChangeListeners } from './changes.ts'

/** Another process's change is heard within this time, even where notifications do not arrive. */
const POLL_MS = 500
/** A poll that takes longer has failed. */
const POLL_TIMEOUT_MS = 500
/** After this long without a poll that worked, changes may have been missed. */
const SILENCE_MS_MAX = 1000
const PRUNE_EVERY_MS = 60_000
/** Changes kept for processes that were away; one that was away for more drops everything. */
const CHANGES_KEPT = 10_000
/** Reading that many changes costs more than dropping everything. */
const CHANGES_READ_MAX = 5000

export interface FollowerOptions {
  /** A connection of its own, not yet connected. */
  connect: (queryTimeoutMs: number) => Client
  /** What the store's notifications come under. */
  channel: string
  /** The number that this process's own changes carry; they have been told already. */
  origin: number
  listeners: ChangeListeners
  clock: Clock
  log: Log | undefined
}

export interface Follower {
  stop(): Promise<void>
}

/** Follows from now on. Resolves once nothing that is committed later can be missed. */
export async function followChanges({ connect, channel, origin, listeners, clock, log }: FollowerOptions): Promise<Follower> {
  const stopping = new AbortController()
  let sleeping = new AbortController()
  let client: Client | undefined
  let position: number | undefined
  let heardAtMs = clock.monotonic()
  let toldAtMs = -Infinity
  let prunedAtMs = clock.monotonic()
  let isSilent = false

  async function open(): Promise<Client> {
    const opened = connect(POLL_TIMEOUT_MS)
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

  async function poll(): Promise<void> {
    client ??= await open()
    const { rows: [log] } = await client.query<{ pruned: number, latest: number }>(
      'select (select pruned_seq from countersign_change_horizon) as pruned, coalesce((select max(seq) from countersign_changes), 0) as latest',
    )
    const { pruned, latest } = log!
    if (position === undefined) position = Math.max(latest, pruned)
    else if (pruned > position || (latest < position && latest !== 0)) {
      position = latest
      listeners.tell(everythingChanged, '')
    } else if (latest > position) await readChanges(client)
    if (clock.monotonic() - prunedAtMs > PRUNE_EVERY_MS) {
      prunedAtMs = clock.monotonic()
      await prune(client)
    }
  }

  async function readChanges(from: Client): Promise<void> {
    const { rows } = await from.query<{ seq: number, topic: string, key: string, origin: number }>(
      `select seq, topic, key, origin from countersign_changes where seq > $1 order by seq limit ${CHANGES_READ_MAX}`, [position],
    )
    for (const change of rows) {
      if (change.origin !== origin) listeners.tell(change.topic, change.key)
      position = change.seq
    }
    if (rows.length === CHANGES_READ_MAX) sleeping.abort()
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
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
      await clock.sleep(POLL_MS, AbortSignal.any([stopping.signal, sleeping.signal]))
    }
    await client?.end().catch(() => {})
  }

  await poll()
  const ended = run()
  return {
    async stop() {
      stopping.abort()
      await ended
    },
  }
}

async function prune(client: Client): Promise<void> {
  await client.query(`
    with horizon as (
      update countersign_change_horizon set pruned_seq = greatest(pruned_seq, (select max(seq) from countersign_changes) - ${CHANGES_KEPT}) returning pruned_seq
    )
    delete from countersign_changes where seq <= (select pruned_seq from horizon)`)
}
