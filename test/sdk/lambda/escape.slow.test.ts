// Functions that try to get out, or to take everything: what each level of isolation contains, and how it is reported.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { absent } from '#test/support/programs.ts'
import { startLambda, type LambdaInProcess } from './in-process.ts'

/** Does what the event says, in the middle of a function's other work, and tells how it went. */
const agent = {
  'index.mjs': `import fs from 'node:fs'
import os from 'node:os'
import { execFileSync, spawn } from 'node:child_process'
const sh = (script, ...args) => execFileSync('/bin/sh', ['-c', script, 'sh', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
const kept = []
const actions = {
  who: () => ({ uid: process.getuid(), pid: process.pid, tmp: os.tmpdir(), root: process.env.LAMBDA_TASK_ROOT }),
  read: (file) => fs.readFileSync(file, 'latin1').length,
  list: (directory) => fs.readdirSync(directory).length,
  write: (file) => fs.appendFileSync(file, 'x') ?? 'written',
  kill: (pid) => process.kill(pid, 0),
  see: (marker) => fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).filter((pid) => { try { return fs.readFileSync('/proc/' + pid + '/environ', 'latin1').includes(marker) } catch { return false } }).length,
  sh: (script) => sh(script),
  memory: (mb) => { for (let n = 0; n < mb; n++) kept.push(Buffer.alloc(1024 * 1024, 1)); return kept.length },
  child: (mb) => sh('exec "$0" -e "const kept = []; for (let n = 0; n < $1; n++) kept.push(Buffer.alloc(1048576, 1)); setTimeout(() => {}, 60000)"'.replace('$0', process.execPath).replace('$1', mb)),
  fork: (count) => { try { return sh('i=0; while [ $i -lt ' + count + ' ]; do sleep 300 >/dev/null 2>&1 & i=$((i + 1)); done; echo all') } catch (error) { return String(error.stderr ?? error.message) } },
  daemon: (marker) => { spawn('/bin/sh', ['-c', '(setsid sleep ' + marker + ' >/dev/null 2>&1 &)'], { detached: true, stdio: 'ignore' }).unref(); return 'started' },
  wait: (ms) => new Promise((done) => setTimeout(done, ms, 'waited')),
  loop: () => { for (;;); },
}
export const handler = async (steps) => {
  const did = []
  for (const [name, argument] of steps) {
    try {
      did.push(await actions[name](argument) ?? 'done')
    } catch (error) {
      did.push(error.code ?? error.message)
    }
  }
  return did
}`,
}

type Step = [name: string, argument?: unknown]

const isRoot = process.getuid?.() === 0
const denied = /^(EACCES|EPERM|ENOENT|EROFS|ESRCH|ENOTDIR)$/
const levels = [
  ['A', absent('bwrap')],
  ['B', isRoot ? false : 'absent: root'],
  ['C', false],
] as const
const linux = process.platform === 'linux' ? false : 'absent: /proc'

/** Processes of this machine whose command line has the text. */
const running = (text: string) => readdirSync('/proc').filter((name) => {
  try {
    return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').includes(text)
  } catch {
    return false
  }
})

for (const [level, skip] of levels) {
  const start = async (t: Parameters<typeof startLambda>[0]) => {
    const started = await startLambda(t, { minIsolation: level, maxIsolation: level })
    assert.equal(started.lambda.isolation, level)
    return started
  }
  const does = async ({ invoke }: Pick<LambdaInProcess, 'invoke'>, arn: string, ...steps: Step[]) => {
    const { answer, functionError } = await invoke(arn, steps)
    assert.equal(functionError, undefined, JSON.stringify(answer))
    return answer as unknown[]
  }

  describe(`level ${level}`, { skip: skip || linux }, () => {
    test('ends an environment that takes more memory than it has, says so, and serves the next call', async (t) => {
      const server = await start(t)
      const arn = await server.deploy('f', agent, { MemorySize: 128, Timeout: 30 })
      for (const steps of [[['memory', 400], ['wait', 3000]], [['child', 400]]] satisfies Step[][]) {
        const { answer, functionError, requestId, logTail } = await server.invoke(arn, steps)
        if (functionError === undefined) {
          // The kernel ended the child alone, and the function lives to tell.
          assert.match(String(answer[0]), /Command failed|SIGKILL/)
          continue
        }
        // Source: Lambda developer guide, "Troubleshoot configuration issues in Lambda", memory.
        assert.deepEqual(answer, { errorType: 'Runtime.OutOfMemory', errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: signal: killed` })
        assert.match(logTail.toString(), /REPORT .*Memory Size: 128 MB\tMax Memory Used: 128 MB\t.*Status: error\tError Type: Runtime.OutOfMemory\t\n$/)
      }
      assert.deepEqual(await does(server, arn, ['memory', 10]), [10])
    })

    // As root, level C has no limit of the system: what is watched ends it all the same.
    test('bounds processes, and leaves none behind', async (t) => {
      const server = await start(t)
      const arn = await server.deploy('f', agent, { MemorySize: 1024, Timeout: 60 })
      const { answer, functionError } = await server.invoke(arn, [['fork', 1_200], ...(level === 'C' ? [['wait', 3000]] : [])])
      if (functionError === undefined) assert.match(String(answer[0]), /cannot fork|Resource temporarily unavailable/i)
      else assert.match(answer.errorMessage, /signal: killed/)
      await server.lambda.reset()
      for (let look = 0; look < 200 && running('sleep 300').length > 0; look++) await sleep(20)
      assert.deepEqual(running('sleep 300'), [])
    })

    test('bounds what lies in its temporary directory', async (t) => {
      const server = await start(t)
      const arn = await server.deploy('f', agent, { MemorySize: 512, EphemeralStorage: { Size: 512 }, Timeout: 60 })
      const { answer, functionError, logTail } = await server.invoke(arn, [['who'], ['sh', 'for n in 1 2 3 4 5 6; do dd if=/dev/zero of=${TMPDIR:-/tmp}/fill-$n bs=1M count=100 2>&1; done; true'], ...(level === 'A' ? [] : [['wait', 3000]])])
      if (level === 'A') assert.match(String(answer[1]), /No space left on device/)
      else {
        assert.equal(functionError, 'Unhandled')
        assert.match(answer.errorMessage, /signal: killed$/)
        assert.match(logTail.toString(), /The environment was ended: it had more files than it may have\.\n/)
      }
      const [left] = await does(server, arn, ['sh', 'df -P ${TMPDIR:-/tmp} > /dev/null; ls ${TMPDIR:-/tmp} | wc -l'])
      if (level !== 'A') assert.equal(left, '0', 'the next one has a directory of its own')
    })

    test('ends what never stops', async (t) => {
      const server = await start(t)
      const arn = await server.deploy('f', agent, { Timeout: 1 })
      const { answer } = await server.invoke(arn, [['loop']])
      assert.match(answer.errorMessage, /Task timed out after 1\.00 seconds$/)
      assert.deepEqual(await does(server, arn, ['wait', 1]), ['waited'])
    })

    // A function of level C is the server's own user: neither is promised there.
    if (level !== 'C') {
      test('keeps out of the server, of its data and of other functions', async (t) => {
        const server = await start(t)
        const key = join(server.dataDirectory, '..', 'master.key')
        writeFileSync(key, 'secret', { mode: 0o600 })
        const one = await server.deploy('one', agent, { Environment: { Variables: { SECRET: 'marker-of-one' } }, Timeout: 30 })
        const two = await server.deploy('two', agent, { Timeout: 30 })
        const [who] = await does(server, one, ['who']) as [{ uid: number, pid: number, tmp: string, root: string }]
        const hostPid = Number(running('--max-old-space-size').find((pid) => readFileSync(`/proc/${pid}/environ`, 'latin1').includes('marker-of-one')) ?? process.pid)
        const attempts: Step[] = [
          ['read', key], ['list', server.dataDirectory], ['list', join(server.dataDirectory, 'code')], ['write', join(server.dataDirectory, 'x')],
          ['read', `/proc/${process.pid}/environ`], ['read', `/proc/${process.pid}/mem`], ['list', `/proc/${process.pid}/fd`], ['list', `/proc/${process.pid}/root/`], ['kill', process.pid],
          ['read', `/proc/${hostPid}/environ`], ['list', `/proc/${hostPid}/cwd/`], ['kill', hostPid],
          ['write', '/etc/passwd'], ['read', '/etc/shadow'], ['write', '/proc/sysrq-trigger'], ['write', '/proc/sys/kernel/core_pattern'], ['write', join(level === 'A' ? '/var/task' : who.root, 'index.mjs')],
          ...(level === 'B' ? [['list', who.tmp], ['list', join(who.root, '..')]] satisfies Step[] : []),
          ...(existsSync('/sys/fs/cgroup') ? [['write', '/sys/fs/cgroup/cgroup.procs'], ['write', '/sys/fs/cgroup/memory/cgroup.procs']] satisfies Step[] : []),
        ]
        const outcomes = await does(server, two, ...attempts)
        outcomes.forEach((outcome, at) => { assert.match(String(outcome), denied, `${attempts[at]!.join(' ')}: ${String(outcome)}`) })
        assert.deepEqual(await does(server, two, ['see', 'marker-of-one']), [0])
        // What it may run that runs as somebody else does not for a function.
        assert.deepEqual(await does(server, two, ['sh', 'grep NoNewPrivs /proc/self/status; mount -t tmpfs none /mnt 2>/dev/null && echo mounted; true']), ['NoNewPrivs:\t1'])
      })

      test('ends what detached itself', async (t) => {
        const server = await start(t)
        const arn = await server.deploy('f', agent, { Timeout: 30 })
        const marker = String(100_000 + process.pid)
        await does(server, arn, ['daemon', marker], ['wait', 300])
        assert.equal(running(`sleep ${marker}`).length, 1)
        await server.lambda.reset()
        for (let look = 0; look < 200 && running(`sleep ${marker}`).length > 0; look++) await sleep(20)
        assert.deepEqual(running(`sleep ${marker}`), [])
      })
    }
  })
}
