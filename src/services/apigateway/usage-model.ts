// What API keys and usage plans are: their records, and the periods of a quota.

/** A key as lists and the data plane need it. Its value is kept apart, sealed. */
export interface ApiKeyRecord {
  id: string
  accountId: string
  region: string
  name?: string | undefined
  description?: string | undefined
  customerId?: string | undefined
  enabled: boolean
  tags: Record<string, string>
  createdAtMs: number
  lastUpdatedAtMs: number
}

export interface UsagePlan {
  id: string
  accountId: string
  region: string
  name: string
  description?: string | undefined
  productCode?: string | undefined
  apiStages: PlanStage[]
  throttle?: RateLimit | undefined
  quota?: Quota | undefined
  tags: Record<string, string>
  createdAtMs: number
}

export interface PlanStage {
  apiId: string
  stage: string
  /** `/pets/{petId}/GET` → what takes the place of the plan's throttle for that method. */
  throttle?: Record<string, RateLimit> | undefined
}

/** A token bucket. Source: API Gateway API reference, ThrottleSettings. What is absent is the account's limit (Ours). */
export interface RateLimit {
  /** Requests a second. */
  rateLimit?: number | undefined
  /** Requests at once: the size of the bucket. */
  burstLimit?: number | undefined
}

/** Source: API Gateway API reference, QuotaSettings. */
export interface Quota {
  /** Requests. */
  limit: number
  period: 'DAY' | 'WEEK' | 'MONTH'
  /** Days after Sunday, or after the first of the month, on which a period begins. */
  offset: number
}

const DAY_MS = 86_400_000

/** Days since 1970-01-01, UTC: usage is kept by day. */
export const dayOf = (atMs: number): number => Math.floor(atMs / DAY_MS)

/** The first millisecond of a day. */
export const startOfDay = (day: number): number => day * DAY_MS

/** `2026-11-21`. */
export const dateOf = (day: number): string => new Date(startOfDay(day)).toISOString().slice(0, 10)

/** The day of a date, or undefined for what is none. */
export function dayOfDate(date: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return undefined
  const atMs = Date.parse(`${date}T00:00:00Z`)
  return Number.isNaN(atMs) || dateOf(dayOf(atMs)) !== date ? undefined : dayOf(atMs)
}

/**
 * The day on which the quota's period began that `day` is in.
 * Source: CloudFormation user guide, AWS::ApiGateway::UsagePlan QuotaSettings, `Offset`: the day that a period starts, of a week from Sunday on.
 */
export function periodStart({ period, offset }: Pick<Quota, 'period' | 'offset'>, day: number): number {
  if (period === 'DAY') return day
  const date = new Date(startOfDay(day))
  if (period === 'WEEK') return day - (date.getUTCDay() - offset + 7) % 7
  const dayOfMonth = date.getUTCDate()
  if (dayOfMonth > offset) return day - (dayOfMonth - 1 - offset)
  return dayOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - 1, 1 + offset))
}
