// What keys have used of their quotas: GetUsage, and UpdateUsage for more in the current period.

import type * as sdk from '@aws-sdk/client-api-gateway'
import type { Caller, Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import type { ApiGateway } from './index.ts'
import { USAGE_DAYS_MAX } from './limits.ts'
import { findExtension, listUsage } from './meter-store.ts'
import { pageOf } from './pages.ts'
import { transactions } from './store.ts'
import { dateOf, dayOf, dayOfDate, periodStart, type Quota } from './usage-model.ts'
import { readPlan } from './usage-plans.ts'
import { isKeyOfPlan, listKeysOfPlan } from './usage-store.ts'

/**
 * For each key a list of `[used, remaining]`, one for each day. Requests that were handed out to a process and not used are not counted once they are
 * back: those of this process at once, those of others within seconds.
 * Source: API Gateway API reference, GetUsage. Ours: nothing is counted under a plan without a quota, so that it has no values.
 */
export async function getUsage(
  { usagePlanId, keyId, startDate, endDate, ...page }: Input<sdk.GetUsageRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Usage> {
  const { quota } = await readPlan(gateway, call, usagePlanId)
  const [from, to] = [dayOfDate(startDate), dayOfDate(endDate)]
  // Ours: the words of all three.
  if (from === undefined || to === undefined) throw errors.BadRequestException('Invalid date specified. Must be in the format YYYY-MM-DD')
  if (from > to) throw errors.BadRequestException('Invalid date range specified: startDate is after endDate')
  if (to - from >= USAGE_DAYS_MAX) throw errors.BadRequestException(`Invalid date range specified: more than ${USAGE_DAYS_MAX} days`)
  if (keyId !== undefined && !await isKeyOfPlan(gateway.database, usagePlanId, keyId)) throw missing.apiKey()
  await gateway.metering.settle(usagePlanId)
  const all = keyId === undefined ? (await listKeysOfPlan(gateway.database, usagePlanId)).map(({ key }) => key.id) : [keyId]
  const { items: keyIds, position } = pageOf(quota ? all : [], (id) => id, page)
  const items = await Promise.all(keyIds.map(async (id) => [id, await daysOf(gateway, { planId: usagePlanId, keyId: id }, quota!, from, to)] as const))
  return { usagePlanId, startDate, endDate, position, items: Object.fromEntries(items) }
}

/** Source: API Gateway API reference, "Patch operations", UpdateUsage: `replace` of `/remaining`. */
export async function updateUsage(
  { usagePlanId, keyId, patchOperations }: Input<sdk.UpdateUsageRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Usage> {
  const { database, clock, metering } = gateway
  const { quota } = await readPlan(gateway, call, usagePlanId)
  if (!await isKeyOfPlan(database, usagePlanId, keyId)) throw missing.apiKey()
  // Ours: the words.
  if (!quota) throw errors.BadRequestException(`Usage Plan ${usagePlanId} has no quota`)
  const day = dayOf(clock.now())
  for (const { op, path, value } of patchOperations ?? []) {
    if (op !== 'replace' || path !== '/remaining') {
      // Reported in boto3 issue 2504 (the empty list).
      throw errors.BadRequestException(`Invalid patch path  '${path ?? null}' specified for op '${op}'. Must be one of: [${op === 'replace' ? '/remaining' : ''}]`)
    }
    if (!/^\d{1,9}$/.test(value ?? '')) throw errors.BadRequestException(`Invalid value ${value} specified. Must be a number`)
    await metering.settle(usagePlanId)
    await database.transact(transactions.setRemaining, {
      planId: usagePlanId, keyId, day, periodStart: periodStart(quota, day), limit: quota.limit, left: Number(value),
    })
  }
  const date = dateOf(day)
  const days = await daysOf(gateway, { planId: usagePlanId, keyId }, quota, day, day)
  return { usagePlanId, startDate: date, endDate: date, items: { [keyId]: days } }
}

/** What was used on each day, and what was left of its period when it ended. An extension counts in its own period only. */
async function daysOf(
  { database }: Pick<ApiGateway, 'database'>, planKey: { planId: string, keyId: string }, quota: Quota, from: number, to: number,
): Promise<number[][]> {
  const first = periodStart(quota, from)
  const used = await listUsage(database, planKey, first, to)
  const days: number[][] = []
  let start = first
  let left = quota.limit + await findExtension(database, planKey, first)
  for (let day = first; day <= to; day++) {
    const began = periodStart(quota, day)
    if (began !== start) {
      start = began
      left = quota.limit + await findExtension(database, planKey, began)
    }
    left -= used.get(day) ?? 0
    if (day >= from) days.push([used.get(day) ?? 0, Math.max(0, left)])
  }
  return days
}
