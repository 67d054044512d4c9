// Step 3: whose API key a handshake brought, where `$connect` asks for one; and, of every event, what is left of the limits.

import type { Metering } from '#services/apigateway/index.ts'
import { GatewayRefusal } from '../../gateway-responses.ts'
import { masked } from '../../mask.ts'
import type { CompiledSocketRoute } from '../deployment.ts'
import type { SocketExchange } from '../exchange.ts'

/**
 * Source: API Gateway developer guide, "WebSocket selection expressions", API key selection: the header `x-api-key`, or what the authorizer
 * answered as `usageIdentifierKey`.
 *
 * @throws GatewayRefusal 403 without a key, and for one that is unknown, disabled, or of no usage plan that has the stage.
 */
export async function identifyKey(exchange: SocketExchange, { definition }: CompiledSocketRoute, metering: Pick<Metering, 'findKey'>): Promise<void> {
  if (!definition.apiKeyRequired) return
  const { snapshot: { accountId, region, apiId, apiKeySelectionExpression }, stage } = exchange.deployed!
  const isHeader = apiKeySelectionExpression !== '$context.authorizer.usageIdentifierKey'
  const value = isHeader ? exchange.handshake?.headers.get('x-api-key') : exchange.usageIdentifierKey
  if (value === undefined || value === '') throw refusal(exchange, { because: isHeader ? 'no x-api-key header' : 'no usageIdentifierKey of an authorizer' })
  const found = await metering.findKey({ accountId, region, apiId, stageName: stage.stageName }, value)
  if (found.is === 'refused') {
    throw refusal(exchange, { because: found.because, key: masked(value), ...(found.keyId === undefined ? {} : { keyId: found.keyId }) })
  }
  const { keyId, planId } = found.grant
  exchange.trace.add('api-key', { keyId, key: masked(value), usagePlanId: planId })
  exchange.key = { value, grant: found.grant }
  exchange.client.identity = { apiKey: value, apiKeyId: keyId, ...exchange.client.identity }
}

function refusal(exchange: SocketExchange, facts: Record<string, string>): GatewayRefusal {
  exchange.trace.add('api-key', { refused: true, ...facts })
  return new GatewayRefusal('INVALID_API_KEY', 'Forbidden')
}

/**
 * Source: API Gateway v2 API reference, Stage, `routeSettings`: a route's own throttle, else the stage's; the account's is that of all its APIs. Ours:
 * a handshake counts for its key, messages do not.
 *
 * @throws GatewayRefusal 429.
 */
export async function meter(exchange: SocketExchange, { routeKey }: CompiledSocketRoute, metering: Pick<Metering, 'admit'>): Promise<void> {
  const { stage, snapshot: { accountId, region, apiId } } = exchange.deployed!
  const { throttlingRateLimit: rateLimit, throttlingBurstLimit: burstLimit } = { ...stage.defaultRouteSettings, ...stage.routeSettings[routeKey] }
  const methodLimit = rateLimit === undefined && burstLimit === undefined ? undefined : { ...rateLimit !== undefined && { rateLimit }, ...burstLimit !== undefined && { burstLimit } }
  const limit = await metering.admit({ accountId, region, apiId, stageName: stage.stageName, resourcePath: routeKey, httpMethod: '', methodLimit, grant: exchange.key?.grant })
  if (!limit) return
  exchange.trace.add('limits', { refusedBy: limit })
  throw limit === 'quota' ? new GatewayRefusal('QUOTA_EXCEEDED', 'Limit Exceeded') : new GatewayRefusal('THROTTLED', 'Too Many Requests')
}
