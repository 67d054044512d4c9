// How this machine runs functions: isolation, interpreters, our bootstraps, and the directories that environments use.

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { chown, mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import type { RandomSource } from '#lib/random.ts'
import { createInterpreters, type Interpreters } from './interpreters.ts'
import { UNPRIVILEGED_ID } from './isolation/bubblewrap.ts'
import { openCgroups, type Cgroups } from './isolation/cgroups.ts'
import { chooseIsolation } from './isolation/choose.ts'
import { nameUsers } from './isolation/etc.ts'
import type { Isolation, IsolationLevel, Visible } from './isolation/isolation.ts'
import { createProcessTable, threadsOfUser, type ProcessTable } from './isolation/processes.ts'
import { openUserIds, type UserIds } from './isolation/user-ids.ts'
import { createShells, type Shells } from './shells.ts'

export interface Machine {
  isolation: Isolation
  interpreters: Interpreters
  bootstraps: { nodejs: Visible, python: Visible }
  /** A directory `node_modules` that has the SDK clients offered to Node functions. */
  sdkDirectory: Visible
  /** Where archives are unpacked. */
  codeDirectory: string
  notes: readonly string[]
  /** Where the kernel lets this server limit environments. */
  cgroups: Cgroups | undefined
  /** Environments run under user ids of their own. */
  ownsUsers: boolean
  userIds: UserIds
  processes: ProcessTable
  shells: Shells
  /** A directory for one environment's temporary files; undefined where the isolation makes one. */
  makeScratch(userId: number): Promise<string | undefined>
  removeScratch(directory: string): Promise<void>
  close(): Promise<void>
}

export interface MachineOptions {
  dataDirectory: string
  random: RandomSource
  clock: Pick<Clock, 'monotonic' | 'sleep'>
  minIsolation?: IsolationLevel
  /** For tests of a weaker level than the machine offers. */
  maxIsolation?: IsolationLevel
}

const bootstraps = {
  nodejs: { path: resolve(import.meta.dirname, 'bootstraps/node.cjs'), at: '/var/runtime/index.cjs' },
  python: { path: resolve(import.meta.dirname, 'bootstraps/python.py'), at: '/var/runtime/bootstrap.py' },
}
// Not /var/runtime/node_modules, where require would find everything that this program uses itself.
const sdkDirectory = { path: nodeModulesOf('@aws-sdk/client-dynamodb'), at: '/var/runtime/sdk/node_modules' }

/** What any function must be able to read. */
export async function neededByFunctions(interpreters: Interpreters): Promise<Visible[]> {
  return [...(await interpreters.find('nodejs'))!.reads, bootstraps.nodejs, bootstraps.python, sdkDirectory]
}

/** @throws IsolationRefusal */
export async function openMachine({ dataDirectory, random, clock, minIsolation = 'C', maxIsolation = 'A' }: MachineOptions): Promise<Machine> {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
  const data = realpathSync(dataDirectory)
  const interpreters = createInterpreters({ node: process.execPath })

  // A process under another user id cannot reach into the data directory: such code lies in a directory of its own, which nobody can list.
  const isRoot = process.getuid?.() === 0
  const codeDirectories = { private: join(data, 'code'), shared: undefined as string | undefined }
  rmSync(codeDirectories.private, { recursive: true, force: true })
  mkdirSync(codeDirectories.private, { mode: 0o700 })
  const probeDirectory = isRoot ? codeDirectories.shared = makeSharedDirectory() : codeDirectories.private

  const { isolation, notes } = await chooseIsolation({
    min: minIsolation, max: maxIsolation, isRoot, codeDirectory: probeDirectory, hidden: [dirname(data)], etcDirectory: join(data, 'etc'), processesOfServer: createThreadCount(clock),
    probe: { reads: await neededByFunctions(interpreters) },
  })
  if (isolation.level !== 'B' && codeDirectories.shared !== undefined) {
    rmSync(codeDirectories.shared, { recursive: true, force: true })
    codeDirectories.shared = undefined
  }
  const codeDirectory = codeDirectories.shared ?? codeDirectories.private
  const shells = createShells(clock)
  const cgroups = openCgroups(random.bytes(4).toString('hex'), clock)
  const userIds = openUserIds({ random, isRoot })
  if (isolation.level === 'A') nameUsers(join(data, 'etc'), isRoot ? userIds.all : [UNPRIVILEGED_ID])
  return {
    isolation, interpreters, bootstraps, sdkDirectory, codeDirectory, notes, cgroups, userIds, processes: createProcessTable(clock), shells,
    ownsUsers: isRoot && isolation.level !== 'C',
    async makeScratch(userId) {
      if (isolation.level === 'A') return undefined
      const directory = join(codeDirectory, `tmp-${random.bytes(16).toString('hex')}`)
      await mkdir(directory, { mode: 0o700 })
      if (isolation.level === 'B') await chown(directory, userId, userId)
      return directory
    },
    removeScratch: (directory) => rm(directory, { recursive: true, force: true }),
    async close() {
      shells.close()
      await cgroups?.close()
      userIds.close()
      if (codeDirectories.shared !== undefined) await rm(codeDirectories.shared, { recursive: true, force: true })
    },
  }
}

const THREADS_COUNTED_MS = 10_000

/** Processes and threads of this user, counted now and then. */
function createThreadCount(clock: Pick<Clock, 'monotonic'>): () => number {
  let counted: { threads: number, atMs: number } | undefined
  return () => {
    const nowMs = clock.monotonic()
    if (counted === undefined || nowMs - counted.atMs > THREADS_COUNTED_MS) counted = { threads: threadsOfUser(process.getuid?.() ?? 0), atMs: nowMs }
    return counted.threads
  }
}

const SHARED_PREFIX = 'countersign-functions-'

/** Made anew for every process; what a killed one left behind goes. */
function makeSharedDirectory(): string {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(SHARED_PREFIX) ? Number(name.slice(SHARED_PREFIX.length).split('-')[0]) : NaN
    if (Number.isInteger(pid) && pid > 0 && !isRunning(pid)) rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
  const directory = mkdtempSync(join(tmpdir(), `${SHARED_PREFIX}${process.pid}-`))
  chmodSync(directory, 0o711)
  return directory
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The `node_modules` in which this program finds a package. */
function nodeModulesOf(packageName: string): string {
  const entry = realpathSync(new URL(import.meta.resolve(packageName)))
  const at = entry.lastIndexOf('/node_modules/')
  return entry.slice(0, at + '/node_modules'.length)
}
