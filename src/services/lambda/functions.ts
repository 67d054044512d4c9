// Looking at functions, and deleting them.

import type {
  DeleteFunctionRequest, FunctionConfiguration, GetFunctionConfigurationRequest, GetFunctionRequest, GetFunctionResponse, ListFunctionsRequest,
  ListFunctionsResponse,
} from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import type { LambdaService } from './api.ts'
import { conflictError } from './conflicts.ts'
import { downloadUrl } from './downloads.ts'
import { errors } from './errors.ts'
import { FUNCTIONS_PER_PAGE_MAX } from './limits.ts'
import { describe, describeInList, environmentPurpose, type FunctionRecord } from './model.ts'
import { parseFunctionName, qualifiedArn, type FunctionReference } from './names.ts'
import { findFunction, listFunctions as listStored, transactions } from './store.ts'

/** The function as it is stored now. @throws ResourceNotFoundException, also for a version or alias other than `$LATEST`. */
export async function requireFunction(reference: FunctionReference, { database }: Pick<LambdaService, 'database'>): Promise<FunctionRecord> {
  const isLatest = reference.qualifier === undefined || reference.qualifier === '$LATEST'
  const record = isLatest ? await findFunction(database, reference) : undefined
  if (!record) throw conflictError('missing', reference)
  return record
}

/** The environment variables of a function, as a caller sees them who may look at it. */
export function variablesOfRecord(record: FunctionRecord, { sealer }: Pick<LambdaService, 'sealer'>): Record<string, string> | undefined {
  if (record.environment === null) return undefined
  const opened = sealer.open(record.environment, environmentPurpose(record))
  if (!opened) throw new Error(`the environment variables of ${record.name} do not open with this master key`)
  return JSON.parse(opened.toString('utf8')) as Record<string, string>
}

/** Source: Lambda API reference, GetFunction. */
export async function getFunction({ FunctionName, Qualifier }: Valid<GetFunctionRequest>, { scope }: Call, service: LambdaService): Promise<GetFunctionResponse> {
  const reference = parseFunctionName(FunctionName, scope, Qualifier)
  const record = await requireFunction(reference, service)
  return {
    Configuration: describe(record, { variables: variablesOfRecord(record, service), moment: 'now', qualifier: reference.qualifier }),
    Code: { RepositoryType: 'S3', Location: downloadUrl(record.codeSha256, { ...service, endpoint: service.endpoint.url() }) },
    ...(Object.keys(record.tags).length === 0 ? {} : { Tags: { ...record.tags } }),
  }
}

/** Source: Lambda API reference, GetFunctionConfiguration. */
export async function getFunctionConfiguration(
  { FunctionName, Qualifier }: Valid<GetFunctionConfigurationRequest>, { scope }: Call, service: LambdaService,
): Promise<FunctionConfiguration> {
  const reference = parseFunctionName(FunctionName, scope, Qualifier)
  const record = await requireFunction(reference, service)
  return describe(record, { variables: variablesOfRecord(record, service), moment: 'now', qualifier: reference.qualifier })
}

/** Source: Lambda API reference, ListFunctions. With `FunctionVersion: ALL`, every ARN has its version. */
export async function listFunctions(
  { Marker, MaxItems, FunctionVersion }: Valid<ListFunctionsRequest>, { scope }: Call, service: LambdaService,
): Promise<ListFunctionsResponse> {
  const limit = Math.min(MaxItems ?? FUNCTIONS_PER_PAGE_MAX, FUNCTIONS_PER_PAGE_MAX)
  const found = await listStored(service.database, { ...scope, after: Marker === undefined || Marker === '' ? '' : nameAfter(Marker), limit: limit + 1 })
  const page = found.slice(0, limit)
  const qualifier = FunctionVersion === 'ALL' ? '$LATEST' : undefined
  return {
    Functions: page.map((record) => describeInList(record, { variables: variablesOfRecord(record, service), qualifier })),
    ...(found.length > limit ? { NextMarker: Buffer.from(`after:${page.at(-1)!.name}`).toString('base64url') } : {}),
  }
}

function nameAfter(marker: string): string {
  const text = Buffer.from(marker, 'base64url').toString('utf8')
  // Ours: the sentence; a marker of AWS's means nothing here either.
  if (!text.startsWith('after:')) throw errors.InvalidParameterValueException('The provided marker is invalid.')
  return text.slice('after:'.length)
}

/** Source: Lambda API reference, DeleteFunction. */
export async function deleteFunction({ FunctionName, Qualifier }: Valid<DeleteFunctionRequest>, { scope }: Call, service: LambdaService): Promise<{ StatusCode: number }> {
  const reference = parseFunctionName(FunctionName, scope, Qualifier)
  // Observed: AWS, 25-11-2025, recorded by localstack's test_ops_with_arn_qualifier_mismatch.
  if (reference.qualifier === '$LATEST') throw errors.InvalidParameterValueException('$LATEST version cannot be deleted without deleting the function.')
  if (reference.qualifier !== undefined) throw errors.ResourceNotFoundException(`Function not found: ${qualifiedArn(reference)}`)
  try {
    await service.database.transact(transactions.deleteFunction, keyOf(reference))
  } catch (error) {
    throw conflictError(error, reference)
  }
  // Observed: AWS, 27-03-2024, recorded by localstack's test_function_lifecycle: no content, whatever the model says.
  return { StatusCode: 204 }
}

/** What the store knows a function by. */
export function keyOf({ accountId, region, name }: FunctionReference): { accountId: string, region: string, name: string } {
  return { accountId, region, name }
}
