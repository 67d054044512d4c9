// Finds the resource and method of a path: literal segments before `{variables}` before `{proxy+}`, and `ANY` after the method itself.

import { decoded } from '../address.ts'

/** What a router finds for a method of a resource. */
export interface Routed<Method> {
  method: Method
  /** Decoded. */
  pathParameters: Record<string, string>
  /** As they were sent. */
  rawPathParameters: Record<string, string>
}

interface Node<Method> {
  literals: Map<string, Node<Method>>
  variables: { name: string, node: Node<Method> }[]
  proxies: { name: string, methods: ReadonlyMap<string, Method> }[]
  methods: ReadonlyMap<string, Method> | undefined
}

export interface Router<Method> {
  /**
   * The method that serves a path, or undefined. A resource that lacks the method gives way to a less specific one that has it.
   * Observed: AWS, recorded by localstack's test_proxy_routing_with_hardcoded_resource_sibling; a slash at the end is ignored.
   */
  find(httpMethod: string, path: string): Routed<Method> | undefined
}

/** Builds a router. `path` is the resource's full path, methods are by HTTP method or `ANY`. */
export function createRouter<Method>(resources: readonly { path: string, methods: ReadonlyMap<string, Method> }[]): Router<Method> {
  const root = newNode<Method>()
  for (const { path, methods } of resources) insert(root, segmentsOf(path), methods)
  return {
    find(httpMethod, path) {
      const rawPathParameters: Record<string, string> = {}
      const method = search(root, segmentsOf(path), 0, httpMethod, rawPathParameters)
      if (method === undefined) return undefined
      const pathParameters = Object.fromEntries(Object.entries(rawPathParameters).map(([name, value]) => [name, decoded(value)]))
      return { method, pathParameters, rawPathParameters }
    },
  }
}

function newNode<Method>(): Node<Method> {
  return { literals: new Map(), variables: [], proxies: [], methods: undefined }
}

function segmentsOf(path: string): string[] {
  // By hand: a pattern for slashes at the end would try at every slash of a path of thousands.
  let end = path.length
  while (end > 0 && path[end - 1] === '/') end--
  return end === 0 ? [] : path.slice(1, end).split('/')
}

function insert<Method>(root: Node<Method>, segments: readonly string[], methods: ReadonlyMap<string, Method>): void {
  let node = root
  for (const segment of segments) {
    const name = /^\{(.+?)(\+?)\}$/.exec(segment)
    if (name?.[2] === '+') {
      node.proxies.push({ name: name[1]!, methods })
      return
    }
    if (name) {
      let next = node.variables.find((variable) => variable.name === name[1])
      if (!next) node.variables.push(next = { name: name[1]!, node: newNode() })
      node = next.node
    } else {
      let next = node.literals.get(segment)
      if (!next) node.literals.set(segment, next = newNode())
      node = next
    }
  }
  node.methods = methods
}

function search<Method>(
  node: Node<Method>,
  segments: readonly string[],
  at: number,
  httpMethod: string,
  parameters: Record<string, string>,
): Method | undefined {
  if (at === segments.length) return node.methods && pick(node.methods, httpMethod)
  const segment = segments[at]!
  const literal = node.literals.get(segment) ?? node.literals.get(decoded(segment))
  const viaLiteral = literal && search(literal, segments, at + 1, httpMethod, parameters)
  if (viaLiteral !== undefined) return viaLiteral
  if (segment !== '') {
    for (const { name, node: next } of node.variables) {
      const found = search(next, segments, at + 1, httpMethod, parameters)
      if (found !== undefined) {
        parameters[name] = segment
        return found
      }
    }
  }
  for (const { name, methods } of node.proxies) {
    const found = pick(methods, httpMethod)
    if (found !== undefined) {
      parameters[name] = segments.slice(at).join('/')
      return found
    }
  }
  return undefined
}

function pick<Method>(methods: ReadonlyMap<string, Method>, httpMethod: string): Method | undefined {
  return methods.get(httpMethod) ?? methods.get('ANY')
}
