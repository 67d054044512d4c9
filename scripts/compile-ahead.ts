// Run once at installation: starts a server on a directory that is thrown away, so that its code, threads included, is compiled and kept.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import { createLog } from '#lib/log.ts'
import { systemRandom } from '#lib/random.ts'
import { readSettings } from '#src/config.ts'
import { startServer } from '#src/server.ts'
import '#src/serve.ts'
import '#src/doctor.ts'
import '#src/maintenance.ts'

const DRAIN_MS_MAX = 1000

const directory = mkdtempSync(join(tmpdir(), 'countersign-first-'))
try {
  const settings = readSettings({ COUNTERSIGN_PORT: '0', COUNTERSIGN_HOST: '127.0.0.1', COUNTERSIGN_DATA_DIR: directory })
  const server = await startServer({ settings, clock: systemClock, random: systemRandom, log: createLog('silent'), version: 'first' })
  // One request makes a trace, and with it the writer of the logs.
  await fetch(`${server.endpoint}/`)
  await server.close(DRAIN_MS_MAX)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
