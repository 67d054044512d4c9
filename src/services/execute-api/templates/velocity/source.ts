// A cursor over the text of a template.

import { positionAt, TemplateError } from './errors.ts'

export class Source {
  readonly text: string
  position: number
  constructor(text: string) {
    this.text = text
    this.position = 0
  }

  get isAtEnd(): boolean {
    return this.position >= this.text.length
  }

  /** The character under the cursor, or an empty string at the end. */
  peek(ahead = 0): string {
    return this.text[this.position + ahead] ?? ''
  }

  startsWith(text: string): boolean {
    return this.text.startsWith(text, this.position)
  }

  /** Takes what a sticky pattern matches here, or undefined. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position
    const match = pattern.exec(this.text)
    if (!match) return undefined
    this.position += match[0].length
    return match[0]
  }

  /** Whether a sticky pattern matches here; takes nothing. */
  looksAt(pattern: RegExp): boolean {
    pattern.lastIndex = this.position
    return pattern.test(this.text)
  }

  /** Takes exactly this text or fails with what was expected. */
  expect(text: string, expected: string): void {
    if (!this.startsWith(text)) this.fail(`expected ${expected}`)
    this.position += text.length
  }

  skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.position)
      if (code !== 32 && code !== 9 && code !== 10 && code !== 13) return
      this.position++
    }
  }

  /** Refuses the template: `reason`, what was found instead, and where. */
  fail(reason: string, at = this.position): never {
    const found = at >= this.text.length ? 'end of template' : `'${this.text.slice(at, at + 12).split('\n')[0]}'`
    throw new TemplateError('syntax', `${reason} but found ${found}`, positionAt(this.text, at))
  }
}
