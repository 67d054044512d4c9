// Shells that become environments. One is kept waiting, because a process as large as this server takes long to make another.

import { spawn, type ChildProcess } from 'node:child_process'
import type { Clock } from '#lib/clock.ts'

export interface ShellOptions {
  script: string
  /** With descriptors 5 and 6, for a keeper. */
  isKept: boolean
  /** Under this user and group from the start. */
  userId?: number | undefined
}

export interface Shells {
  /**
   * Starts a process group whose first process runs the script as if it were a file. Descriptors 1 to 4 are pipes to the caller, in `stdio`.
   */
  start(options: ShellOptions): ChildProcess
  /** Ends the one that waits. */
  close(): void
}

/** Another one is made when the start that took the last is over. */
const REFILL_MS = 100

export function createShells(clock: Pick<Clock, 'sleep'>): Shells {
  const closed = new AbortController()
  let waiting: ChildProcess | undefined
  let isRefilling = false

  function take(): ChildProcess | undefined {
    const taken = waiting
    waiting = undefined
    taken?.removeAllListeners()
    return taken
  }

  async function refill(): Promise<void> {
    if (isRefilling) return
    isRefilling = true
    await clock.sleep(REFILL_MS, closed.signal)
    isRefilling = false
    if (closed.signal.aborted || waiting !== undefined) return
    const made = make(false, undefined)
    const forget = () => { if (waiting === made) waiting = undefined }
    made.on('error', forget)
    made.on('exit', forget)
    // It keeps nobody from ending: without a server its script ends, and so does the shell.
    made.unref()
    for (const stream of made.stdio) (stream as { unref?: () => void } | null)?.unref?.()
    waiting = made
  }

  return {
    start({ script, isKept, userId }) {
      const spare = isKept || userId !== undefined ? undefined : take()
      const shell = spare ?? make(isKept, userId)
      if (spare) {
        spare.ref()
        for (const stream of spare.stdio) (stream as { ref?: () => void } | null)?.ref?.()
      }
      shell.stdin?.on('error', () => {})
      shell.stdin?.end(script)
      if (!closed.signal.aborted) void refill()
      return shell
    },
    close() {
      closed.abort('closed')
      take()?.kill('SIGKILL')
    },
  }
}

function make(isKept: boolean, userId: number | undefined): ChildProcess {
  return spawn('/bin/sh', [], {
    cwd: '/',
    env: {},
    // A process group of its own: signals for the server's terminal do not reach it, and it can be killed as a whole.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe', ...(isKept ? ['pipe' as const, 'pipe' as const] : [])],
    ...(userId === undefined ? {} : { uid: userId, gid: userId }),
  })
}
