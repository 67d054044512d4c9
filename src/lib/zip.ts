// ZIP archives from strangers: judged entry by entry while they are unpacked, so that none writes outside its directory or fills the disk.

import { createWriteStream } from 'node:fs'
import { mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, resolve, sep } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32 } from 'node:zlib'
import { fromBufferPromise, type Entry, type ZipFile } from 'yauzl'

export interface ZipLimits {
  /** All files together, unpacked. */
  unzippedBytesMax: number
  entriesMax: number
}

/** Why an archive was not unpacked: it is none, it lies about itself, it reaches out of its directory, or it is too large. */
export class ZipRefusal extends Error {
  readonly reason: 'malformed' | 'too large' | 'empty'
  constructor(reason: ZipRefusal['reason'], message: string) {
    super(message)
    this.name = 'ZipRefusal'
    this.reason = reason
  }
}

/** Smaller files go through memory in one piece. */
const inMemoryBytesMax = 1024 * 1024
/** A symbolic link longer than Linux's PATH_MAX points nowhere. */
const linkBytesMax = 4096

/**
 * Unpacks an archive into `directory`, which must not exist. Checksums and sizes are verified; links may only lead to files of the archive.
 * Everything becomes readable for everybody; the bits that make a file executable stay. Leaves nothing behind when it fails.
 *
 * @throws ZipRefusal
 */
export async function unpackZip(archive: Buffer, directory: string, limits: ZipLimits): Promise<{ unzippedBytes: number }> {
  await mkdir(directory, { recursive: true, mode: 0o755 })
  try {
    return await unpack(archive, await realpath(directory), limits)
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    if (error instanceof ZipRefusal || isMachineFailure(error)) throw error
    throw new ZipRefusal('malformed', (error as Error).message)
  }
}

/** A full disk or a missing permission is not the archive's fault. */
function isMachineFailure(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'EMFILE', 'ENFILE', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '')
}

async function unpack(archive: Buffer, directory: string, { unzippedBytesMax, entriesMax }: ZipLimits): Promise<{ unzippedBytes: number }> {
  const zip = await fromBufferPromise(archive, { lazyEntries: true })
  const links: { path: string, target: string }[] = []
  let unzippedBytes = 0
  let entries = 0
  for await (const entry of zip.eachEntry()) {
    if (++entries > entriesMax) throw new ZipRefusal('malformed', `more than ${entriesMax} entries`)
    unzippedBytes += entry.uncompressedSize
    if (unzippedBytes > unzippedBytesMax) throw new ZipRefusal('too large', `more than ${unzippedBytesMax} bytes unpacked`)
    const path = resolve(directory, entry.fileName)
    if (!isInside(directory, path)) throw new ZipRefusal('malformed', `${entry.fileName} is outside of the archive`)
    const unixMode = (entry.externalFileAttributes >>> 16) & 0xffff
    if (entry.fileName.endsWith('/')) {
      await mkdir(path, { recursive: true, mode: 0o755 })
    } else if ((unixMode & 0o170000) === 0o120000) {
      if (entry.uncompressedSize > linkBytesMax) throw new ZipRefusal('malformed', `${entry.fileName} is a link without a path`)
      links.push({ path, target: (await contentsOf(zip, entry)).toString('utf8') })
    } else {
      await mkdir(dirname(path), { recursive: true, mode: 0o755 })
      await unpackFile(zip, entry, path, (unixMode & 0o111) === 0 ? 0o644 : 0o755)
    }
  }
  if (entries === 0) throw new ZipRefusal('empty', 'no entries')
  await makeLinks(directory, links)
  return { unzippedBytes }
}

async function unpackFile(zip: ZipFile, entry: Entry, path: string, mode: number): Promise<void> {
  if (entry.uncompressedSize <= inMemoryBytesMax) return writeFile(path, await contentsOf(zip, entry), { mode })
  await pipeline(await zip.openReadStreamPromise(entry), checksum(entry), createWriteStream(path, { mode }))
}

async function contentsOf(zip: ZipFile, entry: Entry): Promise<Buffer> {
  const chunks: Buffer[] = []
  await pipeline(await zip.openReadStreamPromise(entry), checksum(entry), async (stream) => {
    for await (const chunk of stream) chunks.push(chunk as Buffer)
  })
  return Buffer.concat(chunks)
}

/** Passes bytes on and fails at their end when they are not those that the archive's directory announced. */
function checksum({ crc32: expected, fileName }: Entry): Transform {
  let sum = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sum = crc32(chunk, sum)
      done(null, chunk)
    },
    flush(done) {
      done(sum === expected ? null : new ZipRefusal('malformed', `${fileName} has a wrong checksum`))
    },
  })
}

/**
 * Links are made when all files are there, so that no file is written through one; then each must lead to something inside.
 * Judging the finished tree, not the texts, also covers links that lead through links.
 */
async function makeLinks(directory: string, links: readonly { path: string, target: string }[]): Promise<void> {
  for (const { path, target } of links) {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 })
    if (!isInside(directory, await realpath(dirname(path)))) throw outside(path)
    await symlink(target, path)
  }
  for (const { path } of links) {
    const end = await realpath(path).catch(() => undefined)
    if (end === undefined || !isInside(directory, end)) throw outside(path)
  }
}

function outside(what: string): ZipRefusal {
  return new ZipRefusal('malformed', `${what} leads out of the archive`)
}

function isInside(directory: string, path: string): boolean {
  return path === directory || path.startsWith(directory + sep)
}
