// Conditions as plain data, and whether one holds for an item. Runs inside transactions: nothing here waits or looks outside.

import { compareNumbers } from '../numbers.ts'
import { equalValues, typeOf, type StoredItem, type StoredValue } from '../values.ts'

/** Names and list positions, from the item inwards. */
export type Path = readonly (string | number)[]

export type Operand = { path: Path } | { value: StoredValue } | { size: Operand }

export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>='

export type Condition =
  | { is: 'and' | 'or', of: Condition[] }
  | { is: 'not', of: Condition }
  | { is: 'compare', operator: Comparator, left: Operand, right: Operand }
  | { is: 'between', value: Operand, low: Operand, high: Operand }
  | { is: 'in', value: Operand, list: Operand[] }
  | { is: 'exists', path: Path }
  | { is: 'type', value: Operand, type: string }
  | { is: 'begins', value: Operand, prefix: Operand }
  | { is: 'contains', value: Operand, part: Operand }

export function holds(condition: Condition, item: StoredItem): boolean {
  switch (condition.is) {
    case 'and': return condition.of.every((one) => holds(one, item))
    case 'or': return condition.of.some((one) => holds(one, item))
    case 'not': return !holds(condition.of, item)
    case 'compare': return compares(condition.operator, resolve(condition.left, item), resolve(condition.right, item))
    case 'between': {
      const value = resolve(condition.value, item)
      return compares('>=', value, resolve(condition.low, item)) && compares('<=', value, resolve(condition.high, item))
    }
    case 'in': {
      const value = resolve(condition.value, item)
      return condition.list.some((one) => compares('=', value, resolve(one, item)))
    }
    case 'exists': return findPath(condition.path, item) !== undefined
    case 'type': {
      const value = resolve(condition.value, item)
      return value !== undefined && typeOf(value) === condition.type
    }
    case 'begins': return begins(resolve(condition.value, item), resolve(condition.prefix, item))
    case 'contains': return contains(resolve(condition.value, item), resolve(condition.part, item))
  }
}

function resolve(operand: Operand, item: StoredItem): StoredValue | undefined {
  if ('value' in operand) return operand.value
  if ('path' in operand) return findPath(operand.path, item)
  const size = sizeOf(resolve(operand.size, item))
  return size === undefined ? undefined : { N: String(size) }
}

/** The value that a path leads to. */
export function findPath(path: Path, item: StoredItem): StoredValue | undefined {
  let value: StoredValue = { M: item }
  for (const step of path) {
    const inner = stepInto(value, step)
    if (inner === undefined) return undefined
    value = inner
  }
  return value
}

function stepInto(value: StoredValue, step: string | number): StoredValue | undefined {
  if (typeof step === 'number') return 'L' in value ? value.L[step] : undefined
  return 'M' in value && Object.hasOwn(value.M, step) ? value.M[step] : undefined
}

/**
 * What is missing equals nothing and differs from everything.
 *
 * Observed: DynamoDB, recorded by nubo-db's conditions.test.ts: `<>` holds for a missing attribute, `=` does not.
 */
function compares(operator: Comparator, left: StoredValue | undefined, right: StoredValue | undefined): boolean {
  if (operator === '=' || operator === '<>') {
    const isEqual = left !== undefined && right !== undefined && equalValues(left, right)
    return isEqual === (operator === '=')
  }
  const order = left === undefined || right === undefined ? undefined : compareScalars(left, right)
  if (order === undefined) return false
  switch (operator) {
    case '<': return order < 0
    case '<=': return order <= 0
    case '>': return order > 0
    case '>=': return order >= 0
  }
}

/** The order of two strings, numbers or binaries; undefined where they have none. */
export function compareScalars(left: StoredValue, right: StoredValue): number | undefined {
  if ('N' in left && 'N' in right) return compareNumbers(left.N, right.N)
  if ('S' in left && 'S' in right) return Buffer.compare(Buffer.from(left.S), Buffer.from(right.S))
  if ('B' in left && 'B' in right) return Buffer.compare(Buffer.from(left.B, 'base64'), Buffer.from(right.B, 'base64'))
  return undefined
}

/** Source: developer guide, `size`: the length of a string or binary, the number of elements of everything else that has some. */
function sizeOf(value: StoredValue | undefined): number | undefined {
  if (value === undefined) return undefined
  if ('S' in value) return value.S.length
  if ('B' in value) return Buffer.byteLength(value.B, 'base64')
  if ('M' in value) return Object.keys(value.M).length
  const elements = 'L' in value ? value.L : 'SS' in value ? value.SS : 'NS' in value ? value.NS : 'BS' in value ? value.BS : undefined
  return elements?.length
}

function begins(value: StoredValue | undefined, prefix: StoredValue | undefined): boolean {
  if (value === undefined || prefix === undefined) return false
  if ('S' in value && 'S' in prefix) return value.S.startsWith(prefix.S)
  if (!('B' in value && 'B' in prefix)) return false
  const start = Buffer.from(prefix.B, 'base64')
  return Buffer.from(value.B, 'base64').subarray(0, start.length).equals(start)
}

/** A part of a string or binary, a member of a set, an element of a list. */
function contains(value: StoredValue | undefined, part: StoredValue | undefined): boolean {
  if (value === undefined || part === undefined) return false
  if ('S' in part && 'S' in value) return value.S.includes(part.S)
  if ('B' in part && 'B' in value) return Buffer.from(value.B, 'base64').includes(Buffer.from(part.B, 'base64'))
  if ('L' in value) return value.L.some((element) => equalValues(element, part))
  if ('S' in part && 'SS' in value) return value.SS.includes(part.S)
  if ('N' in part && 'NS' in value) return value.NS.includes(part.N)
  return 'B' in part && 'BS' in value && value.BS.includes(part.B)
}
