// Compiles expressions and references to functions of a run.

import { HostObject, JavaDouble, JavaList, JavaMap, noSuchMethod, toText, type Value } from '../values.ts'
import { calculate, isEqual, isOrdered } from './arithmetic.ts'
import { compileStatements } from './compile.ts'
import { PatternError } from '#lib/java-regex.ts'
import { callMethod, elementOf, propertyOf, setMember } from './members.ts'
import type { Expression, Reference, Step } from './nodes.ts'
import type { Run } from './render.ts'

export type Evaluate = (run: Run) => Value

/** Ranges of more numbers than this are refused. */
const RANGE_ITEMS_MAX = 100_000

/** How a template's statements are compiled; see `compile.ts`. */
export interface CompileOptions {
  /** Macros that the template declares and may call. */
  macros: ReadonlyMap<string, { parameters: readonly string[], run: (run: Run) => void }>
  /** Compiles the text that `#evaluate` was given. */
  compileText: (text: string) => (run: Run) => void
}

export function compileExpression(expression: Expression, options: CompileOptions): Evaluate {
  switch (expression.is) {
    case 'reference': return compileReference(expression, options)
    case 'literal': {
      const { value } = expression
      const constant: Value = typeof value === 'object' ? new JavaDouble(value.double) : value
      return () => constant
    }
    case 'interpolated': {
      const body = compileStatements(expression.parts, options)
      return (run) => run.capture(() => body(run))
    }
    case 'list': {
      const items = expression.items.map((item) => compileExpression(item, options))
      return (run) => new JavaList(items.map((item) => item(run)), 'java')
    }
    case 'map': {
      const entries = expression.entries.map(({ key, value }) => [compileExpression(key, options), compileExpression(value, options)] as const)
      return (run) => new JavaMap(new Map(entries.map(([key, value]) => [key(run), value(run)])))
    }
    case 'range': return compileRange(compileExpression(expression.from, options), compileExpression(expression.to, options), expression.at)
    case 'not': return compileCondition(expression, options)
    case 'binary': return compileBinary(expression, options)
  }
}

/**
 * Compiles an expression as `#if`, `!`, `&&` and `||` judge it. Of a reference only false is false; a literal, a list or the
 * result of a sum is never true, except `true` itself.
 * Observed: Apache Velocity 1.7, whose literal and arithmetic nodes have no truth of their own.
 */
export function compileCondition(expression: Expression, options: CompileOptions): (run: Run) => boolean {
  switch (expression.is) {
    case 'reference': {
      const value = compileReference(expression, options)
      return (run) => value(run) !== false
    }
    case 'not': {
      const operand = compileCondition(expression.operand, options)
      return (run) => !operand(run)
    }
    case 'binary': {
      if (['+', '-', '*', '/', '%'].includes(expression.operator)) return () => false
      const value = compileBinary(expression, options)
      return (run) => value(run) === true
    }
    case 'literal': {
      const isTrue = expression.value === true
      return () => isTrue
    }
    default: return () => false
  }
}

function compileBinary({ operator, left, right, at }: Expression & { is: 'binary' }, options: CompileOptions): Evaluate {
  if (operator === '||' || operator === '&&') {
    const one = compileCondition(left, options)
    const other = compileCondition(right, options)
    return operator === '||' ? (run) => one(run) || other(run) : (run) => one(run) && other(run)
  }
  const first = compileExpression(left, options)
  const second = compileExpression(right, options)
  switch (operator) {
    case '==': return (run) => isEqual(first(run), second(run))
    case '!=': return (run) => !isEqual(first(run), second(run))
    case '<': case '<=': case '>': case '>=': return (run) => isOrdered(operator, first(run), second(run))
    default: return (run) => {
      const result = calculate(operator, first(run), second(run))
      return typeof result === 'string' ? run.checkText(result, at) : result
    }
  }
}

function compileRange(from: Evaluate, to: Evaluate, at: number): Evaluate {
  return (run) => {
    const first = from(run)
    const last = to(run)
    if (typeof first !== 'number' || typeof last !== 'number') return null
    const count = Math.abs(last - first) + 1
    if (count > RANGE_ITEMS_MAX) run.limit(`a range has more than ${RANGE_ITEMS_MAX} numbers`, at)
    run.step(at, count)
    return new JavaList(Array.from({ length: count }, (_, index) => (first <= last ? first + index : first - index)), 'java')
  }
}

/**
 * A reference never gives null: what is not there is empty text, which `#if` takes as true and prints as nothing.
 *
 * Observed: AWS, 07-08-2023 to 13-08-2023, recorded by localstack/airspeed's test_unmatched_name_does_not_get_substituted and
 * test_formal_reference_in_an_if_condition; the same for null values, AWS, 18-06-2025, test_input_path_template_formatting.
 */
export function compileReference({ name, path, at }: Reference, options: CompileOptions): Evaluate {
  const steps = path.map((step) => compileStep(step, options))
  if (steps.length === 0) return (run) => run.variables.get(name) ?? ''
  return (run) => {
    run.step(at)
    let value = run.variables.get(name)
    if (value === null || value === undefined) return ''
    for (const step of steps) {
      value = step(run, value)
      if (value === null || value === undefined) return ''
    }
    return value
  }
}

type Follow = (run: Run, value: Value) => Value

function compileStep(step: Step, options: CompileOptions): Follow {
  switch (step.is) {
    case 'property': {
      const { name } = step
      return (run, value) => propertyOf(value, name, run.patterns)
    }
    case 'index': {
      const index = compileExpression(step.index, options)
      return (run, value) => guarded(run, step.at, () => elementOf(value, index(run)))
    }
    case 'method': {
      const { name, at } = step
      const args = step.args.map((arg) => compileExpression(arg, options))
      return (run, value) => {
        const given = args.map((arg) => arg(run))
        const result = guarded(run, at, () => callMethod(value, name, given, run.patterns))
        if (result === noSuchMethod) return undefined
        if (typeof result === 'string') run.checkText(result, at)
        else if (result instanceof JavaList) run.step(at, result.items.length)
        return result
      }
    }
  }
}

/** Failures of a method or an index get their place in the template. */
function guarded<T>(run: Run, at: number, body: () => T): T {
  try {
    return body()
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof PatternError)) throw error
    return run.fail(error.message, at)
  }
}

/** `#set`: a variable, or the last member of a path whose beginning exists. */
export function compileTarget({ name, path, at }: Reference, options: CompileOptions): (run: Run, value: Value) => void {
  const last = path.at(-1)
  if (last === undefined) return (run, value) => { run.variables.set(name, value) }
  const owner = compileReference({ is: 'reference', name, path: path.slice(0, -1), literal: '', at }, options)
  if (last.is === 'method') return () => {}
  const member: Evaluate = last.is === 'property' ? () => last.name : compileExpression(last.index, options)
  return (run, value) => guarded(run, at, () => setMember(owner(run), member(run), value))
}

/** A value as `$x` prints it. */
export function printValue(run: Run, value: Value, at: number): void {
  if (value instanceof HostObject) run.deeper(at, () => run.write(value.print()))
  else run.write(toText(value))
}
