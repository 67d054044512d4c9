// WebSocket connections as the rest of the program sees them: whole messages in and out, everything bounded. The `ws` library speaks the protocol.

import { validateHeaderName, validateHeaderValue, type IncomingMessage } from 'node:http'
import type { ServerOptions, WebSocket } from 'ws'
import { createFrameSizes } from './frame-sizes.ts'

/** A peer that does not answer a closing frame within this time is cut. */
export const CLOSE_TIMEOUT_MS = 5_000
/** Pieces of one message, in frames. Ours: enough for the largest messages in the smallest sensible pieces; each costs memory until the last is there. */
const FRAGMENTS_MAX = 4_096
/** Pieces of one frame, as they come from the network. */
const CHUNKS_MAX = 4_096
/** Answers to pings that the client does not take; then it is cut. */
const UNSENT_PONGS_MAX = 60

/** Source: RFC 6455, 7.4.1. */
const PROTOCOL_ERROR = 1002
const INVALID_PAYLOAD = 1007
const POLICY_VIOLATION = 1008
const MESSAGE_TOO_BIG = 1009
const INTERNAL_ERROR = 1011

export interface WebSocketLimits {
  /** A whole message of the client's, bytes. */
  messageBytesMax: number
  /** The payload of one frame, either way, bytes. */
  frameBytesMax: number
  /** Handed over but not taken by the system yet, bytes. A larger message can never be sent. */
  unsentBytesMax: number
}

export interface WebSocketMessage {
  data: Buffer
  isBinary: boolean
}

export interface WebSocketConnection {
  /**
   * Sends one message, as text (then it must be UTF-8) unless it is said to be binary, in frames of at most `frameBytesMax`.
   *
   * `sent` once the system has taken it, which a client that does not read can delay until its connection ends; `closed` when the connection is
   * not open any more; `full` at once, and nothing is sent, when `unsentBytesMax` would be passed. Never rejects.
   */
  send(message: Buffer | string, options?: { binary?: boolean }): Promise<'sent' | 'closed' | 'full'>
  /**
   * Begins the closing handshake; no more messages are told. A peer that does not answer within CLOSE_TIMEOUT_MS is cut. Nothing happens the second time.
   *
   * @throws when the code may not be sent (RFC 6455, 7.4) or the reason has more than 123 bytes.
   */
  close(code: number, reason?: string): void
  /** Cuts the connection without a word. */
  terminate(): void
  /** No more messages are told, and no more is read, until `resume`. A client that leaves meanwhile is noticed then. */
  pause(): void
  resume(): void
}

export interface WebSocketHandlers {
  onMessage(message: WebSocketMessage): void
  /** A ping or a pong of the client's came. Pings have been answered. */
  onPing(): void
  /**
   * Exactly once, after the last message: the code and the reason of the client's closing frame; 1005 without a code; 1006 when the connection was cut.
   * A connection that this side closed because of a limit or of a broken protocol ends with the code that was sent. Source: RFC 6455, 7.1.5.
   */
  onClose(code: number, reason: string): void
}

/** What a handshake is answered with to open the connection. */
export interface WebSocketUpgrade {
  /** `Sec-WebSocket-Protocol` of the answer. */
  protocol?: string | undefined
  /** Further headers of the answer. */
  headers?: Record<string, string>
  /** Called when the connection is open; everything that comes goes to the handlers. A handler that throws closes the connection with 1011. */
  opened(connection: WebSocketConnection): WebSocketHandlers
  /** Called instead of `opened` when the client was gone, or the server closing, before the connection could be opened. */
  abandoned?(): void
}

/** Opens the connection of a handshake that was found good. False when the client is gone. */
export type WebSocketOpener = (incoming: IncomingMessage, upgrade: WebSocketUpgrade) => boolean

/** The library is loaded here: who serves no WebSocket does not pay for it. `onError` is told what handlers throw. */
export async function createWebSocketOpener(limits: WebSocketLimits, onError: (error: unknown) => void): Promise<WebSocketOpener> {
  const { WebSocketServer } = await import('ws')
  const options: ServerOptions & { closeTimeout: number, maxPendingAutoPongs: number } = {
    noServer: true, clientTracking: false, perMessageDeflate: false,
    maxPayload: limits.messageBytesMax, maxFragments: FRAGMENTS_MAX, maxBufferedChunks: CHUNKS_MAX,
    closeTimeout: CLOSE_TIMEOUT_MS, maxPendingAutoPongs: UNSENT_PONGS_MAX,
    // The protocol is chosen by the answer, and is among its headers.
    handleProtocols: () => false,
  }
  const library = new WebSocketServer(options)
  return (incoming, upgrade) => {
    const lines = headerLines(upgrade)
    const addLines = (sent: string[]) => { sent.push(...lines) }
    let isOpen = false
    library.once('headers', addLines)
    library.handleUpgrade(incoming, incoming.socket, Buffer.alloc(0), (webSocket) => {
      isOpen = true
      connect(webSocket, incoming, { limits, onError, opened: (connection) => upgrade.opened(connection) })
    })
    library.off('headers', addLines)
    return isOpen
  }
}

function headerLines({ protocol, headers = {} }: WebSocketUpgrade): string[] {
  const fields = Object.entries(protocol === undefined ? headers : { ...headers, 'Sec-WebSocket-Protocol': protocol })
  return fields.map(([name, value]) => {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return `${name}: ${value}`
  })
}

interface Opening {
  limits: WebSocketLimits
  onError: (error: unknown) => void
  opened(connection: WebSocketConnection): WebSocketHandlers
}

function connect(webSocket: WebSocket, { socket }: IncomingMessage, { limits, onError, opened }: Opening): void {
  const frames = createFrameSizes(limits.frameBytesMax)
  /** Messages that came, and how many of those that come may be told: not what follows a frame that was too large, nor what a cut connection leaves. */
  let messages = 0
  let messagesMax = Infinity
  /** Came with others while the connection was paused: at most what one read of the network brings. */
  let held: WebSocketMessage[] = []
  let isPaused = false
  let isClosing = false
  /** What this side closed it for. */
  let violation: number | undefined
  let end: { code: number, reason: string } | undefined
  let isEndTold = false

  const connection: WebSocketConnection = {
    async send(message, { binary = false } = {}) {
      const data = typeof message === 'string' ? Buffer.from(message) : message
      if (webSocket.readyState !== webSocket.OPEN) return 'closed'
      if (webSocket.bufferedAmount + data.length > limits.unsentBytesMax) return 'full'
      return sendInFrames(webSocket, data, binary, limits.frameBytesMax)
    },
    close(code, reason) {
      if (isClosing) return
      webSocket.close(code, reason)
      stop()
    },
    terminate() {
      webSocket.terminate()
      stop()
    },
    pause() {
      if (isClosing) return
      isPaused = true
      webSocket.pause()
    },
    resume() {
      if (!isPaused) return
      isPaused = false
      // Not before whoever resumes has finished: its handler would be called within its own call.
      process.nextTick(goOn)
    },
  }

  /** Nothing is told any more but the end, and whatever still comes is read so that it can come. */
  function stop(): void {
    isClosing = true
    held = []
    isPaused = false
    process.nextTick(goOn)
  }

  function goOn(): void {
    while (!isPaused && held.length > 0) tell(held.shift()!)
    if (!isPaused) webSocket.resume()
    if (!end || held.length > 0 || isEndTold) return
    isEndTold = true
    const { code, reason } = end
    guarded(() => handlers.onClose(code, reason))
  }

  function tell(message: WebSocketMessage): void {
    guarded(() => handlers.onMessage(message))
  }

  function guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      onError(error)
      connection.close(INTERNAL_ERROR)
    }
  }

  /** Before the library sees the same bytes, which may hold the whole frame. */
  function judge(bytes: Buffer): void {
    const messagesBefore = isClosing ? undefined : frames.read(bytes)
    if (messagesBefore === undefined) return
    messagesMax = messagesBefore
    violation = MESSAGE_TOO_BIG
    webSocket.close(MESSAGE_TOO_BIG)
    // What follows is thrown away until the client closes its side, as the library does with what it refuses itself.
    socket.removeAllListeners('data')
    socket.end()
    webSocket.resume()
  }

  socket.prependListener('data', judge)
  socket.prependListener('close', () => { messagesMax = messages })
  webSocket.on('message', (data: Buffer, isBinary) => {
    messages += 1
    if (isClosing || messages > messagesMax) return
    if (isPaused || held.length > 0) held.push({ data, isBinary })
    else tell({ data, isBinary })
  })
  const pinged = () => { if (!isClosing && violation === undefined) guarded(() => handlers.onPing()) }
  webSocket.on('ping', pinged)
  webSocket.on('pong', pinged)
  webSocket.on('error', (error: NodeJS.ErrnoException) => { if (!isClosing) violation ??= violationOf(error) })
  webSocket.on('close', (code, reason) => {
    end = violation === undefined ? { code, reason: reason.toString() } : { code: violation, reason: '' }
    goOn()
  })

  let handlers: WebSocketHandlers = { onMessage() {}, onPing() {}, onClose() {} }
  guarded(() => { handlers = opened(connection) })
}

/** All frames at once, so that those of two messages never mix. */
function sendInFrames(webSocket: WebSocket, data: Buffer, binary: boolean, frameBytesMax: number): Promise<'sent' | 'closed'> {
  return new Promise((resolve) => {
    const settle = (error?: Error | null) => resolve(error ? 'closed' : 'sent')
    let at = 0
    for (; at + frameBytesMax < data.length; at += frameBytesMax) webSocket.send(data.subarray(at, at + frameBytesMax), { binary, fin: false })
    webSocket.send(data.subarray(at), { binary, fin: true }, settle)
  })
}

/** The code that the library closed with; undefined for what is no fault of the client's. */
function violationOf({ code = '' }: NodeJS.ErrnoException): number | undefined {
  if (!code.startsWith('WS_ERR_')) return undefined
  return violationCodes[code] ?? PROTOCOL_ERROR
}

const violationCodes: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: INVALID_PAYLOAD,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: MESSAGE_TOO_BIG,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: MESSAGE_TOO_BIG,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: POLICY_VIOLATION,
}
