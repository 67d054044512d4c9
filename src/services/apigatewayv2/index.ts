// The public face of API Gateway v2 (HTTP and WebSocket APIs): what the data plane serves.

export type { DeployedV2Stage, MappedStage, V2ApiLocation, V2ApiSnapshot, V2SnapshotSource } from './snapshot.ts'
export type {
  Authorizer, Cors, Integration, IntegrationResponse, Model, Route, RouteResponse, RouteSettings, StageRecord,
} from './model.ts'
