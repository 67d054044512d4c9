// HTTP as the rest of the program sees it: a request exactly as it was sent, and an answer as a value.

import type { Readable } from 'node:stream'

/** A request whose body has not been read yet. Everything is as the client sent it: nothing decoded or joined. */
export interface HttpRequest {
  method: string
  /**
   * The request target before `?`, percent-encoding untouched. Always starts with `/`. `.` and `..` segments are resolved, so that no
   * request is signed or authorized as one path and served as another.
   */
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

/** The client went away while its request was being read: there is nobody to answer. */
export class ClientGone extends Error {
  /** As Node calls it. A connection of ours that broke (to a database, to a function) has the same code, but not this class. */
  readonly code = 'ECONNRESET'
  constructor(cause?: unknown) {
    super('the client is gone', { cause })
    this.name = 'ClientGone'
  }
}

/** Headers from Node's `rawHeaders`: names and values alternating. */
export function headersFromRaw(rawHeaders: readonly string[]): HttpHeaders {
  return new RawHeaders(rawHeaders)
}

/** A request has about ten header lines: to look through them is faster than to index them. */
class RawHeaders implements HttpHeaders {
  readonly #raw: readonly string[]
  /** In lower case, each where its name stands in `#raw`. */
  readonly #names: string[] = []

  constructor(raw: readonly string[]) {
    this.#raw = raw
    for (let index = 0; index + 1 < raw.length; index += 2) this.#names.push(raw[index]!.toLowerCase())
  }

  get(name: string): string | undefined {
    const index = this.#names.indexOf(name.toLowerCase())
    return index === -1 ? undefined : this.#raw[2 * index + 1]
  }

  all(name: string): string[] {
    const key = name.toLowerCase()
    const values: string[] = []
    for (let index = 0; index < this.#names.length; index += 1) if (this.#names[index] === key) values.push(this.#raw[2 * index + 1]!)
    return values
  }

  entries(): readonly (readonly [string, string])[] {
    return this.#names.map((_, index) => [this.#raw[2 * index]!, this.#raw[2 * index + 1]!] as const)
  }
}

/**
 * A path without empty, `.` and `..` segments. A trailing slash stays unless nothing else is left: `/a/./` is `/a/`; `/a/..` and
 * `/a/../` are `/`.
 */
export function normalizedPath(path: string): string {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  return `/${segments.join('/')}${segments.length > 0 && path.endsWith('/') ? '/' : ''}`
}
