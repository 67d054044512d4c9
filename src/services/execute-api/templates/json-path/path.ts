// JSONPath as Jayway's library reads and evaluates it, which differs from RFC 9535: definite paths give a value, others a list.

import { JavaList, JavaMap, type Value } from '../values.ts'
import { applyFunction } from './functions.ts'
import type { Filter } from './filter.ts'
import { parsePath } from './parse.ts'

export type Token =
  | { is: 'properties', names: readonly string[] }
  | { is: 'indexes', indexes: readonly number[] }
  | { is: 'slice', from: number | undefined, to: number | undefined }
  | { is: 'wildcard' }
  | { is: 'scan' }
  | { is: 'filter', matches: Filter }
  | { is: 'function', name: string, args: readonly FunctionArgument[] }

export type FunctionArgument = { value: Value } | { path: JsonPath }

/** The path is not a JSONPath. */
export class JsonPathError extends Error {}

/** A compiled path. */
export class JsonPath {
  readonly tokens: readonly Token[]
  /** `@` paths in filters begin at the item, `$` paths at the document. */
  readonly startsAt: 'document' | 'item'
  /** A definite path names at most one value and gives it; any other gives a list, empty when nothing matches. */
  readonly isDefinite: boolean

  constructor(tokens: readonly Token[], startsAt: 'document' | 'item') {
    this.tokens = tokens
    this.startsAt = startsAt
    this.isDefinite = tokens.every((token, index) => isDefiniteToken(token, index === tokens.length - 1))
  }

  /** @throws JsonPathError */
  static compile(text: string): JsonPath {
    return parsePath(text)
  }

  /** The value at the path, a list of the values for indefinite paths, or undefined when a definite path leads nowhere. */
  read(document: Value, item: Value = document): Value {
    const found: Value[] = []
    const isFound = walk(this.tokens, 0, this.startsAt === 'document' ? document : item, { document, found, isUpstreamDefinite: true })
    if (!isFound) return undefined
    return this.isDefinite ? found[0] : new JavaList(found, 'json')
  }
}

function isDefiniteToken(token: Token, isLeaf: boolean): boolean {
  switch (token.is) {
    case 'properties': return token.names.length === 1 || isLeaf
    case 'indexes': return token.indexes.length === 1
    case 'function': return true
    default: return false
  }
}

interface Walk {
  document: Value
  found: Value[]
  isUpstreamDefinite: boolean
}

/** False when a path that is definite so far leads nowhere. */
function walk(tokens: readonly Token[], at: number, model: Value, state: Walk): boolean {
  const token = tokens[at]
  if (token === undefined) {
    state.found.push(model)
    return true
  }
  const isLeaf = at === tokens.length - 1
  const wasDefinite = state.isUpstreamDefinite
  state.isUpstreamDefinite = wasDefinite && isDefiniteToken(token, isLeaf)
  const result = step(token, tokens, at, model, state, wasDefinite, isLeaf)
  state.isUpstreamDefinite = wasDefinite
  return result
}

function step(token: Token, tokens: readonly Token[], at: number, model: Value, state: Walk, wasDefinite: boolean, isLeaf: boolean): boolean {
  const follow = (next: Value): boolean => walk(tokens, at + 1, next, state)
  switch (token.is) {
    case 'properties': return stepProperties(token.names, model, wasDefinite, isLeaf, follow)
    case 'indexes': {
      if (!(model instanceof JavaList)) return !wasDefinite
      for (const index of token.indexes) {
        const position = index < 0 ? model.items.length + index : index
        if (position >= 0 && position < model.items.length) follow(model.items[position])
        else if (state.isUpstreamDefinite) return false
      }
      return true
    }
    case 'slice': {
      if (!(model instanceof JavaList)) return !wasDefinite
      for (const next of model.items.slice(token.from ?? 0, token.to ?? model.items.length)) follow(next)
      return true
    }
    case 'wildcard':
      for (const next of childrenOf(model)) follow(next)
      return true
    case 'filter':
      if (model instanceof JavaList) {
        for (const next of model.items) if (token.matches(state.document, next)) follow(next)
      } else if (model instanceof JavaMap && token.matches(state.document, model)) follow(model)
      return true
    case 'scan':
      scan(tokens, at + 1, model, state)
      return true
    case 'function': return follow(applyFunction(token.name, token.args, model, state.document))
  }
}

function stepProperties(
  names: readonly string[],
  model: Value,
  wasDefinite: boolean,
  isLeaf: boolean,
  follow: (next: Value) => boolean,
): boolean {
  if (!(model instanceof JavaMap)) return !wasDefinite
  if (names.length === 1) {
    const [name] = names
    if (!model.entries.has(name)) return !wasDefinite
    return follow(model.entries.get(name)) || !wasDefinite
  }
  const present = names.filter((name) => model.entries.has(name))
  if (isLeaf) return follow(new JavaMap(new Map(present.map((name) => [name, model.entries.get(name)]))))
  for (const name of present) follow(model.entries.get(name))
  return true
}

function childrenOf(model: Value): Iterable<Value> {
  if (model instanceof JavaList) return model.items
  return model instanceof JavaMap ? model.entries.values() : []
}

/** Deep scan: the rest of the path is tried at the value itself and at everything below, parents first. */
function scan(tokens: readonly Token[], at: number, model: Value, state: Walk): void {
  const next = tokens[at]!
  if (isCandidate(next, model)) walk(tokens, at, model, state)
  for (const child of childrenOf(model)) {
    if (child instanceof JavaList || child instanceof JavaMap) scan(tokens, at, child, state)
  }
}

function isCandidate(next: Token, model: Value): boolean {
  switch (next.is) {
    case 'properties': return model instanceof JavaMap && next.names.every((name) => model.entries.has(name))
    case 'indexes': case 'slice': return model instanceof JavaList
    case 'filter': return model instanceof JavaList || model instanceof JavaMap
    default: return true
  }
}

/** Compiled paths of one template; a path is compiled at its first use. */
export class JsonPaths {
  readonly #compiled = new Map<string, JsonPath>()

  /** @throws JsonPathError */
  get(text: string): JsonPath {
    const known = this.#compiled.get(text)
    if (known) return known
    const path = JsonPath.compile(text)
    if (this.#compiled.size >= PATHS_KEPT_MAX) this.#compiled.delete(this.#compiled.keys().next().value!)
    this.#compiled.set(text, path)
    return path
  }
}

/** Compiled paths kept for a template; beyond that the oldest is dropped. */
const PATHS_KEPT_MAX = 500
