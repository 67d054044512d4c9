// The status that a mock answers with: its request template says it.

import { configurationError } from '../gateway-responses.ts'

/** `"statusCode": 200`, in quotes or not: AWS takes more than JSON here. */
const statusCode = /["']?statusCode["']?\s*:\s*(-?\d+)\s*[,}\n]/

/**
 * Observed: AWS, 07-08-2023, in the templates of localstack/airspeed's test_render_on_aws: a comma before the closing brace is taken.
 * A status in quotes is not (localstack's mock integration).
 *
 * @throws GatewayRefusal 500 without a status code.
 */
export function mockStatus(body: Buffer): number {
  const status = statusOf(body.toString('utf8'))
  if (status === undefined) throw configurationError('Unable to parse statusCode. It should be an integer that is defined in the request template.')
  return status
}

function statusOf(text: string): number | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    const status = typeof parsed === 'object' && parsed !== null ? (parsed as { statusCode?: unknown }).statusCode : undefined
    return Number.isInteger(status) ? status as number : undefined
  } catch {
    const match = statusCode.exec(text)
    return match && text.trim().endsWith('}') ? Number(match[1]) : undefined
  }
}
