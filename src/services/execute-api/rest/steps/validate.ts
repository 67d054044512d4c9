// Step 7: what a request validator asks of parameters and body.

import { GatewayRefusal } from '../../gateway-responses.ts'
import { mediaTypeOf } from '../media-types.ts'
import type { ApiCall } from '../exchange.ts'

/**
 * Parameters first, then the body. Without a validator nothing is checked, whatever models the method names.
 * Observed: AWS, 10-01-2024, recorded by localstack's test_api_gateway_request_validator.
 *
 * @throws GatewayRefusal 400.
 */
export function validate({ exchange, route, parameters, body }: ApiCall): void {
  const { requiredParameters, bodyValidators, definition } = route.method
  if (!definition.requestValidator) return
  const { headers } = exchange.request
  const missing = requiredParameters.filter(({ from, name }) => isBlank(from === 'header' ? headers.get(name) : parameters[from][name]))
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name)
    exchange.trace.add('validation', { missing: names })
    throw new GatewayRefusal('BAD_REQUEST_PARAMETERS', `Missing required request parameters: [${names.join(', ')}]`)
  }
  const validator = bodyValidators.get(mediaTypeOf(exchange.request)) ?? bodyValidators.get('$default')
  const violation = validator && violationOf(validator, body)
  exchange.trace.add('validation', { parameters: requiredParameters.length, body: validator ? violation ?? 'valid' : 'no model' })
  if (violation !== undefined) throw new GatewayRefusal('BAD_REQUEST_BODY', 'Invalid request body', { validationErrors: violation })
}

/** Source: developer guide, "Request validation for REST APIs": required parameters are "included and not blank". */
function isBlank(value: string | undefined): boolean {
  return value === undefined || value.trim() === ''
}

/** Source: tests of deployed APIs by the Norwegian research archive (BIBSYSDEV/nva, a PUT without a body), which show `$context.error.validationErrorString`. */
const UNREADABLE = '[Unknown error parsing request body]'

/** An absent body passes where an empty object would. Source: localstack's method request handler. */
function violationOf(validator: (body: unknown) => string | undefined, body: Buffer): string | undefined {
  if (body.length === 0) return validator({}) === undefined ? undefined : UNREADABLE
  try {
    return validator(JSON.parse(body.toString('utf8')))
  } catch (error) {
    if (error instanceof SyntaxError) return UNREADABLE
    throw error
  }
}
