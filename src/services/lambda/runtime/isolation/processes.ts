// The processes of this machine, as Linux shows them in /proc: which belong to an environment, what they hold, whose a connection is.

import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import type { Clock } from '#lib/clock.ts'

export interface ProcessEntry {
  pid: number
  parentPid: number
  groupId: number
}

/** Who asks for all processes says how old the answer may be: it takes some milliseconds to read them. */
export interface ProcessTable {
  list(options: { ageMsMax: number }): readonly ProcessEntry[]
}

export function createProcessTable(clock: Pick<Clock, 'monotonic'>): ProcessTable {
  let known: { entries: ProcessEntry[], atMs: number } | undefined
  return {
    list({ ageMsMax }) {
      const nowMs = clock.monotonic()
      if (known === undefined || nowMs - known.atMs >= ageMsMax) known = { entries: listProcesses(), atMs: nowMs }
      return known.entries
    },
  }
}

/** Every process; none where the system has no /proc. */
function listProcesses(): ProcessEntry[] {
  return listOf('/proc').flatMap((name) => {
    const pid = Number(name)
    if (!Number.isInteger(pid)) return []
    const text = textOf(`/proc/${pid}/stat`)
    if (text === undefined) return []
    // The name of the program stands in parentheses and may hold anything.
    const [, parentPid, groupId] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return [{ pid, parentPid: Number(parentPid), groupId: Number(groupId) }]
  })
}

/** The process itself, what it started, what these started, and whoever else is in its process group. */
export function familyOf(rootPid: number, processes: readonly ProcessEntry[]): number[] {
  const family = new Set([rootPid])
  for (let before = 0; before !== family.size;) {
    before = family.size
    for (const { pid, parentPid, groupId } of processes) if (groupId === rootPid || family.has(parentPid)) family.add(pid)
  }
  return [...family].filter((pid) => pid !== process.pid)
}

/** Every process of a user. */
export function processesOfUser(userId: number): number[] {
  return listOf('/proc').flatMap((name) => {
    const pid = Number(name)
    if (!Number.isInteger(pid)) return []
    try {
      return statSync(`/proc/${pid}`).uid === userId ? [pid] : []
    } catch {
      return []
    }
  })
}

/** Processes and threads of a user. */
export function threadsOfUser(userId: number): number {
  return processesOfUser(userId).reduce((threads, pid) => threads + Number(/^Threads:\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`) ?? '')?.[1] ?? 0), 0)
}

export interface MemoryUse {
  /** What only this process has: its heap, its stacks. */
  ownBytes: number
  /** All that lies in memory, with the shared parts of programs and libraries. */
  residentBytes: number
}

/** Undefined for a process that is gone. */
export function memoryOf(pid: number): MemoryUse | undefined {
  const text = textOf(`/proc/${pid}/status`)
  if (text === undefined) return undefined
  const bytesOf = (field: RegExp) => Number(field.exec(text)?.[1] ?? 0) * 1024
  return { ownBytes: bytesOf(/^RssAnon:\s+(\d+)/m), residentBytes: bytesOf(/^VmRSS:\s+(\d+)/m) }
}

/** A connection over loopback, seen from the server: its own port and the other side's. */
export interface LoopbackConnection {
  localPort: number
  remotePort: number
}

/** The socket on the other side. `undefined` when the system does not show it, or it is gone. */
export function peerOf({ localPort, remotePort }: LoopbackConnection): { userId: number, inode: string } | undefined {
  const [own, other] = [hex(localPort), hex(remotePort)]
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (textOf(table) ?? '').split('\n')) {
      const fields = line.trim().split(/\s+/)
      if (fields[1]?.endsWith(`:${other}`) && fields[2]?.endsWith(`:${own}`)) return { userId: Number(fields[7]), inode: fields[9]! }
    }
  }
  return undefined
}

/** Whether one of the processes holds the socket. */
export function holdsSocket(pids: readonly number[], inode: string): boolean {
  const wanted = `socket:[${inode}]`
  return pids.some((pid) => listOf(`/proc/${pid}/fd`).some((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`) === wanted
    } catch {
      return false
    }
  }))
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}

function listOf(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
