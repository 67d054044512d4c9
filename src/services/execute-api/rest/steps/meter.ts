// Step 6: takes the request from every limit that applies to it: its key's throttle and quota, the method's and the account's throttle.

import type { Metering, RefusingLimit } from '#services/apigateway/index.ts'
import { GatewayRefusal } from '../../gateway-responses.ts'
import type { Exchange, Route } from '../exchange.ts'
import { methodSetting } from '../method-settings.ts'
import type { RequestKey } from './identify-key.ts'

/**
 * Source: API Gateway developer guide, "Gateway response types", THROTTLED and QUOTA_EXCEEDED; the sentences are those of public reports.
 *
 * @throws GatewayRefusal 429.
 */
export async function meter(exchange: Exchange, { method, deployed }: Route, key: RequestKey | undefined, metering: Metering): Promise<void> {
  const { stage, snapshot: { accountId, region, apiId } } = deployed
  const { resource: { path: resourcePath }, definition: { httpMethod } } = method
  const setting = methodSetting(stage, resourcePath, httpMethod)
  const methodLimit = setting && { rateLimit: setting.throttlingRateLimit, burstLimit: setting.throttlingBurstLimit }
  const limit = await metering.admit({ accountId, region, apiId, stageName: stage.stageName, resourcePath, httpMethod, methodLimit, grant: key?.grant })
  if (key || limit) exchange.trace.add('limits', limit ? { refusedBy: limit } : { admitted: true })
  if (limit) throw refusal(limit)
}

function refusal(limit: RefusingLimit): GatewayRefusal {
  return limit === 'quota' ? new GatewayRefusal('QUOTA_EXCEEDED', 'Limit Exceeded') : new GatewayRefusal('THROTTLED', 'Too Many Requests')
}
