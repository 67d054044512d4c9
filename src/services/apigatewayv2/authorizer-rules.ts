// What an authorizer may be: its defaults by protocol and type, and AWS's refusals.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { compileJavaPattern } from '#lib/java-regex.ts'
import { errors } from './errors.ts'
import { checkCredentials } from './integration-rules.ts'
import type { ApiDesign, ApiSettings, Authorizer } from './model.ts'

export type NewAuthorizer = Omit<sdk.CreateAuthorizerRequest, 'ApiId'>

/** Seconds. Source: API Gateway v2 API reference, CreateAuthorizer, `authorizerResultTtlInSeconds`. */
const RESULT_TTL_SECONDS_MAX = 3_600
/** Seconds. Source: Terraform's acceptance tests of aws_apigatewayv2_authorizer, which run against AWS. */
const HTTP_RESULT_TTL_SECONDS_DEFAULT = 300
const NAME_CHARACTERS_MAX = 128

export function newAuthorizer(request: NewAuthorizer, { authorizerId, settings }: { authorizerId: string, settings: ApiSettings }): Authorizer {
  const type = request.AuthorizerType!
  const isHttpLambda = settings.protocolType === 'HTTP' && type === 'REQUEST'
  const authorizer: Authorizer = {
    authorizerId,
    name: request.Name ?? '',
    authorizerType: type,
    authorizerUri: request.AuthorizerUri || undefined,
    authorizerCredentialsArn: request.AuthorizerCredentialsArn || undefined,
    authorizerPayloadFormatVersion: (request.AuthorizerPayloadFormatVersion || undefined) as Authorizer['authorizerPayloadFormatVersion'],
    enableSimpleResponses: isHttpLambda ? request.EnableSimpleResponses ?? false : request.EnableSimpleResponses,
    authorizerResultTtlInSeconds: request.AuthorizerResultTtlInSeconds ?? (isHttpLambda ? HTTP_RESULT_TTL_SECONDS_DEFAULT : undefined),
    identitySource: sources(request.IdentitySource),
    identityValidationExpression: request.IdentityValidationExpression || undefined,
    jwtConfiguration: request.JwtConfiguration && { audience: request.JwtConfiguration.Audience, issuer: request.JwtConfiguration.Issuer },
  }
  checkAuthorizer(authorizer, settings)
  return authorizer
}

/** An authorizer after UpdateAuthorizer: what is absent stays, what is an empty text goes. */
export function changedAuthorizer(
  authorizer: Authorizer, request: Omit<sdk.UpdateAuthorizerRequest, 'ApiId' | 'AuthorizerId'>, settings: ApiSettings,
): Authorizer {
  const text = (given: string | undefined, held: string | undefined) => given === undefined ? held : given || undefined
  const changed: Authorizer = {
    ...authorizer,
    name: request.Name ?? authorizer.name,
    authorizerType: request.AuthorizerType ?? authorizer.authorizerType,
    authorizerUri: text(request.AuthorizerUri, authorizer.authorizerUri),
    authorizerCredentialsArn: text(request.AuthorizerCredentialsArn, authorizer.authorizerCredentialsArn),
    authorizerPayloadFormatVersion: text(request.AuthorizerPayloadFormatVersion, authorizer.authorizerPayloadFormatVersion) as Authorizer['authorizerPayloadFormatVersion'],
    enableSimpleResponses: request.EnableSimpleResponses ?? authorizer.enableSimpleResponses,
    authorizerResultTtlInSeconds: request.AuthorizerResultTtlInSeconds ?? authorizer.authorizerResultTtlInSeconds,
    identitySource: request.IdentitySource === undefined ? authorizer.identitySource : sources(request.IdentitySource),
    identityValidationExpression: text(request.IdentityValidationExpression, authorizer.identityValidationExpression),
    jwtConfiguration: request.JwtConfiguration === undefined
      ? authorizer.jwtConfiguration
      : {
          audience: request.JwtConfiguration.Audience ?? authorizer.jwtConfiguration?.audience,
          issuer: request.JwtConfiguration.Issuer ?? authorizer.jwtConfiguration?.issuer,
        },
  }
  checkAuthorizer(changed, settings)
  return changed
}

/** The name must be free. Seen in reports; the sentence is REST APIs', whose it was first. */
export function requireFreeName({ authorizers }: ApiDesign, { authorizerId, name }: Authorizer): void {
  if (Object.values(authorizers).some((other) => other.name === name && other.authorizerId !== authorizerId)) {
    throw errors.BadRequestException(`Authorizer name must be unique. Authorizer ${name} already exists in this RestApi.`)
  }
}

const sources = (given: string[] | undefined): string[] => (given ?? []).filter((source) => source !== '')

function checkAuthorizer(authorizer: Authorizer, { protocolType }: ApiSettings): void {
  // Ours: the words.
  if (authorizer.name.trim() === '' || authorizer.name.length > NAME_CHARACTERS_MAX) throw errors.BadRequestException('Invalid authorizer name specified')
  // Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-websocket-authorizer-type.
  if (protocolType === 'WEBSOCKET' && authorizer.authorizerType !== 'REQUEST') {
    throw errors.BadRequestException('Invalid authorizer type. Only REQUEST authorizer type is supported on WEBSOCKET protocol Apis.')
  }
  if (authorizer.authorizerType === 'JWT') return checkJwt(authorizer)
  checkLambda(authorizer, protocolType)
  for (const source of authorizer.identitySource) checkSource(source, protocolType)
}

/**
 * Ours: the issuer is not asked for its keys until a token comes, so that an API can be made before its issuer runs; and one on this machine may
 * be reached without TLS.
 *
 * Observed: AWS, 03-09-2026, recorded by cdk-preflight's pf-apigwv2-jwt-authorizer-config, and 08-09-2026, by pf-apigwv2-jwt-audience-required and
 * pf-apigwv2-jwt-issuer-https.
 */
function checkJwt({ jwtConfiguration, identitySource }: Authorizer): void {
  if (!jwtConfiguration) throw errors.BadRequestException('JwtConfiguration must not be null for JWT Authorizer')
  const { audience = [], issuer } = jwtConfiguration
  if (issuer === undefined || !isIssuer(issuer)) throw errors.BadRequestException('Invalid issuer: Issuer is not a valid URL for JWT Authorizer')
  if (audience.length === 0) throw errors.BadRequestException('Audience list must have at least 1 item for JWT Authorizer')
  // Source: API Gateway v2 API reference, CreateAuthorizer, `identitySource`: one header or query parameter. Ours: the words.
  if (identitySource.length !== 1) throw errors.BadRequestException('JWT Authorizer must have exactly one identity source')
  checkSource(identitySource[0]!, 'HTTP')
}

function isIssuer(issuer: string): boolean {
  const url = URL.parse(issuer)
  if (!url || url.search !== '' || url.hash !== '' || url.username !== '') return false
  const isLocal = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname) || url.hostname.endsWith('.localhost')
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)
}

/**
 * Observed: AWS, 03-09-2026, 08-09-2026 and 13-09-2026, recorded by cdk-preflight's pf-apigwv2-request-authorizer-payload-version,
 * pf-apigwv2-request-authorizer-uri-required, pf-apigwv2-simple-responses-payload-version, pf-apigwv2-authorizer-ttl-range and
 * pf-apigwv2-authorizer-ttl-identity-source. Ours: the words of the others.
 */
function checkLambda(authorizer: Authorizer, protocolType: ApiSettings['protocolType']): void {
  const { authorizerUri: uri, authorizerPayloadFormatVersion: version, authorizerResultTtlInSeconds: ttl } = authorizer
  if (uri === undefined) throw errors.BadRequestException('AuthorizerUri is a required field in an Authorizer')
  if (!/^arn:[^:]+:apigateway:[^:]+:lambda:path\/+[0-9-]+\/functions\/.+\/invocations$/.test(uri)) {
    throw errors.BadRequestException(`Invalid Authorizer URI: ${uri}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.`)
  }
  checkCredentials(authorizer.authorizerCredentialsArn)
  if (authorizer.jwtConfiguration) throw errors.BadRequestException('JwtConfiguration is only supported for JWT Authorizer')
  if (protocolType === 'HTTP') {
    if (version === undefined) throw errors.BadRequestException('AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer')
    if (version !== '1.0' && version !== '2.0') throw errors.BadRequestException(`Unsupported AuthorizerPayloadFormatVersion: ${String(version)}`)
    if (authorizer.identityValidationExpression) throw errors.BadRequestException('IdentityValidationExpression is not supported for HTTP APIs')
  } else if (version !== undefined) {
    throw errors.BadRequestException('AuthorizerPayloadFormatVersion is not supported for WEBSOCKET protocol Apis')
  }
  if (authorizer.enableSimpleResponses && version !== '2.0') {
    throw errors.BadRequestException('EnableSimpleResponses can only be set for AuthorizerPayloadFormatVersion "2.0".')
  }
  if (ttl !== undefined && (ttl < 0 || ttl > RESULT_TTL_SECONDS_MAX)) {
    throw errors.BadRequestException(`Authorizer result TTL outside allowable range. TTL must be between 0 and ${RESULT_TTL_SECONDS_MAX} seconds.`)
  }
  if ((ttl ?? 0) > 0 && authorizer.identitySource.length === 0) {
    throw errors.BadRequestException('Identity source must be set if authorizer caching is enabled (TTL is greater than 0)')
  }
  try {
    compileJavaPattern(authorizer.identityValidationExpression ?? '', 'whole text')
  } catch {
    throw errors.BadRequestException(`Invalid identity validation expression specified: ${authorizer.identityValidationExpression}`)
  }
}

/**
 * Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-http-identity-source-expression and
 * pf-apigwv2-websocket-identity-source-expression (whose sentence the record cuts off after `a stage v`; Ours: how it goes on).
 */
function checkSource(source: string, protocolType: ApiSettings['protocolType']): void {
  if (protocolType === 'HTTP') {
    if (/^\$(?:request\.(?:header|querystring)|context|stageVariables)\.[^\s]+$/.test(source)) return
    throw errors.BadRequestException(
      `Invalid identity source expression: ${source}. The source must be a request header, request querystring, stage variable or context parameter`)
  }
  if (/^(?:route\.request\.(?:querystring|header)\.[a-zA-Z0-9._-]+|stageVariables\.\w+|context\.[\w.]+)$/.test(source)) return
  throw errors.BadRequestException(
    `Invalid request identity source expression: ${source}. The sources must be separated by comma, and each source must be either a request parameter, matching `
    + "'route.request.querystring|header.[a-zA-Z0-9._-]+', or a stage variable, matching 'stageVariables.[a-zA-Z0-9_]+', or a context parameter, matching 'context.[a-zA-Z0-9._]+'")
}
