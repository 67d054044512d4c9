// Deployment packages: judged and unpacked when they arrive, kept in the store by their content, unpacked again where they are needed.

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RandomSource } from '#lib/random.ts'
import { unpackZip, ZipRefusal } from '#lib/zip.ts'
import type { Database } from '#storage/database.ts'
import { errors } from './errors.ts'
import { UNPACKED_ARCHIVES_MAX, UNZIPPED_BYTES_MAX, ZIP_ENTRIES_MAX, ZIPPED_BYTES_MAX } from './limits.ts'
import { findArchive } from './store.ts'

export interface CodeStore {
  /**
   * Judges an archive by unpacking it. The caller stores it.
   *
   * @throws InvalidParameterValueException, RequestEntityTooLargeException
   */
  accept(archive: Buffer): Promise<{ sha256: string, bytes: number, unzippedBytes: number }>
  /** The directory with the unpacked archive, held until `release` is called once. */
  hold(sha256: string): Promise<{ directory: string, release: () => void }>
  /** Forgets every directory; nobody may hold one. */
  clear(): Promise<void>
}

interface Unpacked {
  directory: string
  unzippedBytes: number
  holders: number
}

const ZIP_LIMITS = { unzippedBytesMax: UNZIPPED_BYTES_MAX, entriesMax: ZIP_ENTRIES_MAX }

/** `directory()` is where archives are unpacked to; names in it cannot be guessed, so that functions that see it cannot find each other's. */
export function createCodeStore({ database, random, directory }: { database: Database, random: RandomSource, directory: () => string }): CodeStore {
  const unpacked = new Map<string, Promise<Unpacked>>()

  function unpack(sha256: string, archive: () => Promise<Buffer>): Promise<Unpacked> {
    const known = unpacked.get(sha256)
    if (known) {
      unpacked.delete(sha256)
      unpacked.set(sha256, known)
      return known
    }
    const work = (async () => {
      const target = join(directory(), random.bytes(16).toString('hex'))
      const { unzippedBytes } = await unpackZip(await archive(), `${target}.part`, ZIP_LIMITS)
      await rename(`${target}.part`, target)
      return { directory: target, unzippedBytes, holders: 0 }
    })()
    unpacked.set(sha256, work)
    work.catch(() => { if (unpacked.get(sha256) === work) unpacked.delete(sha256) })
    void dropOldest()
    return work
  }

  async function dropOldest(): Promise<void> {
    if (unpacked.size <= UNPACKED_ARCHIVES_MAX) return
    for (const [sha256, work] of unpacked) {
      if (unpacked.size <= UNPACKED_ARCHIVES_MAX) return
      const found = await work.catch(() => undefined)
      if (!found || found.holders > 0 || unpacked.get(sha256) !== work) continue
      unpacked.delete(sha256)
      await rm(found.directory, { recursive: true, force: true }).catch(() => {})
    }
  }

  return {
    async accept(archive) {
      if (archive.length === 0) throw errors.InvalidParameterValueException('Uploaded file must be a non-empty zip')
      if (archive.length > ZIPPED_BYTES_MAX) throw errors.RequestEntityTooLargeException(`Zipped size must be smaller than ${ZIPPED_BYTES_MAX} bytes`)
      const sha256 = createHash('sha256').update(archive).digest('hex')
      try {
        const { unzippedBytes } = await unpack(sha256, async () => archive)
        return { sha256, bytes: archive.length, unzippedBytes }
      } catch (error) {
        throw refusalOf(error)
      }
    },

    async hold(sha256) {
      const found = await unpack(sha256, async () => {
        const archive = await findArchive(database, sha256)
        if (!archive) throw new Error(`the archive ${sha256} is missing from the store`)
        return archive
      })
      // Somebody may have cleaned the directory up (a reset, a temporary directory's housekeeping).
      if (!existsSync(found.directory)) {
        unpacked.delete(sha256)
        return this.hold(sha256)
      }
      found.holders++
      let isHeld = true
      return {
        directory: found.directory,
        release: () => {
          if (isHeld) found.holders--
          isHeld = false
        },
      }
    },

    async clear() {
      const all = [...unpacked.values()]
      unpacked.clear()
      for (const work of all) {
        const found = await work.catch(() => undefined)
        if (found) await rm(found.directory, { recursive: true, force: true })
      }
    },
  }
}

function refusalOf(error: unknown): unknown {
  if (!(error instanceof ZipRefusal)) return error
  switch (error.reason) {
    // Observed: AWS, 30-09-2022, recorded by localstack's test_oversized_lambda.
    case 'too large': return errors.InvalidParameterValueException(`Unzipped size must be smaller than ${UNZIPPED_BYTES_MAX} bytes`)
    case 'empty': return errors.InvalidParameterValueException('Uploaded file must be a non-empty zip')
    // Observed: AWS, 12-01-2026, recorded by localstack's test_create_lambda_exceptions.
    case 'malformed': return errors.InvalidParameterValueException('Could not unzip uploaded file. Please check your file, then try to upload again.')
  }
}
