// `countersign curl`: one signed request, as one would send it with curl.

import { readFileSync } from 'node:fs'
import { CommandRefusal, type Session } from './session.ts'
import { sendSigned, type Answer } from './request.ts'

export interface CurlOptions {
  request?: string
  header?: string[]
  data?: string
  service?: string
  include?: boolean
}

/** Sends the request. A path without a host goes to the endpoint. */
export async function curl(session: Session, target: string, options: CurlOptions, nowMs: number): Promise<Answer> {
  const url = target.startsWith('/') ? `${session.endpoint}${target}` : target
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw new CommandRefusal(`"${target}" is neither a URL nor a path of the endpoint (/…).`)
  const body = options.data === undefined ? undefined : bodyOf(options.data)
  return sendSigned(session, {
    method: options.request ?? (body ? 'POST' : 'GET'),
    url,
    headers: headersOf(options.header ?? []),
    ...(body ? { body } : {}),
    service: options.service ?? serviceOf(url),
  }, nowMs)
}

/** What `curl` prints: with `--include`, status and headers first. */
export function renderAnswer({ status, statusText, headers, body }: Answer, { include }: Pick<CurlOptions, 'include'>): Buffer {
  if (!include) return body
  const lines = Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().map((one) => `${name}: ${one}`))
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${statusText}\r\n${lines.join('\r\n')}\r\n\r\n`), body])
}

function bodyOf(data: string): Buffer {
  if (!data.startsWith('@')) return Buffer.from(data)
  const file = data.slice(1)
  try {
    return readFileSync(file === '-' ? 0 : file)
  } catch (error) {
    throw new CommandRefusal(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
}

function headersOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(':')
    if (colon < 1) throw new CommandRefusal(`"${line}" is not a header; write it as "Name: value".`)
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]
  }))
}

/** The service that a URL of this server belongs to, for the credential scope. */
function serviceOf(url: string): string {
  const { hostname, pathname } = new URL(url)
  if (/\.execute-api\./.test(hostname) || pathname.startsWith('/_aws/execute-api/') || pathname.includes('/_user_request_')) return 'execute-api'
  if (pathname.startsWith('/_countersign/')) return 'countersign'
  if (/^\/(restapis|apikeys|usageplans|account|domainnames|tags|v2)(\/|$)/.test(pathname)) return 'apigateway'
  if (/^\/20\d\d-\d\d-\d\d\//.test(pathname)) return 'lambda'
  throw new CommandRefusal('Name the service that the request is for: --service NAME.')
}
