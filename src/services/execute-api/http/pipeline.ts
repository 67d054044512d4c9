// The data plane of HTTP APIs: every request takes these steps, in this order. Start reading at `answer`.

import { decodedPath, headerOf, requestParts, type RequestParts } from '#aws/http-payload/request-parts.ts'
import type { HttpResponse } from '#lib/http.ts'
import type { Metering } from '#services/apigateway/index.ts'
import { contextValue } from './context.ts'
import { withCors } from './cors.ts'
import type { HttpApiAnswer, HttpApiCall, HttpExchange } from './exchange.ts'
import type { Sources } from './expressions.ts'
import { invokeFunction, type FunctionIntegrationOptions } from './integrations/function.ts'
import { callServer, type ServerIntegrationOptions } from './integrations/server.ts'
import { mapRequest, mapResponse, type Values } from './parameter-mapping.ts'
import { internalServerError, notServed } from './refusals.ts'
import { authorize, type AuthorizeOptions } from './steps/authorize.ts'
import { meter } from './steps/meter.ts'
import { readBody } from './steps/read-body.ts'
import { findRoute, type RouteOptions } from './steps/route.ts'

export interface HttpPipelineOptions extends RouteOptions, AuthorizeOptions, FunctionIntegrationOptions, ServerIntegrationOptions {
  metering: Pick<Metering, 'admit'>
}

/** @throws HttpRefusal */
export async function answer(exchange: HttpExchange, options: HttpPipelineOptions): Promise<HttpResponse> {
  const route = await findRoute(exchange, options)
  if ('status' in route) return route
  const signedBody = await authorize(exchange, route, options)
  await meter(exchange, route, options.metering)
  const body = signedBody ?? await readBody(exchange)
  const { integration } = route
  if (!integration) throw internalServerError('the route has no integration')
  const call: HttpApiCall = {
    exchange, route, integration, deployed: exchange.deployed!, pathParameters: exchange.pathParameters ?? {}, parts: requestParts(exchange.request, body, exchange),
  }
  const sources = sourcesOf(call)
  const { call: mapped, path } = mappedCall(call, sources)
  const answered = await integrate(mapped, path, options)
  return withCors(mappedAnswer(call, answered, sources), exchange.request, exchange.api?.cors)
}

function integrate(call: HttpApiCall, path: string | undefined, options: HttpPipelineOptions): Promise<HttpApiAnswer> {
  const { integrationType, integrationSubtype, connectionType } = call.integration.definition
  if (connectionType === 'VPC_LINK') throw notServed('VPC links')
  if (integrationSubtype !== undefined) throw notServed(`integrations of subtype ${integrationSubtype}`)
  switch (integrationType) {
    case 'AWS_PROXY': return invokeFunction(call, options)
    case 'HTTP_PROXY': return callServer(call, path, options)
    default: throw notServed(`${integrationType} integrations of HTTP APIs`)
  }
}

function sourcesOf({ exchange, parts, pathParameters, deployed }: HttpApiCall): Sources {
  const parameter = (name: string) => parts.query.filter(([one]) => one === name).map(([, value]) => value).join(',') || undefined
  return {
    request: {
      header: (name) => headerOf(parts, name), querystring: parameter, path: decodedPath(exchange.target.path),
      pathParameter: (name) => pathParameters[name], body: parts.body,
    },
    context: (name) => contextValue(exchange, name),
    stageVariable: (name) => deployed.stage.stageVariables[name],
  }
}

/** The call as the backend gets it. */
function mappedCall(call: HttpApiCall, sources: Sources): { call: HttpApiCall, path: string | undefined } {
  const { integration: { requestMapping }, parts } = call
  if (requestMapping.length === 0) return { call, path: undefined }
  const { headers, query, path } = mapRequest(requestMapping, { headers: valuesOf(parts.headers), query: valuesOf(parts.query), path: undefined }, sources)
  const mappedQuery = pairsOf(query)
  const rawQuery = mappedQuery.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
  return { call: { ...call, parts: { ...parts, headers: pairsOf(headers), query: mappedQuery, rawQuery } }, path }
}

/** The answer as the client gets it. */
function mappedAnswer({ integration: { responseMappings } }: HttpApiCall, { status, headers, body }: HttpApiAnswer, sources: Sources): HttpResponse {
  const mapping = responseMappings.get(status)
  if (!mapping) return { status, headers, body }
  const values: Values = new Map(Object.entries(headers).map(([name, value]) => [name, [value].flat()]))
  const mapped = mapResponse(mapping, { headers: values, status }, { ...sources, response: { header: (name) => values.get(name.toLowerCase())?.join(','), body } })
  return { status: mapped.status, headers: Object.fromEntries([...mapped.headers].map(([name, list]) => [name, list.length === 1 ? list[0]! : list])), body }
}

function valuesOf(pairs: RequestParts['headers']): Values {
  const values: Values = new Map()
  for (const [name, value] of pairs) values.set(name, [...values.get(name) ?? [], value])
  return values
}

function pairsOf(values: Values): [string, string][] {
  return [...values].flatMap(([name, list]) => list.map((value): [string, string] => [name, value]))
}
