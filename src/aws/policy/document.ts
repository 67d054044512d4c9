// Policy documents as values: parsed and checked once, compiled once, then evaluated for every request.

import type { CompiledStatement } from './compile.ts'

/** Condition keys of one request, lower-cased: `aws:sourceip` → values. A key that is absent has no entry. */
export type ConditionContext = Readonly<Record<string, string | readonly string[]>>

/** A compiled policy. `compilePolicy` makes it; `evaluate` runs it. */
export interface Policy {
  /** How traces name it: an ARN, or `inline policy "name" of role x`. */
  readonly name: string
  readonly statements: readonly CompiledStatement[]
  /** The statements whose Action or NotAction speaks of this action, in order. Remembered, as a caller uses few actions often. */
  readonly speakingOf: (action: string) => readonly CompiledStatement[]
  /** Whether any `aws:ResourceTag/…` is asked for, so that the resource's tags must be looked up. */
  readonly readsResourceTags?: boolean
}

/** A policy as its author wrote it, after `parsePolicy` has checked its form. */
export interface PolicyDocument {
  Version?: string
  Id?: string
  Statement: PolicyStatement | readonly PolicyStatement[]
}

export interface PolicyStatement {
  Sid?: string
  Effect: 'Allow' | 'Deny'
  Principal?: PrincipalElement
  NotPrincipal?: PrincipalElement
  Action?: OneOrMany
  NotAction?: OneOrMany
  Resource?: OneOrMany
  NotResource?: OneOrMany
  /** Operator → condition key → values. Numbers and booleans are written bare by some authors and mean their text. */
  Condition?: Readonly<Record<string, Readonly<Record<string, ConditionValue | readonly ConditionValue[]>>>>
}

export type OneOrMany = string | readonly string[]
export type ConditionValue = string | number | boolean

/** `*`, or the kind of principal (`AWS`, `Service`, `Federated`, `CanonicalUser`) → names. */
export type PrincipalElement = '*' | Readonly<Record<string, OneOrMany>>

/**
 * What a policy is attached to decides what it may contain: identity policies and session policies name no principal, resource
 * policies name one, and a role's trust policy names one but no resource.
 */
export type PolicyKind = 'identity' | 'resource' | 'trust'

/** Why a document is no policy, in IAM's own sentence. Services wrap it in their error (`MalformedPolicyDocument`). */
export class MalformedPolicy extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MalformedPolicy'
  }
}

/** One value or several, as a list. */
export function listOf<Value>(value: Value | readonly Value[] | undefined): readonly Value[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value as readonly Value[] : [value as Value]
}

/** The statements of a document in order. */
export function statementsOf(document: PolicyDocument): readonly PolicyStatement[] {
  return listOf<PolicyStatement>(document.Statement)
}
