// A WebSocket client for tests: the `ws` library, with what comes in as promises.

import { WebSocket } from 'ws'

export interface TestSocket extends AsyncDisposable {
  socket: WebSocket
  send(message: string | Buffer | object): void
  /** The next message, in order; text. */
  next(): Promise<string>
  /** Sends and waits for the next. */
  ask(message: string | object): Promise<string>
  /** How it was closed, once it is. */
  closed: Promise<{ code: number, reason: string }>
}

/** What a handshake was answered with instead of a connection. */
export class Refused extends Error {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  constructor(status: number, body: string, headers: Refused['headers']) {
    super(`${status} ${body}`)
    this.name = 'Refused'
    this.status = status
    this.body = body
    this.headers = headers
  }
}

export interface SocketGiven {
  headers?: Record<string, string>
  protocols?: string[]
  /** Told the headers of the answer. */
  onUpgrade?: (headers: Refused['headers']) => void
}

export function openSocket(url: string, { headers = {}, protocols = [], onUpgrade }: SocketGiven = {}): Promise<TestSocket> {
  const socket = new WebSocket(url, protocols, { headers })
  if (onUpgrade) socket.on('upgrade', (answer) => onUpgrade(answer.headers))
  const messages: string[] = []
  const waiting: ((message: string) => void)[] = []
  socket.on('message', (data: Buffer) => {
    const wanted = waiting.shift()
    if (wanted) wanted(data.toString('utf8'))
    else messages.push(data.toString('utf8'))
  })
  const closed = new Promise<{ code: number, reason: string }>((resolve) => socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })))
  const send = (message: string | Buffer | object) => socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message))
  const next = () => messages.length > 0 ? Promise.resolve(messages.shift()!) : new Promise<string>((resolve) => { waiting.push(resolve) })
  const opened: TestSocket = {
    socket, closed, send, next,
    ask(message) {
      send(message)
      return next()
    },
    async [Symbol.asyncDispose]() {
      if (socket.readyState === socket.OPEN) socket.close()
      await closed
    },
  }
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve(opened))
    socket.on('error', reject)
    socket.on('unexpected-response', (request, answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => {
        request.destroy()
        reject(new Refused(answer.statusCode ?? 0, Buffer.concat(chunks).toString('utf8'), answer.headers))
      })
    })
  })
}

/** The refusal of a handshake; fails when there is a connection instead. */
export async function refusedSocket(url: string, options?: SocketGiven): Promise<Refused> {
  try {
    await using _client = await openSocket(url, options)
  } catch (error) {
    if (error instanceof Refused) return error
    throw error
  }
  throw new Error('connected')
}
