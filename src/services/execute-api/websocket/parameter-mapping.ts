// Parameter mappings: what an integration is given besides its body, and headers of the answer to a handshake.

import type { SocketCall, SocketResult } from './exchange.ts'
import { contextValue } from './context.ts'
import { valueOf, type SelectionScope } from './selection.ts'

export interface MappedParameters {
  headers: Record<string, string>
  path: Record<string, string>
  querystring: Record<string, string[]>
}

/** What expressions may name in a call. */
export function scopeOf({ exchange, deployed, facts, parameters }: Pick<SocketCall, 'exchange' | 'deployed' | 'facts' | 'parameters'>, response?: SocketResult): SelectionScope {
  return {
    body: exchange.body,
    header: (name) => headerValues(parameters.header, name)?.at(-1),
    querystring: (name) => parameters.querystring[name]?.at(-1),
    context: (name) => contextValue(facts, name),
    stageVariable: (name) => deployed.stage.stageVariables[name],
    response,
  }
}

const requestTarget = /^integration\.request\.(path|querystring|multivaluequerystring|header|multivalueheader)\.(.+)$/s

/**
 * A source that has no value maps nothing.
 * Source: API Gateway developer guide, "Set up data mapping for WebSocket APIs": headers and queries are there in `$connect` only.
 */
export function mapRequestParameters(call: SocketCall): MappedParameters {
  const mapped: MappedParameters = { headers: {}, path: {}, querystring: {} }
  const scope = scopeOf(call)
  for (const [target, source] of Object.entries(call.integration.definition.requestParameters ?? {})) {
    const [, kind, name] = requestTarget.exec(target) ?? []
    const values = name === undefined ? undefined : sourceValues(source, scope, call.parameters)
    if (values === undefined) continue
    if (kind === 'path') mapped.path[name!] = values.join(',')
    else if (kind === 'header' || kind === 'multivalueheader') mapped.headers[name!] = values.join(',')
    else mapped.querystring[name!] = [...values]
  }
  return mapped
}

/** Headers by their names in lower case. Source: API Gateway v2 API reference, IntegrationResponse, `responseParameters`. */
export function mapResponseParameters(call: SocketCall, parameters: Readonly<Record<string, string>> | undefined, result: SocketResult): Record<string, string> {
  const scope = scopeOf(call, result)
  const headers: Record<string, string> = {}
  for (const [target, source] of Object.entries(parameters ?? {})) {
    const name = /^(?:route|method)\.response\.(?:multivalue)?header\.(.+)$/s.exec(target)?.[1]
    const value = name === undefined ? undefined : sourceValues(source, scope, call.parameters)?.join(',')
    if (value !== undefined) headers[name!.toLowerCase()] = value
  }
  return headers
}

function sourceValues(source: string, scope: SelectionScope, { header, querystring }: SocketCall['parameters']): readonly string[] | undefined {
  if (source.startsWith("'") && source.endsWith("'") && source.length > 1) return [source.slice(1, -1)]
  const several = /^route\.request\.multivalue(header|querystring)\.(.+)$/s.exec(source)
  if (several) return several[1] === 'header' ? headerValues(header, several[2]!) : querystring[several[2]!]
  const value = valueOf(source.replace(/^route\.request/, 'request'), scope)
  return value === undefined ? undefined : [value]
}

/** Names of headers have no case. */
export function headerValues(headers: SocketCall['parameters']['header'], name: string): readonly string[] | undefined {
  const lower = name.toLowerCase()
  const found = Object.keys(headers).find((key) => key.toLowerCase() === lower)
  return found === undefined ? undefined : headers[found]
}
