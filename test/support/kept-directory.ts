// A data directory that several servers of one test use, one after the other.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Removed when the test process ends, whenever its servers stop. */
export function keptDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-kept-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  return directory
}
