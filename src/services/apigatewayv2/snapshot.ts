// What the data plane serves: an API's design frozen by a deployment, the stage that points at it, and the domains that lead there.

import type { ApiDesign, ApiSettings, StageRecord } from './model.ts'

/** Immutable. The same deployment is the same object as long as it is cached, so it may key what is compiled from it. */
export interface V2ApiSnapshot extends Readonly<Omit<ApiSettings, 'tags'>>, Readonly<ApiDesign> {
  readonly apiId: string
  readonly accountId: string
  readonly region: string
  readonly deploymentId: string
}

export interface DeployedV2Stage {
  stage: StageRecord
  snapshot: V2ApiSnapshot
}

export interface V2SnapshotSource {
  /** A stage with what is deployed to it; undefined when the API or the stage is missing, or nothing is deployed yet. */
  findStage(where: { apiId: string, stageName: string }): Promise<DeployedV2Stage | undefined>
  /** Whether there is such an API, of which protocol, and whose it is. */
  findApi(apiId: string): Promise<V2ApiLocation | undefined>
  /** Where a custom domain leads: the mapping with the longest key that the path begins with. */
  findMapping(domainName: string, path: string): Promise<MappedStage | undefined>
  /** Whether there is a custom domain of this name, or one with a wildcard that it fits; it need not lead anywhere. */
  hasDomain(domainName: string): Promise<boolean>
}

export interface V2ApiLocation {
  apiId: string
  accountId: string
  region: string
  protocolType: 'HTTP' | 'WEBSOCKET'
  disableExecuteApiEndpoint: boolean
}

export interface MappedStage {
  apiId: string
  stageName: string
  /** Without slashes at its ends; empty when the domain itself is mapped. */
  mappingKey: string
}
