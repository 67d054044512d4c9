// What `countersign doctor` tells about functions: the interpreters and the isolation that a server started now would use.

import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterpreters } from './interpreters.ts'
import { chooseIsolation } from './isolation/choose.ts'
import type { IsolationLevel } from './isolation/isolation.ts'
import { neededByFunctions } from './machine.ts'

export interface MachineReport {
  /** Those beside the Node that runs this program. */
  interpreters: readonly { language: 'python', version: string, path: string }[]
  isolation: { level: IsolationLevel, about: string, advice: readonly string[] }
}

const about: Readonly<Record<IsolationLevel, string>> = {
  A: 'namespaces by bubblewrap: a function sees the system\'s files, its own code and a /tmp of its own',
  B: 'a user id for each function: it cannot read another\'s files and variables, and shares the machine\'s',
  C: 'none: functions run as the user that runs the server',
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
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
