// Small files that must be whole or absent, whatever happens while they are written.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Replaces a file so that a reader, or a crash, finds either the old contents or the new. Flushed when it returns. */
export function writeFileAtomically(file: string, contents: string | Buffer, mode: number): void {
  const draft = `${file}.${process.pid}.draft`
  const handle = openSync(draft, 'w', mode)
  try {
    writeFileSync(handle, contents)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(draft, file)
  const directory = openSync(dirname(file), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** The text of a file, or undefined when there is none. */
export function readFileIfAny(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
