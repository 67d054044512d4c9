// Step 4: whose API key it is, where the method asks for one. Of an unsigned call the body has not been read yet.

import type { KeyGrant, Metering } from '#services/apigateway/index.ts'
import { GatewayRefusal } from '../../gateway-responses.ts'
import type { Exchange, Route } from '../exchange.ts'

/** A request's API key, that may call the stage. The value must not enter a trace or a log. */
export interface RequestKey {
  value: string
  grant: KeyGrant
}

/**
 * Source: API Gateway developer guide, "Choose an API key source in API Gateway": the header `x-api-key`, or what the Lambda authorizer of the
 * method answered as `usageIdentifierKey`.
 *
 * @throws GatewayRefusal 403 without a key, and for one that is unknown, disabled, or of no usage plan that has the stage.
 */
export async function identifyKey(exchange: Exchange, { method, deployed }: Route, metering: Metering): Promise<RequestKey | undefined> {
  if (!method.definition.apiKeyRequired) return undefined
  const { apiKeySource, accountId, region, apiId } = deployed.snapshot
  const isHeader = apiKeySource === 'HEADER'
  const value = isHeader ? exchange.request.headers.get('x-api-key') : exchange.authorized?.usageIdentifierKey
  if (value === undefined || value === '') throw refusal(exchange, { because: isHeader ? 'no x-api-key header' : 'no usageIdentifierKey of an authorizer' })
  const found = await metering.findKey({ accountId, region, apiId, stageName: deployed.stage.stageName }, value)
  if (found.is === 'refused') {
    throw refusal(exchange, { because: found.because, key: masked(value), ...(found.keyId === undefined ? {} : { keyId: found.keyId }) })
  }
  const { keyId, planId } = found.grant
  exchange.trace.add('api-key', { keyId, key: masked(value), usagePlanId: planId })
  return { value, grant: found.grant }
}

/** Source: API Gateway developer guide, "Gateway response types", INVALID_API_KEY; the sentence is that of public reports. */
function refusal(exchange: Exchange, facts: Record<string, string>): GatewayRefusal {
  exchange.trace.add('api-key', { refused: true, ...facts })
  return new GatewayRefusal('INVALID_API_KEY', 'Forbidden')
}

/** Source: public reports of execution logs: the last six characters are legible. */
function masked(value: string): string {
  return `${'*'.repeat(Math.min(Math.max(value.length - 6, 0), 34))}${value.length > 12 ? value.slice(-6) : '*'.repeat(Math.min(value.length, 6))}`
}
