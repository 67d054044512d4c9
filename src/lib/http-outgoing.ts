// An `HttpResponse` sent by Node's HTTP server, and the end of connections that are not kept.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { HttpResponse } from './http.ts'

/** What the client of a failing handler gets: why it failed is told to us only. */
export const internalError: HttpResponse = { status: 500, headers: { 'content-type': 'application/json' }, body: '{"message":"Internal server error"}' }

/** Resolves once the whole answer was handed over; rejects when the client goes away under a body that is a stream. */
export async function send(incoming: IncomingMessage, outgoing: ServerResponse, { status, headers, body }: HttpResponse): Promise<void> {
  // A body that nobody read is not read now either: the connection ends with the answer.
  const isUnread = !incoming.complete
  if (isUnread) {
    outgoing.setHeader('connection', 'close')
    outgoing.once('finish', () => lingerThenDestroy(incoming.socket))
  }
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) {
    const bytes = body === undefined ? 0 : Buffer.byteLength(body)
    outgoing.writeHead(status, status === 204 || status === 304 ? headers : { ...headers, 'content-length': String(bytes) })
    outgoing.end(incoming.method === 'HEAD' ? undefined : body)
    return
  }
  outgoing.writeHead(status, headers)
  await pipeline(body, outgoing)
}

/** Ends the connection: gives the client a moment to read the answer before the connection is cut under the body it is still sending. */
export function lingerThenDestroy(socket: Socket): void {
  socket.end()
  const timer = setTimeout(() => socket.destroy(), 1000)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}
