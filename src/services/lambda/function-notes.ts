// What is said of a function, and does not change how its code runs: recursion, updates of its runtime, code signing.

import type {
  GetFunctionCodeSigningConfigRequest, GetFunctionRecursionConfigRequest, GetFunctionRecursionConfigResponse, GetRuntimeManagementConfigRequest, GetRuntimeManagementConfigResponse,
  PutFunctionRecursionConfigRequest, PutFunctionRecursionConfigResponse, PutRuntimeManagementConfigRequest, PutRuntimeManagementConfigResponse,
} from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import type { LambdaService } from './api.ts'
import { conflictError } from './conflicts.ts'
import { errors } from './errors.ts'
import { keyOf, requireFunction, requireVersion } from './functions.ts'
import { isVersionNumber, LATEST, runtimeVersionArn, type FunctionRecord } from './model.ts'
import { functionArn, parseFunctionName, type FunctionReference } from './names.ts'
import { transactions } from './store.ts'

/** Source: Lambda API reference, PutFunctionRecursionConfig. Ours: kept, and no loop is ended: there are no queues and topics here to make one. */
export async function putFunctionRecursionConfig(
  { FunctionName, RecursiveLoop }: Valid<PutFunctionRecursionConfigRequest>, { scope }: Call, service: LambdaService,
): Promise<PutFunctionRecursionConfigResponse> {
  await note({ ...parseFunctionName(FunctionName, scope), qualifier: undefined }, { recursiveLoop: RecursiveLoop }, service)
  return { RecursiveLoop }
}

/** Source: Lambda API reference, GetFunctionRecursionConfig: loops end unless somebody says otherwise. */
export async function getFunctionRecursionConfig(
  { FunctionName }: Valid<GetFunctionRecursionConfigRequest>, { scope }: Call, service: LambdaService,
): Promise<GetFunctionRecursionConfigResponse> {
  const { recursiveLoop = 'Terminate' } = await requireFunction({ ...parseFunctionName(FunctionName, scope), qualifier: undefined }, service)
  return { RecursiveLoop: recursiveLoop }
}

/** Source: Lambda API reference, PutRuntimeManagementConfig. Ours: kept, as a function has the interpreter of this machine, whatever its updates. */
export async function putRuntimeManagementConfig(
  input: Valid<PutRuntimeManagementConfigRequest>, { scope }: Call, service: LambdaService,
): Promise<PutRuntimeManagementConfigResponse> {
  const reference = ofVersion(parseFunctionName(input.FunctionName, scope, input.Qualifier))
  const record = await requireVersion(reference, service)
  const isManual = input.UpdateRuntimeOn === 'Manual'
  // Ours: the sentences.
  if (isManual && input.RuntimeVersionArn === undefined) throw errors.InvalidParameterValueException('RuntimeVersionArn is required when UpdateRuntimeOn is Manual.')
  if (!isManual && input.RuntimeVersionArn !== undefined) throw errors.InvalidParameterValueException('RuntimeVersionArn is only valid when UpdateRuntimeOn is Manual.')
  if (isManual && input.RuntimeVersionArn !== runtimeVersionArn(record.region, record.settings.runtime)) {
    throw errors.InvalidParameterValueException(`The runtime version ${input.RuntimeVersionArn} is not one of this function's runtime.`)
  }
  const runtimeUpdate = { on: input.UpdateRuntimeOn, runtimeVersionArn: input.RuntimeVersionArn }
  await note(reference, { runtimeUpdate }, service)
  return describeRuntimeUpdate({ ...record, runtimeUpdate })
}

/** Source: Lambda API reference, GetRuntimeManagementConfig. */
export async function getRuntimeManagementConfig(
  { FunctionName, Qualifier }: Valid<GetRuntimeManagementConfigRequest>, { scope }: Call, service: LambdaService,
): Promise<GetRuntimeManagementConfigResponse> {
  return describeRuntimeUpdate(await requireVersion(ofVersion(parseFunctionName(FunctionName, scope, Qualifier)), service))
}

/**
 * Functions here have no code signing configuration, and this says so: clients ask before they show a function.
 *
 * Source: LocalStack's provider, whose tests compare it with AWS: a function without one is answered without members.
 */
export async function getFunctionCodeSigningConfig(
  { FunctionName }: Valid<GetFunctionCodeSigningConfigRequest>, { scope }: Call, service: LambdaService,
): Promise<Record<string, never>> {
  await requireFunction({ ...parseFunctionName(FunctionName, scope), qualifier: undefined }, service)
  return {}
}

/** Source: Lambda API reference, PutRuntimeManagementConfig, Qualifier: a version. Ours: the sentence. */
function ofVersion(reference: FunctionReference): FunctionReference {
  const { qualifier } = reference
  if (qualifier !== undefined && qualifier !== LATEST && !isVersionNumber(qualifier)) {
    throw errors.InvalidParameterValueException('The runtime management configuration is a version\'s: name a version or $LATEST, not an alias.')
  }
  return reference
}

function describeRuntimeUpdate(record: FunctionRecord): GetRuntimeManagementConfigResponse & PutRuntimeManagementConfigResponse {
  const { on = 'Auto', runtimeVersionArn: stated } = record.runtimeUpdate ?? {}
  return {
    UpdateRuntimeOn: on,
    FunctionArn: record.version === LATEST ? functionArn(record) : `${functionArn(record)}:${record.version}`,
    ...(stated === undefined ? {} : { RuntimeVersionArn: stated }),
  }
}

async function note(reference: FunctionReference, change: Pick<FunctionRecord, 'recursiveLoop' | 'runtimeUpdate'>, { database }: LambdaService): Promise<void> {
  try {
    await database.transact(transactions.noteOnFunction, { key: keyOf(reference), version: reference.qualifier ?? LATEST, note: change })
  } catch (error) {
    throw conflictError(error, reference)
  }
}
