// Control groups: the kernel's own limits on what an environment uses together, where this server may make them.
// Source: Linux kernel documentation, "Control Group v2" and "Control Groups version 1".

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { PROCESSES_MAX } from '../../limits.ts'

type Controller = 'memory' | 'pids' | 'cpu'

export interface GroupLimits {
  memoryBytesMax: number
  /** Share of the processor against other environments: 1 for a whole one. */
  processors: number
}

export interface Cgroup {
  /**
   * Makes processes members, with what they start from then on. Beside their start, not before it: the kernel takes some ten milliseconds,
   * because it waits for every processor.
   */
  admit(pids: readonly number[]): Promise<void>
  /** How many processes were killed because there was no memory left. */
  memoryKills(): number
  /** Forgets the group. Its processes are gone, or about to be. */
  close(): void
}

export interface Cgroups {
  readonly controllers: readonly Controller[]
  make(name: string, limits: GroupLimits): Cgroup | undefined
  /** The groups are gone when it resolves, but for those in which somebody still is. */
  close(): Promise<void>
}

/** Where groups of this server lie: one directory for all controllers (version 2), or one for each (version 1). */
interface Hierarchy {
  version: 1 | 2
  controllers: Controller[]
  directory: string
}

const OWN = 'countersign-'

/** Undefined where the kernel has none or this user may not make any. `id` tells the groups of several servers in one process apart. */
export function openCgroups(id: string, clock: Pick<Clock, 'sleep'>): Cgroups | undefined {
  const own = `${OWN}${process.pid}-${id}`
  const hierarchies = [...unified(own), ...separate(own)]
  if (hierarchies.length === 0) return undefined
  /** Groups whose last processes were still ending when they were to go. */
  const leftovers = new Set<string>()
  const removeOrKeep = (directory: string) => {
    remove(directory)
    if (existsSync(directory)) leftovers.add(directory)
    else leftovers.delete(directory)
  }
  return {
    controllers: hierarchies.flatMap(({ controllers }) => controllers),
    make(name, limits) {
      for (const directory of leftovers) removeOrKeep(directory)
      const made: { hierarchy: Hierarchy, directory: string }[] = []
      try {
        for (const hierarchy of hierarchies) {
          const directory = join(hierarchy.directory, name)
          mkdirSync(directory)
          made.push({ hierarchy, directory })
          limit(hierarchy, directory, limits)
        }
      } catch {
        for (const { directory } of made) remove(directory)
        return undefined
      }
      return {
        async admit(pids) {
          for (const { directory } of made) {
            const file = join(directory, 'cgroup.procs')
            const members = new Set(textOf(file).split('\n').map(Number))
            // One that is gone meanwhile cannot be told from one that may not be moved; both are watched otherwise.
            for (const pid of pids) if (!members.has(pid)) await writeFile(file, String(pid)).catch(() => {})
          }
        },
        memoryKills: () => made.reduce((kills, { hierarchy, directory }) => kills + killsOf(hierarchy, directory), 0),
        close() { for (const { directory } of made) removeOrKeep(directory) },
      }
    },
    async close() {
      // What was killed is still there until its parent has heard of it.
      for (let attempt = 0; attempt < 25; attempt++) {
        for (const { directory } of hierarchies) {
          for (const name of directoriesIn(directory)) remove(join(directory, name))
          remove(directory)
        }
        if (!hierarchies.some(({ directory }) => existsSync(directory))) return
        await clock.sleep(20)
      }
    },
  }
}

function limit({ version, controllers }: Hierarchy, directory: string, { memoryBytesMax, processors }: GroupLimits): void {
  const set = (file: string, value: string | number) => { writeFileSync(join(directory, file), String(value)) }
  const setIfThere = (file: string, value: string | number) => { if (existsSync(join(directory, file))) set(file, value) }
  if (controllers.includes('memory')) {
    set(version === 2 ? 'memory.max' : 'memory.limit_in_bytes', memoryBytesMax)
    setIfThere(version === 2 ? 'memory.swap.max' : 'memory.memsw.limit_in_bytes', version === 2 ? 0 : memoryBytesMax)
    setIfThere('memory.oom.group', 1)
  }
  if (controllers.includes('pids')) set('pids.max', PROCESSES_MAX)
  if (controllers.includes('cpu')) {
    if (version === 2) set('cpu.weight', Math.min(10_000, Math.max(1, Math.round(100 * processors))))
    else set('cpu.shares', Math.max(2, Math.round(1024 * processors)))
  }
}

function killsOf({ version, controllers }: Hierarchy, directory: string): number {
  if (!controllers.includes('memory')) return 0
  const text = textOf(join(directory, version === 2 ? 'memory.events' : 'memory.oom_control'))
  return Number(/^oom_kill (\d+)/m.exec(text)?.[1] ?? 0)
}

/**
 * Version 2. As root, a group of our own beside the others; else the group that this server is in, where it is there alone and may write
 * (systemd's `Delegate=yes`): then the server moves into a leaf of it, as groups with members cannot have limited ones below them.
 */
function unified(name: string): Hierarchy[] {
  const mount = mountOf((type) => type === 'cgroup2')
  const path = /^0::(.*)$/m.exec(textOf('/proc/self/cgroup'))?.[1]
  if (mount === undefined || path === undefined) return []
  const own = join(mount, path)
  const isAlone = textOf(join(own, 'cgroup.procs')).trim() === String(process.pid)
  const base = process.getuid?.() === 0 ? mount : isAlone ? own : undefined
  if (base === undefined) return []
  const directory = join(base, name)
  try {
    cleanUp(base)
    mkdirSync(directory)
    if (base === own) {
      mkdirSync(join(own, 'server'), { recursive: true })
      writeFileSync(join(own, 'server', 'cgroup.procs'), String(process.pid))
      for (const controller of wanted(own)) writeFileSync(join(own, 'cgroup.subtree_control'), `+${controller}`)
    }
    const controllers = wanted(directory)
    for (const controller of controllers) writeFileSync(join(directory, 'cgroup.subtree_control'), `+${controller}`)
    if (controllers.length > 0) return [{ version: 2, controllers, directory }]
  } catch {
    // Not ours to use.
  }
  remove(directory)
  return []
}

function wanted(directory: string): Controller[] {
  const there = textOf(join(directory, 'cgroup.controllers')).trim().split(' ')
  return (['memory', 'pids', 'cpu'] as const).filter((controller) => there.includes(controller))
}

/**
 * Version 1: below the group that this server is in. Memory alone: each further hierarchy costs each process another wait, and processes and
 * processor time are bounded otherwise.
 */
function separate(name: string): Hierarchy[] {
  const memberships = textOf('/proc/self/cgroup')
  return (['memory'] as const).flatMap((controller) => {
    const mount = mountOf((type, options) => type === 'cgroup' && options.split(',').includes(controller))
    const path = memberships.split('\n').map((line) => line.split(':')).find(([, names]) => names?.split(',').includes(controller))?.[2]
    if (mount === undefined || path === undefined) return []
    // In a container the mount may already be the container's own group.
    const base = [join(mount, path), mount].find((directory) => existsSync(join(directory, 'cgroup.procs')))
    if (base === undefined) return []
    const directory = join(base, name)
    try {
      cleanUp(base)
      mkdirSync(directory)
      return [{ version: 1 as const, controllers: [controller], directory }]
    } catch {
      return []
    }
  })
}

function mountOf(fits: (type: string, options: string) => boolean): string | undefined {
  for (const line of textOf('/proc/self/mounts').split('\n')) {
    const [, directory, type, options] = line.split(' ')
    if (type !== undefined && fits(type, options!)) return directory
  }
  return undefined
}

/** Groups of servers that are gone. */
function cleanUp(base: string): void {
  for (const name of directoriesIn(base)) {
    const pid = name.startsWith(OWN) ? Number(name.slice(OWN.length).split('-')[0]) : NaN
    if (!Number.isInteger(pid) || existsSync(`/proc/${pid}`)) continue
    for (const member of directoriesIn(join(base, name))) remove(join(base, name, member))
    remove(join(base, name))
  }
}

function directoriesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch {
    return []
  }
}

/** A group with members stays. */
function remove(directory: string): void {
  try {
    rmdirSync(directory)
  } catch {
    // It has members, or is not there.
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
