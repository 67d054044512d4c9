// Step 10: which integration response answers.

import { configurationError } from '../../gateway-responses.ts'
import type { CompiledResponse } from '../deployment.ts'
import type { ApiCall, IntegrationResult } from '../exchange.ts'

/**
 * The first response, by status code, whose pattern covers the whole text; else the one without a pattern. A function's text is its error
 * message, and a function that did not fail matches no pattern; other integrations match with their status.
 *
 * Observed: AWS, 05-05-2025, recorded by localstack's test_lambda_selection_patterns.
 *
 * @throws GatewayRefusal 500 without a match and a default, or when the method does not have the response's status.
 */
export function selectResponse({ exchange, route, integration }: ApiCall, result: IntegrationResult): CompiledResponse {
  const text = result.isFunction ? result.errorMessage : String(result.status)
  const selected = (text === undefined ? undefined : integration.responses.find(({ pattern }) => pattern?.test(text)))
    ?? integration.responses.find(({ pattern }) => pattern === undefined)
  exchange.trace.add('select-response', {
    matched: selected?.definition.selectionPattern || null,
    statusCode: selected?.definition.statusCode ?? null,
    isError: result.errorMessage !== undefined,
  })
  if (!selected) {
    throw configurationError(`No match for output mapping and no default output mapping configured. Endpoint Response Status Code: ${result.status}`)
  }
  const { statusCode } = selected.definition
  if (!route.method.definition.methodResponses?.[statusCode]) {
    throw configurationError(`Output mapping refers to an invalid method response: ${statusCode}`)
  }
  return selected
}
