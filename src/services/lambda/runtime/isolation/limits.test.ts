// Scripts of shells: whatever a variable holds, it stays a value.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { scriptOf } from './limits.ts'

test('variables and arguments arrive as they are', () => {
  const values = { QUOTES: `'"\`$(exit 9)\\`, LINES: 'one\ntwo\n', EMPTY: '', UNICODE: 'ä€', SPACES: '  a  ' }
  const script = scriptOf({
    program: [process.execPath, '-e', 'console.log(JSON.stringify([process.env, process.cwd(), process.argv.slice(1)]))', ...Object.values(values)],
    limits: { processesMax: undefined, fileMbMax: 5 }, workingDirectory: '/usr',
  }, values)
  for (const run of [{ args: ['-c', script] }, { args: [], input: script }]) {
    const { stdout, stderr, status } = spawnSync('/bin/sh', run.args, { env: {}, encoding: 'utf8', ...('input' in run && { input: run.input }) })
    assert.equal(status, 0, stderr)
    const [environment, directory, args] = JSON.parse(stdout)
    assert.deepEqual(args, Object.values(values))
    assert.equal(directory, '/usr')
    for (const [name, value] of Object.entries(values)) assert.equal(environment[name], value)
    assert.equal(environment.OLDPWD, undefined)
  }
})

test('limits hold, and one that cannot be set is left', () => {
  const script = scriptOf({ program: ['/bin/sh', '-c', 'ulimit -c; ulimit -f; ulimit -n'], limits: { processesMax: undefined, fileMbMax: 1 }, workingDirectory: '/' }, {})
  assert.deepEqual(spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).stdout.split('\n').slice(0, 3), ['0', '2048', '1024'])
  assert.equal(spawnSync('/bin/sh', ['-c', `ulimit -n 100; ${script}`], { encoding: 'utf8' }).stdout.split('\n')[2], '100')
})
