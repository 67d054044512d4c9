// What callers may set on a function: Lambda's rules beyond the model's, in Lambda's words, and what is not served here.

import type { CreateFunctionRequest, UpdateFunctionConfigurationRequest } from '@aws-sdk/client-lambda'
import { parseArn } from '#aws/arn.ts'
import { evaluate } from '#aws/policy/evaluate.ts'
import type { ShapeConstraints } from '#aws/validate.ts'
import type { LambdaService } from './api.ts'
import { errors, notServed } from './errors.ts'
import { ENVIRONMENT_BYTES_MAX, MEMORY_MB_MAX, TAGS_MAX, TIMEOUT_SECONDS_MAX } from './limits.ts'
import type { FunctionSettings } from './model.ts'
import { FUNCTION_NAME_PATTERN } from './names.ts'
import { formerRuntimes, layerRuntimes, validRuntimes } from './runtime-names.ts'
import { RESERVED_VARIABLES } from './runtime/variables.ts'

/** Where Lambda checks something else than its model says. */
export const constraints: Readonly<Record<string, ShapeConstraints>> = {
  FunctionName: { pattern: FUNCTION_NAME_PATTERN },
  // Source: LocalStack's provider, whose tests compare it with AWS: an unknown runtime is an InvalidParameterValueException.
  Runtime: { enum: undefined },
  // Of layers, which have a sentence of their own: see checkCompatibilities.
  CompatibleArchitectures: { elements: undefined },
  // Source: LocalStack's provider, whose tests compare it with AWS: the other way round than in the published model.
  InvokeMode: { enum: ['RESPONSE_STREAM', 'BUFFERED'] },
  // Source: Lambda quotas, function timeout.
  Timeout: { max: TIMEOUT_SECONDS_MAX },
  // Source: Lambda API reference, CreateFunction, Architectures: exactly one.
  ArchitecturesList: { max: 1 },
  // Observed: AWS, 10-04-2024, recorded by localstack's test_layer_exceptions: the pattern of an ARN that is asked for; see checkLayerArns for lists.
  LayerVersionArn: { pattern: undefined, max: undefined, min: undefined },
  // Above it Lambda answers differently, see checkMemory.
  MemorySize: { max: undefined },
}

/**
 * Checks that the runtime is one, and that this machine can run it.
 *
 * Ours: Node, Python 3 and OS-only runtimes that AWS no longer creates functions with are welcome.
 *
 * @throws InvalidParameterValueException, NotImplemented
 */
export async function checkRuntime(runtime: string, { interpreters }: Pick<LambdaService, 'interpreters'>): Promise<void> {
  if (/^provided(\.al2(023)?)?$/.test(runtime)) return
  const successor = formerRuntimes.get(runtime)
  if (successor !== undefined) {
    throw errors.InvalidParameterValueException(`The runtime parameter of ${runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use the new runtime (${successor}) while creating or updating functions.`)
  }
  const isManaged = /^(nodejs\d\d\.x|python3\.\d{1,2})$/.test(runtime)
  if (!isManaged && validRuntimes.includes(runtime)) throw notServed(`CreateFunction with the runtime ${runtime}`)
  if (!isManaged) {
    throw errors.InvalidParameterValueException(`Value ${runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${validRuntimes.join(', ')}] or be a valid ARN`)
  }
  if (!await interpreters.find(runtime)) {
    throw errors.InvalidParameterValueException(`This machine has no interpreter for ${runtime}: install Python 3 and make it findable on PATH.`)
  }
}

/**
 * Layers may say that they fit what no function is made with any more: those are named where lists are asked for, and not where a layer is made.
 *
 * Observed: AWS, 10-04-2024, recorded by localstack's test_layer_exceptions: the sentences, and that one tells of all that does not fit.
 *
 * @throws ValidationException
 */
export function checkCompatibilities(runtimes: readonly string[] = [], architectures: readonly string[] = []): void {
  const faults = [
    ...(runtimes.every((runtime) => layerRuntimes.includes(runtime)) ? []
      : [`Value '[${runtimes.join(', ')}]' at 'compatibleRuntimes' failed to satisfy constraint: Member must satisfy enum value set: [${validRuntimes.join(', ')}]`]),
    ...(architectures.every((architecture) => ARCHITECTURES.includes(architecture)) ? []
      : [`Value '[${architectures.join(', ')}]' at 'compatibleArchitectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [${ARCHITECTURES.join(', ')}]]`]),
  ]
  if (faults.length > 0) throw errors.ValidationException(`${faults.length} validation error${faults.length === 1 ? '' : 's'} detected: ${faults.join('; ')}`)
}

const ARCHITECTURES: readonly string[] = ['x86_64', 'arm64']

/** Of layers that are asked for. Observed: as of `checkCompatibilities`. @throws ValidationException */
export function checkCompatibleRuntime(runtime: string | undefined): void {
  if (runtime === undefined || layerRuntimes.includes(runtime)) return
  throw errors.ValidationException(`1 validation error detected: Value '${runtime}' at 'compatibleRuntime' failed to satisfy constraint: Member must satisfy enum value set: [${layerRuntimes.join(', ')}]`)
}

/** Source: AWS's answer to accounts with a lower limit than the model's. */
export function checkMemory(memoryMb: number | undefined): void {
  if (memoryMb !== undefined && memoryMb > MEMORY_MB_MAX) {
    throw errors.InvalidParameterValueException(`'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to ${MEMORY_MB_MAX}`)
  }
}

/** Whether Lambda may act in the role: it exists, in the caller's account, and its trust policy says so. */
export async function checkRole(roleArn: string, accountId: string, { roles }: Pick<LambdaService, 'roles'>): Promise<void> {
  // Source: AWS's answer to a role of another account.
  if (parseArn(roleArn)?.accountId !== accountId) throw errors.AccessDeniedException('Cross-account pass role is not allowed.')
  const role = await roles.findRole(roleArn)
  const { outcome } = role
    ? evaluate({
      principal: { is: 'service', accountId, arn: 'lambda.amazonaws.com' }, action: 'sts:AssumeRole', resource: roleArn, resourceAccountId: role.accountId,
      lookup: (key) => key === 'aws:sourceaccount' ? accountId : undefined,
    }, { identity: [], resource: role.trustPolicy })
    : { outcome: 'implicit-deny' }
  // Source: published answers of AWS to CreateFunction with a role that does not exist or trusts another service.
  if (outcome !== 'allowed') throw errors.InvalidParameterValueException('The role defined for the function cannot be assumed by Lambda.')
}

/**
 * Source: Lambda developer guide, "Working with Lambda environment variables": reserved names, and 4 KB for all together.
 * Observed: AWS, 25-11-2025, recorded by localstack's test_large_environment_variables_fails: what is measured, and the sentence.
 */
export function checkVariables(variables: Readonly<Record<string, string>>): void {
  const reserved = Object.keys(variables).filter((name) => RESERVED_VARIABLES.has(name))
  if (reserved.length > 0) {
    throw errors.InvalidParameterValueException('Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. '
      + `Reserved keys used in this request: ${reserved.join(', ')}`)
  }
  const measured = JSON.stringify(variables)
  if (Buffer.byteLength(measured) > ENVIRONMENT_BYTES_MAX) {
    throw errors.InvalidParameterValueException('Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. '
      + `String measured: ${measured}`)
  }
}

/** Observed: AWS, 25-11-2025, recorded by localstack's test_tag_limits. */
export function checkTags(tags: Readonly<Record<string, string>>): void {
  if (Object.keys(tags).length > TAGS_MAX) throw errors.InvalidParameterValueException('Number of tags exceeds resource tag limit.')
  for (const [key, value] of Object.entries(tags)) {
    // Source: Lambda developer guide, "Using tags on Lambda functions", requirements.
    if (key.toLowerCase().startsWith('aws:')) throw errors.InvalidParameterValueException('System tags cannot be added/updated by requester.')
    if (key.length === 0 || key.length > 128 || value.length > 256) throw errors.InvalidParameterValueException('Tag keys have 1 to 128 characters and values at most 256.')
  }
}

type Settable = Pick<UpdateFunctionConfigurationRequest, keyof UpdateFunctionConfigurationRequest & keyof CreateFunctionRequest>

/** Refuses what would be stored without being honoured. Ours: such settings come when what they need does. */
export function refuseUnserved(input: Settable, operation: string): void {
  const isUnserved: Record<string, boolean | undefined> = {
    VpcConfig: !!(input.VpcConfig?.SubnetIds?.length || input.VpcConfig?.SecurityGroupIds?.length),
    FileSystemConfigs: !!input.FileSystemConfigs?.length,
    KMSKeyArn: !!input.KMSKeyArn,
    ImageConfig: !!input.ImageConfig && Object.keys(input.ImageConfig).length > 0,
    CapacityProviderConfig: !!input.CapacityProviderConfig,
    DurableConfig: !!input.DurableConfig,
  }
  const unserved = Object.keys(isUnserved).find((name) => isUnserved[name])
  if (unserved !== undefined) throw notServed(`${operation} with ${unserved}`)
}

/** Runtimes that can be snapshotted. Source: Lambda developer guide, "Improving startup performance with Lambda SnapStart", supported runtimes. */
const snapStartRuntimes = /^(java(11|17|21|25)|python3\.(1[2-9])|dotnet(8|10))$/

/** Observed: AWS, 10-04-2024, recorded by localstack's test_snapstart_exceptions: the sentence. */
export function checkSnapStart(applyOn: FunctionSettings['snapStart'], runtime: string): void {
  if (applyOn === 'PublishedVersions' && !snapStartRuntimes.test(runtime)) {
    throw errors.InvalidParameterValueException(`${runtime} is not supported for SnapStart enabled functions.`)
  }
}

/**
 * Where events go that were given up: a function, as there are no queues and topics here.
 *
 * Ours: AWS takes queues and topics alone.
 */
export async function checkDeadLetters(input: Settable, operation: string, { directory }: Pick<LambdaService, 'directory'>): Promise<void> {
  const target = input.DeadLetterConfig?.TargetArn
  if (!target) return
  const service = parseArn(target)?.service
  if (service === 'sqs' || service === 'sns') throw notServed(`${operation} with a DeadLetterConfig of ${service.toUpperCase()} (name a function)`)
  if (service !== 'lambda') throw errors.InvalidParameterValueException(`The provided target ARN ${target} is not valid: dead letters go to functions here.`)
  if (!await directory.findByArn(target)) throw errors.InvalidParameterValueException(`The function of DeadLetterConfig does not exist: ${target}`)
}

/** What a function has before anybody states anything of it. */
export type StandingLogging = Pick<FunctionSettings, 'logFormat' | 'applicationLogLevel' | 'systemLogLevel'>

/**
 * How a function logs from now on: what is stated counts over what was, and a change of the format brings its own levels, or none.
 *
 * Source: LocalStack's provider, whose tests compare it with AWS: the defaults. Published answers of AWS: the sentence.
 */
export function loggingSettings(stated: Settable['LoggingConfig'], before: StandingLogging): Partial<FunctionSettings> {
  if (!stated) return {}
  const format = stated.LogFormat ?? before.logFormat ?? 'Text'
  const logGroup = stated.LogGroup === undefined ? {} : { logGroup: stated.LogGroup }
  if (format === 'Text') {
    if (stated.ApplicationLogLevel || stated.SystemLogLevel) {
      throw errors.InvalidParameterValueException('LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.')
    }
    return { logFormat: 'Text', applicationLogLevel: undefined, systemLogLevel: undefined, ...logGroup }
  }
  return {
    logFormat: 'JSON',
    applicationLogLevel: stated.ApplicationLogLevel ?? (stated.LogFormat ? undefined : before.applicationLogLevel) ?? 'INFO',
    systemLogLevel: stated.SystemLogLevel ?? (stated.LogFormat ? undefined : before.systemLogLevel) ?? 'INFO',
    ...logGroup,
  }
}

/** The settings that an input states, in our terms; what it does not state is absent, what it takes away is undefined. */
export function statedSettings(input: Settable, before: StandingLogging): Partial<FunctionSettings> {
  const stated: { [Name in keyof FunctionSettings]?: FunctionSettings[Name] | undefined } = {
    runtime: input.Runtime,
    role: input.Role,
    handler: input.Handler,
    description: input.Description,
    timeoutSeconds: input.Timeout,
    memoryMb: input.MemorySize,
    ephemeralStorageMb: input.EphemeralStorage?.Size,
    tracingMode: input.TracingConfig?.Mode,
    snapStart: input.SnapStart?.ApplyOn,
  }
  return {
    ...Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined)),
    ...loggingSettings(input.LoggingConfig, before),
    ...(input.DeadLetterConfig && { deadLetterArn: input.DeadLetterConfig.TargetArn || undefined }),
    ...(input.VpcConfig && { statesNoVpc: true }),
  }
}

/** Says in the log what is kept without an effect. */
export function noteUnhonoured({ tracingMode, architecture, snapStart }: Partial<FunctionSettings>, functionArn: string, { log }: Pick<LambdaService, 'log'>): void {
  if (tracingMode === 'Active') log.warn({ function: functionArn }, 'TracingConfig Active is kept but has no effect: there is no X-Ray here')
  if (snapStart === 'PublishedVersions') log.warn({ function: functionArn }, 'SnapStart is kept but has no effect: environments of versions start as all others do')
  const own = process.arch === 'arm64' ? 'arm64' : 'x86_64'
  if (architecture !== undefined && architecture !== own) log.warn({ function: functionArn }, `the function asks for ${architecture} and runs on ${own}, as this machine does`)
}
