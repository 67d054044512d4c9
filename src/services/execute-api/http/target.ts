// Which stage a request to an HTTP API is for: one named by the path, else `$default`; or the one that a custom domain leads to.

import type { MappedStage, V2SnapshotSource } from '#services/apigatewayv2/index.ts'
import type { Address } from '../address.ts'
import type { HttpTarget } from './exchange.ts'

export const DEFAULT_STAGE = '$default'

/**
 * The first part of the path names a stage where there is one of that name, and is part of the path of `$default` otherwise.
 * Source: API Gateway developer guide, "Stages for HTTP APIs"; `rawPath` has the stage's name, as documented events show.
 *
 * @param wholePath with the stage, as it was sent.
 */
export async function targetOf({ apiId, stageName, path }: Address, wholePath: string, snapshots: Pick<V2SnapshotSource, 'findStage'>): Promise<HttpTarget> {
  const isNamed = stageName !== '' && stageName !== DEFAULT_STAGE && await snapshots.findStage({ apiId, stageName }) !== undefined
  return isNamed ? { apiId, stageName, path, shownPrefix: `/${stageName}` } : { apiId, stageName: DEFAULT_STAGE, path: wholePath || '/', shownPrefix: '' }
}

/**
 * The key of a mapping stays in the path of format 1.0 and is not part of what routes are matched with. Source: as in `context.ts`; CodeGenieApp/serverless-express
 * issue 612: behind the key alone there is not even a slash.
 */
export function mappedTarget({ apiId, stageName, mappingKey }: MappedStage, path: string): HttpTarget {
  const shownPrefix = mappingKey === '' ? '' : `/${mappingKey}`
  return { apiId, stageName, path: path.slice(shownPrefix.length), shownPrefix }
}
