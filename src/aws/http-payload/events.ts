// The events that functions get from HTTP APIs (payload formats 1.0 and 2.0) and from function URLs (2.0).

import { commonLogTime } from '../common-log-time.ts'
import { bodyForEvent, headerOf, joined, lastOf, listed, type RequestParts } from './request-parts.ts'

/** What the gateway knows of a call beside the request itself. */
export interface CallFacts {
  accountId: string
  apiId: string
  domainName: string
  domainPrefix: string
  requestId: string
  atMs: number
  /** `GET /pets/{id}`, `$default`. */
  routeKey: string
  stage: string
  stageVariables: Readonly<Record<string, string>>
  pathParameters: Readonly<Record<string, string>>
  /** With the stage where it has a name; as it was sent. Source: aws/aws-lambda-dotnet's tests of its LambdaTestTool, against API Gateway (format 1.0). */
  path: string
  /** As format 2.0 shows it, where that is not `path`: HTTP APIs decode it, function URLs do not. */
  rawPath?: string | undefined
  /** `requestContext.authorizer`; absent where nobody authorized. */
  authorizer?: AuthorizerFacts | undefined
}

/** Who called, as the kind of authorization tells it. */
export type AuthorizerFacts =
  | { iam: IamFacts }
  | { jwt: { claims: Readonly<Record<string, string>>, scopes: readonly string[] | null } }
  | { lambda: Readonly<Record<string, unknown>> | null, principalId?: string | undefined, integrationLatency?: number | undefined }

export interface IamFacts {
  accessKey: string
  accountId: string
  callerId: string
  cognitoIdentity: null
  principalOrgId: string | null
  userArn: string
  userId: string
}

type Members = Record<string, unknown>

/** Source: API Gateway developer guide, "Lambda proxy integrations for HTTP APIs", payload format 2.0: what is empty is not there. */
export function eventV2(parts: RequestParts, facts: CallFacts): Members {
  const { body, isBase64Encoded } = bodyForEvent(parts)
  return {
    version: '2.0',
    ...requestV2(parts, facts),
    ...(body === undefined ? {} : { body }),
    isBase64Encoded,
  }
}

/** What an event of an integration and one of an authorizer have in common. */
export function requestV2(parts: RequestParts, facts: CallFacts): Members {
  const { cookies, rawQuery, query, headers, method, sourceIp } = parts
  const { accountId, apiId, domainName, domainPrefix, requestId, atMs, routeKey, stage, authorizer } = facts
  const path = facts.rawPath ?? facts.path
  return {
    routeKey,
    rawPath: path,
    rawQueryString: rawQuery,
    ...(cookies.length === 0 ? {} : { cookies: [...cookies] }),
    headers: joined(inOrder(headers)),
    ...(query.length === 0 ? {} : { queryStringParameters: joined(query) }),
    requestContext: {
      accountId, apiId,
      ...(authorizer ? { authorizer: authorizerV2(authorizer) } : {}),
      domainName, domainPrefix,
      http: { method, path, protocol: 'HTTP/1.1', sourceIp, userAgent: headerOf(parts, 'user-agent') ?? '' },
      requestId, routeKey, stage,
      time: commonLogTime(atMs),
      timeEpoch: atMs,
    },
    ...unlessEmpty('pathParameters', facts.pathParameters),
    ...unlessEmpty('stageVariables', facts.stageVariables),
  }
}

function authorizerV2(authorizer: AuthorizerFacts): Members {
  return 'lambda' in authorizer ? { lambda: authorizer.lambda } : { ...authorizer }
}

/** Source: as above, payload format 1.0: what is empty is null. */
export function eventV1(parts: RequestParts, facts: CallFacts, extendedRequestId: string): Members {
  const { body, isBase64Encoded } = bodyForEvent(parts)
  return { version: '1.0', ...requestV1(parts, facts, extendedRequestId), body: body ?? null, isBase64Encoded }
}

export function requestV1(parts: RequestParts, facts: CallFacts, extendedRequestId: string): Members {
  const { method, query, cookies } = parts
  const { accountId, apiId, domainName, domainPrefix, requestId, atMs, routeKey, stage, path, authorizer } = facts
  const headers = inOrder([...parts.headers, ...(cookies.length === 0 ? [] : [['cookie', cookies.join('; ')] as const])].map(([name, value]) => [spelled(name), value] as const))
  const iam = authorizer && 'iam' in authorizer ? authorizer.iam : undefined
  const resource = routeKey.includes(' ') ? routeKey.slice(routeKey.indexOf(' ') + 1) : routeKey
  return {
    resource,
    path,
    httpMethod: method,
    headers: lastOf(headers),
    multiValueHeaders: listed(headers),
    queryStringParameters: nullIfEmpty(lastOf(query)),
    multiValueQueryStringParameters: nullIfEmpty(listed(query)),
    requestContext: {
      accountId, apiId,
      ...(authorizer && !('iam' in authorizer) ? { authorizer: authorizerV1(authorizer) } : {}),
      domainName, domainPrefix, extendedRequestId,
      httpMethod: method,
      identity: {
        accessKey: iam?.accessKey ?? null, accountId: iam?.accountId ?? null, caller: iam?.callerId ?? null, cognitoAmr: null, cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null, cognitoIdentityId: null, cognitoIdentityPoolId: null, principalOrgId: iam?.principalOrgId ?? null, sourceIp: parts.sourceIp,
        user: iam?.userId ?? null, userAgent: headerOf(parts, 'user-agent') ?? '', userArn: iam?.userArn ?? null,
      },
      path,
      protocol: 'HTTP/1.1',
      requestId,
      requestTime: commonLogTime(atMs),
      requestTimeEpoch: atMs,
      resourceId: routeKey,
      resourcePath: resource,
      stage,
    },
    pathParameters: nullIfEmpty(facts.pathParameters),
    stageVariables: nullIfEmpty(facts.stageVariables),
  }
}

/** Source: an event that a user publishes, of 01-08-2024: what a function told stands beside claims and scopes that nobody made. */
function authorizerV1(authorizer: Exclude<AuthorizerFacts, { iam: IamFacts }>): Members {
  if ('jwt' in authorizer) return { claims: authorizer.jwt.claims, scopes: authorizer.jwt.scopes }
  const { lambda, principalId } = authorizer
  return { claims: null, scopes: null, ...lambda, ...(principalId === undefined ? {} : { principalId }) }
}

/** By the characters' codes. Source: events that users publish, of 2022 (1.0) and 2023 (2.0). */
function inOrder<Line extends readonly [name: string, value: string]>(headers: readonly Line[]): Line[] {
  return headers.toSorted(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))
}

/**
 * Source: events of format 1.0 that users publish, of 2022 and 2023: the gateway spells those that it knows with capitals, the others arrive in
 * lower case.
 */
const capitals: Readonly<Record<string, string>> = {
  'content-length': 'Content-Length', 'content-type': 'Content-Type', 'host': 'Host', 'user-agent': 'User-Agent', 'x-amzn-trace-id': 'X-Amzn-Trace-Id',
  'x-forwarded-for': 'X-Forwarded-For', 'x-forwarded-port': 'X-Forwarded-Port', 'x-forwarded-proto': 'X-Forwarded-Proto',
}
const spelled = (name: string): string => capitals[name] ?? name

function unlessEmpty(name: string, values: Readonly<Record<string, string>>): Members {
  return Object.keys(values).length === 0 ? {} : { [name]: { ...values } }
}

function nullIfEmpty<Values extends object>(values: Values): Values | null {
  return Object.keys(values).length === 0 ? null : values
}
