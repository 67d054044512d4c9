// Every limit of the control plane, by name and with its unit.

/** Source: API Gateway quotas, "APIs per Region" (HTTP and WebSocket APIs). */
export const APIS_PER_REGION_MAX = 600

/** Source: API Gateway quotas for HTTP and WebSocket APIs, "Routes per API". */
export const ROUTES_PER_API_MAX = 300

/** Source: API Gateway quotas for HTTP and WebSocket APIs, "Integrations per API". */
export const INTEGRATIONS_PER_API_MAX = 300

/** Source: API Gateway quotas for HTTP and WebSocket APIs, "AWS Lambda authorizers per API". */
export const AUTHORIZERS_PER_API_MAX = 10

/** Ours: AWS publishes no quota for models of WebSocket APIs. */
export const MODELS_PER_API_MAX = 300

/** Of a route or of an integration. Ours: AWS publishes no quota. */
export const RESPONSES_MAX = 100

/** Source: API Gateway quotas for HTTP and WebSocket APIs, "Stages per API". */
export const STAGES_PER_API_MAX = 10

/** Snapshots are kept whole, so their number is bounded. Ours: AWS does not publish a quota that it enforces. */
export const DEPLOYMENTS_PER_API_MAX = 1_000

/** Deployments that auto-deploy made and no stage points at any more. Older ones are deleted. Ours. */
export const AUTO_DEPLOYMENTS_KEPT_MAX = 20

/** Source: API Gateway quotas, "Public custom domain names per account per Region" and "API mappings per domain". */
export const DOMAINS_PER_REGION_MAX = 120
export const MAPPINGS_PER_DOMAIN_MAX = 200

/** Milliseconds. Source: API Gateway quotas, "Integration timeout": HTTP APIs and WebSocket APIs. */
export const INTEGRATION_TIMEOUT_MS_MIN = 50
export const HTTP_INTEGRATION_TIMEOUT_MS_MAX = 30_000
export const WEBSOCKET_INTEGRATION_TIMEOUT_MS_MAX = 29_000

/** Items of one page. Ours: AWS names no figure for `MaxResults`. */
export const PAGE_ITEMS_DEFAULT = 25
export const PAGE_ITEMS_MAX = 500

/** Source: API Gateway developer guide, "Tagging your API Gateway resources", restrictions. */
export const TAGS_PER_RESOURCE_MAX = 50

/** Attempts to store an edit while other calls edit the same API. Ours. */
export const EDIT_ATTEMPTS_MAX = 40

/** Bytes of a definition to import. Source: API Gateway quotas, "OpenAPI file size" (6 MB). */
export const DEFINITION_BYTES_MAX = 6 * 1024 * 1024

/** Bytes of any request's body: a definition travels as a text in JSON, with every quotation mark escaped. Ours. */
export const REQUEST_BODY_BYTES_MAX = 16 * 1024 * 1024
