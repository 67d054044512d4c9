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
  applicationLogLevel?: 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL'
  systemLogLevel?: 'DEBUG' | 'INFO' | 'WARN'
}

/** The `$LATEST` of a function: there are no other versions yet. */
export interface FunctionRecord extends Scope {
  name: string
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
  lastModifiedMs: number
  /** Of the environment variables, sealed; null when the function was made without. */
  environment: Uint8Array | null
  /** Statements of the resource policy, in the order in which they were added. */
  policy: readonly PermissionStatement[]
  tags: Readonly<Record<string, string>>
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

/** Whether a description is the answer to the call that changed the function (which then is not ready yet), or a look at it. */
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
    Version: '$LATEST',
    ...(variables === undefined ? {} : { Environment: { Variables: { ...variables } } }),
    TracingConfig: { Mode: settings.tracingMode },
    RevisionId: record.revisionId,
    PackageType: 'Zip',
    Architectures: [settings.architecture],
    EphemeralStorage: { Size: settings.ephemeralStorageMb },
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
    LoggingConfig: { LogFormat: 'Text', LogGroup: settings.logGroup },
  }
}

/** Ours: AWS's ids of runtime versions are its own; ours only differ where the runtimes do. */
export function runtimeVersionArn(region: string, runtime: string): string {
  return `arn:aws:lambda:${region}::runtime:${createHash('sha256').update(`countersign ${runtime}`).digest('hex')}`
}
