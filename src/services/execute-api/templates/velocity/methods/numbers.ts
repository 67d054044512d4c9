// The methods of java.lang.Integer, Long, Double and Boolean, with the static ones that authors reach through a number (`$i.parseInt`).

import { isNumber, JavaDouble, javaEquals, toText, type Value } from '../../values.ts'
import { narrow, toDouble } from '../arithmetic.ts'
import { ofOne, ofText, plain, type Method, type Methods } from './method.ts'

type Numeric = number | bigint | JavaDouble

const wholeText = /^[+-]?\d+$/

/** @throws RangeError where Java throws NumberFormatException. */
function parseWhole(text: string): number | bigint {
  if (!wholeText.test(text)) throw new RangeError(`For input string: "${text}"`)
  return narrow(BigInt(text.startsWith('+') ? text.slice(1) : text))
}

function parseFraction(text: string): JavaDouble {
  const value = Number(text.trim())
  if (text.trim() === '' || Number.isNaN(value)) throw new RangeError(`For input string: "${text}"`)
  return new JavaDouble(value)
}

const whole: Method<Numeric> = plain((number) => (number instanceof JavaDouble ? Math.trunc(number.value) : number))
const fraction: Method<Numeric> = plain((number) => new JavaDouble(toDouble(number)))

export const numberMethods: Methods<Numeric> = {
  intValue: whole,
  longValue: whole,
  shortValue: whole,
  doubleValue: fraction,
  floatValue: fraction,
  toString: (number: Numeric, args: readonly Value[]) => toText(args.length === 0 ? number : args[0]),
  hashCode: plain((number) => Math.trunc(toDouble(number)) | 0),
  equals: ofOne((number, other) => javaEquals(number, other)),
  compareTo: ofOne((number, other) => (isNumber(other) ? Math.sign(toDouble(number) - toDouble(other)) : undefined)),
  parseInt: ofText((_, text) => parseWhole(text)),
  parseLong: ofText((_, text) => parseWhole(text)),
  parseDouble: ofText((_, text) => parseFraction(text)),
  parseFloat: ofText((_, text) => parseFraction(text)),
  valueOf: ofOne((number, value) => {
    if (typeof value !== 'string') return value
    return number instanceof JavaDouble ? parseFraction(value) : parseWhole(value)
  }),
  toHexString: ofOne((_, value) => (typeof value === 'number' ? (value >>> 0).toString(16) : undefined)),
  isNaN: plain((number) => Number.isNaN(toDouble(number))),
  isInfinite: plain((number) => Math.abs(toDouble(number)) === Number.POSITIVE_INFINITY),
  max: (_, args) => extreme(args, (left, right) => (toDouble(left) >= toDouble(right) ? left : right)),
  min: (_, args) => extreme(args, (left, right) => (toDouble(left) <= toDouble(right) ? left : right)),
}

function extreme(args: readonly Value[], choose: (left: Numeric, right: Numeric) => Numeric): Value {
  const [left, right] = args
  return isNumber(left) && isNumber(right) ? choose(left, right) : undefined
}

export const booleanMethods: Methods<boolean> = {
  booleanValue: plain((value) => value),
  toString: plain((value) => String(value)),
  hashCode: plain((value) => (value ? 1231 : 1237)),
  equals: ofOne((value, other) => value === other),
  compareTo: ofOne((value, other) => Number(value) - Number(other)),
  parseBoolean: ofOne((_, text) => typeof text === 'string' && text.toLowerCase() === 'true'),
  valueOf: ofOne((_, text) => (typeof text === 'boolean' ? text : typeof text === 'string' && text.toLowerCase() === 'true')),
}
