// Limits of the operating system on one environment, set by the shell that becomes the program.

import { FILE_DESCRIPTORS_MAX } from '../../limits.ts'

export interface ProcessLimits {
  /** How many processes and threads its user may have; undefined where the system counts others, too. */
  processesMax: number | undefined
  /** Largest file; undefined where the file system itself is bounded. */
  fileMbMax: number | undefined
}

/**
 * A command that sets limits and becomes `program`: same process, nothing stays between. A limit that cannot be set (because the server
 * itself runs under a lower one) is left as it is.
 */
export function limited(program: readonly string[], { processesMax, fileMbMax }: ProcessLimits): { file: string, args: string[] } {
  const limits = [
    'ulimit -c 0',
    `ulimit -n ${FILE_DESCRIPTORS_MAX}`,
    ...(processesMax === undefined ? [] : [`ulimit -u ${processesMax} || ulimit -p ${processesMax}`]),
    // In blocks of 512 bytes.
    ...(fileMbMax === undefined ? [] : [`ulimit -f ${fileMbMax * 2048}`]),
  ].map((command) => `{ ${command}; } 2>/dev/null`)
  return { file: '/bin/sh', args: ['-c', `${limits.join('; ')}; exec "$0" "$@"`, ...program] }
}
