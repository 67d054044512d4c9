// Step 3: takes the request from the route's throttle and the account's.

import type { Metering } from '#services/apigateway/index.ts'
import type { CompiledRoute } from '../deployment.ts'
import type { HttpExchange } from '../exchange.ts'
import { tooManyRequests } from '../refusals.ts'

/** Source: API Gateway developer guide, "Throttle requests to your HTTP APIs": a route's own settings, else the stage's for all routes. @throws HttpRefusal 429. */
export async function meter(exchange: HttpExchange, { routeKey }: CompiledRoute, metering: Pick<Metering, 'admit'>): Promise<void> {
  const { stage, snapshot: { accountId, region, apiId } } = exchange.deployed!
  const settings = { ...stage.defaultRouteSettings, ...stage.routeSettings[routeKey] }
  const { throttlingRateLimit: rateLimit, throttlingBurstLimit: burstLimit } = settings
  const methodLimit = rateLimit === undefined && burstLimit === undefined ? undefined : { ...(rateLimit === undefined ? {} : { rateLimit }), ...(burstLimit === undefined ? {} : { burstLimit }) }
  const limit = await metering.admit({ accountId, region, apiId, stageName: stage.stageName, resourcePath: routeKey, httpMethod: '', methodLimit, grant: undefined })
  if (!limit) return
  exchange.trace.add('limits', { refusedBy: limit })
  throw tooManyRequests(`the ${limit === 'method throttle' ? 'route\'s' : 'account\'s'} throttle`)
}
