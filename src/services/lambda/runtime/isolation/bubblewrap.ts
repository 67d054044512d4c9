// Level A: namespaces of the kernel, by bubblewrap. The program sees the system's files, its code and a /tmp of its own; nothing else.

import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Command, Isolation, Program } from './isolation.ts'
import { limited } from './limits.ts'

export interface BubblewrapOptions {
  bubblewrap: string
  /** The server is root: mounts need no user namespace, and the program gets a user id of its own through `setpriv`. */
  setpriv: string | undefined
  /** Directories that must not be seen even where they lie in the system's. */
  hidden: readonly string[]
}

const TASK_ROOT = '/var/task'
const systemDirectories = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']
/** Name resolution, certificates, time zone and the dynamic linker's cache. */
const systemFiles = [
  'resolv.conf', 'hosts', 'nsswitch.conf', 'host.conf', 'gai.conf', 'services', 'protocols', 'ssl', 'pki', 'ca-certificates', 'crypto-policies',
  'localtime', 'timezone', 'ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'alternatives', 'mime.types', 'python3', 'python3.11', 'python3.12', 'python3.13',
].map((name) => `/etc/${name}`)
const unprivilegedId = 993

export function createBubblewrap({ bubblewrap, setpriv, hidden }: BubblewrapOptions): Isolation {
  // What does not change from one environment to the next.
  const apart = [
    '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--die-with-parent', '--new-session',
    ...(setpriv === undefined
      ? ['--unshare-user', '--uid', String(unprivilegedId), '--gid', String(unprivilegedId), '--cap-drop', 'ALL']
      : ['--cap-drop', 'ALL', '--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID']),
    '--ro-bind', '/usr', '/usr',
    ...systemDirectories.flatMap(systemDirectory),
    ...directoriesFor(['/etc/x', '/var/task', '/proc', '/dev', '/tmp']),
    ...systemFiles.flatMap((file) => existsSync(file) ? ['--ro-bind', file, file] : []),
    '--proc', '/proc', '--dev', '/dev',
  ]
  const isOfSystem = (path: string) => path === '/usr' || path.startsWith('/usr/')
  return {
    level: 'A',
    taskRoot: () => TASK_ROOT,
    place: ({ at }) => at,
    wrap({ file, args, reads, codeDirectory, scratchMb, userId }: Program): Command {
      const binds = reads.filter(({ path, at }) => path !== at || !isOfSystem(path))
      const own = setpriv === undefined ? [] : [setpriv, `--reuid=${userId}`, `--regid=${userId}`, '--clear-groups', '--inh-caps=-all', '--']
      const command = [
        bubblewrap, ...apart,
        '--size', String(scratchMb * 1024 * 1024), '--perms', '1777', '--tmpfs', '/tmp',
        ...directoriesFor(binds.map(({ at }) => at)),
        ...binds.flatMap(({ path, at }) => ['--ro-bind', path, at]),
        ...hidden.filter((path) => isOfSystem(path) || binds.some(({ at }) => path.startsWith(`${at}/`))).flatMap((path) => ['--perms', '0700', '--tmpfs', path]),
        '--ro-bind', codeDirectory, TASK_ROOT,
        '--remount-ro', '/', '--chdir', TASK_ROOT,
        '--', ...own, file, ...args,
      ]
      return { ...limited(command, { limitsProcesses: setpriv !== undefined, fileMbMax: undefined }), workingDirectory: '/' }
    },
  }
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
