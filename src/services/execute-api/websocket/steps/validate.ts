// Step 4: parameters that a handshake must bring, and models that a message must fit.

import { GatewayRefusal } from '../../gateway-responses.ts'
import type { SocketCall } from '../exchange.ts'
import { headerValues, scopeOf } from '../parameter-mapping.ts'
import { DEFAULT_KEY } from '../selection.ts'

/**
 * Source: API Gateway developer guide, "Request validation for WebSocket APIs" (the message), and "WebSocket selection expressions" (which model).
 * The sentence about parameters is the REST API's.
 *
 * @throws GatewayRefusal 400.
 */
export function validate(call: SocketCall): void {
  const { exchange, route, parameters } = call
  if (exchange.eventType === 'CONNECT') {
    const missing = route.requiredParameters.filter(({ from, name }) => !(from === 'header' ? headerValues(parameters.header, name) : parameters.querystring[name])?.at(-1))
    if (missing.length > 0) {
      exchange.trace.add('validate', { missing: missing.map(({ name }) => name) })
      throw new GatewayRefusal('BAD_REQUEST_PARAMETERS', `Missing required request parameters: [${missing.map(({ name }) => name).join(', ')}]`)
    }
  }
  if (exchange.eventType !== 'MESSAGE' || !route.selectModel) return
  const selected = route.selectModel(scopeOf(call)) ?? DEFAULT_KEY
  const validator = route.models.get(selected) ?? route.models.get(DEFAULT_KEY)
  // Source: as above, "Request validation": without a model that fits, validation fails.
  const validationErrors = validator ? validator(parsed(exchange.body)) : `[no model for the key ${selected}]`
  exchange.trace.add('validate', { model: validator ? selected : null, ...(validationErrors === undefined ? {} : { validationErrors }) })
  if (validationErrors !== undefined) throw new GatewayRefusal('BAD_REQUEST_BODY', 'Bad request body', { validationErrors })
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    // No model takes it.
    return undefined
  }
}
