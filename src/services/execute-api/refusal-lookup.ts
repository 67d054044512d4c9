// The variables that gateway responses may name.

import type { GatewayRefusal } from './gateway-responses.ts'
import type { Exchange } from './rest/exchange.ts'
import { sourceValue } from './rest/parameter-mapping.ts'

/** Source: developer guide, "`$context` variables", `$context.error.*`, and "Set up gateway responses". */
export function refusalLookup(
  { call, route, requestId, extendedRequestId, request, address }: Exchange,
  refusal: GatewayRefusal,
): (name: string) => string | undefined {
  const known: Record<string, string | undefined> = {
    'context.error.message': refusal.message,
    'context.error.messageString': JSON.stringify(refusal.message),
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
    if (call) return sourceValue(call, name, undefined)
    const [root, key] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)]
    if (root === 'stageVariables') return route?.deployed.stage.variables[key]
    return name.startsWith('method.request.header.') ? request.headers.get(name.slice('method.request.header.'.length)) : undefined
  }
}
