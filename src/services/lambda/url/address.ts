// Which requests are for a function's own address, and which function's.

import type { HttpRequest } from '#lib/http.ts'
import { URL_PATH } from '../url-directory.ts'

export interface UrlAddress {
  urlId: string
  /** What the function sees: as it was sent, without what names the function. */
  path: string
}

/** `{urlId}.lambda-url[.{region}].<any suffix>[:port]`. */
const hostForm = /^([a-z0-9]{1,64})\.lambda-url(?:\.|:|$)/i
/** Ours: for machines that do not find names below `localhost`. */
const pathForm = new RegExp(`^${URL_PATH}([a-z0-9]{1,64})(?=/|$)`, 'i')

export function urlAddressOf({ path, headers }: Pick<HttpRequest, 'path' | 'headers'>): UrlAddress | undefined {
  const named = path.startsWith(URL_PATH) ? pathForm.exec(path) : null
  if (named) return { urlId: named[1]!.toLowerCase(), path: path.slice(named[0].length) || '/' }
  const host = hostForm.exec(headers.get('host') ?? '')
  return host ? { urlId: host[1]!.toLowerCase(), path } : undefined
}
