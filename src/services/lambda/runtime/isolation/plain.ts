// Levels B and C: ordinary processes, under a user id for each environment where the server is root, else under the server's own.

import { PROCESSES_MAX } from '../../limits.ts'
import type { Command, Isolation, Program } from './isolation.ts'
import { joined, limited } from './limits.ts'

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
    wrap({ file, args, codeDirectory, scratchMb, userId, joins }: Program): Command {
      const processesMax = level === 'B' ? PROCESSES_MAX : processesOfServer() + PROCESSES_MAX
      const own = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--no-new-privs', '--']
      const program = limited([...own, file, ...args], { processesMax, fileMbMax: scratchMb })
      if (level === 'C') return { ...joined([program.file, ...program.args], joins), workingDirectory: codeDirectory }
      // Entering a control group takes root: the user changes after that.
      const canChange = joins.length > 0 && setpriv !== undefined
      const command = canChange
        ? joined([setpriv, `--reuid=${userId}`, `--regid=${userId}`, '--clear-groups', '--inh-caps=-all', '--', program.file, ...program.args], joins)
        : program
      return { ...command, workingDirectory: codeDirectory, ownsUser: userId, ...(canChange ? {} : { userId }) }
    },
  }
}
