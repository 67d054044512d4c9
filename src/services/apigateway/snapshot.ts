// What the data plane serves: an API's design frozen at CreateDeployment, and the stage that points at it.

import { createCache } from '#storage/cached.ts'
import type { Database } from '#storage/database.ts'
import type { ApiSettings, Authorizer, GatewayResponse, Method, Model, RequestValidator, RestApi, StageRecord } from './model.ts'
import { findApiLocation, findSnapshot, findStage } from './store.ts'

/** Immutable. The same deployment is the same object as long as it is cached, so it may key what is compiled from it. */
export interface RestApiSnapshot extends Readonly<Omit<ApiSettings, 'tags'>> {
  readonly apiId: string
  readonly accountId: string
  readonly region: string
  /** Absent on the undeployed configuration that a test invocation runs. */
  readonly deploymentId?: string | undefined
  readonly resources: readonly SnapshotResource[]
  readonly models: Readonly<Record<string, Model>>
  /** By id. Absent in deployments that were made before there were authorizers. */
  readonly authorizers?: Readonly<Record<string, Authorizer>> | undefined
  /** Only those that were put on the API, by response type. */
  readonly gatewayResponses: Readonly<Record<string, GatewayResponse>>
}

export interface SnapshotResource {
  readonly id: string
  readonly parentId?: string | undefined
  readonly pathPart?: string | undefined
  /** The full path: `/`, `/pets/{petId}`, `/{proxy+}`. */
  readonly path: string
  /** By HTTP method, upper case, or `ANY`. */
  readonly methods: Readonly<Record<string, SnapshotMethod>>
}

/** A method with its validator instead of the validator's id. Deployments of earlier versions have no name of it. */
export interface SnapshotMethod extends Readonly<Omit<Method, 'requestValidatorId'>> {
  readonly requestValidator?: Pick<RequestValidator, 'validateRequestBody' | 'validateRequestParameters'> & { name?: string } | undefined
}

export interface DeployedStage {
  stage: StageRecord
  snapshot: RestApiSnapshot
}

export interface SnapshotSource {
  /** The stage with what it serves; undefined when API or stage is unknown. Cached until a change. */
  findStage(key: { apiId: string, stageName: string }): Promise<DeployedStage | undefined>
  /** Where an API belongs; undefined when there is none of that id. Cached until a change. */
  findApi(apiId: string): Promise<ApiLocation | undefined>
}

export interface ApiLocation {
  apiId: string
  accountId: string
  region: string
}

/** Stages, snapshots and API ids kept in memory, each. */
const STAGES_CACHED_MAX = 1_000

/** Freezes an API as it stands. */
export function snapshotOf({ id, accountId, region, settings, design }: RestApi, deploymentId?: string): RestApiSnapshot {
  const { tags: _tags, ...frozen } = settings
  return {
    ...frozen,
    apiId: id,
    accountId,
    region,
    deploymentId,
    resources: Object.values(design.resources).map(({ methods, ...resource }) => ({
      ...resource,
      methods: Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, snapshotMethod(method, design.requestValidators)])),
    })),
    models: design.models,
    authorizers: design.authorizers,
    gatewayResponses: design.gatewayResponses,
  }
}

function snapshotMethod({ requestValidatorId, ...method }: Method, validators: Record<string, RequestValidator>): SnapshotMethod {
  const validator = requestValidatorId === undefined ? undefined : validators[requestValidatorId]
  if (!validator) return method
  const { name, validateRequestBody, validateRequestParameters } = validator
  return { ...method, requestValidator: { name, validateRequestBody, validateRequestParameters } }
}

export function createSnapshotSource({ database }: { database: Database }): SnapshotSource {
  const apis = createCache<string, ApiLocation | undefined>({
    database,
    load: (apiId) => findApiLocation(database, apiId),
    staleAfter: ({ topic, key }) => topic === 'apigateway.api' ? { key } : 'none',
    entriesMax: STAGES_CACHED_MAX,
  })
  // A deployment never changes, so only its deletion makes it stale.
  const snapshots = createCache<string, RestApiSnapshot | undefined>({
    database,
    load: (key) => findSnapshot(database, splitKey(key)),
    staleAfter: ({ topic, key }) => topic === 'apigateway.deployment' ? { key } : 'none',
    entriesMax: STAGES_CACHED_MAX,
  })
  const stages = createCache<string, DeployedStage | undefined>({
    database,
    load: async (key) => {
      const [apiId, stageName] = splitKey(key)
      const stage = (await findStage(database, { apiId, stageName }))?.stage
      const snapshot = stage && await snapshots.get(`${apiId}/${stage.deploymentId}`)
      return stage && snapshot && { stage, snapshot }
    },
    staleAfter: ({ topic, key }) => topic === 'apigateway.stage' ? { key } : 'none',
    entriesMax: STAGES_CACHED_MAX,
  })
  return {
    findStage: ({ apiId, stageName }) => stages.get(`${apiId}/${stageName}`),
    findApi: (apiId) => apis.get(apiId),
  }
}

function splitKey(key: string): [apiId: string, name: string] {
  const slash = key.indexOf('/')
  return [key.slice(0, slash), key.slice(slash + 1)]
}
