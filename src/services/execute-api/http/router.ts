// Selects the route of an HTTP API: a full match before a greedy one, literals before variables, a method before `ANY`, `$default` last.

import { decoded } from '#aws/http-payload/request-parts.ts'

export interface Routed<Route> {
  route: Route
  /** Decoded. */
  pathParameters: Record<string, string>
}

export interface Router<Route> {
  /** Undefined when no route takes the request, not even `$default`. The path is as it was sent; its segments are compared decoded. */
  find(method: string, path: string): Routed<Route> | undefined
}

interface Node<Route> {
  literals: Map<string, Node<Route>>
  variable: Node<Route> | undefined
  /** By method. */
  routes: Map<string, Keyed<Route>>
  greedy: Map<string, Keyed<Route>>
}

interface Keyed<Route> {
  route: Route
  /** Of the variables in its path, in order. */
  names: string[]
}

/**
 * Source: API Gateway developer guide, "Create routes for HTTP APIs": how a route is selected; whatever matches in full comes before what is greedy. A
 * route that lacks the method gives way to a less specific one that has it. An event that a user publishes, of 06-02-2022: behind a slash `{proxy+}`
 * may stand for nothing (`/handler/` is taken by `/handler/{proxy+}`, `/handler` is not). aws/aws-lambda-dotnet's LambdaTestTool, made beside AWS: a slash
 * at the end counts for other routes.
 */
export function createRouter<Route extends { routeKey: string }>(routes: Iterable<Route>): Router<Route> {
  const root = newNode<Route>()
  let fallback: Route | undefined
  for (const route of routes) {
    if (route.routeKey === '$default') fallback = route
    else insert(root, route)
  }
  return {
    find(method, path) {
      const segments = path.slice(1).split('/').map(decoded)
      const values: string[] = []
      const found = search(root, segments, 0, method, values, fullRoute) ?? search(root, segments, 0, method, values, greedyRoute)
      if (found) return { route: found.route, pathParameters: Object.fromEntries(found.names.map((name, index) => [name, values[index]!])) }
      return fallback && { route: fallback, pathParameters: {} }
    },
  }
}

function newNode<Route>(): Node<Route> {
  return { literals: new Map(), variable: undefined, routes: new Map(), greedy: new Map() }
}

function insert<Route extends { routeKey: string }>(root: Node<Route>, route: Route): void {
  const space = route.routeKey.indexOf(' ')
  const method = route.routeKey.slice(0, space)
  const names: string[] = []
  let node = root
  for (const segment of route.routeKey.slice(space + 2).split('/')) {
    const [, name, plus] = /^\{([^{}+]+)(\+?)\}$/.exec(segment) ?? []
    if (name !== undefined) names.push(name)
    if (plus === '+') {
      node.greedy.set(method, { route, names })
      return
    }
    if (name !== undefined) node = node.variable ??= newNode()
    else {
      let next = node.literals.get(segment)
      if (!next) node.literals.set(segment, next = newNode())
      node = next
    }
  }
  node.routes.set(method, { route, names })
}

/** Goes back where a more specific path has no route for the method. `values` holds what variables stand for, up to here. */
function search<Route>(
  node: Node<Route>, segments: readonly string[], index: number, method: string, values: string[], routeAt: RouteAt<Route>,
): Keyed<Route> | undefined {
  if (index < segments.length) {
    const segment = segments[index]!
    const literal = node.literals.get(segment)
    const exact = literal && search(literal, segments, index + 1, method, values, routeAt)
    if (exact) return exact
    if (node.variable && segment !== '') {
      values.push(segment)
      const found = search(node.variable, segments, index + 1, method, values, routeAt)
      if (found) return found
      values.pop()
    }
  }
  return routeAt(node, segments.slice(index), method, values)
}

/** The route that ends at a node, when these segments are left. */
type RouteAt<Route> = (node: Node<Route>, left: readonly string[], method: string, values: string[]) => Keyed<Route> | undefined

function fullRoute<Route>(node: Node<Route>, left: readonly string[], method: string): Keyed<Route> | undefined {
  return left.length === 0 ? forMethod(node.routes, method) : undefined
}

function greedyRoute<Route>(node: Node<Route>, left: readonly string[], method: string, values: string[]): Keyed<Route> | undefined {
  const greedy = left.length === 0 ? undefined : forMethod(node.greedy, method)
  if (greedy) values.push(left.join('/'))
  return greedy
}

function forMethod<Route>(routes: ReadonlyMap<string, Keyed<Route>>, method: string): Keyed<Route> | undefined {
  return routes.get(method) ?? routes.get('ANY')
}
