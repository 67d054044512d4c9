// What a stage may be: names, variables, method settings, and how each is patched.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { errors } from './errors.ts'
import { STAGE_NAME_CHARACTERS_MAX, VARIABLE_NAME_CHARACTERS_MAX, VARIABLE_VALUE_CHARACTERS_MAX, VARIABLES_PER_STAGE_MAX } from './limits.ts'
import type { MethodSetting, StageRecord } from './model.ts'
import { booleanOf, unescapeSegment, type PatchOperation } from './patch.ts'
import { accessLogDestination, accessLogFormat, enablesLogging, roleMissing } from './stage-logging.ts'

export type NewStage = Omit<sdk.CreateStageRequest, 'restApiId'>

export function newStage(request: NewStage, { apiId, now }: { apiId: string, now: number }): StageRecord {
  const { stageName = '', deploymentId = '', description, variables, documentationVersion, tags } = request
  checkStageName(stageName)
  checkVariables(variables)
  return {
    stageName,
    apiId,
    deploymentId,
    description: description || undefined,
    variables: variables ?? {},
    methodSettings: {},
    tracingEnabled: request.tracingEnabled ?? false,
    cacheClusterEnabled: request.cacheClusterEnabled ?? false,
    cacheClusterSize: request.cacheClusterSize,
    documentationVersion: documentationVersion || undefined,
    tags: tags ?? {},
    createdAtMs: now,
    lastUpdatedAtMs: now,
  }
}

/** Seen in reports (the sentence of the day when the hyphen was not allowed); Source: API Gateway API reference, CreateStage, `stageName`. */
function checkStageName(name: string): void {
  if (!/^[a-zA-Z0-9_-]+$/.test(name)) throw errors.BadRequestException('Stage name only allows a-zA-Z0-9_-')
  if (name.length > STAGE_NAME_CHARACTERS_MAX) throw errors.BadRequestException(`Stage name cannot be longer than ${STAGE_NAME_CHARACTERS_MAX} characters`)
}

/** Source: API Gateway API reference, CreateStage, `variables`. Ours: the words. */
export function checkVariables(variables: Record<string, string> | undefined): void {
  const entries = Object.entries(variables ?? {})
  if (entries.length > VARIABLES_PER_STAGE_MAX) throw errors.LimitExceededException(`A stage cannot have more than ${VARIABLES_PER_STAGE_MAX} variables`)
  for (const [name, value] of entries) {
    if (!/^\w+$/.test(name) || name.length > VARIABLE_NAME_CHARACTERS_MAX) throw errors.BadRequestException(`Invalid stage variable name: ${name}`)
    if (!/^[A-Za-z0-9\-._~:/?#&=,]+$/.test(value) || value.length > VARIABLE_VALUE_CHARACTERS_MAX) {
      throw errors.BadRequestException(
        `Invalid stage variable value: ${value}. Please use values with alphanumeric characters and the symbols -._~:/?#&=,`)
    }
  }
}

/** Applies patch operations to a stage. Observed: AWS, 01-09-2023 and 05-03-2024, recorded by localstack's TestStages. */
export function patchStage(stage: StageRecord, operations: readonly PatchOperation[] | undefined, { hasLoggingRole }: { hasLoggingRole: boolean }): void {
  for (const operation of operations ?? []) {
    patchOnce(stage, operation)
    if (!hasLoggingRole && enablesLogging([operation])) throw roleMissing()
  }
}

function patchOnce(stage: StageRecord, operation: PatchOperation): void {
  const { op, path = '', value = '' } = operation
  const [, first, second, ...rest] = path.split('/')
  if (first === 'canarySettings' && op !== 'remove') throw errors.NotImplemented('canarySettings is not served.')
  if (first === 'variables' && second !== undefined && rest.length === 0) return patchVariable(stage, op, unescapeSegment(second), value)
  if (first === 'accessLogSettings') return patchAccessLogs(stage, operation, second)
  const change = Object.hasOwn(scalars, path) ? scalars[path] : undefined
  if (change && (op === 'replace' || op === 'add')) return change(stage, value)
  if (change && op === 'remove') return change(stage, '')
  if (op === 'remove') return removeMethodSettings(stage, path)
  patchMethodSetting(stage, path, value)
}

const scalars: Readonly<Record<string, (stage: StageRecord, value: string) => void>> = {
  '/deploymentId': (stage, value) => { stage.deploymentId = value },
  '/description': (stage, value) => { stage.description = value || undefined },
  '/cacheClusterEnabled': (stage, value) => { stage.cacheClusterEnabled = booleanOf(value) },
  '/cacheClusterSize': (stage, value) => { stage.cacheClusterSize = value || undefined },
  '/clientCertificateId': (stage, value) => { stage.clientCertificateId = value || undefined },
  '/documentationVersion': (stage, value) => { stage.documentationVersion = value || undefined },
  '/tracingEnabled': (stage, value) => { stage.tracingEnabled = booleanOf(value) },
}

function patchVariable(stage: StageRecord, op: string | undefined, name: string, value: string): void {
  const { [name]: _old, ...others } = stage.variables
  if (op === 'remove') { stage.variables = others; return }
  if (op !== 'add' && op !== 'replace') throw errors.BadRequestException("Invalid patch operation specified. Must be 'add'|'remove'|'replace'")
  const variables = { ...stage.variables, [name]: value }
  checkVariables(variables)
  stage.variables = variables
}

/** Observed: AWS, 25-02-2026, recorded by localstack's test_stage_access_log_settings_validation. */
function patchAccessLogs(stage: StageRecord, { op, value }: PatchOperation, member: string | undefined): void {
  if (member === undefined && op === 'remove') { stage.accessLogSettings = undefined; return }
  if (member !== 'destinationArn' && member !== 'format') {
    throw errors.BadRequestException('Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]')
  }
  const check = member === 'format' ? accessLogFormat : accessLogDestination
  stage.accessLogSettings = { ...stage.accessLogSettings, [member]: op === 'remove' || !value ? undefined : check(value) }
}

function removeMethodSettings(stage: StageRecord, path: string): void {
  const key = settingKey(path.split('/').slice(1))
  if (!Object.hasOwn(stage.methodSettings, key)) {
    // The space at the end is AWS's.
    throw errors.BadRequestException(`Cannot remove method setting ${path.slice(1)} because there is no method setting for this method `)
  }
  const { [key]: _removed, ...others } = stage.methodSettings
  stage.methodSettings = others
}

/** `/{resource path}/{method}/{group}/{setting}`; the resource path may be escaped (`~1pets~1{petId}`) or not. */
function patchMethodSetting(stage: StageRecord, path: string, value: string): void {
  const segments = path.split('/').slice(1)
  const name = segments.slice(-2).join('/')
  const change = Object.hasOwn(settings, name) ? settings[name] : undefined
  if (!change || segments.length < 4) throw errors.BadRequestException(`Invalid method setting path: ${path}. Must be one of: [${stagePaths}]`)
  const key = settingKey(segments.slice(0, -2))
  stage.methodSettings = { ...stage.methodSettings, [key]: { ...(stage.methodSettings[key] ?? defaultSetting), ...change(value) } }
}

const settingKey = (segments: string[]): string => segments.map(unescapeSegment).join('/').replace(/^\//, '')

/** Observed: AWS, 01-09-2023, recorded by localstack's test_create_update_stages. */
const defaultSetting: MethodSetting = {
  metricsEnabled: false,
  dataTraceEnabled: false,
  throttlingBurstLimit: 5_000,
  throttlingRateLimit: 10_000,
  cachingEnabled: false,
  cacheTtlInSeconds: 300,
  cacheDataEncrypted: false,
  requireAuthorizationForCacheControl: true,
  unauthorizedCacheControlHeaderStrategy: 'SUCCEED_WITH_RESPONSE_HEADER',
}

const settings: Readonly<Record<string, (value: string) => Partial<MethodSetting>>> = {
  'metrics/enabled': (value) => ({ metricsEnabled: booleanOf(value) }),
  'logging/dataTrace': (value) => ({ dataTraceEnabled: booleanOf(value) }),
  'logging/loglevel': (value) => ({ loggingLevel: oneOf(value.toUpperCase(), ['OFF', 'ERROR', 'INFO']) }),
  'throttling/burstLimit': (value) => ({ throttlingBurstLimit: Math.trunc(numberOf(value)) }),
  'throttling/rateLimit': (value) => ({ throttlingRateLimit: numberOf(value) }),
  'caching/enabled': (value) => ({ cachingEnabled: booleanOf(value) }),
  'caching/ttlInSeconds': (value) => ({ cacheTtlInSeconds: Math.trunc(numberOf(value)) }),
  'caching/dataEncrypted': (value) => ({ cacheDataEncrypted: booleanOf(value) }),
  'caching/requireAuthorizationForCacheControl': (value) => ({ requireAuthorizationForCacheControl: booleanOf(value) }),
  'caching/unauthorizedCacheControlHeaderStrategy': (value) => ({
    unauthorizedCacheControlHeaderStrategy: oneOf(value, ['FAIL_WITH_403', 'SUCCEED_WITH_RESPONSE_HEADER', 'SUCCEED_WITHOUT_RESPONSE_HEADER']),
  }),
}

/** Ours: the words. */
function oneOf<const Value extends string>(value: string, values: readonly Value[]): Value {
  if (!(values as readonly string[]).includes(value)) {
    throw errors.BadRequestException(`Invalid value ${value} specified. Must be one of: [${values.join(', ')}]`)
  }
  return value as Value
}

/** Ours: the words. */
function numberOf(value: string): number {
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number)) throw errors.BadRequestException(`Invalid value ${value} specified. Must be a number`)
  return number
}

/** AWS's own list, with its missing commas. Observed: AWS, 01-09-2023, recorded by localstack's test_create_update_stages. */
const stagePaths = ((method: string, all: string) => [
  '/deploymentId', '/description', '/cacheClusterEnabled', '/cacheClusterSize', '/clientCertificateId', '/accessLogSettings',
  '/accessLogSettings/destinationArn', '/accessLogSettings/format',
  `${method}/metrics/enabled`, `${method}/logging/dataTrace`, `${method}/logging/loglevel`,
  `${method}/throttling/burstLimit${method}/throttling/rateLimit${method}/caching/ttlInSeconds`,
  `${method}/caching/enabled`, `${method}/caching/dataEncrypted`, `${method}/caching/requireAuthorizationForCacheControl`,
  `${method}/caching/unauthorizedCacheControlHeaderStrategy`,
  `${all}/metrics/enabled`, `${all}/logging/dataTrace`, `${all}/logging/loglevel`,
  `${all}/throttling/burstLimit ${all}/throttling/rateLimit ${all}/caching/ttlInSeconds`,
  `${all}/caching/enabled`, `${all}/caching/dataEncrypted`, `${all}/caching/requireAuthorizationForCacheControl`,
  `${all}/caching/unauthorizedCacheControlHeaderStrategy`,
  '/variables/{variable_name}', '/tracingEnabled',
].join(', '))('/{resourcePath}/{httpMethod}', '/*/*')
