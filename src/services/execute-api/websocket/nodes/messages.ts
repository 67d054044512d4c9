// What one process asks of another that holds a connection, and what that answers.

import type { ConnectionFacts, ConnectionKey, Connections } from '../connections.ts'

/** What is asked, named as the function of `Connections` that does it. */
export type RequestKind = keyof Connections

/** What each comes to. */
export interface Outcomes {
  describe: ConnectionFacts | 'gone'
  send: 'sent' | 'gone' | 'full'
  disconnect: 'closed' | 'gone'
}

/** `failed`: the process that holds the connection could not do it, and logged why. */
export type Answer = Outcomes[RequestKind] | 'failed'

/** Which request it is: processes number theirs, and a tag is not given again while a number could still be known. */
export interface RequestId {
  askingTag: string
  number: number
}

export interface NodeRequest extends RequestId {
  /** Of the process that holds the connection. */
  ownerTag: string
  kind: RequestKind
  key: ConnectionKey
  /** Bytes for `send`, null otherwise. */
  message: Uint8Array | null
  /** On the wall clock: not done any more from then on. */
  deadlineMs: number
}

export interface NodeAnswer extends RequestId {
  answer: Answer
  deadlineMs: number
}
