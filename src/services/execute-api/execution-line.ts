// One line of an execution log, and what may stand in it: nothing secret, and no more than fits.

import type { HttpResponse } from '#lib/http.ts'
import { isSecret, masked, maskedIn } from './mask.ts'

export interface ExecutionLine {
  /** Milliseconds since 1970. */
  atMs: number
  text: string
  /** `failure`: logged at ERROR and INFO. `progress`: at INFO. `data`: at INFO with data tracing, and never longer than 1,024 characters. */
  is: 'failure' | 'progress' | 'data'
}

/**
 * Source: developer guide, "CloudWatch log formats for API Gateway": more is cut off. That the name of the line counts, and what stands at
 * the end: users' published logs.
 */
export const LINE_CHARACTERS_MAX = 1_024

/** `{name=value, other=a,b}`, secrets masked. */
export function mapText(entries: Iterable<readonly [name: string, value: string | readonly string[]]>): string {
  const pairs = [...entries].map(([name, value]) => {
    const text = typeof value === 'string' ? value : value.join(',')
    return `${name}=${isSecret(name) ? masked(text) : text}`
  })
  return `{${pairs.join(', ')}}`
}

export const cut = (text: string): string => (text.length > LINE_CHARACTERS_MAX ? `${text.slice(0, LINE_CHARACTERS_MAX)} [TRUNCATED]` : text)

/** `name: body`, secrets masked, not longer than a line may be. */
export function bodyLine(name: string, body: HttpResponse['body'], secrets: readonly string[]): string {
  // A secret that begins where the line ends must be seen whole to be known: in a URI it is up to nine times as long.
  const slack = 9 * Math.max(0, ...secrets.map((secret) => secret.length))
  return cut(`${name}: ${maskedIn(bodyText(body, LINE_CHARACTERS_MAX + 1 + slack), secrets)}`)
}

/** Of a body no more text is made than is asked for; bytes that are no text are told by their number. */
function bodyText(body: HttpResponse['body'], characters: number): string {
  if (body === undefined) return ''
  if (typeof body === 'string') return body.slice(0, characters)
  if (!Buffer.isBuffer(body)) return '[Binary Data]'
  const text = body.toString('utf8', 0, 4 * characters)
  return text.includes('\0') ? `[Binary Data: ${body.length} bytes]` : text
}
