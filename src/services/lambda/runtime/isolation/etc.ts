// The /etc of functions: copies of the few small files that programs look for, in one directory, because each mount costs every start time.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Name resolution, time zone and the dynamic linker's cache. */
const copied = ['nsswitch.conf', 'host.conf', 'gai.conf', 'services', 'protocols', 'localtime', 'timezone', 'ld.so.cache', 'ld.so.conf', 'mime.types']
/** Certificates and what else is too much to copy; and the name servers, which change while this server runs. */
const bound = ['resolv.conf', 'ssl', 'pki', 'ca-certificates', 'crypto-policies', 'ld.so.conf.d', 'alternatives', 'python3', 'python3.11', 'python3.12', 'python3.13']

export interface Etc {
  directory: string
  /** What is to be mounted over it. */
  binds: readonly string[]
}

/** Makes the directory anew. On AWS, extensions listen and are found as `sandbox.localdomain`. Source: Lambda developer guide, "Telemetry API". */
export function makeEtc(directory: string): Etc {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { mode: 0o755 })
  for (const name of copied) {
    const contents = contentsOf(name)
    if (contents !== undefined) writeFileSync(join(directory, name), contents, { mode: 0o644 })
  }
  const hosts = contentsOf('hosts')?.toString('utf8') ?? '127.0.0.1 localhost'
  writeFileSync(join(directory, 'hosts'), `${hosts.trimEnd()}\n127.0.0.1 sandbox.localdomain sandbox\n`, { mode: 0o644 })
  const binds = bound.filter((name) => existsSync(join('/etc', name)))
  for (const name of binds) {
    if (name === 'resolv.conf') writeFileSync(join(directory, name), '', { mode: 0o644 })
    else mkdirSync(join(directory, name), { mode: 0o755 })
  }
  return { directory, binds: binds.map((name) => join('/etc', name)) }
}

/**
 * Names root, and the user of every environment, whatever id it gets.
 *
 * Observed: AWS, 24-11-2025, recorded by localstack's test_runtime_introspection_x86: the name.
 */
export function nameUsers(directory: string, userIds: readonly number[]): void {
  const users = ['root:x:0:0:root:/root:/sbin/nologin', ...userIds.map((id) => `sbx_user1051:x:${id}:${id}::/home/sbx_user1051:/sbin/nologin`)]
  const groups = ['root:x:0:', ...userIds.map((id) => `sbx_user1051:x:${id}:`)]
  writeFileSync(join(directory, 'passwd'), `${users.join('\n')}\n`, { mode: 0o644 })
  writeFileSync(join(directory, 'group'), `${groups.join('\n')}\n`, { mode: 0o644 })
}

function contentsOf(name: string): Buffer | undefined {
  try {
    return readFileSync(join('/etc', name))
  } catch {
    return undefined
  }
}
