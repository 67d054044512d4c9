// DynamoDB's numbers: 38 significant digits, from 1E-130 to 9.99…E+125, kept as text and never as floating point.

import { errors } from './errors.ts'

/** A number other than zero: its digits without zeros at either end, and the power of ten of the first. */
interface Decimal {
  isNegative: boolean
  digits: string
  exponent: number
}

const DIGITS_MAX = 38
const EXPONENT_MAX = 125
const EXPONENT_MIN = -130

/** Whole numbers in the form that DynamoDB prints: by far the most common, and cheap to know. */
const plainInteger = /^(?:0|-?[1-9]\d{0,37})$/

/**
 * The number as DynamoDB prints it: `1E2` → `100`, `-0` → `0`, `1.50` → `1.5`.
 *
 * @throws ValidationException for what is no number, or one out of range.
 * Observed: DynamoDB, recorded by dynalite's tests (putItem.js), for words and limits; eu-west-2, 2026, recorded by nubo-db's
 * numberPrecision.test.ts and numberByteSize.test.ts for the printed form.
 */
export function normalizeNumber(text: string): string {
  if (plainInteger.test(text)) return text
  const decimal = parse(text)
  if (decimal === 'zero') return '0'
  check(decimal)
  return print(decimal)
}

/** Orders two numbers that `normalizeNumber` made: negative, zero or positive. */
export function compareNumbers(left: string, right: string): number {
  if (left === right) return 0
  const [a, b] = [parse(left), parse(right)]
  const signs = signOf(a) - signOf(b)
  if (signs !== 0 || a === 'zero' || b === 'zero') return signs
  const magnitudes = a.exponent - b.exponent || (a.digits < b.digits ? -1 : a.digits > b.digits ? 1 : 0)
  return a.isNegative ? -magnitudes : magnitudes
}

/**
 * What a normalized number counts towards the size of an item, bytes: one, one for each pair of digits (pairs are counted from the
 * decimal point), and one for a minus.
 *
 * Observed: DynamoDB, recorded by dynalite's tests; eu-west-2, 18-08-2026, recorded by nubo-db's item-size.ts (23 numbers).
 */
export function numberBytes(text: string): number {
  const decimal = parse(text)
  if (decimal === 'zero') return 1
  const { digits, exponent, isNegative } = decimal
  const pairs = Math.floor(exponent / 2) - Math.floor((exponent - digits.length + 1) / 2) + 1
  return 1 + pairs + (isNegative ? 1 : 0)
}

const zeroByte = 0x80
const positiveByte = 0x81
const negativeByte = 0x7f
/** After a negative number's digits: greater than any of them, because of two with one beginning the longer is the smaller. */
const negativeEnd = 102

/**
 * A normalized number as bytes whose order is that of the numbers: the sign, the exponent, then digits in pairs (for a negative number
 * all of them counted downwards).
 */
export function encodeNumber(text: string): Buffer {
  const decimal = parse(text)
  if (decimal === 'zero') return Buffer.from([zeroByte])
  const { isNegative, digits, exponent } = decimal
  const pairs = Math.ceil(digits.length / 2)
  const bytes = Buffer.alloc(2 + pairs + (isNegative ? 1 : 0))
  const biased = exponent - EXPONENT_MIN
  bytes[0] = isNegative ? negativeByte : positiveByte
  bytes[1] = isNegative ? 255 - biased : biased
  for (let index = 0; index < pairs; index++) {
    const pair = digits.charCodeAt(index * 2) * 10 - 480 + (index * 2 + 1 < digits.length ? digits.charCodeAt(index * 2 + 1) - 48 : 0)
    bytes[2 + index] = isNegative ? 101 - pair : pair + 1
  }
  if (isNegative) bytes[2 + pairs] = negativeEnd
  return bytes
}

function parse(text: string): Decimal | 'zero' {
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text)
  const [, sign, whole = '', fraction = '', power] = parts ?? []
  if (!parts || whole + fraction === '') {
    throw errors.ValidationException(`The parameter cannot be converted to a numeric value${text === '' ? '' : `: ${text}`}`)
  }
  const all = whole + fraction
  let start = 0
  while (all.charCodeAt(start) === 48) start++
  if (start === all.length) return 'zero'
  let end = all.length
  while (all.charCodeAt(end - 1) === 48) end--
  // A power of absurd length becomes an infinite exponent, which is out of range either way.
  return { isNegative: sign === '-', digits: all.slice(start, end), exponent: whole.length - 1 - start + Number(power ?? 0) }
}

function check({ digits, exponent }: Decimal): void {
  if (exponent > EXPONENT_MAX) throw errors.ValidationException('Number overflow. Attempting to store a number with magnitude larger than supported range')
  if (exponent < EXPONENT_MIN) throw errors.ValidationException('Number underflow. Attempting to store a number with magnitude smaller than supported range')
  if (digits.length > DIGITS_MAX) throw errors.ValidationException('Attempting to store more than 38 significant digits in a Number')
}

function print({ isNegative, digits, exponent }: Decimal): string {
  const point = exponent + 1
  const text = point <= 0 ? `0.${'0'.repeat(-point)}${digits}`
    : point >= digits.length ? digits.padEnd(point, '0')
    : `${digits.slice(0, point)}.${digits.slice(point)}`
  return isNegative ? `-${text}` : text
}

function signOf(decimal: Decimal | 'zero'): number {
  return decimal === 'zero' ? 0 : decimal.isNegative ? -1 : 1
}
