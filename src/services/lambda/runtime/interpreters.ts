// The interpreters of this machine, and which one a managed runtime gets: its own version where it is here, else another of its language.

import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { findPrograms, outputOf } from '#lib/programs.ts'
import type { Visible } from './isolation/isolation.ts'

export interface Interpreter {
  language: 'nodejs' | 'python'
  /** `26.10.0`. */
  version: string
  /** The executable itself, not a version manager's shim. */
  file: Visible
  /** What it must be able to read besides the system's files; the executable is in it or below. */
  reads: readonly Visible[]
}

export interface Interpreters {
  /** The interpreter for `nodejs22.x` or `python3.12`; undefined when the machine has none of the language. */
  find(runtime: string): Promise<Interpreter | undefined>
  /** Every Python 3, in the order of the search path. */
  pythons(): Promise<readonly Interpreter[]>
}

const LOOK_MS_MAX = 10_000

/** Looks for Pythons when the first is asked for. `node` runs every Node runtime. */
export function createInterpreters({ node }: { node: string }): Interpreters {
  const file = { path: realpathSync(node), at: '/var/lang/bin/node' }
  const ours: Interpreter = { language: 'nodejs', version: process.versions.node, file, reads: [file] }
  let pythons: Promise<PythonFound[]> | undefined
  return {
    async find(runtime) {
      if (runtime.startsWith('nodejs')) return ours
      return runtime.startsWith('python3') ? choosePython(runtime, await (pythons ??= findPythons())) : undefined
    },
    pythons: () => pythons ??= findPythons(),
  }
}

interface PythonFound extends Interpreter {
  hasBoto3: boolean
}

/** The exact version first, then one with boto3 (which AWS's runtime has), then the newest, then the first that the shell would find. */
function choosePython(runtime: string, found: readonly PythonFound[]): Interpreter | undefined {
  const wanted = runtime.slice('python'.length)
  const isExact = ({ version }: PythonFound) => version.startsWith(`${wanted}.`)
  return [...found].sort((one, other) =>
    Number(isExact(other)) - Number(isExact(one)) || Number(other.hasBoto3) - Number(one.hasBoto3) || compareVersions(other.version, one.version))[0]
}

function compareVersions(one: string, other: string): number {
  const [a, b] = [one.split('.').map(Number), other.split('.').map(Number)]
  return a[0]! - b[0]! || a[1]! - b[1]! || a[2]! - b[2]!
}

const question = `
import importlib.util, json, os, sys
print(json.dumps({
  "file": os.path.realpath(sys.executable), "name": sys.executable, "version": "%d.%d.%d" % sys.version_info[:3],
  "prefixes": [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix], "paths": [path for path in sys.path if path],
  "boto3": importlib.util.find_spec("boto3") is not None}))
`

async function findPythons(): Promise<PythonFound[]> {
  // Directories that link to each other, and names that do in one directory, lead to the same interpreter: asking it costs a start.
  const candidates = new Map(findPrograms((name) => /^python3(\.\d+)?$/.test(name)).map((file) => [`${realpathSync(dirname(file))} ${realpathSync(file)}`, file])).values()
  const answers = await Promise.all([...candidates].map((file) => outputOf(file, ['-I', '-c', question], { msMax: LOOK_MS_MAX })))
  const found = new Map<string, PythonFound>()
  for (const answer of answers) {
    const python = answer === undefined ? undefined : pythonOf(answer)
    if (python && !found.has(python.file.path)) found.set(python.file.path, python)
  }
  return [...found.values()]
}

function pythonOf(answer: string): PythonFound {
  const { file, name, version, prefixes, paths, boto3 } = JSON.parse(answer) as {
    file: string, name: string, version: string, prefixes: string[], paths: string[], boto3: boolean
  }
  // A virtual environment is found by the name of its own executable, which links to another one.
  const isVirtual = prefixes[0] !== prefixes[1]
  const reads = new Set([...prefixes, ...paths.filter((path) => prefixes.every((prefix) => !path.startsWith(`${prefix}/`)))].filter((path) => path !== '/usr' && path !== '/'))
  if (prefixes.every((prefix) => !file.startsWith(`${prefix}/`))) reads.add(dirname(file))
  return { language: 'python', version, file: inPlace(isVirtual ? name : file), reads: [...reads].filter(exists).map(inPlace), hasBoto3: boto3 }
}

/** A Python knows where it was built to lie. */
function inPlace(path: string): Visible {
  return { path, at: path }
}

function exists(path: string): boolean {
  try {
    realpathSync(path)
    return true
  } catch {
    return false
  }
}
