// What a REST API is: its records as they are stored and deployed. Members are named as API Gateway names them.

/** A REST API as it stands now: what the control plane edits and what a deployment freezes. */
export interface RestApi {
  id: string
  accountId: string
  region: string
  createdAtMs: number
  settings: ApiSettings
  design: ApiDesign
}

/** What belongs to the API as a whole. */
export interface ApiSettings {
  name: string
  description?: string | undefined
  version?: string | undefined
  binaryMediaTypes?: string[] | undefined
  /** Bytes; absent means that nothing is compressed. */
  minimumCompressionSize?: number | undefined
  apiKeySource: 'HEADER' | 'AUTHORIZER'
  endpointConfiguration: EndpointConfiguration
  /** The resource policy as JSON text. */
  policy?: string | undefined
  disableExecuteApiEndpoint: boolean
  securityPolicy?: string | undefined
  tags?: Record<string, string> | undefined
}

export interface EndpointConfiguration {
  types: ('REGIONAL' | 'EDGE' | 'PRIVATE')[]
  ipAddressType: 'ipv4' | 'dualstack'
  vpcEndpointIds?: string[] | undefined
}

/** Everything below an API that a deployment freezes, by id or name. */
export interface ApiDesign {
  rootResourceId: string
  resources: Record<string, Resource>
  models: Record<string, Model>
  requestValidators: Record<string, RequestValidator>
  authorizers: Record<string, Authorizer>
  /** Only those that were put; the others have their defaults. By response type. */
  gatewayResponses: Record<string, GatewayResponse>
  /** By id. No deployment freezes them. */
  documentationParts?: Record<string, DocumentationPart> | undefined
}

export interface DocumentationPart {
  id: string
  location: DocumentationLocation
  /** A JSON object as text. */
  properties: string
}

/** What a part is about; an absent member is every path, method or status. */
export interface DocumentationLocation {
  type: string
  path?: string | undefined
  method?: string | undefined
  statusCode?: string | undefined
  name?: string | undefined
}

export interface Resource {
  id: string
  /** Absent on the root. */
  parentId?: string | undefined
  /** Absent on the root. */
  pathPart?: string | undefined
  /** The full path: `/`, `/pets/{petId}`, `/{proxy+}`. */
  path: string
  /** By HTTP method, upper case, or `ANY`. */
  methods: Record<string, Method>
}

export interface Method {
  httpMethod: string
  authorizationType: 'NONE' | 'AWS_IAM' | 'CUSTOM' | 'COGNITO_USER_POOLS'
  authorizerId?: string | undefined
  authorizationScopes?: string[] | undefined
  apiKeyRequired: boolean
  operationName?: string | undefined
  requestValidatorId?: string | undefined
  /** `method.request.{path,querystring,header}.name` → whether it is required. */
  requestParameters?: Record<string, boolean> | undefined
  /** Content type → model name. */
  requestModels?: Record<string, string> | undefined
  /** By status code. */
  methodResponses?: Record<string, MethodResponse> | undefined
  methodIntegration?: Integration | undefined
}

export interface MethodResponse {
  statusCode: string
  /** `method.response.header.name` → false: AWS stores the boolean and gives it no meaning. */
  responseParameters?: Record<string, boolean> | undefined
  /** Content type → model name. */
  responseModels?: Record<string, string> | undefined
}

export type IntegrationType = 'AWS' | 'AWS_PROXY' | 'HTTP' | 'HTTP_PROXY' | 'MOCK'
export type PassthroughBehavior = 'WHEN_NO_MATCH' | 'WHEN_NO_TEMPLATES' | 'NEVER'
export type ContentHandling = 'CONVERT_TO_BINARY' | 'CONVERT_TO_TEXT'

export interface Integration {
  type: IntegrationType
  /** The method with which the backend is called (`POST` for functions). Absent on `MOCK`. */
  httpMethod?: string | undefined
  uri?: string | undefined
  connectionType?: 'INTERNET' | 'VPC_LINK' | undefined
  connectionId?: string | undefined
  /** A role's ARN, or `arn:aws:iam::*:user/*` for the caller's own identity. */
  credentials?: string | undefined
  /** `integration.request.{path,querystring,header}.name` → where the value comes from. */
  requestParameters?: Record<string, string> | undefined
  /** Content type → Velocity template. An empty one passes the body on as it is; AWS shows it as null. */
  requestTemplates?: Record<string, string> | undefined
  passthroughBehavior: PassthroughBehavior
  contentHandling?: ContentHandling | undefined
  timeoutInMillis: number
  cacheNamespace: string
  cacheKeyParameters: string[]
  tlsConfig?: { insecureSkipVerification?: boolean | undefined } | undefined
  responseTransferMode?: 'BUFFERED' | 'STREAM' | undefined
  /** By status code. */
  integrationResponses?: Record<string, IntegrationResponse> | undefined
}

export interface IntegrationResponse {
  statusCode: string
  /** A regular expression over the function's error message or the backend's status; absent or empty on the default response. */
  selectionPattern?: string | undefined
  /** `method.response.header.name` → where the value comes from. */
  responseParameters?: Record<string, string> | undefined
  /** Content type → Velocity template. An empty one passes the body on as it is; AWS shows it as null. */
  responseTemplates?: Record<string, string> | undefined
  contentHandling?: ContentHandling | undefined
}

export interface Model {
  id: string
  name: string
  description?: string | undefined
  contentType: string
  /** JSON Schema draft 4 as JSON text; `$ref` to another model is `https://apigateway.amazonaws.com/restapis/{id}/models/{name}`. */
  schema?: string | undefined
}

export interface RequestValidator {
  id: string
  name: string
  validateRequestBody: boolean
  validateRequestParameters: boolean
}

export interface Authorizer {
  id: string
  name: string
  type: 'TOKEN' | 'REQUEST' | 'COGNITO_USER_POOLS'
  /** ARNs of user pools, for `COGNITO_USER_POOLS`. */
  providerARNs?: string[] | undefined
  /** A note for definitions, without effect: `custom`, `cognito_user_pools`, `oauth2`. */
  authType: string
  /** Of a function, as integrations have it, for `TOKEN` and `REQUEST`. */
  authorizerUri?: string | undefined
  /** The role that API Gateway takes on to invoke the function; without one the function's own policy must let it. */
  authorizerCredentials?: string | undefined
  /** `method.request.header.Authorization`; for `REQUEST` several, separated by commas. */
  identitySource?: string | undefined
  /** A Java pattern that a token must match as a whole. */
  identityValidationExpression?: string | undefined
  /** Absent means AUTHORIZER_RESULT_TTL_SECONDS_DEFAULT; 0 keeps no result. */
  authorizerResultTtlInSeconds?: number | undefined
}

export interface GatewayResponse {
  responseType: string
  statusCode?: string | undefined
  /** `gatewayresponse.header.name` → where the value comes from. */
  responseParameters: Record<string, string>
  /** Content type → template with `$context` variables. */
  responseTemplates: Record<string, string>
}

/** A frozen design with what belongs to it. The snapshot is kept apart: lists of deployments do not need it. */
export interface Deployment {
  id: string
  apiId: string
  createdAtMs: number
  description?: string | undefined
}

/** A named address of a deployment, with its settings. The data plane reads it with every change at once. */
export interface StageRecord {
  stageName: string
  apiId: string
  deploymentId: string
  description?: string | undefined
  variables: Record<string, string>
  /**
   * Key `*` + `/*` for all methods, else the resource's path without its first slash, a slash, and the HTTP method: `pets/{petId}/GET`.
   * Observed: AWS, 01-09-2023, recorded by localstack's test_create_update_stages (the keys of one level).
   */
  methodSettings: Record<string, MethodSetting>
  accessLogSettings?: { destinationArn?: string | undefined, format?: string | undefined } | undefined
  tracingEnabled: boolean
  cacheClusterEnabled: boolean
  cacheClusterSize?: string | undefined
  clientCertificateId?: string | undefined
  documentationVersion?: string | undefined
  /** How often the results that the stage keeps of authorizers were dropped. */
  authorizerFlushes?: number | undefined
  tags: Record<string, string>
  createdAtMs: number
  lastUpdatedAtMs: number
}

export interface MethodSetting {
  metricsEnabled: boolean
  /** Absent until it is set; then `OFF` says it was switched off. */
  loggingLevel?: 'OFF' | 'ERROR' | 'INFO' | undefined
  dataTraceEnabled: boolean
  /** Requests. */
  throttlingBurstLimit: number
  /** Requests a second. */
  throttlingRateLimit: number
  cachingEnabled: boolean
  cacheTtlInSeconds: number
  cacheDataEncrypted: boolean
  requireAuthorizationForCacheControl: boolean
  unauthorizedCacheControlHeaderStrategy: 'FAIL_WITH_403' | 'SUCCEED_WITH_RESPONSE_HEADER' | 'SUCCEED_WITHOUT_RESPONSE_HEADER'
}
