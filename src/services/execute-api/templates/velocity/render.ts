// One run of a template: its variables, its output, and the limits that stop a runaway.

import type { HostObject, Value } from '../values.ts'
import { positionAt, TemplateError } from './errors.ts'
import type { Patterns } from '#lib/java-regex.ts'

/** Source: API Gateway quotas, "Maximum iterations in a #foreach ... #end loop in mapping templates". The loop ends, silently. */
export const FOREACH_ITERATIONS_MAX = 1_000
/** Ours: statements and method calls of one run; AWS names no figure. Nested loops could otherwise run for hours. */
export const TEMPLATE_STEPS_MAX = 1_000_000
/** Source: API Gateway quotas, "Payload size". No output, and no text on the way to it, may be longer. Characters. */
export const TEMPLATE_OUTPUT_CHARACTERS_MAX = 10 * 1024 * 1024
/** Source: Velocity 1.7, `velocimacro.max.depth`; here for macros, `#define` blocks and `#evaluate` together. */
export const TEMPLATE_CALL_DEPTH_MAX = 20

/** Ends a loop (`#break`) or the whole run (`#stop`); never leaves the engine. */
export class Leave {
  readonly loop: HostObject | undefined
  constructor(loop: HostObject | undefined) {
    this.loop = loop
  }
}

export class Run {
  readonly variables: Map<string, Value>
  readonly patterns: Patterns
  readonly #template: string
  output = ''
  /** The innermost `$foreach`. */
  loop: HostObject | undefined
  #steps = 0
  #depth = 0

  constructor(template: string, variables: Map<string, Value>, patterns: Patterns) {
    this.#template = template
    this.variables = variables
    this.patterns = patterns
  }

  write(text: string): void {
    this.output += text
    if (this.output.length > TEMPLATE_OUTPUT_CHARACTERS_MAX) this.limit(`the output is longer than ${TEMPLATE_OUTPUT_CHARACTERS_MAX} characters`, 0)
  }

  /** Counts work. @throws TemplateError past `TEMPLATE_STEPS_MAX`. */
  step(at: number, steps = 1): void {
    this.#steps += steps
    if (this.#steps > TEMPLATE_STEPS_MAX) this.limit(`the template takes more than ${TEMPLATE_STEPS_MAX} steps`, at)
  }

  /** Runs something one call deeper. @throws TemplateError past `TEMPLATE_CALL_DEPTH_MAX`. */
  deeper(at: number, body: () => void): void {
    if (this.#depth >= TEMPLATE_CALL_DEPTH_MAX) this.limit(`macros, defined blocks and #evaluate are nested deeper than ${TEMPLATE_CALL_DEPTH_MAX}`, at)
    this.#depth++
    try {
      body()
    } finally {
      this.#depth--
    }
  }

  /** What `body` writes, as text instead of output. */
  capture(body: () => void): string {
    const before = this.output
    this.output = ''
    try {
      body()
      return this.output
    } finally {
      this.output = before
    }
  }

  /** Refuses to let text grow without end. */
  checkText(text: string, at: number): string {
    if (text.length > TEMPLATE_OUTPUT_CHARACTERS_MAX) this.limit(`a text is longer than ${TEMPLATE_OUTPUT_CHARACTERS_MAX} characters`, at)
    return text
  }

  fail(reason: string, at: number): never {
    throw new TemplateError('runtime', reason, positionAt(this.#template, at))
  }

  limit(reason: string, at: number): never {
    throw new TemplateError('limit', reason, positionAt(this.#template, at))
  }
}
