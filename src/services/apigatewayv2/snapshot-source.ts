// Keeps what the data plane serves in memory until the control plane changes it.

import { createCache } from '#storage/cached.ts'
import type { Database } from '#storage/database.ts'
import { findMappings } from './domain-store.ts'
import type { MappingRecord } from './model.ts'
import type { DeployedV2Stage, MappedStage, V2ApiLocation, V2ApiSnapshot, V2SnapshotSource } from './snapshot.ts'
import { findApiLocation, findSnapshot, findStage } from './store.ts'

/** Stages, snapshots and API ids kept in memory, each. */
const ENTRIES_MAX = 1_000

export function createV2SnapshotSource({ database }: { database: Database }): V2SnapshotSource {
  const apis = createCache<string, V2ApiLocation | undefined>({
    database,
    load: (apiId) => findApiLocation(database, apiId),
    staleAfter: ({ topic, key }) => topic === 'apigatewayv2.api' ? { key } : 'none',
    entriesMax: ENTRIES_MAX,
  })
  // A deployment never changes, so only its deletion makes it stale.
  const snapshots = createCache<string, V2ApiSnapshot | undefined>({
    database,
    load: (key) => findSnapshot(database, splitKey(key)),
    staleAfter: ({ topic, key }) => topic === 'apigatewayv2.deployment' ? { key } : 'none',
    entriesMax: ENTRIES_MAX,
  })
  const stages = createCache<string, DeployedV2Stage | undefined>({
    database,
    load: async (key) => {
      const [apiId, stageName] = splitKey(key)
      const stage = (await findStage(database, { apiId, stageName }))?.stage
      const snapshot = stage?.deploymentId && await snapshots.get(`${apiId}/${stage.deploymentId}`)
      return stage && snapshot ? { stage, snapshot } : undefined
    },
    staleAfter: ({ topic, key }) => topic === 'apigatewayv2.stage' ? { key } : 'none',
    entriesMax: ENTRIES_MAX,
  })
  const domains = createCache<string, MappingRecord[] | undefined>({
    database,
    load: (domainName) => findMappings(database, domainName),
    staleAfter: ({ topic, key }) => topic === 'apigatewayv2.domain' ? { key } : 'none',
    entriesMax: ENTRIES_MAX,
  })
  // A wildcard stands for one label. Source: API Gateway developer guide, "Wildcard custom domain names".
  const mappingsOf = async (domainName: string): Promise<MappingRecord[] | undefined> => {
    const name = domainName.toLowerCase()
    return await domains.get(name) ?? domains.get(name.replace(/^[^.]+/, '*'))
  }
  return {
    findStage: ({ apiId, stageName }) => stages.get(`${apiId}/${stageName}`),
    findApi: (apiId) => apis.get(apiId),
    findMapping: async (domainName, path) => bestMapping(await mappingsOf(domainName) ?? [], path),
    hasDomain: async (domainName) => await mappingsOf(domainName) !== undefined,
  }
}

/** The mapping with the longest key whose segments the path begins with. */
function bestMapping(mappings: readonly MappingRecord[], path: string): MappedStage | undefined {
  const fits = mappings.filter(({ mappingKey }) => mappingKey === '' || path === `/${mappingKey}` || path.startsWith(`/${mappingKey}/`))
  const [best] = fits.sort((a, b) => b.mappingKey.length - a.mappingKey.length)
  return best && { apiId: best.apiId, stageName: best.stage, mappingKey: best.mappingKey }
}

function splitKey(key: string): [apiId: string, name: string] {
  const slash = key.indexOf('/')
  return [key.slice(0, slash), key.slice(slash + 1)]
}
