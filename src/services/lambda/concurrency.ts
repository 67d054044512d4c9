// Concurrency as callers set it: reserved for a function, provisioned for a version or an alias.

import type {
  Concurrency, DeleteFunctionConcurrencyRequest, DeleteProvisionedConcurrencyConfigRequest, GetFunctionConcurrencyRequest, GetFunctionConcurrencyResponse,
  GetProvisionedConcurrencyConfigRequest, GetProvisionedConcurrencyConfigResponse, ListProvisionedConcurrencyConfigsRequest, ListProvisionedConcurrencyConfigsResponse,
  PutFunctionConcurrencyRequest, PutProvisionedConcurrencyConfigRequest, PutProvisionedConcurrencyConfigResponse,
} from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import { Conflict } from '#storage/database.ts'
import { findAlias, listAllAliases } from './alias-store.ts'
import type { LambdaService } from './api.ts'
import { conflictError } from './conflicts.ts'
import { findReserved, listProvisioned, transactions, type ConcurrencyConflict, type ProvisionedConcurrency } from './concurrency/store.ts'
import { errors } from './errors.ts'
import { keyOf } from './functions.ts'
import { ACCOUNT_EXECUTIONS_MAX, UNRESERVED_EXECUTIONS_MIN } from './limits.ts'
import { formatLastModified, isVersionNumber } from './model.ts'
import { functionArn, parseFunctionName, qualifiedArn, type FunctionReference } from './names.ts'

const limits = { executionsMax: ACCOUNT_EXECUTIONS_MAX, unreservedMin: UNRESERVED_EXECUTIONS_MIN }

/** Source: Lambda API reference, PutFunctionConcurrency. Observed: AWS, 20-11-2023, recorded by localstack's test_function_concurrency_exceptions. */
export async function putFunctionConcurrency(input: Valid<PutFunctionConcurrencyRequest>, { scope }: Call, service: LambdaService): Promise<Concurrency> {
  const { FunctionName, ReservedConcurrentExecutions: executions } = input
  const reference = unqualified(parseFunctionName(FunctionName, scope))
  if (!await service.directory.find(reference)) throw conflictError('missing', { ...reference, qualifier: '$LATEST' })
  const provisioned = await listProvisioned(service.database, keyOf(reference))
  try {
    await service.database.transact(transactions.reserve, { key: keyOf(reference), executions, limits })
  } catch (error) {
    throw refusalOf(error, { reserved: executions, provisioned: provisioned.reduce((total, one) => total + one.executions, 0) })
  }
  return { ReservedConcurrentExecutions: executions }
}

/** Source: Lambda API reference, GetFunctionConcurrency. */
export async function getFunctionConcurrency({ FunctionName }: Valid<GetFunctionConcurrencyRequest>, { scope }: Call, { database, directory }: LambdaService): Promise<GetFunctionConcurrencyResponse> {
  const reference = { ...parseFunctionName(FunctionName, scope), qualifier: undefined }
  if (!await directory.find(reference)) throw conflictError('missing', reference)
  const executions = await findReserved(database, keyOf(reference))
  return executions === undefined ? {} : { ReservedConcurrentExecutions: executions }
}

/** Source: Lambda API reference, DeleteFunctionConcurrency. */
export async function deleteFunctionConcurrency({ FunctionName }: Valid<DeleteFunctionConcurrencyRequest>, { scope }: Call, { database, directory }: LambdaService): Promise<void> {
  const reference = unqualified(parseFunctionName(FunctionName, scope))
  if (!await directory.find(reference)) throw conflictError('missing', { ...reference, qualifier: '$LATEST' })
  await database.transact(transactions.unreserve, keyOf(reference))
}

/** Source: LocalStack's provider, whose tests compare it with AWS: order and sentences. */
export async function putProvisionedConcurrencyConfig(
  input: Valid<PutProvisionedConcurrencyConfigRequest>, { scope }: Call, service: LambdaService,
): Promise<PutProvisionedConcurrencyConfigResponse> {
  const { FunctionName, Qualifier, ProvisionedConcurrentExecutions: executions } = input
  if (Qualifier === '$LATEST') throw errors.InvalidParameterValueException('Provisioned Concurrency Configs cannot be applied to unpublished function versions.')
  const reference = parseFunctionName(FunctionName, scope, Qualifier)
  const { version, aliases } = await requireQualified(reference, service)
  const atMs = service.clock.now()
  try {
    const target = { qualifier: Qualifier, version: version === Qualifier ? undefined : version, aliases }
    await service.database.transact(transactions.provision, { key: keyOf(reference), target, executions, atMs, limits })
  } catch (error) {
    throw refusalOf(error, {})
  }
  return {
    RequestedProvisionedConcurrentExecutions: executions, AvailableProvisionedConcurrentExecutions: 0, AllocatedProvisionedConcurrentExecutions: 0,
    Status: 'IN_PROGRESS', LastModified: formatLastModified(atMs),
  }
}

/** Source: as of PutProvisionedConcurrencyConfig. */
export async function getProvisionedConcurrencyConfig(
  { FunctionName, Qualifier }: Valid<GetProvisionedConcurrencyConfigRequest>, { scope }: Call, service: LambdaService,
): Promise<GetProvisionedConcurrencyConfigResponse> {
  refuseLatest(Qualifier)
  const reference = parseFunctionName(FunctionName, scope, Qualifier)
  await requireQualified(reference, service)
  const found = (await listProvisioned(service.database, keyOf(reference))).find(({ qualifier }) => qualifier === Qualifier)
  if (!found) throw errors.ProvisionedConcurrencyConfigNotFoundException('No Provisioned Concurrency Config found for this function')
  return describe(found, reference, service)
}

/** Source: as of PutProvisionedConcurrencyConfig. */
export async function listProvisionedConcurrencyConfigs(
  { FunctionName, Marker, MaxItems }: Valid<ListProvisionedConcurrencyConfigsRequest>, { scope }: Call, service: LambdaService,
): Promise<ListProvisionedConcurrencyConfigsResponse> {
  const reference = { ...parseFunctionName(FunctionName, scope), qualifier: undefined }
  if (!await service.directory.find(reference)) throw conflictError('missing', reference)
  const all = await listProvisioned(service.database, keyOf(reference))
  const after = Marker ? Buffer.from(Marker, 'base64url').toString('utf8') : ''
  const rest = all.filter(({ qualifier }) => qualifier > after)
  const page = rest.slice(0, MaxItems ?? CONFIGS_PER_PAGE_MAX)
  return {
    ProvisionedConcurrencyConfigs: await Promise.all(page.map(async (one) => ({ FunctionArn: `${functionArn(reference)}:${one.qualifier}`, ...await describe(one, reference, service) }))),
    ...(rest.length > page.length ? { NextMarker: Buffer.from(page.at(-1)!.qualifier).toString('base64url') } : {}),
  }
}

/** Source: Lambda API reference, ListProvisionedConcurrencyConfigs: MaxItems. */
const CONFIGS_PER_PAGE_MAX = 50

/** Source: as of PutProvisionedConcurrencyConfig: what is not there is deleted as well. */
export async function deleteProvisionedConcurrencyConfig(
  { FunctionName, Qualifier }: Valid<DeleteProvisionedConcurrencyConfigRequest>, { scope }: Call, service: LambdaService,
): Promise<void> {
  refuseLatest(Qualifier)
  const reference = parseFunctionName(FunctionName, scope, Qualifier)
  await requireQualified(reference, service)
  await service.database.transact(transactions.unprovision, { key: keyOf(reference), qualifier: Qualifier })
}

/** Environments that are ready count; those that start do not yet. Source: Lambda API reference, GetProvisionedConcurrencyConfig. */
async function describe(
  { name, qualifier, executions, lastModifiedMs }: ProvisionedConcurrency, { accountId, region }: FunctionReference, { database, directory, pool }: LambdaService,
): Promise<GetProvisionedConcurrencyConfigResponse> {
  const version = isVersionNumber(qualifier) ? qualifier : (await findAlias(database, { accountId, region, name }, qualifier))?.version
  const snapshot = await directory.find({ accountId, region, name, qualifier: version })
  const { ready, failure } = snapshot ? pool.provisioned(snapshot) : { ready: 0, failure: undefined }
  const available = Math.min(ready, executions)
  const isReady = available === executions
  return {
    RequestedProvisionedConcurrentExecutions: executions, AvailableProvisionedConcurrentExecutions: available, AllocatedProvisionedConcurrentExecutions: available,
    Status: isReady ? 'READY' : failure === undefined ? 'IN_PROGRESS' : 'FAILED',
    ...(!isReady && failure !== undefined && { StatusReason: failure }),
    LastModified: formatLastModified(lastModifiedMs),
  }
}

/** Observed: AWS, 20-11-2023, recorded by localstack's test_function_concurrency_exceptions. */
function unqualified(reference: FunctionReference): FunctionReference {
  if (reference.qualifier !== undefined) {
    throw errors.InvalidParameterValueException('This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.')
  }
  return reference
}

function refuseLatest(qualifier: string): void {
  if (qualifier === '$LATEST') throw errors.InvalidParameterValueException('The function resource provided must be an alias or a published version.')
}

/** The version that is named, by itself or through an alias, and the aliases that point to a version. */
async function requireQualified(reference: FunctionReference, { database, directory }: LambdaService): Promise<{ version: string, aliases: string[] }> {
  const qualifier = reference.qualifier!
  if (isVersionNumber(qualifier)) {
    if (!await directory.find(reference)) throw conflictError('missing', reference)
    const aliases = await listAllAliases(database, keyOf(reference))
    return { version: qualifier, aliases: aliases.filter(({ version }) => version === qualifier).map(({ name }) => name) }
  }
  const alias = await findAlias(database, keyOf(reference), qualifier)
  if (!alias) throw errors.ResourceNotFoundException(`Cannot find alias arn: ${qualifiedArn(reference)}`)
  return { version: alias.version, aliases: [] }
}

/**
 * Observed: AWS, 10-04-2024, recorded by localstack's test_function_concurrency_limits and test_provisioned_concurrency_limits: the account's limits;
 * 24-11-2025, by test_reserved_provisioned_overlap: what is reserved below what is provisioned, but not the other way round.
 */
const noType = { Type: undefined }

/** Source: LocalStack's provider, whose tests compare it with AWS; the first is in many users' reports, too. */
function refusalOf(error: unknown, { reserved, provisioned }: { reserved?: number, provisioned?: number }): unknown {
  switch (error instanceof Conflict ? error.reason as ConcurrencyConflict : undefined) {
    case 'below unreserved minimum': return errors.InvalidParameterValueException(`Specified ${reserved === undefined ? 'ConcurrentExecutions' : 'ReservedConcurrentExecutions'} for function decreases account's UnreservedConcurrentExecution below its minimum value of [${UNRESERVED_EXECUTIONS_MIN}].`, noType)
    case 'reserved below provisioned': return errors.InvalidParameterValueException(` ReservedConcurrentExecutions  ${reserved} should not be lower than function's total provisioned concurrency [${provisioned}].`, noType)
    case 'provisioned above reserved': return errors.InvalidParameterValueException('Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function')
    case 'above account limit': return errors.InvalidParameterValueException(`Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [${ACCOUNT_EXECUTIONS_MAX}].`, noType)
    case 'version provisioned': return errors.ResourceConflictException('Alias can\'t be used for Provisioned Concurrency configuration on an already Provisioned version')
    case 'alias provisioned': return errors.ResourceConflictException('Version is pointed by a Provisioned Concurrency alias')
    default: return error
  }
}
