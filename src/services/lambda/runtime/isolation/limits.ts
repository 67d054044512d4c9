// A command as the script of the shell that becomes it: limits of the operating system and variables are set on the way.

import { FILE_DESCRIPTORS_MAX } from '../../limits.ts'
import type { Command } from './isolation.ts'

export interface ProcessLimits {
  /** How many processes and threads its user may have; undefined where the system counts others, too. */
  processesMax: number | undefined
  /** Largest file; undefined where the file system itself is bounded. */
  fileMbMax: number | undefined
}

/**
 * A limit that cannot be set (because the server itself runs under a lower one) is left as it is. Variables do not show in any command line.
 */
export function scriptOf({ program, limits, workingDirectory }: Pick<Command, 'program' | 'limits' | 'workingDirectory'>, variables: Readonly<Record<string, string>>): string {
  return [
    `cd ${quoted(workingDirectory)} || exit 126`,
    'unset OLDPWD',
    ...limitsOf(limits),
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`),
    `exec ${program.map(quoted).join(' ')} </dev/null`,
    '',
  ].join('\n')
}

/** A command that sets limits and becomes `program`, for where they can only be set inside. */
export function limited(program: readonly string[], limits: ProcessLimits): string[] {
  return ['/bin/sh', '-c', `${limitsOf(limits).join('; ')}; exec "$0" "$@"`, ...program]
}

function limitsOf({ processesMax, fileMbMax }: ProcessLimits): string[] {
  return [
    'ulimit -c 0',
    `ulimit -n ${FILE_DESCRIPTORS_MAX}`,
    // Shells call it by different letters.
    ...(processesMax === undefined ? [] : [`ulimit -u ${processesMax} || ulimit -p ${processesMax}`]),
    // In blocks of 512 bytes.
    ...(fileMbMax === undefined ? [] : [`ulimit -f ${fileMbMax * 2048}`]),
  ].map((command) => `{ ${command}; } 2>/dev/null`)
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
