// The legacy `Expected` and `ConditionalOperator`: checked in DynamoDB's words, then the same kind of condition as an expression.

import { errors, invalidParameter } from '../errors.ts'
import { storeValue, typeOf, type StoredValue, type WireValue } from '../values.ts'
import { compareScalars, type Comparator, type Condition } from './condition.ts'

interface Expectation {
  Value?: WireValue | undefined
  Exists?: boolean | undefined
  ComparisonOperator?: string | undefined
  AttributeValueList?: WireValue[] | undefined
}

/** How many values each operator takes, at least and at most, and of which types. */
const operators: Readonly<Record<string, { values: [min: number, max: number], types?: readonly string[] }>> = {
  EQ: { values: [1, 1] },
  NE: { values: [1, 1] },
  LE: { values: [1, 1], types: ['S', 'N', 'B'] },
  LT: { values: [1, 1], types: ['S', 'N', 'B'] },
  GE: { values: [1, 1], types: ['S', 'N', 'B'] },
  GT: { values: [1, 1], types: ['S', 'N', 'B'] },
  CONTAINS: { values: [1, 1], types: ['S', 'N', 'B'] },
  NOT_CONTAINS: { values: [1, 1], types: ['S', 'N', 'B'] },
  BEGINS_WITH: { values: [1, 1], types: ['S', 'B'] },
  IN: { values: [1, Infinity], types: ['S', 'N', 'B'] },
  BETWEEN: { values: [2, 2], types: ['S', 'N', 'B'] },
  NULL: { values: [0, 0] },
  NOT_NULL: { values: [0, 0] },
}

const comparators: Readonly<Record<string, Comparator>> = { EQ: '=', NE: '<>', LE: '<=', LT: '<', GE: '>=', GT: '>' }

/** @throws ValidationException. Observed: DynamoDB, recorded by dynalite's tests (putItem.js, deleteItem.js), for order and words. */
export function readExpected(expected: Readonly<Record<string, Expectation>>, conditionalOperator: string | undefined): Condition | undefined {
  const of = Object.entries(expected).map(([name, expectation]) => expectationOf(name, expectation))
  if (of.length === 0) return undefined
  return of.length === 1 ? of[0]! : { is: conditionalOperator === 'OR' ? 'or' : 'and', of }
}

function expectationOf(name: string, { Value, Exists, ComparisonOperator, AttributeValueList }: Expectation): Condition {
  if (AttributeValueList && Value) throw invalidParameter(`Value and AttributeValueList cannot be used together for Attribute: ${name}`)
  if (ComparisonOperator !== undefined) {
    if (Exists !== undefined) throw invalidParameter(`Exists and ComparisonOperator cannot be used together for Attribute: ${name}`)
    if (ComparisonOperator !== 'NULL' && ComparisonOperator !== 'NOT_NULL' && !AttributeValueList && !Value) {
      throw invalidParameter(`Value or AttributeValueList must be used with ComparisonOperator: ${ComparisonOperator} for Attribute: ${name}`)
    }
    return comparisonOf(name, ComparisonOperator, checkedValues(ComparisonOperator, AttributeValueList ?? (Value ? [Value] : [])))
  }
  if (AttributeValueList) throw invalidParameter(`AttributeValueList can only be used with a ComparisonOperator for Attribute: ${name}`)
  if (Exists !== false && !Value) throw invalidParameter(`Value must be provided when Exists is ${Exists ?? 'null'} for Attribute: ${name}`)
  if (Exists === false) {
    if (Value) throw invalidParameter(`Value cannot be used when Exists is false for Attribute: ${name}`)
    return { is: 'not', of: { is: 'exists', path: [name] } }
  }
  storeValue(Value!, 1)
  return { is: 'compare', operator: '=', left: { path: [name] }, right: { value: Value as StoredValue } }
}

function checkedValues(operator: string, given: WireValue[]): StoredValue[] {
  const { values: [min, max], types } = operators[operator]!
  if (given.length < min || given.length > max) throw invalidParameter(`Invalid number of argument(s) for the ${operator} ComparisonOperator`)
  for (const value of given) storeValue(value, 1)
  const values = given as StoredValue[]
  if (values.some((value) => typeOf(value) !== typeOf(values[0]!))) throw invalidParameter('AttributeValues inside AttributeValueList must be of same type')
  const wrong = types && values.find((value) => !types.includes(typeOf(value)))
  if (wrong) throw invalidParameter(`ComparisonOperator ${operator} is not valid for ${typeOf(wrong)} AttributeValue type`)
  if (operator === 'BETWEEN' && compareScalars(values[0]!, values[1]!)! > 0) {
    throw errors.ValidationException('The BETWEEN condition was provided a range where the lower bound is greater than the upper bound')
  }
  return values
}

function comparisonOf(name: string, operator: string, values: readonly StoredValue[]): Condition {
  const attribute = { path: [name] }
  const [first, second] = values.map((value) => ({ value }))
  switch (operator) {
    case 'NULL': return { is: 'not', of: { is: 'exists', path: [name] } }
    case 'NOT_NULL': return { is: 'exists', path: [name] }
    case 'CONTAINS': return { is: 'contains', value: attribute, part: first! }
    case 'NOT_CONTAINS': return { is: 'not', of: { is: 'contains', value: attribute, part: first! } }
    case 'BEGINS_WITH': return { is: 'begins', value: attribute, prefix: first! }
    case 'IN': return { is: 'in', value: attribute, list: values.map((value) => ({ value })) }
    case 'BETWEEN': return { is: 'between', value: attribute, low: first!, high: second! }
    default: return { is: 'compare', operator: comparators[operator]!, left: attribute, right: first! }
  }
}
