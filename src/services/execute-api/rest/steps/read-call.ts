// Step 5: the body, the parameters, and what templates and functions may know about the call. A signed body is read between steps 2 and 3.

import type { SignatureClaim } from '#aws/authenticate.ts'
import { BodyTooLarge } from '#lib/http.ts'
import { configurationError, GatewayRefusal } from '../../gateway-responses.ts'
import { PAYLOAD_BYTES_MAX } from '../../payload-limit.ts'
import { requestValues } from '../../request-values.ts'
import { TemplateContext } from '../../templates/context.ts'
import { tracedBody } from '../../traced-body.ts'
import { factsOf } from '../call-facts.ts'
import { decodedBody } from '../compression.ts'
import type { ApiCall, Exchange, Route } from '../exchange.ts'
import { finishSignature } from './authenticate.ts'

/**
 * A body that is signed, once it is known that it is: what refuses later may name the caller, and who only knows a key's id is not the caller.
 *
 * @throws GatewayRefusal 413 for a body over `PAYLOAD_BYTES_MAX`, 403 when the signature does not cover the body.
 */
export async function readSignedBody(exchange: Exchange, claim: SignatureClaim): Promise<Buffer> {
  const body = await readBody(exchange)
  finishSignature(exchange, claim, body)
  return body
}

/**
 * @param signedBody what was read already, of a signed call.
 * @throws GatewayRefusal 413 for a body over `PAYLOAD_BYTES_MAX`, compressed or not; 415 for a content coding that is not known here.
 */
export async function readCall(exchange: Exchange, route: Route, claim: SignatureClaim | undefined, signedBody: Buffer | undefined): Promise<ApiCall> {
  const sent = signedBody ?? await readBody(exchange)
  const { integration } = route.method
  if (!integration) throw configurationError('No integration defined for method')
  const body = await decodedBody(sent, exchange.request.headers, PAYLOAD_BYTES_MAX)
  const { parameters, multiValues } = requestValues(exchange, route.pathParameters)
  const { header, querystring } = multiValues
  const facts = factsOf(exchange, route, claim)
  const call: ApiCall = {
    exchange, route, integration, body, facts, parameters, multiValues,
    context: new TemplateContext(facts),
  }
  exchange.trace.add('request', {
    query: Object.keys(querystring), headers: Object.keys(header), bodyBytes: body.length,
    ...(route.mayTraceBodies && body.length > 0 ? { body: tracedBody(body) } : {}),
  })
  return call
}

async function readBody(exchange: Exchange): Promise<Buffer> {
  try {
    return await exchange.request.body(PAYLOAD_BYTES_MAX)
  } catch (error) {
    // Source: developer guide, "Gateway response types", REQUEST_TOO_LARGE; the sentence is that of public reports.
    if (error instanceof BodyTooLarge) throw new GatewayRefusal('REQUEST_TOO_LARGE', 'Request Too Long')
    throw error
  }
}
