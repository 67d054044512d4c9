// Step 6: takes the request from every limit that applies to it: its key's throttle and quota, the method's and the account's throttle.

import type { Metering, RateLimit, RefusingLimit } from '#services/apigateway/index.ts'
import { GatewayRefusal } from '../../gateway-responses.ts'
import { masked } from '../../mask.ts'
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
  if (!limit) return
  const logLine = lineOf(limit, { exchange, method, deployed }, key, methodLimit)
  throw limit === 'quota' ? new GatewayRefusal('QUOTA_EXCEEDED', 'Limit Exceeded', { logLine }) : new GatewayRefusal('THROTTLED', 'Too Many Requests', { logLine })
}

/**
 * Source: AWS re:Post, "How can I troubleshoot 429 errors for API Gateway" (limits of keys); a log published in public tests (a method's throttle).
 * Ours: the account's throttle has the method's sentence, without figures.
 */
function lineOf(
  limit: RefusingLimit, { exchange, method, deployed }: Pick<Route, 'method' | 'deployed'> & { exchange: Exchange }, key: RequestKey | undefined, methodLimit: RateLimit | undefined,
): string {
  const { snapshot: { apiId }, stage: { stageName } } = deployed
  const target = `RestApi ${apiId}, Stage ${stageName}, Resource ${method.resource.id}, HttpMethod ${exchange.request.method}.`
  if (limit === 'account throttle') return `Key throttle limit exceeded for ${target}`
  if (limit === 'method throttle' || !key) return `Key throttle limit exceeded for ${target}${figures(methodLimit)}`
  const { planId, quota, throttle, methodThrottles } = key.grant
  const exceeded = (what: string) => `API Key ${masked(key.value)} exceeded ${what} limit for API Stage ${apiId}/${stageName}: `
  if (limit === 'quota') return `${exceeded('quota')}Key quota exhausted for Usage Plan ID ${planId}. Limit: ${quota?.limit} Period: ${quota?.period}`
  const own = new Map(Object.entries(methodThrottles)).get(`${method.resource.path}/${method.definition.httpMethod}`)
  return `${exceeded('throttle')}Key throttle limit exceeded for Usage Plan ID ${planId}, ${target}${figures(own ?? throttle)}`
}

function figures({ rateLimit, burstLimit }: RateLimit = {}): string {
  return `${rateLimit === undefined ? '' : ` Limit: ${rateLimit.toFixed(2)}`}${burstLimit === undefined ? '' : ` Burst: ${burstLimit}`}`
}
