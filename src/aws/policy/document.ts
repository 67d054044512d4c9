// Policy documents as values: parsed and checked once, compiled once, then evaluated for every request.

/** Condition keys of one request, lower-cased: `aws:sourceip` → values. A key that is absent has no entry. */
export type ConditionContext = Readonly<Record<string, string | readonly string[]>>

/** A compiled policy. `compilePolicy` makes it; `evaluate` runs it. */
export interface Policy {
  /** How traces name it: an ARN, or `inline policy "name" of role x`. */
  readonly name: string
  readonly statements: readonly unknown[]
}
