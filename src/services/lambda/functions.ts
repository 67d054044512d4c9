// Looking at functions, and deleting them.

import type {
  DeleteFunctionRequest, FunctionConfiguration, GetFunctionConfigurationRequest, GetFunctionRequest, GetFunctionResponse, ListFunctionsRequest,
  ListFunctionsResponse,
} from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import { Conflict } from '#storage/database.ts'
import type { LambdaService } from './api.ts'
import { findAlias, listAllAliases } from './alias-store.ts'
import { findReserved } from './concurrency/store.ts'
import { conflictError } from './conflicts.ts'
import { downloadUrl } from './downloads.ts'
import { errors } from './errors.ts'
import { FUNCTIONS_PER_PAGE_MAX } from './limits.ts'
import { describe, describeInList, environmentPurpose, isVersionNumber, LATEST, type FunctionRecord } from './model.ts'
import { parseFunctionName, type FunctionReference } from './names.ts'
import { pageOf, pageRequest } from './pages.ts'
import { findFunction, findVersion, listFunctions as listStored, listVersions, transactions } from './store.ts'

/** The function as it is stored now. @throws ResourceNotFoundException, also for a version or alias other than `$LATEST`. */
export async function requireFunction(reference: FunctionReference, { database }: Pick<LambdaService, 'database'>): Promise<FunctionRecord> {
  const isLatest = reference.qualifier === undefined || reference.qualifier === LATEST
  const record = isLatest ? await findFunction(database, reference) : undefined
  if (!record) throw conflictError('missing', reference)
  return record
}

/** The version that a reference names; of an alias the one that it points to first of all. @throws ResourceNotFoundException */
export async function requireVersion(reference: FunctionReference, { database }: Pick<LambdaService, 'database'>): Promise<FunctionRecord> {
  const { qualifier } = reference
  if (qualifier === undefined || qualifier === LATEST) return requireFunction(reference, { database })
  const version = isVersionNumber(qualifier) ? qualifier : (await findAlias(database, reference, qualifier))?.version
  const record = version === undefined ? undefined
    : version === LATEST ? await findFunction(database, reference) : await findVersion(database, reference, version)
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
  const record = await requireVersion(reference, service)
  const reserved = await findReserved(service.database, reference)
  return {
    Configuration: describe(record, { variables: variablesOfRecord(record, service), moment: 'now', qualifier: reference.qualifier }),
    Code: { RepositoryType: 'S3', Location: downloadUrl(record.codeSha256, { ...service, endpoint: service.endpoint.url() }) },
    ...(Object.keys(record.tags).length === 0 ? {} : { Tags: { ...record.tags } }),
    ...(reserved === undefined ? {} : { Concurrency: { ReservedConcurrentExecutions: reserved } }),
  }
}

/** Source: Lambda API reference, GetFunctionConfiguration. */
export async function getFunctionConfiguration(
  { FunctionName, Qualifier }: Valid<GetFunctionConfigurationRequest>, { scope }: Call, service: LambdaService,
): Promise<FunctionConfiguration> {
  const reference = parseFunctionName(FunctionName, scope, Qualifier)
  const record = await requireVersion(reference, service)
  return describe(record, { variables: variablesOfRecord(record, service), moment: 'now', qualifier: reference.qualifier })
}

/** Source: Lambda API reference, ListFunctions. With `FunctionVersion: ALL`, versions are listed too, and every ARN has its version. */
export async function listFunctions(
  { Marker, MaxItems, FunctionVersion, MasterRegion }: Valid<ListFunctionsRequest>, { scope }: Call, service: LambdaService,
): Promise<ListFunctionsResponse> {
  // Functions of edge locations have a master region; there are none here.
  if (MasterRegion !== undefined && MasterRegion !== 'ALL' && MasterRegion !== scope.region) return { Functions: [] }
  const { limit, after } = pageRequest({ Marker, MaxItems }, FUNCTIONS_PER_PAGE_MAX)
  if (FunctionVersion === 'ALL') {
    const [name = '', version = LATEST] = after?.split(':') ?? []
    const { items, next } = pageOf(await listVersions(service.database, { ...scope, after: { name, version }, limit: limit + 1 }), limit, (record) => `${record.name}:${record.version}`)
    return { Functions: items.map((record) => describeInList(record, { variables: variablesOfRecord(record, service), qualifier: record.version })), ...next }
  }
  const { items, next } = pageOf(await listStored(service.database, { ...scope, after: after ?? '', limit: limit + 1 }), limit, ({ name }) => name)
  return { Functions: items.map((record) => describeInList(record, { variables: variablesOfRecord(record, service) })), ...next }
}

/** Source: Lambda API reference, DeleteFunction. With a qualifier, a version; one that is not there is deleted as well. */
export async function deleteFunction({ FunctionName, Qualifier }: Valid<DeleteFunctionRequest>, { scope }: Call, service: LambdaService): Promise<{ StatusCode: number }> {
  const { database } = service
  const reference = parseFunctionName(FunctionName, scope, Qualifier)
  const { qualifier } = reference
  // Observed: AWS, 25-11-2025, recorded by localstack's test_ops_with_arn_qualifier_mismatch.
  if (qualifier === LATEST) throw errors.InvalidParameterValueException('$LATEST version cannot be deleted without deleting the function.')
  // Source: LocalStack's provider, whose tests compare it with AWS.
  if (qualifier !== undefined && !isVersionNumber(qualifier)) throw errors.InvalidParameterValueException('Deletion of aliases is not currently supported.')
  const key = keyOf(reference)
  try {
    if (qualifier === undefined) await database.transact(transactions.deleteFunction, key)
    else await database.transact(transactions.deleteVersion, { key, version: qualifier })
  } catch (error) {
    if (error instanceof Conflict && error.reason === 'referenced') {
      const aliases = (await listAllAliases(database, key)).filter(({ version, weights }) => version === qualifier || qualifier! in weights)
      // Source: published answers of AWS to those who prune versions.
      throw errors.ResourceConflictException(`Unable to delete version because the following aliases reference it: [${aliases.map(({ name }) => name).join(', ')}]`)
    }
    // Observed: AWS, 20-11-2023, recorded by localstack's test_delete_on_nonexisting_version: a function that is not there is named without the version.
    throw conflictError(error, { ...reference, qualifier: undefined })
  }
  // Observed: AWS, 27-03-2024, recorded by localstack's test_function_lifecycle: no content, whatever the model says.
  return { StatusCode: 204 }
}

/** What the store knows a function by. */
export function keyOf({ accountId, region, name }: FunctionReference): { accountId: string, region: string, name: string } {
  return { accountId, region, name }
}
