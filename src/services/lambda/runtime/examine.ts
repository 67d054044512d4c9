// What `countersign doctor` tells about functions: the interpreters and the isolation that a server started now would use.

import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import { createInterpreters } from './interpreters.ts'
import { openCgroups } from './isolation/cgroups.ts'
import { chooseIsolation } from './isolation/choose.ts'
import type { IsolationLevel } from './isolation/isolation.ts'
import { neededByFunctions } from './machine.ts'

export interface MachineReport {
  /** Those beside the Node that runs this program. */
  interpreters: readonly { language: 'python', version: string, path: string }[]
  isolation: { level: IsolationLevel, about: string, advice: readonly string[] }
  /** How what an environment takes is bounded. */
  limits: string
}

const about: Readonly<Record<IsolationLevel, string>> = {
  A: 'namespaces by bubblewrap: a function sees the system\'s files, its own code and a /tmp of its own',
  B: 'a user id for each function: it cannot read another\'s files and variables, and shares the machine\'s',
  C: 'none: functions run as the user that runs the server, and can read and change whatever that user can: this server\'s data, its key, other functions. For code that you trust',
}

/** Makes a control group, and removes it, to find out. */
async function limitsOf(): Promise<string> {
  const cgroups = openCgroups('doctor', systemClock)
  await cgroups?.close()
  const controllers = cgroups?.controllers ?? []
  return [
    controllers.includes('memory') ? 'memory by control groups and by looking at it' : 'memory by looking at it ten times a second',
    controllers.includes('pids') ? 'processes by control groups' : 'processes by limits of the user',
    controllers.includes('cpu') ? 'processor time by the weights of control groups' : 'processor time by priorities (nice)',
  ].join(', ')
}

/** Starts small programs to find out. */
export async function examineMachine(): Promise<MachineReport> {
  const interpreters = createInterpreters({ node: process.execPath })
  const directory = mkdtempSync(join(tmpdir(), 'countersign-doctor-'))
  chmodSync(directory, 0o755)
  try {
    const { isolation: { level }, notes } = await chooseIsolation({
      min: 'C', max: 'A', isRoot: process.getuid?.() === 0, codeDirectory: directory, hidden: [], etcDirectory: join(directory, 'etc'), processesOfServer: () => 0, probe: { reads: await neededByFunctions(interpreters) },
    })
    const pythons = await interpreters.pythons()
    return {
      interpreters: pythons.map(({ version, file }) => ({ language: 'python', version, path: file.path })),
      isolation: { level, about: about[level], advice: notes },
      limits: await limitsOf(),
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
