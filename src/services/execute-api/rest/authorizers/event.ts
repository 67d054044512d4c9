// What an authorizer's function is given.

import { eventHeaders, eventIdentity } from '../../event-parts.ts'
import type { RequestValues } from '../../request-values.ts'
import { factsOf } from '../call-facts.ts'
import type { Exchange, Route } from '../exchange.ts'
import type { CompiledAuthorizer } from './compile.ts'

/** Source: API Gateway developer guide, "Input to an API Gateway Lambda authorizer". */
export function authorizerEvent(
  { definition: { type } }: CompiledAuthorizer,
  { exchange, route, values, methodArn, token }: { exchange: Exchange, route: Route, values: RequestValues, methodArn: string, token: string },
): Record<string, unknown> {
  if (type === 'TOKEN') return { type, methodArn, authorizationToken: token }
  const { parameters, multiValues } = values
  const { identity, authorizer: _none, ...facts } = factsOf(exchange, route, undefined)
  return {
    type,
    methodArn,
    resource: route.method.resource.path,
    path: route.address.path,
    httpMethod: exchange.request.method,
    ...eventHeaders(values),
    // Unlike in the events of integrations, what is empty is an empty object here.
    queryStringParameters: parameters.querystring,
    multiValueQueryStringParameters: multiValues.querystring,
    pathParameters: route.rawPathParameters,
    stageVariables: route.deployed.stage.variables,
    requestContext: { ...facts, identity: eventIdentity(identity) },
  }
}
