// Reads a filter pattern character by character, and refuses it in the service's words.

import { compileRegex } from './regex.ts'
import { PatternRefusal } from './refusal.ts'

export class Scanner {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length
  }

  peek(): string {
    return this.text[this.at] ?? ''
  }

  skipSpace(): this {
    while (/\s/.test(this.peek())) this.at++
    return this
  }

  /** Takes the text if it comes next. */
  take(expected: string): boolean {
    if (!this.text.startsWith(expected, this.at)) return false
    this.at += expected.length
    return true
  }

  /** Takes what a sticky expression matches here. */
  match(expression: RegExp): string | undefined {
    const sticky = new RegExp(expression.source, `${expression.flags.replace('g', '')}y`)
    sticky.lastIndex = this.at
    const found = sticky.exec(this.text)?.[0]
    if (found !== undefined) this.at += found.length
    return found
  }

  /** A keyword such as `IS`, in capitals as the guide writes it, followed by something that cannot belong to it. */
  takeWord(word: string): boolean {
    const found = this.match(new RegExp(`${word}(?![A-Za-z0-9_])`))
    return found !== undefined
  }

  /** What is inside double quotes, with `\"` and `\\` undone. Stands on the opening quote. */
  quoted(): string {
    const inside = this.match(/"(?:[^"\\]|\\[\s\S])*"/)
    if (inside === undefined) throw this.refuse()
    return inside.slice(1, -1).replace(/\\(["\\])/g, '$1')
  }

  /** A regular expression between percent signs. */
  percent(): (text: string) => boolean {
    const inside = this.match(/%(?:[^%\\]|\\[\s\S])*%/)
    if (inside === undefined) throw this.refuse()
    return compileRegex(inside.slice(1, -1))
  }

  /**
   * Observed: published answers of FilterLogEvents and PutMetricFilter, many since 2016: `Invalid character(s) in term '('`.
   */
  refuse(term = this.peek()): PatternRefusal {
    return new PatternRefusal(`Invalid character(s) in term '${term}'`)
  }
}
