// Parameter mappings: what is appended to, overwritten in, or removed from a request or an answer.

import { isReservedHeader } from '#aws/http-payload/reserved-headers.ts'
import { compileTemplate, type Sources, type Template } from './expressions.ts'

export type Mapping = readonly Change[]

interface Change {
  action: 'append' | 'overwrite' | 'remove'
  part: 'header' | 'querystring' | 'path' | 'statuscode'
  name: string
  value: Template
}

/** Lists of values by name; header names in lower case. */
export type Values = Map<string, string[]>

export interface MappedRequest {
  headers: Values
  query: Values
  /** What takes the place of the path; undefined when nothing does. */
  path: string | undefined
}

export interface MappedResponse {
  headers: Values
  status: number
}

/**
 * Source: API Gateway developer guide, "Transform API requests and responses for HTTP APIs".
 * Members of AWS's other integrations (`Detail`, `QueueUrl`) are no changes and mean nothing here.
 */
export function compileMapping(parameters: Readonly<Record<string, string>> | undefined): Mapping {
  return Object.entries(parameters ?? {}).flatMap(([key, text]): Change[] => {
    const [, action, part, name = ''] = /^(append|overwrite|remove):(header|querystring|path|statuscode)(?:\.(.+))?$/i.exec(key) ?? []
    if (action === undefined || part === undefined) return []
    return [{ action: action.toLowerCase() as Change['action'], part: part.toLowerCase() as Change['part'], name, value: compileTemplate(text) }]
  })
}

/** Values that the mapping reads are those of the request as it came. */
export function mapRequest(mapping: Mapping, request: MappedRequest, sources: Sources): MappedRequest {
  for (const change of mapping) {
    if (change.part === 'header') changeValues(request.headers, change, change.name.toLowerCase(), sources)
    else if (change.part === 'querystring') changeValues(request.query, change, change.name, sources)
    else if (change.part === 'path' && change.action === 'overwrite') request.path = change.value(sources) ?? request.path
  }
  return request
}

export function mapResponse(mapping: Mapping, response: MappedResponse, sources: Sources): MappedResponse {
  for (const change of mapping) {
    if (change.part === 'header') changeValues(response.headers, change, change.name.toLowerCase(), sources)
    else if (change.part === 'statuscode') {
      const status = Number(change.value(sources))
      if (Number.isInteger(status) && status >= 100 && status <= 599) response.status = status
    }
  }
  return response
}

function changeValues(values: Values, { action, part, value }: Change, name: string, sources: Sources): void {
  if (part === 'header' && isReservedHeader(name)) return
  if (action === 'remove') {
    values.delete(name)
    return
  }
  const text = value(sources)
  if (text === undefined || /[\r\n\0]/.test(text)) return
  values.set(name, action === 'append' ? [...values.get(name) ?? [], text] : [text])
}
