// The regular expressions of filter patterns, matched without backtracking: no pattern of a client can stop the server.

import { PatternRefusal } from './refusal.ts'

type CharacterTest = (code: number) => boolean

/** One character of the expression, which may be skipped, or repeated without end. */
interface Place {
  test: CharacterTest
  isSkippable: boolean
  isRepeated: boolean
}

interface Alternative {
  places: readonly Place[]
  isFromStart: boolean
  isToEnd: boolean
}

/** Ours: places of one expression, counted repetitions written out. */
const PLACES_MAX = 1000

/**
 * A search for the expression anywhere in a text.
 *
 * Source: the guide, "Supported regular expressions": letters, digits, `: _ # = @ / ; , -`, and `^ $ ? [] {m,n} | \ * + . \d \D \s \S \w \W`;
 * no groups, no multi-byte characters. The guide shows `\xhh` too.
 */
export function compileRegex(source: string): (text: string) => boolean {
  const foreign = /[^A-Za-z0-9:_#=@/;,\-^$?[\]{}|\\*+.]/.exec(source.replaceAll(/\\[^A-Za-z0-9]/g, ''))
  if (foreign) throw new PatternRefusal(`Invalid character(s) in term '${foreign[0]}'`)
  const alternatives = readAlternatives(source)
  return (text) => alternatives.some((alternative) => occurs(alternative, text))
}

/** Keeps, for each character of the text, every place of the expression that could be next. */
function occurs({ places, isFromStart, isToEnd }: Alternative, text: string): boolean {
  const end = places.length
  let active = new Uint8Array(end + 1)
  let next = new Uint8Array(end + 1)
  const enter = (into: Uint8Array, index: number) => {
    for (let place = index; into[place] === 0; place++) {
      into[place] = 1
      if (place === end || !places[place]!.isSkippable) return
    }
  }
  enter(active, 0)
  for (let at = 0; at < text.length; at++) {
    if (active[end] === 1 && !isToEnd) return true
    const code = text.charCodeAt(at)
    next.fill(0)
    for (let index = 0; index < end; index++) {
      if (active[index] === 1 && places[index]!.test(code)) enter(next, places[index]!.isRepeated ? index : index + 1)
    }
    if (!isFromStart) enter(next, 0)
    ;[active, next] = [next, active]
  }
  return active[end] === 1
}

function readAlternatives(source: string): Alternative[] {
  const alternatives: Alternative[] = []
  let at = 0
  let total = 0
  const refuse = () => new PatternRefusal(`Invalid character(s) in term '${source}'`)
  do {
    const places: Place[] = []
    const isFromStart = source[at] === '^'
    let isToEnd = false
    if (isFromStart) at++
    while (at < source.length && source[at] !== '|') {
      if (isToEnd) throw refuse()
      if (source[at] === '$') { isToEnd = true; at++; continue }
      const test = readCharacter()
      const [min, max] = readCount()
      total += Math.max(min, max === Infinity ? min + 1 : max)
      if (total > PLACES_MAX) throw new PatternRefusal('Invalid filter pattern: a regular expression repeats too much')
      for (let index = 0; index < min; index++) places.push({ test, isSkippable: false, isRepeated: false })
      if (max === Infinity) places.push({ test, isSkippable: true, isRepeated: true })
      else for (let index = min; index < max; index++) places.push({ test, isSkippable: true, isRepeated: false })
    }
    alternatives.push({ places, isFromStart, isToEnd })
  } while (source[at++] === '|')
  return alternatives

  function readCharacter(): CharacterTest {
    const character = source[at++]!
    if ('*+?{}]^'.includes(character)) throw refuse()
    if (character === '.') return () => true
    if (character === '[') return readClass()
    if (character === '\\') return readEscape()
    return equals(character.charCodeAt(0))
  }

  function readEscape(): CharacterTest {
    const character = source[at++]
    if (character === undefined) throw refuse()
    const named = namedClasses[character]
    if (named) return named
    if (character === 'x' && /^[0-9A-Fa-f]{2}/.test(source.slice(at))) {
      at += 2
      return equals(Number.parseInt(source.slice(at - 2, at), 16))
    }
    if (/[A-Za-z0-9]/.test(character)) throw refuse()
    return equals(character.charCodeAt(0))
  }

  function readClass(): CharacterTest {
    const isNegated = source[at] === '^'
    if (isNegated) at++
    const tests: CharacterTest[] = []
    while (source[at] !== ']') {
      if (at >= source.length) throw refuse()
      if (source[at] === '\\') { at++; tests.push(readEscape()); continue }
      const from = source.charCodeAt(at++)
      if (source[at] === '-' && source[at + 1] !== ']' && at + 1 < source.length) {
        const to = source.charCodeAt(at + 1)
        at += 2
        if (to < from) throw refuse()
        tests.push((code) => code >= from && code <= to)
      } else {
        tests.push(equals(from))
      }
    }
    at++
    if (tests.length === 0) throw refuse()
    return (code) => tests.some((test) => test(code)) !== isNegated
  }

  function readCount(): [min: number, max: number] {
    switch (source[at]) {
      case '*': at++; return [0, Infinity]
      case '+': at++; return [1, Infinity]
      case '?': at++; return [0, 1]
      case '{': {
        const counted = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(source.slice(at))
        if (!counted) throw refuse()
        at += counted[0].length
        const min = Number(counted[1])
        const max = counted[2] === undefined ? min : counted[3] === '' ? Infinity : Number(counted[3])
        if (max < min) throw refuse()
        return [min, max]
      }
      default: return [1, 1]
    }
  }
}

const equals = (wanted: number): CharacterTest => (code) => code === wanted
const isDigit: CharacterTest = (code) => code >= 48 && code <= 57
const isWord: CharacterTest = (code) => isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95
const isSpace: CharacterTest = (code) => code === 32 || (code >= 9 && code <= 13)
const not = (test: CharacterTest): CharacterTest => (code) => !test(code)

const namedClasses: Readonly<Record<string, CharacterTest>> = { d: isDigit, D: not(isDigit), w: isWord, W: not(isWord), s: isSpace, S: not(isSpace) }
