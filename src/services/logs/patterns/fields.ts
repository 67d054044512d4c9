// Patterns for lines of fields: `[ip, user, ..., status = 4* || status = 5*, bytes > 1000]`.

import { holdsForText, readOperand, readOperator } from './compare.ts'
import type { Scanner } from './scanner.ts'

type Test = (field: string) => boolean

/**
 * Compiles what stands between the brackets, which are read too. A line matches when it has as many fields as the pattern has
 * names, and each field what its name asks for; one `...` stands for any number of fields.
 *
 * Source: the guide, "Using filter patterns to match terms in space-delimited log events".
 */
export function compileFields(scanner: Scanner): (message: string) => boolean {
  scanner.take('[')
  const slots: (Test | '...')[] = []
  do {
    slots.push(readSlot(scanner.skipSpace()))
  } while (scanner.skipSpace().take(','))
  if (!scanner.take(']') || !scanner.skipSpace().isAtEnd) throw scanner.refuse()
  const gap = slots.indexOf('...')
  if (gap !== slots.lastIndexOf('...')) throw scanner.refuse('...')
  const before = (gap === -1 ? slots : slots.slice(0, gap)) as Test[]
  const after = (gap === -1 ? [] : slots.slice(gap + 1)) as Test[]
  return (message) => {
    const fields = fieldsOf(message)
    if (gap === -1 ? fields.length !== before.length : fields.length < before.length + after.length) return false
    const tail = fields.slice(fields.length - after.length)
    return before.every((test, index) => test(fields[index]!)) && after.every((test, index) => test(tail[index]!))
  }
}

/** The fields of a line: between spaces, or in one piece between brackets or double quotes, which do not belong to the field. */
export function fieldsOf(message: string): string[] {
  return Array.from(message.matchAll(/\[([^\]]*)\]|"([^"]*)"|(\S+)/g), ([, bracketed, quoted, bare]) => bracketed ?? quoted ?? bare!)
}

/** One field: a name, a name with conditions, a condition without a name, or nothing. */
function readSlot(scanner: Scanner): Test | '...' {
  if (scanner.take('...')) return '...'
  if (/[,\]]/.test(scanner.peek())) return () => true
  const name = scanner.match(/[\p{L}\p{N}_-]+/u)
  return readEither(scanner, name)
}

function readEither(scanner: Scanner, name: string | undefined): Test {
  const either = [readAll(scanner, name)]
  while (scanner.skipSpace().take('||')) {
    repeatName(scanner, name)
    either.push(readAll(scanner, name))
  }
  return (field) => either.some((test) => test(field))
}

function readAll(scanner: Scanner, name: string | undefined): Test {
  const all = [readCondition(scanner)]
  while (scanner.skipSpace().take('&&')) {
    repeatName(scanner, name)
    all.push(readCondition(scanner))
  }
  return (field) => all.every((test) => test(field))
}

function readCondition(scanner: Scanner): Test {
  const operator = readOperator(scanner.skipSpace())
  if (!operator) {
    if (/[,\]&|]/.test(scanner.peek())) return () => true
    throw scanner.refuse()
  }
  const operand = readOperand(scanner.skipSpace(), /[^\s"%,\]&|]+/)
  return (field) => holdsForText(field, operator, operand)
}

/** After `&&` and `||` a field's name is repeated. */
function repeatName(scanner: Scanner, name: string | undefined): void {
  const again = scanner.skipSpace().match(/[\p{L}\p{N}_-]+/u)
  if (again !== name) throw scanner.refuse(again ?? scanner.peek())
}
