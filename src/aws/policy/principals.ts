// The Principal and NotPrincipal elements: whom a resource or trust policy speaks of.

import { listOf } from './document.ts'
import type { PrincipalElement } from './document.ts'

/** Who asks, with every name that a policy may call it by. */
export interface Principal {
  is: 'root' | 'user' | 'role' | 'service' | 'federated' | 'web-identity' | 'anonymous'
  accountId: string
  /**
   * The user, the session of a role or of a federated user, or the account's root. For a service its name
   * (`apigateway.amazonaws.com`); for a web identity the ARN of its provider.
   */
  arn: string
  /** The role behind a session, or the user behind a federated one. */
  roleArn?: string
  /** `AIDA…`, or `AROA…` for a session of a role: what IAM keeps of a principal whose name was deleted. */
  id?: string
}

/**
 * How a statement came to speak of the principal, which decides how far its Allow carries within an account:
 * by the session's own ARN or the user's, by its role, by its account, or by `*`.
 */
export type NamedAs = 'session' | 'user' | 'role' | 'account' | 'everyone' | 'service' | 'provider'

/** Undefined when the statement does not speak of the principal. */
export type PrincipalMatcher = (principal: Principal) => NamedAs | undefined

/** Source: IAM user guide, "AWS JSON policy elements: Principal". Names are exact: apart from `*` alone, a principal has no wildcards. */
export function compilePrincipal(element: PrincipalElement): PrincipalMatcher {
  const named = namesIn(element)
  return (principal) => named(principal).at(0)
}

/**
 * A statement with NotPrincipal applies to everybody else. Denying, it spares a principal only when the principal, its role and
 * its account are all listed; allowing, it leaves a principal out when any of them is.
 * Source: IAM user guide, "AWS JSON policy elements: NotPrincipal", specifying NotPrincipal in a Deny.
 */
export function compileNotPrincipal(element: PrincipalElement, effect: 'Allow' | 'Deny'): PrincipalMatcher {
  const named = namesIn(element)
  return (principal) => {
    const names = named(principal)
    if (names.includes('everyone')) return undefined
    const isListed = effect === 'Allow' ? names.length > 0 : names.length > 0 && levelsOf(principal).every((level) => names.includes(level))
    return isListed ? undefined : 'everyone'
  }
}

/** The levels at which AWS looks for a principal in NotPrincipal. */
function levelsOf(principal: Principal): NamedAs[] {
  switch (principal.is) {
    case 'root': return ['account']
    case 'user': return ['account', 'user']
    case 'role': return ['account', 'role', 'session']
    case 'federated': return ['account', 'session']
    case 'service': return ['service']
    case 'web-identity': return ['provider']
    case 'anonymous': return []
  }
}

/** All names under which an element lists a principal, the most particular first. */
function namesIn(element: PrincipalElement): (principal: Principal) => NamedAs[] {
  const isEveryone = element === '*' || listOf(element.AWS).includes('*')
  const aws = new Set(element === '*' ? [] : listOf(element.AWS))
  const services = new Set(element === '*' ? [] : listOf(element.Service).map((name) => name.toLowerCase()))
  const providers = new Set(element === '*' ? [] : listOf(element.Federated))
  const anyService = services.has('*')
  return (principal) => {
    const names: NamedAs[] = []
    if (principal.is === 'service') {
      if (anyService || services.has(principal.arn.toLowerCase())) names.push('service')
    } else if (principal.is === 'web-identity') {
      if (providers.has(principal.arn)) names.push('provider')
    } else if (principal.is !== 'anonymous') {
      const own = aws.has(principal.arn)
      const role = principal.roleArn !== undefined && aws.has(principal.roleArn)
      const byId = principal.id !== undefined && aws.has(principal.id)
      if (own && principal.is !== 'root') names.push(principal.is === 'user' ? 'user' : 'session')
      if (byId && principal.is === 'user' && !own) names.push('user')
      if (role || (byId && (principal.is === 'role' || principal.is === 'federated'))) names.push('role')
      if (aws.has(principal.accountId) || aws.has(`arn:aws:iam::${principal.accountId}:root`)) names.push('account')
    }
    if (isEveryone) names.push('everyone')
    return names
  }
}
