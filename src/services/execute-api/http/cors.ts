// Cross-origin requests: the gateway answers their preflights, and says on every answer which origins may read it.

import type { HttpRequest, HttpResponse } from '#lib/http.ts'
import type { Cors } from '#services/apigatewayv2/index.ts'

/** Whether a browser asks what it may send. Source: Fetch standard, CORS-preflight request. */
export function isPreflight({ method, headers }: Pick<HttpRequest, 'method' | 'headers'>): boolean {
  return method === 'OPTIONS' && headers.get('origin') !== undefined && headers.get('access-control-request-method') !== undefined
}

/**
 * Source: API Gateway developer guide, "Configure CORS for HTTP APIs in API Gateway": a preflight is answered even without a route for it, and
 * without CORS headers to an origin that is not allowed.
 */
export function answerPreflight(request: Pick<HttpRequest, 'headers'>, cors: Cors): HttpResponse {
  const headers = corsHeaders(request, cors)
  const isAllowed = headers['access-control-allow-origin'] !== undefined
  const { allowMethods, allowHeaders, maxAge } = cors
  return {
    status: 204,
    headers: {
      ...headers,
      ...(isAllowed && allowMethods?.length ? { 'access-control-allow-methods': allowMethods.join(',') } : {}),
      ...(isAllowed && allowHeaders?.length ? { 'access-control-allow-headers': allowHeaders.join(',') } : {}),
      ...(isAllowed && maxAge !== undefined ? { 'access-control-max-age': String(maxAge) } : {}),
    },
  }
}

/** What an answer to this origin carries; nothing for an origin that is not allowed, and for a request without one. */
export function corsHeaders({ headers }: Pick<HttpRequest, 'headers'>, { allowOrigins, allowCredentials, exposeHeaders }: Cors): Record<string, string> {
  const origin = headers.get('origin')
  const allowed = origin === undefined ? undefined : allowedOrigin(origin, allowOrigins ?? [])
  if (allowed === undefined) return {}
  return {
    'access-control-allow-origin': allowed,
    ...(allowCredentials ? { 'access-control-allow-credentials': 'true' } : {}),
    ...(exposeHeaders?.length ? { 'access-control-expose-headers': exposeHeaders.join(',') } : {}),
    ...(allowed === '*' ? {} : { vary: 'Origin' }),
  }
}

/** `*`, `https://*` and whole origins. Source: as above, `allowOrigins`. */
function allowedOrigin(origin: string, allowed: readonly string[]): string | undefined {
  if (allowed.includes('*')) return '*'
  const lower = origin.toLowerCase()
  return allowed.some((one) => one.endsWith('://*') ? lower.startsWith(one.slice(0, -1).toLowerCase()) : one.toLowerCase() === lower) ? origin : undefined
}

/** Source: as above: CORS headers that a backend answers are dropped where the API has a configuration. */
export function withCors(response: HttpResponse, request: Pick<HttpRequest, 'headers'>, cors: Cors | undefined): HttpResponse {
  if (!cors) return response
  const kept = Object.fromEntries(Object.entries(response.headers).filter(([name]) => !name.toLowerCase().startsWith('access-control-')))
  const { vary, ...added } = corsHeaders(request, cors)
  const varies = [kept['vary'] ?? [], vary ?? []].flat()
  return { ...response, headers: { ...kept, ...added, ...(varies.length === 0 ? {} : { vary: varies.join(', ') }) } }
}
