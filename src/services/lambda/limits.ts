// Lambda's quotas. Source unless said otherwise: Lambda developer guide, "Lambda quotas".

/** Source: LocalStack's provider, whose tests compare it with AWS: a CreateFunction request as a whole. */
export const REQUEST_BYTES_MAX = 70_167_211
export const ZIPPED_BYTES_MAX = 52_428_800
export const UNZIPPED_BYTES_MAX = 262_144_000
/** Ours: an archive of nothing but names is bounded as well. */
export const ZIP_ENTRIES_MAX = 100_000

export const INVOKE_PAYLOAD_BYTES_MAX = 6_291_456
/** Observed: AWS, 24-11-2025, recorded by localstack's test_lambda_too_large_response: a hundred bytes more than a request. */
export const INVOKE_RESPONSE_BYTES_MAX = 6_291_556

export const ENVIRONMENT_BYTES_MAX = 4_096
export const TIMEOUT_SECONDS_MAX = 900
export const MEMORY_MB_MAX = 10_240
export const RESOURCE_POLICY_BYTES_MAX = 20_480
export const TAGS_MAX = 50
export const FUNCTION_NAME_CHARACTERS_MAX = 64

/** Source: Lambda API reference, ListFunctions: up to 50 items a page, whatever MaxItems says. */
export const FUNCTIONS_PER_PAGE_MAX = 50
/** Source: Lambda API reference, ListVersionsByFunction: up to 50 items a page. */
export const VERSIONS_PER_PAGE_MAX = 50
/** Ours: the reference gives no number; as for versions. */
export const ALIASES_PER_PAGE_MAX = 50
/** Source: Lambda API reference, ListFunctionUrlConfigs, ListLayers and ListLayerVersions: up to 50 items a page. */
export const URLS_PER_PAGE_MAX = 50
export const LAYERS_PER_PAGE_MAX = 50
/** Source: Lambda quotas: layers of a function. */
export const LAYERS_PER_FUNCTION_MAX = 5
/** Source: Lambda API reference, LayerVersionArn. */
export const LAYER_ARN_CHARACTERS_MAX = 140
/** Source: Lambda developer guide, "Working with aliases": an alias points to two versions at most. */
export const ADDITIONAL_VERSIONS_MAX = 1
/** Source: Lambda quotas: storage for functions and layers in a region, 75 GB. */
export const TOTAL_CODE_BYTES_MAX = 80_530_636_800
/** Source: published addresses of functions: 32 lower-case letters and digits. */
export const URL_ID_CHARACTERS = 32

/** Source: Lambda developer guide, "Lambda execution environment", init phase. */
export const INIT_MS_MAX = 10_000

/** Source: Lambda API reference, Invoke, LogType: the last 4 KB. */
export const LOG_TAIL_BYTES = 4_096
/** Source: CloudWatch Logs quotas, event size; longer output becomes several events. */
export const LOG_EVENT_BYTES_MAX = 256 * 1024

/** Source: Lambda quotas: file descriptors, processes and threads of an execution environment. */
export const FILE_DESCRIPTORS_MAX = 1_024
export const PROCESSES_MAX = 1_024

/** Ours: environments of all functions together; the machine, not the account's quota of 1,000, is the limit. */
export const ENVIRONMENTS_MAX = 100
/** Ours: calls that wait for an environment of one function; more are refused with 429. */
export const WAITING_CALLS_MAX = 1_000
/** Ours: how long a call waits when there are as many environments as may be; then it is refused with 429. */
export const WAITING_MS_MAX = 30_000
/** Ours: environments that may be starting at once, over all functions. */
export const STARTS_AT_ONCE_MAX = 4
/** Ours: AWS keeps an idle environment for some minutes and does not say how long. */
export const IDLE_MS_MAX = 5 * 60_000
/** Ours: unpacked archives kept without an environment that uses them. */
export const UNPACKED_ARCHIVES_MAX = 100
/** Lifetime of a `Code.Location`. Source: Lambda API reference, FunctionCodeLocation: a presigned URL of ten minutes. */
export const DOWNLOAD_MS_MAX = 10 * 60_000
/** Lifetime of an environment's credentials; the environment is replaced before they expire. */
export const CREDENTIALS_SECONDS = 3_600

/** Source: Lambda developer guide, "Response streaming for Lambda functions", quotas: 200 MB. */
export const STREAMED_RESPONSE_BYTES_MAX = 209_715_200
/** Ours: the JSON in front of a streamed HTTP answer, which is status, headers and cookies. */
export const STREAM_PRELUDE_BYTES_MAX = 64 * 1024
/** Source: Lambda quotas: extensions of an execution environment. */
export const EXTENSIONS_MAX = 10
/** Source: Lambda developer guide, "Lambda execution environment", shutdown phase. */
export const SHUTDOWN_INTERNAL_MS = 500
export const SHUTDOWN_EXTERNAL_MS = 2_000
/** Ours: telemetry that waits for one extension; what comes beyond it is dropped, and the extension is told. */
export const TELEMETRY_QUEUE_BYTES_MAX = 4 * 1_048_576
/** Ours: connections to the address of one environment. */
export const RUNTIME_API_CONNECTIONS_MAX = 256

/** Source: Lambda quotas: concurrent executions of an account in a region, and what of them cannot be reserved. */
export const ACCOUNT_EXECUTIONS_MAX = 1_000
export const UNRESERVED_EXECUTIONS_MIN = 100
/** Ours: bytes of all events together that wait for an environment in memory; more are refused with 429. */
export const WAITING_BYTES_MAX = 256 * 1_048_576
/** Ours: how long after an environment that was to be kept ready could not start the next one is tried. */
export const PROVISION_PAUSE_MS = 60_000

/** Source: Lambda quotas: the payload of an asynchronous invocation, 1 MB. */
export const EVENT_PAYLOAD_BYTES_MAX = 1_048_576
/** Source: Lambda API reference, ListFunctionEventInvokeConfigs: up to 50 items a page. */
export const EVENT_INVOKE_CONFIGS_PER_PAGE_MAX = 50
/** Ours: events of one function that wait in the store; more are refused with 429. */
export const EVENTS_WAITING_MAX = 100_000
/** Ours: events that one process runs at once, of all functions. */
export const EVENTS_AT_ONCE_MAX = 50
/** Ours: a process that does not say in time that it still runs an event loses it to another. */
export const EVENT_LEASE_MS = 30_000
/** Ours: how often the store is asked for events that other processes took or that are due again. */
export const EVENT_POLL_MS = 500
/** Ours: how long events that were given up stay listed, and how many of them at most. */
export const GIVEN_UP_EVENTS_MS_MAX = 14 * 24 * 3_600_000
export const GIVEN_UP_EVENTS_MAX = 100_000
/** Ours: functions with measurements of their own; the others are measured together. */
export const FUNCTIONS_MEASURED_MAX = 1_000
