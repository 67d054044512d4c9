// The master key file, and sealing with it.

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createSealer, loadMasterKey, MasterKeyRefusal } from './seal.ts'

describe('loadMasterKey() refuses', () => {
  test('a missing key that must not be made', (t) => {
    const file = join(directoryFor(t), 'master.key')
    refuses(() => loadMasterKey({ file, create: false }), /^The master key .*master\.key is missing, and .* put it back/)
  })

  test('a key of another size, and leaves it alone', (t) => {
    const file = join(directoryFor(t), 'master.key')
    for (const bytes of [0, 31, 33]) {
      writeFileSync(file, Buffer.alloc(bytes, 7), { mode: 0o600 })
      refuses(() => loadMasterKey({ file, create: true }), new RegExp(`has ${bytes} bytes instead of 32`))
      assert.equal(readFileSync(file).length, bytes)
    }
  })

  test('a key that others can read', (t) => {
    const file = join(directoryFor(t), 'master.key')
    loadMasterKey({ file, create: true })
    chmodSync(file, 0o640)
    refuses(() => loadMasterKey({ file, create: false }), /can be read by others than its owner; run: chmod 600/)
  })

  test('a key file that is no file, and one whose directory does not exist', (t) => {
    const directory = directoryFor(t)
    mkdirSync(join(directory, 'master.key'))
    refuses(() => loadMasterKey({ file: join(directory, 'master.key'), create: true }), /cannot be read \(EISDIR\)/)
    refuses(() => loadMasterKey({ file: join(directory, 'none', 'master.key'), create: true }), /cannot be made \(ENOENT\)/)
  })
})

describe('loadMasterKey() does', () => {
  test('make a key once, for its owner alone, and give the same one from then on', (t) => {
    const directory = directoryFor(t)
    const file = join(directory, 'master.key')
    const key = loadMasterKey({ file, create: true })
    assert.equal(key.length, 32)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(loadMasterKey({ file, create: true }), key)
    assert.deepEqual(loadMasterKey({ file, create: false }), key)
    assert.deepEqual(readdirSync(directory), ['master.key'])
  })
})

test('processes that make a master key at once all get the one that stays, even with the same process id', async (t) => {
  const file = join(directoryFor(t), 'master.key')
  // Worker threads share their process's id, as the first processes of containers do.
  const code = `const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.seal).then(({ loadMasterKey }) => {
      Atomics.add(workerData.gate, 0, 1)
      while (Atomics.load(workerData.gate, 0) < workerData.workers);
      try { parentPort.postMessage(loadMasterKey({ file: workerData.file, create: true }).toString('hex')) } catch (error) { parentPort.postMessage(error.message) }
    })`
  const workers = 2
  for (let round = 0; round < 10; round++) {
    const workerData = { file: `${file}${round}`, workers, gate: new Int32Array(new SharedArrayBuffer(4)), seal: new URL('./seal.ts', import.meta.url).href }
    const keys = await Promise.all(Array.from({ length: workers }, async () => String((await once(new Worker(code, { eval: true, workerData }), 'message'))[0])))
    const kept = readFileSync(`${file}${round}`).toString('hex')
    assert.deepEqual(keys, keys.map(() => kept))
  }
})

describe('a sealer refuses', () => {
  const sealer = createSealer(Buffer.alloc(32, 1))

  test('what another key sealed', () => {
    assert.equal(createSealer(Buffer.alloc(32, 2)).open(sealer.seal('secret', 'a'), 'a'), undefined)
  })

  test('what was sealed for another purpose', () => {
    assert.equal(sealer.open(sealer.seal('secret', 'iam.access-key A'), 'iam.access-key B'), undefined)
  })

  test('a seal with any one bit changed, or cut short anywhere', () => {
    const sealed = sealer.seal('secret', 'a')
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Buffer.from(sealed)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      assert.equal(sealer.open(changed, 'a'), undefined, `bit ${bit}`)
    }
    for (let length = 0; length < sealed.length; length += 1) assert.equal(sealer.open(sealed.subarray(0, length), 'a'), undefined, `length ${length}`)
  })

  test('text that is no seal', () => {
    for (const text of ['', 'x', 'not a seal at all, but long enough to be one in its length']) assert.equal(sealer.openText(text, 'a'), undefined)
  })
})

describe('a sealer does', () => {
  const sealer = createSealer(Buffer.alloc(32, 1))

  test('open what it sealed, bytes and text, empty or long', () => {
    for (const plain of ['', 'secret', 'ключ 🗝'.repeat(1000)]) {
      assert.equal(sealer.openText(sealer.sealText(plain, 'purpose'), 'purpose'), plain)
      assert.equal(sealer.open(sealer.seal(Buffer.from(plain), 'purpose'), 'purpose')?.toString(), plain)
    }
  })

  test('open a seal that was stored and came back as a plain Uint8Array', () => {
    assert.equal(sealer.open(new Uint8Array(sealer.seal('secret', 'a')), 'a')?.toString(), 'secret')
  })

  test('seal the same secret differently each time, in characters that fit anywhere', () => {
    const seals = new Set(Array.from({ length: 100 }, () => sealer.sealText('secret', 'a')))
    assert.equal(seals.size, 100)
    for (const sealed of seals) assert.match(sealed, /^[\w-]+$/)
  })

  test('fingerprint a secret alike each time, but for another purpose or under another key', () => {
    const fingerprints = [
      sealer.fingerprint('secret', 'a'), sealer.fingerprint('secret', 'b'), sealer.fingerprint('secre', 'a'), createSealer(Buffer.alloc(32, 9)).fingerprint('secret', 'a'),
    ]
    assert.equal(fingerprints[0], sealer.fingerprint('secret', 'a'))
    assert.equal(new Set(fingerprints).size, 4)
    for (const one of fingerprints) assert.match(one, /^[\w-]{43}$/)
  })
})

function refuses(load: () => unknown, sentence: RegExp): void {
  assert.throws(load, (error) => error instanceof MasterKeyRefusal && sentence.test(error.message))
}

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-key-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
