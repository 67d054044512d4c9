// One comparison of a filter pattern: `= "a*"`, `!= %x%`, `> 100`.

import type { Scanner } from './scanner.ts'

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>='

export type Operand =
  | { is: 'text', text: string, matches: (value: string) => boolean }
  | { is: 'number', number: number, text: string, matches: (value: string) => boolean }
  | { is: 'regex', matches: (value: string) => boolean }

export function readOperator(scanner: Scanner): Operator | undefined {
  return scanner.match(/!=|<=|>=|=|<|>/) as Operator | undefined
}

/** A value after an operator: quoted text, a regular expression, a number, or bare characters; `*` in text is a wildcard. */
export function readOperand(scanner: Scanner, bare: RegExp): Operand {
  if (scanner.peek() === '"') return textOperand(scanner.quoted())
  if (scanner.peek() === '%') return { is: 'regex', matches: scanner.percent() }
  const text = scanner.match(bare)
  if (text === undefined || text === '') throw scanner.refuse()
  const number = numberOf(text)
  return number === undefined ? textOperand(text) : { is: 'number', number, text, matches: wildcard(text) }
}

function textOperand(text: string): Operand {
  return { is: 'text', text, matches: wildcard(text) }
}

/** A test for text in which `*` stands for any characters. Never backtracks: each part is looked for after the one before. */
export function wildcard(pattern: string): (value: string) => boolean {
  const parts = pattern.split('*')
  if (parts.length === 1) return (value) => value === pattern
  const first = parts[0]!
  const last = parts.at(-1)!
  const between = parts.slice(1, -1)
  return (value) => {
    if (value.length < first.length + last.length || !value.startsWith(first) || !value.endsWith(last)) return false
    let from = first.length
    const end = value.length - last.length
    for (const part of between) {
      const found = value.indexOf(part, from)
      if (found === -1 || found + part.length > end) return false
      from = found + part.length
    }
    return true
  }
}

/** The number that a text is, in plain or scientific notation. */
export function numberOf(text: string): number | undefined {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined
}

/** Whether a text value (a field of a line, a JSON string) stands in this relation to the operand. */
export function holdsForText(value: string, operator: Operator, operand: Operand): boolean {
  const number = operand.is === 'number' ? numberOf(value) : undefined
  if (operand.is === 'number' && number !== undefined) return holdsForNumber(number, operator, operand.number)
  if (operator === '=') return operand.matches(value)
  if (operator === '!=') return !operand.matches(value)
  // Source: the guide has <, <=, >, >= for numbers only.
  return false
}

export function holdsForNumber(value: number, operator: Operator, than: number): boolean {
  switch (operator) {
    case '=': return value === than
    case '!=': return value !== than
    case '<': return value < than
    case '<=': return value <= than
    case '>': return value > than
    case '>=': return value >= than
  }
}
