// Which requests are calls of deployed APIs, and which API, stage and path they name.

import type { HttpRequest } from '#lib/http.ts'

export interface Address {
  apiId: string
  /** Empty when the path names none. */
  stageName: string
  /** The path below the stage, as it was sent; begins with a slash. */
  path: string
  /** What stood before the stage: empty in the host form. */
  prefix: string
}

/** `{apiId}.execute-api[.{region}].<any suffix>[:port]`. */
const hostForm = /^([a-z0-9]{1,32})\.execute-api(?:\.|:|$)/i
const pathForm = /^\/_aws\/execute-api\/([a-z0-9]{1,32})(?=\/|$)/i
/** Ours: the form that LocalStack's users have in their scripts. */
const userRequestForm = /^\/restapis\/([a-z0-9]{1,32})\/([^/]+)\/_user_request_(?=\/|$)/i

/** Whether a request is for a deployed API rather than for a service. Looks at path and host only. */
export function isExecuteApi(request: Pick<HttpRequest, 'path' | 'headers'>): boolean {
  return addressOf(request) !== undefined
}

export function addressOf({ path, headers }: Pick<HttpRequest, 'path' | 'headers'>): Address | undefined {
  const user = path.startsWith('/restapis/') ? userRequestForm.exec(path) : null
  if (user) {
    const rest = path.slice(user[0].length)
    return { apiId: user[1]!.toLowerCase(), stageName: decoded(user[2]!), path: rest === '' ? '/' : rest, prefix: user[0] }
  }
  const named = path.startsWith('/_aws/') ? pathForm.exec(path) : null
  if (named) return withStage(named[1]!, path.slice(named[0].length), named[0])
  const host = hostForm.exec(headers.get('host') ?? '')
  return host ? withStage(host[1]!, path, '') : undefined
}

function withStage(apiId: string, path: string, prefix: string): Address {
  const end = path.indexOf('/', 1)
  const stageName = decoded(end === -1 ? path.slice(1) : path.slice(1, end))
  return { apiId: apiId.toLowerCase(), stageName, path: end === -1 ? '/' : path.slice(end), prefix }
}

/** Whether a host name could be a custom domain's: it has labels, and is neither an address nor a name of this machine alone. */
export function mayBeCustomDomain(host: string): boolean {
  return /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(host) && !/\.\d+$/.test(host)
}

/** A percent-encoding undone, or the text itself where it is none. */
export function decoded(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
