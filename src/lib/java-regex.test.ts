// Java's patterns on JavaScript's engine.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileJavaPattern, PatternError } from './java-regex.ts'

test('a pattern that would backtrack for ever comes to an end', () => {
  // Without the linear engine each of these runs longer than the universe has: the test would not end.
  assert.equal(compileJavaPattern('(a+)+b', 'whole text').test('a'.repeat(200)), false)
  assert.equal(compileJavaPattern('(.*)*x', 'anywhere').test('a'.repeat(200)), false)
  assert.equal(compileJavaPattern('.*(NotFound|Missing)+.*', 'whole text').test('x'.repeat(10_000)), false)
})

test('the whole text must match, over its line breaks only where the pattern says so', () => {
  assert.equal(compileJavaPattern('.*NotFound.*', 'whole text').test('a NotFound b'), true)
  assert.equal(compileJavaPattern('.*NotFound.*', 'whole text').test('a NotFound b\nc'), false)
  assert.equal(compileJavaPattern('(?s).*NotFound.*', 'whole text').test('a NotFound b\nc'), true)
  assert.equal(compileJavaPattern('(.|\\n)+', 'whole text').test('a\nb'), true)
  assert.equal(compileJavaPattern('a|b', 'whole text').test('ab'), false)
  assert.equal(compileJavaPattern('(?m)^b$', 'whole text').test('a\nb'), false)
  assert.throws(() => compileJavaPattern('(', 'whole text'), PatternError)
})
