// Which service, and what of it, an AWS integration's URI names.

import type { ServiceCall } from '#aws/service-calls.ts'

/** What an integration's URI names. */
export interface NamedService {
  region: string
  service: string
  target: ServiceCall['target']
  /** That a path brought along. */
  rawQuery: string
}

/**
 * `arn:aws:apigateway:{region}:{subdomain.}{service}:{path|action}/{service_api}`. An action may bring parameters: `action/GetObject&Bucket=x`.
 * Source: API Gateway API reference, PutIntegration, `uri`.
 */
export function backendOf(uri: string): NamedService | undefined {
  const match = /^arn:[^:]+:apigateway:([^:]*):(?:[^:]*\.)?([^:.]+):(path|action)\/(.*)$/s.exec(uri)
  if (!match) return undefined
  const [, region = '', service = '', kind, rest = ''] = match
  const at = rest.search(kind === 'path' ? /\?/ : /[&?]/)
  const [named, rawQuery] = at === -1 ? [rest, ''] : [rest.slice(0, at), rest.slice(at + 1)]
  return { region, service, rawQuery, target: kind === 'path' ? { path: `/${named.replace(/^\/+/, '')}` } : { action: named } }
}
