// A function as it is kept, its defaults, and how it looks to callers.

import { createHash } from 'node:crypto'
import type { FunctionConfiguration } from '@aws-sdk/client-lambda'
import type { Scope } from '#aws/arn.ts'
import type { PolicyStatement } from '#aws/policy/document.ts'
import { functionArn } from './names.ts'

/** What a caller may set, and what decides how the code runs. */
export interface FunctionSettings {
  runtime: string
  role: string
  handler: string
  description: string
  timeoutSeconds: number
  memoryMb: number
  ephemeralStorageMb: number
  architecture: 'x86_64' | 'arm64'
  tracingMode: 'PassThrough' | 'Active'
  logGroup: string
  /** `Text` where absent. The levels count in JSON alone; `INFO` where absent. */
  logFormat?: 'Text' | 'JSON'
  applicationLogLevel?: ApplicationLogLevel | undefined
  systemLogLevel?: SystemLogLevel | undefined
  /** In their order: later ones lie over earlier ones. */
  layers?: readonly LayerUse[]
  /** `None` where absent. */
  snapStart?: 'None' | 'PublishedVersions'
  /** Where events go that were given up. */
  deadLetterArn?: string | undefined
  /** Somebody stated that there is no VPC. */
  statesNoVpc?: boolean
}

export type ApplicationLogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL'
export type SystemLogLevel = 'DEBUG' | 'INFO' | 'WARN'

/** A layer version as a function uses it: it goes on doing so when the layer version is deleted. */
export interface LayerUse {
  arn: string
  codeSha256: string
  codeBytes: number
  unzippedBytes: number
}

export const LATEST = '$LATEST'

/** One version of a function, `$LATEST` or a published one, which never changes but for its policy. */
export interface FunctionRecord extends Scope {
  name: string
  /** `$LATEST` or a number. */
  version: string
  /** Never given twice: a function of the same name made later is another one. */
  id: string
  /** Changes with everything that a caller may change but tags. */
  revisionId: string
  settings: FunctionSettings
  /** Environments of an older generation are not used any more: changes with code and settings, not with permissions. */
  generation: string
  /** Hexadecimal SHA-256 of the archive: the key of its bytes. */
  codeSha256: string
  codeBytes: number
  /** Undefined for code that came before this was kept. */
  unzippedBytes?: number | undefined
  lastModifiedMs: number
  /** Of the environment variables, sealed; null when the function was made without. */
  environment: Uint8Array | null
  /** Statements of the resource policy, in the order in which they were added. */
  policy: readonly PermissionStatement[]
  /** Of the function as a whole. */
  tags: Readonly<Record<string, string>>
  /** Stays as it is when an update changes nothing: what PublishVersion compares. */
  contentId: string
  /** Of `$LATEST`: what was published last. */
  published?: { version: string, contentId: string } | undefined
  /** Of the function as a whole. `Terminate` where absent. */
  recursiveLoop?: 'Allow' | 'Terminate' | undefined
  /** `Auto` where absent. */
  runtimeUpdate?: RuntimeUpdate | undefined
}

/** Source: Lambda developer guide, "Understanding how Lambda manages runtime version updates". */
export interface RuntimeUpdate {
  on: 'Auto' | 'Manual' | 'FunctionUpdate'
  /** Of `Manual`. */
  runtimeVersionArn?: string | undefined
}

/** A name for a version, or for two of them. */
export interface AliasRecord {
  name: string
  revisionId: string
  description: string
  /** `$LATEST` or a number. */
  version: string
  /** The share of invocations that goes to another version, by its number. */
  weights: Readonly<Record<string, number>>
  policy: readonly PermissionStatement[]
}

/** `5`, not an alias; what looks like a number is never one. */
export function isVersionNumber(qualifier: string): boolean {
  return /^\d+$/.test(qualifier)
}

/** The version that an invocation of the alias runs. `fraction()` answers from 0 to, but not, 1. */
export function chooseVersion({ version, weights }: Pick<AliasRecord, 'version' | 'weights'>, fraction: () => number): string {
  const others = Object.entries(weights)
  if (others.length === 0) return version
  let left = fraction()
  for (const [other, weight] of others) {
    if (left < weight) return other
    left -= weight
  }
  return version
}

/** The address of a function's `$LATEST`, or of an alias. */
export interface UrlRecord extends Scope {
  name: string
  alias: string | undefined
  /** The first label of the address's host: nobody else has it. */
  urlId: string
  authType: 'NONE' | 'AWS_IAM'
  cors: UrlCors | undefined
  invokeMode: 'BUFFERED' | 'RESPONSE_STREAM'
  createdMs: number
  lastModifiedMs: number
}

/** As callers stated it. Source: Lambda API reference, Cors. */
export interface UrlCors {
  AllowCredentials?: boolean | undefined
  AllowHeaders?: string[] | undefined
  AllowMethods?: string[] | undefined
  AllowOrigins?: string[] | undefined
  ExposeHeaders?: string[] | undefined
  /** Seconds. */
  MaxAge?: number | undefined
}

export interface LayerVersionRecord extends Scope {
  name: string
  version: number
  description: string
  licenseInfo: string | undefined
  runtimes: readonly string[] | undefined
  architectures: readonly string[] | undefined
  codeSha256: string
  codeBytes: number
  unzippedBytes: number
  createdMs: number
  policy: readonly PermissionStatement[]
  policyRevisionId: string
}

export interface PermissionStatement extends PolicyStatement {
  Sid: string
}

/** Source: Lambda API reference, CreateFunction. */
export const defaults = { timeoutSeconds: 3, memoryMb: 128, ephemeralStorageMb: 512, description: '', architecture: 'x86_64', tracingMode: 'PassThrough' } as const

/** Under which purpose a function's environment variables are sealed. */
export function environmentPurpose({ id }: Pick<FunctionRecord, 'id'>): string {
  return `lambda.environment ${id}`
}

/** AWS prints the offset without a colon. Source: Lambda API reference, FunctionConfiguration, LastModified. */
export function formatLastModified(atMs: number): string {
  return new Date(atMs).toISOString().replace('Z', '+0000')
}

/** Whether a description is the answer to the call that made or changed the function (which then is not ready yet), or a look at it. */
export type Moment = 'created' | 'updated' | 'now'

export interface DescribeOptions {
  /** The environment variables opened; undefined when the function has none. */
  variables: Readonly<Record<string, string>> | undefined
  moment: Moment
  /** Shown at the end of the ARN, where a caller asked for it. */
  qualifier?: string | undefined
}

/** Source: Lambda developer guide, "Lambda function states". Ours: a function is ready when the call that changed it has been answered. */
const states: Record<Moment, Partial<FunctionConfiguration>> = {
  created: { State: 'Pending', StateReason: 'The function is being created.', StateReasonCode: 'Creating' },
  updated: {
    State: 'Active', LastUpdateStatus: 'InProgress', LastUpdateStatusReason: 'The function is being created.',
    // Observed: AWS, 27-03-2024, recorded by localstack's test_function_lifecycle; the published model lacks this value.
    LastUpdateStatusReasonCode: 'Creating' as FunctionConfiguration['LastUpdateStatusReasonCode'],
  },
  now: { State: 'Active', LastUpdateStatus: 'Successful' },
}

/** A function as GetFunctionConfiguration shows it. */
export function describe(record: FunctionRecord, { variables, moment, qualifier }: DescribeOptions): FunctionConfiguration {
  return {
    ...describeInList(record, { variables, qualifier }),
    ...states[moment],
    RuntimeVersionConfig: { RuntimeVersionArn: runtimeVersionArn(record.region, record.settings.runtime) },
  }
}

/** Observed: AWS, 20-11-2023, recorded by localstack's test_publish_version_on_create and others: lists leave states and runtime version out. */
export function describeInList(record: FunctionRecord, { variables, qualifier }: Omit<DescribeOptions, 'moment'>): FunctionConfiguration {
  const { settings } = record
  return {
    FunctionName: record.name,
    FunctionArn: qualifier === undefined ? functionArn(record) : `${functionArn(record)}:${qualifier}`,
    Runtime: settings.runtime as NonNullable<FunctionConfiguration['Runtime']>,
    Role: settings.role,
    Handler: settings.handler,
    CodeSize: record.codeBytes,
    Description: settings.description,
    Timeout: settings.timeoutSeconds,
    MemorySize: settings.memoryMb,
    LastModified: formatLastModified(record.lastModifiedMs),
    CodeSha256: Buffer.from(record.codeSha256, 'hex').toString('base64'),
    Version: record.version,
    ...(settings.deadLetterArn === undefined ? {} : { DeadLetterConfig: { TargetArn: settings.deadLetterArn } }),
    ...(settings.layers?.length ? { Layers: settings.layers.map(({ arn, codeBytes }) => ({ Arn: arn, CodeSize: codeBytes })) } : {}),
    ...(settings.statesNoVpc ? { VpcConfig: { SubnetIds: [], SecurityGroupIds: [], VpcId: '', Ipv6AllowedForDualStack: false } } : {}),
    ...(variables === undefined ? {} : { Environment: { Variables: { ...variables } } }),
    TracingConfig: { Mode: settings.tracingMode },
    RevisionId: record.revisionId,
    PackageType: 'Zip',
    Architectures: [settings.architecture],
    EphemeralStorage: { Size: settings.ephemeralStorageMb },
    // Source: Lambda API reference, SnapStartResponse, OptimizationStatus: the optimization is a version's.
    SnapStart: { ApplyOn: settings.snapStart ?? 'None', OptimizationStatus: settings.snapStart === 'PublishedVersions' && record.version !== LATEST ? 'On' : 'Off' },
    LoggingConfig: {
      LogFormat: settings.logFormat ?? 'Text',
      ...(settings.applicationLogLevel && { ApplicationLogLevel: settings.applicationLogLevel }),
      ...(settings.systemLogLevel && { SystemLogLevel: settings.systemLogLevel }),
      LogGroup: settings.logGroup,
    },
  }
}

/** Ours: AWS's ids of runtime versions are its own; ours only differ where the runtimes do. */
export function runtimeVersionArn(region: string, runtime: string): string {
  return `arn:aws:lambda:${region}::runtime:${createHash('sha256').update(`countersign ${runtime}`).digest('hex')}`
}
