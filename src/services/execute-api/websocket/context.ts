// The facts of an event: `requestContext` in events, `$context` in templates, mappings and logs.

import { commonLogTime } from '#aws/common-log-time.ts'
import type { CommonFacts, IdentityFacts } from '../templates/context.ts'
import type { SocketExchange } from './exchange.ts'

/**
 * Members as API Gateway names them; what does not belong to the event is not there.
 * Source: events that users publish, among them typelevel/feral's ApiGatewayV2WebSocketEventSuite (2024) and mousabaker/aws-lambda-typing pull
 * request 65 (2022), whose order this is; boto/boto3 issue 3789 (an authorizer's principal in a later event).
 */
export interface SocketFacts extends CommonFacts {
  routeKey: string
  disconnectStatusCode?: number
  messageId?: string
  eventType: SocketExchange['eventType']
  extendedRequestId: string
  requestTime: string
  messageDirection: 'IN'
  disconnectReason?: string
  stage: string
  connectedAt: number
  requestTimeEpoch: number
  requestId: string
  domainName: string
  connectionId: string
  apiId: string
}

export function factsOf({ eventType, client, requestId, messageId, atMs, end, authorizerCall }: SocketExchange, routeKey: string): SocketFacts {
  const { authorizer } = client
  return {
    routeKey,
    ...end && { disconnectStatusCode: end.code },
    ...authorizer && { authorizer: authorizerCall ? { ...authorizer, integrationLatency: Math.round(authorizerCall.latencyMs) } : authorizer },
    ...messageId !== undefined && { messageId },
    eventType,
    extendedRequestId: requestId,
    requestTime: commonLogTime(atMs),
    messageDirection: 'IN',
    ...end && { disconnectReason: end.reason },
    stage: client.stageName,
    connectedAt: client.connectedAtMs,
    requestTimeEpoch: atMs,
    identity: withoutUndefined(client.identity),
    requestId,
    domainName: client.domainName,
    connectionId: client.connectionId,
    apiId: client.apiId,
  }
}

const withoutUndefined = (identity: IdentityFacts): IdentityFacts =>
  Object.fromEntries(Object.entries(identity).filter(([, value]) => value !== undefined)) as unknown as IdentityFacts

/** A variable by its name without `$context.`; undefined for what is no text and no number. */
export function contextValue(facts: SocketFacts, name: string): string | undefined {
  let value: unknown = facts
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string, unknown>)[part]
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}
