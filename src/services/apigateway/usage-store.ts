// SQL of API keys, usage plans, and which key is in which plan.

import { Conflict, defineTransactions, sql, type Reader, type Row, type Transaction } from '#storage/database.ts'
import type { Scope } from '#aws/arn.ts'
import type { ApiKeyRecord, PlanStage, UsagePlan } from './usage-model.ts'

export interface StoredKey {
  key: ApiKeyRecord
  fingerprint: string
  /** The value, sealed for this key. */
  sealedValue: string
  revision: number
}
export interface StoredPlan { plan: UsagePlan, revision: number }

export async function findKey(db: Reader, { accountId, region }: Scope, id: string): Promise<StoredKey | undefined> {
  const [row] = await db.query(sql`select * from apigateway_keys where account_id = ${accountId} and region = ${region} and id = ${id}`)
  return row && keyOf(row)
}

export async function findKeyByFingerprint(db: Reader, { accountId, region }: Scope, fingerprint: string): Promise<StoredKey | undefined> {
  const [row] = await db.query(sql`
    select * from apigateway_keys where account_id = ${accountId} and region = ${region} and fingerprint = ${fingerprint}`)
  return row && keyOf(row)
}

/** An account's keys in the order of their making; never more than API_KEYS_PER_REGION_MAX. */
export async function listKeys(db: Reader, { accountId, region }: Scope): Promise<StoredKey[]> {
  const rows = await db.query(sql`
    select * from apigateway_keys where account_id = ${accountId} and region = ${region} order by created_at_ms, id`)
  return rows.map(keyOf)
}

export async function findPlan(db: Reader, { accountId, region }: Scope, id: string): Promise<StoredPlan | undefined> {
  const [row] = await db.query(sql`select * from apigateway_plans where id = ${id} and account_id = ${accountId} and region = ${region}`)
  return row && planOf(row)
}

/** An account's plans by id; never more than USAGE_PLANS_PER_REGION_MAX. */
export async function listPlans(db: Reader, { accountId, region }: Scope): Promise<UsagePlan[]> {
  const rows = await db.query(sql`select * from apigateway_plans where account_id = ${accountId} and region = ${region} order by id`)
  return rows.map((row) => planOf(row).plan)
}

/** The plans that a key is in; never more than USAGE_PLANS_PER_KEY_MAX. */
export async function listPlansOfKey(db: Reader, { accountId, region }: Scope, keyId: string): Promise<UsagePlan[]> {
  const rows = await db.query(sql`
    select p.* from apigateway_plan_keys k join apigateway_plans p on p.id = k.plan_id
    where k.account_id = ${accountId} and k.region = ${region} and k.key_id = ${keyId} order by p.id`)
  return rows.map((row) => planOf(row).plan)
}

/** The keys of a plan by id; never more than API_KEYS_PER_REGION_MAX. */
export async function listKeysOfPlan(db: Reader, planId: string): Promise<StoredKey[]> {
  const rows = await db.query(sql`
    select a.* from apigateway_plan_keys k
    join apigateway_keys a on a.account_id = k.account_id and a.region = k.region and a.id = k.key_id
    where k.plan_id = ${planId} order by a.id`)
  return rows.map(keyOf)
}

export async function isKeyOfPlan(db: Reader, planId: string, keyId: string): Promise<boolean> {
  return (await db.query(sql`select key_id from apigateway_plan_keys where plan_id = ${planId} and key_id = ${keyId}`)).length > 0
}

export type UsageConflict =
  | 'limit' | 'revision' | 'key exists' | 'key missing' | 'plan missing' | 'plan key exists' | 'stage in two plans' | 'stage missing' | 'plan has stages'

interface PlanKey extends Scope { planId: string, keyId: string }

export const usageTransactions = defineTransactions('apigateway', {
  /**
   * Stores new keys, or the newer version of keys whose value is known when `overwrites`; all or none. Answers the ids under which they are now.
   * Conflicts: `limit`, `key exists`, and those of `insertPlanKey`.
   */
  async insertKeys(tx, { keys, keysMax, overwrites, plansMax }: {
    keys: (Omit<StoredKey, 'revision'> & { planIds: string[] })[], keysMax: number, overwrites: boolean, plansMax: number
  }): Promise<string[]> {
    const ids: string[] = []
    for (const { key, fingerprint, sealedValue, planIds } of keys) {
      const { accountId, region, createdAtMs } = key
      const known = await findKeyByFingerprint(tx, key, fingerprint)
      if (known && !overwrites) throw conflict('key exists')
      const id = known?.key.id ?? key.id
      if (known) {
        const { name, description, enabled, lastUpdatedAtMs } = key
        const record: ApiKeyRecord = { ...known.key, name, description, enabled, lastUpdatedAtMs }
        await tx.run(sql`update apigateway_keys set record = ${JSON.stringify(record)}, revision = revision + 1
          where account_id = ${accountId} and region = ${region} and id = ${id}`)
      } else {
        const [row] = await tx.query(sql`select count(*) as n from apigateway_keys where account_id = ${accountId} and region = ${region}`)
        if (Number(row!['n']) >= keysMax) throw conflict('limit')
        await tx.run(sql`insert into apigateway_keys (account_id, region, id, fingerprint, sealed_value, created_at_ms, revision, record)
          values (${accountId}, ${region}, ${id}, ${fingerprint}, ${sealedValue}, ${createdAtMs}, 1, ${JSON.stringify(key)})`)
      }
      await tx.changed('apigateway.key', cacheKey(key, fingerprint))
      for (const planId of planIds) {
        if (!await isKeyOfPlan(tx, planId, id)) await addToPlan(tx, { planId, keyId: id, accountId, region }, plansMax)
      }
      ids.push(id)
    }
    return ids
  },

  /** Conflicts: `revision` when another call changed the key since it was read. */
  async updateKey(tx, { key, fingerprint, revision }: Omit<StoredKey, 'sealedValue'>): Promise<void> {
    const changed = await tx.run(sql`
      update apigateway_keys set record = ${JSON.stringify(key)}, revision = revision + 1
      where account_id = ${key.accountId} and region = ${key.region} and id = ${key.id} and revision = ${revision}`)
    if (changed === 0) throw conflict('revision')
    await tx.changed('apigateway.key', cacheKey(key, fingerprint))
  },

  /** Deletes the key and takes it out of its plans; says whether there was one. */
  async deleteKey(tx, { accountId, region, keyId }: Scope & { keyId: string }): Promise<boolean> {
    const stored = await findKey(tx, { accountId, region }, keyId)
    if (!stored) return false
    for (const plan of await listPlansOfKey(tx, { accountId, region }, keyId)) {
      await removeFromPlan(tx, plan.id, keyId)
      await tx.run(sql`delete from apigateway_usage where plan_id = ${plan.id} and key_id = ${keyId}`)
      await tx.run(sql`delete from apigateway_extensions where plan_id = ${plan.id} and key_id = ${keyId}`)
    }
    await tx.run(sql`delete from apigateway_keys where account_id = ${accountId} and region = ${region} and id = ${keyId}`)
    await tx.changed('apigateway.key', cacheKey(stored.key, stored.fingerprint))
    return true
  },

  /** `restStages` must be there: those of the plan that are REST APIs'. Conflicts: `limit`, `stage missing`. */
  async insertPlan(tx, { plan, plansMax, restStages }: { plan: UsagePlan, plansMax: number, restStages: PlanStage[] }): Promise<void> {
    const { id, accountId, region } = plan
    const [row] = await tx.query(sql`select count(*) as n from apigateway_plans where account_id = ${accountId} and region = ${region}`)
    if (Number(row!['n']) >= plansMax) throw conflict('limit')
    await tx.run(sql`insert into apigateway_plans (id, account_id, region, revision, record)
      values (${id}, ${accountId}, ${region}, 1, ${JSON.stringify(plan)})`)
    await requireStages(tx, plan, restStages)
    await setStages(tx, plan)
    await tx.changed('apigateway.plan', id)
  },

  /**
   * `restStages` must be there: REST APIs' that the plan did not have.
   * Conflicts: `revision`, `stage missing`, `stage in two plans` when one of the plan's keys has another plan for one of its stages.
   */
  async updatePlan(tx, { plan, revision, restStages }: StoredPlan & { restStages: PlanStage[] }): Promise<void> {
    const changed = await tx.run(sql`
      update apigateway_plans set record = ${JSON.stringify(plan)}, revision = revision + 1 where id = ${plan.id} and revision = ${revision}`)
    if (changed === 0) throw conflict('revision')
    await requireStages(tx, plan, restStages)
    await setStages(tx, plan)
    const twice = await tx.query(sql`
      select k.key_id from apigateway_plan_keys k
      join apigateway_plan_stages s on s.plan_id = k.plan_id
      join apigateway_plan_stages o on o.api_id = s.api_id and o.stage = s.stage and o.plan_id <> s.plan_id
      join apigateway_plan_keys j on j.plan_id = o.plan_id and j.key_id = k.key_id
      where k.plan_id = ${plan.id} limit 1`)
    if (twice.length > 0) throw conflict('stage in two plans')
    await tx.changed('apigateway.plan', plan.id)
  },

  /** Conflicts: `plan missing`, `plan has stages`. */
  async deletePlan(tx, { accountId, region, planId }: Scope & { planId: string }): Promise<void> {
    const stored = await findPlan(tx, { accountId, region }, planId)
    if (!stored) throw conflict('plan missing')
    if (stored.plan.apiStages.length > 0) throw conflict('plan has stages')
    await tx.run(sql`delete from apigateway_plans where id = ${planId}`)
    await tx.run(sql`delete from apigateway_plan_keys where plan_id = ${planId}`)
    await tx.run(sql`delete from apigateway_usage where plan_id = ${planId}`)
    await tx.run(sql`delete from apigateway_extensions where plan_id = ${planId}`)
    await tx.run(sql`delete from apigateway_buckets where owner = ${planId}`)
    await tx.changed('apigateway.plan', planId)
  },

  /** Conflicts: `plan missing`, `key missing`, `plan key exists`, `stage in two plans`, `limit` when the key has `plansMax`. */
  async insertPlanKey(tx, { plansMax, ...planKey }: PlanKey & { plansMax: number }): Promise<void> {
    if (!await findPlan(tx, planKey, planKey.planId)) throw conflict('plan missing')
    if (!await findKey(tx, planKey, planKey.keyId)) throw conflict('key missing')
    if (await isKeyOfPlan(tx, planKey.planId, planKey.keyId)) throw conflict('plan key exists')
    await addToPlan(tx, planKey, plansMax)
  },

  /** Says whether the key was in the plan. */
  async deletePlanKey(tx, { planId, keyId }: Pick<PlanKey, 'planId' | 'keyId'>): Promise<boolean> {
    return removeFromPlan(tx, planId, keyId)
  },

  /** As `detachStage`, for stages that were deleted elsewhere. */
  async detachStages(tx, { apiId, stageNames }: { apiId: string, stageNames: string[] }): Promise<void> {
    for (const stageName of stageNames) await detachStage(tx, { apiId, stageName })
  },
})

/** Takes a stage that is deleted out of every plan, with its buckets. Part of the transactions that delete stages. */
export async function detachStage(tx: Transaction, { apiId, stageName }: { apiId: string, stageName: string }): Promise<void> {
  await tx.run(sql`delete from apigateway_buckets where owner = ${`${apiId}/${stageName}`}`)
  const rows = await tx.query(sql`
    select p.* from apigateway_plan_stages s join apigateway_plans p on p.id = s.plan_id where s.api_id = ${apiId} and s.stage = ${stageName}`)
  for (const { plan } of rows.map(planOf)) {
    const apiStages = plan.apiStages.filter((one) => one.apiId !== apiId || one.stage !== stageName)
    await tx.run(sql`update apigateway_plans set record = ${JSON.stringify({ ...plan, apiStages })}, revision = revision + 1 where id = ${plan.id}`)
    await tx.run(sql`delete from apigateway_plan_stages where plan_id = ${plan.id} and api_id = ${apiId} and stage = ${stageName}`)
    await tx.changed('apigateway.plan', plan.id)
  }
}

/** Under what the data plane remembers a key, and forgets it when it changes. */
export const cacheKey = ({ accountId, region }: Scope, fingerprint: string): string => `${accountId}/${region}/${fingerprint}`

async function requireStages(tx: Transaction, { accountId, region }: Scope, stages: readonly PlanStage[]): Promise<void> {
  for (const { apiId, stage } of stages) {
    const there = await tx.query(sql`
      select s.name from apigateway_stages s join apigateway_apis a on a.id = s.api_id
      where s.api_id = ${apiId} and s.name = ${stage} and a.account_id = ${accountId} and a.region = ${region}`)
    if (there.length === 0) throw conflict('stage missing')
  }
}

async function setStages(tx: Transaction, { id, apiStages }: UsagePlan): Promise<void> {
  await tx.run(sql`delete from apigateway_plan_stages where plan_id = ${id}`)
  for (const { apiId, stage } of apiStages) {
    await tx.run(sql`insert into apigateway_plan_stages (plan_id, api_id, stage) values (${id}, ${apiId}, ${stage})`)
  }
}

async function addToPlan(tx: Transaction, { planId, keyId, accountId, region }: PlanKey, plansMax: number): Promise<void> {
  const others = await listPlansOfKey(tx, { accountId, region }, keyId)
  if (others.length >= plansMax) throw conflict('limit')
  const twice = await tx.query(sql`
    select s.api_id from apigateway_plan_stages s
    join apigateway_plan_stages o on o.api_id = s.api_id and o.stage = s.stage
    join apigateway_plan_keys k on k.plan_id = o.plan_id and k.key_id = ${keyId}
    where s.plan_id = ${planId} limit 1`)
  if (twice.length > 0) throw conflict('stage in two plans')
  await tx.run(sql`insert into apigateway_plan_keys (plan_id, key_id, account_id, region) values (${planId}, ${keyId}, ${accountId}, ${region})`)
  await tx.changed('apigateway.plan', planId)
}

async function removeFromPlan(tx: Transaction, planId: string, keyId: string): Promise<boolean> {
  const removed = await tx.run(sql`delete from apigateway_plan_keys where plan_id = ${planId} and key_id = ${keyId}`)
  if (removed === 0) return false
  await tx.changed('apigateway.plan', planId)
  return true
}

const conflict = (reason: UsageConflict) => new Conflict(reason)

function keyOf(row: Row): StoredKey {
  return {
    key: JSON.parse(row['record'] as string) as ApiKeyRecord,
    fingerprint: row['fingerprint'] as string,
    sealedValue: row['sealed_value'] as string,
    revision: row['revision'] as number,
  }
}

function planOf(row: Row): StoredPlan {
  return { plan: JSON.parse(row['record'] as string) as UsagePlan, revision: row['revision'] as number }
}
