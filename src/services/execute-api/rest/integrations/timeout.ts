// How long an integration is waited for.

import type { ApiCall } from '../exchange.ts'

/** Source: API Gateway quotas, "Integration timeout" for REST APIs. */
const INTEGRATION_TIMEOUT_MS_MAX = 29_000

export function integrationTimeoutMs({ integration }: ApiCall): number {
  return Math.min(integration.definition.timeoutInMillis || INTEGRATION_TIMEOUT_MS_MAX, INTEGRATION_TIMEOUT_MS_MAX)
}
