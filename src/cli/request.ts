// A signed request as the command line sends it: over Node's own HTTP client, with the Host that was signed.

import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { signHeaders } from '#aws/sigv4/sign.ts'
import { CommandRefusal, type Session } from './session.ts'

export interface SignedRequest {
  method: string
  /** Absolute. Sent exactly as it stands. */
  url: string
  headers?: Record<string, string>
  body?: Buffer
  /** The service name of the credential scope. */
  service: string
}

export interface Answer {
  status: number
  statusText: string
  headers: IncomingHttpHeaders
  body: Buffer
}

const ANSWER_TIMEOUT_MS = 60_000

/** Signs with the session's credentials and sends. Fails with the network's own error. @throws CommandRefusal when no answer comes. */
export function sendSigned({ credentials, region }: Session, { method, url, headers = {}, body = Buffer.alloc(0), service }: SignedRequest, nowMs: number): Promise<Answer> {
  const { protocol, host, hostname, port, pathname, search } = new URL(url)
  const signed = signHeaders({
    method, path: pathname, rawQuery: search.slice(1), headers: { ...headers, host }, body, service, region, credentials, nowMs,
  })
  const send = protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const outgoing = send({ hostname: hostname.replace(/^\[|\]$/g, ''), port, method, path: pathname + search, headers: signed, timeout: ANSWER_TIMEOUT_MS }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => resolve({ status: incoming.statusCode!, statusText: incoming.statusMessage ?? '', headers: incoming.headers, body: Buffer.concat(chunks) }))
    })
    outgoing.on('timeout', () => outgoing.destroy(new CommandRefusal(`There was no answer from ${host} within ${ANSWER_TIMEOUT_MS / 1000} s.`)))
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
