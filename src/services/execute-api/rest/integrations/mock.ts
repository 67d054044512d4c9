// MOCK: the request template says which response is taken.

import { mockStatus } from '../../backends/mock-status.ts'
import type { IntegrationRequest, IntegrationResult } from '../exchange.ts'

/** @throws GatewayRefusal 500 without a status code. */
export function answerMock({ body }: IntegrationRequest): IntegrationResult {
  return { status: mockStatus(body), body: Buffer.alloc(0), headers: {}, isFinal: false }
}
