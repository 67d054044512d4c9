// The public face of API Gateway's control plane for REST APIs: the operations, and the snapshots that the data plane serves.

import type { Scope } from '#aws/arn.ts'
import type { ServiceDefinition } from '#aws/service.ts'
import type { Clock } from '#lib/clock.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Sealer } from '#lib/seal.ts'
import type { Database } from '#storage/database.ts'
import { findAccount } from './account-store.ts'
import type { LoggingRoles } from './account.ts'
import { operations } from './api.ts'
import { IMPORT_BODY_BYTES_MAX } from './limits.ts'
import { createMetering, type CalledStage, type Metering, type OwnMetering } from './metering.ts'
import { createSnapshotSource, type SnapshotSource } from './snapshot.ts'
import { transactions } from './store.ts'
import type { RunAuthorizerTest } from './test-authorizer.ts'
import type { RunMethodTest } from './test-invoke.ts'

export { createLoggingRoles } from './logging-roles.ts'
export type { AuthorizerTest, AuthorizerTestResult, RunAuthorizerTest } from './test-authorizer.ts'
export type { MethodTest, MethodTestResult, RunMethodTest } from './test-invoke.ts'
export type { CalledStage, KeyFinding, KeyGrant, MeteredRequest, Metering, RefusingLimit } from './metering.ts'
export type { Quota, RateLimit } from './usage-model.ts'
export type { ApiLocation, DeployedStage, RestApiSnapshot, SnapshotMethod, SnapshotResource, SnapshotSource } from './snapshot.ts'
export type {
  Authorizer, ContentHandling, GatewayResponse, Integration, IntegrationResponse, IntegrationType, MethodResponse, MethodSetting, Model,
  PassthroughBehavior, StageRecord,
} from './model.ts'
import { tagsAt } from './tags.ts'

/** What handlers of this service hold in common. */
export interface ApiGateway {
  database: Database
  clock: Clock
  random: RandomSource
  functions?: FunctionDirectory | undefined
  socketStages?: SocketStages | undefined
  sealer: Pick<Sealer, 'sealText' | 'openText' | 'fingerprint'>
  metering: OwnMetering
  /** Requests a second to all APIs of an account in a region; AWS's quota unless given. Half of it may come at once. */
  accountRateLimit?: number | undefined
  loggingRoles: LoggingRoles
  /** What a test invocation runs. */
  runMethodTest: RunMethodTest
  runAuthorizerTest: RunAuthorizerTest
}

export interface ApiGatewayOptions extends Omit<ApiGateway, 'metering'> {
  /** Told of requests that were taken from limits in advance and could not be given back. */
  log?: { error(facts: Record<string, unknown>, message: string): void } | undefined
}

/** What API Gateway asks of Lambda while an API is edited. */
export interface FunctionDirectory {
  /** Whether there is such a function (or version, or alias). */
  exists(functionArn: string): Promise<boolean>
}

/** What usage plans ask of WebSocket APIs. */
export interface SocketStages {
  /** Whether the account has such a stage of a WebSocket API there. */
  exists(stage: CalledStage): Promise<boolean>
}

/** What usage plans are told of WebSocket APIs. */
export interface UsagePlanStages {
  /** Takes stages that were deleted out of every plan. */
  detach(stages: { apiId: string, stageNames: string[] }): Promise<void>
}

/** What APIs of other kinds ask of an account's settings. */
export interface LoggingSettings {
  /** Whether the account has named the role with which logs are written in the region. */
  hasRole(scope: Scope): Promise<boolean>
}

export interface ApiGatewayService {
  definition: ServiceDefinition<ApiGateway>
  snapshots: SnapshotSource
  /** API keys and limits, as the data plane asks for them. */
  metering: Metering
  usagePlans: UsagePlanStages
  logging: LoggingSettings
  /** Gives back what was taken from limits in advance. Before the store closes. */
  close(): Promise<void>
}

/** Assembles the service. */
export function createApiGateway({ log, ...parts }: ApiGatewayOptions): ApiGatewayService {
  const metering = createMetering({ ...parts, onFailure: (error) => log?.error({ err: error }, 'requests taken in advance were lost') })
  return {
    definition: {
      model: 'apigateway-2015-07-09',
      operations,
      service: { ...parts, metering },
      tagsOf: tagsAt,
      bodyBytesMax: IMPORT_BODY_BYTES_MAX,
      errors: {
        // Observed: AWS, 2024 and 2025, recorded by localstack's test_apigateway_api: the model's constraints have a code of their own.
        validation: { code: 'ValidationException', status: 400 },
        accessDenied: { code: 'AccessDeniedException', status: 403 },
        constraints: listedAsRecorded,
      },
    },
    snapshots: createSnapshotSource(parts),
    metering,
    usagePlans: { detach: (stages) => parts.database.transact(transactions.detachStages, stages) },
    logging: { hasRole: async (scope) => (await findAccount(parts.database, scope)).cloudwatchRoleArn !== undefined },
    close: () => metering.close(),
  }
}

/**
 * AWS lists these values in an order of its own, and a refusal shows it.
 * Observed: AWS, 2024 and 2025, recorded by localstack's test_update_method_wrong_operations, test_put_integration_wrong_type,
 * test_create_rest_api_with_endpoint_configuration, test_gateway_response_validation and test_invalid_create_documentation_part_operations.
 */
const listedAsRecorded = {
  Op: { enum: ['add', 'remove', 'move', 'test', 'replace', 'copy'] },
  IntegrationType: { enum: ['HTTP', 'MOCK', 'AWS_PROXY', 'HTTP_PROXY', 'AWS'] },
  EndpointType: { enum: ['PRIVATE', 'EDGE', 'REGIONAL'] },
  DocumentationPartType: {
    enum: [
      'RESPONSE_BODY', 'RESPONSE', 'METHOD', 'MODEL', 'AUTHORIZER', 'RESPONSE_HEADER', 'RESOURCE', 'PATH_PARAMETER', 'REQUEST_BODY', 'QUERY_PARAMETER', 'API', 'REQUEST_HEADER',
    ],
  },
  GatewayResponseType: {
    enum: [
      'REQUEST_TOO_LARGE', 'RESOURCE_NOT_FOUND', 'AUTHORIZER_CONFIGURATION_ERROR', 'MISSING_AUTHENTICATION_TOKEN', 'BAD_REQUEST_BODY',
      'INVALID_SIGNATURE', 'INVALID_API_KEY', 'BAD_REQUEST_PARAMETERS', 'AUTHORIZER_FAILURE', 'UNAUTHORIZED', 'INTEGRATION_TIMEOUT',
      'ACCESS_DENIED', 'DEFAULT_4XX', 'DEFAULT_5XX', 'WAF_FILTERED', 'QUOTA_EXCEEDED', 'THROTTLED', 'API_CONFIGURATION_ERROR',
      'UNSUPPORTED_MEDIA_TYPE', 'INTEGRATION_FAILURE', 'EXPIRED_TOKEN',
    ],
  },
}
