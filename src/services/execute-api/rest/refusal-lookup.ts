// The variables that gateway responses may name.

import type { GatewayRefusal } from '../gateway-responses.ts'
import { requestValues } from '../request-values.ts'
import { factsOf } from './call-facts.ts'
import type { Exchange } from './exchange.ts'

/**
 * What is known when a request is refused, which may be before its body was read; of a caller whom an authorizer denied, what it told.
 * Source: developer guide, "`$context` variables", `$context.error.*`, and "Set up gateway responses".
 */
export function refusalLookup(exchange: Exchange, refusal: GatewayRefusal): (name: string) => string | undefined {
  const { call, route, claim, requestId, extendedRequestId, request, address } = exchange
  const known: Record<string, string | undefined> = {
    'context.error.message': refusal.shownMessage ?? undefined,
    'context.error.messageString': JSON.stringify(refusal.shownMessage),
    'context.error.responseType': refusal.type,
    'context.error.validationErrorString': refusal.validationErrors,
    'context.requestId': requestId,
    'context.extendedRequestId': extendedRequestId,
    'context.httpMethod': request.method,
    'context.identity.sourceIp': request.remoteAddress,
    'context.stage': address?.stageName,
    'context.apiId': address?.apiId,
    'context.resourcePath': route?.method.resource.path || undefined,
  }
  return (name) => {
    if (Object.hasOwn(known, name)) return known[name]
    const [root, ...path] = name.split('.')
    if (root === 'context') return valueAt(call?.facts ?? (route && factsOf(exchange, route, claim)), path)
    if (root === 'stageVariables') return route?.deployed.stage.variables[path.join('.')]
    return root === 'method' && path[0] === 'request' ? parameter(exchange, path[1] ?? '', path.slice(2).join('.')) : undefined
  }
}

function valueAt(facts: unknown, path: readonly string[]): string | undefined {
  let value = facts
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

/** Source: developer guide, "Set up gateway responses": headers may take header, path and query parameters of the request. */
function parameter(exchange: Exchange, place: string, name: string): string | undefined {
  const { request, route } = exchange
  const { parameters } = requestValues(exchange, route?.pathParameters ?? {})
  switch (place) {
    case 'header': return request.headers.get(name)
    case 'path': return parameters.path[name]
    case 'querystring': return parameters.querystring[name]
    default: return undefined
  }
}
