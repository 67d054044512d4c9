// Points in time as text and numbers, in the three forms that AWS's protocols use.

import type { TimestampFormat } from '../model.ts'

/** Seconds since 1970 (with a fraction where there is one), ISO 8601, or the form of HTTP headers. */
export function formatTimestamp(at: Date, format: TimestampFormat): number | string {
  if (format === 'unixTimestamp') return at.getTime() / 1000
  if (format === 'rfc822') return at.toUTCString()
  // Whole seconds are written without a fraction, as the services do.
  const text = at.toISOString()
  return text.endsWith('.000Z') ? `${text.slice(0, -5)}Z` : text
}

/** The time that a client wrote, in whichever of the forms, or undefined when it is none. */
export function parseTimestamp(given: string | number): Date | undefined {
  if (typeof given === 'string' && given.trim() === '') return undefined
  const seconds = Number(given)
  const at = Number.isNaN(seconds) ? new Date(given) : new Date(seconds * 1000)
  return Number.isNaN(at.getTime()) ? undefined : at
}
