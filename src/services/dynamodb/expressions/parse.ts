// Tokens to a tree, by the grammar of the developer guide. What the tree means is judged in `check.ts`.

import { ExpressionRefusal, scan, syntaxError, type Token } from './scan.ts'

/** A step of a document path: a name as written, a `#placeholder`, or the position in a list. */
export type PathStep = { word: string } | { placeholder: string } | { index: number }

/** `end` is the number of the token after the node: where a syntax error would be. */
export type Node =
  | { is: 'and' | 'or' | 'not', of: Node[], end: number }
  | { is: 'compare', operator: Comparator, of: Node[], end: number }
  | { is: 'between' | 'in', of: Node[], end: number }
  | { is: 'call', name: string, of: Node[], end: number }
  | { is: 'path', steps: PathStep[], end: number }
  | { is: 'value', name: string, end: number }

export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>='

export interface Parsed {
  node: Node
  /** Parentheses around parentheses, which DynamoDB refuses. */
  hasRedundantParentheses: boolean
  syntaxErrorAt: (token: number) => ExpressionRefusal
}

const comparators = new Set(['=', '<>', '<', '<=', '>', '>='])
/** Source: developer guide, "Quotas": an expression has at most 300 operators and functions. Ours: counted for nesting alone, and the words. */
const DEPTH_MAX = 300
const keywords = new Set(['AND', 'OR', 'NOT', 'BETWEEN', 'IN'])

/** @throws ExpressionRefusal with a syntax error. */
export function parseCondition(expression: string): Parsed {
  const parser = new Parser(expression)
  const node = parser.or()
  parser.expectEnd()
  return { node, hasRedundantParentheses: parser.hasRedundantParentheses, syntaxErrorAt: (at) => parser.syntaxError(at) }
}

/** The paths of a projection. @throws ExpressionRefusal with a syntax error. */
export function parsePaths(expression: string): PathStep[][] {
  const parser = new Parser(expression)
  const paths = [parser.pathSteps()]
  while (parser.takeSymbol(',')) paths.push(parser.pathSteps())
  parser.expectEnd()
  return paths
}

class Parser {
  readonly #expression: string
  readonly #tokens: Token[]
  #at = 0
  #depth = 0
  hasRedundantParentheses = false

  constructor(expression: string) {
    this.#expression = expression
    this.#tokens = scan(expression)
  }

  or(): Node {
    const of = [this.#and()]
    while (this.#takeKeyword('OR')) of.push(this.#and())
    return of.length === 1 ? of[0]! : { is: 'or', of, end: this.#at }
  }

  #and(): Node {
    const of = [this.#not()]
    while (this.#takeKeyword('AND')) of.push(this.#not())
    return of.length === 1 ? of[0]! : { is: 'and', of, end: this.#at }
  }

  #not(): Node {
    if (!this.#takeKeyword('NOT')) return this.#comparison()
    const of = [this.#comparison()]
    return { is: 'not', of, end: this.#at }
  }

  #comparison(): Node {
    const left = this.#primary()
    const token = this.#token()
    if (token.is === 'symbol' && comparators.has(token.text)) {
      this.#at++
      const right = this.#primary()
      return { is: 'compare', operator: token.text as Comparator, of: [left, right], end: this.#at }
    }
    if (this.#takeKeyword('BETWEEN')) {
      const low = this.#primary()
      if (!this.#takeKeyword('AND')) throw this.syntaxError()
      return { is: 'between', of: [left, low, this.#primary()], end: this.#at }
    }
    if (this.#takeKeyword('IN')) {
      this.#expectSymbol('(')
      return { is: 'in', of: [left, ...this.#list()], end: this.#at }
    }
    return left
  }

  /** An operand, a call, or something in parentheses: whether it may stand where it stands is judged later. */
  #primary(): Node {
    const token = this.#token()
    if (this.takeSymbol('(')) {
      if (++this.#depth > DEPTH_MAX) throw new ExpressionRefusal(`The expression is nested more than ${DEPTH_MAX} levels deep`)
      const inner = this.or()
      this.#expectSymbol(')')
      this.#depth--
      // `((a) = b)` and `((a) OR (b))` are pairs apart; `((a = b))` is one too many.
      if (this.#parenthesized.has(inner)) this.hasRedundantParentheses = true
      const node = inner.is === 'path' ? this.#pathAfter(inner.steps) : { ...inner, end: this.#at }
      if (node.is !== 'path' || inner.is !== 'path' || node.steps.length === inner.steps.length) this.#parenthesized.add(node)
      return node
    }
    if (token.is === 'value') {
      this.#at++
      return { is: 'value', name: token.text, end: this.#at }
    }
    if (token.is === 'word' && this.#tokens[this.#at + 1]!.text === '(' && !keywords.has(token.text.toUpperCase())) {
      this.#at += 2
      return { is: 'call', name: token.text, of: this.#list(), end: this.#at }
    }
    return this.#pathAfter([this.#name()])
  }

  /** Nodes that stand in parentheses of their own. */
  readonly #parenthesized = new Set<Node>()

  /** Operands up to the closing parenthesis; at least one. */
  #list(): Node[] {
    const of = [this.#primary()]
    while (this.takeSymbol(',')) of.push(this.#primary())
    this.#expectSymbol(')')
    return of
  }

  pathSteps(): PathStep[] {
    const path = this.#pathAfter([this.#name()])
    return path.is === 'path' ? path.steps : []
  }

  #pathAfter(head: PathStep[]): Node {
    const steps = [...head]
    for (;;) {
      if (this.takeSymbol('.')) steps.push(this.#name())
      else if (this.takeSymbol('[')) {
        const token = this.#token()
        if (token.is !== 'number') throw this.syntaxError()
        this.#at++
        steps.push({ index: Number(token.text) })
        this.#expectSymbol(']')
      } else {
        return { is: 'path', steps, end: this.#at }
      }
    }
  }

  #name(): PathStep {
    const token = this.#token()
    if (token.is === 'name') {
      this.#at++
      return { placeholder: token.text }
    }
    if (token.is !== 'word' || keywords.has(token.text.toUpperCase())) throw this.syntaxError()
    this.#at++
    return { word: token.text }
  }

  takeSymbol(text: string): boolean {
    const token = this.#token()
    if (token.is !== 'symbol' || token.text !== text) return false
    this.#at++
    return true
  }

  #expectSymbol(text: string): void {
    if (!this.takeSymbol(text)) throw this.syntaxError()
  }

  #takeKeyword(word: string): boolean {
    const token = this.#token()
    if (token.is !== 'word' || token.text.toUpperCase() !== word) return false
    this.#at++
    return true
  }

  expectEnd(): void {
    if (this.#token().is !== 'end') throw this.syntaxError()
  }

  #token(): Token {
    return this.#tokens[this.#at]!
  }

  syntaxError(at = this.#at): ExpressionRefusal {
    return syntaxError(this.#expression, this.#tokens, at)
  }
}
