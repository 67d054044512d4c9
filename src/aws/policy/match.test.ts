// Patterns against a slow and obvious matcher: a regular expression built from the same pattern.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compilePattern } from './match.ts'

const noKeys = () => undefined
const letters = fc.string({ unit: fc.constantFrom('a', 'b', ':'), maxLength: 10 })
const patterns = fc.string({ unit: fc.constantFrom('a', 'b', ':', '*', '?'), maxLength: 10 })

test('an ARN pattern matches what the rules for segments say', () => {
  fc.assert(fc.property(patterns, letters, (pattern, value) => {
    const regex = pattern.replace(/\*(?=:|$)/g, '§').replace(/\*/g, '[^:]*').replace(/\?/g, '[^:]').replaceAll('§', '.*')
    assert.equal(compilePattern(pattern, { hasVariables: false, wildcards: 'arn' })(value, noKeys), new RegExp(`^(?:${regex})$`).test(value))
  }), { numRuns: 5_000, seed: 1 })
})

test('a text pattern matches over colons', () => {
  fc.assert(fc.property(patterns, letters, (pattern, value) => {
    const regex = pattern.replaceAll('*', '.*').replaceAll('?', '.')
    assert.equal(compilePattern(pattern, { hasVariables: false, wildcards: 'text' })(value, noKeys), new RegExp(`^(?:${regex})$`).test(value))
  }), { numRuns: 5_000, seed: 1 })
})

test('a variable matches its own value and nothing else', () => {
  fc.assert(fc.property(patterns, letters, (value, other) => {
    const matches = compilePattern('${key}*', { hasVariables: true, wildcards: 'text' })
    assert.equal(matches(other, () => value), other.startsWith(value))
  }), { numRuns: 2_000, seed: 1 })
})
