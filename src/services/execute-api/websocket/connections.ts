// What backends can do with a client's connection, wherever it is held: the other half of a WebSocket API.

export interface ConnectionKey {
  /** As clients and functions see it: 16 characters, see `connection-ids.ts`. */
  connectionId: string
  apiId: string
  stageName: string
}

export interface ConnectionFacts {
  connectedAtMs: number
  /** When a message last went either way. */
  lastActiveAtMs: number
  sourceIp: string
  userAgent: string | undefined
}

/**
 * Every answer is `gone` for a connection that is closed, that never was, that is another stage's, or whose `$connect` has not been answered yet.
 * A result is known only once it holds: `sent` when the message was handed to the client's connection.
 */
export interface Connections {
  describe(key: ConnectionKey): Promise<ConnectionFacts | 'gone'>
  /** `full`: the client does not read what was sent before. */
  send(key: ConnectionKey, message: Buffer): Promise<'sent' | 'gone' | 'full'>
  disconnect(key: ConnectionKey): Promise<'closed' | 'gone'>
}
