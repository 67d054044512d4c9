// Compiles a parsed template to functions, once; running it then only calls them.

import { HostObject, JavaList, JavaMap, mapOf, noSuchMethod, toText, type Value } from '../values.ts'
import { compileCondition, compileExpression, compileReference, compileTarget, printValue, type CompileOptions } from './compile-expression.ts'
import { Patterns } from '#lib/java-regex.ts'
import type { Macro, Statement } from './nodes.ts'
import { parseTemplate } from './parse.ts'
import { FOREACH_ITERATIONS_MAX, Leave, Run } from './render.ts'

/** A template, ready to run any number of times. */
export interface Template {
  /**
   * Runs the template over these variables (the map is the run's own: `#set` writes to it) and answers what it prints.
   * @throws TemplateError with line and column: a method failed, or a limit was reached.
   */
  render(variables: Map<string, Value>): string
}

export interface TemplateOptions {
  /** `as text` leaves calls of macros and `#evaluate` standing as they are, which is what AWS was seen to do. */
  macros: 'run' | 'as text'
}

type Execute = (run: Run) => void

/**
 * Compiles a template.
 * @throws TemplateError with line and column when it does not parse.
 */
export function compileTemplate(text: string, { macros }: TemplateOptions): Template {
  const patterns = new Patterns()
  const execute = compileText(text, macros)
  return {
    render(variables) {
      const run = new Run(text, variables, patterns)
      try {
        execute(run)
      } catch (error) {
        if (!(error instanceof Leave)) throw error
      }
      return run.output
    },
  }
}

function compileText(text: string, mode: TemplateOptions['macros']): Execute {
  const tree = parseTemplate(text)
  const compiled = new Map<string, { parameters: readonly string[], run: Execute }>()
  const options: CompileOptions = { macros: compiled, compileText: (source) => compileText(source, mode) }
  if (mode === 'as text') asText(tree.statements)
  for (const macro of mode === 'run' ? tree.macros.values() : []) compiled.set(macro.name, compileMacro(macro, options))
  return compileStatements(tree.statements, options)
}

/** A macro's body is compiled at its first call, so that macros may call each other and themselves. */
function compileMacro({ parameters, body }: Macro, options: CompileOptions): { parameters: readonly string[], run: Execute } {
  let compiled: Execute | undefined
  return { parameters, run: (run) => (compiled ??= compileStatements(body, options))(run) }
}

/** Turns `#evaluate` into the text that it was; macro calls become text because no macro is known. */
function asText(statements: Statement[]): void {
  for (const [index, statement] of statements.entries()) {
    if (statement.is === 'evaluate') statements[index] = { is: 'text', text: statement.literal }
    else if (statement.is === 'if') {
      for (const { body } of statement.branches) asText(body)
      if (statement.otherwise) asText(statement.otherwise)
    } else if (statement.is === 'foreach' || statement.is === 'define') asText(statement.body)
  }
}

export function compileStatements(statements: readonly Statement[], options: CompileOptions): Execute {
  const compiled = statements.map((statement) => compileStatement(statement, options))
  if (compiled.length === 1) return compiled[0]!
  return (run) => { for (const execute of compiled) execute(run) }
}

function compileStatement(statement: Statement, options: CompileOptions): Execute {
  switch (statement.is) {
    case 'text': {
      const { text } = statement
      return (run) => run.write(text)
    }
    case 'print': return compilePrint(statement, options)
    case 'set': {
      const value = compileExpression(statement.value, options)
      const assign = compileTarget(statement.target, options)
      // A value of null changes nothing. Source: Velocity 1.7, `directive.set.null.allowed` is false.
      return (run) => {
        run.step(statement.target.at)
        const result = value(run)
        if (result !== null && result !== undefined) assign(run, result)
      }
    }
    case 'if': {
      const branches = statement.branches.map(({ condition, body }) =>
        ({ condition: compileCondition(condition, options), body: compileStatements(body, options) }))
      const otherwise = statement.otherwise && compileStatements(statement.otherwise, options)
      return (run) => {
        for (const { condition, body } of branches) {
          if (condition(run)) return body(run)
        }
        otherwise?.(run)
      }
    }
    case 'foreach': return compileForeach(statement, options)
    case 'define': {
      const body = compileStatements(statement.body, options)
      return (run) => { run.variables.set(statement.name, new Block(() => run.capture(() => body(run)))) }
    }
    case 'evaluate': {
      const source = compileExpression(statement.source, options)
      return (run) => {
        const text = source(run)
        run.step(statement.at)
        run.deeper(statement.at, () => options.compileText(toText(text))(run))
      }
    }
    case 'call': return compileCall(statement, options)
    case 'break': {
      const scope = statement.scope && compileExpression(statement.scope, options)
      return (run) => {
        const named = scope?.(run)
        throw new Leave(named instanceof HostObject ? named : run.loop)
      }
    }
    case 'stop': return () => { throw new Leave(undefined) }
  }
}

function compilePrint({ reference, escapes, isEscaped }: Statement & { is: 'print' }, options: CompileOptions): Execute {
  if (isEscaped) return (run) => run.write(escapes + reference.literal)
  const value = compileReference(reference, options)
  const { at } = reference
  if (escapes === '') return (run) => printValue(run, value(run), at)
  return (run) => {
    run.write(escapes)
    printValue(run, value(run), at)
  }
}

function compileForeach({ name, list, body, at }: Statement & { is: 'foreach' }, options: CompileOptions): Execute {
  const items = compileExpression(list, options)
  const once = compileStatements(body, options)
  return (run) => {
    const over = itemsOf(items(run))
    if (over === undefined) return
    const outer = run.loop
    const saved = [name, 'foreach', 'velocityCount', 'velocityHasNext'].map((variable) => [variable, run.variables.get(variable)] as const)
    const loop = new Loop(over.length, outer)
    run.loop = loop
    run.variables.set('foreach', loop)
    try {
      const count = Math.min(over.length, FOREACH_ITERATIONS_MAX)
      for (let index = 0; index < count; index++) {
        run.step(at)
        loop.index = index
        run.variables.set(name, over[index])
        run.variables.set('velocityCount', index + 1)
        run.variables.set('velocityHasNext', index + 1 < over.length)
        once(run)
        if (over.length !== loop.count) run.fail('the list was changed while #foreach went over it', at)
      }
    } catch (error) {
      if (!(error instanceof Leave) || error.loop !== loop) throw error
    } finally {
      run.loop = outer
      for (const [variable, value] of saved) {
        if (value === undefined) run.variables.delete(variable)
        else run.variables.set(variable, value)
      }
    }
  }
}

/** A list's items or a map's values; anything else is not looped over. */
function itemsOf(value: Value): readonly Value[] | undefined {
  if (value instanceof JavaList) return value.items
  return value instanceof JavaMap ? [...value.entries.values()] : undefined
}

/** A macro sees its arguments as variables; what they hid comes back after the call. */
function compileCall({ macro, args, literal, body, at }: Statement & { is: 'call' }, options: CompileOptions): Execute {
  const given = args.map((arg) => compileExpression(arg, options))
  const content = body && compileStatements(body, options)
  return (run) => {
    const target = options.macros.get(macro)
    if (target === undefined) return run.write(literal)
    run.step(at)
    const local = new Map<string, Value>(target.parameters.map((parameter, index) => [parameter, given[index]?.(run)]))
    if (content) local.set('bodyContent', new Block(() => run.capture(() => content(run))))
    const saved = [...local.keys()].map((variable) => [variable, run.variables.get(variable)] as const)
    for (const [variable, value] of local) run.variables.set(variable, value)
    try {
      run.deeper(at, () => target.run(run))
    } finally {
      for (const [variable, value] of saved) run.variables.set(variable, value)
    }
  }
}

/** What `#define` makes: runs anew each time it is printed. */
class Block extends HostObject {
  readonly #print: () => string
  constructor(print: () => string) {
    super()
    this.#print = print
  }

  override call(name: string, args: readonly Value[]): Value | typeof noSuchMethod {
    return name === 'toString' && args.length === 0 ? this.print() : noSuchMethod
  }

  print(): string {
    return this.#print()
  }
}

/** `$foreach`: where a loop is. Source: Velocity user guide 1.7, "Foreach Loop" and "Scope". */
class Loop extends HostObject {
  index = 0
  readonly count: number
  readonly #parent: HostObject | undefined
  readonly #own: JavaMap
  constructor(count: number, parent: HostObject | undefined) {
    super()
    this.count = count
    this.#parent = parent
    this.#own = mapOf({})
  }

  override property(name: string): Value {
    switch (name) {
      case 'index': return this.index
      case 'count': return this.index + 1
      case 'hasNext': return this.index + 1 < this.count
      case 'first': return this.index === 0
      case 'last': return this.index + 1 === this.count
      case 'parent': return this.#parent
      case 'topmost': return this.#parent?.property('topmost') ?? this
      default: return this.#own.entries.get(name)
    }
  }

  override call(name: string, args: readonly Value[]): Value | typeof noSuchMethod {
    const property = /^(?:get|is)([A-Z]\w*)$/.exec(name)?.[1] ?? name
    if (args.length > 0) return noSuchMethod
    return this.property(property[0]!.toLowerCase() + property.slice(1)) ?? noSuchMethod
  }

  print(): string {
    return toText(this.#own)
  }
}
