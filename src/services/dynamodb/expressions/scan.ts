// Text to tokens.

/** What is wrong with an expression, in DynamoDB's words, without the name of the parameter. */
export class ExpressionRefusal extends Error {}

export interface Token {
  /** `word`, `#`, `:`, `number`, `end`, or the symbol itself. */
  is: 'word' | 'name' | 'value' | 'number' | 'symbol' | 'end'
  text: string
  start: number
  end: number
}

/** Source: developer guide, "Quotas", expression parameters. */
const EXPRESSION_BYTES_MAX = 4096

const pattern = /(?<space>[ \t\r\n]+)|(?<word>[A-Za-z][A-Za-z0-9_]*)|(?<name>#[A-Za-z0-9_]+)|(?<value>:[A-Za-z0-9_]+)|(?<number>\d+)|(?<symbol><=|>=|<>|[\s\S])/uy

/**
 * The tokens of an expression, an `end` last.
 *
 * Observed: DynamoDB, in a comment of Scylla's tests: a name that begins with an underscore or digit is not read as one token.
 */
export function scan(expression: string): Token[] {
  // Observed: DynamoDB, recorded by dynalite's tests and, in 2026, by nubo-db's updateItem.test.ts.
  if (expression === '') throw new ExpressionRefusal('The expression can not be empty;')
  const size = Buffer.byteLength(expression)
  if (size > EXPRESSION_BYTES_MAX) throw new ExpressionRefusal(`Expression size has exceeded the maximum allowed size; expression size: ${size}`)
  const tokens: Token[] = []
  pattern.lastIndex = 0
  while (pattern.lastIndex < expression.length) {
    const start = pattern.lastIndex
    const { space, word, name, value, number } = pattern.exec(expression)!.groups!
    if (space !== undefined) continue
    const end = pattern.lastIndex
    const is = word !== undefined ? 'word' : name !== undefined ? 'name' : value !== undefined ? 'value' : number !== undefined ? 'number' : 'symbol'
    tokens.push({ is, text: expression.slice(start, end), start, end })
  }
  tokens.push({ is: 'end', text: '<EOF>', start: expression.length, end: expression.length })
  return tokens
}

/**
 * Observed: DynamoDB, 2026, recorded by nubo-db's tests: `token: "!", near: "!!"`, `token: "INVALID", near: "INVALID SYNTAX"`,
 * `token: "<EOF>", near: "("`; near stands the text from the token before to the token after.
 */
export function syntaxError(expression: string, tokens: readonly Token[], at: number): ExpressionRefusal {
  const token = tokens[at]!
  const from = tokens[at - 1] ?? token
  const to = token.is === 'end' ? from : tokens[at + 1]!.is === 'end' ? token : tokens[at + 1]!
  return new ExpressionRefusal(`Syntax error; token: "${token.text}", near: "${expression.slice(from.start, to.end)}"`)
}
