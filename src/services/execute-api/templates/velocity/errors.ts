// What can go wrong in a template, always with the line and column where it did.

/** Where in a template: both count from 1. */
export interface Position {
  line: number
  column: number
}

/** The line and column of a character. */
export function positionAt(text: string, offset: number): Position {
  let line = 1
  let lineStart = 0
  for (let newline = text.indexOf('\n'); newline !== -1 && newline < offset; newline = text.indexOf('\n', newline + 1)) {
    line++
    lineStart = newline + 1
  }
  return { line, column: offset - lineStart + 1 }
}

/** A template that does not parse, fails while it runs, or runs away. */
export class TemplateError extends Error {
  readonly kind: 'syntax' | 'runtime' | 'limit'
  readonly position: Position
  constructor(kind: 'syntax' | 'runtime' | 'limit', reason: string, position: Position) {
    super(`${reason} at line ${position.line}, column ${position.column}`)
    this.name = 'TemplateError'
    this.kind = kind
    this.position = position
  }
}
