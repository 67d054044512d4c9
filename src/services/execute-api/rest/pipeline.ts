// The data plane of REST APIs: every request takes these steps, in this order. Start reading at `answer`.

import type { Authenticator } from '#aws/authenticate.ts'
import type { HttpResponse } from '#lib/http.ts'
import type { Metering } from '#services/apigateway/index.ts'
import type { Address } from '../address.ts'
import type { ApiCall, Exchange } from './exchange.ts'
import { authenticate } from './steps/authenticate.ts'
import { authorize, type AuthorizeOptions } from './steps/authorize.ts'
import { identifyKey } from './steps/identify-key.ts'
import { integrate, type IntegrateOptions } from './steps/integrate.ts'
import { meter } from './steps/meter.ts'
import { readCall, readSignedBody } from './steps/read-call.ts'
import { mapRequest } from './steps/request-template.ts'
import { respond } from './steps/respond.ts'
import { mapResponse } from './steps/response-template.ts'
import { route, type RouteOptions } from './steps/route.ts'
import { selectResponse } from './steps/select-response.ts'
import { validate } from './steps/validate.ts'

export interface PipelineOptions extends RouteOptions, IntegrateOptions, AuthorizeOptions {
  authenticator: Authenticator
  metering: Metering
}

/** @throws GatewayRefusal, NotServed */
export async function answer(exchange: Exchange, address: Address, options: PipelineOptions): Promise<HttpResponse> {
  const found = exchange.route = await route(exchange, address, options)
  const claim = exchange.claim = await authenticate(exchange, found, options.authenticator)
  const signedBody = claim && await readSignedBody(exchange, claim)
  await authorize(exchange, found, claim, options)
  const key = exchange.key = await identifyKey(exchange, found, options.metering)
  const call = exchange.call = await readCall(exchange, found, claim, signedBody)
  await meter(exchange, found, key, options.metering)
  return execute(call, options)
}

/**
 * The steps that a test invocation takes as well: all that do not ask who calls, and how often.
 *
 * @throws GatewayRefusal, NotServed
 */
export async function execute(call: ApiCall, options: IntegrateOptions): Promise<HttpResponse> {
  validate(call)
  const request = mapRequest(call)
  const result = call.exchange.result = await integrate(call, request, options)
  const endpointRequestId = call.exchange.endpoint?.answer?.requestId
  if (endpointRequestId !== undefined) call.context.setEndpointRequestId(endpointRequestId)
  if (result.isFinal) return respond(call, result)
  const selected = selectResponse(call, result)
  return respond(call, mapResponse(call, selected, result))
}
