// How long an integration is waited for, and what is answered then.

import { GatewayRefusal } from '../../gateway-responses.ts'
import type { ApiCall } from '../exchange.ts'

/** Source: API Gateway quotas, "Integration timeout" for REST APIs. */
const INTEGRATION_TIMEOUT_MS_MAX = 29_000

export function integrationTimeoutMs({ integration }: ApiCall): number {
  return Math.min(integration.definition.timeoutInMillis || INTEGRATION_TIMEOUT_MS_MAX, INTEGRATION_TIMEOUT_MS_MAX)
}

/** Source: developer guide, "Gateway response types", INTEGRATION_TIMEOUT; public reports for sentence and log line. */
export function endpointTimedOut(): GatewayRefusal {
  return new GatewayRefusal('INTEGRATION_TIMEOUT', 'Endpoint request timed out', { logLine: 'Execution failed due to a timeout error' })
}
