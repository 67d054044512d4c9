// A closed-loop load generator: some connections, each with one request under way, for a fixed time.

import { connect, type Socket } from 'node:net'

export interface LoadOptions {
  port: number
  connections: number
  seconds: number
  /** The bytes of the n-th request on a connection; made before the time runs where they can be. */
  request: (connection: number, index: number) => Buffer
  /** The status that every answer must have. */
  status: number
}

export interface LoadResult {
  requestsPerSecond: number
  p50Ms: number
  p99Ms: number
}

/** Fails when an answer has another status, showing it. */
export async function load({ port, connections, seconds, request, status }: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = []
  const endAt = performance.now() + seconds * 1000
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: connections }, (_, connection) => drive(connection)))
  const elapsed = (performance.now() - startedAt) / 1000
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
  return { requestsPerSecond: latencies.length / elapsed, p50Ms: at(0.5), p99Ms: at(0.99) }

  function drive(connection: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true })
      let index = 0
      let sentAt = 0
      const send = () => {
        sentAt = performance.now()
        socket.write(request(connection, index++))
      }
      readAnswers(socket, (answerStatus, body) => {
        if (answerStatus !== status) {
          socket.destroy()
          reject(new Error(`expected ${status}, got ${answerStatus}: ${body.toString().slice(0, 400)}`))
          return
        }
        const now = performance.now()
        latencies.push(now - sentAt)
        if (now < endAt) send()
        else {
          socket.destroy()
          resolve()
        }
      })
      socket.on('connect', send)
      socket.on('error', reject)
    })
  }
}

/** Calls back for each whole answer. Answers carry a content length or end chunked. */
function readAnswers(socket: Socket, onAnswer: (status: number, body: Buffer) => void): void {
  let pending: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    for (;;) {
      const headEnd = pending.indexOf('\r\n\r\n')
      if (headEnd === -1) return
      const head = pending.toString('latin1', 0, headEnd)
      const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
      const bodyStart = headEnd + 4
      let end: number
      if (length !== undefined) end = bodyStart + Number(length)
      else {
        const last = pending.indexOf('0\r\n\r\n', bodyStart)
        if (last === -1) return
        end = last + 5
      }
      if (pending.length < end) return
      const body = pending.subarray(bodyStart, end)
      pending = pending.subarray(end)
      onAnswer(Number(head.slice(9, 12)), body)
    }
  })
}
