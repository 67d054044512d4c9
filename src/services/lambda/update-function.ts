// UpdateFunctionCode and UpdateFunctionConfiguration.

import { isDeepStrictEqual } from 'node:util'
import type { FunctionConfiguration, UpdateFunctionCodeRequest, UpdateFunctionConfigurationRequest } from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import type { LambdaService } from './api.ts'
import { conflictError } from './conflicts.ts'
import { errors, notServed } from './errors.ts'
import { keyOf, requireFunction, variablesOfRecord } from './functions.ts'
import { checkTotalSize, resolveLayers } from './layer-uses.ts'
import { describe, environmentPurpose, LATEST, type FunctionRecord } from './model.ts'
import { functionArn, parseFunctionName, type FunctionReference } from './names.ts'
import {
  checkDeadLetters, checkMemory, checkRole, checkRuntime, checkSnapStart, checkVariables, noteUnhonoured, refuseUnserved, statedSettings,
} from './settings.ts'
import { transactions, type FunctionUpdate } from './store.ts'
import { publicationOf } from './versions.ts'

/** Source: Lambda API reference, UpdateFunctionCode. */
export async function updateFunctionCode(input: Valid<UpdateFunctionCodeRequest>, { scope }: Call, service: LambdaService): Promise<FunctionConfiguration> {
  const { database, code, random } = service
  const reference = referenceToLatest(input.FunctionName, scope)
  const record = await requireFunction(reference, service)
  checkRevision(input.RevisionId, record, reference)
  // Observed: AWS, 25-11-2025, recorded by localstack's test_lambda_zip_file_to_image.
  if (input.ImageUri !== undefined) throw errors.InvalidParameterValueException("Please don't provide ImageUri when updating a function with packageType Zip.")
  if (input.S3Bucket !== undefined || input.S3Key !== undefined) throw notServed('UpdateFunctionCode with code from S3 (send the archive as ZipFile)')
  if (input.PublishTo) throw notServed('UpdateFunctionCode with PublishTo')
  if (input.ZipFile === undefined) throw errors.InvalidParameterValueException('Please provide a source for function code.')
  const archive = Buffer.from(input.ZipFile)
  const { sha256, bytes, unzippedBytes } = await code.accept(archive)
  checkTotalSize(unzippedBytes, record.settings.layers ?? [])
  const [architecture = record.settings.architecture] = input.Architectures ?? []
  const update: FunctionUpdate = {
    ...freshRevision(service), codeSha256: sha256, codeBytes: bytes, unzippedBytes, settings: { architecture },
    ...(sha256 === record.codeSha256 && architecture === record.settings.architecture ? {} : { contentId: random.uuid() }),
  }
  const variables = variablesOfRecord(record, service)
  if (input.DryRun) {
    const { revisionId, lastModifiedMs } = record
    return describe({ ...record, ...update, revisionId, lastModifiedMs, settings: { ...record.settings, architecture } }, { variables, moment: 'updated' })
  }
  const publication = input.Publish ? publicationOf({}, service) : undefined
  try {
    const updated = await database.transact(transactions.updateFunction, { expected: { key: keyOf(reference), revisionId: input.RevisionId }, update, archive, publication })
    noteUnhonoured(update.settings, functionArn(updated), service)
    if (!publication) return describeUpdated(updated, service)
    // Observed: AWS, 10-04-2024, recorded by localstack's test_publish_with_update: the version as one that is being made.
    return describe(updated, { variables, moment: updated.revisionId === publication.revisionId ? 'created' : 'now', qualifier: updated.version })
  } catch (error) {
    throw conflictError(error, reference)
  }
}

/** Source: Lambda API reference, UpdateFunctionConfiguration. */
export async function updateFunctionConfiguration(
  input: Valid<UpdateFunctionConfigurationRequest>, call: Call, service: LambdaService,
): Promise<FunctionConfiguration> {
  const { scope } = call
  const { database, sealer, random } = service
  const reference = referenceToLatest(input.FunctionName, scope)
  const record = await requireFunction(reference, service)
  checkRevision(input.RevisionId, record, reference)
  refuseUnserved(input, 'UpdateFunctionConfiguration')
  const variables = input.Environment && (input.Environment.Variables ?? {})
  if (variables) checkVariables(variables)
  checkMemory(input.MemorySize)
  if (input.Role !== undefined) await checkRole(input.Role, scope.accountId, service)
  if (input.Runtime !== undefined) await checkRuntime(input.Runtime, service)
  checkSnapStart(input.SnapStart?.ApplyOn ?? record.settings.snapStart, input.Runtime ?? record.settings.runtime)
  await checkDeadLetters(input, 'UpdateFunctionConfiguration', service)
  const layers = input.Layers && await resolveLayers(input.Layers, call, service)
  if (layers) checkTotalSize(record.unzippedBytes ?? 0, layers)
  const settings = { ...statedSettings(input, record.settings), ...(layers && { layers }) }
  const isSame = isDeepStrictEqual(plain({ ...record.settings, ...settings }), plain(record.settings))
    && (variables === undefined || isDeepStrictEqual(variables, variablesOfRecord(record, service)))
  const update: FunctionUpdate = {
    ...freshRevision(service),
    settings,
    ...(isSame ? {} : { contentId: random.uuid() }),
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
  if (reference.qualifier === undefined || reference.qualifier === LATEST) return { ...reference, qualifier: undefined }
  throw errors.InvalidParameterValueException('Only the $LATEST version of a function can be updated.')
}

/** Before the code is unpacked; the transaction looks again. */
function checkRevision(revisionId: string | undefined, record: FunctionRecord, reference: FunctionReference): void {
  if (revisionId !== undefined && revisionId !== record.revisionId) throw conflictError('revision', reference)
}

function freshRevision({ random, clock }: LambdaService): Pick<FunctionUpdate, 'revisionId' | 'generation' | 'lastModifiedMs'> {
  return { revisionId: random.uuid(), generation: random.uuid(), lastModifiedMs: clock.now() }
}

/** As they are stored: without what is undefined. */
function plain(settings: FunctionRecord['settings']): unknown {
  return JSON.parse(JSON.stringify(settings))
}

/**
 * Observed: AWS, 10-04-2024, recorded by localstack's test_function_revisions_basic: the answer's revision is that of the update under way; it is
 * another one when the update is done.
 */
function describeUpdated(record: FunctionRecord, service: LambdaService): FunctionConfiguration {
  return describe({ ...record, revisionId: service.random.uuid() }, { variables: variablesOfRecord(record, service), moment: 'updated' })
}
