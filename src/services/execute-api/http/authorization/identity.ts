// The values that tell an authorizer's callers apart.

import { headerOf, joined, requestParts } from '#aws/http-payload/request-parts.ts'
import { contextValue } from '../context.ts'
import { valueOf } from '../expressions.ts'
import type { HttpExchange } from '../exchange.ts'

const NO_BODY = Buffer.alloc(0)

/**
 * Source: API Gateway developer guide, "Control access to HTTP APIs with AWS Lambda authorizers", identity sources: all of them must be there and not
 * empty. Undefined when one is not.
 */
export function identityValues(exchange: HttpExchange, sources: readonly string[]): string[] | undefined {
  const { request, deployed, target, pathParameters = {} } = exchange
  const parts = requestParts(request, undefined, exchange)
  const query = joined(parts.query)
  const values = sources.map((source) => valueOf(source, {
    request: {
      header: (name) => headerOf(parts, name), querystring: (name) => Object.hasOwn(query, name) ? query[name] : undefined, path: target.path, pathParameter: (name) => pathParameters[name], body: NO_BODY,
    },
    context: (name) => contextValue(exchange, name),
    stageVariable: (name) => deployed?.stage.stageVariables[name],
  }))
  return values.every((value) => value !== undefined && value !== '') ? values as string[] : undefined
}
