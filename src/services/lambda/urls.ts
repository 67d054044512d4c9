// Function URLs: the settings of addresses under which functions answer HTTP, and where their data plane finds them.

import type {
  CreateFunctionUrlConfigRequest, CreateFunctionUrlConfigResponse, DeleteFunctionUrlConfigRequest, GetFunctionUrlConfigRequest, GetFunctionUrlConfigResponse,
  ListFunctionUrlConfigsRequest, ListFunctionUrlConfigsResponse, UpdateFunctionUrlConfigRequest, UpdateFunctionUrlConfigResponse,
} from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import { alphabets } from '#lib/random.ts'
import { Conflict } from '#storage/database.ts'
import { findAlias } from './alias-store.ts'
import type { LambdaService } from './api.ts'
import { errors } from './errors.ts'
import { keyOf } from './functions.ts'
import { URL_ID_CHARACTERS, URLS_PER_PAGE_MAX } from './limits.ts'
import type { UrlRecord } from './model.ts'
import { parseFunctionName, qualifiedArn, type FunctionReference } from './names.ts'
import { pageOf, pageRequest } from './pages.ts'
import { findFunction, transactions } from './store.ts'
import { findUrl, listUrls } from './url-store.ts'
import { functionUrl } from './url-directory.ts'

/** Source: Lambda API reference, CreateFunctionUrlConfig. */
export async function createFunctionUrlConfig(
  input: Valid<CreateFunctionUrlConfigRequest>, { scope }: Call, service: LambdaService,
): Promise<CreateFunctionUrlConfigResponse> {
  const { database, random, clock } = service
  const reference = parseFunctionName(input.FunctionName, scope, input.Qualifier)
  refuseVersion(reference)
  if (!await findFunction(database, reference)) throw noFunction()
  const now = clock.now()
  const url: UrlRecord = {
    ...keyOf(reference), alias: reference.qualifier, urlId: random.text(URL_ID_CHARACTERS, alphabets.lowerAlphanumeric),
    authType: input.AuthType, cors: input.Cors, invokeMode: input.InvokeMode ?? 'BUFFERED', createdMs: now, lastModifiedMs: now,
  }
  try {
    await database.transact(transactions.insertUrl, { url })
  } catch (error) {
    const reason = error instanceof Conflict ? error.reason : undefined
    if (reason === 'missing' || reason === 'alias missing') throw noFunction()
    if (reason !== 'url exists') throw error
    // Observed: AWS, 25-11-2025, recorded by localstack's test_url_config_lifecycle.
    throw errors.ResourceConflictException(`Failed to create function url config for [functionArn = ${qualifiedArn(reference)}]. Error message:  FunctionUrlConfig exists for this Lambda function`)
  }
  const { LastModifiedTime: _, InvokeMode, ...described } = describeUrl(url, service)
  // Observed: AWS, 10-04-2024, recorded by localstack's test_url_config_lifecycle: the mode is answered to those who stated one.
  return { ...described, ...(input.InvokeMode === undefined ? {} : { InvokeMode }) }
}

/** Source: Lambda API reference, GetFunctionUrlConfig. */
export async function getFunctionUrlConfig(
  { FunctionName, Qualifier }: Valid<GetFunctionUrlConfigRequest>, { scope }: Call, service: LambdaService,
): Promise<GetFunctionUrlConfigResponse> {
  const reference = parseFunctionName(FunctionName, scope, Qualifier)
  refuseVersion(reference)
  const url = await findUrl(service.database, reference, reference.qualifier)
  if (!url) throw noUrl()
  return describeUrl(url, service)
}

/** Source: Lambda API reference, UpdateFunctionUrlConfig. */
export async function updateFunctionUrlConfig(
  input: Valid<UpdateFunctionUrlConfigRequest>, { scope }: Call, service: LambdaService,
): Promise<UpdateFunctionUrlConfigResponse> {
  const { database, clock } = service
  const reference = parseFunctionName(input.FunctionName, scope, input.Qualifier)
  refuseVersion(reference)
  if (!await findFunction(database, reference)) throw noFunction()
  if (reference.qualifier !== undefined && !await findAlias(database, reference, reference.qualifier)) throw noFunction()
  const change = {
    lastModifiedMs: clock.now(),
    ...(input.AuthType && { authType: input.AuthType }),
    ...(input.Cors && { cors: Object.keys(input.Cors).length === 0 ? undefined : input.Cors }),
    ...(input.InvokeMode && { invokeMode: input.InvokeMode }),
  }
  try {
    const { InvokeMode, ...described } = describeUrl(await database.transact(transactions.updateUrl, { key: keyOf(reference), alias: reference.qualifier, change }), service)
    return { ...described, ...(input.InvokeMode === undefined ? {} : { InvokeMode }) }
  } catch (error) {
    throw error instanceof Conflict ? noUrl() : error
  }
}

/** Source: Lambda API reference, DeleteFunctionUrlConfig. */
export async function deleteFunctionUrlConfig(
  { FunctionName, Qualifier }: Valid<DeleteFunctionUrlConfigRequest>, { scope }: Call, { database }: LambdaService,
): Promise<void> {
  const reference = parseFunctionName(FunctionName, scope, Qualifier)
  refuseVersion(reference)
  try {
    await database.transact(transactions.deleteUrl, { key: keyOf(reference), alias: reference.qualifier })
  } catch (error) {
    throw error instanceof Conflict ? noUrl() : error
  }
}

/** Source: Lambda API reference, ListFunctionUrlConfigs. */
export async function listFunctionUrlConfigs(
  { FunctionName, Marker, MaxItems }: Valid<ListFunctionUrlConfigsRequest>, { scope }: Call, service: LambdaService,
): Promise<ListFunctionUrlConfigsResponse> {
  const reference = parseFunctionName(FunctionName, scope)
  if (!await findFunction(service.database, reference)) throw noFunction()
  const { limit, after } = pageRequest({ Marker, MaxItems }, URLS_PER_PAGE_MAX)
  const found = await listUrls(service.database, { ...keyOf(reference), after, limit: limit + 1 })
  const { items, next } = pageOf(found, limit, ({ alias }) => alias ?? '')
  return { FunctionUrlConfigs: items.map((url) => describeUrl(url, service)), ...next }
}

/** Source: LocalStack's provider, whose tests compare it with AWS: also for qualifiers that come with an ARN. */
function refuseVersion({ qualifier }: FunctionReference): void {
  if (qualifier !== undefined && /^(\$LATEST.*|\d+)$/.test(qualifier)) {
    throw errors.ValidationException(`1 validation error detected: Value '${qualifier}' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)`)
  }
}

/** Source: LocalStack's provider, whose tests compare it with AWS. */
function noFunction() {
  return errors.ResourceNotFoundException('Function does not exist')
}

/** Observed: AWS, 10-04-2024, recorded by localstack's test_url_config_lifecycle. */
function noUrl() {
  return errors.ResourceNotFoundException('The resource you requested does not exist.')
}

function describeUrl(url: UrlRecord, { endpoint }: Pick<LambdaService, 'endpoint'>): GetFunctionUrlConfigResponse {
  return {
    FunctionUrl: functionUrl(url, endpoint.url()),
    FunctionArn: qualifiedArn({ ...url, qualifier: url.alias }),
    AuthType: url.authType,
    ...(url.cors === undefined ? {} : { Cors: url.cors as NonNullable<GetFunctionUrlConfigResponse['Cors']> }),
    CreationTime: formatUrlTime(url.createdMs),
    LastModifiedTime: formatUrlTime(url.lastModifiedMs),
    InvokeMode: url.invokeMode,
  }
}

/** With six digits, unlike the times of functions. Source: published answers of AWS. */
function formatUrlTime(atMs: number): string {
  return new Date(atMs).toISOString().replace('Z', '000Z')
}
