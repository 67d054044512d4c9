// A WebSocket client that may break every rule: handshakes and frames as bytes, for what a real client does not send.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export const CONTINUATION = 0x0, TEXT = 0x1, BINARY = 0x2, CLOSE = 0x8, PING = 0x9, PONG = 0xa

export interface Frame {
  opcode: number
  payload?: Buffer | string
  /** The last of its message; so it is unless it is said not to be. */
  isLast?: boolean
  /** As a client's frames must be; so it is unless it is said not to be. */
  isMasked?: boolean
  /** The three reserved bits, 1 to 7. */
  reserved?: number
  /** Announces this length instead of the payload's, bytes. */
  announcedBytes?: number
}

const mask = Buffer.from([0x11, 0x22, 0x33, 0x44])

/** One frame, with the shortest length that fits. */
export function frame({ opcode, payload = '', isLast = true, isMasked = true, reserved = 0, announcedBytes }: Frame): Buffer {
  const bytes = Buffer.from(payload)
  const length = announcedBytes ?? bytes.length
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = (isLast ? 0x80 : 0) | (reserved << 4) | opcode
  head[1] = (isMasked ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127)
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  if (!isMasked) return Buffer.concat([head, bytes])
  return Buffer.concat([head, mask, bytes.map((byte, index) => byte ^ mask[index % mask.length]!)])
}

/** A message in frames of the given sizes; what they leave over is the last one. */
export function fragmented(payload: Buffer, sizes: readonly number[], opcode = TEXT): Buffer {
  let at = 0
  const pieces = sizes.map((size) => payload.subarray(at, at += size))
  const all = [...pieces, payload.subarray(at)]
  return Buffer.concat(all.map((piece, index) => frame({ opcode: index === 0 ? opcode : CONTINUATION, payload: piece, isLast: index === all.length - 1 })))
}

/** The payload of a closing frame. */
export function closing(code: number, reason = ''): Buffer {
  const bytes = Buffer.from(`  ${reason}`)
  bytes.writeUInt16BE(code, 0)
  return bytes
}

/** A key, and what a server makes of it. Source: RFC 6455, 1.3. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
export const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

/** The bytes of a handshake; `headers` replace or, being undefined, remove those of a good one. */
export function handshake({ method = 'GET', target = '/', version = '1.1', headers = {} }: {
  method?: string
  target?: string
  version?: string
  headers?: Record<string, string | undefined>
} = {}): string {
  const all = { Host: 'sockets.example', Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': KEY, 'Sec-WebSocket-Version': '13', ...headers }
  const lines = Object.entries(all).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}`)
  return [`${method} ${target} HTTP/${version}`, ...lines, '', ''].join('\r\n')
}

export interface RawClient {
  socket: Socket
  /** Waits until so many bytes came in all, or the server ended the connection; answers all that came. */
  received(bytesMin: number): Promise<Buffer>
  /** Waits for the head of the answer. */
  answered(): Promise<string>
  /** Waits for the end; answers the frames after the head of the answer. */
  ended(): Promise<Buffer>
}

const blankLine = '\r\n\r\n'

/** Connects and sends some bytes. */
export async function rawClient(port: number, bytes: string | Buffer = ''): Promise<RawClient> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  await once(socket, 'connect')
  const chunks: Buffer[] = []
  let bytesReceived = 0
  let hasEnded = false
  const waiting = new Set<() => void>()
  const wake = () => { for (const waiter of waiting) waiter() }
  const end = () => {
    hasEnded = true
    wake()
  }
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    bytesReceived += chunk.length
    wake()
  })
  for (const event of ['end', 'error', 'close']) socket.on(event, end)
  if (bytes.length > 0) socket.write(bytes)
  const until = async (isThere: () => boolean) => {
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!isThere() && !hasEnded) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
    return Buffer.concat(chunks)
  }
  const headBytes = () => Buffer.concat(chunks).indexOf(blankLine) + blankLine.length
  return {
    socket,
    received: (bytesMin) => until(() => bytesReceived >= bytesMin),
    answered: async () => (await until(() => headBytes() >= blankLine.length)).subarray(0, headBytes()).toString('latin1'),
    ended: async () => (await until(() => false)).subarray(headBytes()),
  }
}
