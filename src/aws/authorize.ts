// Whether a caller may do something: the caller's policies, the resource's, and the request's facts put together.

import type { Clock } from '#lib/clock.ts'
import { parseArn } from './arn.ts'
import type { Caller } from './caller.ts'
import type { CallerPolicies, Identity } from './identity.ts'
import type { Policy } from './policy/document.ts'
import { evaluate } from './policy/evaluate.ts'
import { globalKeys } from './policy/global-keys.ts'
import type { Principal } from './policy/principals.ts'
import { refusalSentence } from './policy/refusal.ts'
import type { Call, Permission } from './service.ts'

export interface Authorizer {
  /** Decides one permission. Never throws for a refusal: the answer says why. */
  decide(call: Pick<Call, 'caller' | 'scope' | 'atMs' | 'request'>, permission: Permission): Promise<Decision>
}

export interface Decision {
  allowed: boolean
  /** AWS's sentence for the refusal: `User: … is not authorized to perform: … on resource: … because …`. Empty when allowed. */
  message: string
  /** For traces: every statement that matched, with the policy it stands in and its effect. */
  statements: readonly { policy: string, sid: string | undefined, effect: 'Allow' | 'Deny' }[]
}

/**
 * An authorizer over the policies that `identity` knows at the moment of each decision.
 *
 * The account's root may do everything in its account but what a resource's policy denies. A service of this server acting for
 * itself needs the resource's policy to let it.
 */
export function createAuthorizer({ identity, clock }: { identity: Pick<Identity, 'policiesFor'>, clock: Pick<Clock, 'now'> }): Authorizer {
  return {
    async decide(call, permission) {
      const { caller, scope } = call
      const policies = caller.is === 'service' || caller.is === 'anonymous' ? nothing : await identity.policiesFor(caller)
      // Services without accounts in their ARNs (`arn:aws:apigateway:us-east-1::/restapis`) act in the caller's own account.
      const resourceAccountId = accountOf(permission.resource) ?? scope.accountId
      const resourceTags = readsResourceTags(policies, permission) ? await permission.resourceTags?.() : undefined
      const evaluation = evaluate({
        principal: permission.provider === undefined ? principalOf(caller) : { is: 'web-identity', accountId: resourceAccountId, arn: permission.provider },
        action: permission.action,
        resource: permission.resource || '*',
        resourceAccountId,
        lookup: globalKeys({ call, permission, policies, resourceAccountId, resourceTags, now: () => clock.now() }),
      }, { ...policies, resource: permission.resourcePolicy, resourceMustAllow: permission.isAssumption === true })
      const allowed = evaluation.outcome === 'allowed'
      const { action, resource, shownAs, isAssumption } = permission
      return {
        allowed,
        message: allowed ? '' : refusalSentence({ caller: caller.arn, action, resource: shownAs ?? resource, isAssumption }, evaluation),
        statements: evaluation.matched,
      }
    },
  }
}

function readsResourceTags({ identity, boundary, session }: CallerPolicies, { resourceTags, resourcePolicy }: Permission): boolean {
  if (!resourceTags) return false
  const reads = (policy: Policy | undefined) => policy?.readsResourceTags === true
  return identity.some(reads) || reads(boundary) || (session?.some(reads) ?? false) || reads(resourcePolicy)
}

const nothing: CallerPolicies = { identity: [] }

function accountOf(resource: string): string | undefined {
  const accountId = parseArn(resource)?.accountId
  return accountId !== undefined && /^\d{12}$/.test(accountId) ? accountId : undefined
}

/** The caller as policies name it. */
export function principalOf(caller: Caller): Principal {
  const { is, accountId, arn } = caller
  switch (is) {
    case 'role': return { is, accountId, arn, roleArn: caller.roleArn, id: caller.roleId }
    case 'user': return { is, accountId, arn, id: caller.userId }
    case 'root': return { is, accountId, arn }
    case 'federated': return { is, accountId, arn, roleArn: caller.issuer.arn, id: caller.issuer.id }
    case 'service': return { is, accountId, arn: caller.principal }
    case 'anonymous': return { is, accountId, arn }
  }
}
