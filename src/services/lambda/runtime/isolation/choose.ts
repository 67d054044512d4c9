// Which level of isolation this machine gives: the best one that a real start of a program proves.

import { spawn } from 'node:child_process'
import { findProgram } from '#lib/programs.ts'
import { createBubblewrap } from './bubblewrap.ts'
import { makeEtc } from './etc.ts'
import { IsolationRefusal, type Isolation, type IsolationLevel, type Program } from './isolation.ts'
import { scriptOf } from './limits.ts'
import { createPlain } from './plain.ts'

export interface ChooseOptions {
  min: IsolationLevel
  /** Levels above this one are not tried. */
  max: IsolationLevel
  isRoot: boolean
  /** A program and files that any function must be able to run and read. */
  probe: Pick<Program, 'reads'>
  /** The directory in which the code of functions will lie. */
  codeDirectory: string
  hidden: readonly string[]
  /** For the /etc of functions, where the level has one. Made anew. */
  etcDirectory: string
  /** Processes and threads of the server's user. */
  processesOfServer: () => number
}

/**
 * @throws IsolationRefusal when the best level that works is below `min`.
 */
export async function chooseIsolation(options: ChooseOptions): Promise<{ isolation: Isolation, notes: string[] }> {
  const { min, max, isRoot, hidden, etcDirectory, processesOfServer } = options
  const notes: string[] = []
  const setpriv = findProgram('setpriv')
  const bubblewrap = findProgram('bwrap')
  const works = (isolation: Isolation) => tryOut(isolation, options)

  let chosen: Isolation | undefined
  if (max === 'A') {
    // As root without setpriv a program could not be given a user of its own; a level below is better than that.
    if (bubblewrap !== undefined && (!isRoot || setpriv !== undefined)) {
      const candidate = createBubblewrap({ bubblewrap, setpriv: isRoot ? setpriv : undefined, hidden, etc: makeEtc(etcDirectory) })
      if (await works(candidate)) chosen = candidate
      else notes.push('Functions run without namespaces: bubblewrap is here but does not work (a container or a system policy forbids user namespaces or mounts).')
    } else if (bubblewrap === undefined) {
      notes.push('Functions run without namespaces: install bubblewrap (`apt-get install bubblewrap`) for isolation level A.')
    } else {
      notes.push('Functions run without namespaces: setpriv (package util-linux) is missing, which isolation level A needs when the server runs as root.')
    }
  }
  if (!chosen && max !== 'C' && isRoot) {
    const candidate = createPlain({ level: 'B', setpriv, processesOfServer })
    if (await works(candidate)) chosen = candidate
    else notes.push('Functions run as root: other users cannot read this installation, so that no user id of their own can be given to them.')
  }
  chosen ??= createPlain({ level: 'C', setpriv, processesOfServer })
  // 'A' < 'B' < 'C'.
  if (chosen.level > min) {
    throw new IsolationRefusal(`This machine offers isolation level ${chosen.level}, and level ${min} is demanded (COUNTERSIGN_MIN_ISOLATION). ${notes.join(' ')}`.trim())
  }
  return { isolation: chosen, notes }
}

const PROBE_MS_MAX = 5_000
const probeUserId = 50_000

/** Reads, as a function would, everything that functions need. */
function tryOut(isolation: Isolation, { probe, codeDirectory }: ChooseOptions): Promise<boolean> {
  const command = isolation.wrap({
    file: '/bin/sh',
    // Into the directory of the code one only has to get: nobody may list it.
    args: ['-c', 'test -x "$0" || exit 1; for path in "$@"; do test -r "$path" || exit 1; done', isolation.taskRoot(codeDirectory), ...probe.reads.map((file) => isolation.place(file))],
    reads: probe.reads, codeDirectory, optDirectory: undefined, scratchDirectory: undefined, scratchMb: 1, userId: probeUserId,
  })
  return new Promise((resolve) => {
    const { userId } = command
    const child = spawn('/bin/sh', ['-c', scriptOf(command, {})], { env: {}, stdio: 'ignore', timeout: PROBE_MS_MAX, ...(userId === undefined ? {} : { uid: userId, gid: userId }) })
    child.on('error', () => { resolve(false) })
    child.on('exit', (code) => { resolve(code === 0) })
  })
}
