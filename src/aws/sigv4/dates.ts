// The two forms of date that a signed request may carry, and the one that is signed.

const ISO_BASIC = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/
/** Of the zones only the ways to write UTC: signers write `GMT`, botocore `-0000`. */
const RFC_1123 = /^([A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d) (?:GMT|UTC|[+-]0000)$/

/** `20150830T123600Z`. */
export function isoBasic(atMs: number): string {
  return new Date(atMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

/** The moment that `20150830T123600Z` names, in milliseconds; undefined for any other form and for days that do not exist. */
export function parseIsoBasic(text: string): number | undefined {
  const match = ISO_BASIC.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second] = match
  const atMs = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
  // Date.UTC counts February 30 into March; and it takes the years before 100 for those after 1900.
  return isoBasic(atMs) === text ? atMs : undefined
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
