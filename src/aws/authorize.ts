// Whether a caller may do something: the caller's policies, the resource's, and the request's facts put together.

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
