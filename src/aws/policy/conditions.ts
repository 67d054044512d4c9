// The Condition element: each operator, key and values compiled into one test of the request.

import { isInRange, parseAddress, parseRange } from './addresses.ts'
import { parseDate } from './dates.ts'
import { listOf } from './document.ts'
import type { ConditionValue, PolicyStatement } from './document.ts'
import { compilePattern, compilePatterns } from './match.ts'
import type { Lookup, Matcher } from './match.ts'
import { parseOperator } from './operators.ts'
import type { Comparison, Operator } from './operators.ts'

export interface Condition {
  /** Lower-cased. */
  readonly key: string
  readonly holds: (lookup: Lookup) => boolean
}

/** Every operator and key of a statement; all must hold. */
export function compileConditions(element: PolicyStatement['Condition'], options: { hasVariables: boolean }): Condition[] {
  const conditions: Condition[] = []
  for (const [name, keys] of Object.entries(element ?? {})) {
    const operator = parseOperator(name)
    for (const [key, values] of Object.entries(keys)) {
      const texts = listOf<ConditionValue>(values).map(String)
      // Parsing refuses an unknown operator; should one be met all the same, its statement never applies.
      conditions.push({ key: key.toLowerCase(), holds: operator ? test(operator, key.toLowerCase(), texts, options) : () => false })
    }
  }
  return conditions
}

/**
 * Source: IAM user guide, "Condition operators" (an absent key fails an operator, passes a negated one and `IfExists`),
 * "Set operators for multivalued context keys" (`ForAllValues` holds for no values, `ForAnyValue` does not), and "Evaluation
 * logic for multiple context keys or values" (values are or-ed, for negated operators nor-ed).
 */
function test(operator: Operator, key: string, texts: readonly string[], options: { hasVariables: boolean }): Condition['holds'] {
  const { comparison, isNegated, ifExists, quantifier } = operator
  if (comparison === 'null') {
    const wantsAbsence = texts.map((text) => text.toLowerCase() === 'true')
    return (lookup) => wantsAbsence.includes(isAbsent(lookup(key)))
  }
  const matches = comparer(comparison, texts, options)
  const whenAbsent = quantifier === 'all' || ifExists || (isNegated && quantifier === undefined)
  if (quantifier === 'all') {
    return (lookup) => {
      const value = lookup(key)
      if (isAbsent(value)) return true
      return listOf<string>(value).every((one) => matches(one, lookup) !== isNegated)
    }
  }
  // Without a quantifier, several values are tested as the operator's plain meaning has it: equal to any, or (negated) to none.
  const someOf = quantifier === 'any' || !isNegated
  return (lookup) => {
    const value = lookup(key)
    if (value === undefined) return whenAbsent
    if (typeof value === 'string') return matches(value, lookup) !== isNegated
    if (value.length === 0) return whenAbsent
    return someOf ? value.some((one) => matches(one, lookup) !== isNegated) : value.every((one) => !matches(one, lookup))
  }
}

function isAbsent(value: string | readonly string[] | undefined): boolean {
  return value === undefined || (typeof value !== 'string' && value.length === 0)
}

function comparer(comparison: Comparison, texts: readonly string[], { hasVariables }: { hasVariables: boolean }): Matcher {
  switch (comparison) {
    case 'string': return compilePatterns(texts, { hasVariables, wildcards: 'literal' })
    case 'string-ignore-case': return compilePatterns(texts, { hasVariables, wildcards: 'literal', ignoreCase: true })
    case 'string-like': return compilePatterns(texts, { hasVariables, wildcards: 'text' })
    case 'numeric-equals': return comparing(texts, parseNumber, (value, bound) => value === bound)
    case 'numeric-less': return comparing(texts, parseNumber, (value, bound) => value < bound)
    case 'numeric-less-equals': return comparing(texts, parseNumber, (value, bound) => value <= bound)
    case 'numeric-greater': return comparing(texts, parseNumber, (value, bound) => value > bound)
    case 'numeric-greater-equals': return comparing(texts, parseNumber, (value, bound) => value >= bound)
    case 'date-equals': return comparing(texts, parseDate, (value, bound) => value === bound)
    case 'date-less': return comparing(texts, parseDate, (value, bound) => value < bound)
    case 'date-less-equals': return comparing(texts, parseDate, (value, bound) => value <= bound)
    case 'date-greater': return comparing(texts, parseDate, (value, bound) => value > bound)
    case 'date-greater-equals': return comparing(texts, parseDate, (value, bound) => value >= bound)
    case 'bool': return comparing(texts, (text) => text.toLowerCase(), (value, bound) => value === bound)
    case 'binary': return comparing(texts, (text) => Buffer.from(text, 'base64').toString('base64'), (value, bound) => value === bound)
    case 'ip': return ipMatcher(texts)
    case 'arn': return anyOf(texts.map((text) => compileArnPattern(text, hasVariables)))
    case 'null': throw new Error('Null compares no values')
  }
}

/** Values that do not parse compare with nothing. The last value is remembered: a session asks again and again with the same ones. */
function comparing<Value>(texts: readonly string[], parse: (text: string) => Value | undefined, holds: (value: Value, bound: Value) => boolean): Matcher {
  const bounds = texts.map(parse).filter((bound) => bound !== undefined)
  let lastText: string | undefined
  let lastHeld = false
  return (text) => {
    if (text === lastText) return lastHeld
    const value = parse(text)
    lastHeld = value !== undefined && bounds.some((bound) => holds(value, bound))
    lastText = text
    return lastHeld
  }
}

function parseNumber(text: string): number | undefined {
  return /^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$/.test(text) ? Number(text) : undefined
}

function ipMatcher(texts: readonly string[]): Matcher {
  const ranges = texts.map(parseRange).filter((range) => range !== undefined)
  return (text) => {
    const address = parseAddress(text)
    return address !== undefined && ranges.some((range) => isInRange(address, range))
  }
}

function anyOf(matchers: readonly Matcher[]): Matcher {
  return (value, lookup) => matchers.some((matches) => matches(value, lookup))
}

/**
 * ArnEquals and ArnLike do the same: each of the six parts between colons is compared by itself, wildcards included.
 * Source: IAM user guide, "Condition operators", ARN condition operators.
 */
export function compileArnPattern(text: string, hasVariables: boolean): Matcher {
  if (text === '*') return () => true
  const parts = splitArn(text)
  if (parts.length < 6) return () => false
  const matchers = parts.map((part) => compilePattern(part, { hasVariables, wildcards: 'text' }))
  return (value, lookup) => {
    const found = splitArn(value)
    return found.length === 6 && matchers.every((matches, index) => matches(found[index]!, lookup))
  }
}

/** The six parts of an ARN; colons after the fifth, and those inside `${…}`, belong to the part they stand in. */
function splitArn(text: string): string[] {
  const parts: string[] = []
  let start = 0
  for (let index = 0; index < text.length && parts.length < 5; index++) {
    if (text.startsWith('${', index)) index = Math.max(index, text.indexOf('}', index))
    else if (text[index] === ':') { parts.push(text.slice(start, index)); start = index + 1 }
  }
  return [...parts, text.slice(start)]
}
