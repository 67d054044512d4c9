// What a runtime finds in its layers: packages, programs, a wrapper, a bootstrap of its own.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { absent } from '#test/support/programs.ts'
import { launchFunction } from './launched.ts'

const levels = [['A', absent('bwrap')], ['C', false]] as const

for (const [maxIsolation, skip] of levels) {
  describe(`layers at level ${maxIsolation}`, { skip }, () => {
    test('have packages for import and require, the later ones before the earlier', async (t) => {
      const { invoke } = await launchFunction(t, {
        maxIsolation, settings: { runtime: 'nodejs22.x' },
        code: { 'index.mjs': `import own from 'own'
import { createRequire } from 'node:module'
export const handler = async () => [own, createRequire(import.meta.url)('own'), (await import('versioned')).default, await import('nothing').then(() => 'found', ({ code }) => code)]` },
        layers: [
          { 'nodejs/node_modules/own/index.js': 'module.exports = "first"', 'nodejs/node_modules/own/package.json': '{"main":"index.js"}' },
          { 'nodejs/node_modules/own/index.js': 'module.exports = "second"', 'nodejs/node22/node_modules/versioned/index.js': 'module.exports = "of nodejs22.x"' },
        ],
      })
      assert.deepEqual((await invoke()).answer, ['second', 'second', 'of nodejs22.x', 'ERR_MODULE_NOT_FOUND'])
    })

    test('have modules for Python', { skip: absent('python3') }, async (t) => {
      const { invoke } = await launchFunction(t, {
        maxIsolation,
        // Of a runtime that no machine has any more: another Python stands in for it.
        settings: { runtime: 'python3.6' },
        code: { 'lambda_function.py': 'import own, os, versioned\ndef lambda_handler(event, context): return [own.value, versioned.value, os.environ["PYTHONPATH"] != ""]' },
        layers: [{ 'python/own.py': 'value = "of a layer"', 'python/lib/python3.6/site-packages/versioned.py': 'value = "of python3.6"' }],
      })
      assert.deepEqual((await invoke()).answer, ['of a layer', 'of python3.6', true])
    })

    test('have programs and files that search paths find, and that nobody may change', async (t) => {
      const { invoke } = await launchFunction(t, {
        maxIsolation,
        code: { 'index.mjs': `import { execSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
const root = process.env.PATH.split(':').at(-1).replace(/\\/bin$/, '')
export const handler = async () => {
  const said = execSync('tool', { encoding: 'utf8' })
  let written = 'written'
  try { writeFileSync(root + '/bin/tool', '') } catch ({ code }) { written = code }
  return [said, process.env.LD_LIBRARY_PATH.endsWith(root + '/lib'), written]
}` },
        layers: [{ 'bin/tool': '#!/bin/sh\nprintf from-a-layer' }],
      })
      const [said, isLast, written] = (await invoke()).answer
      assert.deepEqual([said, isLast], ['from-a-layer', true])
      if (maxIsolation === 'A') assert.match(written, /^(EROFS|EACCES)$/)
    })

    test('have a wrapper, which is given the command line of the runtime and its variables', async (t) => {
      for (const script of [
        '#!/bin/sh\nexport WRAPPED=yes NODE_OPTIONS="--stack-trace-limit=3"\nexec "$@"',
        // One that hands on no descriptors.
        '#!/bin/sh\nexport WRAPPED=yes NODE_OPTIONS="--stack-trace-limit=3"\n"$@" 3>&- 4>&-',
      ]) {
        const { invoke } = await launchFunction(t, {
          maxIsolation, variables: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/wrapper' }, layers: [{ wrapper: script }],
          code: { 'index.mjs': 'export const handler = async () => { console.log("wrapped"); return [process.env.WRAPPED, Error.stackTraceLimit] }' },
        })
        const { answer, log } = await invoke()
        assert.deepEqual(answer, ['yes', 3])
        assert.match(log, /\tINFO\twrapped\n/)
        assert.deepEqual((await invoke()).answer, ['yes', 3])
      }
    })

    test('may have the bootstrap', async (t) => {
      const { invoke, log } = await launchFunction(t, {
        maxIsolation, code: { bootstrap: '', 'lib/x': '1' }, settings: { runtime: 'provided.al2' }, layers: [{ bootstrap: '#!/bin/sh\necho started in $PWD\nexit 4' }],
      })
      const { answer } = await invoke()
      // The one of the code comes first, and this is none.
      assert.equal(answer.errorType, 'Runtime.InvalidEntrypoint')
      const other = await launchFunction(t, { maxIsolation, code: { 'lib/x': '1' }, settings: { runtime: 'provided.al2' }, layers: [{ bootstrap: '#!/bin/sh\necho started\nexit 4' }] })
      assert.match((await other.invoke()).answer.errorMessage, /Runtime exited with error: exit status 4$/)
      assert.match(other.log(), /^started\n/m)
      assert.doesNotMatch(log(), /started/)
    })
  })
}

test('a wrapper that is not there ends the runtime with the status of a shell', async (t) => {
  const { invoke, log } = await launchFunction(t, { code: { 'index.mjs': 'export const handler = async () => 1' }, variables: { AWS_LAMBDA_EXEC_WRAPPER: '/idontexist.sh' } })
  const { answer, functionError, requestId } = await invoke()
  assert.equal(functionError, 'Unhandled')
  // Observed: AWS, 24-11-2025, recorded by localstack's test_lambda_runtime_wrapper_not_found.
  assert.deepEqual(answer, { errorType: 'Runtime.ExitError', errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: exit status 127` })
  // Source: Lambda developer guide, "Lambda execution environment": init is done again within the invocation.
  assert.match(log(), /INIT_REPORT Init Duration: \S+ ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n(.|\n)*INIT_REPORT Init Duration: \S+ ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\nSTART /)
})

test('an init phase that fails once is done again within the first invocation', async (t) => {
  const { invoke, log } = await launchFunction(t, {
    settings: { timeoutSeconds: 10 }, code: { 'index.mjs': `import { existsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
const mark = tmpdir() + '/mark'
if (!existsSync(mark)) { writeFileSync(mark, ''); throw new RangeError('first') }
export const handler = async () => 'second'` },
    maxIsolation: 'C',
  })
  assert.equal((await invoke()).answer, 'second')
  assert.match(log(), /RangeError(.|\n)*Phase: init\tStatus: error\tError Type: RangeError\nSTART /)
  assert.equal((await invoke()).answer, 'second')
})
