// `$context`: what a template may know about the call, and the overrides that it may set.

import { JavaList, JavaMap, mapOf, toText, type Value } from './values.ts'

/** What the facts of a call have in common, of whatever kind its API is. The others are texts and numbers. */
export interface CommonFacts {
  identity: IdentityFacts
  authorizer?: AuthorizerFacts | undefined
  error?: ErrorFacts | undefined
}

/** The facts of one call. Members that are undefined are not there; Source: developer guide, "`$context` variables". */
export interface ContextFacts extends CommonFacts {
  accountId: string
  apiId: string
  deploymentId?: string | undefined
  domainName: string
  domainPrefix: string
  extendedRequestId: string
  httpMethod: string
  /** The path as called, with the stage. */
  path: string
  protocol: string
  requestId: string
  /** `09/Apr/2015:12:34:56 +0000`. */
  requestTime: string
  requestTimeEpoch: number
  resourceId?: string | undefined
  resourcePath?: string | undefined
  stage: string
}

/** What an authorizer told of the caller: texts by name, `integrationLatency` in milliseconds, and of a user pool's token its claims. */
export interface AuthorizerFacts {
  readonly [name: string]: string | number | Readonly<Record<string, string>> | undefined
  readonly claims?: Readonly<Record<string, string>> | undefined
}

export interface IdentityFacts {
  accountId?: string | undefined
  accessKey?: string | undefined
  apiKey?: string | undefined
  apiKeyId?: string | undefined
  caller?: string | undefined
  sourceIp: string
  user?: string | undefined
  userAgent?: string | undefined
  userArn?: string | undefined
}

/** What a gateway response knows of its cause. */
export interface ErrorFacts {
  message: string
  /** The message as a JSON text, with its quotes. */
  messageString: string
  responseType: string
  validationErrorString?: string | undefined
}

/** Source: developer guide, "Override your API's request and response parameters and status codes". */
export interface Overrides {
  /** What the integration's request gets instead. */
  request: { header: Record<string, string[]>, path: Record<string, string>, querystring: Record<string, string[]> }
  /** What the answer gets instead. A status that is no whole number from 100 to 599 is ignored. */
  response: { header: Record<string, string[]>, status: number | undefined }
}

/** A call's `$context`: one for the request's templates and the response's, so that what the first set the second sees. */
export class TemplateContext {
  readonly #facts: CommonFacts
  #endpointRequestId: string | undefined
  #made: { map: JavaMap, request: JavaMap, response: JavaMap } | undefined

  constructor(facts: CommonFacts) {
    this.#facts = facts
  }

  /** As templates see it; made when one asks. */
  get map(): JavaMap {
    return (this.#made ??= contextMaps(this.#facts, this.#endpointRequestId)).map
  }

  /** What the backend called the request, once it has answered: `$context.awsEndpointRequestId`. */
  setEndpointRequestId(requestId: string): void {
    this.#endpointRequestId = requestId
    this.#made?.map.entries.set('awsEndpointRequestId', requestId)
  }

  /** What templates have set so far. */
  overrides(): Overrides {
    if (!this.#made) return noOverrides
    const { request, response } = this.#made
    return {
      request: {
        header: textLists(request.entries.get('header')),
        path: texts(request.entries.get('path')),
        querystring: textLists(request.entries.get('querystring')),
      },
      response: { header: textLists(response.entries.get('header')), status: statusOf(response.entries.get('status')) },
    }
  }
}

const noOverrides: Overrides = { request: { header: {}, path: {}, querystring: {} }, response: { header: {}, status: undefined } }

function contextMaps({ identity, authorizer, error, ...rest }: CommonFacts, awsEndpointRequestId: string | undefined): { map: JavaMap, request: JavaMap, response: JavaMap } {
  const request = mapOf({ header: mapOf({}), path: mapOf({}), querystring: mapOf({}) })
  const response = mapOf({ header: mapOf({}) })
  const map = mapOf({
    ...rest,
    awsEndpointRequestId,
    identity: mapOf({ ...identity }),
    authorizer: authorizer && mapOf({ ...authorizer, claims: typeof authorizer.claims === 'object' ? mapOf(authorizer.claims) : authorizer.claims } as Record<string, Value>),
    error: error && mapOf({ ...error }),
    requestOverride: request,
    responseOverride: response,
  })
  return { map, request, response }
}

function textLists(map: Value): Record<string, string[]> {
  if (!(map instanceof JavaMap)) return {}
  return Object.fromEntries([...map.entries].map(([name, value]) =>
    [toText(name), value instanceof JavaList ? value.items.map(toText) : [toText(value)]]))
}

function texts(map: Value): Record<string, string> {
  if (!(map instanceof JavaMap)) return {}
  return Object.fromEntries([...map.entries].map(([name, value]) => [toText(name), toText(value)]))
}

/** Source: localstack's integration response handler: AWS ignores a status that is not an integer between 100 and 599. */
function statusOf(value: Value): number | undefined {
  return typeof value === 'number' && value >= 100 && value <= 599 ? value : undefined
}
