// Compatibility pages say exactly what model and table say.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderCompatibility } from './compatibility.ts'
import { loadModel } from './model.ts'

test('a compatibility page lists every operation of the model, served ones first', () => {
  const model = loadModel('sts-2011-06-15')
  const page = renderCompatibility({ model, served: ['GetCallerIdentity', 'AssumeRole'], readme: '../../src/services/sts/README.md' })
  assert.match(page, /2 of 11 operations are served/)
  const rows = page.split('\n').filter((line) => /^\| [A-Z]/.test(line))
  assert.equal(rows.length, model.operationNames.length)
  assert.deepEqual(rows.slice(0, 3), ['| AssumeRole | served |', '| GetCallerIdentity | served |', '| AssumeRoleWithSAML | 501 |'])
})

test('a compatibility page refuses a table that the model does not have', () => {
  assert.throws(() => renderCompatibility({ model: loadModel('sts-2011-06-15'), served: ['Nothing'], readme: undefined }), /has no operation Nothing/)
})
