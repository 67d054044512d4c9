// What the data plane asks of API keys and limits: whose key it is, and whether one more request may pass.

import type { Clock } from '#lib/clock.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Sealer } from '#lib/seal.ts'
import { createCache } from '#storage/cached.ts'
import type { Database } from '#storage/database.ts'
import { fingerprintPurpose } from './api-key-values.ts'
import { createLeases, type LimitSource } from './leases.ts'
import { ACCOUNT_BURST_LIMIT, ACCOUNT_RATE_LIMIT } from './limits.ts'
import type { Quota, RateLimit, UsagePlan } from './usage-model.ts'
import { cacheKey, findKeyByFingerprint, listPlansOfKey } from './usage-store.ts'

/** The stage of an API that is called, and whose it is. */
export interface CalledStage {
  accountId: string
  region: string
  apiId: string
  stageName: string
}

/** A key that may call a stage, with the limits that its plan sets there. */
export interface KeyGrant {
  keyId: string
  planId: string
  throttle: RateLimit | undefined
  /** `/pets/{petId}/GET` → what takes the place of `throttle` for that method. */
  methodThrottles: Readonly<Record<string, RateLimit>>
  quota: Quota | undefined
}

export type KeyFinding =
  | { is: 'granted', grant: KeyGrant }
  | { is: 'refused', because: 'unknown key' | 'disabled key' | 'no usage plan for this stage', keyId?: string }

export interface MeteredRequest extends CalledStage {
  resourcePath: string
  /** As the method is defined: `ANY` where one method takes all. */
  httpMethod: string
  /** What the stage's settings allow of the method. */
  methodLimit: RateLimit | undefined
  grant: KeyGrant | undefined
}

export type RefusingLimit = 'key throttle' | 'method throttle' | 'account throttle' | 'quota'

export interface Metering {
  /** The key of that value. Cached until key or plan change. */
  findKey(stage: CalledStage, value: string): Promise<KeyFinding>
  /** Takes one request from every limit that applies to it; undefined when it may pass, else the limit that it met. */
  admit(request: MeteredRequest): Promise<RefusingLimit | undefined>
}

/** Metering, with what the control plane needs of it. */
export interface OwnMetering extends Metering {
  settle(planId: string): Promise<void>
  close(): Promise<void>
}

/** Keys in memory, known and unknown. */
const KEYS_CACHED_MAX = 10_000

interface CachedKey { keyId: string, isEnabled: boolean, grants: ReadonlyMap<string, KeyGrant> }

export function createMetering({ database, clock, random, sealer, accountRateLimit = ACCOUNT_RATE_LIMIT, onFailure }: {
  database: Database, clock: Clock, random: RandomSource, sealer: Pick<Sealer, 'fingerprint'>, accountRateLimit?: number | undefined, onFailure: (error: unknown) => void
}): OwnMetering {
  const leases = createLeases({ database, clock, holder: random.uuid(), onFailure })
  const accounts = new AccountBuckets(clock, accountRateLimit)
  const keys = createCache<string, CachedKey | undefined>({
    database,
    load: async (cached) => {
      const [accountId = '', region = '', fingerprint = ''] = cached.split('/')
      const stored = await findKeyByFingerprint(database, { accountId, region }, fingerprint)
      if (!stored) return undefined
      const { id, enabled } = stored.key
      return { keyId: id, isEnabled: enabled, grants: grantsOf(id, await listPlansOfKey(database, { accountId, region }, id)) }
    },
    staleAfter: ({ topic, key }) => topic === 'apigateway.key' ? { key } : topic === 'apigateway.plan' ? 'all' : 'none',
    entriesMax: KEYS_CACHED_MAX,
  })

  /** In AWS's order, but for the quota, which only requests that pass the throttles use up. Source: developer guide, "Throttle requests to your REST APIs". */
  async function admit(request: MeteredRequest): Promise<RefusingLimit | undefined> {
    const { grant } = request
    const quota = grant && quotaOf(grant)
    if (quota && leases.isRefused(quota)) return 'quota'
    const taken: LimitSource[] = []
    const limits: [RefusingLimit, LimitSource | undefined][] = [
      ['key throttle', grant && keyBucket(grant, request)], ['method throttle', methodBucket(request)], ['quota', quota],
    ]
    for (const [limit, source] of limits) {
      if (!source) continue
      if (!await leases.take(source)) {
        for (const one of taken) leases.putBack(one)
        return limit
      }
      taken.push(source)
    }
    if (accounts.take(request)) return undefined
    for (const one of taken) leases.putBack(one)
    return 'account throttle'
  }

  return {
    async findKey(stage, value) {
      const known = await keys.get(cacheKey(stage, sealer.fingerprint(value, fingerprintPurpose(stage))))
      if (!known) return { is: 'refused', because: 'unknown key' }
      const { keyId, isEnabled, grants } = known
      if (!isEnabled) return { is: 'refused', because: 'disabled key', keyId }
      const grant = grants.get(`${stage.apiId}/${stage.stageName}`)
      return grant ? { is: 'granted', grant } : { is: 'refused', because: 'no usage plan for this stage', keyId }
    },
    admit,
    settle: leases.settle,
    close: leases.close,
  }
}

function grantsOf(keyId: string, plans: readonly UsagePlan[]): Map<string, KeyGrant> {
  return new Map(plans.flatMap(({ id, apiStages, throttle, quota }) => apiStages.map(({ apiId, stage, throttle: methodThrottles = {} }) =>
    [`${apiId}/${stage}`, { keyId, planId: id, throttle, quota, methodThrottles }] as const)))
}

function quotaOf({ planId, keyId, quota }: KeyGrant): LimitSource | undefined {
  return quota && { is: 'quota', planKey: { planId, keyId }, quota }
}

/** One bucket for all that a key calls of its plan, or for a method that the plan sets apart. */
function keyBucket({ planId, keyId, throttle, methodThrottles }: KeyGrant, request: MeteredRequest): LimitSource | undefined {
  const method = `${request.resourcePath}/${request.httpMethod}`
  const own = Object.hasOwn(methodThrottles, method) ? methodThrottles[method] : undefined
  if (own) return bucket({ owner: planId, name: `${keyId}/${request.apiId}:${request.stageName}${method}` }, own)
  return throttle && bucket({ owner: planId, name: keyId }, throttle)
}

/** Each method of a stage has a bucket of its own, also where one setting serves all. Limits of the account or beyond set nothing; -1 lifts the limit. */
function methodBucket({ apiId, stageName, resourcePath, httpMethod, methodLimit }: MeteredRequest): LimitSource | undefined {
  if (!methodLimit) return undefined
  const { rateLimit = ACCOUNT_RATE_LIMIT, burstLimit = ACCOUNT_BURST_LIMIT } = methodLimit
  const rate = rateLimit < 0 ? ACCOUNT_RATE_LIMIT : rateLimit
  const burst = burstLimit < 0 ? ACCOUNT_BURST_LIMIT : burstLimit
  if (rate >= ACCOUNT_RATE_LIMIT && burst >= ACCOUNT_BURST_LIMIT) return undefined
  return { is: 'bucket', bucket: { owner: `${apiId}/${stageName}`, name: `${resourcePath}/${httpMethod}` }, rate, burst }
}

function bucket(id: { owner: string, name: string }, { rateLimit, burstLimit }: RateLimit): LimitSource {
  return { is: 'bucket', bucket: id, rate: rateLimit ?? ACCOUNT_RATE_LIMIT, burst: burstLimit ?? ACCOUNT_BURST_LIMIT }
}

/** Accounts with a bucket in memory; beyond it the one used longest ago starts anew. */
const ACCOUNTS_MAX = 10_000

/**
 * The limit of all APIs of an account in a region.
 * Ours: it guards the machine, so each process has its own and a start fills it.
 */
class AccountBuckets {
  readonly #buckets = new Map<string, { tokens: number, atMs: number }>()
  readonly #clock: Clock
  readonly #rate: number
  readonly #burst: number
  constructor(clock: Clock, rate: number) {
    this.#clock = clock
    this.#rate = rate
    this.#burst = rate * (ACCOUNT_BURST_LIMIT / ACCOUNT_RATE_LIMIT)
  }

  take({ accountId, region }: CalledStage): boolean {
    const name = `${accountId}/${region}`
    const now = this.#clock.monotonic()
    let at = this.#buckets.get(name)
    if (!at) {
      this.#buckets.set(name, at = { tokens: this.#burst, atMs: now })
      if (this.#buckets.size > ACCOUNTS_MAX) this.#buckets.delete(this.#buckets.keys().next().value!)
    }
    at.tokens = Math.min(this.#burst, at.tokens + (now - at.atMs) * this.#rate / 1000)
    at.atMs = now
    if (at.tokens < 1) return false
    at.tokens -= 1
    return true
  }
}
