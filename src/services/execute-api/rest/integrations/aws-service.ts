// AWS integrations with services of this server: an action or a path of DynamoDB, STS, CloudWatch Logs, Lambda, …, called with a role.

import type { Caller } from '#aws/caller.ts'
import type { ServiceAnswer, ServiceCall, ServiceCalls } from '#aws/service-calls.ts'
import type { Clock } from '#lib/clock.ts'
import { filledUri, queryOf, withStageVariables } from '../../backends/address.ts'
import { backendOf } from '../../backends/service-uri.ts'
import { configurationError, endpointTimedOut } from '../../gateway-responses.ts'
import type { GatewayRoles } from '../../gateway-role.ts'
import { notServed } from '../../not-served.ts'
import { PAYLOAD_BYTES_MAX } from '../../payload-limit.ts'
import { tracedBody } from '../../traced-body.ts'
import type { ApiCall, IntegrationRequest, IntegrationResult } from '../exchange.ts'
import { backendHeaders } from './backend-headers.ts'
import { sourceArnOf } from './source-arn.ts'
import { integrationTimeoutMs } from './timeout.ts'

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
export async function callService(call: ApiCall, request: IntegrationRequest, options: ServiceOptions): Promise<IntegrationResult> {
  const { integration, route } = call
  const backend = backendOf(filledUri(integration.definition.uri ?? '', request.path, route.deployed.stage.variables))
  if (!backend) throw configurationError('Invalid endpoint address')
  if (!options.services.serves(backend.service, backend.target)) throw notServed(`integrations with ${backend.service} (${Object.keys(backend.target)[0]})`)
  const answer = await send(call, {
    service: backend.service, region: backend.region, target: backend.target,
    method: methodOf(call), body: request.body, headers: backendHeaders(call, request),
    rawQuery: [backend.rawQuery, queryOf(request.querystring)].filter((part) => part !== '').join('&'),
  }, options)
  if (answer.body.length > PAYLOAD_BYTES_MAX) {
    throw configurationError(`Integration response of reported length ${answer.body.length} is larger than allowed maximum of ${PAYLOAD_BYTES_MAX} bytes.`)
  }
  return { ...answer, isFinal: false }
}

function methodOf({ integration, exchange }: ApiCall): string {
  const { httpMethod = 'ANY' } = integration.definition
  return httpMethod === 'ANY' ? exchange.request.method : httpMethod
}

/** Makes a service's call in the name that the integration's `credentials` give, and waits no longer than the integration's timeout. */
export async function send(call: ApiCall, given: Omit<ServiceCall, 'caller' | 'trace'>, options: ServiceOptions): Promise<ServiceAnswer> {
  const { exchange, integration, route } = call
  const { services, clock } = options
  const caller = await callerOf(call, options)
  const timeoutMs = integrationTimeoutMs(call)
  const address = 'action' in given.target ? '/' : given.target.path
  const uri = `https://${given.service}.${given.region}.amazonaws.com${address}${given.rawQuery === '' ? '' : `?${given.rawQuery}`}`
  const endpoint = exchange.endpoint = { uri, headers: () => Object.fromEntries(given.headers), body: given.body, sentAtMs: clock.now() }
  const startedAt = clock.monotonic()
  const answered = new AbortController()
  const noted = { type: integration.definition.type, service: given.service, ...given.target, callerArn: caller.arn }
  try {
    const answer = await Promise.race([
      services.call({ ...given, caller, trace: exchange.trace }),
      clock.sleep(timeoutMs, answered.signal).then(() => undefined),
    ])
    if (!answer) {
      exchange.trace.add('integration', { ...noted, timedOutAfterMs: timeoutMs })
      throw endpointTimedOut()
    }
    const latencyMs = clock.monotonic() - startedAt
    const requestId = [answer.headers['x-amzn-RequestId']].flat()[0]
    Object.assign(endpoint, { answer: { ...answer, headers: () => answer.headers, latencyMs, requestId } })
    exchange.trace.add('integration', {
      ...noted, status: answer.status, latencyMs: Math.round(latencyMs),
      ...(route.mayTraceBodies ? { request: tracedBody(given.body), response: tracedBody(answer.body) } : {}),
    })
    return answer
  } finally {
    answered.abort('answered')
  }
}

/**
 * Source: API Gateway API reference, PutIntegration, `credentials`: a role, or `arn:aws:iam::*:user/*` for the caller's own identity.
 * Ours: the log lines where there is neither, or nobody signed.
 */
async function callerOf(call: ApiCall, { gatewayRoles }: ServiceOptions): Promise<Caller> {
  const { exchange, integration, route } = call
  const { snapshot, stage } = route.deployed
  const credentials = withStageVariables(integration.definition.credentials ?? '', stage.variables)
  if (credentials === '') throw configurationError('Role ARN must be specified for AWS integrations')
  if (!/^arn:[^:]+:iam::\*:user\/\*$/.test(credentials)) return gatewayRoles.callerFor(credentials, snapshot.accountId, sourceArnOf(call))
  const caller = exchange.test?.caller ?? exchange.claim?.caller
  if (!caller) throw configurationError('The caller\'s credentials are not known: the method is not authorized by AWS_IAM')
  return caller
}
