// CreateFunction.

import type { CreateFunctionRequest, FunctionConfiguration } from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import type { LambdaService } from './api.ts'
import { conflictError } from './conflicts.ts'
import { errors, notServed } from './errors.ts'
import { checkTotalSize, resolveLayers } from './layer-uses.ts'
import { defaults, describe, environmentPurpose, LATEST, type FunctionRecord } from './model.ts'
import { functionArn, parseNewFunctionName } from './names.ts'
import {
  checkDeadLetters, checkMemory, checkRole, checkRuntime, checkSnapStart, checkTags, checkVariables, noteUnhonoured, refuseUnserved, statedSettings,
} from './settings.ts'
import { findFunction, transactions } from './store.ts'
import { publicationOf } from './versions.ts'

/** Source: Lambda API reference, CreateFunction. */
export async function createFunction(input: Valid<CreateFunctionRequest>, call: Call, service: LambdaService): Promise<FunctionConfiguration> {
  const { scope } = call
  const { database, clock, random, sealer, code } = service
  const reference = parseNewFunctionName(input.FunctionName, scope)
  const { Code, Runtime, Handler, Environment, Tags = {} } = input
  if (input.PackageType === 'Image' || Code.ImageUri !== undefined) throw notServed('CreateFunction with PackageType Image')
  if (Code.S3Bucket !== undefined || Code.S3Key !== undefined) throw notServed('CreateFunction with code from S3 (send the archive as Code.ZipFile)')
  if (input.PublishTo) throw notServed('CreateFunction with PublishTo')
  if (input.CodeSigningConfigArn) throw notServed('CreateFunction with CodeSigningConfigArn')
  if (input.TenancyConfig) throw notServed('CreateFunction with TenancyConfig')
  refuseUnserved(input, 'CreateFunction')
  const variables = Environment?.Variables
  if (variables) checkVariables(variables)
  checkTags(Tags)
  checkMemory(input.MemorySize)
  const layers = await resolveLayers(input.Layers ?? [], call, service)
  await checkRole(input.Role, scope.accountId, service)
  // Source: published answers of AWS to CloudFormation.
  if (!Runtime || !Handler) throw errors.InvalidParameterValueException('Runtime and Handler are mandatory parameters for functions created with deployment packages.')
  await checkRuntime(Runtime, service)
  checkSnapStart(input.SnapStart?.ApplyOn, Runtime)
  await checkDeadLetters(input, 'CreateFunction', service)
  if (await findFunction(database, reference)) throw conflictError('exists', reference)
  // Source: published answers of AWS to a request without any code.
  if (Code.ZipFile === undefined) throw errors.InvalidParameterValueException('Please provide a source for function code.')
  const archive = Buffer.from(Code.ZipFile)
  const { sha256, bytes, unzippedBytes } = await code.accept(archive)
  checkTotalSize(unzippedBytes, layers)

  const { description, timeoutSeconds, memoryMb, ephemeralStorageMb, tracingMode } = defaults
  const id = random.uuid()
  const record: FunctionRecord = {
    accountId: reference.accountId, region: reference.region, name: reference.name, id,
    version: LATEST,
    revisionId: random.uuid(),
    generation: random.uuid(),
    settings: {
      description, timeoutSeconds, memoryMb, ephemeralStorageMb, tracingMode,
      architecture: input.Architectures?.[0] ?? defaults.architecture,
      logGroup: `/aws/lambda/${reference.name}`,
      runtime: Runtime, handler: Handler, role: input.Role,
      ...statedSettings(input, {}),
      ...(layers.length === 0 ? {} : { layers }),
    },
    codeSha256: sha256,
    codeBytes: bytes,
    unzippedBytes,
    contentId: random.uuid(),
    lastModifiedMs: clock.now(),
    environment: variables ? sealer.seal(JSON.stringify(variables), environmentPurpose({ id })) : null,
    policy: [],
    tags: Tags,
  }
  const publication = input.Publish ? publicationOf({}, service) : undefined
  try {
    const made = await database.transact(transactions.insertFunction, { record, archive, publication })
    noteUnhonoured(record.settings, functionArn(record), service)
    // Observed: AWS, 10-04-2024, recorded by localstack's test_publish_version_on_create: a version, under the name of the function as a whole, in a
    // revision that neither the function nor the version has once they are active.
    return describe({ ...made, revisionId: random.uuid() }, { variables, moment: 'created' })
  } catch (error) {
    throw conflictError(error, reference)
  }
}
