// What `$request.…`, `$response.…`, `$context.…` and `$stageVariables.…` stand for, in mappings and identity sources.

import { JsonPath, JsonPathError } from '../templates/json-path/path.ts'
import { JsonSyntaxError, parseJson, printJson } from '../templates/json.ts'
import { JavaList, JavaMap, toText } from '../templates/values.ts'

/** Where values come from; undefined is what is not there. */
export interface Sources {
  request: { header: (name: string) => string | undefined, querystring: (name: string) => string | undefined, path: string, pathParameter: (name: string) => string | undefined, body: Buffer }
  response?: { header: (name: string) => string | undefined, body: Buffer }
  context: (name: string) => string | undefined
  stageVariable: (name: string) => string | undefined
}

/** Source: API Gateway developer guide, "Transform API requests and responses for HTTP APIs": parameter mapping values. */
export function valueOf(expression: string, sources: Sources): string | undefined {
  const [, root, rest = ''] = /^\$?(request|response|context|stageVariables)\.(.+)$/s.exec(expression) ?? []
  switch (root) {
    case 'context': return sources.context(rest)
    case 'stageVariables': return sources.stageVariable(rest)
    case 'request': return requestValue(rest, sources.request)
    case 'response': return sources.response && responseValue(rest, sources.response)
    default: return undefined
  }
}

function requestValue(rest: string, { header, querystring, path, pathParameter, body }: Sources['request']): string | undefined {
  const [kind, name] = split(rest)
  switch (kind) {
    case 'header': return header(name)
    case 'querystring': return querystring(name)
    case 'path': return name === '' ? path : pathParameter(name)
    case 'body': return bodyValue(body, name)
    default: return undefined
  }
}

function responseValue(rest: string, { header, body }: NonNullable<Sources['response']>): string | undefined {
  const [kind, name] = split(rest)
  return kind === 'header' ? header(name) : kind === 'body' ? bodyValue(body, name) : undefined
}

function split(text: string): [string, string] {
  const dot = text.indexOf('.')
  return dot === -1 ? [text, ''] : [text.slice(0, dot), text.slice(dot + 1)]
}

/** A whole body, or what a JSONPath (without its `$.`) finds in it. Source: as above: recursion and filters are not part of it. */
function bodyValue(body: Buffer, path: string): string | undefined {
  const text = body.toString('utf8')
  if (path === '') return text === '' ? undefined : text
  try {
    const value = JsonPath.compile(path).read(parseJson(text))
    if (value === undefined || value === null) return undefined
    return value instanceof JavaList || value instanceof JavaMap ? printJson(value, 'with plain slashes') : toText(value)
  } catch (error) {
    if (error instanceof JsonPathError || error instanceof JsonSyntaxError) return undefined
    throw error
  }
}

/** A text with expressions in it: `$request.header.name`, or `${request.header.name}` where more text follows. */
export type Template = (sources: Sources) => string | undefined

const expression = /\$\{((?:request|response|context|stageVariables)\.[^{}]+)\}|\$((?:request|response|context|stageVariables)\.[\w.[\]'"*:-]+)/g

/** Compiled once. A text that is nothing but an expression is undefined where that has no value; in a longer one it is empty. */
export function compileTemplate(text: string): Template {
  const unquoted = /^'.*'$/s.test(text) ? text.slice(1, -1) : text
  const names: string[] = []
  const texts: string[] = []
  let end = 0
  for (const match of unquoted.matchAll(expression)) {
    texts.push(unquoted.slice(end, match.index))
    names.push((match[1] ?? match[2])!)
    end = match.index + match[0].length
  }
  texts.push(unquoted.slice(end))
  if (names.length === 0) return () => unquoted
  if (names.length === 1 && texts.every((part) => part === '')) return (sources) => valueOf(names[0]!, sources)
  return (sources) => texts.map((part, index) => part + (index < names.length ? valueOf(names[index]!, sources) ?? '' : '')).join('')
}
