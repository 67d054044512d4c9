// Whether policies let a principal act: explicit denials first, then what each kind of policy allows, put together.

import type { Policy } from './document.ts'
import type { Lookup } from './match.ts'
import type { NamedAs, Principal } from './principals.ts'

export interface Question {
  principal: Principal
  action: string
  /** The ARN acted on; `*` for actions without a resource. */
  resource: string
  /** The account that owns the resource. */
  resourceAccountId: string
  lookup: Lookup
}

export interface PolicySet {
  /** Of the user (with its groups) or the role. An account's root needs none: it may do everything. */
  identity: readonly Policy[]
  boundary?: Policy | undefined
  /** The policies a session was given; together they must allow. */
  session?: readonly Policy[] | undefined
  /** Of the resource. */
  resource?: Policy | undefined
  /** Whether nobody may act whom the resource's policy does not allow, even within its account: so with the trust policies of roles. */
  resourceMustAllow?: boolean
}

/** The kinds of policies, in the order in which a denial names them. */
export type PolicyLayer = 'identity' | 'resource' | 'boundary' | 'session'

export interface MatchedStatement {
  layer: PolicyLayer
  policy: string
  sid: string | undefined
  effect: 'Allow' | 'Deny'
}

export interface Evaluation {
  outcome: 'allowed' | 'explicit-deny' | 'implicit-deny'
  /** Which kind of policy denied, or lacked the Allow. Undefined when allowed. */
  because: PolicyLayer | undefined
  /** Every statement that speaks of this action, resource, principal and moment. */
  matched: readonly MatchedStatement[]
}

/**
 * Source: IAM user guide, "Policy evaluation logic", "Evaluating policies within a single account", "Cross-account policy
 * evaluation logic".
 */
export function evaluate(question: Question, policies: PolicySet): Evaluation {
  const found: Findings = { matched: [], denied: undefined }
  const isRoot = question.principal.is === 'root'
  // Whoever has no policies of its own is let by the resource's alone.
  const hasNoPolicies = ['service', 'web-identity', 'anonymous'].includes(question.principal.is)

  const byIdentity = isRoot || (!hasNoPolicies && allowsAny(found, question, policies.identity, 'identity'))
  const byResource = policies.resource ? grantedBy(found, question, policies.resource) : undefined
  const byBoundary = policies.boundary === undefined || isRoot || allows(found, question, policies.boundary, 'boundary')
  const bySession = policies.session === undefined || allowsAny(found, question, policies.session, 'session')

  const { matched } = found
  if (found.denied) return { outcome: 'explicit-deny', because: found.denied, matched }
  const lacking = hasNoPolicies || (policies.resourceMustAllow && !byResource) ? (byResource ? undefined : 'resource' as const)
    : question.principal.accountId === question.resourceAccountId
      ? lackingWithinAccount(question.principal, { byIdentity, byResource, byBoundary, bySession })
      : lackingAcrossAccounts({ byIdentity, byResource, byBoundary, bySession })
  return lacking ? { outcome: 'implicit-deny', because: lacking, matched } : { outcome: 'allowed', because: undefined, matched }
}

interface Findings {
  matched: MatchedStatement[]
  denied: PolicyLayer | undefined
}

interface Sides {
  byIdentity: boolean
  /** How the resource's policy names the principal that it allows. */
  byResource: NamedAs | undefined
  byBoundary: boolean
  bySession: boolean
}

/**
 * Either side may allow. A grant to a user's ARN or to a session's own ARN stands by itself; one to a role's ARN is limited by
 * boundary and session policies; one to the account only delegates, so an identity policy must allow as well.
 * Source: IAM user guide, "Evaluating policies within a single account": granting to an IAM user, role, role session.
 * Ours: a grant to everybody (`*`) is limited by boundary and session policies like one to a role; the guide does not say.
 */
function lackingWithinAccount({ is }: Principal, { byIdentity, byResource, byBoundary, bySession }: Sides): PolicyLayer | undefined {
  if (is === 'root') return undefined
  if (byResource === 'session') return undefined
  if (byResource === 'user') return bySession ? undefined : 'session'
  const isGranted = byIdentity || byResource === 'role' || byResource === 'everyone'
  if (!isGranted) return 'identity'
  if (!byBoundary) return 'boundary'
  return bySession ? undefined : 'session'
}

function lackingAcrossAccounts({ byIdentity, byResource, byBoundary, bySession }: Sides): PolicyLayer | undefined {
  if (!byIdentity) return 'identity'
  if (!byBoundary) return 'boundary'
  if (!bySession) return 'session'
  return byResource === undefined ? 'resource' : undefined
}

/** The grant that carries furthest counts. */
const strength: Record<NamedAs, number> = { account: 1, everyone: 2, role: 3, user: 4, session: 5, service: 6, provider: 6 }

function grantedBy(found: Findings, question: Question, policy: Policy): NamedAs | undefined {
  let granted: NamedAs | undefined
  for (const statement of policy.speakingOf(question.action)) {
    const named = statement.speaksOf?.(question.principal)
    if (named === undefined || !applies(statement, question)) continue
    note(found, policy, statement, 'resource')
    if (statement.effect === 'Allow' && (!granted || strength[named] > strength[granted])) granted = named
  }
  return granted
}

function allowsAny(found: Findings, question: Question, policies: readonly Policy[], layer: PolicyLayer): boolean {
  let allowed = false
  for (const policy of policies) if (allows(found, question, policy, layer)) allowed = true
  return allowed
}

function allows(found: Findings, question: Question, policy: Policy, layer: PolicyLayer): boolean {
  let allowed = false
  for (const statement of policy.speakingOf(question.action)) {
    if (!applies(statement, question)) continue
    note(found, policy, statement, layer)
    if (statement.effect === 'Allow') allowed = true
  }
  return allowed
}

/** Whether a statement that speaks of the action speaks of the resource as well, and its conditions hold. */
function applies(statement: Policy['statements'][number], { resource, lookup }: Question): boolean {
  if (statement.speaksOfResource && !statement.speaksOfResource(resource, lookup)) return false
  for (const condition of statement.conditions) if (!condition.holds(lookup)) return false
  return true
}

function note(found: Findings, policy: Policy, { sid, effect }: Policy['statements'][number], layer: PolicyLayer): void {
  found.matched.push({ layer, policy: policy.name, sid, effect })
  if (effect === 'Deny') found.denied ??= layer
}
