// Requests taken from limits in advance, so that most requests need no store: what is handed out here was charged there before.

import type { Clock } from '#lib/clock.ts'
import type { Database } from '#storage/database.ts'
import type { BucketId, PlanKeyId, QuotaCharge, UnspentTokens } from './meter-store.ts'
import { transactions } from './store.ts'
import { dayOf, periodStart, startOfDay, type Quota } from './usage-model.ts'

/** What a request is taken from. */
export type LimitSource =
  | { is: 'bucket', bucket: BucketId, rate: number, burst: number }
  | { is: 'quota', planKey: PlanKeyId, quota: Quota }

export interface Leases {
  /** Takes one request; false when the limit is reached. */
  take(source: LimitSource): Promise<boolean>
  /** Whether the next `take` is known to be refused without asking the store. */
  isRefused(source: LimitSource): boolean
  /** Undoes a `take` whose request was not admitted after all. */
  putBack(source: LimitSource): void
  /** Gives the store back what is left of a plan's quotas here. */
  settle(planId: string): Promise<void>
  /** Gives back all that is left. */
  close(): Promise<void>
}

interface Lease {
  source: LimitSource
  /** Under other terms a lease is not used: the limit was changed. */
  terms: string
  left: number
  /** How many were granted; a single one is on no record in the store that could be given back. */
  granted: number
  /** Of a quota: the day that it is charged to. */
  day: number
  takenAtMs: number
  usedAtMs: number
  untilMs: number
  refusedUntilMs: number
  want: number
  waiting: number
  renewing: Promise<void> | undefined
}

/** Tokens must be spent within this time, and what is not used for so long goes back. */
const LEASE_MS = 1_000
/** How long a used-up quota is not asked for again: another node may give something back. */
const REFUSED_MS = 1_000
/** Requests of one lease. A crash wastes at most so many of a limit. */
const LEASE_REQUESTS_MAX = 1_000
/** Limits in memory. The one used longest ago is forgotten first; what is left of it is wasted. */
const LEASES_MAX = 20_000

export function createLeases({ database, clock, holder, onFailure }: {
  database: Database
  clock: Clock
  /** Names this process among those that share the store. */
  holder: string
  onFailure: (error: unknown) => void
}): Leases {
  const leases = new Map<string, Lease>()
  const ending = new AbortController()
  let sweeping: Promise<void> | undefined

  database.onChange((change) => {
    if (change !== undefined && change.topic !== 'apigateway.usage' && change.topic !== 'apigateway.plan') return
    for (const lease of leases.values()) {
      if (change === undefined || concerns(lease.source, change.key)) lease.refusedUntilMs = 0
    }
  })

  function leaseOf(source: LimitSource): Lease {
    const name = nameOf(source)
    const terms = termsOf(source)
    const known = leases.get(name)
    if (known) {
      leases.delete(name)
      leases.set(name, known)
      if (known.terms !== terms) Object.assign(known, { terms, untilMs: 0, refusedUntilMs: 0 })
      known.source = source
      return known
    }
    const lease: Lease = {
      source, terms, left: 0, granted: 0, day: 0, takenAtMs: 0, usedAtMs: 0, untilMs: 0, refusedUntilMs: 0, want: 1, waiting: 0, renewing: undefined,
    }
    leases.set(name, lease)
    if (leases.size > LEASES_MAX) leases.delete(leases.keys().next().value!)
    return lease
  }

  async function take(source: LimitSource): Promise<boolean> {
    for (;;) {
      const lease = leaseOf(source)
      const now = clock.now()
      if (lease.left > 0 && now < lease.untilMs) {
        lease.left -= 1
        lease.usedAtMs = now
        return true
      }
      if (now < lease.refusedUntilMs) return false
      lease.waiting += 1
      try {
        await (lease.renewing ??= renew(lease).finally(() => { lease.renewing = undefined }))
      } finally {
        lease.waiting -= 1
      }
    }
  }

  async function renew(lease: Lease): Promise<void> {
    const now = clock.now()
    const unspent = lease.left
    lease.left = 0
    // What is used up at once was too little, what lay about was too much.
    const isBusy = unspent === 0 && now - lease.takenAtMs < LEASE_MS
    lease.want = isBusy ? Math.min(lease.want * 2, LEASE_REQUESTS_MAX) : Math.max(1, lease.granted - unspent)
    // Whoever calls in this very moment is counted too.
    await Promise.resolve()
    const want = Math.min(Math.max(lease.want, lease.waiting), LEASE_REQUESTS_MAX)
    const { source } = lease
    const renewed = source.is === 'bucket' ? await renewTokens(source, now, want, unspent) : await renewQuota(source, lease, now, want, unspent)
    Object.assign(lease, renewed, { left: renewed.granted, takenAtMs: now, usedAtMs: now })
    if (lease.left > 1) sweeping ??= sweep()
  }

  async function renewTokens({ bucket, rate, burst }: LimitSource & { is: 'bucket' }, now: number, want: number, unspent: number) {
    const untilMs = now + LEASE_MS
    const { granted, againAtMs } = await database.transact(transactions.takeTokens, { ...bucket, holder, rate, burst, nowMs: now, untilMs, want, unspent })
    // Nothing but time fills a bucket, so nothing is asked before.
    return { granted, untilMs, refusedUntilMs: granted > 0 ? 0 : againAtMs ?? Infinity }
  }

  async function renewQuota({ planKey, quota }: LimitSource & { is: 'quota' }, lease: Lease, now: number, want: number, unspent: number) {
    const day = dayOf(now)
    const untilMs = startOfDay(day + 1)
    const back = unspent > 0 ? { ...planKey, day: lease.day, count: unspent } : undefined
    const granted = await database.transact(transactions.takeQuota, {
      ...planKey, day, periodStart: periodStart(quota, day), limit: quota.limit, want, back,
    })
    return { granted, day, untilMs, refusedUntilMs: granted > 0 ? 0 : Math.min(now + REFUSED_MS, untilMs) }
  }

  /** Gives back what lies about, until nothing does. */
  async function sweep(): Promise<void> {
    while (!ending.signal.aborted) {
      await clock.sleep(LEASE_MS, ending.signal)
      const now = clock.now()
      const held = [...leases.values()].filter(({ left, granted }) => left > 0 && granted > 1)
      if (held.length === 0) {
        sweeping = undefined
        return
      }
      await giveBack(held.filter(({ usedAtMs, untilMs }) => now - usedAtMs >= LEASE_MS || now >= untilMs))
    }
  }

  async function giveBack(held: readonly Lease[]): Promise<void> {
    const quotas: QuotaCharge[] = []
    const tokens: UnspentTokens[] = []
    for (const lease of held) {
      const { source, left, day } = lease
      if (left === 0 || lease.renewing) continue
      lease.left = 0
      if (source.is === 'quota') quotas.push({ ...source.planKey, day, count: left })
      else if (lease.granted > 1) tokens.push({ ...source.bucket, holder, tokens: left })
    }
    if (quotas.length + tokens.length === 0) return
    try {
      await database.transact(transactions.giveBack, { quotas, tokens })
    } catch (error) {
      // They are wasted, as in a crash.
      onFailure(error)
    }
  }

  return {
    take,
    isRefused(source) {
      const lease = leaseOf(source)
      return lease.left === 0 && clock.now() < lease.refusedUntilMs
    },
    putBack(source) {
      const lease = leases.get(nameOf(source))
      // A single token is on no record: spent later, it would be one more than the bucket has.
      if (lease && lease.terms === termsOf(source) && (source.is === 'quota' || lease.granted > 1) && !lease.renewing) lease.left += 1
    },
    settle: (planId) => giveBack([...leases.values()].filter(({ source }) => source.is === 'quota' && source.planKey.planId === planId)),
    async close() {
      ending.abort()
      await sweeping
      await giveBack([...leases.values()])
    },
  }
}

function nameOf(source: LimitSource): string {
  return source.is === 'bucket' ? `bucket ${source.bucket.owner} ${source.bucket.name}` : `quota ${source.planKey.planId}/${source.planKey.keyId}`
}

function termsOf(source: LimitSource): string {
  return source.is === 'bucket' ? `${source.rate} ${source.burst}` : `${source.quota.limit} ${source.quota.period} ${source.quota.offset}`
}

/** Whether a change of a plan (`plan`) or of a key's usage (`plan/key`) concerns what is taken from. */
function concerns(source: LimitSource, changed: string): boolean {
  const planId = source.is === 'bucket' ? source.bucket.owner : source.planKey.planId
  return changed === planId || changed.startsWith(`${planId}/`)
}
