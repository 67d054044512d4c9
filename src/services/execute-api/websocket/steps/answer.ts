// Step 7: what the client is told of the integration's answer.

import { configurationError } from '../../gateway-responses.ts'
import { renderTraced } from '../../templates/run-template.ts'
import type { CompiledSocketResponse } from '../deployment.ts'
import type { SocketCall, SocketResult } from '../exchange.ts'
import { mapResponseParameters, scopeOf } from '../parameter-mapping.ts'
import { DEFAULT_KEY } from '../selection.ts'
import { textsOf } from './request-template.ts'

/** Headers that a handshake is answered with: a proxy's own, or those that the selected response maps. Names in lower case. */
export function answerHeaders(call: SocketCall, result: SocketResult): Readonly<Record<string, string | string[]>> {
  const { integration } = call
  if (!integration.definition.integrationType.endsWith('_PROXY')) return mapResponseParameters(call, selectResponse(call, result)?.definition.responseParameters, result)
  return Object.fromEntries(Object.entries(result.headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/**
 * The message that goes back; undefined where the route is one-way.
 * Source: API Gateway developer guide, "Set up route responses for a WebSocket API" and "Set up integration responses for WebSocket APIs": a proxy's answer
 * as it is, any other through the response that its status, or a function's error message, selects.
 * An empty answer is an empty message: serverless/serverless issue 6816, a report of 2021.
 *
 * @throws GatewayRefusal 500 when no response is selected, or its template fails.
 */
export function answerMessage(call: SocketCall, result: SocketResult): Buffer | undefined {
  const { route, integration, exchange } = call
  if (!route.isTwoWay) return undefined
  const body = integration.definition.integrationType.endsWith('_PROXY') ? result.body : transformed(call, result)
  exchange.trace.add('route-response', { bytes: body.length })
  return body
}

function transformed(call: SocketCall, result: SocketResult): Buffer {
  const response = selectResponse(call, result)
  if (!response) throw configurationError(`No match for output mapping and no default output mapping configured. Endpoint Response Status Code: ${result.status}`)
  const { contentHandlingStrategy } = response.definition
  const body = contentHandlingStrategy === 'CONVERT_TO_TEXT' ? Buffer.from(result.body.toString('base64'))
    : contentHandlingStrategy === 'CONVERT_TO_BINARY' ? Buffer.from(result.body.toString('utf8'), 'base64')
      : result.body
  const selected = response.selectTemplate(scopeOf(call, result)) ?? DEFAULT_KEY
  const template = response.templates.get(selected) ?? response.templates.get(DEFAULT_KEY)
  if (!template || template.is === 'empty') return body
  const output = renderTraced(
    template, { payload: body, parameters: textsOf(call.parameters), context: call.context, stageVariables: call.deployed.stage.stageVariables },
    { trace: call.exchange.trace, step: 'response-template', mayTraceBodies: call.mayTraceBodies },
  )
  return output === undefined ? body : Buffer.from(output)
}

function selectResponse({ exchange, integration: { responses, defaultResponse } }: SocketCall, { isFunction, errorMessage, status }: SocketResult): CompiledSocketResponse | undefined {
  const subject = isFunction ? errorMessage : String(status)
  const selected = (subject === undefined ? undefined : responses.find(({ pattern }) => pattern!.test(subject))) ?? defaultResponse
  exchange.trace.add('select-response', { matched: selected?.definition.integrationResponseKey ?? null })
  return selected
}
