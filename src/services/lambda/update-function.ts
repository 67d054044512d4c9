// UpdateFunctionCode and UpdateFunctionConfiguration.

import type { FunctionConfiguration, UpdateFunctionCodeRequest, UpdateFunctionConfigurationRequest } from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import type { LambdaService } from './api.ts'
import { conflictError } from './conflicts.ts'
import { errors, notServed } from './errors.ts'
import { keyOf, requireFunction, variablesOfRecord } from './functions.ts'
import { describe, environmentPurpose, type FunctionRecord } from './model.ts'
import { functionArn, parseFunctionName, type FunctionReference } from './names.ts'
import { checkMemory, checkRole, checkRuntime, checkVariables, noteUnhonoured, refuseUnserved, statedSettings } from './settings.ts'
import { transactions, type FunctionUpdate } from './store.ts'

/** Source: Lambda API reference, UpdateFunctionCode. */
export async function updateFunctionCode(input: Valid<UpdateFunctionCodeRequest>, { scope }: Call, service: LambdaService): Promise<FunctionConfiguration> {
  const { database, code } = service
  const reference = referenceToLatest(input.FunctionName, scope)
  const record = await requireFunction(reference, service)
  // Observed: AWS, 25-11-2025, recorded by localstack's test_lambda_zip_file_to_image.
  if (input.ImageUri !== undefined) throw errors.InvalidParameterValueException("Please don't provide ImageUri when updating a function with packageType Zip.")
  if (input.S3Bucket !== undefined || input.S3Key !== undefined) throw notServed('UpdateFunctionCode with code from S3 (send the archive as ZipFile)')
  if (input.Publish || input.PublishTo) throw notServed('UpdateFunctionCode with Publish')
  if (input.ZipFile === undefined) throw errors.InvalidParameterValueException('Please provide a source for function code.')
  if (input.RevisionId !== undefined && input.RevisionId !== record.revisionId) throw conflictError('revision', reference)
  const archive = Buffer.from(input.ZipFile)
  const { sha256, bytes } = await code.accept(archive)
  const update: FunctionUpdate = {
    ...freshRevision(service), codeSha256: sha256, codeBytes: bytes,
    settings: input.Architectures?.[0] === undefined ? {} : { architecture: input.Architectures[0] },
  }
  if (input.DryRun) return describeUpdated({ ...record, ...update, revisionId: record.revisionId, lastModifiedMs: record.lastModifiedMs, settings: { ...record.settings, ...update.settings } }, service)
  try {
    const updated = await database.transact(transactions.updateFunction, { expected: { key: keyOf(reference), revisionId: input.RevisionId }, update, archive })
    noteUnhonoured(update.settings, functionArn(updated), service)
    return describeUpdated(updated, service)
  } catch (error) {
    throw conflictError(error, reference)
  }
}

/** Source: Lambda API reference, UpdateFunctionConfiguration. */
export async function updateFunctionConfiguration(
  input: Valid<UpdateFunctionConfigurationRequest>, { scope }: Call, service: LambdaService,
): Promise<FunctionConfiguration> {
  const { database, sealer } = service
  const reference = referenceToLatest(input.FunctionName, scope)
  const record = await requireFunction(reference, service)
  refuseUnserved(input, 'UpdateFunctionConfiguration')
  const variables = input.Environment && (input.Environment.Variables ?? {})
  if (variables) checkVariables(variables)
  checkMemory(input.MemorySize)
  if (input.Role !== undefined) await checkRole(input.Role, scope.accountId, service)
  if (input.Runtime !== undefined) await checkRuntime(input.Runtime, service)
  const update: FunctionUpdate = {
    ...freshRevision(service),
    settings: statedSettings(input),
    ...(variables ? { environment: sealer.seal(JSON.stringify(variables), environmentPurpose(record)) } : {}),
  }
  try {
    const updated = await database.transact(transactions.updateFunction, { expected: { key: keyOf(reference), revisionId: input.RevisionId }, update })
    noteUnhonoured(update.settings, functionArn(updated), service)
    return describeUpdated(updated, service)
  } catch (error) {
    throw conflictError(error, reference)
  }
}

function referenceToLatest(functionName: string, scope: Call['scope']): FunctionReference {
  const reference = parseFunctionName(functionName, scope)
  if (reference.qualifier === undefined || reference.qualifier === '$LATEST') return { ...reference, qualifier: undefined }
  throw errors.InvalidParameterValueException('Only the $LATEST version of a function can be updated.')
}

function freshRevision({ random, clock }: LambdaService): Pick<FunctionUpdate, 'revisionId' | 'generation' | 'lastModifiedMs'> {
  return { revisionId: random.uuid(), generation: random.uuid(), lastModifiedMs: clock.now() }
}

function describeUpdated(record: FunctionRecord, service: LambdaService): FunctionConfiguration {
  return describe(record, { variables: variablesOfRecord(record, service), moment: 'updated' })
}
