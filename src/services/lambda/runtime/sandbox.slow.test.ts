// Environments that are killed at any moment of their start leave no process behind.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '#lib/clock.ts'
import { findProgram } from '#lib/programs.ts'
import { createBubblewrap } from './isolation/bubblewrap.ts'
import { makeEtc } from './isolation/etc.ts'
import { createProcessTable } from './isolation/processes.ts'
import { startSandbox } from './sandbox.ts'
import { createShells } from './shells.ts'

/** One in two hundred was left behind when only the first process and its group were killed. */
const KILLS = 800
const START_MS_MAX = 15

const bubblewrap = findProgram('bwrap')
const setpriv = process.getuid?.() === 0 ? findProgram('setpriv') : undefined
const isAbsent = bubblewrap === undefined || !existsSync('/proc/self') || (process.getuid?.() === 0 && setpriv === undefined)

test(`${KILLS} environments, killed while they start`, { skip: isAbsent && 'absent: bwrap' }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-killed-'))
  const isolation = createBubblewrap({ bubblewrap: bubblewrap!, setpriv, hidden: [], etc: makeEtc(join(directory, 'etc')) })
  const shells = createShells(systemClock)
  const processes = createProcessTable(systemClock)
  t.after(() => {
    shells.close()
    rmSync(directory, { recursive: true, force: true })
  })
  // Nobody else sleeps as long.
  const seconds = String(1_000_000 + process.pid)
  const command = isolation.wrap({
    file: '/bin/sleep', args: [seconds], reads: [], codeDirectory: directory, optDirectory: undefined, scratchDirectory: undefined, scratchMb: 16, userId: 58_000,
  })
  for (let kill = 0; kill < KILLS; kill++) {
    const sandbox = startSandbox({
      command, variables: {}, processes, shells, isKept: false, niceness: 0, onOutput() {}, onRuntimeExit() {}, onExtensionExit() {}, onFailure(error) { throw error },
    })
    await sleep(Math.random() * START_MS_MAX)
    sandbox.kill()
    await sandbox.ended
  }
  await sleep(200)
  assert.deepEqual(processesWith(seconds), [])
})

function processesWith(argument: string): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      return command.includes(argument) ? [command.join(' ').trim()] : []
    } catch {
      return []
    }
  })
}
