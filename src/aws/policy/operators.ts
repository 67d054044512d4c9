// The names of condition operators, taken apart: `ForAnyValue:StringLikeIfExists`.

/** How the values of a key are compared, and whether a match counts or its absence. */
export type Comparison =
  | 'string' | 'string-ignore-case' | 'string-like'
  | 'numeric-equals' | 'numeric-less' | 'numeric-less-equals' | 'numeric-greater' | 'numeric-greater-equals'
  | 'date-equals' | 'date-less' | 'date-less-equals' | 'date-greater' | 'date-greater-equals'
  | 'bool' | 'binary' | 'ip' | 'arn' | 'null'

export interface Operator {
  comparison: Comparison
  /** `…Not…`: true where the comparison is not, and true where the key is absent. */
  isNegated: boolean
  /** `…IfExists`: true where the key is absent. */
  ifExists: boolean
  quantifier: 'all' | 'any' | undefined
}

/** Source: IAM user guide, "IAM JSON policy elements: Condition operators". */
const comparisons: Readonly<Record<string, readonly [Comparison, isNegated: boolean]>> = {
  StringEquals: ['string', false],
  StringNotEquals: ['string', true],
  StringEqualsIgnoreCase: ['string-ignore-case', false],
  StringNotEqualsIgnoreCase: ['string-ignore-case', true],
  StringLike: ['string-like', false],
  StringNotLike: ['string-like', true],
  NumericEquals: ['numeric-equals', false],
  NumericNotEquals: ['numeric-equals', true],
  NumericLessThan: ['numeric-less', false],
  NumericLessThanEquals: ['numeric-less-equals', false],
  NumericGreaterThan: ['numeric-greater', false],
  NumericGreaterThanEquals: ['numeric-greater-equals', false],
  DateEquals: ['date-equals', false],
  DateNotEquals: ['date-equals', true],
  DateLessThan: ['date-less', false],
  DateLessThanEquals: ['date-less-equals', false],
  DateGreaterThan: ['date-greater', false],
  DateGreaterThanEquals: ['date-greater-equals', false],
  Bool: ['bool', false],
  BinaryEquals: ['binary', false],
  IpAddress: ['ip', false],
  NotIpAddress: ['ip', true],
  ArnEquals: ['arn', false],
  ArnLike: ['arn', false],
  ArnNotEquals: ['arn', true],
  ArnNotLike: ['arn', true],
  Null: ['null', false],
}

/** The operator that a name means, or undefined. Names compare exactly. */
export function parseOperator(name: string): Operator | undefined {
  let rest = name
  let quantifier: Operator['quantifier']
  if (rest.startsWith('ForAllValues:')) { quantifier = 'all'; rest = rest.slice('ForAllValues:'.length) }
  else if (rest.startsWith('ForAnyValue:')) { quantifier = 'any'; rest = rest.slice('ForAnyValue:'.length) }
  const ifExists = rest.endsWith('IfExists')
  if (ifExists) rest = rest.slice(0, -'IfExists'.length)
  if (!Object.hasOwn(comparisons, rest)) return undefined
  const [comparison, isNegated] = comparisons[rest]!
  // Null already asks whether the key exists. Source: "…IfExists condition operators": any operator except Null.
  if (ifExists && comparison === 'null') return undefined
  return { comparison, isNegated, ifExists, quantifier }
}
