// The headers that a backend of a REST API is sent.

import { headersToSend } from '../../backends/backend-headers.ts'
import type { HeaderLine } from '../../backends/header-lines.ts'
import type { ApiCall, IntegrationRequest } from '../exchange.ts'

export function backendHeaders({ exchange, integration, multiValues, route }: ApiCall, { headers: mapped, contentType }: IntegrationRequest): HeaderLine[] {
  return headersToSend({ type: integration.definition.type, client: multiValues.header, mapped, contentType, exchange, apiId: route.deployed.snapshot.apiId })
}

