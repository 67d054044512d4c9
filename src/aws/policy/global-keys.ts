// The global condition keys of a request. A key is worked out only when a policy asks for it.

import { sessionTermsOf, sessionTimesOf } from '../caller.ts'
import type { Caller } from '../caller.ts'
import type { CallerPolicies } from '../identity.ts'
import type { Call, Permission } from '../service.ts'
import type { Lookup } from './match.ts'

export interface RequestFacts {
  call: Pick<Call, 'caller' | 'scope' | 'atMs' | 'request'>
  permission: Permission
  policies: Pick<CallerPolicies, 'tags'>
  resourceAccountId: string
  /** Where a policy reads them. */
  resourceTags?: CallerPolicies['tags']
  /** Milliseconds; used where the call does not say when it arrived. */
  now: () => number
}

/** Services that are one for all regions: a request to them is a request to this region. Source: "Global condition keys", aws:RequestedRegion. */
const globalServices = new Set(['iam', 'sts'])

/**
 * Looks condition keys up, the permission's own before the global ones. Keys are lower-cased.
 * Source: IAM user guide, "AWS global condition context keys".
 *
 * Absent here, as on AWS for callers like ours: `aws:MultiFactorAuthAge`, `aws:PrincipalOrgID`, `aws:SourceVpc`, `aws:CalledVia` and
 * their kin. `aws:MultiFactorAuthPresent` is absent for access keys and `false` for sessions, as no session begins with MFA.
 */
export function globalKeys({ call, permission, policies, resourceAccountId, resourceTags, now }: RequestFacts): Lookup {
  const own = lowerKeys(permission.context)
  const { caller, request, scope } = call
  return (key) => {
    const value = own?.get(key)
    if (value !== undefined) return value
    if (key.startsWith('aws:principaltag/')) return tagValue(policies.tags, key.slice('aws:principaltag/'.length))
    if (key.startsWith('aws:resourcetag/')) return tagValue(resourceTags, key.slice('aws:resourcetag/'.length))
    switch (key) {
      case 'aws:principalarn': return isKnown(caller) ? caller.is === 'role' ? caller.roleArn : caller.arn : undefined
      case 'aws:principalaccount': return isKnown(caller) ? caller.accountId : undefined
      case 'aws:principaltype': return principalTypes[caller.is]
      case 'aws:userid': return isKnown(caller) ? caller.userId : undefined
      case 'aws:username': return caller.is === 'user' ? caller.userName : undefined
      case 'aws:principalisawsservice': return caller.is === 'service' ? 'true' : 'false'
      case 'aws:principalservicename': return caller.is === 'service' ? caller.principal : undefined
      case 'aws:viaawsservice': return 'false'
      case 'aws:sourceip': return caller.is === 'service' ? undefined : request.remoteAddress
      case 'aws:useragent': return request.headers.get('user-agent')
      case 'aws:referer': return request.headers.get('referer')
      case 'aws:securetransport': return caller.is === 'service' ? undefined : String(request.isSecure)
      case 'aws:currenttime': return new Date(call.atMs || now()).toISOString()
      case 'aws:epochtime': return String(Math.floor((call.atMs || now()) / 1000))
      case 'aws:requestedregion': return globalServices.has(permission.action.split(':')[0]!.toLowerCase()) ? 'us-east-1' : scope.region
      case 'aws:resourceaccount': return resourceAccountId
      case 'aws:tokenissuetime': return issueTimeOf(caller)
      case 'aws:multifactorauthpresent': return sessionTimesOf(caller) && 'false'
      case 'aws:sourceidentity': return sessionTermsOf(caller)?.sourceIdentity
      case 'aws:federatedprovider': return sessionTermsOf(caller)?.federatedProvider
      default: return undefined
    }
  }
}

/** Source: IAM user guide, "Policy variables", principal key values; "Global condition keys", aws:PrincipalType. */
const principalTypes = {
  root: 'Account', user: 'User', role: 'AssumedRole', federated: 'FederatedUser', anonymous: 'Anonymous', service: undefined,
} as const

/** Whether a signature stands behind the caller. */
function isKnown(caller: Caller): caller is Exclude<Caller, { is: 'service' | 'anonymous' }> {
  return caller.is !== 'service' && caller.is !== 'anonymous'
}

function issueTimeOf(caller: Caller): string | undefined {
  const times = sessionTimesOf(caller)
  return times && new Date(times.issuedAtMs).toISOString()
}

/** Services write keys as AWS's documentation does; they compare in lower case. */
function lowerKeys(context: Permission['context']): ReadonlyMap<string, string | readonly string[]> | undefined {
  if (!context) return undefined
  return new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]))
}

/** Tag keys inside condition keys compare without case. Source: "Global condition keys", aws:PrincipalTag. */
function tagValue(tags: CallerPolicies['tags'], lowerKey: string): string | undefined {
  for (const [key, value] of Object.entries(tags ?? {})) if (key.toLowerCase() === lowerKey) return value
  return undefined
}
