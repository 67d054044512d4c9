// Conditions and projections: the cases, and properties that need no cases.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import cases from '#test/cases/dynamodb/conditions.json' with { type: 'json' }
import type { StoredItem, WireItem } from '../values.ts'
import { readCondition } from './check.ts'
import { holds } from './condition.ts'
import { Placeholders } from './placeholders.ts'
import { project, readProjection } from './projection.ts'
import { isReserved } from './reserved-words.ts'
import { ExpressionRefusal, scan } from './scan.ts'

const item = cases.item as unknown as StoredItem
/** Binary comes as bytes from the wire. */
const values = () => {
  const copy = structuredClone(cases.values) as WireItem
  for (const name in copy) if (copy[name]!.B !== undefined) copy[name]!.B = Buffer.from(copy[name]!.B, 'base64')
  return copy
}
const placeholders = () => new Placeholders({ ExpressionAttributeNames: { ...cases.names } as Record<string, string>, ExpressionAttributeValues: values() })

describe('conditions', () => {
  for (const [expression, says] of cases.refuses as [string, string][]) {
    test(`refuses ${expression || 'nothing'}`, () => {
      assert.throws(() => readCondition(expression, placeholders()), (error) => error instanceof ExpressionRefusal && (assert.equal(error.message, says), true))
    })
  }

  for (const [list, expected] of [[cases.holds, true], [cases.fails, false]] as const) {
    for (const expression of list) {
      test(`${expected ? 'holds' : 'fails'}: ${expression}`, () => {
        const condition = readCondition(expression, placeholders())
        assert.equal(holds(condition, item), expected)
        assert.equal(holds(structuredClone(condition), item), expected, 'it is plain data')
      })
    }
  }

  test('refuses an expression of more than 4 KB, and more than 100 values in a list', () => {
    assert.throws(() => scan(`s = ${':x'.padEnd(4093)}`), { message: 'Expression size has exceeded the maximum allowed size; expression size: 4097' })
    assert.doesNotThrow(() => readCondition(`s IN (${Array.from({ length: 100 }, () => ':x').join(',')})`, placeholders()))
    assert.throws(() => readCondition(`s IN (${Array.from({ length: 101 }, () => ':x').join(',')})`, placeholders()), /Incorrect number of operands .* IN/)
  })

  test('any text is read or refused, however deep', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom('s', ':x', '#s', '(', ')', '=', '<', ' AND ', ' OR ', ' NOT ', ' BETWEEN ', ' IN ', 'size', ',', '.', '[', '0', ']', ' '), { maxLength: 20 }), (parts) => {
      try {
        holds(readCondition(parts.join(''), placeholders()), item)
      } catch (error) {
        assert.ok(error instanceof ExpressionRefusal, String(error))
      }
    }), { numRuns: 3000 })
    assert.throws(() => readCondition('('.repeat(4000), placeholders()), ExpressionRefusal)
    assert.doesNotThrow(() => readCondition(`${'NOT('.repeat(300)}s = :x${')'.repeat(300)}`, placeholders()))
  })

  test('says what was given and not used, names first', () => {
    const given = new Placeholders({ ExpressionAttributeNames: { '#a': 'a', '#b': 'b' }, ExpressionAttributeValues: { ':v': { S: 'x' }, ':w': { S: 'x' } } })
    readCondition('#a = :v', given)
    assert.throws(() => given.expectAllUsed(), { message: 'Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}' })
    assert.throws(() => new Placeholders({ ExpressionAttributeNames: {} }), { message: 'ExpressionAttributeNames must not be empty' })
    assert.throws(() => new Placeholders({ ExpressionAttributeNames: { a: 'b' } }), { message: 'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"' })
    assert.throws(() => new Placeholders({ ExpressionAttributeValues: { ':v': { N: 'b' } } }),
      { message: 'ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: b for key :v' })
  })
})

describe('projections', () => {
  const read = (expression: string) => readProjection(expression, new Placeholders({ ExpressionAttributeNames: { '#m': 'm', '#d': 'with.dot' } }))

  test('refuses paths that meet, reserved words and undefined names', () => {
    const refusals = {
      'l, l': 'Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [l], path two: [l]',
      'm, m.k': 'Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m], path two: [m, k]',
      'm.k, m[0]': 'Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [m, k], path two: [m, [0]]',
      status: 'Attribute name is a reserved keyword; reserved keyword: status',
      '#nope': 'An expression attribute name used in the document path is not defined; attribute name: #nope',
      '!!! INVALID !!!': 'Syntax error; token: "!", near: "!!"',
      'a,': 'Syntax error; token: "<EOF>", near: ","',
    }
    for (const [expression, message] of Object.entries(refusals)) assert.throws(() => read(expression), { message })
  })

  test('chooses what is there, and closes lists up in their own order', () => {
    assert.deepEqual(project(item, read('s, nothing, m.k')), { s: { S: 'hello' }, m: { M: { k: { S: 'v' } } } })
    assert.deepEqual(project(item, read('l[2].deep, l[0], l[7]')), { l: { L: [{ S: 'x' }, { M: { deep: { S: 'v' } } }] } })
    assert.deepEqual(project(item, read('#m.#d, s.x, nothing[0]')), { m: { M: { 'with.dot': { N: '1' } } } })
  })
})

test('reserved words count in any case', () => {
  assert.deepEqual(['name', 'TTL', 'Zone', 'service', 'endpoint', 'pk'].map(isReserved), [true, true, true, false, false, false])
})
