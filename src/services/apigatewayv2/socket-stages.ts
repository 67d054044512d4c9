// The stages of WebSocket APIs, as usage plans ask for them.

import type { SocketStages } from '#services/apigateway/index.ts'
import type { Database } from '#storage/database.ts'
import { findApi, findStage } from './store.ts'

export function createSocketStages({ database }: { database: Database }): SocketStages {
  return {
    async exists({ accountId, region, apiId, stageName }) {
      const stored = await findApi(database, { accountId, region }, apiId)
      return stored?.api.settings.protocolType === 'WEBSOCKET' && await findStage(database, { apiId, stageName }) !== undefined
    },
  }
}
