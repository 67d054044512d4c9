// What an environment runs: our bootstrap under an interpreter, or the function's own `bootstrap`.

import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Reason } from './failures.ts'
import type { Interpreter } from './interpreters.ts'
import type { Visible } from './isolation/isolation.ts'
import type { Machine } from './machine.ts'

export interface RuntimeProgram {
  file: string
  args: readonly string[]
  reads: readonly Visible[]
  /** As the first line of the log has it. */
  version: string
  /** Why it cannot run. */
  obstacle?: Reason | undefined
}

export interface ProgramOptions {
  machine: Machine
  runtime: string
  /** Of a managed runtime. */
  interpreter: Interpreter | undefined
  memoryMb: number
  codeDirectory: string
  optDirectory: string | undefined
  /** `AWS_LAMBDA_EXEC_WRAPPER`. */
  wrapper: string | undefined
}

/** Runtimes of the operating system alone: the function brings its own. */
export function bringsOwnRuntime(runtime: string): boolean {
  return runtime.startsWith('provided')
}

export function programOf(options: ProgramOptions): RuntimeProgram {
  const { machine: { isolation }, interpreter, wrapper, optDirectory } = options
  if (interpreter === undefined) return ownBootstrap(options)
  const managed = managedProgram(options, interpreter)
  if (wrapper === undefined || wrapper === '') return managed
  // Source: Lambda developer guide, "Modifying the runtime environment": the script is given the runtime's command line. A shell's `exec`, as on
  // AWS, so that a script that is missing ends with its status.
  const script = wrapper.startsWith('/opt/') ? `${isolation.optRoot(optDirectory)}${wrapper.slice('/opt'.length)}`
    : wrapper.startsWith('/var/task/') ? `${isolation.taskRoot(options.codeDirectory)}${wrapper.slice('/var/task'.length)}` : wrapper
  return { ...managed, file: '/bin/sh', args: ['-c', 'exec "$0" "$@"', script, managed.file, ...managed.args] }
}

/** Part of the heap is new objects, and a process is more than its heap. Source: AWS's own Node runtimes start so. */
const heapShare = 0.9

function managedProgram({ machine, memoryMb, optDirectory }: ProgramOptions, interpreter: Interpreter): RuntimeProgram {
  const { isolation, bootstraps, sdkDirectory } = machine
  const { language, version, file, reads } = interpreter
  const bootstrap = bootstraps[language]
  const common = { file: isolation.place(file), version: `${language}:${version}` }
  if (language === 'python') return { ...common, args: ['-B', isolation.place(bootstrap), isolation.optRoot(optDirectory)], reads: [...reads, bootstrap] }
  return {
    ...common,
    args: [`--max-old-space-size=${Math.floor(memoryMb * heapShare)}`, '--disable-warning=ExperimentalWarning', isolation.place(bootstrap), isolation.place(sdkDirectory), isolation.optRoot(optDirectory)],
    reads: [...reads, bootstrap, sdkDirectory],
  }
}

/** Source: Lambda developer guide, "Building a custom runtime": in the code, else in a layer. */
function ownBootstrap({ machine: { isolation }, runtime, codeDirectory, optDirectory }: ProgramOptions): RuntimeProgram {
  const places = [
    { path: join(codeDirectory, 'bootstrap'), seen: `${isolation.taskRoot(codeDirectory)}/bootstrap`, told: '/var/task/bootstrap' },
    ...(optDirectory === undefined ? [] : [{ path: join(optDirectory, 'bootstrap'), seen: `${isolation.optRoot(optDirectory)}/bootstrap`, told: '/opt/bootstrap' }]),
  ]
  const found = places.find(({ path }) => modeOf(path) !== undefined)
  const version = runtime.replace('.', ':')
  const refuse = (reason: string): RuntimeProgram => ({ file: '/bin/false', args: [], reads: [], version, obstacle: { errorType: 'Runtime.InvalidEntrypoint', reason } })
  if (!found) return refuse('Couldn\'t find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]')
  // Source: AWS's runtime interface emulator, which starts it as Go does.
  if ((modeOf(found.path)! & 0o111) === 0) return refuse(`fork/exec ${found.told}: permission denied`)
  if (!isExecutable(found.path)) return refuse(`fork/exec ${found.told}: exec format error`)
  return { file: found.seen, args: [], reads: [], version }
}

/** Of a file. */
function modeOf(path: string): number | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  return found?.isFile() ? found.mode : undefined
}

/** Numbers of ELF's machines. */
const machines: Readonly<Record<string, number>> = { x64: 62, arm64: 183 }

/** A script that names its interpreter, or a program for this machine. Shells would take anything for a script of theirs; AWS does not. */
function isExecutable(path: string): boolean {
  const head = Buffer.alloc(20)
  const descriptor = openSync(path, 'r')
  try {
    readSync(descriptor, head, 0, head.length, 0)
  } finally {
    closeSync(descriptor)
  }
  if (head.toString('latin1', 0, 2) === '#!') return true
  if (head.toString('latin1', 0, 4) !== '\x7fELF') return process.platform !== 'linux'
  return machines[process.arch] === undefined || head.readUInt16LE(18) === machines[process.arch]
}
