// How long a backend has.

import { WEBSOCKET_TIMEOUT_MS_MAX } from '../limits.ts'
import type { SocketCall } from '../exchange.ts'

/** Milliseconds. */
export function timeoutOf({ integration: { definition } }: SocketCall): number {
  return Math.min(definition.timeoutInMillis || WEBSOCKET_TIMEOUT_MS_MAX, WEBSOCKET_TIMEOUT_MS_MAX)
}
