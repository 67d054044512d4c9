// What the gateway itself answers: one table of response types, and how a type becomes an answer.

import type { GatewayResponse } from '#services/apigateway/index.ts'
import type { HttpResponse } from '#lib/http.ts'

export type GatewayResponseType = keyof typeof gatewayResponseTypes

/**
 * Every type with its default status and the `x-amzn-ErrorType` that goes with it.
 *
 * Source: API Gateway developer guide, "Gateway response types"; for the error types localstack's gateway responses, of which those of
 * missing authentication, bad requests, API keys, throttling, quota and timeouts are noted as seen on AWS.
 */
export const gatewayResponseTypes = {
  ACCESS_DENIED: { status: 403, errorType: 'AccessDeniedException' },
  API_CONFIGURATION_ERROR: { status: 500, errorType: 'InternalServerErrorException' },
  AUTHORIZER_CONFIGURATION_ERROR: { status: 500, errorType: 'AuthorizerConfigurationException' },
  AUTHORIZER_FAILURE: { status: 500, errorType: 'AuthorizerFailureException' },
  BAD_REQUEST_BODY: { status: 400, errorType: 'BadRequestException' },
  BAD_REQUEST_PARAMETERS: { status: 400, errorType: 'BadRequestException' },
  DEFAULT_4XX: { status: 400, errorType: 'BadRequestException' },
  DEFAULT_5XX: { status: 500, errorType: 'InternalServerErrorException' },
  EXPIRED_TOKEN: { status: 403, errorType: 'ExpiredTokenException' },
  INTEGRATION_FAILURE: { status: 504, errorType: 'InternalServerErrorException' },
  INTEGRATION_TIMEOUT: { status: 504, errorType: 'InternalServerErrorException' },
  INVALID_API_KEY: { status: 403, errorType: 'ForbiddenException' },
  INVALID_SIGNATURE: { status: 403, errorType: 'InvalidSignatureException' },
  MISSING_AUTHENTICATION_TOKEN: { status: 403, errorType: 'MissingAuthenticationTokenException' },
  QUOTA_EXCEEDED: { status: 429, errorType: 'LimitExceededException' },
  REQUEST_TOO_LARGE: { status: 413, errorType: 'RequestTooLargeException' },
  RESOURCE_NOT_FOUND: { status: 404, errorType: 'ResourceNotFoundException' },
  THROTTLED: { status: 429, errorType: 'TooManyRequestsException' },
  UNAUTHORIZED: { status: 401, errorType: 'UnauthorizedException' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, errorType: 'BadRequestException' },
  WAF_FILTERED: { status: 403, errorType: 'ForbiddenException' },
} as const satisfies Record<string, { status: number, errorType: string }>

/** Thrown by a step: the gateway answers instead of the integration. */
export class GatewayRefusal extends Error {
  readonly type: GatewayResponseType
  readonly errorType: string
  /** Where the same type has several: an unparsable signature is no `InvalidSignatureException`. */
  readonly status: number
  /** The line that AWS writes into the execution log. */
  readonly logLine: string | undefined
  readonly validationErrors: string | undefined
  /** What clients read as the message: nothing of a failed authorizer. */
  readonly shownMessage: string | null

  constructor(type: GatewayResponseType, message: string, { errorType, status, logLine, validationErrors }: RefusalDetails = {}) {
    super(message)
    this.name = 'GatewayRefusal'
    this.type = type
    this.errorType = errorType ?? gatewayResponseTypes[type].errorType
    this.status = status ?? gatewayResponseTypes[type].status
    this.logLine = logLine
    this.validationErrors = validationErrors
    // Source: aws/aws-lambda-go issue 81 and many others: `{"message":null}`.
    this.shownMessage = type === 'AUTHORIZER_FAILURE' || type === 'AUTHORIZER_CONFIGURATION_ERROR' ? null : message
  }
}

interface RefusalDetails {
  errorType?: string
  status?: number
  logLine?: string
  validationErrors?: string | undefined
}

/** What clients see of any failure of configuration or of ours. */
export const INTERNAL_SERVER_ERROR = 'Internal server error'

/** A refusal because of how the API is set up: 500, with the reason only in the log. */
export function configurationError(reason: string): GatewayRefusal {
  return new GatewayRefusal('API_CONFIGURATION_ERROR', INTERNAL_SERVER_ERROR, { logLine: `Execution failed due to configuration error: ${reason}` })
}

/** Source: developer guide, "Gateway response types", INTEGRATION_TIMEOUT; public reports for sentence and log line. */
export function endpointTimedOut(): GatewayRefusal {
  return new GatewayRefusal('INTEGRATION_TIMEOUT', 'Endpoint request timed out', { logLine: 'Execution failed due to a timeout error' })
}

/** What a gateway response's templates and headers may name. */
export interface RefusalScope {
  /** Looks up `context.error.message`, `stageVariables.x`, `method.request.header.x`, …; undefined prints nothing. */
  lookup: (name: string) => string | undefined
}

/**
 * A refusal as it is answered: by the response put for its type, else by the one put for all 4XX or 5XX, else by the default.
 * Source: developer guide, "Gateway responses in API Gateway".
 */
export function renderRefusal(
  refusal: GatewayRefusal,
  responses: Readonly<Record<string, GatewayResponse>>,
  { lookup }: RefusalScope,
): HttpResponse {
  const fallback = refusal.status >= 500 ? 'DEFAULT_5XX' : 'DEFAULT_4XX'
  const custom = responses[refusal.type] ?? responses[fallback]
  const headers: Record<string, string> = { 'Content-Type': 'application/json' }
  if (custom === undefined) return { status: refusal.status, headers, body: defaultBody(refusal) }
  const [contentType, template] = templateOf(custom)
  headers['Content-Type'] = contentType
  for (const [target, source] of Object.entries(custom.responseParameters)) {
    const name = /^gatewayresponse\.header\.(.+)$/.exec(target)?.[1]
    const value = source.startsWith("'") && source.endsWith("'") ? source.slice(1, -1) : lookup(source)
    if (name !== undefined && value !== undefined) headers[name] = value
  }
  return { status: custom.statusCode === undefined ? refusal.status : Number(custom.statusCode), headers, body: fill(template, lookup) }
}

/**
 * A refusal by policies, whoever wrote them, is the one default that spells `Message`.
 * Source: public reports of such answers, among them ASFHyP3/hyp3 issue 2283 and the workshop spacefinder.
 */
function defaultBody(refusal: GatewayRefusal): string {
  const key = refusal.type === 'ACCESS_DENIED' && refusal.message.startsWith('User') ? 'Message' : 'message'
  return JSON.stringify({ [key]: refusal.shownMessage })
}

function templateOf({ responseTemplates }: GatewayResponse): [contentType: string, template: string] {
  const template = responseTemplates['application/json']
  if (template !== undefined) return ['application/json', template]
  return Object.entries(responseTemplates)[0] ?? ['application/json', '{"message":$context.error.messageString}']
}

/**
 * Gateway responses substitute variables and know no other Velocity.
 * Source: developer guide, "x-amazon-apigateway-gateway-responses.responseTemplates": not processed by the Velocity engine.
 */
function fill(template: string, lookup: RefusalScope['lookup']): string {
  return template.replace(/\$\{((?:context|stageVariables|method)\.[\w.-]+)\}|\$((?:context|stageVariables|method)(?:\.[\w-]+)+)/g,
    (_, braced: string | undefined, plain: string | undefined) => lookup((braced ?? plain)!) ?? '')
}
