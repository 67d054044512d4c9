// Levels B and C: ordinary processes, under a user id for each environment where the server is root, else under the server's own.

import { PROCESSES_MAX } from '../../limits.ts'
import type { Command, Isolation, Program } from './isolation.ts'

export interface PlainOptions {
  level: 'B' | 'C'
  /** Of util-linux: takes new privileges away, and lets the process die with the server. Without it only the process itself watches for that. */
  setpriv: string | undefined
  /** Processes and threads of the server's user now: at level C the system counts them with the function's. */
  processesOfServer: () => number
}

export function createPlain({ level, setpriv, processesOfServer }: PlainOptions): Isolation {
  return {
    level,
    taskRoot: (codeDirectory) => codeDirectory,
    // Ours: nothing can be mounted, so layers lie where this server keeps them; search paths lead there, a fixed `/opt/…` does not.
    optRoot: (optDirectory) => optDirectory ?? '/opt',
    place: ({ path }) => path,
    wrap({ file, args, codeDirectory, scratchMb, userId }: Program): Command {
      const limits = { processesMax: level === 'B' ? PROCESSES_MAX : processesOfServer() + PROCESSES_MAX, fileMbMax: scratchMb }
      const user = level === 'B' ? [`--reuid=${userId}`, `--regid=${userId}`, '--clear-groups', '--inh-caps=-all'] : []
      const own = setpriv === undefined ? [] : [setpriv, ...user, '--pdeathsig', 'KILL', '--no-new-privs', '--']
      return {
        program: [...own, file, ...args], limits, workingDirectory: codeDirectory,
        ...(level === 'B' ? { ownsUser: userId } : {}),
        ...(level === 'B' && setpriv === undefined ? { userId } : {}),
      }
    },
  }
}
