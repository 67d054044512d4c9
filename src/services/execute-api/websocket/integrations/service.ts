// AWS integrations with services of this server: an action or a path, called in the name of the integration's role.

import { formatArn } from '#aws/arn.ts'
import type { ServiceCalls } from '#aws/service-calls.ts'
import type { Clock } from '#lib/clock.ts'
import { filledUri, queryOf } from '../../backends/address.ts'
import type { HeaderLine } from '../../backends/header-lines.ts'
import { backendOf } from '../../backends/service-uri.ts'
import { configurationError, endpointTimedOut } from '../../gateway-responses.ts'
import type { GatewayRoles } from '../../gateway-role.ts'
import { notServed } from '../../not-served.ts'
import { tracedBody } from '../../traced-body.ts'
import type { SocketCall, SocketRequest, SocketResult } from '../exchange.ts'
import { timeoutOf } from './timeout.ts'

export interface ServiceOptions {
  services: ServiceCalls
  gatewayRoles: GatewayRoles
  clock: Clock
}

/**
 * A refusal of the service is its answer, for a response pattern to match by its status.
 *
 * @throws GatewayRefusal 504 after the timeout; 500 without a role, or with one that does not trust API Gateway. NotServed for a service that is
 * not here.
 */
export async function callService(call: SocketCall, request: SocketRequest, { services, gatewayRoles, clock }: ServiceOptions): Promise<SocketResult> {
  const { exchange, route, integration: { definition }, deployed: { snapshot: { accountId, region, apiId }, stage } } = call
  const backend = backendOf(filledUri(definition.integrationUri ?? '', request.path, stage.stageVariables))
  if (!backend) throw configurationError('Invalid endpoint address')
  if (!services.serves(backend.service, backend.target)) throw notServed(`integrations with ${backend.service} (${Object.keys(backend.target)[0]})`)
  if (!definition.credentialsArn) throw configurationError('Role ARN must be specified for AWS integrations')
  const sourceArn = formatArn({ service: 'execute-api', region, accountId, resource: `${apiId}/${stage.stageName}/${route.routeKey}` })
  const caller = await gatewayRoles.callerFor(definition.credentialsArn, accountId, sourceArn)
  const { rawQuery: ownQuery, ...target } = backend
  const rawQuery = [ownQuery, queryOf(request.querystring)].filter((part) => part !== '').join('&')
  const known = exchange.integrationCall = { uri: `https://${backend.service}.${backend.region}.amazonaws.com/`, body: request.body, sentAtMs: clock.now() }
  const startedAt = clock.monotonic()
  const answered = new AbortController()
  const facts = { type: definition.integrationType, service: backend.service, ...backend.target, callerArn: caller.arn }
  try {
    const answer = await Promise.race([
      services.call({ ...target, rawQuery, caller, trace: exchange.trace, method: definition.integrationMethod ?? 'POST', headers: headersFor(request), body: request.body }),
      clock.sleep(timeoutOf(call), answered.signal).then(() => undefined),
    ])
    const latencyMs = clock.monotonic() - startedAt
    if (!answer) {
      Object.assign(known, { latencyMs, error: 'Execution failed due to a timeout error' })
      exchange.trace.add('integration', { ...facts, timedOutAfterMs: timeoutOf(call) })
      throw endpointTimedOut()
    }
    Object.assign(known, { latencyMs, status: answer.status, answer: answer.body, requestId: [answer.headers['x-amzn-RequestId']].flat()[0] })
    exchange.trace.add('integration', {
      ...facts, status: answer.status, latencyMs: Math.round(latencyMs), ...call.mayTraceBodies && { request: tracedBody(request.body), response: tracedBody(answer.body) },
    })
    return { ...answer, isFunction: false }
  } finally {
    answered.abort('answered')
  }
}

function headersFor({ headers }: SocketRequest): HeaderLine[] {
  const mapped = Object.entries(headers)
  const has = (name: string) => mapped.some(([one]) => one.toLowerCase() === name)
  return [...mapped, ...has('accept') ? [] : [['Accept', 'application/json'] as const], ...has('content-type') ? [] : [['Content-Type', 'application/json'] as const]]
}
