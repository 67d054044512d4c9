// Runs one template of a call, and tells the trace what went in and came out.

import { configurationError, GatewayRefusal } from '../gateway-responses.ts'
import { PayloadNotJson } from '../templates/input.ts'
import { TemplateError } from '../templates/velocity/errors.ts'
import type { CompiledTemplate } from './deployment.ts'
import type { ApiCall } from './exchange.ts'
import { BODY_TRACED_BYTES_MAX } from './steps/read-call.ts'

/**
 * What the template makes of the payload; undefined for an empty template, which passes the payload through.
 *
 * @throws GatewayRefusal 500 when the template does not parse, fails or runs away: the trace names template, line and column.
 * @throws GatewayRefusal 400 when it asks a request that is not JSON for its JSON.
 */
export function runTemplate(
  call: ApiCall,
  compiled: CompiledTemplate,
  payload: Buffer,
  step: 'request-template' | 'response-template',
): string | undefined {
  if (compiled.is === 'empty') return undefined
  const { exchange, route, parameters, context } = call
  const unable = `Unable to transform ${step === 'request-template' ? 'request' : 'response'}`
  if (compiled.is === 'broken') {
    exchange.trace.add(step, { template: compiled.name, error: compiled.reason })
    throw configurationError(unable)
  }
  try {
    const stageVariables = route.deployed.stage.variables
    const output = compiled.template.render({ payload: payload.toString('utf8'), parameters, context, stageVariables })
    const shown = route.mayTraceBodies
      ? { input: payload.toString('utf8', 0, BODY_TRACED_BYTES_MAX), output: output.slice(0, BODY_TRACED_BYTES_MAX) }
      : { inputBytes: payload.length, outputCharacters: output.length }
    exchange.trace.add(step, { template: compiled.name, ...shown })
    return output
  } catch (error) {
    if (error instanceof PayloadNotJson) {
      exchange.trace.add(step, { template: compiled.name, error: 'the payload is not JSON' })
      if (step === 'request-template') throw notJson(error.message)
      throw configurationError(unable)
    }
    if (!(error instanceof TemplateError)) throw error
    exchange.trace.add(step, { template: compiled.name, error: error.message, ...error.position })
    throw configurationError(unable)
  }
}

/**
 * The body cannot be read as JSON, or what a template made of it cannot.
 * Source: serverless/serverless issue 2270 (the answer of a Lambda integration whose event does not parse).
 */
export function notJson(reason: string): GatewayRefusal {
  return new GatewayRefusal('BAD_REQUEST_BODY', `Could not parse request body into json: ${reason}`)
}
