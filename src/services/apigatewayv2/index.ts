// The public face of API Gateway v2 (HTTP and WebSocket APIs): the operations, and what the data plane serves.

import type { ServiceDefinition } from '#aws/service.ts'
import type { Clock } from '#lib/clock.ts'
import type { RandomSource } from '#lib/random.ts'
import type { LoggingSettings, SnapshotSource, SocketStages, UsagePlanStages } from '#services/apigateway/index.ts'
import type { Database } from '#storage/database.ts'
import { operations } from './api.ts'
import { REQUEST_BODY_BYTES_MAX } from './limits.ts'
import { createV2SnapshotSource } from './snapshot-source.ts'
import { createSocketStages } from './socket-stages.ts'
import type { V2SnapshotSource } from './snapshot.ts'
import { tagsAt } from './tags.ts'

export type { DeployedV2Stage, MappedStage, V2ApiLocation, V2ApiSnapshot, V2SnapshotSource } from './snapshot.ts'
export type {
  Authorizer, Cors, Integration, IntegrationResponse, Model, Route, RouteResponse, RouteSettings, StageRecord,
} from './model.ts'

/** What handlers of this service hold in common. */
export interface ApiGatewayV2 {
  database: Database
  clock: Clock
  random: RandomSource
  /** Where clients on this machine reach the server: `http://127.0.0.1:4566`. An API's own address is derived from it. */
  endpoint: { url(): string }
  /** REST APIs, which custom domain names may lead to as well. */
  rest?: Pick<SnapshotSource, 'findApi' | 'findStage'> | undefined
  /** Where WebSocket APIs' stages learn whether they may log. */
  logging: LoggingSettings
  /** Told of stages that are deleted. */
  usagePlans?: UsagePlanStages | undefined
}

export interface ApiGatewayV2Service {
  definition: ServiceDefinition<ApiGatewayV2>
  snapshots: V2SnapshotSource
  /** For usage plans. */
  socketStages: SocketStages
}

/** Assembles the service. */
export function createApiGatewayV2(parts: ApiGatewayV2): ApiGatewayV2Service {
  return {
    definition: {
      model: 'apigatewayv2-2018-11-29',
      operations,
      service: parts,
      tagsOf: tagsAt,
      bodyBytesMax: REQUEST_BODY_BYTES_MAX,
      errors: {
        validation: { code: 'BadRequestException', status: 400 },
        accessDenied: { code: 'AccessDeniedException', status: 403 },
        constraints: checkedByHandlers,
      },
    },
    snapshots: createV2SnapshotSource(parts),
    socketStages: createSocketStages(parts),
  }
}

/** Ranges that AWS refuses in sentences of their own. Observed: AWS, 13-09-2026, recorded by cdk-preflight's pf-apigwv2-authorizer-ttl-range. */
const checkedByHandlers = {
  IntegerWithLengthBetween0And3600: { min: undefined, max: undefined },
  IntegerWithLengthBetween50And30000: { min: undefined, max: undefined },
  IntegerWithLengthBetweenMinus1And86400: { min: undefined, max: undefined },
}
