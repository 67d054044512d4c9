// Other programs that tests drive: the AWS CLI, Python with boto3, strace. A test that needs one that is absent is skipped, saying so.

import { spawn, spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'

/** `absent: aws` when the program does not run here, else false: for a test's `skip`. */
export function absent(program: 'aws' | 'setpriv' | 'python3' | 'boto3' | 'strace' | 'bwrap' | 'openssl' | 'curl' | 'gcc' | 'requests'): string | false {
  const known = seen.get(program)
  if (known !== undefined) return known
  const [command, ...args] = program === 'boto3' || program === 'requests' ? ['python3', '-c', `import ${program}`] : program === 'strace' ? ['strace', '-V'] : program === 'openssl' ? ['openssl', 'version'] : [program, '--version']
  const answer = spawnSync(command!, args, { timeout: 20_000 }).status === 0 ? false : `absent: ${program}`
  seen.set(program, answer)
  return answer
}

const seen = new Map<string, string | false>()

/**
 * Version 2 of the AWS CLI, wherever on the search path: some commands (`logs tail`) are only there. Undefined where there is none.
 */
export function awsVersion2(): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/bin', '/usr/bin']
  return [...new Set(directories)].map((directory) => join(directory, 'aws')).find((file) => {
    const { status, stdout } = spawnSync(file, ['--version'], { encoding: 'utf8', timeout: 20_000 })
    return status === 0 && stdout.startsWith('aws-cli/2.')
  })
}

export interface Finished {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a program to its end without blocking this process (which may be the server it talks to). */
export function runProgram(command: string, args: readonly string[], { env, input, cwd, timeoutMs = 60_000 }: { env?: NodeJS.ProcessEnv, input?: string, cwd?: string, timeoutMs?: number } = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: timeoutMs, ...(env ? { env } : {}), ...(cwd ? { cwd } : {}) })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
    child.stdin.on('error', () => { /* the program ended without reading all of it */ })
    child.stdin.end(input ?? '')
  })
}

/**
 * Runs the AWS CLI against a server. Old ones do not read AWS_ENDPOINT_URL: the endpoint is always said on the command line.
 * Fails with the CLI's own words.
 */
export async function aws(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<any> {
  const { code, stdout, stderr } = await awsRaw(env, args)
  if (code !== 0) throw new Error(`aws ${args.join(' ')} ended with ${code}: ${stderr}`)
  return stdout.trim() === '' ? undefined : JSON.parse(stdout)
}

/** The same without judging how it ended. */
export function awsRaw(env: NodeJS.ProcessEnv, args: readonly string[], program = 'aws'): Promise<Finished> {
  return runProgram(program, ['--endpoint-url', env.AWS_ENDPOINT_URL!, '--output', 'json', ...args], { env })
}

/** Runs Python code that finds the endpoint in `ENDPOINT` and prints JSON. */
export async function python(env: NodeJS.ProcessEnv, code: string): Promise<any> {
  const prelude = 'import boto3, json, os\nENDPOINT = os.environ["AWS_ENDPOINT_URL"]\ndef client(name, **kw):\n    return boto3.client(name, endpoint_url=ENDPOINT, **kw)\n'
  const { code: status, stdout, stderr } = await runProgram('python3', ['-c', prelude + code], { env })
  if (status !== 0) throw new Error(`python3 ended with ${status}: ${stderr}`)
  return stdout.trim() === '' ? undefined : JSON.parse(stdout)
}
