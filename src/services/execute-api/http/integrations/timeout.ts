// How long a backend has.

import type { HttpApiCall } from '../exchange.ts'

/** Milliseconds. Source: API Gateway quotas, HTTP APIs, "Maximum integration timeout": 30 seconds. */
export const INTEGRATION_TIMEOUT_MS_MAX = 30_000

export function timeoutOf({ integration: { definition } }: HttpApiCall): number {
  return Math.min(definition.timeoutInMillis || INTEGRATION_TIMEOUT_MS_MAX, INTEGRATION_TIMEOUT_MS_MAX)
}
