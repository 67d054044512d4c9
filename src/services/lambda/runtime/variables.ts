// The environment variables of an environment. Source: Lambda developer guide, "Defined runtime environment variables".

import type { SessionCredentials } from '#aws/identity.ts'
import type { FunctionRecord } from '../model.ts'
import type { LogSettings } from './platform-log.ts'

/** Names that a function's settings may not use. Source: the same page, reserved environment variables. */
export const RESERVED_VARIABLES: ReadonlySet<string> = new Set([
  '_HANDLER', '_X_AMZN_TRACE_ID', 'AWS_DEFAULT_REGION', 'AWS_REGION', 'AWS_EXECUTION_ENV', 'AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_VERSION', 'AWS_LAMBDA_INITIALIZATION_TYPE', 'AWS_LAMBDA_LOG_GROUP_NAME', 'AWS_LAMBDA_LOG_STREAM_NAME', 'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_LAMBDA_RUNTIME_API', 'LAMBDA_TASK_ROOT', 'LAMBDA_RUNTIME_DIR',
  'AWS_LAMBDA_MAX_CONCURRENCY', 'AWS_LAMBDA_METADATA_API', 'AWS_LAMBDA_METADATA_TOKEN',
])

export interface VariablesOptions {
  record: FunctionRecord
  /** The function's own, opened. */
  own: Readonly<Record<string, string>>
  credentials: SessionCredentials
  endpoint: string
  logStream: string
  taskRoot: string
  /** Where the layers lie. */
  optRoot: string
  /** Host and port of the Runtime API. */
  runtimeApi: string
  /** Where our bootstrap lies. */
  runtimeDirectory: string
  /** Of a managed runtime: `22.4.1`. */
  interpreterVersion: string | undefined
  scratchDirectory: string | undefined
  logs: LogSettings
  initializationType: 'on-demand' | 'provisioned-concurrency'
}

/**
 * Ours: a managed runtime speaks the Runtime API on a connection that it inherits; the address in `AWS_LAMBDA_RUNTIME_API` is for extensions
 * and runtimes that the function brings. The X-Ray daemon's address is on loopback, so that no tracing library sends anything off this machine.
 */
export function variablesOf(options: VariablesOptions): Record<string, string> {
  const { record, own, credentials, endpoint, logStream, taskRoot, optRoot, runtimeApi, runtimeDirectory, interpreterVersion, scratchDirectory, logs } = options
  const { settings, region, name } = record
  const isManaged = interpreterVersion !== undefined
  const libraries = [...(isManaged ? ['/var/lang/lib'] : []), '/lib64', '/usr/lib64', runtimeDirectory, `${runtimeDirectory}/lib`, taskRoot, `${taskRoot}/lib`, `${optRoot}/lib`]
  // Source: Lambda developer guide, "Packaging your layer content": the version of the runtime, whatever interpreter stands in for it.
  const nodeVersion = /^nodejs(\d+)/.exec(settings.runtime)?.[1]
  return {
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    // Observed: AWS, 18-02-2026, recorded by localstack's test_lambda_init_environment.
    SHLVL: '0',
    // On AWS the password file says so. Without it a library that looks for files at home would find none, or the server's own.
    HOME: '/home/sbx_user1051',
    PATH: `${isManaged ? '/var/lang/bin:' : ''}/usr/local/bin:/usr/bin/:/bin:${optRoot}/bin`,
    LD_LIBRARY_PATH: libraries.join(':'),
    ...(settings.runtime.startsWith('nodejs') ? { NODE_PATH: `${optRoot}/nodejs/node${nodeVersion}/node_modules:${optRoot}/nodejs/node_modules:${runtimeDirectory}/node_modules` } : {}),
    ...(settings.runtime.startsWith('python') ? { PYTHONPATH: runtimeDirectory } : {}),
    ...(scratchDirectory === undefined ? {} : { TMPDIR: scratchDirectory }),
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:2000',
    _AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1',
    _AWS_XRAY_DAEMON_PORT: '2000',
    // Calls of any AWS SDK end at this server. A function may say otherwise.
    AWS_ENDPOINT_URL: endpoint,
    ...own,
    _HANDLER: settings.handler,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    // Source: the same page: not for runtimes of the operating system alone.
    ...(isManaged ? { AWS_EXECUTION_ENV: `AWS_Lambda_${settings.runtime}` } : {}),
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: record.version,
    AWS_LAMBDA_INITIALIZATION_TYPE: options.initializationType,
    AWS_LAMBDA_LOG_GROUP_NAME: settings.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
    // Source: Lambda developer guide, "Advanced logging controls": how runtimes learn of them.
    // Observed: AWS, 18-02-2026, recorded by localstack's test_lambda_init_environment: not where logs are text.
    ...(logs.format === 'JSON' ? { AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: logs.applicationLevel } : {}),
    LAMBDA_TASK_ROOT: taskRoot,
    LAMBDA_RUNTIME_DIR: runtimeDirectory,
  }
}

/** `2025/11/24/[$LATEST]` and 32 hexadecimal digits. */
export function logStreamName(nowMs: number, version: string, digits: string): string {
  return `${new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '/')}/[${version}]${digits}`
}
