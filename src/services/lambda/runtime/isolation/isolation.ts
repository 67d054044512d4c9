// What every level of isolation offers: it turns a program that should run for a function into a command that runs it apart from others.

import type { ProcessLimits } from './limits.ts'

/** A: bubblewrap. B: a user id per environment. C: a process of the server's own user. */
export type IsolationLevel = 'A' | 'B' | 'C'

export interface Isolation {
  readonly level: IsolationLevel
  /** How the program is to be started. */
  wrap(program: Program): Command
  /** Where the function will find its code: in front of handler paths, as `LAMBDA_TASK_ROOT`. */
  taskRoot(codeDirectory: string): string
  /** Where the function will find its layers: `/opt`, where the level can put them there. */
  optRoot(optDirectory: string | undefined): string
  /** Where the program will find what `reads` names. */
  place(file: Visible): string
}

/** A file or directory of this machine that a program must be able to read, and where it should appear if the level can move it. */
export interface Visible {
  path: string
  at: string
}

/** A program that is to run for one environment. */
export interface Program {
  file: string
  args: readonly string[]
  /** Directories and files, beside the system's, that it must be able to read. */
  reads: readonly Visible[]
  codeDirectory: string
  /** The layers' files, one over the other; undefined without layers. */
  optDirectory: string | undefined
  /** An empty directory of the environment's own, where the level does not make one itself; becomes its TMPDIR. */
  scratchDirectory: string | undefined
  /** Size of /tmp where the level can limit it; largest size of one file elsewhere. */
  scratchMb: number
  /** The environment's own user and group id, where the level uses one. */
  userId: number
}

/** What a shell is to become. */
export interface Command {
  /** File and arguments. */
  program: readonly string[]
  limits: ProcessLimits
  workingDirectory: string
  /** Start it under this user and group. */
  userId?: number
  /** Nobody else runs under this user: whoever does belongs to it. */
  ownsUser?: number
  /** The system ends every process of it with the first one. */
  endsWithFirst?: boolean
}

/** The machine offers less isolation than the settings demand. */
export class IsolationRefusal extends Error {
  constructor(sentence: string) {
    super(sentence)
    this.name = 'IsolationRefusal'
  }
}
