// Arithmetic and comparison as Velocity's MathUtils does them: whole numbers stay whole and never overflow.

import { isNumber, JavaDouble, javaEquals, JavaList, JavaMap, toText, type Value } from '../values.ts'

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%'

/**
 * The result, or null where Velocity gives none: an operand that is no number, or a division by zero.
 * With `+`, text on either side joins both as text.
 */
export function calculate(operator: ArithmeticOperator, left: Value, right: Value): Value {
  if (operator === '+' && (typeof left === 'string' || typeof right === 'string')) return toText(left) + toText(right)
  if (!isNumber(left) || !isNumber(right)) return null
  if ((operator === '/' || operator === '%') && toDouble(right) === 0) return null
  if (left instanceof JavaDouble || right instanceof JavaDouble) return new JavaDouble(calculateDouble(operator, toDouble(left), toDouble(right)))
  if (typeof left === 'number' && typeof right === 'number') {
    const quick = calculateWhole(operator, left, right)
    if (Number.isSafeInteger(quick)) return quick === 0 ? 0 : quick
  }
  return narrow(calculateBig(operator, BigInt(left), BigInt(right)))
}

function calculateWhole(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case '+': return left + right
    case '-': return left - right
    case '*': return left * right
    case '/': return Math.trunc(left / right)
    case '%': return left % right
  }
}

function calculateDouble(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case '+': return left + right
    case '-': return left - right
    case '*': return left * right
    case '/': return left / right
    case '%': return left % right
  }
}

function calculateBig(operator: ArithmeticOperator, left: bigint, right: bigint): bigint {
  switch (operator) {
    case '+': return left + right
    case '-': return left - right
    case '*': return left * right
    case '/': return left / right
    case '%': return left % right
  }
}

/** A `bigint` as a `number` where that loses nothing. */
export function narrow(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

export function toDouble(value: number | bigint | JavaDouble): number {
  return value instanceof JavaDouble ? value.value : Number(value)
}

/** `==`: numbers by value, values of one class by `equals`, anything else by its text. */
export function isEqual(left: Value, right: Value): boolean {
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right) === 0
  if (left === null || left === undefined || right === null || right === undefined) return (left ?? null) === (right ?? null)
  if (classOf(left) === classOf(right)) return javaEquals(left, right)
  return toText(left) === toText(right)
}

function classOf(value: Value): string {
  if (value instanceof JavaList) return 'list'
  if (value instanceof JavaMap) return 'map'
  return typeof value
}

/** `<`, `<=`, `>`, `>=` compare numbers only; with anything else they are false. */
export function isOrdered(operator: '<' | '<=' | '>' | '>=', left: Value, right: Value): boolean {
  if (!isNumber(left) || !isNumber(right)) return false
  const order = compareNumbers(left, right)
  switch (operator) {
    case '<': return order < 0
    case '<=': return order <= 0
    case '>': return order > 0
    case '>=': return order >= 0
  }
}

function compareNumbers(left: number | bigint | JavaDouble, right: number | bigint | JavaDouble): number {
  const a = left instanceof JavaDouble ? left.value : left
  const b = right instanceof JavaDouble ? right.value : right
  return a < b ? -1 : a > b ? 1 : 0
}
