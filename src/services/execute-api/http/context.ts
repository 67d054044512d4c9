// The facts of a call: for events, for `$context` in mappings and identity sources, and for access logs.

import { commonLogTime } from '#aws/common-log-time.ts'
import type { CallFacts, IamFacts } from '#aws/http-payload/events.ts'
import { decodedPath } from '#aws/http-payload/request-parts.ts'
import type { HttpExchange } from './exchange.ts'
import { DEFAULT_STAGE } from './target.ts'

/** Decoded, as `$context.path` is. Ours: no source says whether it is. */
const shownPath = ({ target: { shownPrefix, path } }: Pick<HttpExchange, 'target'>): string => `${shownPrefix}${decodedPath(path)}`

/**
 * Format 2.0 shows paths decoded, and never the key of a mapping, but the stage that it leads to.
 * Source: middleapi/standard-server pull request 93, from captured events (decoded); API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs", payload format differences; CodeGenieApp/serverless-express
 * issue 465 (the stage).
 */
function rawPath({ target: { stageName, path } }: HttpExchange): string {
  return `${stageName === DEFAULT_STAGE ? '' : `/${stageName}`}${decodedPath(path)}`
}

export const domainOf = ({ request }: Pick<HttpExchange, 'request'>): string => (request.headers.get('host') ?? '').replace(/:\d+$/, '')

export function callFacts(exchange: HttpExchange, routeKey: string): CallFacts {
  const { requestId, atMs, target, deployed, pathParameters = {}, authorizer } = exchange
  const { accountId = '', apiId = target.apiId } = deployed?.snapshot ?? {}
  const domainName = domainOf(exchange)
  return {
    accountId, apiId, domainName, domainPrefix: domainName.split('.')[0]!, requestId: requestId, atMs, routeKey, stage: target.stageName,
    stageVariables: deployed?.stage.stageVariables ?? {}, pathParameters, path: `${target.shownPrefix}${target.path}`,
    rawPath: rawPath(exchange), authorizer,
  }
}

/**
 * Source: API Gateway developer guide, "Customize HTTP API access logs", the variables; "Transform API requests and responses", which of them
 * mappings may read. Undefined is what has no value, or is not known here.
 */
export function contextValue(exchange: HttpExchange, name: string): string | undefined {
  const { request, atMs, target, deployed, route, authorizer } = exchange
  const iam = authorizer && 'iam' in authorizer ? authorizer.iam : undefined
  if (name.startsWith('authorizer.')) return authorizerValue(exchange, name.slice('authorizer.'.length))
  if (name.startsWith('identity.')) return identityValue(exchange, name.slice('identity.'.length), iam)
  switch (name) {
    case 'accountId': return deployed?.snapshot.accountId
    case 'apiId': return target.apiId
    case 'domainName': return domainOf(exchange)
    case 'domainPrefix': return domainOf(exchange).split('.')[0]
    case 'extendedRequestId':
    case 'requestId': return exchange.requestId
    case 'httpMethod': return request.method
    case 'path': return shownPath(exchange)
    case 'protocol': return 'HTTP/1.1'
    case 'requestTime': return commonLogTime(atMs)
    case 'requestTimeEpoch': return String(atMs)
    case 'routeKey': return route?.routeKey
    case 'stage': return target.stageName
    default: return undefined
  }
}

function identityValue({ request }: HttpExchange, name: string, iam: IamFacts | undefined): string | undefined {
  switch (name) {
    case 'sourceIp': return request.remoteAddress
    case 'userAgent': return request.headers.get('user-agent')
    case 'accountId': return iam?.accountId
    case 'caller': return iam?.callerId
    case 'user': return iam?.userId
    case 'userArn': return iam?.userArn
    default: return undefined
  }
}

function authorizerValue({ authorizer, authorizerCall }: HttpExchange, name: string): string | undefined {
  switch (name) {
    case 'error': return authorizerCall?.error
    case 'integrationLatency':
    case 'latency': return authorizerCall && String(Math.round(authorizerCall.latencyMs))
    case 'integrationStatus':
    case 'status': return authorizerCall?.status === undefined ? undefined : String(authorizerCall.status)
    case 'requestId': return authorizerCall?.requestId
    default: break
  }
  if (!authorizer) return undefined
  if ('jwt' in authorizer) return name.startsWith('claims.') ? authorizer.jwt.claims[name.slice('claims.'.length)] : undefined
  if ('lambda' in authorizer) {
    if (name === 'principalId') return authorizer.principalId
    const value = authorizer.lambda?.[name]
    return value === undefined || value === null ? undefined : typeof value === 'object' ? JSON.stringify(value) : String(value)
  }
  return undefined
}
