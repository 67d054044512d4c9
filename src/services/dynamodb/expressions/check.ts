// Everything that DynamoDB refuses in a condition although it parses, in its order and words.
//
// Observed: DynamoDB, recorded by dynalite's tests: first redundant parentheses, then unknown functions, misused functions and reserved
// words anywhere; then, comparison by comparison, undefined placeholders, the number of operands, operands that are the same, types.

import { typeOf, type StoredValue, type ValueType } from '../values.ts'
import { compareScalars, type Condition, type Operand, type Path } from './condition.ts'
import { parseCondition, type Node, type Parsed, type PathStep } from './parse.ts'
import type { Placeholders } from './placeholders.ts'
import { isReserved } from './reserved-words.ts'
import { ExpressionRefusal } from './scan.ts'

/** How many operands each function takes. */
const functions: Readonly<Record<string, number>> = { attribute_exists: 1, attribute_not_exists: 1, attribute_type: 2, begins_with: 2, contains: 2, size: 1 }
const IN_OPERANDS_MAX = 100
const types: readonly ValueType[] = ['S', 'N', 'B', 'NULL', 'SS', 'BOOL', 'L', 'BS', 'NS', 'M']

/** Reads a condition. @throws ExpressionRefusal. */
export function readCondition(expression: string, placeholders: Placeholders): Condition {
  const parsed = parseCondition(expression)
  checkPlaces(parsed, parsed.node)
  if (parsed.hasRedundantParentheses) throw new ExpressionRefusal('The expression has redundant parentheses;')
  checkFunctionNames(parsed.node)
  checkFunctionUse(parsed.node)
  checkReserved(parsed.node)
  return conditionOf(parsed.node, placeholders)
}

/** Conditions stand where conditions belong, and operands where operands do: else the next token is one too many. */
function checkPlaces({ syntaxErrorAt }: Pick<Parsed, 'syntaxErrorAt'>, node: Node): void {
  const wantsConditions = node.is === 'and' || node.is === 'or' || node.is === 'not'
  const check = (child: Node, wantsCondition: boolean) => {
    if (wantsCondition ? child.is === 'path' || child.is === 'value' : !isOperand(child)) throw syntaxErrorAt(child.end)
    if (child.is !== 'path' && child.is !== 'value') checkPlaces({ syntaxErrorAt }, child)
  }
  if (node.is === 'path' || node.is === 'value') throw syntaxErrorAt(node.end)
  for (const child of node.of) check(child, wantsConditions)
}

const isOperand = ({ is }: Node): boolean => is === 'path' || is === 'value' || is === 'call'

const childrenOf = (node: Node): readonly Node[] => 'of' in node ? node.of : []

function checkFunctionNames(node: Node): void {
  for (const child of childrenOf(node)) checkFunctionNames(child)
  if (node.is === 'call' && !Object.hasOwn(functions, node.name)) throw new ExpressionRefusal(`Invalid function name; function: ${node.name}`)
}

/** Only `size` is an operand, and it is nothing else. */
function checkFunctionUse(node: Node, isWholeCondition = true): void {
  if (node.is === 'call' && isWholeCondition === (node.name === 'size')) {
    throw new ExpressionRefusal(`The function is not allowed to be used this way in an expression; function: ${node.name}`)
  }
  const hasConditions = node.is === 'and' || node.is === 'or' || node.is === 'not'
  for (const child of childrenOf(node)) checkFunctionUse(child, hasConditions)
}

function checkReserved(node: Node): void {
  if (node.is === 'path') checkReservedSteps(node.steps)
  for (const child of childrenOf(node)) checkReserved(child)
}

export function checkReservedSteps(steps: readonly PathStep[]): void {
  for (const step of steps) {
    if ('word' in step && isReserved(step.word)) throw new ExpressionRefusal(`Attribute name is a reserved keyword; reserved keyword: ${step.word}`)
  }
}

export function pathOf(steps: readonly PathStep[], placeholders: Placeholders): Path {
  return steps.map((step) => 'index' in step ? step.index : 'word' in step ? step.word : placeholders.name(step.placeholder))
}

function conditionOf(node: Node, placeholders: Placeholders): Condition {
  switch (node.is) {
    case 'and':
    case 'or': return { is: node.is, of: node.of.map((child) => conditionOf(child, placeholders)) }
    case 'not': return { is: 'not', of: conditionOf(node.of[0]!, placeholders) }
    case 'path':
    case 'value': throw new Error('an operand is no condition')
    default: return comparisonOf(node, node.of.map((child) => operandOf(child, placeholders)))
  }
}

/** Placeholders are resolved before anything else of a comparison is judged. */
function operandOf(node: Node, placeholders: Placeholders): Operand {
  switch (node.is) {
    case 'path': return { path: pathOf(node.steps, placeholders) }
    case 'value': return { value: placeholders.value(node.name) }
    case 'call': {
      const of = node.of.map((child) => operandOf(child, placeholders))
      checkCount(node.name, of, functions[node.name]!)
      const type = typeOfOperand(of[0]!)
      if (type === 'N' || type === 'BOOL' || type === 'NULL') throw wrongType(node.name, type)
      return { size: of[0]! }
    }
    default: throw new Error('a condition is no operand')
  }
}

function comparisonOf(node: Exclude<Node, { is: 'and' | 'or' | 'not' | 'path' | 'value' }>, of: Operand[]): Condition {
  const [first, second, third] = of as [Operand, Operand, Operand]
  switch (node.is) {
    case 'compare':
      checkDistinct(node.operator, of)
      if (node.operator !== '=' && node.operator !== '<>') for (const operand of of) checkOrdered(node.operator, operand)
      return { is: 'compare', operator: node.operator, left: first, right: second }
    case 'between':
      checkBounds(second, third)
      return { is: 'between', value: first, low: second, high: third }
    case 'in':
      if (of.length - 1 > IN_OPERANDS_MAX) throw wrongCount('IN', of.length)
      return { is: 'in', value: first, list: of.slice(1) }
    case 'call':
      checkCount(node.name, of, functions[node.name]!)
      checkDistinct(node.name, of)
      return callOf(node.name, of)
  }
}

function callOf(name: string, [first, second]: Operand[]): Condition {
  switch (name) {
    case 'attribute_exists':
    case 'attribute_not_exists': {
      if (!('path' in first!)) throw new ExpressionRefusal(`Operator or function requires a document path; operator or function: ${name}`)
      const exists = { is: 'exists', path: first.path } as const
      return name === 'attribute_exists' ? exists : { is: 'not', of: exists }
    }
    case 'attribute_type': {
      const type = typeOfOperand(second!)
      if (type !== 'S') throw wrongType(name, type ?? '{NS,SS,L,BS,N,M,B,BOOL,NULL,S}')
      const { S: wanted } = (second as { value: { S: string } }).value
      if (!types.includes(wanted as ValueType)) throw new ExpressionRefusal(`Invalid attribute type name found; type: ${wanted}, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}`)
      return { is: 'type', value: first!, type: wanted }
    }
    case 'begins_with':
      for (const operand of [first!, second!]) {
        const type = typeOfOperand(operand)
        if (type !== undefined && type !== 'S' && type !== 'B') throw wrongType(name, type)
      }
      return { is: 'begins', value: first!, prefix: second! }
    default: return { is: 'contains', value: first!, part: second! }
  }
}

/** The type of an operand that does not depend on the item. */
function typeOfOperand(operand: Operand): ValueType | undefined {
  return 'value' in operand ? typeOf(operand.value) : 'size' in operand ? 'N' : undefined
}

/** Observed: DynamoDB, recorded by nubo-db's PartiQL tests: an order needs strings, numbers or binaries. */
function checkOrdered(operator: string, operand: Operand): void {
  const type = typeOfOperand(operand)
  if (type !== undefined && !['S', 'N', 'B'].includes(type)) throw wrongType(operator, type)
}

function checkCount(name: string, of: readonly Operand[], wanted: number): void {
  if (of.length !== wanted) throw wrongCount(name, of.length)
}

function checkDistinct(name: string, [first, second]: readonly Operand[]): void {
  if (first === undefined || second === undefined || !('path' in first) || !('path' in second)) return
  if (first.path.length !== second.path.length || first.path.some((step, index) => step !== second.path[index])) return
  throw new ExpressionRefusal(
    `The first operand must be distinct from the remaining operands for this operator or function; operator: ${name}, first operand: ${shownPath(first.path)}`)
}

function checkBounds(low: Operand, high: Operand): void {
  if (!('value' in low) || !('value' in high)) return
  const bounds = `lower bound operand: AttributeValue: ${shownValue(low.value)}, upper bound operand: AttributeValue: ${shownValue(high.value)}`
  if (typeOf(low.value) !== typeOf(high.value)) throw new ExpressionRefusal(`The BETWEEN operator requires same data type for lower and upper bounds; ${bounds}`)
  for (const operand of [low, high]) checkOrdered('BETWEEN', operand)
  if (compareScalars(low.value, high.value)! > 0) throw new ExpressionRefusal(`The BETWEEN operator requires upper bound to be greater than or equal to lower bound; ${bounds}`)
}

export function shownPath(path: Path): string {
  return `[${path.map((step) => typeof step === 'number' ? `[${step}]` : step).join(', ')}]`
}

function shownValue(value: StoredValue): string {
  const type = typeOf(value)
  return `{${type}:${String((value as Record<string, unknown>)[type])}}`
}

function wrongType(name: string, type: string): ExpressionRefusal {
  return new ExpressionRefusal(`Incorrect operand type for operator or function; operator or function: ${name}, operand type: ${type}`)
}

function wrongCount(name: string, count: number): ExpressionRefusal {
  return new ExpressionRefusal(`Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${count}`)
}
