// Runs one template of a call, and tells the trace what went in and came out.

import type { Trace } from '#aws/trace.ts'
import { configurationError, GatewayRefusal } from '../gateway-responses.ts'
import { PayloadNotJson } from './input.ts'
import { BODY_TRACED_BYTES_MAX, tracedBody } from '../traced-body.ts'
import type { TemplateScope } from './mapping-template.ts'
import type { CompiledTemplate } from './stored-template.ts'
import { TemplateError } from './velocity/errors.ts'

export type TemplateStep = 'request-template' | 'response-template'

/**
 * What the template makes of the payload; undefined for an empty template, which passes the payload through.
 *
 * @throws GatewayRefusal 500 when the template does not parse, fails or runs away: the trace names template, line and column.
 * @throws GatewayRefusal 400 when it asks a request that is not JSON for its JSON.
 */
export function renderTraced(
  compiled: CompiledTemplate,
  { payload, ...scope }: Omit<TemplateScope, 'payload'> & { payload: Buffer },
  { trace, step, mayTraceBodies }: { trace: Trace, step: TemplateStep, mayTraceBodies: boolean },
): string | undefined {
  if (compiled.is === 'empty') return undefined
  const unable = `Unable to transform ${step === 'request-template' ? 'request' : 'response'}`
  if (compiled.is === 'broken') {
    trace.add(step, { template: compiled.name, error: compiled.reason })
    throw configurationError(unable)
  }
  try {
    const output = compiled.template.render({ ...scope, payload: payload.toString('utf8') })
    const shown = mayTraceBodies
      ? { input: tracedBody(payload), output: output.slice(0, BODY_TRACED_BYTES_MAX) }
      : { inputBytes: payload.length, outputCharacters: output.length }
    trace.add(step, { template: compiled.name, ...shown })
    return output
  } catch (error) {
    if (error instanceof PayloadNotJson) {
      trace.add(step, { template: compiled.name, error: 'the payload is not JSON' })
      if (step === 'request-template') throw notJson(error.message)
      throw configurationError(unable)
    }
    if (!(error instanceof TemplateError)) throw error
    trace.add(step, { template: compiled.name, error: error.message, ...error.position })
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
