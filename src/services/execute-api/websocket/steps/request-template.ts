// Step 5: what the integration gets: the body through the selected template, and mapped parameters.

import { refuseMappedHeaders } from '../../backends/permitted-headers.ts'
import { configurationError, GatewayRefusal } from '../../gateway-responses.ts'
import { renderTraced } from '../../templates/run-template.ts'
import type { SocketCall, SocketParameters, SocketRequest } from '../exchange.ts'
import { mapRequestParameters, scopeOf } from '../parameter-mapping.ts'
import { DEFAULT_KEY } from '../selection.ts'

/**
 * Source: API Gateway developer guide, "Set up data transformations for WebSocket APIs" (templates by selection, `$default` catches all), "Working with
 * binary media types for WebSocket APIs" (`CONVERT_TO_BINARY`); passthrough as REST APIs have it.
 *
 * @throws GatewayRefusal 415 by passthrough behaviour, 400 and 500 as `renderTraced` throws, 500 for a body that should be base64 and is none, and for a
 * mapping to a header that API Gateway sets.
 */
export function mapRequest(call: SocketCall): SocketRequest {
  const { exchange, integration } = call
  const mapped = mapRequestParameters(call)
  const { integrationType, contentHandlingStrategy } = integration.definition
  refuseMappedHeaders(integrationType, Object.keys(mapped.headers))
  const body = contentHandlingStrategy === 'CONVERT_TO_BINARY' ? fromBase64(exchange.body) : exchange.body
  if (integrationType.endsWith('_PROXY')) return { ...mapped, body }
  const template = chooseTemplate(call)
  if (!template || template.is === 'empty') return { ...mapped, body }
  const output = renderTraced(
    template, { payload: body, parameters: textsOf(call.parameters), context: call.context, stageVariables: call.deployed.stage.stageVariables },
    { trace: exchange.trace, step: 'request-template', mayTraceBodies: call.mayTraceBodies },
  )
  return { ...mapped, body: output === undefined ? body : Buffer.from(output) }
}

function chooseTemplate(call: SocketCall) {
  const { selectTemplate, templates, definition: { passthroughBehavior } } = call.integration
  const selected = selectTemplate(scopeOf(call)) ?? DEFAULT_KEY
  const template = templates.get(selected) ?? templates.get(DEFAULT_KEY)
  if (template) return template
  const isRefused = passthroughBehavior === 'NEVER' || (passthroughBehavior === 'WHEN_NO_TEMPLATES' && templates.size > 0)
  call.exchange.trace.add('request-template', { template: null, selected, refused: isRefused })
  if (isRefused) throw new GatewayRefusal('UNSUPPORTED_MEDIA_TYPE', 'Unsupported Media Type')
  return undefined
}

function fromBase64(body: Buffer): Buffer {
  const text = body.toString('utf8')
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)) throw configurationError('Unable to base64 decode the body.')
  return Buffer.from(text, 'base64')
}

/** As templates see them: of each parameter the last value. */
export function textsOf({ header, querystring }: SocketParameters) {
  const last = (values: SocketParameters['header']) => Object.fromEntries(Object.entries(values).map(([name, list]) => [name, list.at(-1)!]))
  return { path: {}, header: last(header), querystring: last(querystring) }
}
