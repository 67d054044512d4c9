// Step 1: which method of which deployment a request names.

import type { SnapshotSource, StageRecord } from '#services/apigateway/index.ts'
import type { Address } from '../../address.ts'
import { GatewayRefusal } from '../../gateway-responses.ts'
import { methodSetting } from '../method-settings.ts'
import type { CompiledDeployment } from '../deployment.ts'
import type { Exchange, Route } from '../exchange.ts'

export interface RouteOptions {
  snapshots: SnapshotSource
  /** The deployment compiled, from memory when it was before. */
  compiled: (snapshot: CompiledDeployment['snapshot']) => CompiledDeployment
  traceBodies: boolean
}

/**
 * @throws GatewayRefusal 403 for an unknown API or stage (`Forbidden`) and for a path or method that does not exist
 * (`Missing Authentication Token`).
 */
export async function route(exchange: Exchange, address: Address, { snapshots, compiled, traceBodies }: RouteOptions): Promise<Route> {
  const { apiId, stageName, path } = address
  const deployed = await snapshots.findStage({ apiId, stageName })
  if (!deployed || deployed.snapshot.disableExecuteApiEndpoint) {
    exchange.trace.add('route', { apiId, stage: stageName, path, found: deployed ? 'the default endpoint is disabled' : 'no such API or stage' })
    throw forbidden()
  }
  const deployment = compiled(deployed.snapshot)
  const found = deployment.router.find(exchange.request.method, path)
  const facts = { apiId, stage: stageName, deploymentId: deployed.snapshot.deploymentId ?? null, method: exchange.request.method, path }
  if (!found) {
    exchange.trace.add('route', { ...facts, found: 'no such resource or method' })
    exchange.route = { address, deployed, deployment, method: nothing, pathParameters: {}, rawPathParameters: {}, mayTraceBodies: false }
    // Observed: AWS, 23-07-2024, recorded by localstack's test_routing_not_found.
    throw new GatewayRefusal('MISSING_AUTHENTICATION_TOKEN', 'Missing Authentication Token')
  }
  const { method, pathParameters, rawPathParameters } = found
  exchange.trace.add('route', {
    ...facts, resourceId: method.resource.id, resourcePath: method.resource.path, pathParameters,
    authorizationType: method.definition.authorizationType, integrationType: method.integration?.definition.type ?? null,
  })
  const ignored = withoutEffect(deployed.stage)
  if (ignored.length > 0) exchange.trace.add('without-effect', { settings: ignored })
  const mayTraceBodies = traceBodies || methodSetting(deployed.stage, method.resource.path, method.definition.httpMethod)?.dataTraceEnabled === true
  return { address, deployed, deployment, method, pathParameters, rawPathParameters, mayTraceBodies }
}

/** Settings of a stage that are stored and shown, and change nothing here. */
function withoutEffect({ cacheClusterEnabled, tracingEnabled, clientCertificateId }: StageRecord): string[] {
  return [...cacheClusterEnabled ? ['cacheClusterEnabled'] : [], ...tracingEnabled ? ['tracingEnabled'] : [], ...clientCertificateId ? ['clientCertificateId'] : []]
}

/** Source: public reports: an API or stage that is not there answers `{"message":"Forbidden"}` with 403. */
function forbidden(): GatewayRefusal {
  return new GatewayRefusal('DEFAULT_4XX', 'Forbidden', { status: 403, errorType: 'ForbiddenException' })
}

/** Stands for the method where there is none, so that gateway responses of the API still apply. */
const nothing: Route['method'] = {
  resource: { id: '', path: '' },
  definition: { httpMethod: '', authorizationType: 'NONE', apiKeyRequired: false },
  integration: undefined, bodyValidators: new Map(), requiredParameters: [],
}
