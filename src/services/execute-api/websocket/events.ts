// What functions are given: the event of a proxy integration, and that of an authorizer.

import { passesAuthorization } from '../backends/permitted-headers.ts'
import { eventHeaders, type EventHeaders } from '../event-parts.ts'
import { factsOf } from './context.ts'
import type { SocketCall, SocketExchange, SocketParameters } from './exchange.ts'

/**
 * Source: events that users publish, as in `context.ts`: headers only where a connection begins or ends, of an end four of which but the host is
 * empty; a query and stage variables only where there are any.
 */
export function proxyEvent({ exchange, deployed: { stage }, facts, parameters }: SocketCall): Record<string, unknown> {
  const { eventType, body } = exchange
  return {
    ...headersFor(exchange, parameters),
    ...queryOf(parameters),
    ...Object.keys(stage.stageVariables).length > 0 && { stageVariables: stage.stageVariables },
    requestContext: facts,
    ...eventType === 'MESSAGE' && { body: body.toString('utf8') },
    isBase64Encoded: false,
  }
}

function headersFor({ eventType, client, claim }: SocketExchange, { header }: SocketParameters): Partial<EventHeaders> {
  // Ours: what an IAM caller signed with is for API Gateway itself, as with REST APIs.
  const isForBackends = (name: string, [value = '']: readonly string[]) => name !== 'authorization' || passesAuthorization({ claim }, value)
  if (eventType === 'CONNECT') return eventHeaders({ multiValues: { header: mutable(header), querystring: {} } }, isForBackends)
  if (eventType === 'MESSAGE') return {}
  const headers = { 'Host': client.domainName, 'x-api-key': '', 'X-Forwarded-For': '', 'x-restapi': '' }
  return { headers, multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])) }
}

function queryOf({ querystring }: SocketParameters): Record<string, unknown> {
  if (Object.keys(querystring).length === 0) return {}
  return {
    queryStringParameters: Object.fromEntries(Object.entries(querystring).map(([name, values]) => [name, values.at(-1)])),
    multiValueQueryStringParameters: querystring,
  }
}

const mutable = (values: SocketParameters['header']) => Object.fromEntries(Object.entries(values).map(([name, list]) => [name, [...list]]))

const ofTheUpgrade = { 'Connection': ['upgrade'], 'content-length': ['0'], 'Upgrade': ['websocket'] }

/**
 * Source: API Gateway developer guide, "Control access to WebSocket APIs with AWS Lambda REQUEST authorizers"; localstack issue 7191, an event of AWS's;
 * dherault/serverless-offline, whose socket tests run against AWS (what is empty): unlike the function of `$connect` it sees the headers of the upgrade, as
 * API Gateway writes them, and a content length, and what is empty is an empty object.
 */
export function authorizerEvent(
  exchange: SocketExchange, { header, querystring }: SocketParameters,
  { methodArn, stageVariables }: { methodArn: string, stageVariables: Readonly<Record<string, string>> },
): Record<string, unknown> {
  const { authorizer: _none, ...facts } = factsOf(exchange, '$connect')
  return {
    type: 'REQUEST',
    methodArn,
    ...eventHeaders({ multiValues: { header: { ...mutable(header), ...ofTheUpgrade }, querystring: {} } }),
    queryStringParameters: Object.fromEntries(Object.entries(querystring).map(([name, values]) => [name, values.at(-1)])),
    multiValueQueryStringParameters: querystring,
    stageVariables,
    requestContext: facts,
  }
}
