// The two forms of date that a signed request may carry, and the one that is signed.

const ISO_BASIC = /^\d{8}T\d{6}Z$/
/** Of the zones only the ways to write UTC: signers write `GMT`, botocore `-0000`. */
const RFC_1123 = /^([A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d) (?:GMT|UTC|[+-]0000)$/

/** `20150830T123600Z`. */
export function isoBasic(atMs: number): string {
  return new Date(atMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

/** The moment that `20150830T123600Z` names, in milliseconds; undefined for any other form and for days that do not exist. */
export function parseIsoBasic(text: string): number | undefined {
  if (!ISO_BASIC.test(text)) return undefined
  const year = Number(text.slice(0, 4))
  const month = Number(text.slice(4, 6))
  const day = Number(text.slice(6, 8))
  const hour = Number(text.slice(9, 11))
  const minute = Number(text.slice(11, 13))
  const second = Number(text.slice(13, 15))
  // Date.UTC takes years before 100 for those after 1900, and counts February 30 into March.
  if (year < 1000 || hour > 23 || minute > 59 || second > 59) return undefined
  const atMs = Date.UTC(year, month - 1, day, hour, minute, second)
  const date = new Date(atMs)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? atMs : undefined
}

/**
 * The moment that a `Date` header names, in milliseconds: `Sun, 30 Aug 2015 12:36:00 GMT`, or the ISO 8601 basic form.
 * The day of the week is not compared with the date.
 */
export function parseDateHeader(text: string): number | undefined {
  const match = RFC_1123.exec(text)
  if (!match) return parseIsoBasic(text)
  const atMs = Date.parse(`${match[1]} GMT`)
  if (Number.isNaN(atMs)) return undefined
  // Date.parse takes February 31 for March 3.
  return new Date(atMs).toUTCString().slice('Sun'.length, -' GMT'.length) === match[1]!.slice('Sun'.length) ? atMs : undefined
}
