// Finds the operation of a REST request by method, path and, where the model says so, a query parameter.

import type { OperationModel } from '../model.ts'

export interface RouteMatch {
  operation: OperationModel
  labels: Readonly<Record<string, string>>
}

export type Router = (method: string, path: string, rawQuery: string) => RouteMatch | undefined

/** One segment of the tree of paths. Literals win over labels, labels over the greedy ones that take the rest of the path. */
interface PathNode {
  literals: Map<string, PathNode>
  label?: PathNode
  greedy?: PathNode
  ends: PathEnd[]
}

interface PathEnd {
  operation: OperationModel
  /** In the order of the path. */
  labelNames: readonly string[]
  /** `?name=value` of the model's request line, each needed. */
  query: readonly (readonly [name: string, value: string])[]
}

const newNode = (): PathNode => ({ literals: new Map(), ends: [] })

/** A router over request lines such as `PUT /restapis/{restapi_id}?mode=merge`. A trailing slash makes no difference. */
export function createRouter(operations: readonly OperationModel[]): Router {
  const root = newNode()
  for (const operation of operations) add(root, operation)
  return (method, path, rawQuery) => {
    const segments = segmentsOf(path)
    const labels: string[] = []
    const end = find(root, segments, 0, labels, method, new URLSearchParams(rawQuery))
    if (!end) return undefined
    const decoded: Record<string, string> = {}
    for (const [index, name] of end.labelNames.entries()) {
      const text = decodeSegment(labels[index]!)
      if (text === undefined) return undefined
      decoded[name] = text
    }
    return { operation: end.operation, labels: decoded }
  }
}

function add(root: PathNode, operation: OperationModel): void {
  const [path, query = ''] = operation.requestUri.split('?') as [string, string | undefined]
  const labelNames: string[] = []
  let node = root
  for (const segment of segmentsOf(path)) {
    const label = /^\{([^}+]+)(\+)?\}$/.exec(segment)
    if (!label) {
      let child = node.literals.get(segment)
      if (!child) node.literals.set(segment, child = newNode())
      node = child
      continue
    }
    labelNames.push(label[1]!)
    node = label[2] ? (node.greedy ??= newNode()) : (node.label ??= newNode())
  }
  node.ends.push({ operation, labelNames, query: [...new URLSearchParams(query)] })
  // The more a request line asks for, the sooner it is tried.
  node.ends.sort((a, b) => b.query.length - a.query.length)
}

function find(node: PathNode, segments: readonly string[], at: number, labels: string[], method: string, query: URLSearchParams): PathEnd | undefined {
  if (at === segments.length) {
    return node.ends.find((end) => end.operation.method === method && end.query.every(([name, value]) => query.get(name) === value))
  }
  const segment = segments[at]!
  const literal = node.literals.get(segment)
  const byLiteral = literal && find(literal, segments, at + 1, labels, method, query)
  if (byLiteral) return byLiteral
  if (node.label && segment !== '') {
    labels.push(segment)
    const byLabel = find(node.label, segments, at + 1, labels, method, query)
    if (byLabel) return byLabel
    labels.pop()
  }
  if (!node.greedy) return undefined
  // Labels after a greedy one do not occur in AWS's models.
  labels.push(segments.slice(at).join('/'))
  const byGreedy = find(node.greedy, [], 0, labels, method, query)
  if (!byGreedy) labels.pop()
  return byGreedy
}

/** Slashes at the beginning count once, as in a signature: `//restapis` is what a client sends whose endpoint ends with a slash. */
function segmentsOf(path: string): string[] {
  const segments = path.split('/')
  const first = segments.findIndex((segment) => segment !== '')
  return first === -1 ? [] : segments.slice(first, segments.at(-1) === '' ? -1 : undefined)
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
