// Levels B and C: ordinary processes, under a user id for each function where the server is root, else under the server's own.

import type { Command, Isolation, Program } from './isolation.ts'
import { limited } from './limits.ts'

export interface PlainOptions {
  level: 'B' | 'C'
  /** Of util-linux: takes new privileges away, and lets the process die with the server. Without it only the process itself watches for that. */
  setpriv: string | undefined
}

export function createPlain({ level, setpriv }: PlainOptions): Isolation {
  return {
    level,
    taskRoot: (codeDirectory) => codeDirectory,
    place: ({ path }) => path,
    wrap({ file, args, codeDirectory, scratchMb, userId }: Program): Command {
      const own = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--no-new-privs', '--']
      const command = limited([...own, file, ...args], { limitsProcesses: level === 'B', fileMbMax: scratchMb })
      return { ...command, workingDirectory: codeDirectory, ...(level === 'B' ? { userId } : {}) }
    },
  }
}
