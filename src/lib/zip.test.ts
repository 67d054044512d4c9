// Archives, honest and hostile: what is unpacked and what is refused.

import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { crc32, deflateRawSync } from 'node:zlib'
import { unpackZip } from './zip.ts'

const limits = { unzippedBytesMax: 1024 * 1024, entriesMax: 100 }

interface Made { name: string, data?: string | Buffer, mode?: number, claims?: { size?: number, crc?: number } }

/** An archive written by hand, so that it can say what no library would write. */
function archive(entries: readonly Made[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, data = '', mode = 0o100644, claims = {} } of entries) {
    const plain = Buffer.from(data)
    const packed = deflateRawSync(plain)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(0x0800, 2)
    fields.writeUInt16LE(8, 4)
    fields.writeUInt32LE(claims.crc ?? crc32(plain), 10)
    fields.writeUInt32LE(packed.length, 14)
    fields.writeUInt32LE(claims.size ?? plain.length, 18)
    fields.writeUInt16LE(Buffer.byteLength(name), 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), packed])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE((mode << 16) >>> 0, 6)
    tail.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), fields, tail, Buffer.from(name)]))
    parts.push(local)
    offset += local.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, central, end])
}

interface TestLike { after(hook: () => void): void }

function place(t: TestLike): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-zip-'))
  t.after(() => { rmSync(directory, { recursive: true, force: true }) })
  return join(directory, 'out')
}

describe('unpackZip() refuses', () => {
  const faulty: Record<string, { bytes: Buffer, reason: string }> = {
    'what is no archive': { bytes: Buffer.from('no archive'), reason: 'malformed' },
    'an archive that was cut': { bytes: archive([{ name: 'a', data: 'text' }]).subarray(0, 40), reason: 'malformed' },
    'nothing': { bytes: archive([]), reason: 'empty' },
    'names that lead out': { bytes: archive([{ name: '../out-too', data: 'x' }]), reason: 'malformed' },
    'names that lead out from within': { bytes: archive([{ name: 'a/../../out-too', data: 'x' }]), reason: 'malformed' },
    'absolute names': { bytes: archive([{ name: '/tmp/out-too', data: 'x' }]), reason: 'malformed' },
    'links that lead out': { bytes: archive([{ name: 'link', data: '../out-too', mode: 0o120777 }]), reason: 'malformed' },
    'links to absolute places': { bytes: archive([{ name: 'link', data: '/etc/passwd', mode: 0o120777 }]), reason: 'malformed' },
    'links to nothing': { bytes: archive([{ name: 'link', data: 'absent', mode: 0o120777 }]), reason: 'malformed' },
    'links that lead out through links': {
      bytes: archive([
        { name: 'a/b/file', data: 'x' }, { name: 'a/b/up', data: '../..', mode: 0o120777 }, { name: 'a/b/out', data: 'up/../x', mode: 0o120777 },
      ]), reason: 'malformed',
    },
    'files through links': { bytes: archive([{ name: 'link', data: '/tmp', mode: 0o120777 }, { name: 'link/file', data: 'x' }]), reason: 'malformed' },
    'a wrong checksum': { bytes: archive([{ name: 'a', data: 'text', claims: { crc: 1 } }]), reason: 'malformed' },
    'more than it announced': { bytes: archive([{ name: 'a', data: Buffer.alloc(2 * 1024 * 1024), claims: { size: 10 } }]), reason: 'malformed' },
    'more than the limit': { bytes: archive([{ name: 'a', data: Buffer.alloc(600 * 1024) }, { name: 'b', data: Buffer.alloc(600 * 1024) }]), reason: 'too large' },
    'too many entries': { bytes: archive(Array.from({ length: 101 }, (_, at) => ({ name: `f${at}` }))), reason: 'malformed' },
  }
  for (const [says, { bytes, reason }] of Object.entries(faulty)) {
    test(says, async (t) => {
      const directory = place(t)
      await assert.rejects(unpackZip(bytes, directory, limits), { name: 'ZipRefusal', reason })
      assert.equal(existsSync(directory), false, 'nothing is left behind')
      assert.equal(existsSync(join(directory, '..', 'out-too')), false)
      assert.equal(existsSync('/tmp/out-too'), false)
    })
  }
})

describe('unpackZip()', () => {
  test('makes files, directories and links, readable for everybody', async (t) => {
    const directory = place(t)
    const { unzippedBytes } = await unpackZip(archive([
      { name: 'bin/run', data: '#!/bin/sh\n', mode: 0o100700 }, { name: 'deep/er/file', data: 'text', mode: 0o100600 }, { name: 'empty/', mode: 0o040755 },
      { name: 'link', data: 'deep/er/file', mode: 0o120777 }, { name: 'plain', data: 'no mode', mode: 0 },
    ]), directory, limits)
    assert.equal(unzippedBytes, 33)
    assert.deepEqual(readdirSync(directory).toSorted((a, b) => a < b ? -1 : 1), ['bin', 'deep', 'empty', 'link', 'plain'])
    assert.equal(statSync(join(directory, 'bin/run')).mode & 0o777, 0o755)
    assert.equal(statSync(join(directory, 'deep/er/file')).mode & 0o777, 0o644)
    assert.ok(lstatSync(join(directory, 'link')).isSymbolicLink())
    assert.equal(readFileSync(join(directory, 'link'), 'utf8'), 'text')
  })

  test('takes exactly as much as the limit', async (t) => {
    const { unzippedBytes } = await unpackZip(archive([{ name: 'a', data: Buffer.alloc(limits.unzippedBytesMax) }]), place(t), limits)
    assert.equal(unzippedBytes, limits.unzippedBytesMax)
  })
})
