// The processes of one start of an environment: started, listened to, told to end, and killed with all that they started.

import { setPriority } from 'node:os'
import type { Duplex, Readable } from 'node:stream'
import type { Exit } from './failures.ts'
import type { Command } from './isolation/isolation.ts'
import { scriptOf } from './isolation/limits.ts'
import { familyOf, processesOfUser, type ProcessTable } from './isolation/processes.ts'
import { createLineReader, createMessageReader } from './log-lines.ts'
import type { Shells } from './shells.ts'

export interface SandboxOptions {
  command: Command
  variables: Readonly<Record<string, string>>
  processes: ProcessTable
  shells: Shells
  /** The command is the keeper of `keeper.ts`, which starts extensions and the runtime beside each other. */
  isKept: boolean
  /** Of the scheduler: 0 is usual, higher is less. */
  niceness: number
  /** A line of an output stream, or a message of the console or of logging, which is one event whatever its lines. */
  onOutput: (source: 'line' | 'message' | 'extension', text: string) => void
  onRuntimeExit: (exit: Exit) => void
  onExtensionExit: (name: string, exit: Exit) => void
  /** It could not be started at all. */
  onFailure: (error: Error) => void
}

export interface Sandbox {
  /** Of the first process; undefined when there is none. */
  readonly pid: number | undefined
  /** The connection that our bootstraps inherit. */
  readonly connection: Duplex | undefined
  /** Every process of it, as far as the system tells; as of so many milliseconds ago. */
  pids(options: { ageMsMax: number }): number[]
  /** Lets everything be read that a process wrote before what was just seen: output travels beside the Runtime API. */
  drainOutput(): Promise<void>
  /** Of a kept one: its extensions are ready for the runtime to start. */
  startRuntime(): void
  /** SIGTERM for the runtime of a kept one, or for the family of another. */
  terminateRuntime(): void
  /** Every process of it, at once. */
  kill(): void
  /** The first process is gone. */
  readonly ended: Promise<void>
}

export function startSandbox({ command, variables, processes, shells, isKept, niceness, onOutput, onRuntimeExit, onExtensionExit, onFailure }: SandboxOptions): Sandbox {
  const child = shells.start({ script: scriptOf(command, variables), isKept, userId: command.userId })
  const ended = Promise.withResolvers<void>()
  let isGone = false
  let hasRuntimeExited = false
  if (niceness > 0 && child.pid !== undefined) lower(child.pid, niceness)

  const [, stdout, stderr, connection, messages, control, extensionOutput] = child.stdio as (Duplex | Readable | null | undefined)[]
  const readers = [readLines(stdout, 'line'), readLines(stderr, 'line'), readLines(extensionOutput, 'extension')]
  const messageReader = createMessageReader((message) => { onOutput('message', message) })
  messages?.on('data', (chunk: Buffer) => { messageReader.push(chunk) })
  messages?.on('error', () => {})
  const reports = createLineReader(onReport)
  control?.on('data', (chunk: Buffer) => { reports.push(chunk) })
  control?.on('error', () => {})

  function readLines(stream: Readable | Duplex | null | undefined, source: 'line' | 'extension') {
    const reader = createLineReader((line) => { onOutput(source, line) })
    stream?.on('data', (chunk: Buffer) => { reader.push(chunk) })
    stream?.on('error', () => {})
    return reader
  }

  async function drainOutput(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => { setImmediate(resolve) })
    for (const reader of readers) reader.end()
  }

  /** What the keeper says: `runtime <status>` or `extension <status> <name>`. */
  function onReport(line: string): void {
    const [what, status, ...name] = line.trimEnd().split(' ')
    const exit: Exit = { code: Number(status), signal: null }
    if (what === 'extension') void drainOutput().then(() => { onExtensionExit(name.join(' '), exit) })
    else if (what === 'runtime') runtimeExited(exit)
  }

  function runtimeExited(exit: Exit): void {
    if (hasRuntimeExited) return
    hasRuntimeExited = true
    // What it still said before it ended counts.
    void drainOutput().then(() => { onRuntimeExit(exit) })
  }

  child.on('error', (error) => {
    isGone = true
    onFailure(error)
    ended.resolve()
  })
  child.on('exit', (code, signal) => {
    // Takes what the function left running; later its number may belong to somebody else.
    kill()
    isGone = true
    runtimeExited({ code, signal })
    void drainOutput().then(() => { ended.resolve() })
  })

  function pids(options: { ageMsMax: number }): number[] {
    return child.pid === undefined || isGone ? [] : familyOf(child.pid, processes.list(options))
  }

  function kill(): void {
    if (child.pid === undefined || isGone) return
    // What left the process group has to be found: of a namespace its first process, too, which ends with its parent only once it has said so. Who is stopped
    // starts nobody between the look and the end.
    signal(-child.pid, 'SIGSTOP')
    const strays = pids({ ageMsMax: 0 })
    signal(-child.pid, 'SIGKILL')
    for (const pid of strays) signal(pid, 'SIGKILL')
    if (command.ownsUser !== undefined) for (const pid of processesOfUser(command.ownsUser)) signal(pid, 'SIGKILL')
  }

  return {
    pid: child.pid,
    connection: connection as Duplex | undefined,
    pids, drainOutput, kill,
    startRuntime() { (control as Duplex | undefined)?.write('start\n') },
    terminateRuntime() {
      if (isKept) (control as Duplex | undefined)?.write('terminate\n')
      else for (const pid of pids({ ageMsMax: 0 })) if (pid !== child.pid || command.endsWithFirst !== true) signal(pid, 'SIGTERM')
    },
    ended: ended.promise,
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It is gone already.
  }
}

function lower(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness)
  } catch {
    // It is gone already, or lower than that.
  }
}
