// Every limit of the control plane, by name and with its unit.

/** Bytes of a definition to import. Source: API Gateway API reference, ImportRestApi, `body` (6 MB); Ours: 10 MB, the size of a payload. */
export const IMPORT_BODY_BYTES_MAX = 10 * 1024 * 1024

/** Source: API Gateway quotas for REST APIs, "Resources per API". */
export const RESOURCES_PER_API_MAX = 300

/** Source: API Gateway quotas for REST APIs, "Stages per API". */
export const STAGES_PER_API_MAX = 10

/** Source: API Gateway quotas for REST APIs, "Regional APIs per Region". */
export const APIS_PER_REGION_MAX = 600

/** Snapshots are kept whole, so their number is bounded. Ours: AWS does not publish a quota that it enforces. */
export const DEPLOYMENTS_PER_API_MAX = 1_000

/** Source: API Gateway quotas for REST APIs, "Stage variables per stage". */
export const VARIABLES_PER_STAGE_MAX = 100

/** Characters. Source: API Gateway quotas for REST APIs, "Length of the key in a stage variable" and "… of the value …". */
export const VARIABLE_NAME_CHARACTERS_MAX = 64
export const VARIABLE_VALUE_CHARACTERS_MAX = 512

/** Characters. Source: API Gateway API reference, CreateStage, `stageName`. */
export const STAGE_NAME_CHARACTERS_MAX = 128

/** Characters. Source: API Gateway quotas for REST APIs, "Length of API Gateway resource policy". */
export const POLICY_CHARACTERS_MAX = 8_192

/** Bytes. Source: API Gateway quotas for REST APIs, "Mapping template size" (300 KB). */
export const TEMPLATE_BYTES_MAX = 300 * 1024

/** Bytes. Source: API Gateway quotas for REST APIs, "Access log template size" (3 KB). */
export const ACCESS_LOG_FORMAT_BYTES_MAX = 3 * 1024

/** Bytes. Source: API Gateway quotas for REST APIs, "Model size" (400 KB). */
export const MODEL_BYTES_MAX = 400 * 1024

/** Milliseconds. Source: API Gateway quotas for REST APIs, "Integration timeout". */
export const INTEGRATION_TIMEOUT_MS_MIN = 50
export const INTEGRATION_TIMEOUT_MS_MAX = 29_000

/** Bytes. Source: API Gateway API reference, CreateRestApi, `minimumCompressionSize`. */
export const MINIMUM_COMPRESSION_SIZE_BYTES_MAX = 10_485_760

/** Source: API Gateway quotas for REST APIs, "Custom authorizers per API". */
export const AUTHORIZERS_PER_API_MAX = 10

/** Seconds. Source: API Gateway API reference, CreateAuthorizer, `authorizerResultTtlInSeconds`. */
export const AUTHORIZER_RESULT_TTL_SECONDS_MAX = 3_600
export const AUTHORIZER_RESULT_TTL_SECONDS_DEFAULT = 300

/** Source: API Gateway quotas for REST APIs, "Documentation parts per API". */
export const DOCUMENTATION_PARTS_PER_API_MAX = 2_000

/** Items of one page. Source: API Gateway API reference, GetResources, `limit`. */
export const PAGE_ITEMS_DEFAULT = 25
export const PAGE_ITEMS_MAX = 500

/** Source: API Gateway developer guide, "Tagging your API Gateway resources", restrictions. */
export const TAGS_PER_RESOURCE_MAX = 50

/** Attempts to store an edit while other calls edit the same API. Ours. */
export const EDIT_ATTEMPTS_MAX = 40

/** Source: API Gateway quotas for REST APIs, "API keys per account per Region". */
export const API_KEYS_PER_REGION_MAX = 10_000

/** Source: API Gateway quotas for REST APIs, "Usage plans per account per Region". */
export const USAGE_PLANS_PER_REGION_MAX = 300

/** Source: API Gateway quotas for REST APIs, "Usage plans per API key". */
export const USAGE_PLANS_PER_KEY_MAX = 10

/** Stages of one plan. Ours: AWS names no figure. */
export const STAGES_PER_PLAN_MAX = 300

/** Characters. Source: API Gateway developer guide, "API Gateway API key file format". */
export const API_KEY_VALUE_CHARACTERS_MIN = 20
export const API_KEY_VALUE_CHARACTERS_MAX = 128
export const API_KEY_NAME_CHARACTERS_MAX = 1_024

/** Days of usage that are kept, and that one answer of GetUsage tells. Ours. */
export const USAGE_DAYS_MAX = 366

/** Requests a second of an account's APIs in a region, and at once. Source: API Gateway quotas, "Throttle quota per account, per Region". */
export const ACCOUNT_RATE_LIMIT = 10_000
export const ACCOUNT_BURST_LIMIT = 5_000
