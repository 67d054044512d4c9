// What a function can reach beyond itself, at each level of isolation that this machine gives.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { absent } from '#test/support/programs.ts'
import { startLambda } from './in-process.ts'

/** Does what the event says and tells how it went. */
const agent = {
  'index.mjs': `import fs from 'node:fs'
import os from 'node:os'
import net from 'node:net'
import { execSync } from 'node:child_process'
const actions = {
  read: (file) => fs.readFileSync(file, 'utf8').slice(0, 200),
  list: (directory) => fs.readdirSync(directory),
  write: (file) => { fs.writeFileSync(file, 'x'); return 'written' },
  fill: ([file, bytes]) => { fs.writeFileSync(file, Buffer.alloc(bytes)); return 'written' },
  signal: (pid) => { process.kill(pid, 0); return 'reached' },
  who: () => ({ uid: process.getuid(), pid: process.pid, tmp: os.tmpdir(), root: process.env.LAMBDA_TASK_ROOT, cwd: process.cwd() }),
  user: () => { const { username, homedir, shell } = os.userInfo(); return { username, homedir, shell } },
  shell: (command) => execSync(command, { encoding: 'utf8' }),
  status: () => fs.readFileSync('/proc/self/status', 'utf8'),
  connect: (port) => new Promise((done) => { const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); done('connected') }).on('error', (error) => done(error.code)) }),
}
export const handler = async ([name, argument]) => {
  try {
    return { did: await actions[name](argument) }
  } catch (error) {
    return { failed: error.code ?? error.message }
  }
}`,
}

const isRoot = process.getuid?.() === 0

describe('level A', { skip: absent('bwrap') }, () => {
  test('shows the system, the code and a /tmp of its own, and nothing of the server', async (t) => {
    const { deploy, invoke, lambda, dataDirectory } = await startLambda(t, { minIsolation: 'A' })
    assert.equal(lambda.isolation, 'A')
    assert.deepEqual(lambda.notes, [])
    const one = await deploy('one', agent)
    const two = await deploy('two', agent)
    const does = async (arn: string, ...action: [string, unknown?]) => (await invoke(arn, action)).answer
    const { did: who } = await does(one, 'who')
    assert.deepEqual([who.root, who.cwd, who.tmp], ['/var/task', '/var/task', '/tmp'])
    // Observed: AWS, 24-11-2025, recorded by localstack's test_runtime_introspection_x86: the user's name.
    assert.deepEqual((await does(one, 'user')).did, { username: 'sbx_user1051', homedir: '/home/sbx_user1051', shell: '/sbin/nologin' })

    writeFileSync(join(dataDirectory, '..', 'master.key'), 'secret')
    for (const file of [join(dataDirectory, '..', 'master.key'), join(dataDirectory, 'code'), '/etc/shadow', import.meta.filename, '/root', '/home']) {
      assert.ok(['ENOENT', 'EACCES'].includes((await does(one, 'list', file)).failed), file)
    }
    assert.deepEqual((await does(one, 'list', '/tmp')).did, [])
    assert.equal((await does(one, 'write', '/tmp/mine')).did, 'written')
    assert.equal((await does(two, 'read', '/tmp/mine')).failed, 'ENOENT')
    for (const file of ['/var/task/index.mjs', '/var/task/new', '/new', '/usr/new', '/var/runtime/index.mjs', '/etc/new']) {
      assert.match((await does(one, 'write', file)).failed, /^(EROFS|EACCES)$/, file)
    }

    const processes = ((await does(one, 'list', '/proc')).did as string[]).filter((name) => /^\d+$/.test(name))
    assert.ok(processes.length <= 3, processes.join())
    assert.equal((await does(one, 'signal', process.pid)).failed, 'ESRCH')
    const { did: status } = await does(one, 'status')
    assert.match(status, /^CapEff:\t0{16}$/m)
    assert.match(status, /^NoNewPrivs:\t1$/m)
    assert.match((await does(one, 'write', '/proc/sys/kernel/core_pattern')).failed, /^(EROFS|EACCES|ENOENT)$/)
    assert.equal((await does(one, 'shell', 'ulimit -c; ulimit -n')).did, '0\n1024\n')
    if (isRoot) assert.notEqual(who.uid, (await does(two, 'who')).did.uid)
  })

  test('bounds what /tmp holds', async (t) => {
    const { deploy, invoke } = await startLambda(t, { minIsolation: 'A' })
    const arn = await deploy('f', agent, { EphemeralStorage: { Size: 512 }, MemorySize: 1024, Timeout: 20 })
    assert.equal((await invoke(arn, ['fill', ['/tmp/a', 500 * 1024 * 1024]])).answer.did, 'written')
    assert.equal((await invoke(arn, ['fill', ['/tmp/b', 50 * 1024 * 1024]])).answer.failed, 'ENOSPC')
  })

  test('leaves the network open', async (t) => {
    const { deploy, invoke } = await startLambda(t, { minIsolation: 'A' })
    const { createServer } = await import('node:net')
    const server = createServer().listen(0, '127.0.0.1')
    t.after(() => { server.close() })
    await new Promise((done) => { server.once('listening', done) })
    const arn = await deploy('f', agent)
    assert.equal((await invoke(arn, ['connect', (server.address() as { port: number }).port])).answer.did, 'connected')
  })

  test('runs Python too', async (t) => {
    const { deploy, invoke } = await startLambda(t, { minIsolation: 'A' })
    const arn = await deploy('f', { 'lambda_function.py': 'import os\ndef lambda_handler(event, context): return [os.getcwd(), __file__, os.listdir("/tmp")]' })
    assert.deepEqual((await invoke(arn)).answer, ['/var/task', '/var/task/lambda_function.py', []])
  })
})

describe('level B', { skip: isRoot ? false : 'absent: root' }, () => {
  test('gives each function a user of its own, who reads nothing of others', async (t) => {
    const { deploy, invoke, lambda, dataDirectory } = await startLambda(t, { minIsolation: 'B', maxIsolation: 'B' })
    assert.equal(lambda.isolation, 'B')
    const one = await deploy('one', agent, { Environment: { Variables: { SECRET: 'of one' } } })
    const two = await deploy('two', agent)
    const does = async (arn: string, ...action: [string, unknown?]) => (await invoke(arn, action)).answer
    const [first, second] = [(await does(one, 'who')).did, (await does(two, 'who')).did]
    assert.ok(first.uid !== second.uid && first.uid !== 0 && second.uid !== 0)
    assert.equal((await does(two, 'read', `/proc/${first.pid}/environ`)).failed, 'EACCES')
    assert.match((await does(two, 'read', `/proc/${process.pid}/environ`)).failed, /^(EACCES|ENOENT)$/)
    assert.equal((await does(two, 'signal', first.pid)).failed, 'EPERM')
    assert.equal((await does(two, 'list', first.tmp)).failed, 'EACCES')
    assert.equal((await does(two, 'list', join(first.root, '..'))).failed, 'EACCES')
    writeFileSync(join(dataDirectory, '..', 'master.key'), 'secret', { mode: 0o600 })
    assert.equal((await does(one, 'read', join(dataDirectory, '..', 'master.key'))).failed, 'EACCES')
    assert.equal((await does(one, 'write', join(first.root, 'index.mjs'))).failed, 'EACCES')
    assert.equal((await does(one, 'write', join(first.tmp, 'mine'))).did, 'written')
    const { did: status } = await does(one, 'status')
    assert.match(status, /^CapEff:\t0{16}$/m)
    assert.match(status, /^NoNewPrivs:\t1$/m)
  })
})

describe('level C', () => {
  test('is an ordinary process with a temporary directory of its own', async (t) => {
    const { deploy, invoke, lambda } = await startLambda(t, { maxIsolation: 'C' })
    assert.equal(lambda.isolation, 'C')
    const one = await deploy('one', agent)
    const { did: who } = (await invoke(one, ['who'])).answer
    assert.equal(who.cwd, who.root)
    assert.deepEqual((await invoke(one, ['list', who.tmp])).answer.did, [])
  })

  test('is refused where more is demanded', async (t) => {
    await assert.rejects(startLambda(t, { maxIsolation: 'C', minIsolation: 'A' }), { name: 'IsolationRefusal', message: /^This machine offers isolation level C, and level A is demanded \(COUNTERSIGN_MIN_ISOLATION\)\./ })
  })
})

test('no level hands the connection of one environment to another', async (t) => {
  const { deploy, invoke } = await startLambda(t)
  const arn = await deploy('f', agent)
  const descriptors = (await invoke(arn, ['shell', 'ls -l /proc/self/fd | grep -c socket || true'])).answer.did
  // A child of the function inherits standard streams at most: Node keeps descriptors 3 and 4 to itself.
  assert.ok(Number(descriptors) <= 3, descriptors)
})
