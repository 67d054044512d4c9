// Parameter mappings: headers from static texts, parameters, bodies, context and stage variables.

import type { ApiCall, IntegrationResult } from './exchange.ts'
import { JsonPath, JsonPathError } from '../templates/json-path/path.ts'
import { JsonSyntaxError, parseJson, printJson } from '../templates/json.ts'
import { JavaList, JavaMap, toText, type Value } from '../templates/values.ts'

/** Headers that an integration is given. Mappings to its path and query have a meaning for HTTP backends only. */
export function mapRequestParameters(call: ApiCall): { headers: Record<string, string> } {
  const headers: Record<string, string> = {}
  for (const [target, source] of Object.entries(call.integration.definition.requestParameters ?? {})) {
    const name = /^integration\.request\.header\.(.+)$/.exec(target)?.[1]
    const value = name === undefined ? undefined : sourceValue(call, source, undefined)
    if (value !== undefined) headers[name!] = value
  }
  return { headers }
}

/** Headers that an answer is given. */
export function mapResponseParameters(
  call: ApiCall,
  parameters: Readonly<Record<string, string>> | undefined,
  result: IntegrationResult,
): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [target, source] of Object.entries(parameters ?? {})) {
    const name = /^method\.response\.header\.(.+)$/.exec(target)?.[1]
    const value = name === undefined ? undefined : sourceValue(call, source, result)
    if (value !== undefined) headers[name!] = value
  }
  return headers
}

/**
 * The value that a mapping expression names; undefined when there is none.
 * Source: developer guide, "Parameter mapping source reference for REST APIs".
 */
export function sourceValue(call: ApiCall, source: string, result: IntegrationResult | undefined): string | undefined {
  if (source.startsWith("'") && source.endsWith("'") && source.length > 1) return source.slice(1, -1)
  const [root, rest] = splitOnce(source, '.')
  switch (root) {
    case 'context': return contextValue(call, rest)
    case 'stageVariables': return call.route.deployed.stage.variables[rest]
    case 'method': return rest.startsWith('request.') ? requestValue(call, rest.slice('request.'.length)) : undefined
    case 'integration': return result && rest.startsWith('response.') ? responseValue(rest.slice('response.'.length), result) : undefined
    default: return undefined
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function contextValue({ context }: ApiCall, path: string): string | undefined {
  let value: Value = context.map
  for (const name of path.split('.')) {
    if (!(value instanceof JavaMap)) return undefined
    value = value.entries.get(name)
  }
  return value === undefined || value === null || value instanceof JavaMap ? undefined : toText(value)
}

function requestValue({ parameters, multiValues, exchange, body }: ApiCall, rest: string): string | undefined {
  const [kind, name] = splitOnce(rest, '.')
  switch (kind) {
    case 'path': return parameters.path[name]
    case 'querystring': return parameters.querystring[name]
    case 'header': return exchange.request.headers.get(name)
    case 'multivaluequerystring': return multiValues.querystring[name]?.join(',')
    case 'multivalueheader': return exchange.request.headers.all(name).join(',') || undefined
    case 'body': return bodyValue(body, name)
    default: return undefined
  }
}

function responseValue(rest: string, { headers, body }: IntegrationResult): string | undefined {
  const [kind, name] = splitOnce(rest, '.')
  if (kind === 'body') return bodyValue(body, name)
  if (kind !== 'header' && kind !== 'multivalueheader') return undefined
  const found = Object.keys(headers).find((key) => key.toLowerCase() === name.toLowerCase())
  const value = found === undefined ? undefined : headers[found]
  return Array.isArray(value) ? (kind === 'header' ? value.at(-1) : value.join(',')) : value
}

/** A whole body, or what a JSONPath (without its `$.`) finds in it. */
function bodyValue(body: Buffer, path: string): string | undefined {
  const text = body.toString('utf8')
  if (path === '') return text
  try {
    const value = JsonPath.compile(path).read(parseJson(text))
    if (value === undefined || value === null) return undefined
    return value instanceof JavaList || value instanceof JavaMap ? printJson(value, 'with plain slashes') : toText(value)
  } catch (error) {
    if (error instanceof JsonPathError || error instanceof JsonSyntaxError) return undefined
    throw error
  }
}
