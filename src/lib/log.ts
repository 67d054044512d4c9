// What the server says about itself: one JSON object a line on stderr. Secrets never enter it.

import { pino, type Logger } from 'pino'

export type Log = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error'>

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Fields that could carry a secret are blanked wherever they appear in a logged object. */
const secretPaths = ['authorization', 'secretAccessKey', 'sessionToken', 'headers.authorization', 'headers["x-amz-security-token"]', 'headers["x-api-key"]']

export function createLog(level: LogLevel): Log {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: secretPaths }, pino.destination({ fd: 2, sync: true }))
}
