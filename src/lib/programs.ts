// Programs of this machine: where the shell would find them, and small ones run to their end.

import { execFile } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Every executable on the search path whose name fits, in the order in which the shell would find them. */
export function findPrograms(fits: (name: string) => boolean): string[] {
  const found: string[] = []
  for (const directory of new Set((process.env.PATH ?? '').split(delimiter).filter((entry) => entry.startsWith('/')))) {
    for (const name of listOf(directory).filter(fits)) if (isExecutable(join(directory, name))) found.push(join(directory, name))
  }
  return found
}

/** The executable that the shell would run under this name, or undefined. */
export function findProgram(name: string): string | undefined {
  return findPrograms((candidate) => candidate === name)[0]
}

/** What a program printed, or undefined when it failed, printed too much or took longer than `msMax`. It sees this process's environment. */
export function outputOf(file: string, args: readonly string[], { msMax }: { msMax: number }): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(file, args, { timeout: msMax, killSignal: 'SIGKILL', maxBuffer: 1024 * 1024 }, (error, stdout) => { resolve(error ? undefined : stdout) })
  })
}

function listOf(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch {
    return []
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
