// APIs: create (quick create too), read, list, update, delete.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { Conflict } from '#storage/database.ts'
import { newSettings, updateSettings } from './api-settings.ts'
import { editApi, newAutoDeployment, readApi, withRetries, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import { newApiId } from './ids.ts'
import type { ApiGatewayV2 } from './index.ts'
import { APIS_PER_REGION_MAX } from './limits.ts'
import type { V2Api } from './model.ts'
import { decodeToken, encodeToken, pageLimit } from './pages.ts'
import { quickCreate, updateQuickCreated } from './quick-create.ts'
import { listApis, listStages, transactions, type ListedApi } from './store.ts'

export async function createApi(request: Input<sdk.CreateApiRequest>, { scope }: Caller, gateway: ApiGatewayV2): Promise<sdk.CreateApiResponse> {
  const { database, clock, random } = gateway
  const api: V2Api = {
    id: newApiId(random),
    accountId: scope.accountId,
    region: scope.region,
    createdAtMs: clock.now(),
    settings: newSettings(request),
    design: { routes: {}, integrations: {}, authorizers: {}, models: {} },
  }
  const stage = quickCreate(api, request, gateway)
  await withRetries(() => database.transact(transactions.insertApi, { api, stage, auto: newAutoDeployment(gateway), apisMax: APIS_PER_REGION_MAX }))
  return describeApi(api, gateway)
}

export async function getApi({ ApiId }: Input<sdk.GetApiRequest>, call: Caller, gateway: ApiGatewayV2): Promise<sdk.GetApiResponse> {
  return describeApi(await readApi(gateway, call, ApiId), gateway)
}

export async function getApis(request: Input<sdk.GetApisRequest>, { scope }: Caller, gateway: ApiGatewayV2): Promise<sdk.GetApisResponse> {
  const limit = pageLimit(request)
  const position = /^(\d{1,15})\/([a-z0-9]+)$/.exec(decodeToken(request.NextToken) ?? '0/a')
  if (!position) throw errors.BadRequestException('Invalid nextToken specified')
  const after = { createdAtMs: Number(position[1]), id: position[2]! }
  const apis = await listApis(gateway.database, { ...scope, after, limit: limit + 1 })
  const page = apis.slice(0, limit)
  const last = page.at(-1)
  return {
    Items: page.map((api) => describeApi(api, gateway)),
    NextToken: apis.length > limit && last ? encodeToken(`${last.createdAtMs}/${last.id}`) : undefined,
  }
}

export function updateApi(request: Input<sdk.UpdateApiRequest>, call: Caller, gateway: ApiGatewayV2): Promise<sdk.UpdateApiResponse> {
  return editApi(gateway, call, request.ApiId, (api) => {
    updateSettings(api.settings, request)
    updateQuickCreated(api, request)
    return describeApi(api, gateway)
  })
}

export async function deleteApi({ ApiId }: Input<sdk.DeleteApiRequest>, { scope }: Caller, { database, usagePlans }: ApiGatewayV2): Promise<void> {
  const stages = await listStages(database, ApiId)
  const deleted = await withRetries(async () => {
    try {
      return await database.transact(transactions.deleteApi, { ...scope, apiId: ApiId })
    } catch (error) {
      // Seen in reports: gruntwork-io/cloud-nuke issue 370.
      if (error instanceof Conflict && error.reason === 'api mapped') {
        throw errors.BadRequestException(`Deleting API ${ApiId} failed. Please remove all API mappings for the API from your custom domain names.`)
      }
      throw error
    }
  })
  if (!deleted) throw missing.api(scope, ApiId)
  if (stages.length > 0) await usagePlans?.detach({ apiId: ApiId, stageNames: stages.map(({ stageName }) => stageName) })
}

/** @throws NotFoundException when there is no such API. One without a CORS configuration is left as it is. */
export function deleteCorsConfiguration({ ApiId }: Input<sdk.DeleteCorsConfigurationRequest>, call: Caller, gateway: ApiGatewayV2): Promise<void> {
  return editApi(gateway, call, ApiId, ({ settings }) => { settings.corsConfiguration = undefined })
}

/** As AWS shows an API. Source: AWS CLI reference, examples of `create-api` and `get-api`. */
export function describeApi({ id, createdAtMs, settings }: ListedApi, { endpoint }: Pick<ApiGatewayV2, 'endpoint'>): sdk.Api {
  const { corsConfiguration: cors, tags } = settings
  return {
    ApiEndpoint: apiEndpoint(endpoint.url(), { apiId: id, isWebSocket: settings.protocolType === 'WEBSOCKET' }),
    ApiId: id,
    ApiKeySelectionExpression: settings.apiKeySelectionExpression,
    CorsConfiguration: cors && {
      AllowCredentials: cors.allowCredentials,
      AllowHeaders: cors.allowHeaders,
      AllowMethods: cors.allowMethods,
      AllowOrigins: cors.allowOrigins,
      ExposeHeaders: cors.exposeHeaders,
      MaxAge: cors.maxAge,
    },
    CreatedDate: wholeSeconds(createdAtMs),
    Description: settings.description,
    DisableExecuteApiEndpoint: settings.disableExecuteApiEndpoint,
    DisableSchemaValidation: settings.disableSchemaValidation,
    IpAddressType: settings.ipAddressType,
    Name: settings.name,
    ProtocolType: settings.protocolType,
    RouteSelectionExpression: settings.routeSelectionExpression,
    Tags: tags ?? {},
    Version: settings.version,
  }
}

/** As AWS writes dates: `2020-04-07T19:05:05Z`. */
export const wholeSeconds = (atMs: number): Date => new Date(Math.floor(atMs / 1000) * 1000)

/**
 * The address of an API's stages. Ours: AWS's is `https://{id}.execute-api.{region}.amazonaws.com`, which would lead clients past this server, and
 * names below `localhost` are found by browsers and not by every program; so it is a path of the server.
 */
export function apiEndpoint(serverUrl: string, { apiId, isWebSocket }: { apiId: string, isWebSocket: boolean }): string {
  const { protocol, host } = new URL(serverUrl)
  const scheme = isWebSocket ? protocol === 'https:' ? 'wss' : 'ws' : protocol.slice(0, -1)
  return `${scheme}://${host}/_aws/execute-api/${apiId}`
}
