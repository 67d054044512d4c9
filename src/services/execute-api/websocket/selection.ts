// Selection expressions: `$request.body.action`, `${request.body.version}-beta`, `\$default`. They name a route, a template, a model.

import { BodyNotJson, bodyValue } from '../templates/body-value.ts'

/** What an expression may name. What is not there makes the whole expression undefined. */
export interface SelectionScope {
  body: Buffer
  header: (name: string) => string | undefined
  querystring: (name: string) => string | undefined
  context: (name: string) => string | undefined
  stageVariable: (name: string) => string | undefined
  /** Of an integration's answer, where there is one. */
  response?: { status: number, headers: Readonly<Record<string, string | string[]>>, body: Buffer } | undefined
}

/** The key that the expression comes to; undefined when a variable of it has no value. */
export type Selection = (scope: SelectionScope) => string | undefined

/** Catches all. */
export const DEFAULT_KEY = '$default'

/** A dollar that is escaped, a variable in braces, one without. Without braces a name ends where no name could go on. */
const token = /\\\$|\$\{([^{}]+)\}|\$([A-Za-z_][\w-]*(?:\.[\w-]+|\[[^\]]*\])*)/g

/**
 * Source: API Gateway developer guide, "WebSocket selection expressions": the rules of the language, and which variables each expression knows.
 * An unknown variable (`$default`) stands for itself.
 */
export function compileSelection(expression: string): Selection {
  const parts: (string | ((scope: SelectionScope) => string | undefined))[] = []
  let end = 0
  for (const match of expression.matchAll(token)) {
    parts.push(expression.slice(end, match.index))
    end = match.index + match[0].length
    const name = match[1] ?? match[2]
    parts.push(name === undefined ? '$' : isVariable(name) ? (scope) => valueOf(name, scope) : match[0])
  }
  parts.push(expression.slice(end))
  return (scope) => {
    let key = ''
    for (const part of parts) {
      const text = typeof part === 'string' ? part : part(scope)
      if (text === undefined) return undefined
      key += text
    }
    return key
  }
}

const isVariable = (name: string): boolean => /^(?:request|context|stageVariables|integration\.response)[.[]/.test(name)

/** The value of a variable by its name without the dollar. Parameter mappings share it: their `route.request` is `request` here. */
export function valueOf(name: string, { body, header, querystring, context, stageVariable, response }: SelectionScope): string | undefined {
  const [root, rest] = splitOnce(name)
  switch (root) {
    case 'request': return requestValue(rest, { body, header, querystring })
    case 'context': return context(rest)
    case 'stageVariables': return stageVariable(rest)
    case 'integration': return response && responseValue(rest.replace(/^response\./, ''), response)
    default: return undefined
  }
}

function requestValue(name: string, { body, header, querystring }: Pick<SelectionScope, 'body' | 'header' | 'querystring'>): string | undefined {
  if (isOfBody(name)) return textOf(body, name)
  const [kind, rest] = splitOnce(name)
  switch (kind) {
    case 'header':
    case 'multivalueheader': return header(rest)
    case 'querystring':
    case 'multivaluequerystring': return querystring(rest)
    default: return undefined
  }
}

function responseValue(name: string, { status, headers, body }: NonNullable<SelectionScope['response']>): string | undefined {
  if (name.toLowerCase() === 'statuscode') return String(status)
  if (isOfBody(name)) return textOf(body, name)
  const [kind, rest] = splitOnce(name)
  if (kind !== 'header' && kind !== 'multivalueheader') return undefined
  const found = Object.keys(headers).find((key) => key.toLowerCase() === rest.toLowerCase())
  const values = found === undefined ? undefined : [headers[found]!].flat()
  return kind === 'header' ? values?.at(-1) : values?.join(',')
}

const isOfBody = (name: string): boolean => name === 'body' || name.startsWith('body.') || name.startsWith('body[')

function textOf(body: Buffer, expression: string): string | undefined {
  try {
    return bodyValue(body, expression)
  } catch (error) {
    if (error instanceof BodyNotJson) return undefined
    throw error
  }
}

function splitOnce(text: string): [head: string, rest: string] {
  const at = text.indexOf('.')
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
