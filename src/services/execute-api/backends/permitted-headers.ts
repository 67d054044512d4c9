// Which headers a backend may be sent, by the client and by mappings.

import type { SignatureClaim } from '#aws/authenticate.ts'
import { configurationError } from '../gateway-responses.ts'

/**
 * Whether a proxy integration is sent the client's `Authorization`: not where it is for API Gateway itself.
 * Source: developer guide, "Amazon API Gateway important notes", headers of REST APIs.
 */
export function passesAuthorization({ claim }: { claim?: SignatureClaim | undefined }, value: string): boolean {
  return claim === undefined && !value.startsWith('AWS4-HMAC-SHA256')
}

/** Set by API Gateway itself. Observed: AWS, 17-07-2024, as above; `x-amzn-trace-id`: localstack's integration request handler. */
const neverMapped = new Set(['content-length', 'transfer-encoding', 'x-amzn-trace-id'])
const neverMappedToServices = new Set([...neverMapped, 'authorization', 'connection', 'expect', 'proxy-authenticate', 'te'])

/**
 * Refuses mappings to headers that API Gateway sets, of proxy integrations with functions too, where mappings mean nothing.
 *
 * @throws GatewayRefusal 500
 */
export function refuseMappedHeaders(type: string, names: readonly string[]): void {
  const forbidden = type === 'AWS' || type === 'AWS_PROXY' ? neverMappedToServices : neverMapped
  const found = names.find((name) => forbidden.has(name.toLowerCase()))
  if (found !== undefined) throw configurationError(`${found} header already present`)
}
