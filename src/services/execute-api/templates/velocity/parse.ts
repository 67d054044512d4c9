// Turns the text of a template into a tree. Where Velocity's grammar is surprising (who eats which line end), this file follows it.
// Source: Apache Velocity 1.7, grammar Parser.jjt and the behaviour of that release.

import { positionAt, TemplateError } from './errors.ts'
import type { Expression, Macro, Statement, Tree } from './nodes.ts'
import { parseExpression, parseParameter, parseReference, parseTrailingWord } from './parse-expression.ts'
import { Source } from './source.ts'

/** `#set` also eats the blanks before it, if they begin a token: at the start, or right after a directive or a reference. */
const setDirective = /[ \t]*#(?:set|\{set\}) *\(/y
const plainText = /[^$#\\]+/y
const backslashes = /\\+/y
const directiveName = /#(?:([A-Za-z_@][A-Za-z0-9_@]*)|\{([A-Za-z_][A-Za-z0-9_@]*)\})/y
const lineComment = /##[^\r\n]*(?:\r\n|\n|\r)?/y
const blockComment = /#\*[\s\S]*?\*#/y
const literalBlock = /#\[\[[\s\S]*?\]\]#/y
const restOfLine = /[ \t]*(?:\r\n|\n|\r)/y
const dollarBang = /\$!?/y
const inWord = /in(?![A-Za-z0-9_@])/y
const truthWord = /(?:true|false)(?![A-Za-z0-9_@])/y
const looseWord = /[A-Za-z_@][A-Za-z0-9_@]*/y

const knownDirectives = new Set([
  'set', 'if', 'elseif', 'else', 'end', 'foreach', 'macro', 'define', 'evaluate', 'break', 'stop', 'literal', 'include', 'parse',
])

/** Statements nested deeper than this are refused. */
const STATEMENT_DEPTH_MAX = 100

/**
 * Parses a template.
 * @throws TemplateError with line and column.
 */
export function parseTemplate(text: string): Tree {
  const source = new Source(text)
  const tree: Tree = { statements: [], macros: new Map() }
  tree.statements = parseStatements(source, tree, 0)
  if (!source.isAtEnd) source.fail('expected text or a directive')
  return tree
}

/** The inside of a double-quoted string. Errors are told at the string's own place in the template. */
export function parseInterpolated(text: string, outer: Source, at: number): Statement[] {
  // A blank after the text lets it end with a `$` or `#` that means nothing; it is taken off again.
  const source = new Source(`${text} `)
  const tree: Tree = { statements: [], macros: new Map() }
  try {
    const statements = parseStatements(source, tree, 1)
    if (!source.isAtEnd) source.fail('expected text or a directive')
    const last = statements.at(-1)
    if (last?.is === 'text' && last.text.endsWith(' ')) last.text = last.text.slice(0, -1)
    return statements
  } catch (error) {
    if (error instanceof TemplateError) throw new TemplateError('syntax', `in a string: ${error.message}, string`, positionAt(outer.text, at))
    throw error
  }
}

/** Statements up to the end, or up to an `#end`, `#else` or `#elseif` that belongs to the caller. */
function parseStatements(source: Source, tree: Tree, depth: number): Statement[] {
  if (depth > STATEMENT_DEPTH_MAX) source.fail(`expected at most ${STATEMENT_DEPTH_MAX} nested directives`)
  const statements: Statement[] = []
  while (!source.isAtEnd) {
    if (source.looksAt(setDirective)) {
      statements.push(parseSet(source))
      continue
    }
    const text = source.take(plainText)
    if (text !== undefined) {
      addText(statements, text)
      continue
    }
    const escapes = source.take(backslashes) ?? ''
    if (source.peek() === '$') parseDollar(source, escapes, statements)
    else if (source.peek() === '#') {
      if (!parseHash(source, escapes, statements, tree, depth)) return statements
    } else addText(statements, escapes)
  }
  return statements
}

function addText(statements: Statement[], text: string): void {
  if (text === '') return
  const last = statements.at(-1)
  if (last?.is === 'text') last.text += text
  else statements.push({ is: 'text', text })
}

function parseDollar(source: Source, escapes: string, statements: Statement[]): void {
  const reference = parseReference(source)
  if (reference) {
    statements.push({ is: 'print', reference, escapes: escapes.slice(0, escapes.length >> 1), isEscaped: escapes.length % 2 === 1 })
    addText(statements, parseTrailingWord(source, reference) ?? '')
    return
  }
  const dollar = source.take(dollarBang)!
  if (source.isAtEnd) source.fail(`expected something after '${dollar}'`)
  // The mark of a quiet reference goes with it, even where there is none. Observed: Apache Velocity 1.7.
  addText(statements, escapes + (source.peek() === '{' ? dollar : '$'))
}

/** Takes what begins with `#`. False when it is the end of the block, which then is not taken. */
function parseHash(source: Source, escapes: string, statements: Statement[], tree: Tree, depth: number): boolean {
  const start = source.position
  const image = source.take(directiveName)
  if (image !== undefined) {
    const name = image.startsWith('#{') ? image.slice(2, -1) : image.slice(1)
    const isKnown = knownDirectives.has(name) || tree.macros.has(name)
    if (escapes.length % 2 === 1) {
      addText(statements, isKnown ? escapes.slice(0, escapes.length >> 1) + image : escapes + image)
      return true
    }
    addText(statements, isKnown ? escapes.slice(0, escapes.length >> 1) : escapes)
    if (name === 'end' || name === 'else' || name === 'elseif') {
      source.position = start
      if (depth === 0) source.fail('expected text or a directive')
      return false
    }
    parseDirective(source, name, start, statements, tree, depth)
    return true
  }
  addText(statements, escapes)
  if (source.take(lineComment) !== undefined) return true
  if (source.startsWith('#[[')) {
    const block = source.take(literalBlock) ?? source.fail('expected ]]# to close #[[')
    addText(statements, block.slice(3, -3))
    return true
  }
  if (source.startsWith('#*')) {
    if (source.take(blockComment) === undefined) source.fail('expected *# to close #*')
    return true
  }
  source.position++
  if (source.isAtEnd) source.fail("expected something after '#'")
  addText(statements, '#')
  return true
}

function parseDirective(source: Source, name: string, start: number, statements: Statement[], tree: Tree, depth: number): void {
  switch (name) {
    case 'if': statements.push(parseIf(source, tree, depth)); return
    case 'stop': statements.push({ is: 'stop' }); return
    case 'include': case 'parse': source.fail(`expected no #${name}, which needs files that mapping templates do not have,`, start)
  }
  if (!hasParenthesis(source)) {
    if (name === 'break') statements.push({ is: 'break', scope: undefined })
    else if (name === 'macro') source.fail('expected ( and a name after #macro')
    else addText(statements, source.text.slice(start, source.position))
    return
  }
  switch (name) {
    case 'foreach': statements.push(parseForeach(source, start, tree, depth)); return
    case 'define': statements.push(parseDefine(source, tree, depth)); return
    case 'macro': parseMacro(source, tree, depth); return
    case 'literal': parseLiteral(source, statements, tree, depth); return
  }
  const args = parseArguments(source)
  if (name === 'break') statements.push({ is: 'break', scope: args[0] })
  else if (name === 'evaluate') {
    if (args.length !== 1) source.fail('expected one argument of #evaluate', start)
    statements.push({ is: 'evaluate', source: args[0]!, literal: source.text.slice(start, source.position), at: start })
  } else {
    // Whether such a macro exists is known at the end of the template; if not, the call stands as text.
    const isBlock = name.startsWith('@')
    const body = isBlock ? parseBlock(source, tree, depth) : undefined
    const literal = source.text.slice(start, source.position)
    statements.push({ is: 'call', macro: isBlock ? name.slice(1) : name, args, literal, body, at: start })
  }
}

/** A parenthesis after blanks or line ends makes a directive of a word. */
function hasParenthesis(source: Source): boolean {
  return source.looksAt(parenthesis)
}

const parenthesis = /[ \t\r\n]*\(/y

function open(source: Source, directive: string): void {
  if (source.take(parenthesis) === undefined) source.fail(`expected ( after ${directive}`)
}

/** A directive's closing parenthesis takes the rest of its line if that is blank. */
function close(source: Source): void {
  source.skipSpace()
  source.expect(')', 'a closing parenthesis')
  source.take(restOfLine)
}

function parseArguments(source: Source): Expression[] {
  open(source, 'a directive')
  const args: Expression[] = []
  for (;;) {
    source.skipSpace()
    if (source.peek() === ',') source.position++
    source.skipSpace()
    if (source.peek() === ')') break
    const word = source.looksAt(truthWord) ? undefined : source.take(looseWord)
    args.push(word === undefined ? parseParameter(source) : { is: 'literal', value: word })
  }
  close(source)
  return args
}

function parseSet(source: Source): Statement {
  source.take(setDirective)
  source.skipSpace()
  const target = (source.peek() === '$' ? parseReference(source) : undefined) ?? source.fail('expected a reference to set')
  source.skipSpace()
  source.expect('=', "'='")
  const value = parseExpression(source)
  close(source)
  return { is: 'set', target, value }
}

function parseIf(source: Source, tree: Tree, depth: number): Statement {
  const branches: { condition: Expression, body: Statement[] }[] = []
  let otherwise: Statement[] | undefined
  let directive = '#if'
  for (;;) {
    if (directive === '#else') {
      source.take(restOfLine)
      otherwise = parseStatements(source, tree, depth + 1)
    } else {
      open(source, directive)
      const condition = parseExpression(source)
      close(source)
      branches.push({ condition, body: parseStatements(source, tree, depth + 1) })
    }
    const at = source.position
    const image = source.take(directiveName)
    const name = image?.replace(/[#{}]/g, '')
    if (name === 'end') {
      source.take(restOfLine)
      return { is: 'if', branches, otherwise }
    }
    if (name === undefined || otherwise !== undefined) source.fail('expected #end', at)
    directive = `#${name}`
  }
}

function parseBlock(source: Source, tree: Tree, depth: number): Statement[] {
  const body = parseStatements(source, tree, depth + 1)
  const at = source.position
  const image = source.take(directiveName)
  if (image !== '#end' && image !== '#{end}') source.fail('expected #end', at)
  source.take(restOfLine)
  return body
}

function parseVariable(source: Source): string {
  source.skipSpace()
  const reference = source.peek() === '$' ? parseReference(source) : undefined
  if (reference === undefined || reference.path.length > 0) return source.fail('expected a variable')
  return reference.name
}

function parseForeach(source: Source, at: number, tree: Tree, depth: number): Statement {
  open(source, '#foreach')
  const name = parseVariable(source)
  source.skipSpace()
  if (source.take(inWord) === undefined) source.fail("expected 'in'")
  const list = parseParameter(source)
  close(source)
  return { is: 'foreach', name, list, body: parseBlock(source, tree, depth), at }
}

function parseDefine(source: Source, tree: Tree, depth: number): Statement {
  open(source, '#define')
  const name = parseVariable(source)
  close(source)
  return { is: 'define', name, body: parseBlock(source, tree, depth) }
}

function parseMacro(source: Source, tree: Tree, depth: number): void {
  open(source, '#macro')
  source.skipSpace()
  const at = source.position
  const name = source.take(looseWord) ?? source.fail('expected the name of a macro')
  if (knownDirectives.has(name)) source.fail(`expected a name that is not a directive's`, at)
  const parameters: string[] = []
  for (;;) {
    source.skipSpace()
    if (source.peek() === ',') source.position++
    source.skipSpace()
    if (source.peek() !== '$') break
    parameters.push(parseVariable(source))
  }
  close(source)
  const macro: Macro = { name, parameters, body: [] }
  if (!tree.macros.has(name)) tree.macros.set(name, macro)
  macro.body = parseBlock(source, tree, depth)
}

function parseLiteral(source: Source, statements: Statement[], tree: Tree, depth: number): void {
  open(source, '#literal')
  close(source)
  const start = source.position
  parseStatements(source, tree, depth + 1)
  addText(statements, source.text.slice(start, source.position))
  const image = source.take(directiveName)
  if (image !== '#end' && image !== '#{end}') source.fail('expected #end')
  source.take(restOfLine)
}
