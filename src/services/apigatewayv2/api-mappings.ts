// API mappings: which stage a path below a custom domain name leads to.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { readDomain } from './domain-names.ts'
import { listMappings } from './domain-store.ts'
import { withRetries, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import { newId } from './ids.ts'
import type { ApiGatewayV2 } from './index.ts'
import { MAPPINGS_PER_DOMAIN_MAX } from './limits.ts'
import type { MappingRecord } from './model.ts'
import { pageOf } from './pages.ts'
import { findApi, findStage, transactions } from './store.ts'

/** Characters. Source: API Gateway quotas, "API mapping key length". */
const KEY_CHARACTERS_MAX = 300

export async function createApiMapping(
  { DomainName, ApiId, Stage, ApiMappingKey }: Input<sdk.CreateApiMappingRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.CreateApiMappingResponse> {
  const { domainName } = await readDomain(gateway, call, DomainName)
  const mapping: MappingRecord = { apiMappingId: newId(gateway.random), domainName, mappingKey: mappingKey(ApiMappingKey), apiId: ApiId, stage: Stage }
  await requireTarget(mapping, call, gateway)
  await withRetries(() => gateway.database.transact(transactions.insertMapping, { mapping, mappingsMax: MAPPINGS_PER_DOMAIN_MAX }))
  return describeMapping(mapping)
}

export async function getApiMapping(
  { DomainName, ApiMappingId }: Input<sdk.GetApiMappingRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.GetApiMappingResponse> {
  return describeMapping(await readMapping({ DomainName, ApiMappingId }, call, gateway))
}

export async function getApiMappings(
  { DomainName, ...page }: Input<sdk.GetApiMappingsRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.GetApiMappingsResponse> {
  const { domainName } = await readDomain(gateway, call, DomainName)
  const { Items, NextToken } = pageOf(await listMappings(gateway.database, domainName), ({ apiMappingId }) => apiMappingId, page)
  return { Items: Items.map(describeMapping), NextToken }
}

export async function updateApiMapping(
  { DomainName, ApiMappingId, ApiId, Stage, ApiMappingKey }: Input<sdk.UpdateApiMappingRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.UpdateApiMappingResponse> {
  const mapping = await readMapping({ DomainName, ApiMappingId }, call, gateway)
  const changed: MappingRecord = {
    ...mapping,
    apiId: ApiId,
    stage: Stage ?? mapping.stage,
    mappingKey: ApiMappingKey === undefined ? mapping.mappingKey : mappingKey(ApiMappingKey),
  }
  await requireTarget(changed, call, gateway)
  await withRetries(() => gateway.database.transact(transactions.updateMapping, changed))
  return describeMapping(changed)
}

export async function deleteApiMapping(
  { DomainName, ApiMappingId }: Input<sdk.DeleteApiMappingRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<void> {
  const { domainName } = await readDomain(gateway, call, DomainName)
  const deleted = await withRetries(() => gateway.database.transact(transactions.deleteMapping, { domainName, apiMappingId: ApiMappingId }))
  if (!deleted) throw missing.mapping()
}

async function readMapping(
  { DomainName, ApiMappingId }: { DomainName: string, ApiMappingId: string }, call: Caller, gateway: ApiGatewayV2,
): Promise<MappingRecord> {
  const { domainName } = await readDomain(gateway, call, DomainName)
  const mapping = (await listMappings(gateway.database, domainName)).find(({ apiMappingId }) => apiMappingId === ApiMappingId)
  if (!mapping) throw missing.mapping()
  return mapping
}

/**
 * Segments of a path. Source: API Gateway developer guide, "Map API stages to a custom domain name for HTTP APIs". Seen in reports: aws/aws-cdk issue
 * 8983 (the sentence, of a time when keys had one segment; its last comma is AWS's).
 */
function mappingKey(key: string | undefined): string {
  if (key === undefined || key === '' || key === '(none)') return ''
  if (!/^[a-zA-Z0-9$\-_.+!*'()]+(?:\/[a-zA-Z0-9$\-_.+!*'()]+)*$/.test(key) || key.length > KEY_CHARACTERS_MAX) {
    throw errors.BadRequestException("An ApiMapping key may contain only letters, numbers and one of $-_.+!*'(),")
  }
  return key
}

/**
 * The stage must be the caller's: of an HTTP, WebSocket or REST API.
 * Seen in reports: hashicorp/terraform-provider-aws, refused base path mappings (the words about the stage).
 */
async function requireTarget({ apiId, stage }: MappingRecord, { scope }: Caller, { database, rest }: ApiGatewayV2): Promise<void> {
  const key = { apiId, stageName: stage }
  if (await findApi(database, scope, apiId)) {
    if (!await findStage(database, key)) throw errors.BadRequestException('Invalid stage identifier specified')
    return
  }
  const location = await rest?.findApi(apiId)
  if (location?.accountId !== scope.accountId || location.region !== scope.region) throw missing.api(scope, apiId)
  if (!await rest!.findStage(key)) throw errors.BadRequestException('Invalid stage identifier specified')
}

const describeMapping = ({ apiMappingId, mappingKey: key, apiId, stage }: MappingRecord): sdk.ApiMapping =>
  ({ ApiId: apiId, ApiMappingId: apiMappingId, ApiMappingKey: key, Stage: stage })
