// Level A: namespaces of the kernel, by bubblewrap. The program sees the system's files, its code and a /tmp of its own; nothing else.

import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { release } from 'node:os'
import { dirname } from 'node:path'
import { PROCESSES_MAX } from '../../limits.ts'
import type { Etc } from './etc.ts'
import type { Command, Isolation, Program } from './isolation.ts'
import { limited } from './limits.ts'

export interface BubblewrapOptions {
  bubblewrap: string
  /** The server is root: mounts need no user namespace, and the program gets a user id of its own through `setpriv`. */
  setpriv: string | undefined
  /** Directories that must not be seen even where they lie in the system's. */
  hidden: readonly string[]
  /** What functions see of /etc. */
  etc: Etc
}

const TASK_ROOT = '/var/task'
const OPT_ROOT = '/opt'
const systemDirectories = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']
export const UNPRIVILEGED_ID = 993

export function createBubblewrap({ bubblewrap, setpriv, hidden, etc }: BubblewrapOptions): Isolation {
  // What does not change from one environment to the next.
  const apart = [
    '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--die-with-parent', '--new-session',
    ...(setpriv === undefined
      ? ['--unshare-user', '--uid', String(UNPRIVILEGED_ID), '--gid', String(UNPRIVILEGED_ID), '--cap-drop', 'ALL']
      : ['--cap-drop', 'ALL', '--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID']),
    '--ro-bind', '/usr', '/usr',
    ...systemDirectories.flatMap(systemDirectory),
    ...directoriesFor(['/var/task', '/proc', '/dev', '/tmp']),
    '--ro-bind', etc.directory, '/etc',
    ...etc.binds.flatMap((file) => ['--ro-bind', file, file]),
    // Nothing can be put into /dev: what lies there would be memory without a limit. On AWS there is no shared memory either.
    '--proc', '/proc', '--dev', '/dev', '--remount-ro', '/dev',
  ]
  const isOfSystem = (path: string) => path === '/usr' || path.startsWith('/usr/')
  return {
    level: 'A',
    taskRoot: () => TASK_ROOT,
    optRoot: () => OPT_ROOT,
    place: ({ at }) => at,
    wrap({ file, args, reads, codeDirectory, optDirectory, scratchMb, userId }: Program): Command {
      const binds = reads.filter(({ path, at }) => path !== at || !isOfSystem(path))
      const own = setpriv === undefined ? [] : [setpriv, `--reuid=${userId}`, `--regid=${userId}`, '--clear-groups', '--inh-caps=-all', '--']
      // Root's limits are its users'. Those of an ordinary user count only within the user namespace that bubblewrap makes.
      const limits = { processesMax: setpriv === undefined ? undefined : PROCESSES_MAX, fileMbMax: undefined }
      const inner = setpriv === undefined && countsByNamespace() ? limited([file, ...args], { ...limits, processesMax: PROCESSES_MAX }) : [file, ...args]
      const program = [
        bubblewrap, ...apart,
        '--size', String(scratchMb * 1024 * 1024), '--perms', '1777', '--tmpfs', '/tmp',
        ...directoriesFor(binds.map(({ at }) => at)),
        ...binds.flatMap(({ path, at }) => ['--ro-bind', path, at]),
        ...hidden.filter((path) => isOfSystem(path) || binds.some(({ at }) => path.startsWith(`${at}/`))).flatMap((path) => ['--perms', '0700', '--tmpfs', path]),
        '--ro-bind', codeDirectory, TASK_ROOT,
        ...(optDirectory === undefined ? ['--perms', '0755', '--dir', OPT_ROOT] : ['--ro-bind', optDirectory, OPT_ROOT]),
        '--remount-ro', '/', '--chdir', TASK_ROOT,
        '--', ...own, ...inner,
      ]
      return { program, limits, workingDirectory: '/', endsWithFirst: true }
    },
  }
}

/** From Linux 5.14 on, processes of a user are counted in each user namespace; before, all of the server's user would count. */
function countsByNamespace(): boolean {
  const [major, minor] = release().split('.').map(Number)
  return major! > 5 || major === 5 && minor! >= 14
}

/** Directories that mounts need on their way, readable for everybody: bubblewrap's own would be closed. */
function directoriesFor(paths: readonly string[]): string[] {
  const needed = new Set<string>()
  for (const path of paths) {
    const ways: string[] = []
    for (let way = dirname(path); way !== '/'; way = dirname(way)) ways.unshift(way)
    for (const way of ways) needed.add(way)
  }
  return [...needed].flatMap((path) => ['--perms', '0755', '--dir', path])
}

/** Many systems have links into /usr there. */
function systemDirectory(path: string): string[] {
  if (!existsSync(path)) return []
  return lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path]
}
