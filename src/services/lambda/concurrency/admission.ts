// Counts the invocations that run and lets no more in than may: reserved, provisioned, or of what the account has left.

import { errors } from '../errors.ts'
import type { FunctionRecord } from '../model.ts'
import type { FunctionLimits } from './limits.ts'

export type AdmissionTarget = Pick<FunctionRecord, 'accountId' | 'region' | 'name' | 'version'>

export interface Admission {
  /**
   * Takes a place for one invocation; the answer gives it back.
   *
   * Source: Lambda developer guide, "Understanding Lambda function scaling": provisioned places are filled first; what a function reserves
   * bounds it and is nobody else's; its provisioned places are part of its reservation.
   *
   * @throws TooManyRequestsException with the reason.
   */
  admit(target: AdmissionTarget, limits: FunctionLimits): () => void
  /** How many more would be let in now. */
  room(target: AdmissionTarget, limits: FunctionLimits): number
}

/** Running invocations of one function. */
interface Running {
  onDemand: number
  /** By version. */
  provisioned: Map<string, number>
}

export function createAdmission(): Admission {
  const functions = new Map<string, Running>()
  /** On demand, of functions without a reservation, by account and region. */
  const unreserved = new Map<string, number>()

  function rooms({ version, ...target }: AdmissionTarget, { reserved, provisioned, provisionedOfFunction, unreserved: unreservedMax }: FunctionLimits) {
    const running = functions.get(keyOf(target))
    const onDemandMax = reserved === undefined ? unreservedMax : reserved - provisionedOfFunction
    const onDemand = reserved === undefined ? unreserved.get(scopeOf(target)) ?? 0 : running?.onDemand ?? 0
    return {
      provisioned: Math.max(0, provisioned - (running?.provisioned.get(version) ?? 0)),
      onDemand: Math.max(0, onDemandMax - onDemand),
    }
  }

  return {
    admit(target, limits) {
      const room = rooms(target, limits)
      if (room.provisioned === 0 && room.onDemand === 0) {
        throw tooManyRequests(limits.reserved === undefined ? 'ConcurrentInvocationLimitExceeded' : 'ReservedFunctionConcurrentInvocationLimitExceeded')
      }
      const key = keyOf(target)
      let running = functions.get(key)
      if (!running) functions.set(key, running = { onDemand: 0, provisioned: new Map() })
      const own = running
      const leave = room.provisioned > 0 ? enter(own.provisioned, target.version) : enterOnDemand(own, limits.reserved === undefined ? scopeOf(target) : undefined)
      return () => {
        leave()
        if (own.onDemand === 0 && own.provisioned.size === 0 && functions.get(key) === own) functions.delete(key)
      }
    },
    room(target, limits) {
      const room = rooms(target, limits)
      return room.provisioned + room.onDemand
    },
  }

  function enterOnDemand(running: Running, scope: string | undefined): () => void {
    running.onDemand++
    const leaveScope = scope === undefined ? undefined : enter(unreserved, scope)
    return () => {
      running.onDemand--
      leaveScope?.()
    }
  }
}

/** Counts one more; the answer counts it off. */
function enter(counts: Map<string, number>, key: string): () => void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
  return () => {
    const left = counts.get(key)! - 1
    if (left === 0) counts.delete(key)
    else counts.set(key, left)
  }
}

export type ThrottleReason = 'ConcurrentInvocationLimitExceeded' | 'ReservedFunctionConcurrentInvocationLimitExceeded' | 'CallerRateLimitExceeded'

/**
 * Observed: AWS, 25-11-2025, recorded by localstack's test_reserved_concurrency: the sentence, and no Retry-After where the function's own
 * concurrency is used up.
 * Source: Lambda API reference, TooManyRequestsException: the reasons, and Retry-After in seconds. Ours: its value.
 */
export function tooManyRequests(Reason: ThrottleReason) {
  return errors.TooManyRequestsException('Rate Exceeded.', { Reason, ...(Reason === 'ReservedFunctionConcurrentInvocationLimitExceeded' ? {} : { retryAfterSeconds: '1' }) })
}

function keyOf({ accountId, region, name }: Omit<AdmissionTarget, 'version'>): string {
  return `${accountId}/${region}/${name}`
}

function scopeOf({ accountId, region }: Pick<AdmissionTarget, 'accountId' | 'region'>): string {
  return `${accountId}/${region}`
}
