// How a function may be named: by name, partial and whole ARN, and what is refused.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseFunctionArn, parseFunctionName, parseNewFunctionName, qualifiedArn, sessionNameOf } from './names.ts'

const scope = { accountId: '000000000000', region: 'us-east-1' }
const arn = 'arn:aws:lambda:us-east-1:000000000000:function:name'

describe('parseFunctionName()', () => {
  test('refuses another region, and qualifiers that differ', () => {
    assert.throws(() => parseFunctionName('arn:aws:lambda:eu-west-1:000000000000:function:name', scope), { code: 'ResourceNotFoundException' })
    assert.throws(() => parseFunctionName(`${arn}:1`, scope, '2'), { code: 'InvalidParameterValueException' })
  })

  test('reads every form of a name', () => {
    // Source: Lambda API reference, FunctionName: name, partial ARN, ARN; with a version or alias.
    for (const text of ['name', 'function:name', '000000000000:function:name', '000000000000:name', arn]) {
      assert.deepEqual(parseFunctionName(text, scope), { ...scope, name: 'name', qualifier: undefined }, text)
      assert.deepEqual(parseFunctionName(`${text}:$LATEST`, scope), { ...scope, name: 'name', qualifier: '$LATEST' }, text)
      assert.equal(qualifiedArn(parseFunctionName(text, scope, 'prod')), `${arn}:prod`)
    }
    assert.equal(parseFunctionName('111111111111:function:name', scope).accountId, '111111111111')
  })
})

test('parseNewFunctionName() takes 64 characters of the caller\'s own account', () => {
  assert.equal(parseNewFunctionName('a'.repeat(64), scope).name.length, 64)
  // Observed: AWS, 10-04-2024, recorded by localstack's test_function_arns.
  assert.throws(() => parseNewFunctionName('a'.repeat(65), scope), { code: 'InvalidParameterValueException' })
  assert.throws(() => parseNewFunctionName('111111111111:function:name', scope), { code: 'AccessDeniedException', message: '', members: { Message: null } })
  assert.throws(() => parseNewFunctionName('name:1', scope), { code: 'InvalidParameterValueException' })
})

test('parseFunctionArn() reads full ARNs only', () => {
  assert.deepEqual(parseFunctionArn(`${arn}:prod`), { ...scope, name: 'name', qualifier: 'prod' })
  for (const text of ['name', 'arn:aws:lambda:us-east-1:000000000000:layer:name', `${arn}:a:b`]) assert.equal(parseFunctionArn(text), undefined, text)
})

// Observed: AWS, 24-11-2025, recorded by localstack's test_assume_role.
test('a session under the role of a function is named like it, with more where one letter is too short', () => {
  assert.deepEqual(['f', 'ff'].map(sessionNameOf), ['f@lambda_function', 'ff'])
})
