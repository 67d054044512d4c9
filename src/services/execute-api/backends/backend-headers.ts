// The headers that a backend is sent: mapped ones, those of the client where it is a proxy's, and API Gateway's own.

import { hasHeader, setHeader, type HeaderLine } from './header-lines.ts'
import { passesAuthorization } from './permitted-headers.ts'

/** Observed: AWS, 17-07-2024, recorded by localstack's test_apigateway_header_remapping_http; `Via`: its integration request handler. */
const neverSent = new Set(['expect', 'proxy-authenticate', 'te', 'connection'])
const notPassedOn = new Set(['host', 'content-encoding', 'via'])

/** What a backend's headers are made of. */
interface BackendRequest {
  type: string
  /** Of the client: passed on by `HTTP_PROXY`. */
  client: Readonly<Record<string, readonly string[]>>
  mapped: Readonly<Record<string, string>>
  contentType: string | undefined
  /** A signature is for API Gateway itself. */
  exchange: Parameters<typeof passesAuthorization>[0] & { traceHeader: string }
  apiId: string
}

/**
 * Observed: AWS, 17-07-2024, as above, and 07-08-2024, recorded by localstack's test_http_integration_with_lambda: what is added, and that the
 * content type comes along without a mapping. Source: public execution logs: with a template, its content type.
 */
export function headersToSend({ type, client, mapped, contentType, exchange, apiId }: BackendRequest): HeaderLine[] {
  const isHttp = type === 'HTTP' || type === 'HTTP_PROXY'
  const headers: HeaderLine[] = []
  if (type === 'HTTP_PROXY') {
    for (const [name, values] of Object.entries(client)) {
      const lower = name.toLowerCase()
      const isPassed = !notPassedOn.has(lower) && (lower !== 'authorization' || passesAuthorization(exchange, values[0]!))
      if (isPassed) for (const value of values) headers.push([name, value])
    }
  }
  for (const [name, value] of Object.entries(mapped)) if (!neverSent.has(name.toLowerCase())) setHeader(headers, name, value)
  if (!hasHeader(headers, 'accept')) headers.push(['Accept', 'application/json'])
  if (!hasHeader(headers, 'user-agent')) headers.push(['User-Agent', `AmazonAPIGateway_${apiId}`])
  if (!hasHeader(headers, 'content-type') && contentType !== undefined) headers.push(['Content-Type', contentType])
  setHeader(headers, 'X-Amzn-Trace-Id', exchange.traceHeader.split(';')[0]!)
  if (isHttp) setHeader(headers, 'X-Amzn-Apigateway-Api-Id', apiId)
  return headers.filter(([, value]) => isSendable(value))
}

/** What no header can be is left out. */
function isSendable(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
}
