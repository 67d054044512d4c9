// Aliases: names for versions.

import type {
  AliasConfiguration, CreateAliasRequest, DeleteAliasRequest, GetAliasRequest, ListAliasesRequest, ListAliasesResponse, UpdateAliasRequest,
} from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import { findAlias, listAliases as listStored } from './alias-store.ts'
import type { LambdaService } from './api.ts'
import { conflictError } from './conflicts.ts'
import { errors } from './errors.ts'
import { keyOf, requireFunction, requireVersion } from './functions.ts'
import { ADDITIONAL_VERSIONS_MAX, ALIASES_PER_PAGE_MAX } from './limits.ts'
import { LATEST, type AliasRecord } from './model.ts'
import { functionArn, parseFunctionName, type FunctionReference } from './names.ts'
import { pageOf, pageRequest } from './pages.ts'
import { transactions } from './store.ts'

/** Source: Lambda API reference, CreateAlias. */
export async function createAlias(input: Valid<CreateAliasRequest>, { scope }: Call, service: LambdaService): Promise<AliasConfiguration> {
  const { database, random } = service
  const reference = unqualified(input.FunctionName, scope)
  // Observed: AWS, 10-04-2024, recorded by localstack's test_notfound_and_invalid_routingconfigs: a function that is missing is missed in that version.
  await requireVersion({ ...reference, qualifier: input.FunctionVersion }, service)
  const named = { ...reference, qualifier: input.Name }
  const weights = input.RoutingConfig?.AdditionalVersionWeights ?? {}
  if (await findAlias(database, reference, input.Name)) throw conflictError('alias exists', named)
  await checkWeights(weights, input.FunctionVersion, reference, service)
  const alias: AliasRecord = {
    name: input.Name, version: input.FunctionVersion, description: input.Description ?? '', weights, revisionId: random.uuid(), policy: [],
  }
  try {
    await database.transact(transactions.insertAlias, { key: keyOf(reference), alias })
  } catch (error) {
    throw conflictError(error, named)
  }
  return describeAlias(alias, reference)
}

/** Source: Lambda API reference, GetAlias. */
export async function getAlias({ FunctionName, Name }: Valid<GetAliasRequest>, { scope }: Call, service: LambdaService): Promise<AliasConfiguration> {
  const reference = unqualified(FunctionName, scope)
  await requireFunction(reference, service)
  const alias = await findAlias(service.database, reference, Name)
  if (!alias) throw conflictError('alias missing', { ...reference, qualifier: Name })
  return describeAlias(alias, reference)
}

/** Source: Lambda API reference, ListAliases. */
export async function listAliases(
  { FunctionName, FunctionVersion, Marker, MaxItems }: Valid<ListAliasesRequest>, { scope }: Call, service: LambdaService,
): Promise<ListAliasesResponse> {
  const reference = unqualified(FunctionName, scope)
  await requireFunction(reference, service)
  const { limit, after = '' } = pageRequest({ Marker, MaxItems }, ALIASES_PER_PAGE_MAX)
  const { items, next } = pageOf(await listStored(service.database, { ...keyOf(reference), version: FunctionVersion, after, limit: limit + 1 }), limit, ({ name }) => name)
  return { Aliases: items.map((alias) => describeAlias(alias, reference)), ...next }
}

/** Source: Lambda API reference, UpdateAlias. */
export async function updateAlias(input: Valid<UpdateAliasRequest>, { scope }: Call, service: LambdaService): Promise<AliasConfiguration> {
  const { database, random } = service
  const reference = unqualified(input.FunctionName, scope)
  const named = { ...reference, qualifier: input.Name }
  await requireFunction(reference, service)
  const alias = await findAlias(database, reference, input.Name)
  if (!alias) throw conflictError('alias missing', named)
  if (input.FunctionVersion !== undefined) await requireVersion({ ...reference, qualifier: input.FunctionVersion }, service)
  const weights = input.RoutingConfig && (input.RoutingConfig.AdditionalVersionWeights ?? {})
  await checkWeights(weights ?? alias.weights, input.FunctionVersion ?? alias.version, reference, service)
  try {
    const updated = await database.transact(transactions.updateAlias, {
      key: keyOf(reference), name: input.Name, revisionId: input.RevisionId, newRevisionId: random.uuid(),
      change: { description: input.Description, version: input.FunctionVersion, weights },
    })
    return describeAlias(updated, reference)
  } catch (error) {
    throw conflictError(error, named)
  }
}

/** Source: Lambda API reference, DeleteAlias, which knows no error for an alias that is not there. */
export async function deleteAlias({ FunctionName, Name }: Valid<DeleteAliasRequest>, { scope }: Call, { database }: LambdaService): Promise<void> {
  const reference = unqualified(FunctionName, scope)
  try {
    await database.transact(transactions.deleteAlias, { key: keyOf(reference), name: Name })
  } catch (error) {
    throw conflictError(error, reference)
  }
}

/** Observed: AWS, 10-04-2024, recorded by localstack's test_notfound_and_invalid_routingconfigs: the checks and their sentences. */
async function checkWeights(weights: Readonly<Record<string, number>>, version: string, reference: FunctionReference, service: LambdaService): Promise<void> {
  const others = Object.keys(weights)
  if (others.length > ADDITIONAL_VERSIONS_MAX) {
    throw errors.InvalidParameterValueException(`Number of items in AdditionalVersionWeights cannot be greater than ${ADDITIONAL_VERSIONS_MAX}`)
  }
  for (const other of others) {
    if (other === version) {
      throw errors.InvalidParameterValueException(`Invalid function version ${version}. Function version ${version} is already included in routing configuration.`)
    }
    if (version === LATEST) throw errors.InvalidParameterValueException('$LATEST is not supported for an alias pointing to more than 1 version', { Type: undefined })
    await requireVersion({ ...reference, qualifier: other }, service)
  }
}

function unqualified(functionName: string, scope: Call['scope']): FunctionReference {
  return { ...parseFunctionName(functionName, scope), qualifier: undefined }
}

function describeAlias({ name, version, description, weights, revisionId }: AliasRecord, reference: FunctionReference): AliasConfiguration {
  return {
    AliasArn: `${functionArn(reference)}:${name}`,
    Name: name,
    FunctionVersion: version,
    Description: description,
    ...(Object.keys(weights).length === 0 ? {} : { RoutingConfig: { AdditionalVersionWeights: { ...weights } } }),
    RevisionId: revisionId,
  }
}
