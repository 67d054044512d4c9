// The values that templates work on: Java's, because authors call Java methods on them and see how Java prints them.

import { printJson } from './json.ts'

/**
 * What a template variable holds. A JavaScript `number` is always a whole number (Java's Integer and Long), a `bigint` one beyond
 * 2^53 (Long, BigInteger); fractions are `JavaDouble`s, so that `2.0` and `2` stay different.
 */
export type Value = null | undefined | boolean | string | number | bigint | JavaDouble | JavaList | JavaMap | MapEntry | HostObject

/** A Double (or a BigDecimal, when `text` keeps its digits). */
export class JavaDouble {
  readonly value: number
  readonly text: string | undefined
  constructor(value: number, text?: string) {
    this.value = value
    this.text = text
  }
}

/**
 * A list. One that came from JSON prints as JSON, one that the template made prints as Java's lists do, and an array (`split`)
 * prints as Java's arrays do.
 *
 * Observed: AWS, 18-06-2025, recorded by localstack's test_input_path_template_formatting (lists print JSON, maps Java style).
 */
export class JavaList {
  readonly items: Value[]
  readonly kind: 'json' | 'java' | 'array'
  constructor(items: Value[], kind: 'json' | 'java' | 'array') {
    this.items = items
    this.kind = kind
  }
}

/** A map that keeps the order in which keys were put. */
export class JavaMap {
  readonly entries: Map<Value, Value>
  constructor(entries: Map<Value, Value> = new Map()) {
    this.entries = entries
  }
}

/** One entry of a map's `entrySet()`. */
export class MapEntry {
  readonly map: JavaMap
  readonly key: Value
  constructor(map: JavaMap, key: Value) {
    this.map = map
    this.key = key
  }
}

/** An object of ours that templates may use (`$input`, `$util`, `$foreach`, a `#define` block). */
export abstract class HostObject {
  /** The value of a property, or undefined when there is none. */
  property(_name: string): Value {
    return undefined
  }

  /** Calls a method; `noSuchMethod` when there is none of that name and number of arguments. */
  call(_name: string, _args: readonly Value[]): Value | typeof noSuchMethod {
    return noSuchMethod
  }

  /** How the object prints. */
  abstract print(): string
}

/** Answered when a value has no method of the name and number of arguments asked for. */
export const noSuchMethod: unique symbol = Symbol('no such method')

/** A map with string keys from a plain object; members that are undefined are left out. */
export function mapOf(members: Readonly<Record<string, Value>>): JavaMap {
  const entries = new Map<Value, Value>()
  for (const key of Object.keys(members)) {
    if (members[key] !== undefined) entries.set(key, members[key])
  }
  return new JavaMap(entries)
}

/** A value as Java's `toString()` gives it. */
export function toText(value: Value): string {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return 'null'
  if (typeof value !== 'object') return String(value)
  if (value instanceof JavaDouble) return doubleText(value)
  if (value instanceof JavaList) return listText(value)
  if (value instanceof JavaMap) return mapText(value)
  if (value instanceof MapEntry) return `${toText(value.key)}=${toText(value.map.entries.get(value.key))}`
  return value.print()
}

function listText(list: JavaList): string {
  if (list.kind === 'json') return printJson(list, 'with escaped slashes')
  // Ours: Java prints an identity hash after the @, which no author can rely on; we print the length.
  if (list.kind === 'array') return `[Ljava.lang.String;@${list.items.length.toString(16)}`
  return `[${list.items.map((item) => (item === list ? '(this Collection)' : toText(item))).join(', ')}]`
}

function mapText(map: JavaMap): string {
  let text = ''
  for (const [key, value] of map.entries) {
    text += `${text === '' ? '' : ', '}${toText(key)}=${value === map ? '(this Map)' : toText(value)}`
  }
  return `{${text}}`
}

/** Source: Java SE API, Double.toString: plain digits from 10^-3 to 10^7, otherwise computerized scientific notation. */
function doubleText({ value, text }: JavaDouble): string {
  if (text !== undefined) return text
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const size = Math.abs(value)
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value)
  const [digits, exponent] = value.toExponential().split('e') as [string, string]
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
}

/** Whether a value is one of Java's numbers. */
export function isNumber(value: Value): value is number | bigint | JavaDouble {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof JavaDouble
}

/** Java's `equals`: numbers of different kinds differ, lists and maps compare by content. */
export function javaEquals(left: Value, right: Value): boolean {
  if (left === right) return true
  if (left === null || left === undefined) return right === null || right === undefined
  if (left instanceof JavaDouble) return right instanceof JavaDouble && left.value === right.value
  if (left instanceof JavaList) {
    if (!(right instanceof JavaList) || left.items.length !== right.items.length) return false
    return left.items.every((item, index) => javaEquals(item, right.items[index]))
  }
  if (left instanceof JavaMap) {
    if (!(right instanceof JavaMap) || left.entries.size !== right.entries.size) return false
    for (const [key, value] of left.entries) {
      if (!right.entries.has(key) || !javaEquals(value, right.entries.get(key))) return false
    }
    return true
  }
  return left instanceof MapEntry && right instanceof MapEntry && toText(left) === toText(right)
}
