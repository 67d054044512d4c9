// CreateFunction.

import type { CreateFunctionRequest, FunctionConfiguration } from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import type { LambdaService } from './api.ts'
import { conflictError } from './conflicts.ts'
import { errors, notServed } from './errors.ts'
import { defaults, describe, environmentPurpose, type FunctionRecord } from './model.ts'
import { functionArn, parseNewFunctionName } from './names.ts'
import { checkMemory, checkRole, checkRuntime, checkTags, checkVariables, noteUnhonoured, refuseUnserved, statedSettings } from './settings.ts'
import { findFunction, transactions } from './store.ts'

/** Source: Lambda API reference, CreateFunction. */
export async function createFunction(input: Valid<CreateFunctionRequest>, { scope }: Call, service: LambdaService): Promise<FunctionConfiguration> {
  const { database, clock, random, sealer, code } = service
  const reference = parseNewFunctionName(input.FunctionName, scope)
  const { Code, Runtime, Handler, Environment, Tags = {} } = input
  if (input.PackageType === 'Image' || Code.ImageUri !== undefined) throw notServed('CreateFunction with PackageType Image')
  if (Code.S3Bucket !== undefined || Code.S3Key !== undefined) throw notServed('CreateFunction with code from S3 (send the archive as Code.ZipFile)')
  if (input.Publish || input.PublishTo) throw notServed('CreateFunction with Publish')
  if (input.CodeSigningConfigArn) throw notServed('CreateFunction with CodeSigningConfigArn')
  if (input.TenancyConfig) throw notServed('CreateFunction with TenancyConfig')
  refuseUnserved(input, 'CreateFunction')
  const variables = Environment?.Variables
  if (variables) checkVariables(variables)
  checkTags(Tags)
  checkMemory(input.MemorySize)
  await checkRole(input.Role, scope.accountId, service)
  // Source: published answers of AWS to CloudFormation.
  if (!Runtime || !Handler) throw errors.InvalidParameterValueException('Runtime and Handler are mandatory parameters for functions created with deployment packages.')
  await checkRuntime(Runtime, service)
  if (await findFunction(database, reference)) throw conflictError('exists', reference)
  // Source: published answers of AWS to a request without any code.
  if (Code.ZipFile === undefined) throw errors.InvalidParameterValueException('Please provide a source for function code.')
  const archive = Buffer.from(Code.ZipFile)
  const { sha256, bytes } = await code.accept(archive)

  const { description, timeoutSeconds, memoryMb, ephemeralStorageMb, tracingMode } = defaults
  const id = random.uuid()
  const record: FunctionRecord = {
    accountId: reference.accountId, region: reference.region, name: reference.name, id,
    revisionId: random.uuid(),
    generation: random.uuid(),
    settings: {
      description, timeoutSeconds, memoryMb, ephemeralStorageMb, tracingMode,
      architecture: input.Architectures?.[0] ?? defaults.architecture,
      logGroup: `/aws/lambda/${reference.name}`,
      runtime: Runtime, handler: Handler, role: input.Role,
      ...statedSettings(input),
    },
    codeSha256: sha256,
    codeBytes: bytes,
    lastModifiedMs: clock.now(),
    environment: variables ? sealer.seal(JSON.stringify(variables), environmentPurpose({ id })) : null,
    policy: [],
    tags: Tags,
  }
  try {
    await database.transact(transactions.insertFunction, { record, archive })
  } catch (error) {
    throw conflictError(error, reference)
  }
  noteUnhonoured(record.settings, functionArn(record), service)
  return describe(record, { variables, moment: 'created' })
}
