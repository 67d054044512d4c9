// Parameter mappings: what an integration is given and what an answer is, from parameters, bodies, context, stage variables and static texts.

import { GatewayRefusal, INTERNAL_SERVER_ERROR } from '../gateway-responses.ts'
import { BodyNotJson, bodyValue } from '../templates/body-value.ts'
import { JavaMap, toText, type Value } from '../templates/values.ts'
import type { ApiCall, IntegrationResult } from './exchange.ts'

/** What an integration is given besides its body. */
export interface MappedRequest {
  path: Record<string, string>
  querystring: Record<string, string[]>
  header: Record<string, string>
}

const requestTarget = /^integration\.request\.(path|querystring|multivaluequerystring|header|multivalueheader)\.(.+)$/s

/**
 * A source that has no value maps nothing. A list becomes a query parameter's values, and one header's with commas.
 *
 * Source: developer guide, "Parameter mapping source reference for REST APIs".
 * @throws GatewayRefusal 400 when a body that is mapped looks like JSON and is none.
 */
export function mapRequestParameters(call: ApiCall): MappedRequest {
  const mapped: MappedRequest = { path: {}, querystring: {}, header: {} }
  for (const [target, source] of Object.entries(call.integration.definition.requestParameters ?? {})) {
    const [, kind, name] = requestTarget.exec(target) ?? []
    const values = name === undefined ? undefined : sourceValues(call, source, undefined)
    if (values === undefined) continue
    if (kind === 'path') mapped.path[name!] = values.join(',')
    else if (kind === 'header' || kind === 'multivalueheader') mapped.header[name!] = values.join(',')
    else mapped.querystring[name!] = values
  }
  return mapped
}

/**
 * Headers that an answer is given: those that the method response declares.
 *
 * @throws GatewayRefusal 500 when a body that is mapped looks like JSON and is none.
 */
export function mapResponseParameters(
  call: ApiCall,
  { statusCode, responseParameters }: { statusCode: string, responseParameters?: Readonly<Record<string, string>> | undefined },
  result: IntegrationResult,
): Record<string, string> {
  const declared = call.route.method.definition.methodResponses?.[statusCode]?.responseParameters ?? {}
  const headers: Record<string, string> = {}
  for (const [target, source] of Object.entries(responseParameters ?? {})) {
    const name = Object.hasOwn(declared, target) ? /^method\.response\.(?:multivalue)?header\.(.+)$/s.exec(target)?.[1] : undefined
    const value = name === undefined ? undefined : sourceValues(call, source, result)?.join(',')
    if (value !== undefined) headers[name!] = value
  }
  return headers
}

/** The values that a mapping expression names; undefined when there is none. */
function sourceValues(call: ApiCall, source: string, result: IntegrationResult | undefined): string[] | undefined {
  if (source.startsWith("'") && source.endsWith("'") && source.length > 1) return [source.slice(1, -1)]
  const [root, rest] = splitOnce(source, '.')
  switch (root) {
    case 'context': return listOf(contextValue(call, rest))
    case 'stageVariables': return listOf(call.route.deployed.stage.variables[rest])
    case 'method': return rest.startsWith('request.') ? requestValues(call, rest.slice('request.'.length)) : undefined
    case 'integration': return result && rest.startsWith('response.') ? responseValues(rest.slice('response.'.length), result) : undefined
    default: return undefined
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

const listOf = (value: string | undefined): string[] | undefined => (value === undefined ? undefined : [value])

function contextValue({ context }: ApiCall, path: string): string | undefined {
  let value: Value = context.map
  for (const name of path.split('.')) {
    if (!(value instanceof JavaMap)) return undefined
    value = value.entries.get(name)
  }
  return value === undefined || value === null || value instanceof JavaMap ? undefined : toText(value)
}

/** Of a parameter that came several times the last value is the single one. Source: localstack's parameter mapping, tried on AWS. */
function requestValues({ parameters, multiValues, body }: ApiCall, rest: string): string[] | undefined {
  if (rest === 'body' || rest.startsWith('body.') || rest.startsWith('body[')) return listOf(bodyText(body, rest, invalidRequest))
  const [kind, name] = splitOnce(rest, '.')
  switch (kind) {
    case 'path': return listOf(parameters.path[name])
    case 'querystring': return listOf(parameters.querystring[name])
    case 'multivaluequerystring': return multiValues.querystring[name]
    case 'header': return listOf(headerValues(multiValues.header, name)?.at(-1))
    case 'multivalueheader': return headerValues(multiValues.header, name)
    default: return undefined
  }
}

function responseValues(rest: string, { headers, body }: IntegrationResult): string[] | undefined {
  if (rest === 'body' || rest.startsWith('body.') || rest.startsWith('body[')) return listOf(bodyText(body, rest, invalidResponse))
  const [kind, name] = splitOnce(rest, '.')
  if (kind !== 'header' && kind !== 'multivalueheader') return undefined
  const values = headerValues(headers, name)
  return kind === 'header' ? listOf(values?.at(-1)) : values
}

/** Ours: names of headers have no case, as in HTTP; AWS's guide calls them case-sensitive, and many clients send them in lower case. */
function headerValues(headers: Readonly<Record<string, string | string[]>>, name: string): string[] | undefined {
  const lower = name.toLowerCase()
  const found = Object.keys(headers).find((key) => key.toLowerCase() === lower)
  return found === undefined ? undefined : [headers[found]!].flat()
}

const invalidRequest = () => new GatewayRefusal('BAD_REQUEST_BODY', 'Invalid JSON in request body')
const invalidResponse = () => new GatewayRefusal('DEFAULT_5XX', INTERNAL_SERVER_ERROR)

function bodyText(body: Buffer, expression: string, invalid: () => GatewayRefusal): string | undefined {
  try {
    return bodyValue(body, expression)
  } catch (error) {
    if (error instanceof BodyNotJson) throw invalid()
    throw error
  }
}
