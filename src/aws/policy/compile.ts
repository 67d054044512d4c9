// A policy document made ready to be asked: patterns, conditions and principals compiled once.

import { compileConditions } from './conditions.ts'
import type { Condition } from './conditions.ts'
import { listOf, statementsOf } from './document.ts'
import type { Policy, PolicyDocument, PolicyStatement } from './document.ts'
import { compilePatterns } from './match.ts'
import type { Matcher } from './match.ts'
import { compileNotPrincipal, compilePrincipal } from './principals.ts'
import type { PrincipalMatcher } from './principals.ts'

export interface CompiledStatement {
  readonly sid: string | undefined
  readonly effect: 'Allow' | 'Deny'
  /** Takes the action in lower case. */
  readonly speaksOfAction: Matcher
  /** Undefined: every resource (a trust policy names none). */
  readonly speaksOfResource: Matcher | undefined
  /** Undefined: the policy belongs to an identity. */
  readonly speaksOf: PrincipalMatcher | undefined
  readonly conditions: readonly Condition[]
}

/** Compiles a document that `parsePolicy` accepted. `name` is how traces will call it. */
export function compilePolicy(document: PolicyDocument, name: string): Policy {
  // Source: IAM user guide, "Version": variables are plain text in documents of version 2008-10-17 or none.
  const hasVariables = document.Version === '2012-10-17'
  const statements = statementsOf(document).map((statement) => compileStatement(statement, hasVariables))
  const readsResourceTags = /aws:resourcetag\//i.test(JSON.stringify(document))
  return { name, statements, speakingOf: statementsByAction(statements), ...(readsResourceTags && { readsResourceTags }) }
}

/** Actions remembered per policy; when there are more, all are forgotten. */
const actionsMax = 256

function statementsByAction(statements: readonly CompiledStatement[]): Policy['speakingOf'] {
  const known = new Map<string, readonly CompiledStatement[]>()
  return (action) => {
    const before = known.get(action)
    if (before) return before
    const lower = action.toLowerCase()
    const speaking = statements.filter(({ speaksOfAction }) => speaksOfAction(lower, noLookup))
    if (known.size >= actionsMax) known.clear()
    known.set(action, speaking)
    return speaking
  }
}

/** Actions have no variables. */
const noLookup = () => undefined

function compileStatement(statement: PolicyStatement, hasVariables: boolean): CompiledStatement {
  return {
    sid: statement.Sid || undefined,
    effect: statement.Effect,
    speaksOfAction: statement.NotAction === undefined
      ? actionMatcher(listOf(statement.Action))
      : not(actionMatcher(listOf(statement.NotAction))),
    speaksOfResource: resourceMatcher(statement, hasVariables),
    speaksOf: principalMatcher(statement),
    conditions: compileConditions(statement.Condition, { hasVariables }),
  }
}

/** Actions compare without case. Source: IAM user guide, "IAM JSON policy elements: Action". */
function actionMatcher(actions: readonly string[]): Matcher {
  return compilePatterns(actions.map((action) => action.toLowerCase()), { hasVariables: false, wildcards: 'text' })
}

function resourceMatcher({ Resource, NotResource }: PolicyStatement, hasVariables: boolean): Matcher | undefined {
  if (Resource === undefined && NotResource === undefined) return undefined
  const arns = listOf(Resource ?? NotResource).map(completeArn)
  const matches = compilePatterns(arns, { hasVariables, wildcards: 'arn' })
  return Resource === undefined ? not(matches) : matches
}

/** Source: IAM user guide, "IAM JSON policy elements: Resource": an ARN with fewer than six fields is completed with wildcards. */
function completeArn(text: string): string {
  if (!text.startsWith('arn:')) return text
  const fields = text.replace(/\$\{[^}]*\}/g, '').split(':').length
  return fields < 6 ? text + ':*'.repeat(6 - fields) : text
}

function principalMatcher({ Principal, NotPrincipal, Effect }: PolicyStatement): PrincipalMatcher | undefined {
  if (Principal !== undefined) return compilePrincipal(Principal)
  return NotPrincipal === undefined ? undefined : compileNotPrincipal(NotPrincipal, Effect)
}

function not(matches: Matcher): Matcher {
  return (value, lookup) => !matches(value, lookup)
}
