// What an HTTP API or a WebSocket API is: its records as they are stored and deployed. Members are named as API Gateway names them.

/** An API as it stands now: what the control plane edits and what a deployment freezes. */
export interface V2Api {
  id: string
  accountId: string
  region: string
  createdAtMs: number
  settings: ApiSettings
  design: ApiDesign
}

/** What belongs to the API as a whole. Source: API Gateway v2 API reference, Api. */
export interface ApiSettings {
  name: string
  protocolType: 'HTTP' | 'WEBSOCKET'
  /** `$request.method $request.path` for HTTP APIs; for WebSocket APIs an expression on the message, `$request.body.action`. */
  routeSelectionExpression: string
  /** Of WebSocket APIs: `$request.header.x-api-key` or `$context.authorizer.usageIdentifierKey`. */
  apiKeySelectionExpression: string
  description?: string | undefined
  version?: string | undefined
  corsConfiguration?: Cors | undefined
  disableExecuteApiEndpoint: boolean
  disableSchemaValidation?: boolean | undefined
  ipAddressType: 'ipv4' | 'dualstack'
  tags?: Record<string, string> | undefined
}

/** Members that are absent were not set. */
export interface Cors {
  allowCredentials?: boolean | undefined
  allowHeaders?: string[] | undefined
  allowMethods?: string[] | undefined
  allowOrigins?: string[] | undefined
  exposeHeaders?: string[] | undefined
  /** Seconds. */
  maxAge?: number | undefined
}

/** Everything below an API that a deployment freezes, by id (models too). */
export interface ApiDesign {
  routes: Record<string, Route>
  integrations: Record<string, Integration>
  authorizers: Record<string, Authorizer>
  models: Record<string, Model>
}

export interface Route {
  routeId: string
  /** `GET /pets/{id}`, `ANY /{proxy+}`, `$default`; of WebSocket APIs `$connect`, `$disconnect`, `$default` or a value of the selection expression. */
  routeKey: string
  authorizationType: 'NONE' | 'AWS_IAM' | 'JWT' | 'CUSTOM'
  authorizerId?: string | undefined
  authorizationScopes?: string[] | undefined
  apiKeyRequired: boolean
  /** `integrations/{id}`. */
  target?: string | undefined
  operationName?: string | undefined
  modelSelectionExpression?: string | undefined
  /** By selection: the model's name. */
  requestModels?: Record<string, string> | undefined
  requestParameters?: Record<string, { required?: boolean | undefined }> | undefined
  routeResponseSelectionExpression?: string | undefined
  apiGatewayManaged?: boolean | undefined
  /** By id. Of WebSocket APIs. */
  routeResponses: Record<string, RouteResponse>
}

export interface RouteResponse {
  routeResponseId: string
  routeResponseKey: string
  modelSelectionExpression?: string | undefined
  responseModels?: Record<string, string> | undefined
  responseParameters?: Record<string, { required?: boolean | undefined }> | undefined
}

export interface Integration {
  integrationId: string
  /** HTTP APIs: `AWS_PROXY` and `HTTP_PROXY` only. */
  integrationType: 'AWS' | 'AWS_PROXY' | 'HTTP' | 'HTTP_PROXY' | 'MOCK'
  /** Of `AWS_PROXY` with something else than a function: `EventBridge-PutEvents`, … */
  integrationSubtype?: string | undefined
  integrationMethod?: string | undefined
  /** A function's ARN or its invocation URI; the backend's URL. */
  integrationUri?: string | undefined
  connectionType: 'INTERNET' | 'VPC_LINK'
  connectionId?: string | undefined
  credentialsArn?: string | undefined
  description?: string | undefined
  payloadFormatVersion: '1.0' | '2.0'
  contentHandlingStrategy?: 'CONVERT_TO_BINARY' | 'CONVERT_TO_TEXT' | undefined
  passthroughBehavior?: 'WHEN_NO_MATCH' | 'WHEN_NO_TEMPLATES' | 'NEVER' | undefined
  /** HTTP APIs: `overwrite:header.name` → value with `$request.…`; WebSocket APIs as REST APIs: `integration.request.header.name`. */
  requestParameters?: Record<string, string> | undefined
  requestTemplates?: Record<string, string> | undefined
  templateSelectionExpression?: string | undefined
  /** By status code: `overwrite:header.name`, `overwrite:statuscode` → value. HTTP APIs. */
  responseParameters?: Record<string, Record<string, string>> | undefined
  integrationResponseSelectionExpression?: string | undefined
  timeoutInMillis: number
  tlsConfig?: { serverNameToVerify?: string | undefined } | undefined
  apiGatewayManaged?: boolean | undefined
  /** By id. Of WebSocket APIs. */
  integrationResponses: Record<string, IntegrationResponse>
}

export interface IntegrationResponse {
  integrationResponseId: string
  integrationResponseKey: string
  contentHandlingStrategy?: 'CONVERT_TO_BINARY' | 'CONVERT_TO_TEXT' | undefined
  responseParameters?: Record<string, string> | undefined
  responseTemplates?: Record<string, string> | undefined
  templateSelectionExpression?: string | undefined
}

export interface Authorizer {
  authorizerId: string
  name: string
  authorizerType: 'REQUEST' | 'JWT'
  authorizerUri?: string | undefined
  authorizerCredentialsArn?: string | undefined
  authorizerPayloadFormatVersion?: '1.0' | '2.0' | undefined
  enableSimpleResponses?: boolean | undefined
  /** Seconds. */
  authorizerResultTtlInSeconds?: number | undefined
  /** `$request.header.Authorization`, `$context.routeKey`; of WebSocket APIs `route.request.header.Auth`. */
  identitySource: string[]
  identityValidationExpression?: string | undefined
  jwtConfiguration?: { audience?: string[] | undefined, issuer?: string | undefined } | undefined
}

export interface Model {
  modelId: string
  name: string
  contentType?: string | undefined
  description?: string | undefined
  schema: string
}

export interface Deployment {
  deploymentId: string
  apiId: string
  createdAtMs: number
  description?: string | undefined
  autoDeployed: boolean
  status: 'DEPLOYED'
}

/** A named address of a deployment, with its settings. */
export interface StageRecord {
  stageName: string
  apiId: string
  /** Absent until something is deployed to it. */
  deploymentId?: string | undefined
  description?: string | undefined
  autoDeploy: boolean
  stageVariables: Record<string, string>
  defaultRouteSettings: RouteSettings
  /** By route key. */
  routeSettings: Record<string, RouteSettings>
  accessLogSettings?: { destinationArn?: string | undefined, format?: string | undefined } | undefined
  clientCertificateId?: string | undefined
  lastDeploymentStatusMessage?: string | undefined
  apiGatewayManaged?: boolean | undefined
  /** How often its authorizers' results were thrown away; whoever keeps results forgets them when it changes. */
  authorizerFlushes?: number | undefined
  tags: Record<string, string>
  createdAtMs: number
  lastUpdatedAtMs: number
}

export interface RouteSettings {
  detailedMetricsEnabled?: boolean | undefined
  /** Of WebSocket APIs. */
  dataTraceEnabled?: boolean | undefined
  loggingLevel?: 'ERROR' | 'INFO' | 'OFF' | undefined
  /** Requests. */
  throttlingBurstLimit?: number | undefined
  /** Requests a second. */
  throttlingRateLimit?: number | undefined
}

/** A name of one's own that leads to stages of APIs. Its key among all accounts is the name. */
export interface DomainRecord {
  domainName: string
  accountId: string
  region: string
  /** `d-…`: AWS's name for the endpoint behind it. */
  endpointId: string
  certificateArn?: string | undefined
  certificateName?: string | undefined
  ownershipVerificationCertificateArn?: string | undefined
  securityPolicy: string
  ipAddressType: 'ipv4' | 'dualstack'
  tags: Record<string, string>
}

/** Where requests to a domain go whose path begins with a key. */
export interface MappingRecord {
  apiMappingId: string
  domainName: string
  /** Without slashes at its ends; empty when the domain itself is mapped. */
  mappingKey: string
  apiId: string
  stage: string
}
