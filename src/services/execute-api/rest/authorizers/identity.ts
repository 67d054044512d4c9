// The values of an authorizer's identity sources in a request.

import type { RequestValues } from '../../request-values.ts'
import { factsOf } from '../call-facts.ts'
import type { Exchange, Route } from '../exchange.ts'
import type { CompiledAuthorizer } from './compile.ts'

/**
 * The values in the order of the sources, or undefined when one is missing or empty: then nobody is asked.
 * Source: API Gateway API reference, CreateAuthorizer, `identitySource`.
 */
export function identityOf({ sources }: CompiledAuthorizer, exchange: Exchange, route: Route, values: RequestValues): string[] | undefined {
  const found = sources.map((source) => valueOf(source, exchange, route, values))
  return found.every((value) => value !== undefined && value !== '') ? found as string[] : undefined
}

function valueOf(source: string, exchange: Exchange, route: Route, { parameters }: RequestValues): string | undefined {
  const header = after('method.request.header.', source)
  if (header !== undefined) return exchange.request.headers.get(header)
  const query = after('method.request.querystring.', source)
  if (query !== undefined) return parameters.querystring[query]
  const variable = after('stageVariables.', source)
  if (variable !== undefined) return route.deployed.stage.variables[variable]
  const context = after('context.', source)
  return context === undefined ? undefined : contextValue(exchange, route, context)
}

const after = (prefix: string, text: string): string | undefined => (text.startsWith(prefix) ? text.slice(prefix.length) : undefined)

function contextValue(exchange: Exchange, route: Route, path: string): string | undefined {
  const given = exchange.test?.context?.[path]
  if (given !== undefined) return given
  let value: unknown = factsOf(exchange, route, undefined)
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}
