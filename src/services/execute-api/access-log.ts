// Access logs: one line for each request, in the format that its stage gives. REST, HTTP and WebSocket APIs share this renderer.

import { parseArn } from '#aws/arn.ts'
import type { LogSink } from '#services/logs/index.ts'

/** As a stage has them. */
export interface AccessLogSettings {
  /** A log group's ARN, with or without `:*` at its end. */
  destinationArn?: string | undefined
  format?: string | undefined
}

/**
 * The value of a variable by its name without `$context.`: `requestId`, `identity.sourceIp`, `authorizer.claims.sub`. What is undefined,
 * null or empty is printed as `-`. Each kind of API has its own table of them; a variable that it does not know is undefined.
 */
export type AccessVariables = (name: string) => AccessValue

export type AccessValue = string | number | boolean | null | undefined

/** Writes access lines. Make one for each data plane: it keeps what it compiled from the settings of stages. */
export interface AccessLog {
  /** Writes the request's line where the stage asks for one. Never waits and never throws. */
  write(settings: AccessLogSettings | undefined, atMs: number, variables: AccessVariables): void
}

interface Destination {
  accountId: string
  region: string
  group: string
  render: (variables: AccessVariables) => string
}

export function createAccessLog(logs: Pick<LogSink, 'append'>): AccessLog {
  // The settings of a stage are one object until the stage changes.
  const compiled = new WeakMap<AccessLogSettings, Destination | 'none'>()
  return {
    write(settings, atMs, variables) {
      if (!settings) return
      let destination = compiled.get(settings)
      if (!destination) compiled.set(settings, destination = destinationOf(settings) ?? 'none')
      if (destination === 'none') return
      const { accountId, region, group, render } = destination
      logs.append({ accountId, region, group, stream: streamOf(atMs), events: [{ timestampMs: atMs, message: render(variables) }] })
    },
  }
}

/** Ours: one stream a day. AWS spreads the lines over streams named by a hash. */
export const streamOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10)

function destinationOf({ destinationArn, format }: AccessLogSettings): Destination | undefined {
  const group = logGroupOf(destinationArn ?? '')
  return group && format !== undefined && format !== '' ? { ...group, render: compileAccessLogFormat(format) } : undefined
}

/** The log group that an ARN names, or undefined when it names something else. */
export function logGroupOf(destinationArn: string): { accountId: string, region: string, group: string } | undefined {
  const arn = parseArn(destinationArn)
  const group = arn?.service === 'logs' ? /^log-group:([\w./#-]{1,512})(?::\*)?$/.exec(arn.resource)?.[1] : undefined
  return group === undefined ? undefined : { accountId: arn!.accountId, region: arn!.region, group }
}

/**
 * `$context.name` and `${context.name}`. Names are words with dots; a key of an authorizer's context, of a token's claims or of overridden headers may have colons
 * and hyphens inside. Source: developer guide, "Variables for access logging for API Gateway": names are case-sensitive.
 */
const variable = /\$(?:\{context\.([\w.:-]+)\}|context\.((?:authorizer|requestOverride|responseOverride)(?:\.\w(?:[\w:-]*\w)?)+|\w+(?:\.\w+)*))/g

/** The variables that a format names, without `$context.`, in their order. */
export function variablesIn(format: string): string[] {
  return [...format.matchAll(variable)].map(([, braced, plain]) => braced ?? plain!)
}

/**
 * A format made ready: texts and variables in turn.
 * Source: developer guide, "Set up access logging for REST APIs"; a missing value is `-`, as users' published lines show.
 */
export function compileAccessLogFormat(format: string): (variables: AccessVariables) => string {
  // An event needs no end of line, which a format may have.
  const text = format.replace(/\r?\n$/, '')
  const texts: string[] = []
  const names = variablesIn(text)
  let end = 0
  for (const match of text.matchAll(variable)) {
    texts.push(text.slice(end, match.index))
    end = match.index + match[0].length
  }
  texts.push(text.slice(end))
  return (variables) => {
    let line = texts[0]!
    for (let index = 0; index < names.length; index++) line += shown(names[index]!, variables(names[index]!)) + texts[index + 1]!
    return line
  }
}

/** What is a quoted text already: `"Internal server error"`. */
const QUOTED = 'error.messageString'

function shown(name: string, value: AccessValue): string {
  if (value === undefined || value === null || value === '') return '-'
  const text = typeof value === 'string' ? value : String(value)
  return name === QUOTED ? text : escaped(text)
}

/** Ours: quotes, backslashes and control characters as JSON has them, so that a User-Agent cannot write members or lines of its own. */
function escaped(text: string): string {
  return /["\\\p{Cc}]/u.test(text) ? JSON.stringify(text).slice(1, -1) : text
}
