// Patterns for lines of JSON: `{ ($.user.id = 1) && ($.tags[*].name != "a*") }`.

import { holdsForNumber, holdsForText, readOperand, readOperator, type Operand, type Operator } from './compare.ts'
import { PatternRefusal } from './refusal.ts'
import type { Scanner } from './scanner.ts'

type Condition = (event: unknown) => boolean
type Step = { key: string } | { index: number } | { every: true }

/** How deep parentheses may stand in each other. */
const NESTING_MAX = 32

/** Compiles what stands between the braces, which are read too. A line that is not JSON never matches. */
export function compileJson(scanner: Scanner): (message: string) => boolean {
  scanner.take('{')
  const condition = readOr(scanner, 0)
  if (!scanner.skipSpace().take('}') || !scanner.skipSpace().isAtEnd) throw scanner.refuse()
  return (message) => {
    let event: unknown
    try {
      event = JSON.parse(message)
    } catch {
      return false
    }
    return typeof event === 'object' && event !== null && condition(event)
  }
}

function readOr(scanner: Scanner, depth: number): Condition {
  const either = [readAnd(scanner, depth)]
  while (scanner.skipSpace().take('||')) either.push(readAnd(scanner, depth))
  return either.length === 1 ? either[0]! : (event) => either.some((condition) => condition(event))
}

function readAnd(scanner: Scanner, depth: number): Condition {
  const all = [readOne(scanner, depth)]
  while (scanner.skipSpace().take('&&')) all.push(readOne(scanner, depth))
  return all.length === 1 ? all[0]! : (event) => all.every((condition) => condition(event))
}

function readOne(scanner: Scanner, depth: number): Condition {
  if (!scanner.skipSpace().take('(')) return readComparison(scanner)
  if (depth >= NESTING_MAX) throw new PatternRefusal('Invalid filter pattern: too many parentheses')
  const inside = readOr(scanner, depth + 1)
  if (!scanner.skipSpace().take(')')) throw scanner.refuse()
  return inside
}

function readComparison(scanner: Scanner): Condition {
  const steps = readSelector(scanner)
  scanner.skipSpace()
  if (scanner.takeWord('IS')) return readIs(scanner.skipSpace(), steps)
  if (scanner.takeWord('NOT')) {
    if (!scanner.skipSpace().takeWord('EXISTS')) throw scanner.refuse()
    return (event) => select(event, steps).length === 0
  }
  // Ours: the guide has only NOT EXISTS; its opposite is what people write next.
  if (scanner.takeWord('EXISTS')) return (event) => select(event, steps).length > 0
  const operator = readOperator(scanner)
  if (!operator) throw scanner.refuse()
  scanner.skipSpace()
  const operand = readOperand(scanner, /[^\s"%()&|{}]+/)
  // Ours: with a wildcard one matching value is enough; a selector that selects nothing matches nothing, for != too.
  return (event) => select(event, steps).some((value) => holds(value, operator, operand))
}

function readIs(scanner: Scanner, steps: readonly Step[]): Condition {
  const word = (['NULL', 'TRUE', 'FALSE'] as const).find((each) => scanner.takeWord(each))
  if (!word) throw scanner.refuse()
  const wanted = word === 'NULL' ? null : word === 'TRUE'
  return (event) => select(event, steps).some((value) => value === wanted)
}

/** `$.a.b`, `$['a b']`, `$.list[0]`, and `*` for every element or member. */
function readSelector(scanner: Scanner): Step[] {
  if (!scanner.take('$')) throw scanner.refuse()
  const steps: Step[] = []
  for (;;) {
    if (scanner.take('.')) {
      if (scanner.take('*')) { steps.push({ every: true }); continue }
      const key = scanner.match(/[\p{L}\p{N}_@#/-]+/u)
      if (key === undefined) throw scanner.refuse(`$.${scanner.peek()}`)
      steps.push({ key })
    } else if (scanner.take('[')) {
      steps.push(readBracket(scanner))
      if (!scanner.take(']')) throw scanner.refuse()
    } else {
      break
    }
  }
  return steps
}

function readBracket(scanner: Scanner): Step {
  if (scanner.take('*')) return { every: true }
  const index = scanner.match(/\d{1,9}/)
  if (index !== undefined) return { index: Number(index) }
  if (scanner.peek() === '"') return { key: scanner.quoted() }
  const key = scanner.match(/'(?:[^'\\]|\\.)*'/)
  if (key === undefined) throw scanner.refuse()
  return { key: key.slice(1, -1).replace(/\\(.)/g, '$1') }
}

/** Every value that the selector leads to; none when the path is not there. */
function select(event: unknown, steps: readonly Step[]): unknown[] {
  let values: unknown[] = [event]
  for (const step of steps) {
    const next: unknown[] = []
    for (const value of values) {
      if (typeof value !== 'object' || value === null) continue
      if ('every' in step) next.push(...Object.values(value))
      else if ('index' in step) {
        if (Array.isArray(value) && step.index < value.length) next.push(value[step.index])
      } else if (!Array.isArray(value) && Object.hasOwn(value, step.key)) {
        next.push((value as Record<string, unknown>)[step.key])
      }
    }
    values = next
  }
  return values
}

function holds(value: unknown, operator: Operator, operand: Operand): boolean {
  switch (typeof value) {
    case 'number': return operand.is === 'number' ? holdsForNumber(value, operator, operand.number) : holdsForText(String(value), operator, operand)
    case 'string': return holdsForText(value, operator, operand)
    case 'boolean': return holdsForText(String(value), operator, operand)
    // Lists and objects are not compared, null only with IS.
    default: return false
  }
}
