// The layers of a function as one directory, `/opt`: each over the ones before it.

import { copyFile, link, lstat, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { RandomSource } from '#lib/random.ts'
import type { CodeStore } from '../code.ts'

export interface HeldLayers {
  directory: string
  /** To be called once. */
  release: () => void
}

/**
 * Unpacks layers, in their order, into one directory. Undefined without layers. A single layer is used where it lies.
 *
 * Source: Lambda developer guide, "Managing Lambda dependencies with layers": later layers win.
 */
export async function holdLayers(sha256s: readonly string[], { code, directory, random }: { code: CodeStore, directory: string, random: RandomSource }): Promise<HeldLayers | undefined> {
  if (sha256s.length === 0) return undefined
  const held: Awaited<ReturnType<CodeStore['hold']>>[] = []
  const release = () => { for (const layer of held) layer.release() }
  try {
    for (const sha256 of sha256s) held.push(await code.hold(sha256))
    if (held.length === 1) return { directory: held[0]!.directory, release }
    const merged = join(directory, `opt-${random.bytes(16).toString('hex')}`)
    await mkdir(merged, { mode: 0o755 })
    for (const layer of held) await layOver(layer.directory, merged)
    return {
      directory: merged,
      release() {
        release()
        rm(merged, { recursive: true, force: true }).catch(() => {})
      },
    }
  } catch (error) {
    release()
    throw error
  }
}

/** Links the files of one directory into another: nothing is copied, and nobody may write either. */
async function layOver(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    const there = await lstat(target).catch(() => undefined)
    if (entry.isDirectory()) {
      if (there && !there.isDirectory()) await rm(target)
      await mkdir(target, { recursive: true, mode: 0o755 })
      await layOver(source, target)
      continue
    }
    if (there) await rm(target, { recursive: true })
    if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
    // Other file systems, and some containers, have no links between files.
    else await link(source, target).catch(() => copyFile(source, target))
  }
}
