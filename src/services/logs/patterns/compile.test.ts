// The filter-pattern cases, and the promise that no pattern takes long.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import cases from '#test/cases/logs/filter-patterns.json' with { type: 'json' }
import { compilePattern, PatternRefusal } from './compile.ts'
import { compileRegex } from './regex.ts'

interface Case { says: string, pattern: string, matches?: string[], differs?: string[], refuses?: string }

describe('filter patterns', () => {
  for (const { says, pattern, matches = [], differs = [], refuses } of cases as Case[]) {
    test(says, () => {
      if (refuses !== undefined) {
        assert.throws(() => compilePattern(pattern), (error) => error instanceof PatternRefusal && (assert.equal(error.message, refuses), true))
        return
      }
      const test = compilePattern(pattern)
      for (const message of matches) assert.equal(test(message), true, `${pattern} matches ${message}`)
      for (const message of differs) assert.equal(test(message), false, `${pattern} does not match ${message}`)
    })
  }

  test('any text is compiled or refused, never a failure', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...Array.from('{}[]()$.*?-"%=!<>&|, aA1\\\'^:#@')) }), (pattern) => {
      try {
        compilePattern(pattern)('a 1 "b" {"a":1}')
      } catch (error) {
        assert.ok(error instanceof PatternRefusal, String(error))
      }
    }), { numRuns: 2000 })
  })
})

describe('compileRegex()', () => {
  test('agrees with the language\'s own engine', () => {
    const piece = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '[a-c]', '\\d', '\\w', '\\.', '-')
    const count = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,2}', '{2,}')
    const branch = fc.tuple(fc.constantFrom('', '^'), fc.array(fc.tuple(piece, count), { maxLength: 5 }), fc.constantFrom('', '$'))
    const source = fc.array(branch, { minLength: 1, maxLength: 3 }).map((branches) => branches.map(([start, pieces, end]) => start + pieces.flat().join('') + end).join('|'))
    const text = fc.string({ unit: fc.constantFrom(...Array.from('abc1.-')), maxLength: 8 })
    fc.assert(fc.property(source, text, (expression, subject) => {
      assert.equal(compileRegex(expression)(subject), new RegExp(expression).test(subject), `/${expression}/ on ${subject}`)
    }), { numRuns: 3000 })
  })

  test('does not backtrack', () => {
    assert.equal(compileRegex('a*a*a*a*a*a*a*a*a*a*b')('a'.repeat(100_000)), false)
  })
})
