// Attribute values: checked, brought into the form in which they are stored, and counted.

import { errors, invalidParameter } from './errors.ts'
import { normalizeNumber, numberBytes } from './numbers.ts'

/** A value as it is stored: one type, numbers as DynamoDB prints them, binary as base64. It is JSON. */
export type StoredValue =
  | { S: string } | { N: string } | { B: string } | { BOOL: boolean } | { NULL: true }
  | { SS: string[] } | { NS: string[] } | { BS: string[] } | { L: StoredValue[] } | { M: StoredItem }

export type StoredItem = { [name: string]: StoredValue }

export type ValueType = 'S' | 'N' | 'B' | 'BOOL' | 'NULL' | 'SS' | 'NS' | 'BS' | 'L' | 'M'

/** A value as the wire gives it: members of any type may be there, binary as bytes. */
export type WireValue = { [Type in ValueType]?: any }
export type WireItem = Record<string, WireValue>

/** Source: developer guide, "Quotas": the attribute itself is level 1. */
const NESTING_MAX = 32

/** Source: developer guide, "Quotas": 400 KB with attribute names. */
export const ITEM_BYTES_MAX = 409_600

/** An attribute of an item by name, whatever the name is. */
export function attributeOf(item: StoredItem, name: string): StoredValue | undefined {
  return Object.hasOwn(item, name) ? item[name] : undefined
}

export function typeOf(value: StoredValue): ValueType {
  for (const type in value) return type as ValueType
  throw new Error('a stored value has a type')
}

/**
 * Checks an item, or a key, and makes it what is stored. The item given is changed, not copied. Answers its size in bytes.
 *
 * @throws ValidationException in DynamoDB's words.
 * Source: developer guide, "Item sizes and formats": names and strings in UTF-8. Observed: recorded by dynalite's tests: three bytes for a
 * list or map, and one for each element.
 */
export function storeItem(item: WireItem): { item: StoredItem, bytes: number } {
  let bytes = 0
  for (const name in item) bytes += Buffer.byteLength(name) + storeValue(item[name]!, 1)
  return { item: item as StoredItem, bytes }
}

/** The same for one value; `depth` is the level that it stands on. */
export function storeValue(value: WireValue, depth: number): number {
  // Observed: DynamoDB, eu-west-2, 2026-06, recorded by nubo-db's nesting tests: a value on level 33 is refused.
  if (depth > NESTING_MAX) throw errors.ValidationException('Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit')
  let bytes = 0
  let types = 0
  for (const type in value) {
    types++
    bytes = storeTyped(value, type as ValueType, depth)
  }
  // Observed: DynamoDB, recorded by dynalite's tests (putItem.js), for these and the words below.
  if (types === 0) throw errors.ValidationException('Supplied AttributeValue is empty, must contain exactly one of the supported datatypes')
  if (types > 1) throw errors.ValidationException('Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes')
  return bytes
}

function storeTyped(value: WireValue, type: ValueType, depth: number): number {
  switch (type) {
    case 'S': return Buffer.byteLength(value.S)
    case 'N': return numberBytes(value.N = normalizeNumber(value.N))
    case 'B': {
      const bytes: Uint8Array = value.B
      value.B = base64(bytes)
      return bytes.length
    }
    case 'BOOL': return 1
    case 'NULL':
      // Observed: DynamoDB, eu-west-2, 08-06-2026, recorded by nubo-db's putItem.test.ts: false is taken, and means true.
      value.NULL = true
      return 1
    case 'SS': return storeStrings(value.SS)
    case 'NS': return storeNumbers(value.NS)
    case 'BS': return storeBinaries(value)
    case 'L': {
      let bytes = 3
      for (const element of value.L) bytes += 1 + storeValue(element, depth + 1)
      return bytes
    }
    case 'M': {
      let bytes = 3
      for (const name in value.M) bytes += 1 + Buffer.byteLength(name) + storeValue(value.M[name], depth + 1)
      return bytes
    }
  }
}

function storeStrings(set: string[]): number {
  if (set.length === 0) throw invalidParameter('An string set  may not be empty')
  if (new Set(set).size < set.length) throw invalidParameter(`Input collection [${set.join(', ')}] contains duplicates.`)
  return set.reduce((sum, member) => sum + Buffer.byteLength(member), 0)
}

function storeNumbers(set: string[]): number {
  if (set.length === 0) throw invalidParameter('An number set  may not be empty')
  for (let index = 0; index < set.length; index++) set[index] = normalizeNumber(set[index]!)
  if (new Set(set).size < set.length) throw errors.ValidationException('Input collection contains duplicates')
  return set.reduce((sum, member) => sum + numberBytes(member), 0)
}

function storeBinaries(value: WireValue): number {
  const set: Uint8Array[] = value.BS
  if (set.length === 0) throw invalidParameter('Binary sets should not be empty')
  const stored = set.map(base64)
  if (new Set(stored).size < stored.length) throw invalidParameter(`Input collection [${stored.join(', ')}]of type BS contains duplicates.`)
  value.BS = stored
  return set.reduce((sum, member) => sum + member.length, 0)
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

/** The size of an item that is stored, bytes. */
export function storedItemBytes(item: StoredItem): number {
  let bytes = 0
  for (const name in item) bytes += Buffer.byteLength(name) + storedValueBytes(item[name]!)
  return bytes
}

function storedValueBytes(value: StoredValue): number {
  if ('S' in value) return Buffer.byteLength(value.S)
  if ('N' in value) return numberBytes(value.N)
  if ('B' in value) return Buffer.byteLength(value.B, 'base64')
  if ('SS' in value) return value.SS.reduce((sum, member) => sum + Buffer.byteLength(member), 0)
  if ('NS' in value) return value.NS.reduce((sum, member) => sum + numberBytes(member), 0)
  if ('BS' in value) return value.BS.reduce((sum, member) => sum + Buffer.byteLength(member, 'base64'), 0)
  if ('L' in value) return value.L.reduce((sum, element) => sum + 1 + storedValueBytes(element), 3)
  if ('M' in value) return 3 + Object.keys(value.M).length + storedItemBytes(value.M)
  return 1
}

/** An item from its stored text, as the wire takes it: binary as bytes. */
export function wireItemOf(text: string): WireItem {
  const item = JSON.parse(text) as WireItem
  // Looked for in the text first: most items have no binary, and need no walk.
  if (text.includes('"B":') || text.includes('"BS":')) for (const name in item) reviveBinary(item[name]!)
  return item
}

/** The same for an item that is already parsed; the item given is changed. */
export function wireItem(item: StoredItem): WireItem {
  for (const name in item) reviveBinary(item[name]!)
  return item
}

function reviveBinary(value: WireValue): void {
  if (typeof value.B === 'string') value.B = Buffer.from(value.B, 'base64')
  else if (value.BS) value.BS = value.BS.map((member: string) => Buffer.from(member, 'base64'))
  else if (value.L) for (const element of value.L) reviveBinary(element)
  else if (value.M) for (const name in value.M) reviveBinary(value.M[name])
}

/** Whether two stored values are the same; sets regardless of order. */
export function equalValues(left: StoredValue, right: StoredValue): boolean {
  const type = typeOf(left)
  if (type !== typeOf(right)) return false
  const a = (left as any)[type]
  const b = (right as any)[type]
  switch (type) {
    case 'SS':
    case 'NS':
    case 'BS': return a.length === b.length && a.every((member: string) => b.includes(member))
    case 'L': return a.length === b.length && a.every((element: StoredValue, index: number) => equalValues(element, b[index]))
    case 'M': {
      const names = Object.keys(a)
      return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && equalValues(a[name], b[name]))
    }
    default: return a === b
  }
}
