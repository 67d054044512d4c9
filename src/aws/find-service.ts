// Which service a request is for, by its head alone: the credential scope, else the target, else form and version, else the path.

import type { HttpRequest } from '#lib/http.ts'
import type { ServiceModel } from './model.ts'
import { mediaTypeOf, type Protocol } from './protocols/protocol.ts'

/** What choosing needs to know of a service. */
export interface Addressed {
  readonly model: ServiceModel
  readonly protocol: Protocol
}

export type Found<Service> =
  | { service: Service }
  /** The scope names a service that is not here. */
  | { unknownScope: string }
  /** Nothing in the head names one. */
  | { nothing: true }

/**
 * The service that a request addresses. An unsigned request is found too, so that it is refused in the service's own form.
 *
 * Source: the services' endpoints; one port serves them all here, and `apigateway` is the scope of two APIs, told apart by `/v2`.
 */
export function findService<Service extends Addressed>(request: HttpRequest, services: readonly Service[]): Found<Service> {
  const scope = scopedServiceOf(request)
  if (scope !== undefined) {
    const service = findNamed(request, services, scope)
    return service ? { service } : { unknownScope: scope }
  }
  const service = byTarget(request, services) ?? byForm(request, services) ?? byPath(request, services)
  return service ? { service } : { nothing: true }
}

/** The service of a name as credential scopes carry it; where two share one, that which the request is for. */
export function findNamed<Service extends Addressed>(request: HttpRequest, services: readonly Service[], name: string): Service | undefined {
  const named = services.filter(({ model }) => model.signingName === name)
  return named.length > 1 ? bySharedScope(request, named) : named[0]
}

/** The service in the credential scope of the `Authorization` header or of `X-Amz-Credential`, as the client wrote it. */
export function scopedServiceOf({ headers, rawQuery }: HttpRequest): string | undefined {
  const authorization = headers.get('authorization')
  const written = authorization === undefined
    ? rawQuery.includes('X-Amz-Credential=') ? new URLSearchParams(rawQuery).get('X-Amz-Credential') ?? undefined : undefined
    : /Credential=([^,\s]+)/.exec(authorization)?.[1]
  // KEY/20260102/us-east-1/lambda/aws4_request. (Not by a regular expression: an unanchored one takes quadratic time for a long key.)
  const parts = written?.split('/') ?? []
  return parts.length < 5 ? undefined : parts.at(-2)
}

function bySharedScope<Service extends Addressed>(request: HttpRequest, scoped: readonly Service[]): Service | undefined {
  const byItsTarget = byTarget(request, scoped)
  if (byItsTarget) return byItsTarget
  const isV2 = /^\/v2(\/|$)/.test(request.path)
  return scoped.find(({ model }) => model.name.startsWith('apigatewayv2') === isV2) ?? scoped[0]
}

function byTarget<Service extends Addressed>({ headers }: HttpRequest, services: readonly Service[]): Service | undefined {
  const target = headers.get('x-amz-target')
  return target === undefined ? undefined : services.find(({ model }) => model.metadata.targetPrefix !== undefined && target.startsWith(`${model.metadata.targetPrefix}.`))
}

function byForm<Service extends Addressed>(request: HttpRequest, services: readonly Service[]): Service | undefined {
  const query = new URLSearchParams(request.rawQuery)
  if (!query.has('Action') && mediaTypeOf(request) !== 'application/x-www-form-urlencoded') return undefined
  if (request.path !== '/') return undefined
  const forms = services.filter(({ protocol }) => protocol.family === 'query')
  // The form itself is not read for a caller who has not said who they are; any query service refuses in the same words.
  return forms.find(({ model }) => model.metadata.apiVersion === query.get('Version')) ?? forms[0]
}

function byPath<Service extends Addressed>(request: HttpRequest, services: readonly Service[]): Service | undefined {
  return services.find(({ protocol }) => {
    if (protocol.family !== 'rest-json') return false
    try {
      return protocol.routeByHead(request) !== undefined
    } catch {
      return false
    }
  })
}
