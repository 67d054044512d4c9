// Cross-origin calls of function URLs: preflights that the address itself answers, and the headers of every other answer.

import type { HttpRequest, HttpResponse } from '#lib/http.ts'
import type { UrlCors } from '../model.ts'

/** Whether a browser asks what it may send. Source: Fetch standard, CORS-preflight request. */
export function isPreflight({ method, headers }: Pick<HttpRequest, 'method' | 'headers'>): boolean {
  return method === 'OPTIONS' && headers.get('origin') !== undefined && headers.get('access-control-request-method') !== undefined
}

/** Source: Lambda developer guide, "Creating and managing Lambda function URLs", CORS: such requests do not reach the function. */
export function answerPreflight(request: Pick<HttpRequest, 'headers'>, cors: UrlCors): HttpResponse {
  const headers = corsHeaders(request, cors)
  if (headers['access-control-allow-origin'] === undefined) return { status: 200, headers: {} }
  const { AllowMethods, AllowHeaders, MaxAge } = cors
  return {
    status: 200,
    headers: {
      ...headers,
      ...(AllowMethods?.length ? { 'access-control-allow-methods': AllowMethods.join(',') } : {}),
      ...(AllowHeaders?.length ? { 'access-control-allow-headers': AllowHeaders.join(',') } : {}),
      ...(MaxAge ? { 'access-control-max-age': String(MaxAge) } : {}),
    },
  }
}

export function corsHeaders({ headers }: Pick<HttpRequest, 'headers'>, { AllowOrigins = [], AllowCredentials, ExposeHeaders }: UrlCors): Record<string, string> {
  const origin = headers.get('origin')
  if (origin === undefined || !AllowOrigins.some((allowed) => isSame(allowed, origin))) return {}
  const isOpen = AllowOrigins.includes('*') && !AllowCredentials
  return {
    'access-control-allow-origin': isOpen ? '*' : origin,
    ...(AllowCredentials ? { 'access-control-allow-credentials': 'true' } : {}),
    ...(ExposeHeaders?.length ? { 'access-control-expose-headers': ExposeHeaders.join(',') } : {}),
    ...(isOpen ? {} : { vary: 'Origin' }),
  }
}

/** `*`, whole origins, and those with a star in them (`https://*.example.com`). */
function isSame(allowed: string, origin: string): boolean {
  if (!allowed.includes('*')) return allowed.toLowerCase() === origin.toLowerCase()
  const [start = '', end = ''] = allowed.toLowerCase().split('*')
  const lower = origin.toLowerCase()
  return lower.length >= start.length + end.length && lower.startsWith(start) && lower.endsWith(end)
}

/** Source: as above: the configuration's headers take the place of the function's. */
export function withCors(response: HttpResponse, request: Pick<HttpRequest, 'headers'>, cors: UrlCors | undefined): HttpResponse {
  if (!cors) return response
  const kept = Object.entries(response.headers).filter(([name]) => !name.toLowerCase().startsWith('access-control-'))
  return { ...response, headers: { ...Object.fromEntries(kept), ...corsHeaders(request, cors) } }
}
