// The server as a process of its own, as users run it: for tests that kill it, trace it or start two.

import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readCredentials } from '#lib/credentials-file.ts'

const root = resolve(import.meta.dirname, '../..')

export interface ServerProcess {
  child: ChildProcess
  endpoint: string
  credentials: { accessKeyId: string, secretAccessKey: string }
  stderr(): string
  /** Resolves with exit code and signal once it has ended. */
  ended: Promise<{ code: number | null, signal: NodeJS.Signals | null }>
  /** Ends it with a signal and waits. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null, signal: NodeJS.Signals | null }>
}

export interface ServerProcessOptions {
  dataDir: string
  /** Settings by their name without `COUNTERSIGN_`. */
  settings?: Record<string, string>
  /** What the server is started under: `['strace', '-f', …]`. */
  under?: readonly string[]
}

/** Starts `countersign serve` and waits until it serves. Fails with its stderr when it ends instead. */
export async function startProcess({ dataDir, settings = {}, under = [] }: ServerProcessOptions): Promise<ServerProcess> {
  const [command, ...args] = [...under, process.execPath, join(root, 'src/main.ts'), 'serve']
  const named = Object.fromEntries(Object.entries({ PORT: '0', DATA_DIR: dataDir, ...settings }).map(([name, value]) => [`COUNTERSIGN_${name}`, value]))
  const child = spawn(command!, args, { cwd: root, env: { ...process.env, ...named }, stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  const ready = Promise.withResolvers<string>()
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    const endpoint = /"endpoint":"([^"]+)"[^\n]*"msg":"ready"/.exec(stderr)?.[1]
    if (endpoint !== undefined) ready.resolve(endpoint)
  })
  const ended = new Promise<{ code: number | null, signal: NodeJS.Signals | null }>((done) => child.once('close', (code, signal) => done({ code, signal })))
  void ended.then(({ code, signal }) => ready.reject(new Error(`the server ended with ${code ?? signal}: ${stderr}`)))
  const endpoint = await ready.promise
  return {
    child, endpoint, ended,
    credentials: readCredentials(dataDir)!,
    stderr: () => stderr,
    end(signal) {
      child.kill(signal)
      return ended
    },
  }
}

/** The processes below one, by id (Linux). */
export function descendants(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
    return children.flatMap((child) => [child, ...descendants(child)])
  } catch {
    return []
  }
}
