// Requests as values, for tests of what official clients cannot be made to send.

import { BodyTooLarge, headersFromRaw, type HttpRequest, type HttpResponse } from '#lib/http.ts'

export interface RequestParts {
  method?: string
  /** With the query string. */
  target?: string
  headers?: Readonly<Record<string, string>>
  body?: string | Buffer
  /** Told when the body is read. */
  onBody?: () => void
}

export function requestOf({ method = 'POST', target = '/', headers = {}, body = '', onBody }: RequestParts): HttpRequest {
  const bytes = Buffer.from(body)
  const [path, ...query] = target.split('?')
  const length = bytes.length === 0 ? {} : { 'content-length': String(bytes.length) }
  return {
    method,
    path: path!,
    rawQuery: query.join('?'),
    headers: headersFromRaw(Object.entries({ host: 'localhost', ...length, ...headers }).flat()),
    remoteAddress: '127.0.0.1',
    isSecure: false,
    body: async (bytesMax) => {
      onBody?.()
      if (bytes.length > bytesMax) throw new BodyTooLarge(bytesMax)
      return bytes
    },
  }
}

/** The parsed JSON body of an answer. */
export const jsonOf = ({ body }: HttpResponse): any => JSON.parse(String(body))

/** A header of an answer, whatever its case. */
export function headerOf({ headers }: HttpResponse, name: string): string | undefined {
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
  return Array.isArray(found) ? found[0] : found
}
