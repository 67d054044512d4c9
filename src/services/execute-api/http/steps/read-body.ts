// Reads a request's body, bounded.

import { BodyTooLarge } from '#lib/http.ts'
import type { HttpExchange } from '../exchange.ts'
import { tooLarge } from '../refusals.ts'

/** Bytes. Source: API Gateway quotas, HTTP APIs, "Payload size". */
export const PAYLOAD_BYTES_MAX = 10 * 1024 * 1024

/** @throws HttpRefusal 413. */
export async function readBody({ request }: HttpExchange): Promise<Buffer> {
  try {
    return await request.body(PAYLOAD_BYTES_MAX)
  } catch (error) {
    if (error instanceof BodyTooLarge) throw tooLarge(`the body has more than ${PAYLOAD_BYTES_MAX} bytes`)
    throw error
  }
}
