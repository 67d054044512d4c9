// Regular expressions of Java as JavaScript's: mapping templates, JSONPath filters and selection patterns are written in them.

import { setFlagsFromString } from 'node:v8'

// A pattern that backtracks too much is run again by V8's linear engine, so that an author's `(a+)+b` cannot stop the server. Patterns
// with back references, lookarounds or ignored case have no linear form and keep their risk.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')

/** Patterns longer than this are refused, characters. */
const PATTERN_CHARACTERS_MAX = 10_000
/** Compiled patterns kept; beyond that the oldest is dropped. */
const PATTERNS_KEPT_MAX = 500

const posixClasses: Readonly<Record<string, string>> = {
  Lower: 'a-z', Upper: 'A-Z', ASCII: '\\x00-\\x7F', Alpha: 'a-zA-Z', Digit: '0-9', Alnum: 'a-zA-Z0-9',
  Punct: '!-\\/:-@\\[-`{-~', Graph: '!-~', Print: '\\x20-~', Blank: ' \\t', Cntrl: '\\x00-\\x1F\\x7F', XDigit: '0-9a-fA-F', Space: ' \\t\\n\\x0B\\f\\r',
}

/** Thrown for a pattern that does not compile, or a replacement that names a group that is not there. */
export class PatternError extends Error {}

/** The compiled patterns of one template, so that a loop compiles each once. */
export class Patterns {
  readonly #compiled = new Map<string, RegExp>()

  /** @throws PatternError */
  get(pattern: string, extent: 'whole text' | 'anywhere'): RegExp {
    const key = `${extent}:${pattern}`
    const known = this.#compiled.get(key)
    if (known) return known
    const regex = compileJavaPattern(pattern, extent)
    if (this.#compiled.size >= PATTERNS_KEPT_MAX) this.#compiled.delete(this.#compiled.keys().next().value!)
    this.#compiled.set(key, regex)
    return regex
  }
}

/**
 * Compiles a Java pattern. Understands inline flags at the start (`(?i)`), POSIX classes, `\\Q…\\E`, `\\A`, `\\z`, `\\Z`, `\\h`.
 * Ours: possessive quantifiers and atomic groups, which JavaScript lacks, may backtrack.
 * @throws PatternError
 */
export function compileJavaPattern(pattern: string, extent: 'whole text' | 'anywhere'): RegExp {
  if (pattern.length > PATTERN_CHARACTERS_MAX) throw new PatternError(`the pattern is longer than ${PATTERN_CHARACTERS_MAX} characters`)
  const { source, flags } = translate(pattern)
  try {
    if (extent === 'anywhere') return new RegExp(source, `${flags}g`)
    // With (?m) the anchors stand for lines; only then are lookarounds, which have no linear form, worth their price.
    return flags.includes('m') ? new RegExp(`(?<![\\s\\S])(?:${source})(?![\\s\\S])`, flags) : new RegExp(`^(?:${source})$`, flags)
  } catch (error) {
    throw new PatternError((error as Error).message)
  }
}

function translate(pattern: string): { source: string, flags: string } {
  let flags = ''
  let rest = pattern
  const inline = /^\(\?([imsux]+)\)/.exec(rest)
  if (inline) {
    flags = [...new Set(inline[1]!.replace(/[^ims]/g, ''))].join('')
    rest = rest.slice(inline[0].length)
  }
  let source = ''
  let isInClass = false
  for (let index = 0; index < rest.length; index++) {
    const character = rest[index]!
    if (character === '\\') {
      const next = rest[++index] ?? ''
      if (next === 'Q') {
        const end = rest.indexOf('\\E', index)
        const quoted = rest.slice(index + 1, end === -1 ? undefined : end)
        source += quoted.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
        index = end === -1 ? rest.length : end + 1
      } else if (next === 'p' || next === 'P') {
        const name = /^\{(?:Is)?(\w+)\}/.exec(rest.slice(index + 1))
        const set = name ? posixClasses[name[1]!] : undefined
        if (!name || set === undefined) throw new PatternError(`\\${next} is not understood here`)
        source += isInClass && next === 'p' ? set : `[${next === 'P' ? '^' : ''}${set}]`
        index += name[0].length
      } else source += escapes[next] ?? `\\${next}`
      continue
    }
    if (character === '[') {
      if (isInClass) source += '\\['
      else { isInClass = true; source += '[' }
    } else if (character === ']' && isInClass) { isInClass = false; source += ']' }
    else if (!isInClass && character === '(' && rest.startsWith('(?>', index)) { source += '(?:'; index += 2 }
    else if (!isInClass && character === '+' && /[*+?}]$/.test(source) && !/\\.$/.test(source)) continue
    else source += character
  }
  return { source, flags }
}

const escapes: Readonly<Record<string, string>> = { A: '^', z: '$', Z: '(?=\\n?$)', h: '[ \\t\\xA0]', R: '(?:\\r\\n|[\\n\\r])', e: '\\x1B', a: '\\x07' }

/** A Java replacement text: `$1` and `${name}` are groups, a backslash takes the next character as it is. */
export function expandReplacement(replacement: string, match: RegExpMatchArray): string {
  return replacement.replace(/\\(.)|\$(\d)|\$\{(\w+)\}/gs, (_, escaped: string | undefined, group: string | undefined, name: string | undefined) => {
    if (escaped !== undefined) return escaped
    if (group !== undefined) {
      if (Number(group) >= match.length) throw new PatternError(`No group ${group}`)
      return match[Number(group)] ?? ''
    }
    return match.groups?.[name!] ?? ''
  })
}
