// Dates as policies write them: ISO 8601 in the W3C profile, or seconds since 1970.

/** Years that a date may have; beyond them it is no date. Source: the range that recorded refusals of IAM show (64-bit milliseconds). */
const YEAR_MAX = 292_278_993
const YEAR_MIN = -292_275_054
const EPOCH_SECONDS_MAX = 9_223_372_036_854_775_807n

/**
 * Milliseconds since 1970, or undefined when the text is no date.
 *
 * Parts may be missing from the right (`2026`, `2026-02`, `2026-02-01T10`); what is missing is the start of the period, in UTC.
 * Source: IAM user guide, "Condition operators", date operators; W3C note "Date and Time Formats".
 * Observed: AWS, 10-02-2026 and 18-02-2026, recorded by localstack's test_create_policy_valid_document and
 * test_create_policy_invalid_document: `01T` is a date, `2016-12-13t2:00:00.593194+1` and ten decimals of a second are not.
 */
export function parseDate(text: string): number | undefined {
  if (/^\d+$/.test(text) && text.length > 4) {
    return BigInt(text) <= EPOCH_SECONDS_MAX ? Number(text) * 1000 : undefined
  }
  const parts = datePattern.exec(text)
  if (!parts) return undefined
  const { year, month, day, hour, minute, second, fraction, sign, zoneHour, zoneMinute } = parts.groups!
  const numbers = [
    within(year, YEAR_MIN, YEAR_MAX), within(month ?? '1', 1, 12), within(day ?? '1', 1, 31), within(hour ?? '0', 0, 23),
    within(minute ?? '0', 0, 59), within(second ?? '0', 0, 59), within(zoneHour ?? '0', 0, 23), within(zoneMinute ?? '0', 0, 59),
  ]
  if (numbers.includes(undefined)) return undefined
  const [y, mo, d, h, mi, s, zh, zm] = numbers as number[]
  const date = new Date(0)
  date.setUTCFullYear(y!, mo! - 1, d!)
  date.setUTCHours(h!, mi!, s!, fraction ? Math.floor(Number(`0.${fraction}`) * 1000) : 0)
  const offsetMs = (zh! * 60 + zm!) * 60_000 * (sign === '-' ? -1 : 1)
  return Number.isNaN(date.getTime()) ? undefined : date.getTime() - offsetMs
}

const datePattern = new RegExp(
  '^(?<year>-?\\d{1,9})(?:-(?<month>\\d{1,2})(?:-(?<day>\\d{1,2}))?)?'
  + '(?:[tT ](?:(?<hour>\\d{1,2})(?::(?<minute>\\d{1,2})(?::(?<second>\\d{1,2})(?:\\.(?<fraction>\\d{1,9}))?)?)?'
  + '(?:[zZ]|(?<sign>[+-])(?<zoneHour>\\d{2})(?::?(?<zoneMinute>\\d{2}))?)?)?)?$',
)

function within(text: string | undefined, min: number, max: number): number | undefined {
  const number = Number(text)
  return number >= min && number <= max ? number : undefined
}
