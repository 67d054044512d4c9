// APIs: create, read, list, update, delete.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { apiName, compressionSize, endpoints, endpointType, newSettings, onlyDualstack, policyText } from './api-settings.ts'
import { cloneDesign } from './clone.ts'
import { editApi, readApi, withRetries, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import { newApiId, newId } from './ids.ts'
import type { ApiGateway } from './index.ts'
import { APIS_PER_REGION_MAX } from './limits.ts'
import type { ApiDesign, RestApi } from './model.ts'
import { defaultModels } from './schemas.ts'
import { decodePosition, encodePosition, pageLimit } from './pages.ts'
import { applyPatches, booleanOf, type PatchRule } from './patch.ts'
import { listApis, transactions, type ListedApi } from './store.ts'

export async function createRestApi(request: Input<sdk.CreateRestApiRequest>, call: Caller, gateway: ApiGateway): Promise<sdk.RestApi> {
  const { database, clock, random } = gateway
  const { scope } = call
  const source = request.cloneFrom ? await readApi(gateway, call, request.cloneFrom, () => missing.api(scope, request.cloneFrom!)) : undefined
  const apiId = newApiId(random)
  const rootResourceId = newApiId(random)
  const api: RestApi = {
    id: apiId,
    accountId: scope.accountId,
    region: scope.region,
    createdAtMs: clock.now(),
    settings: newSettings(request, { ...scope, apiId }),
    design: source ? cloneDesign(source.design, { apiId, rootResourceId, newId: () => newId(random) })
      : { ...emptyDesign(rootResourceId), models: defaultModels(() => newId(random)) },
  }
  await withRetries(() => database.transact(transactions.insertApi, { api, apisMax: APIS_PER_REGION_MAX }))
  return describeApi(listed(api), { unhonoured: unhonoured(request) })
}

export async function getRestApi({ restApiId }: Input<sdk.GetRestApiRequest>, call: Caller, gateway: ApiGateway): Promise<sdk.RestApi> {
  return describeApi(listed(await readApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId))), { withTags: true })
}

export async function getRestApis(request: Input<sdk.GetRestApisRequest>, { scope }: Caller, { database }: ApiGateway): Promise<sdk.RestApis> {
  const limit = pageLimit(request)
  const position = /^(\d{1,15})\/([a-z0-9]+)$/.exec(decodePosition(request.position) ?? '0/a')
  if (!position) throw errors.BadRequestException('Invalid position specified')
  const after = { createdAtMs: Number(position[1]), id: position[2]! }
  const apis = await listApis(database, { ...scope, after, limit: limit + 1 })
  const page = apis.slice(0, limit)
  const last = page.at(-1)
  return {
    items: page.map((api) => describeApi(api)),
    position: apis.length > limit && last ? encodePosition(`${last.createdAtMs}/${last.id}`) : undefined,
  }
}

export function updateRestApi(
  { restApiId, patchOperations }: Input<sdk.UpdateRestApiRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.RestApi> {
  return editApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId), (api) => {
    applyPatches(api, patchOperations, patchRules, 'plain')
    return describeApi(listed(api), { withTags: true })
  })
}

export async function deleteRestApi({ restApiId }: Input<sdk.DeleteRestApiRequest>, { scope }: Caller, { database }: ApiGateway): Promise<void> {
  const deleted = await database.transact(transactions.deleteApi, { ...scope, apiId: restApiId })
  if (!deleted) throw missing.api(scope, restApiId)
}

/** A design with nothing but its root. */
export function emptyDesign(rootResourceId: string): ApiDesign {
  return {
    rootResourceId,
    resources: { [rootResourceId]: { id: rootResourceId, path: '/', methods: {} } },
    models: {},
    requestValidators: {},
    authorizers: {},
    gatewayResponses: {},
  }
}

export const listed = ({ design, ...api }: RestApi): ListedApi => ({ ...api, rootResourceId: design.rootResourceId })

/**
 * As AWS shows an API. Tags are shown empty by some operations and left out by others.
 * Observed: AWS, 2025, recorded by localstack's TestApiGatewayApiRestApi.
 */
export function describeApi(
  { id, createdAtMs, settings, rootResourceId }: ListedApi,
  { withTags = false, unhonoured = [], warnings = [] }: { withTags?: boolean, unhonoured?: string[], warnings?: string[] } = {},
): sdk.RestApi {
  const { tags, policy, ...shown } = settings
  const allWarnings = [...warnings, ...unhonoured]
  return {
    id,
    ...shown,
    securityPolicy: shown.securityPolicy as sdk.SecurityPolicy | undefined,
    // AWS escapes the policy once more than JSON does; clients such as Terraform unquote it.
    policy: policy === undefined ? undefined : JSON.stringify(policy).slice(1, -1),
    createdDate: new Date(createdAtMs),
    rootResourceId,
    tags: tags && Object.keys(tags).length > 0 ? tags : withTags ? {} : undefined,
    warnings: allWarnings.length > 0 ? allWarnings : undefined,
  }
}

/** Ours: settings that are stored and shown but change nothing here are said to be so. */
function unhonoured({ securityPolicy, endpointAccessMode }: Input<sdk.CreateRestApiRequest>): string[] {
  return [
    ...securityPolicy ? ['securityPolicy is stored, but this server\'s TLS settings decide.'] : [],
    ...endpointAccessMode ? ['endpointAccessMode is not honoured.'] : [],
  ]
}

/** Source: API Gateway API reference, "Patch operations", UpdateRestApi. */
const patchRules: readonly PatchRule<RestApi>[] = [
  { path: '/name', replace: ({ settings }, value) => { settings.name = apiName(value) } },
  {
    path: '/description',
    replace: ({ settings }, value) => { settings.description = value || undefined },
    remove: ({ settings }) => { settings.description = undefined },
  },
  { path: '/version', replace: ({ settings }, value) => { settings.version = value || undefined } },
  {
    path: '/policy',
    replace: (api, value) => { api.settings.policy = policyText(value, { ...api, apiId: api.id }) },
    remove: ({ settings }) => { settings.policy = undefined },
  },
  { path: '/minimumCompressionSize', replace: ({ settings }, value) => { settings.minimumCompressionSize = compressionSize(value) } },
  { path: '/apiKeySource', replace: ({ settings }, value) => { settings.apiKeySource = apiKeySource(value) } },
  { path: '/disableExecuteApiEndpoint', replace: ({ settings }, value) => { settings.disableExecuteApiEndpoint = booleanOf(value) } },
  {
    path: '/binaryMediaTypes/{type}',
    add: ({ settings }, _value, type) => { settings.binaryMediaTypes = [...new Set([...settings.binaryMediaTypes ?? [], type])] },
    replace: ({ settings }, value, type) => {
      settings.binaryMediaTypes = [...(settings.binaryMediaTypes ?? []).filter((known) => known !== type), value]
    },
    remove: ({ settings }, _value, type) => {
      const rest = settings.binaryMediaTypes?.filter((known) => known !== type)
      settings.binaryMediaTypes = rest?.length ? rest : undefined
    },
  },
  {
    path: '/endpointConfiguration/types/{index}',
    replace: ({ settings }, value) => { settings.endpointConfiguration = endpoints({ types: [endpointType(value)] }) },
  },
  {
    path: '/endpointConfiguration/ipAddressType',
    replace: ({ settings: { endpointConfiguration } }, value) => {
      if (value !== 'ipv4' && value !== 'dualstack') throw errors.BadRequestException('ipAddressType must be either ipv4 or dualstack.')
      if (value === 'ipv4' && endpointConfiguration.types.includes('PRIVATE')) throw onlyDualstack()
      endpointConfiguration.ipAddressType = value
    },
  },
]

export function apiKeySource(value: string): 'HEADER' | 'AUTHORIZER' {
  const source = value.toUpperCase()
  if (source !== 'HEADER' && source !== 'AUTHORIZER') throw errors.BadRequestException('Invalid ApiKeySource specified. Valid options are HEADER,AUTHORIZER')
  return source
}
