// Patterns with `*`, `?` and policy variables, compiled once and matched without backtracking blow-up.

/** The value of a condition key (lower-cased) in the request at hand, or undefined where it is absent. */
export type Lookup = (key: string) => string | readonly string[] | undefined

/** Whether a value matches a pattern; variables in the pattern are looked up in the request. */
export type Matcher = (value: string, lookup: Lookup) => boolean

export interface PatternOptions {
  /** `${aws:username}` stands for the request's value. Only documents of version 2012-10-17 have variables. */
  hasVariables: boolean
  /**
   * `text`: `*` is any run of characters. `arn`: inside a segment `*` and `?` stop at a colon, but a `*` that ends a segment
   * may run on over colons. `literal`: `*` and `?` mean themselves.
   * Source: IAM user guide, "IAM JSON policy elements: Resource", using wildcards.
   */
  wildcards: 'text' | 'arn' | 'literal'
  ignoreCase?: boolean
}

/** Compiles one pattern. */
export function compilePattern(text: string, options: PatternOptions): Matcher {
  const parts = split(options.ignoreCase ? lowerOutsideVariables(text) : text, options)
  const matches = parts.some((part) => typeof part === 'object') ? variableMatcher(parts) : staticMatcher(parts as (string | Wildcard)[])
  return options.ignoreCase ? (value, lookup) => matches(value.toLowerCase(), lookup) : matches
}

/** Compiles patterns of which any may match. Exact ones share one look-up. */
export function compilePatterns(texts: readonly string[], options: PatternOptions): Matcher {
  const exact = new Set<string>()
  const others: Matcher[] = []
  for (const text of texts) {
    if (options.wildcards !== 'literal' && text === '*') return () => true
    if (!/[*?$]/.test(text) && !options.ignoreCase) exact.add(text)
    else others.push(compilePattern(text, options))
  }
  if (others.length === 0) {
    if (exact.size === 1) { const [only] = exact; return (value) => value === only }
    return (value) => exact.has(value)
  }
  if (exact.size === 0 && others.length === 1) return others[0]!
  return (value, lookup) => {
    if (exact.has(value)) return true
    for (const matches of others) if (matches(value, lookup)) return true
    return false
  }
}

/** Wildcards as negative numbers, so that a compiled pattern is an array of character codes and these. */
const ANY_RUN = -1
const SEGMENT_RUN = -2
const ANY_ONE = -3
const SEGMENT_ONE = -4
type Wildcard = -1 | -2 | -3 | -4

interface Variable {
  key: string
  fallback: string | undefined
}

/** Source: IAM user guide, "IAM policy elements: Variables and tags": `${key}`, `${key, 'default'}`, and `${*}`, `${?}`, `${$}` for the characters themselves. */
function split(text: string, { hasVariables, wildcards }: PatternOptions): (string | Wildcard | Variable)[] {
  const parts: (string | Wildcard | Variable)[] = []
  const literal = (characters: string) => {
    if (typeof parts.at(-1) === 'string') parts.push(`${parts.pop() as string}${characters}`)
    else parts.push(characters)
  }
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!
    if (character === '$' && hasVariables && text[index + 1] === '{') {
      const end = text.indexOf('}', index)
      if (end > 0) {
        const name = text.slice(index + 2, end)
        if (name === '*' || name === '?' || name === '$') literal(name)
        else parts.push(parseVariable(name))
        index = end
        continue
      }
    }
    if (wildcards === 'literal' || (character !== '*' && character !== '?')) literal(character)
    else if (character === '?') parts.push(wildcards === 'arn' ? SEGMENT_ONE : ANY_ONE)
    else if (wildcards === 'arn' && index + 1 < text.length && text[index + 1] !== ':') parts.push(SEGMENT_RUN)
    else parts.push(ANY_RUN)
  }
  return parts
}

function parseVariable(name: string): Variable {
  const parts = /^\s*(?<key>[^,]*?)\s*(?:,\s*'(?<fallback>.*)'\s*)?$/s.exec(name)?.groups
  return { key: (parts?.key ?? name).toLowerCase(), fallback: parts?.fallback }
}

function lowerOutsideVariables(text: string): string {
  return text.replace(/\$\{[^}]*\}|[^$]+|\$/g, (part) => part.startsWith('${') ? part : part.toLowerCase())
}

function staticMatcher(parts: readonly (string | Wildcard)[]): Matcher {
  const [first, second] = parts
  if (parts.length === 0) return (value) => value === ''
  if (parts.length === 1 && typeof first === 'string') return (value) => value === first
  if (parts.length === 1 && first === ANY_RUN) return () => true
  if (parts.length === 2 && typeof first === 'string' && second === ANY_RUN) return (value) => value.startsWith(first)
  const codes = Int32Array.from(codesOf(parts))
  const literals = parts.filter((part) => typeof part === 'string')
  const prefix = typeof first === 'string' ? first : ''
  return (value) => value.startsWith(prefix) && hasInOrder(value, literals) && matchCodes(codes, value)
}

/** What every match has: a cheap look before the real one, as most values do not match. */
function hasInOrder(value: string, literals: readonly string[]): boolean {
  let from = 0
  for (const literal of literals) {
    const at = value.indexOf(literal, from)
    if (at < 0) return false
    from = at + literal.length
  }
  return true
}

/**
 * A variable's value stands for itself: a `*` in it is no wildcard. Without value and default, nothing matches.
 * Source: IAM user guide, "Variables and tags", policy variables with no value.
 */
function variableMatcher(parts: readonly (string | Wildcard | Variable)[]): Matcher {
  const isExact = parts.every((part) => typeof part !== 'number')
  return (value, lookup) => {
    const resolved: (string | Wildcard)[] = []
    for (const part of parts) {
      if (typeof part !== 'object') { resolved.push(part); continue }
      const text = single(lookup(part.key)) ?? part.fallback
      if (text === undefined) return false
      resolved.push(text)
    }
    return isExact ? value === resolved.join('') : matchCodes(Int32Array.from(codesOf(resolved)), value)
  }
}

/** Variables are for keys of one value. Source: "Variables and tags": multivalued keys cannot be used. */
function single(value: string | readonly string[] | undefined): string | undefined {
  if (typeof value === 'string' || value === undefined) return value
  return value.length === 1 ? value[0] : undefined
}

function codesOf(parts: readonly (string | Wildcard)[]): number[] {
  return parts.flatMap((part) => typeof part === 'number' ? [part] : Array.from({ length: part.length }, (_, at) => part.charCodeAt(at)))
}

const COLON = 58

/**
 * Two places to go back to suffice: the last run inside a segment, which grows until a colon, and the last run over everything,
 * which grows to the end. An earlier run never helps: whatever it would take, the later one can take as well.
 */
function matchCodes(codes: Int32Array, value: string): boolean {
  let at = 0
  let code = 0
  let anyCode = -1
  let anyAt = 0
  let segmentCode = -1
  let segmentAt = 0
  for (;;) {
    const wanted = code < codes.length ? codes[code]! : undefined
    if (wanted === ANY_RUN) {
      anyCode = ++code
      anyAt = at
      segmentCode = -1
      if (code === codes.length) return true
      continue
    }
    if (wanted === SEGMENT_RUN) {
      segmentCode = ++code
      segmentAt = at
      continue
    }
    if (at === value.length && wanted === undefined) return true
    if (at < value.length && wanted !== undefined) {
      const character = value.charCodeAt(at)
      if (wanted === character || wanted === ANY_ONE || (wanted === SEGMENT_ONE && character !== COLON)) {
        at++
        code++
        continue
      }
    }
    if (segmentCode >= 0 && segmentAt < value.length && value.charCodeAt(segmentAt) !== COLON) {
      at = ++segmentAt
      code = segmentCode
    } else if (anyCode >= 0 && anyAt < value.length) {
      at = ++anyAt
      code = anyCode
      segmentCode = -1
    } else {
      return false
    }
  }
}
