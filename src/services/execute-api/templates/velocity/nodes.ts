// The syntax tree of a template. Every node that can fail knows the character it begins at.

export type Statement =
  | { is: 'text', text: string }
  | { is: 'print', reference: Reference, escapes: string, isEscaped: boolean }
  | { is: 'set', target: Reference, value: Expression }
  | { is: 'if', branches: { condition: Expression, body: Statement[] }[], otherwise: Statement[] | undefined }
  | { is: 'foreach', name: string, list: Expression, body: Statement[], at: number }
  | { is: 'define', name: string, body: Statement[] }
  | { is: 'evaluate', source: Expression, literal: string, at: number }
  | { is: 'call', macro: string, args: Expression[], literal: string, body: Statement[] | undefined, at: number }
  | { is: 'break', scope: Expression | undefined }
  | { is: 'stop' }

export interface Reference {
  is: 'reference'
  name: string
  path: Step[]
  /** As it stands in the template, without escapes: what an escaped reference prints. */
  literal: string
  at: number
}

export type Step =
  | { is: 'property', name: string }
  | { is: 'method', name: string, args: Expression[], at: number }
  | { is: 'index', index: Expression, at: number }

export type BinaryOperator = '||' | '&&' | '==' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '/' | '%'

export type Expression =
  | Reference
  | { is: 'literal', value: string | boolean | number | bigint | { double: number } }
  | { is: 'interpolated', parts: Statement[] }
  | { is: 'list', items: Expression[] }
  | { is: 'range', from: Expression, to: Expression, at: number }
  | { is: 'map', entries: { key: Expression, value: Expression }[] }
  | { is: 'not', operand: Expression }
  | { is: 'binary', operator: BinaryOperator, left: Expression, right: Expression, at: number }

export interface Macro {
  name: string
  parameters: string[]
  body: Statement[]
}

/** A parsed template: its statements, and the macros that it declares anywhere. */
export interface Tree {
  statements: Statement[]
  macros: Map<string, Macro>
}
