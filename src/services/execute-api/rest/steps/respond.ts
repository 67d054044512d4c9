// Step 12: the answer with the headers that every answer of the gateway carries.

import type { HttpResponse } from '#lib/http.ts'
import type { ApiCall, Exchange } from '../exchange.ts'
import type { Answer } from './response-template.ts'

/** The answer of an integration. JSON unless it says something else. */
export function respond({ exchange, integration }: ApiCall, { status, headers: given, body }: Answer): HttpResponse {
  const headers = admissible(exchange, given)
  const hasContentType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')
  return {
    status,
    headers: {
      ...(hasContentType ? {} : { 'Content-Type': 'application/json' }),
      ...standardHeaders(exchange),
      // Source: localstack's response enricher and test invocations: a mock has no trace header.
      ...(integration.definition.type === 'MOCK' ? {} : { 'X-Amzn-Trace-Id': exchange.traceHeader }),
      ...headers,
    },
    body,
  }
}

/** Source: API Gateway developer guide, "Amazon API Gateway important notes", headers that REST APIs remap or overwrite. */
const remapped = new Set([
  'connection', 'content-length', 'content-md5', 'date', 'proxy-authenticate', 'server', 'te', 'trailer', 'upgrade', 'www-authenticate',
])
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** An integration names neither the length nor the framing of the answer, and cannot write lines of its own into its head. */
function admissible({ trace }: Exchange, headers: Answer['headers']): Answer['headers'] {
  const kept: Answer['headers'] = {}
  for (const [name, value] of Object.entries(headers)) {
    const values = Array.isArray(value) ? value : [value]
    if (!headerName.test(name) || !values.every((one) => headerValue.test(one))) trace.add('response-header', { dropped: name })
    else if (remapped.has(name.toLowerCase())) kept[`x-amzn-Remapped-${name}`] = value
    else if (name.toLowerCase() !== 'transfer-encoding') kept[name] = value
  }
  return kept
}

/** Observed: AWS, 15-11-2024, recorded by localstack's test_aws_proxy_response_payload_format_validation (names and spelling). */
export function standardHeaders({ requestId, extendedRequestId }: Exchange): Record<string, string> {
  return { 'x-amzn-RequestId': requestId, 'x-amz-apigw-id': extendedRequestId }
}
