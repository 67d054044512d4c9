// How a function's events are treated: attempts, age, and where their records go.

import type {
  DeleteFunctionEventInvokeConfigRequest, DestinationConfig, FunctionEventInvokeConfig, GetFunctionEventInvokeConfigRequest, ListFunctionEventInvokeConfigsRequest,
  ListFunctionEventInvokeConfigsResponse, PutFunctionEventInvokeConfigRequest, UpdateFunctionEventInvokeConfigRequest,
} from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import { Conflict } from '#storage/database.ts'
import type { LambdaService } from './api.ts'
import { errors, notServed } from './errors.ts'
import type { EventInvokeConfig } from './events/model.ts'
import { findConfig, listConfigs, transactions } from './events/store.ts'
import { keyOf } from './functions.ts'
import { EVENT_INVOKE_CONFIGS_PER_PAGE_MAX } from './limits.ts'
import { functionArn, parseFunctionArn, parseFunctionName, type FunctionReference } from './names.ts'
import type { FunctionRecord } from './model.ts'

type Settings = Pick<PutFunctionEventInvokeConfigRequest, 'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds' | 'DestinationConfig'>

/** Source: Lambda API reference, PutFunctionEventInvokeConfig: what is not stated has the default again. */
export async function putFunctionEventInvokeConfig(input: Valid<PutFunctionEventInvokeConfigRequest>, { scope }: Call, service: LambdaService): Promise<FunctionEventInvokeConfig> {
  const reference = parseFunctionName(input.FunctionName, scope, input.Qualifier)
  const config = await configOf(input, reference, 'PutFunctionEventInvokeConfig', service)
  await service.database.transact(transactions.putConfig, { key: keyOf(reference), qualifier: qualifierOf(reference), config })
  return describe(config, reference)
}

/** Source: Lambda API reference, UpdateFunctionEventInvokeConfig: what is not stated stays as it is. */
export async function updateFunctionEventInvokeConfig(input: Valid<UpdateFunctionEventInvokeConfigRequest>, { scope }: Call, service: LambdaService): Promise<FunctionEventInvokeConfig> {
  const reference = parseFunctionName(input.FunctionName, scope, input.Qualifier)
  const change = await configOf(input, reference, 'UpdateFunctionEventInvokeConfig', service)
  const stated = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as unknown as EventInvokeConfig
  // A destination that is stated empty is taken away.
  if (input.DestinationConfig) Object.assign(stated, { onSuccess: change.onSuccess, onFailure: change.onFailure })
  return describe(await orMissing(reference, service.database.transact(transactions.updateConfig, { key: keyOf(reference), qualifier: qualifierOf(reference), change: stated })), reference)
}

/** Source: Lambda API reference, GetFunctionEventInvokeConfig. */
export async function getFunctionEventInvokeConfig(
  { FunctionName, Qualifier }: Valid<GetFunctionEventInvokeConfigRequest>, { scope }: Call, { database }: LambdaService,
): Promise<FunctionEventInvokeConfig> {
  const reference = parseFunctionName(FunctionName, scope, Qualifier)
  const config = await findConfig(database, keyOf(reference), qualifierOf(reference))
  if (!config) throw missing(reference)
  return describe(config, reference)
}

/** Source: Lambda API reference, DeleteFunctionEventInvokeConfig. */
export async function deleteFunctionEventInvokeConfig(
  { FunctionName, Qualifier }: Valid<DeleteFunctionEventInvokeConfigRequest>, { scope }: Call, { database }: LambdaService,
): Promise<void> {
  const reference = parseFunctionName(FunctionName, scope, Qualifier)
  await orMissing(reference, database.transact(transactions.deleteConfig, { key: keyOf(reference), qualifier: qualifierOf(reference) }))
}

/** Source: Lambda API reference, ListFunctionEventInvokeConfigs. */
export async function listFunctionEventInvokeConfigs(
  { FunctionName, Marker, MaxItems }: Valid<ListFunctionEventInvokeConfigsRequest>, { scope }: Call, { database, directory }: LambdaService,
): Promise<ListFunctionEventInvokeConfigsResponse> {
  const reference = parseFunctionName(FunctionName, scope)
  if (!await directory.find({ ...reference, qualifier: undefined })) throw functionMissing()
  const limit = Math.min(MaxItems ?? EVENT_INVOKE_CONFIGS_PER_PAGE_MAX, EVENT_INVOKE_CONFIGS_PER_PAGE_MAX)
  const found = await listConfigs(database, { ...keyOf(reference), after: Marker ? qualifierAfter(Marker) : '', limit: limit + 1 })
  const page = found.slice(0, limit)
  return {
    FunctionEventInvokeConfigs: page.map(({ qualifier, config }) => describe(config, { ...reference, qualifier })),
    ...(found.length > limit ? { NextMarker: Buffer.from(`after:${page.at(-1)!.qualifier}`).toString('base64url') } : {}),
  }
}

function qualifierAfter(marker: string): string {
  const text = Buffer.from(marker, 'base64url').toString('utf8')
  // Ours: the sentence; a marker of AWS's means nothing here either.
  if (!text.startsWith('after:')) throw errors.InvalidParameterValueException('The provided marker is invalid.')
  return text.slice('after:'.length)
}

/**
 * What a caller states, judged. Observed: AWS, 20-11-2023, recorded by localstack's test_lambda_eventinvokeconfig_exceptions: order and sentences.
 *
 * @throws InvalidParameterValueException, ResourceNotFoundException; 501 for destinations that are no functions.
 */
async function configOf(input: Settings, reference: FunctionReference, operation: string, service: LambdaService): Promise<EventInvokeConfig> {
  const { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig: destinations } = input
  if (MaximumRetryAttempts === undefined && MaximumEventAgeInSeconds === undefined && destinations === undefined) {
    throw errors.InvalidParameterValueException('You must specify at least one of error handling or destination setting.')
  }
  const snapshot = await service.directory.find(reference)
  if (!snapshot) throw functionMissing()
  if (destinations) await checkDestinations(destinations, snapshot.record, operation, service)
  return {
    lastModifiedMs: service.clock.now(), maximumRetryAttempts: MaximumRetryAttempts, maximumEventAgeSeconds: MaximumEventAgeInSeconds,
    onSuccess: destinations?.OnSuccess?.Destination || undefined, onFailure: destinations?.OnFailure?.Destination || undefined,
  }
}

/** What a destination may be on AWS. Source: Lambda API reference, DestinationConfig; S3 for failures alone. */
const services: Readonly<Record<string, string>> = { sqs: 'an SQS queue', sns: 'an SNS topic', events: 'an EventBridge event bus', s3: 'an S3 bucket' }

async function checkDestinations(destinations: DestinationConfig, record: FunctionRecord, operation: string, { deliveries }: LambdaService): Promise<void> {
  for (const target of [destinations.OnFailure?.Destination, destinations.OnSuccess?.Destination]) {
    if (!target) continue
    const service = target.split(':')[2] ?? ''
    if (service in services && !(service === 's3' && target === destinations.OnSuccess?.Destination)) {
      throw notServed(`${operation} with ${services[service]} as a destination (${target}; name a function)`)
    }
    if (service !== 'lambda') throw errors.InvalidParameterValueException(`The provided destination config ${shown(destinations)} is invalid.`)
    const named = parseFunctionArn(target)
    const obstacle = named ? await deliveries.obstacle({ ...record, roleArn: record.settings.role }, target) : 'missing'
    if (obstacle === 'missing') throw errors.InvalidParameterValueException(`The destination ARN ${target} is invalid.`)
    if (named && functionArn(named) === functionArn(record)) throw errors.InvalidParameterValueException('You can\'t specify the function as a destination for itself.')
    // Source: users of AWS report the sentence for queues and topics, with SendMessage and Publish in it.
    if (obstacle === 'denied') throw errors.InvalidParameterValueException(`The function's execution role does not have permissions to call InvokeFunction on ${target}`)
  }
}

/** As AWS prints it. */
function shown({ OnSuccess, OnFailure }: DestinationConfig): string {
  const part = (name: string, destination: string | undefined) => destination ? `${name}(destination=${destination})` : 'null'
  return `DestinationConfig(onSuccess=${part('OnSuccess', OnSuccess?.Destination)}, onFailure=${part('OnFailure', OnFailure?.Destination)})`
}

function describe(config: EventInvokeConfig, reference: FunctionReference): FunctionEventInvokeConfig {
  const { lastModifiedMs, maximumRetryAttempts, maximumEventAgeSeconds, onSuccess, onFailure } = config
  return {
    LastModified: new Date(lastModifiedMs),
    FunctionArn: qualified(reference),
    MaximumRetryAttempts: maximumRetryAttempts,
    MaximumEventAgeInSeconds: maximumEventAgeSeconds,
    DestinationConfig: { OnSuccess: onSuccess === undefined ? {} : { Destination: onSuccess }, OnFailure: onFailure === undefined ? {} : { Destination: onFailure } },
  }
}

/** Without a qualifier it is `$LATEST` that is configured, and named. */
function qualifierOf({ qualifier = '$LATEST' }: FunctionReference): string {
  return qualifier
}

function qualified(reference: FunctionReference): string {
  return `${functionArn(reference)}:${qualifierOf(reference)}`
}

async function orMissing<Result>(reference: FunctionReference, changing: Promise<Result>): Promise<Result> {
  try {
    return await changing
  } catch (error) {
    throw error instanceof Conflict && error.reason === 'config missing' ? missing(reference) : error
  }
}

function missing(reference: FunctionReference) {
  return errors.ResourceNotFoundException(`The function ${qualified(reference)} doesn't have an EventInvokeConfig`)
}

function functionMissing() {
  return errors.ResourceNotFoundException('The function doesn\'t exist.')
}
