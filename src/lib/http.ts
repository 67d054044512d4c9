// HTTP as the rest of the program sees it: a request exactly as it was sent, and an answer as a value.

import type { Readable } from 'node:stream'

/** A request whose body has not been read yet. Everything is as the client sent it: nothing decoded, joined or normalized. */
export interface HttpRequest {
  method: string
  /** The request target before `?`, percent-encoding untouched. Always starts with `/`. */
  path: string
  /** The request target after `?`; empty without one. */
  rawQuery: string
  headers: HttpHeaders
  /** The address of the peer, or of the client behind a trusted proxy. */
  remoteAddress: string
  /** Whether the client spoke TLS (to us, or to a trusted proxy). */
  isSecure: boolean
  /**
   * Reads the whole body, once; later calls give the same bytes.
   *
   * @throws BodyTooLarge as soon as more than `bytesMax` are announced or seen.
   */
  body(bytesMax: number): Promise<Buffer>
}

/** Header fields in the order they came. Names compare without case. */
export interface HttpHeaders {
  /** The only or first value of a field, or undefined. */
  get(name: string): string | undefined
  /** All values of a field, in order. */
  all(name: string): string[]
  /** Name (as sent) and value of every field line, in order. */
  entries(): readonly (readonly [name: string, value: string])[]
}

export interface HttpResponse {
  status: number
  /** Field names as they should appear; a list of values makes one line each. */
  headers: Record<string, string | string[]>
  body?: Buffer | string | Readable
}

export class BodyTooLarge extends Error {
  readonly bytesMax: number
  constructor(bytesMax: number) {
    super(`the body is larger than ${bytesMax} bytes`)
    this.bytesMax = bytesMax
  }
}

/** Headers from Node's `rawHeaders`: names and values alternating. */
export function headersFromRaw(rawHeaders: readonly string[]): HttpHeaders {
  const lines: (readonly [string, string])[] = []
  const byName = new Map<string, string[]>()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    const value = rawHeaders[index + 1]!
    lines.push([name, value])
    const key = name.toLowerCase()
    const values = byName.get(key)
    if (values) values.push(value)
    else byName.set(key, [value])
  }
  return {
    get: (name) => byName.get(name.toLowerCase())?.[0],
    all: (name) => byName.get(name.toLowerCase()) ?? [],
    entries: () => lines,
  }
}
