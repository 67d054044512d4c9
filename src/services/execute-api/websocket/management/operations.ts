// The three operations of `@connections`, by the names of their model.

import type { ConnectionKey, Connections } from '../connections.ts'
import { TooManyOutstanding } from '../nodes/shared-connections.ts'
import { gone, limitExceeded } from './errors.ts'

/** What an operation answers, by the names of the model. */
export type ManagementOperation = (key: ConnectionKey, data: Buffer, connections: Connections) => Promise<Record<string, unknown>>

export const operations: Readonly<Record<string, ManagementOperation>> = {
  DeleteConnection: deleteConnection,
  GetConnection: getConnection,
  PostToConnection: postToConnection,
}

/** @throws GatewayRefusal 410; 429 while too many requests wait for other processes. */
async function deleteConnection(key: ConnectionKey, _data: Buffer, connections: Connections): Promise<Record<string, unknown>> {
  if (await unlessTooMany(connections.disconnect(key)) === 'gone') throw gone()
  return {}
}

/**
 * Source: AWS CLI reference, get-connection, whose example has times to the millisecond and no user agent for a client that sent none.
 * @throws GatewayRefusal 410; 429 while too many requests wait for other processes.
 */
async function getConnection(key: ConnectionKey, _data: Buffer, connections: Connections): Promise<Record<string, unknown>> {
  const facts = await unlessTooMany(connections.describe(key))
  if (facts === 'gone') throw gone()
  return {
    ConnectedAt: new Date(facts.connectedAtMs),
    Identity: { SourceIp: facts.sourceIp, UserAgent: facts.userAgent },
    LastActiveAt: new Date(facts.lastActiveAtMs),
  }
}

/** @throws GatewayRefusal 410; 429 for a client that does not read. */
async function postToConnection(key: ConnectionKey, data: Buffer, connections: Connections): Promise<Record<string, unknown>> {
  const sent = await connections.send(key, data)
  if (sent === 'gone') throw gone()
  if (sent === 'full') throw limitExceeded()
  return {}
}

async function unlessTooMany<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer
  } catch (error) {
    throw error instanceof TooManyOutstanding ? limitExceeded() : error
  }
}
