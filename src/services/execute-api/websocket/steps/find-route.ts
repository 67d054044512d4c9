// Step 1: which stage, and which route an event is for.

import type { V2ApiSnapshot, V2SnapshotSource } from '#services/apigatewayv2/index.ts'
import { GatewayRefusal } from '../../gateway-responses.ts'
import { factsOf } from '../context.ts'
import type { CompiledSocketRoute, CompiledWebSocketApi } from '../deployment.ts'
import type { SocketExchange } from '../exchange.ts'
import { scopeOf } from '../parameter-mapping.ts'
import { DEFAULT_KEY } from '../selection.ts'

export interface RouteOptions {
  snapshots: Pick<V2SnapshotSource, 'findStage'>
  /** The deployment compiled, from memory when it was before. */
  compiled: (snapshot: V2ApiSnapshot) => CompiledWebSocketApi
}

/** The routes of a connection's begin and end. */
export const ownKeys = { CONNECT: '$connect', DISCONNECT: '$disconnect' } as const

/**
 * Undefined for a connection's begin or end that nobody wants to hear of: those routes need not be there.
 *
 * Source: API Gateway developer guide, "Manage connected users and client apps" and "Invoke your backend integration with the $default route": a message
 * that is no JSON, or that no route is named by, is for `$default`. Ours: one that names `$connect` or `$disconnect`, too.
 *
 * @throws GatewayRefusal 403 without a stage, a deployment, or a route for a message.
 */
export async function findRoute(exchange: SocketExchange, { snapshots, compiled }: RouteOptions): Promise<CompiledSocketRoute | undefined> {
  const { client: { apiId, stageName }, eventType, trace } = exchange
  const deployed = exchange.deployed = await snapshots.findStage({ apiId, stageName })
  const facts = { apiId, stage: stageName, eventType }
  if (!deployed) {
    trace.add('route', { ...facts, found: 'no such stage, or nothing deployed to it' })
    throw new GatewayRefusal('DEFAULT_4XX', 'Forbidden', { status: 403, errorType: 'ForbiddenException' })
  }
  const api = exchange.api = compiled(deployed.snapshot)
  const selected = eventType === 'MESSAGE' ? selectKey(exchange, api) : ownKeys[eventType]
  const route = exchange.route = api.routes.get(selected) ?? (eventType === 'MESSAGE' ? api.routes.get(DEFAULT_KEY) : undefined)
  trace.add('route', {
    ...facts, deploymentId: deployed.snapshot.deploymentId, selected, routeKey: route?.routeKey ?? null, authorizationType: route?.definition.authorizationType ?? null,
    integrationType: route?.integration?.definition.integrationType ?? null,
  })
  // Source: dherault/serverless-offline, whose socket tests run against AWS: `Forbidden`.
  if (!route && eventType === 'MESSAGE') throw new GatewayRefusal('DEFAULT_4XX', 'Forbidden', { status: 403, errorType: 'ForbiddenException' })
  return route
}

function selectKey(exchange: SocketExchange, { selectRoute }: CompiledWebSocketApi): string {
  const selected = selectRoute(scopeOf({ exchange, deployed: exchange.deployed!, facts: factsOf(exchange, ''), parameters: { header: {}, querystring: {} } }))
  return selected === undefined || selected === '$connect' || selected === '$disconnect' ? DEFAULT_KEY : selected
}
