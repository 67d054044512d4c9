// Usage plans, and the keys that are in them.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { openKeyValue } from './api-key-values.ts'
import { checkTags } from './api-keys.ts'
import { refusing, withRetries, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import { newId } from './ids.ts'
import type { ApiGateway } from './index.ts'
import { USAGE_PLANS_PER_KEY_MAX, USAGE_PLANS_PER_REGION_MAX } from './limits.ts'
import { pageOf } from './pages.ts'
import { findStage, transactions } from './store.ts'
import type { PlanStage, UsagePlan } from './usage-model.ts'
import { checkQuota, checkRate, checkStages, noSuchStage, patchPlan, planName } from './usage-plan-rules.ts'
import { findKey, findPlan, isKeyOfPlan, listKeysOfPlan, listPlans, listPlansOfKey, type StoredKey } from './usage-store.ts'

export async function createUsagePlan(request: Input<sdk.CreateUsagePlanRequest>, call: Caller, gateway: ApiGateway): Promise<sdk.UsagePlan> {
  const { database, clock, random } = gateway
  const plan: UsagePlan = {
    ...call.scope,
    id: newId(random),
    name: planName(request.name),
    description: request.description || undefined,
    apiStages: checkStages(request.apiStages ?? []),
    throttle: request.throttle && checkRate(request.throttle),
    quota: request.quota && checkQuota(request.quota),
    tags: checkTags(request.tags ?? {}),
    createdAtMs: clock.now(),
  }
  const restStages = await requireStages(plan, gateway)
  await refusing(database.transact(transactions.insertPlan, { plan, plansMax: USAGE_PLANS_PER_REGION_MAX, restStages }))
  return describePlan(plan)
}

export async function getUsagePlan({ usagePlanId }: Input<sdk.GetUsagePlanRequest>, call: Caller, gateway: ApiGateway): Promise<sdk.UsagePlan> {
  return describePlan(await readPlan(gateway, call, usagePlanId))
}

export async function getUsagePlans(
  { keyId, ...page }: Input<sdk.GetUsagePlansRequest>, { scope }: Caller, { database }: ApiGateway,
): Promise<sdk.UsagePlans> {
  const plans = keyId ? await listPlansOfKey(database, scope, keyId) : await listPlans(database, scope)
  const { items, position } = pageOf(plans, ({ id, createdAtMs }) => `${String(createdAtMs).padStart(16, '0')}/${id}`, page)
  return { items: items.map(describePlan), position }
}

export async function updateUsagePlan(
  { usagePlanId, patchOperations }: Input<sdk.UpdateUsagePlanRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.UsagePlan> {
  return describePlan(await editPlan(gateway, call, usagePlanId, (plan) => patchPlan(plan, patchOperations)))
}

export async function deleteUsagePlan({ usagePlanId }: Input<sdk.DeleteUsagePlanRequest>, call: Caller, gateway: ApiGateway): Promise<void> {
  const { apiStages: [first] } = await readPlan(gateway, call, usagePlanId)
  // Reported in aws-sdk-js issue 3841.
  if (first) {
    throw errors.BadRequestException(
      `Cannot delete Usage Plan ${usagePlanId} because there are API Stages associated with it, including ${first.apiId}:${first.stage}`)
  }
  await refusing(gateway.database.transact(transactions.deletePlan, { ...call.scope, planId: usagePlanId }))
}

export async function createUsagePlanKey(
  { usagePlanId, keyId, keyType }: Input<sdk.CreateUsagePlanKeyRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.UsagePlanKey> {
  // Ours: the words.
  if (keyType !== 'API_KEY') throw errors.BadRequestException('Invalid keyType specified. Must be API_KEY')
  await readPlan(gateway, call, usagePlanId)
  const stored = await findKey(gateway.database, call.scope, keyId)
  if (!stored) throw missing.apiKey()
  await refusing(gateway.database.transact(transactions.insertPlanKey, {
    ...call.scope, planId: usagePlanId, keyId, plansMax: USAGE_PLANS_PER_KEY_MAX,
  }))
  return describePlanKey(stored, gateway)
}

/** Source: moto's test_usage_plan_keys (the two refusals). */
export async function getUsagePlanKey(
  { usagePlanId, keyId }: Input<sdk.GetUsagePlanKeyRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.UsagePlanKey> {
  const stored = await findKey(gateway.database, call.scope, keyId)
  if (!stored) throw missing.apiKey()
  await readPlan(gateway, call, usagePlanId)
  if (!await isKeyOfPlan(gateway.database, usagePlanId, keyId)) throw missing.usagePlan()
  return describePlanKey(stored, gateway)
}

export async function getUsagePlanKeys(
  { usagePlanId, nameQuery, ...page }: Input<sdk.GetUsagePlanKeysRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.UsagePlanKeys> {
  await readPlan(gateway, call, usagePlanId)
  const keys = (await listKeysOfPlan(gateway.database, usagePlanId)).filter(({ key }) => !nameQuery || key.name?.startsWith(nameQuery))
  const { items, position } = pageOf(keys, ({ key }) => key.id, page)
  return { items: items.map((stored) => describePlanKey(stored, gateway)), position }
}

export async function deleteUsagePlanKey(
  { usagePlanId, keyId }: Input<sdk.DeleteUsagePlanKeyRequest>, call: Caller, gateway: ApiGateway,
): Promise<void> {
  await readPlan(gateway, call, usagePlanId)
  if (!await gateway.database.transact(transactions.deletePlanKey, { planId: usagePlanId, keyId })) throw missing.apiKey()
}

/** The caller's plan. @throws NotFoundException. */
export async function readPlan({ database }: Pick<ApiGateway, 'database'>, { scope }: Caller, planId: string): Promise<UsagePlan> {
  const stored = await findPlan(database, scope, planId)
  if (!stored) throw missing.usagePlan()
  return stored.plan
}

/** Changes the caller's plan, again on its newer version when another call changed it in between. */
export function editPlan(gateway: ApiGateway, { scope }: Caller, planId: string, change: (plan: UsagePlan) => void): Promise<UsagePlan> {
  return withRetries(async () => {
    const stored = await findPlan(gateway.database, scope, planId)
    if (!stored) throw missing.usagePlan()
    const before = new Set(stored.plan.apiStages.map(stageName))
    change(stored.plan)
    const restStages = await requireStages({ ...stored.plan, apiStages: stored.plan.apiStages.filter((one) => !before.has(stageName(one))) }, gateway)
    await gateway.database.transact(transactions.updatePlan, { ...stored, restStages })
    return stored.plan
  })
}

const stageName = ({ apiId, stage }: PlanStage): string => `${apiId}:${stage}`

/**
 * Answers those of REST APIs: that they exist is checked here for the words, and in the store for good. Stages of WebSocket APIs are another service's.
 * Source: hashicorp/terraform-provider-aws issue 17130 (a plan with a WebSocket API's stage); API Gateway developer guide, "Choose between REST APIs
 * and HTTP APIs": HTTP APIs have no usage plans. Ours: their stages are refused as if they were not there. A WebSocket API's stage that is deleted in the
 * same moment may stay in the plan, where it lets nobody in.
 */
async function requireStages(
  { id, accountId, region, apiStages }: Pick<UsagePlan, 'id' | 'accountId' | 'region' | 'apiStages'>, { database, socketStages }: Pick<ApiGateway, 'database' | 'socketStages'>,
): Promise<PlanStage[]> {
  const restStages: PlanStage[] = []
  for (const one of apiStages) {
    const { apiId, stage } = one
    if (await findStage(database, { apiId, stageName: stage })) restStages.push(one)
    else if (!await socketStages?.exists({ accountId, region, apiId, stageName: stage })) throw noSuchStage({ apiId, stage }, id)
  }
  return restStages
}

function describePlan({ id, name, description, productCode, apiStages, throttle, quota, tags }: UsagePlan): sdk.UsagePlan {
  return {
    id, name, description, productCode, throttle, quota, apiStages,
    tags: Object.keys(tags).length > 0 ? tags : undefined,
  }
}

/** Observed: AWS, 27-07-2023, recorded by localstack's test_api_key_required_for_methods: the value comes back too. */
function describePlanKey(stored: StoredKey, { sealer }: Pick<ApiGateway, 'sealer'>): sdk.UsagePlanKey {
  return { id: stored.key.id, type: 'API_KEY', value: openKeyValue(stored, sealer), name: stored.key.name }
}
