// DynamoDB's numbers: how they are printed, refused, counted and ordered.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compareNumbers, encodeNumber, normalizeNumber, numberBytes } from './numbers.ts'

/** Numbers in range, written in many ways, with the exact value as a whole number of 1E-200. */
const written = fc.record({
  isNegative: fc.boolean(),
  digits: fc.stringMatching(/^[1-9]\d{0,37}$/),
  exponent: fc.integer({ min: -130, max: 125 }),
  zeros: fc.nat({ max: 3 }),
  form: fc.constantFrom('scientific', 'plain', 'E+'),
}).map(({ isNegative, digits, exponent, zeros, form }) => {
  const scale = exponent - digits.length + 1
  const sign = isNegative ? '-' : ''
  const value = BigInt(`${sign}${digits}`) * 10n ** BigInt(200 + scale)
  if (form === 'plain' && exponent >= 0 && exponent < digits.length) {
    const [whole, fraction] = [digits.slice(0, exponent + 1), digits.slice(exponent + 1)]
    return { text: `${sign}${'0'.repeat(zeros)}${whole}.${fraction}${'0'.repeat(zeros)}`, value }
  }
  return { text: `${sign}${'0'.repeat(zeros)}${digits}${form === 'E+' && scale >= 0 ? 'E+' : 'e'}${scale}`, value }
})

const exactly = (text: string): bigint => {
  const [, sign, whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text)!
  return BigInt(`${sign}${whole}${fraction}`) * 10n ** BigInt(200 - fraction.length)
}

describe('normalizeNumber()', () => {
  test('refuses what is no number, in DynamoDB\'s words', () => {
    for (const text of ['b', ' 1', '1 ', '1e', 'NaN', 'Infinity', '--1', '1.2.3', '.', 'e5', '0x10', '1_000']) {
      assert.throws(() => normalizeNumber(text), { message: `The parameter cannot be converted to a numeric value: ${text}` })
    }
    assert.throws(() => normalizeNumber(''), { message: 'The parameter cannot be converted to a numeric value' })
  })

  test('refuses what is too large, too small or too exact', () => {
    const overflow = { message: 'Number overflow. Attempting to store a number with magnitude larger than supported range' }
    const underflow = { message: 'Number underflow. Attempting to store a number with magnitude smaller than supported range' }
    for (const text of ['1e126', '-1e126', `1${'0'.repeat(126)}`, '1e999999999999999999999']) assert.throws(() => normalizeNumber(text), overflow)
    for (const text of ['1e-131', '-1e-131', `0.${'0'.repeat(130)}1`, '1e-999999999999999999999']) assert.throws(() => normalizeNumber(text), underflow)
    for (const text of ['123456789012345678901234567890123456789', '-1.23456789012345678901234567890123456789']) {
      assert.throws(() => normalizeNumber(text), { message: 'Attempting to store more than 38 significant digits in a Number' })
    }
  })

  test('prints as DynamoDB does', () => {
    const printed = {
      '1E2': '100', '-0': '0', '0.00': '0', '0e500': '0', '1.50': '1.5', '0042.1200': '42.12', '+5': '5', '.5': '0.5', '5.': '5', '1.5E2': '150',
      '0000012345678901234567890123456789012345678': '12345678901234567890123456789012345678',
      '-00001.23456789012345678901234567890123456780000': '-1.2345678901234567890123456789012345678',
      '0009.99999999999999999999999999999999999990000e125': `${'9'.repeat(38)}${'0'.repeat(88)}`,
      '-0001.000e-130': `-0.${'0'.repeat(129)}1`,
      '1E125': `1${'0'.repeat(125)}`,
    }
    for (const [text, expected] of Object.entries(printed)) assert.equal(normalizeNumber(text), expected)
  })

  test('keeps the value exactly, and its own form', () => {
    fc.assert(fc.property(written, ({ text, value }) => {
      const normal = normalizeNumber(text)
      assert.equal(exactly(normal), value)
      assert.equal(normalizeNumber(normal), normal)
      assert.doesNotMatch(normal, /^-?0\d|\.\d*0$|\.$|^-0$|e/i)
    }))
  })
})

describe('the order of numbers', () => {
  test('is that of their values, for the comparison and for the bytes of keys', () => {
    const near = fc.oneof(written, fc.constant({ text: '0', value: 0n }))
    fc.assert(fc.property(near, near, (one, two) => {
      const expected = one.value < two.value ? -1 : one.value > two.value ? 1 : 0
      const [a, b] = [normalizeNumber(one.text), normalizeNumber(two.text)]
      assert.equal(Math.sign(compareNumbers(a, b)), expected)
      assert.equal(Buffer.compare(encodeNumber(a), encodeNumber(b)), expected)
    }), { numRuns: 2000 })
  })

  test('holds where one number begins with the digits of another', () => {
    const ascending = ['-9.9e125', '-101', '-100.1', '-100', '-99', '-1.01', '-1', '-0.5', '-1e-130', '0', '1e-130', '0.5', '1', '1.01', '1.1', '10', '99', '100', '100.1', '101', '9.9e125']
    const encoded = ascending.map((text) => encodeNumber(normalizeNumber(text)))
    assert.deepEqual(encoded.toSorted(Buffer.compare), encoded)
    assert.equal(new Set(encoded.map((bytes) => bytes.toString('hex'))).size, ascending.length)
  })
})

// Observed: DynamoDB, eu-west-2, 18-08-2026, recorded by nubo-db's item-size.ts.
test('numberBytes() agrees with what was measured', () => {
  const measured = {
    '0': 1, '1': 2, '12': 2, '123': 3, '1234': 3, '12345678901234567890123456789012345678': 20, '0042': 2, '100': 2, '1010': 3, '0.0000001': 2, '1E125': 2,
    '1E-100': 2, '1.5': 3, '15': 2, '1.2': 3, '1.200': 3, '1.234': 4, '3.14159': 5, '123456': 4, '100.5': 4, '0.15': 2, '-42': 3, '-0': 1,
  }
  for (const [text, bytes] of Object.entries(measured)) assert.equal(numberBytes(normalizeNumber(text)), bytes, text)
})
