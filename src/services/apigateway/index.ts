// The public face of API Gateway's control plane for REST APIs: the operations, and the snapshots that the data plane serves.

import type { ServiceDefinition } from '#aws/service.ts'
import type { Clock } from '#lib/clock.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Database } from '#storage/database.ts'
import { operations } from './api.ts'
import { createSnapshotSource, type SnapshotSource } from './snapshot.ts'

export type { ApiKey, DeployedStage, RestApiSnapshot, SnapshotMethod, SnapshotResource, SnapshotSource } from './snapshot.ts'
export type {
  ContentHandling, GatewayResponse, Integration, IntegrationResponse, IntegrationType, MethodResponse, MethodSetting, Model,
  PassthroughBehavior, StageRecord,
} from './model.ts'

/** What handlers of this service hold in common. */
export interface ApiGateway {
  database: Database
  clock: Clock
  random: RandomSource
  functions?: FunctionDirectory | undefined
}

/** What API Gateway asks of Lambda while an API is edited. */
export interface FunctionDirectory {
  /** Whether there is such a function (or version, or alias). */
  exists(functionArn: string): Promise<boolean>
}

/** The largest request body: a definition to import. Source: API Gateway quotas, "Maximum import file size" 6 MB; Ours: 10 MB, so that base64 in a body fits. */
export const REQUEST_BODY_BYTES_MAX = 10 * 1024 * 1024

/** Assembles the service. */
export function createApiGateway(parts: ApiGateway): { definition: ServiceDefinition<ApiGateway>, snapshots: SnapshotSource } {
  return {
    definition: {
      model: 'apigateway-2015-07-09',
      operations,
      service: parts,
      bodyBytesMax: REQUEST_BODY_BYTES_MAX,
      errors: {
        validation: { code: 'BadRequestException', status: 400 },
        accessDenied: { code: 'AccessDeniedException', status: 403 },
      },
    },
    snapshots: createSnapshotSource(parts),
  }
}
