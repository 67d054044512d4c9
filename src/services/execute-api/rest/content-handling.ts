// Text and bytes: how payloads are converted on their way to an integration and back.

import type { ContentHandling } from '#services/apigateway/index.ts'
import { configurationError } from '../gateway-responses.ts'
import { isBinary } from './media-types.ts'

/** A payload as an integration, a template or a client gets it. Templates take text alone. */
export interface Payload {
  bytes: Buffer
  is: 'text' | 'binary'
}

interface Handling {
  /** Of the API. */
  binaryMediaTypes: readonly string[] | undefined
  contentHandling: ContentHandling | undefined
}

/**
 * A request's payload. Source: developer guide, "Content type conversions in API Gateway", first table.
 * Observed: AWS, 01-02-2025, recorded by localstack's test_apigw_s3_binary_support_request and its kin.
 *
 * @param contentType as sent; absent, it is only a binary type where all are.
 * @throws GatewayRefusal 500 for text that is to be decoded and is not base64.
 */
export function requestPayload(body: Buffer, contentType: string | undefined, { binaryMediaTypes, contentHandling }: Handling): Payload {
  if (isBinary(binaryMediaTypes, mediaType(contentType))) {
    return contentHandling === 'CONVERT_TO_TEXT' ? encoded(body) : { bytes: body, is: 'binary' }
  }
  return contentHandling === 'CONVERT_TO_BINARY' ? decodedOr(body, 'Unable to transform request') : text(body)
}

/**
 * A response's payload. Without `contentHandling` the client's `Accept` decides, of which its first media type counts.
 * Source: the same page, second table. Observed: AWS, 01-02-2025, recorded by localstack's test_apigw_s3_binary_support_response_*.
 *
 * @throws GatewayRefusal 500 for text that is to be decoded and is not base64.
 */
export function responsePayload(
  body: Buffer, { contentType, accept }: { contentType: string | undefined, accept: string | undefined }, { binaryMediaTypes, contentHandling }: Handling,
): Payload {
  const acceptsBinary = isBinary(binaryMediaTypes, mediaType(accept?.split(',')[0]))
  const becomesText = contentHandling === 'CONVERT_TO_TEXT' || (contentHandling === undefined && !acceptsBinary)
  if (isBinary(binaryMediaTypes, mediaType(contentType))) return becomesText ? encoded(body) : { bytes: body, is: 'binary' }
  return becomesText ? text(body) : decodedOr(body, 'Unable to transform response')
}

/** Text that a template made, as bytes where it is said to be base64. Ours: that this holds for templates of mocks; other output stays text. */
export function templateOutput(output: string, contentHandling: ContentHandling | undefined): Buffer {
  const bytes = Buffer.from(output)
  return contentHandling === 'CONVERT_TO_BINARY' ? decodedOr(bytes, 'Unable to transform response').bytes : bytes
}

const mediaType = (header: string | undefined): string => header?.split(';')[0]!.trim().toLowerCase() ?? ''

const encoded = (body: Buffer): Payload => ({ bytes: Buffer.from(body.toString('base64')), is: 'text' })

/** What is no UTF-8 is replaced. */
function text(body: Buffer): Payload {
  return { bytes: isUtf8(body) ? body : Buffer.from(body.toString('utf8')), is: 'text' }
}

function isUtf8(body: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
    return true
  } catch {
    return false
  }
}

/** A function's answer is JSON: its text stands in quotes. */
function decodedOr(body: Buffer, reason: string): Payload {
  const given = body.toString('latin1')
  const bare = given.length > 1 && given.startsWith('"') && given.endsWith('"') ? given.slice(1, -1) : given
  // As Java's decoder reads it: no other character at all, padding or none.
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(bare) || bare.replace(/=+$/, '').length % 4 === 1) throw configurationError(reason)
  return { bytes: Buffer.from(bare, 'base64'), is: 'binary' }
}
