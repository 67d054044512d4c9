// The two forms of date that a signed request may carry, and the one that is signed.

/** Of the zones only the ways to write UTC: signers write `GMT`, botocore `-0000`. */
const RFC_1123 = /^([A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d) (?:GMT|UTC|[+-]0000)$/

/** `20150830T123600Z`. */
export function isoBasic(atMs: number): string {
  return new Date(atMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

/** The moment that `20150830T123600Z` names, in milliseconds; undefined for any other form and for days that do not exist. */
export function parseIsoBasic(text: string): number | undefined {
  if (text.length !== 16 || text[8] !== 'T' || text[15] !== 'Z') return undefined
  const year = digitsAt(text, 0) * 100 + digitsAt(text, 2)
  const month = digitsAt(text, 4)
  const day = digitsAt(text, 6)
  const hour = digitsAt(text, 9)
  const minute = digitsAt(text, 11)
  const second = digitsAt(text, 13)
  // Date.UTC takes years before 100 for those after 1900, and counts February 30 into March. NaN fails every comparison.
  if (!(year >= 1000 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month) && hour <= 23 && minute <= 59 && second <= 59)) return undefined
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

/** The number that two digits make; NaN for anything else. */
function digitsAt(text: string, index: number): number {
  const tens = text.charCodeAt(index) - ZERO
  const ones = text.charCodeAt(index + 1) - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN
}

const ZERO = '0'.charCodeAt(0)

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
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
