// The data plane of WebSocket APIs: what happens when a connection begins, when a message comes, and when a connection has ended.

import type { HttpRequest } from '#lib/http.ts'
import type { Metering } from '#services/apigateway/index.ts'
import { configurationError, GatewayRefusal, INTERNAL_SERVER_ERROR } from '../gateway-responses.ts'
import { requestValues } from '../request-values.ts'
import { TemplateContext } from '../templates/context.ts'
import { factsOf } from './context.ts'
import type { CompiledSocketRoute } from './deployment.ts'
import type { SocketCall, SocketExchange, SocketParameters, SocketResult } from './exchange.ts'
import { answerHeaders, answerMessage } from './steps/answer.ts'
import { authorize, type AuthorizeOptions } from './steps/authorize.ts'
import { findRoute, type RouteOptions } from './steps/find-route.ts'
import { integrate, type IntegrateOptions } from './steps/integrate.ts'
import { identifyKey, meter } from './steps/limits.ts'
import { mapRequest } from './steps/request-template.ts'
import { validate } from './steps/validate.ts'

export interface SocketPipelineOptions extends RouteOptions, AuthorizeOptions, IntegrateOptions {
  metering: Pick<Metering, 'admit' | 'findKey'>
  /** Lets bodies and templates' inputs and outputs into every trace. */
  traceBodies: boolean
}

/** Whether the client may stay, and with which subprotocol. */
export type Welcome = { is: 'welcome', protocol: string | undefined } | { is: 'turned away', status: number }

/**
 * Source: API Gateway developer guide, "Manage connected users and client apps: $connect and $disconnect routes": any status but 2xx turns the client away;
 * without a route for it everybody may stay. "Set up a $connect route that requires a WebSocket subprotocol": the header.
 *
 * @throws GatewayRefusal
 */
export async function connect(exchange: SocketExchange, handshake: HttpRequest, options: SocketPipelineOptions): Promise<Welcome> {
  const route = await findRoute(exchange, options)
  if (!route) return { is: 'welcome', protocol: undefined }
  const { multiValues } = requestValues({ request: handshake, traceHeader: exchange.traceHeader }, {})
  await authorize(exchange, handshake, route, multiValues, options)
  await identifyKey(exchange, route, options.metering)
  await meter(exchange, route, options.metering)
  const call = callOf(exchange, route, multiValues, options)
  const result = await run(call, options)
  refuseUnusable(result)
  if (result.status < 200 || result.status > 299) return { is: 'turned away', status: result.status }
  const protocol = [answerHeaders(call, result)['sec-websocket-protocol']].flat()[0]
  if (protocol !== undefined && !isHeaderValue.test(protocol)) throw unusable('Invalid Sec-WebSocket-Protocol')
  return { is: 'welcome', protocol }
}

/** Ours: what no header can say lets nobody in. Whether the client asked for the protocol is the client's to judge (RFC 6455, 4.1). */
const isHeaderValue = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/**
 * Ours: a function that fails lets nobody in, behind `AWS` as behind `AWS_PROXY`, and a status that no handshake can be answered with neither.
 *
 * @throws GatewayRefusal 502.
 */
function refuseUnusable({ status, hasFailed }: SocketResult): void {
  if (hasFailed) throw unusable('The function failed')
  if (status < 200 || status > 599) throw unusable(`Invalid status code: ${status}`)
}

const unusable = (reason: string): GatewayRefusal =>
  new GatewayRefusal('INTEGRATION_FAILURE', INTERNAL_SERVER_ERROR, { status: 502, logLine: `Execution failed due to configuration error: ${reason}` })

/** What goes back to the client, where the route is two-way. @throws GatewayRefusal */
export async function receive(exchange: SocketExchange, options: SocketPipelineOptions): Promise<Buffer | undefined> {
  const route = (await findRoute(exchange, options))!
  await meter(exchange, route, options.metering)
  const call = callOf(exchange, route, nothing, options)
  return answerMessage(call, await run(call, options))
}

/** Whatever comes of it, the connection has ended. @throws GatewayRefusal */
export async function disconnect(exchange: SocketExchange, options: SocketPipelineOptions): Promise<void> {
  const route = await findRoute(exchange, options)
  if (route) await run(callOf(exchange, route, nothing, options), options)
}

const nothing: SocketParameters = { header: {}, querystring: {} }

async function run(call: SocketCall, options: SocketPipelineOptions): Promise<SocketResult> {
  validate(call)
  const result = await integrate(call, mapRequest(call), options)
  call.exchange.resultStatus = result.status
  return result
}

function callOf(exchange: SocketExchange, route: CompiledSocketRoute, parameters: SocketParameters, { traceBodies }: SocketPipelineOptions): SocketCall {
  const deployed = exchange.deployed!
  const { integration, routeKey } = route
  if (!integration) throw configurationError('No integration defined for route')
  const facts = factsOf(exchange, routeKey)
  const { defaultRouteSettings, routeSettings } = deployed.stage
  const mayTraceBodies = traceBodies || (routeSettings[routeKey]?.dataTraceEnabled ?? defaultRouteSettings.dataTraceEnabled) === true
  exchange.trace.add('request', { routeKey, bodyBytes: exchange.body.length })
  return { exchange, deployed, route, integration, parameters, facts, context: new TemplateContext(facts), mayTraceBodies }
}
