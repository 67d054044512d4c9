// Step 12: the answer with the headers that every answer of the gateway carries.

import type { HttpResponse } from '#lib/http.ts'
import type { ApiCall, Exchange } from '../exchange.ts'
import { admissibleHeaders } from '../response-headers.ts'
import type { Answer } from './response-template.ts'

/** The answer of an integration. JSON unless it says something else. */
export function respond({ exchange, integration }: ApiCall, { status, headers: given, body }: Answer): HttpResponse {
  const { type } = integration.definition
  const headers = admissibleHeaders(given, type, exchange.trace)
  const hasContentType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')
  return {
    status,
    headers: {
      ...(hasContentType ? {} : { 'Content-Type': 'application/json' }),
      ...standardHeaders(exchange),
      // Source: localstack's response enricher and test invocations: a mock has no trace header.
      // Observed: AWS, 17-07-2024, recorded by localstack's test_apigateway_header_remapping_http[HTTP_PROXY]: nor has an HTTP proxy.
      ...(type === 'MOCK' || type === 'HTTP_PROXY' ? {} : { 'X-Amzn-Trace-Id': exchange.traceHeader }),
      ...headers,
    },
    body,
  }
}

/** Observed: AWS, 15-11-2024, recorded by localstack's test_aws_proxy_response_payload_format_validation (names and spelling). */
export function standardHeaders({ requestId, extendedRequestId }: Exchange): Record<string, string> {
  return { 'x-amzn-RequestId': requestId, 'x-amz-apigw-id': extendedRequestId }
}
