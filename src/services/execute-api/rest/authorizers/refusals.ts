// How authorizers refuse: what clients read, and what stands in the execution log.

import type { ExecutionLine } from '../../execution-line.ts'
import { GatewayRefusal } from '../../gateway-responses.ts'
import type { AuthorizerFacts } from '../../templates/context.ts'
import type { Exchange } from '../exchange.ts'

/** What an authorizer found out of a caller who may call. */
export interface Authorized {
  /** `$context.authorizer` and `requestContext.authorizer`. */
  facts: AuthorizerFacts
  usageIdentifierKey: string | undefined
}

/** Nobody that the authorizer knows. Source: developer guide, "Gateway response types", UNAUTHORIZED; logs that users published (the line). */
export function unauthorized({ requestId }: Pick<Exchange, 'requestId'>, message = 'Unauthorized'): GatewayRefusal {
  return new GatewayRefusal('UNAUTHORIZED', message, { logLine: `Unauthorized request: ${requestId}` })
}

/** Source: execution logs that users published: the reason stands in a line of its own before this. */
const AUTHORIZER_ERROR = 'Execution failed due to configuration error: Authorizer error'

/** The authorizer did not decide: 500 without a message. The reason is for the logs. */
export function authorizerError(exchange: Exchange, reason: string, type: 'AUTHORIZER_CONFIGURATION_ERROR' | 'AUTHORIZER_FAILURE' = 'AUTHORIZER_CONFIGURATION_ERROR'): GatewayRefusal {
  note(exchange, 'failure', `Execution failed due to configuration error: ${reason}`)
  return new GatewayRefusal(type, reason, { logLine: AUTHORIZER_ERROR })
}

/** Adds lines to the execution log. `at` counts from the arrival of the request. */
export function note(exchange: Exchange, is: ExecutionLine['is'], ...texts: string[]): void {
  const atMs = exchange.authorizerCall?.sentAtMs ?? exchange.atMs
  exchange.lines = [...exchange.lines ?? [], ...texts.map((text): ExecutionLine => ({ atMs, text, is }))]
}
