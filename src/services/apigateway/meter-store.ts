// SQL of what requests take from limits: days of usage, extensions of quotas, and token buckets. Whatever is handed out is charged here first.

import { defineTransactions, sql, type Reader, type Transaction } from '#storage/database.ts'
import { USAGE_DAYS_MAX } from './limits.ts'
import { isKeyOfPlan } from './usage-store.ts'

/** A key in a plan. */
export interface PlanKeyId { planId: string, keyId: string }

/** A token bucket: `owner` is what it ends with (a plan, or `api/stage`). */
export interface BucketId { owner: string, name: string }

interface BucketState {
  tokens: number
  atMs: number
  /** Tokens handed out that may not be spent yet, by holder. They count as if they were in the bucket, which therefore never refills above its size. */
  leases: Record<string, { tokens: number, untilMs: number }>
}

/** Of what is left, one lease may take this part, so that leases shrink to one as a limit comes near. */
const LEASE_PART = 1 / 10
/** A bucket whose last use lies this far in the future was used under a wrong clock. */
const CLOCK_AHEAD_MS_MAX = 60_000

const EPSILON = 1e-9

/** Used requests by day, of the days asked for. */
export async function listUsage(db: Reader, { planId, keyId }: PlanKeyId, from: number, to: number): Promise<Map<number, number>> {
  const rows = await db.query(sql`
    select day, used from apigateway_usage where plan_id = ${planId} and key_id = ${keyId} and day >= ${from} and day <= ${to}`)
  return new Map(rows.map((row) => [Number(row['day']), Number(row['used'])]))
}

/** Requests by which the period's quota was extended (or, when negative, cut) by UpdateUsage. */
export async function findExtension(db: Reader, { planId, keyId }: PlanKeyId, periodStart: number): Promise<number> {
  const [row] = await db.query(sql`
    select extra from apigateway_extensions where plan_id = ${planId} and key_id = ${keyId} and period_start = ${periodStart}`)
  return row ? Number(row['extra']) : 0
}

export interface QuotaCharge extends PlanKeyId {
  day: number
  count: number
}

export interface UnspentTokens extends BucketId {
  holder: string
  tokens: number
}

export const meterTransactions = defineTransactions('apigateway', {
  /** Charges up to `want` requests to a key's day; answers how many, which is 0 when the period's quota is used up or the key is in the plan no more. */
  async takeQuota(tx, { planId, keyId, day, periodStart, limit, want, back }: PlanKeyId & {
    day: number, periodStart: number, limit: number, want: number, back: QuotaCharge | undefined
  }): Promise<number> {
    if (back) await giveBackQuota(tx, back)
    if (!await isKeyOfPlan(tx, planId, keyId)) return 0
    const left = await remaining(tx, { planId, keyId, day, periodStart, limit })
    const granted = leaseOf(left, want)
    if (granted > 0) {
      await charge(tx, { planId, keyId, day, count: granted })
      await tx.run(sql`delete from apigateway_usage where plan_id = ${planId} and key_id = ${keyId} and day < ${day - USAGE_DAYS_MAX}`)
    }
    return granted
  },

  /**
   * Takes up to `want` tokens; they are to be spent before `untilMs`. Answers how many, and when there is one again if there is none.
   * A lease of more than one token stays on record until it ends, because it was taken but need not be spent yet.
   */
  async takeTokens(tx, { owner, name, holder, rate, burst, nowMs, untilMs, want, unspent }: BucketId & {
    holder: string, rate: number, burst: number, nowMs: number, untilMs: number, want: number, unspent: number
  }): Promise<{ granted: number, againAtMs: number | undefined }> {
    const state = await refilled(tx, { owner, name }, { rate, burst, nowMs, holder })
    endLease(state, holder, unspent, burst)
    const granted = leaseOf(Math.floor(state.tokens + EPSILON), want)
    state.tokens = Math.max(0, state.tokens - granted)
    if (granted > 1) state.leases[holder] = { tokens: granted, untilMs }
    await tx.run(sql`insert into apigateway_buckets (owner, name, state) values (${owner}, ${name}, ${JSON.stringify(state)})
      on conflict (owner, name) do update set state = excluded.state`)
    if (granted > 0) return { granted, againAtMs: undefined }
    const isRefilling = rate > 0 && burst >= 1
    return { granted, againAtMs: isRefilling ? state.atMs + Math.ceil((1 - state.tokens) / rate * 1000) : undefined }
  },

  /** What was taken and not spent. */
  async giveBack(tx, { quotas, tokens }: { quotas: QuotaCharge[], tokens: UnspentTokens[] }): Promise<void> {
    for (const one of quotas) await giveBackQuota(tx, one)
    for (const { owner, name, holder, tokens: unspent } of tokens) {
      const state = await findState(tx, { owner, name })
      if (!state?.leases[holder]) continue
      endLease(state, holder, unspent, Infinity)
      await tx.run(sql`update apigateway_buckets set state = ${JSON.stringify(state)} where owner = ${owner} and name = ${name}`)
    }
  },

  /** Extends or cuts the period's quota so that `left` requests remain. */
  async setRemaining(tx, { planId, keyId, day, periodStart, limit, left }: PlanKeyId & {
    day: number, periodStart: number, limit: number, left: number
  }): Promise<void> {
    const extra = left - (limit - await usedSince(tx, { planId, keyId }, periodStart, day))
    await tx.run(sql`insert into apigateway_extensions (plan_id, key_id, period_start, extra) values (${planId}, ${keyId}, ${periodStart}, ${extra})
      on conflict (plan_id, key_id) do update set period_start = excluded.period_start, extra = excluded.extra`)
    await tx.changed('apigateway.usage', `${planId}/${keyId}`)
  },
})

function leaseOf(left: number, want: number): number {
  return left <= 0 ? 0 : Math.min(left, want, Math.max(1, Math.floor(left * LEASE_PART)))
}

async function remaining(
  tx: Transaction, { planId, keyId, day, periodStart, limit }: PlanKeyId & { day: number, periodStart: number, limit: number },
): Promise<number> {
  return limit + await findExtension(tx, { planId, keyId }, periodStart) - await usedSince(tx, { planId, keyId }, periodStart, day)
}

async function usedSince(tx: Transaction, { planId, keyId }: PlanKeyId, from: number, to: number): Promise<number> {
  const [row] = await tx.query(sql`
    select sum(used) as used from apigateway_usage where plan_id = ${planId} and key_id = ${keyId} and day >= ${from} and day <= ${to}`)
  return Number(row?.['used'] ?? 0)
}

async function charge(tx: Transaction, { planId, keyId, day, count }: QuotaCharge): Promise<void> {
  await tx.run(sql`insert into apigateway_usage (plan_id, key_id, day, used) values (${planId}, ${keyId}, ${day}, ${count})
    on conflict (plan_id, key_id, day) do update set used = apigateway_usage.used + excluded.used`)
}

async function giveBackQuota(tx: Transaction, { planId, keyId, day, count }: QuotaCharge): Promise<void> {
  await tx.run(sql`update apigateway_usage set used = used - ${count} where plan_id = ${planId} and key_id = ${keyId} and day = ${day}`)
}

async function findState(tx: Transaction, { owner, name }: BucketId): Promise<BucketState | undefined> {
  const [row] = await tx.query(sql`select state from apigateway_buckets where owner = ${owner} and name = ${name}`)
  return row && JSON.parse(row['state'] as string) as BucketState
}

/** The bucket as it is now. A new one is full. */
async function refilled(
  tx: Transaction, bucket: BucketId, { rate, burst, nowMs, holder }: { rate: number, burst: number, nowMs: number, holder: string },
): Promise<BucketState> {
  const state = await findState(tx, bucket) ?? { tokens: burst, atMs: nowMs, leases: {} }
  // Clocks of several nodes differ a little, and a clock that was set back must not keep a bucket empty.
  const fromMs = state.atMs > nowMs + CLOCK_AHEAD_MS_MAX ? nowMs : state.atMs
  const toMs = Math.max(fromMs, nowMs)
  const outstanding = Object.values(state.leases).reduce((sum, { tokens }) => sum + tokens, 0)
  const tokens = Math.max(0, Math.min(burst - outstanding, state.tokens + (toMs - fromMs) * rate / 1000))
  // Of a holder that has crashed nothing comes back; the one that asks knows what it did not spend.
  const leases = Object.fromEntries(Object.entries(state.leases).filter(([name, { untilMs }]) => untilMs > toMs || name === holder))
  return { tokens, atMs: toMs, leases }
}

/** A holder's lease ends, and what it did not spend is in the bucket again; nothing is when its record ended before. */
function endLease(state: BucketState, holder: string, unspent: number, burst: number): void {
  const lease = state.leases[holder]
  if (!lease) return
  delete state.leases[holder]
  const others = Object.values(state.leases).reduce((sum, { tokens }) => sum + tokens, 0)
  state.tokens = Math.max(0, Math.min(burst - others, state.tokens + Math.min(unspent, lease.tokens)))
}
