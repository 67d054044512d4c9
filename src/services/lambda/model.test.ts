// Rules of functions as pure functions: which version a call of an alias runs, and how functions look to callers.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { chooseVersion, describe as describeFunction, isVersionNumber, type FunctionRecord } from './model.ts'

describe('chooseVersion()', () => {
  const chosen = (weights: Record<string, number>, fraction: number) => chooseVersion({ version: '1', weights }, () => fraction)

  test('asks for no chance when there is one version', () => {
    assert.equal(chooseVersion({ version: '1', weights: {} }, () => { throw new Error('asked') }), '1')
  })

  test('gives the other version its share, and not more', () => {
    assert.deepEqual([chosen({ 2: 0.25 }, 0), chosen({ 2: 0.25 }, 0.2499), chosen({ 2: 0.25 }, 0.25), chosen({ 2: 0.25 }, 0.9999)], ['2', '2', '1', '1'])
    assert.deepEqual([chosen({ 2: 0 }, 0), chosen({ 2: 1 }, 0.9999)], ['1', '2'])
  })
})

test('a number is a version, everything else an alias', () => {
  assert.deepEqual(['1', '042', '1a', '-1', '$LATEST', ''].map(isVersionNumber), [true, true, false, false, false, false])
})

test('SnapStart is on for versions alone', () => {
  const record = {
    accountId: '000000000000', region: 'us-east-1', name: 'f', version: '$LATEST', codeSha256: 'aa', codeBytes: 1, lastModifiedMs: 0, revisionId: 'r',
    settings: { runtime: 'python3.12', snapStart: 'PublishedVersions', logGroup: '/aws/lambda/f' },
  } as FunctionRecord
  const snapStart = (version: string) => describeFunction({ ...record, version }, { variables: undefined, moment: 'now' }).SnapStart
  assert.deepEqual([snapStart('$LATEST'), snapStart('1')], [{ ApplyOn: 'PublishedVersions', OptimizationStatus: 'Off' }, { ApplyOn: 'PublishedVersions', OptimizationStatus: 'On' }])
})
