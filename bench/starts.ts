// What a function costs beyond its interpreter: a first call against the bare interpreter's first answer, and a warm call against one without a function.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetFunctionCommand, LambdaClient, CreateFunctionCommand } from '@aws-sdk/client-lambda'
import type { AccessKeyPair } from '#lib/credentials-file.ts'
import { zipOf } from './deploy.ts'

export interface StartsOptions {
  endpoint: string
  port: number
  credentials: AccessKeyPair
  /** Of which the medians are taken. */
  samples: number
  /** The bytes of an Invoke, and of a call that runs no function. */
  invoke: (functionName: string) => Buffer
  plain: Buffer
}

const CALM_MS = 250
const handler = 'export const handler = async () => ({ ok: true })'

/** Prints both ratios. Samples of both kinds take turns, so that a busy machine is busy for both. */
export async function measureStarts({ endpoint, port, credentials, samples, invoke, plain }: StartsOptions): Promise<void> {
  const lambda = new LambdaClient({ endpoint, region: 'us-east-1', credentials })
  const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: 'bench-empty' }))
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  const directory = mkdtempSync(join(tmpdir(), 'countersign-bench-bare-'))
  try {
    writeFileSync(join(directory, 'index.mjs'), handler)
    writeFileSync(join(directory, 'run.mjs'), `import { handler } from './index.mjs'
process.stdin.once('data', async (event) => { process.stdout.write(JSON.stringify(await handler(JSON.parse(event)))) })`)
    const [bare, cold, warm, without]: [number[], number[], number[], number[]] = [[], [], [], []]
    for (let sample = 0; sample < samples; sample++) {
      const name = `bench-cold-${sample}`
      await lambda.send(new CreateFunctionCommand({ FunctionName: name, Runtime: 'nodejs24.x', Role: Configuration!.Role, Handler: 'index.handler', MemorySize: 512, Code: { ZipFile: await zipOf('index.mjs', handler) } }))
      // One start after the other: what the last one left to do is over.
      await new Promise((done) => setTimeout(done, CALM_MS))
      bare.push(await firstAnswer(directory))
      cold.push(await exchange(socket, invoke(name)))
    }
    for (let call = 0; call < 500; call++) await exchange(socket, invoke('bench-cold-0'))
    for (let call = 0; call < 100 * samples; call++) {
      warm.push(await exchange(socket, invoke('bench-cold-0')))
      without.push(await exchange(socket, plain))
    }
    const [bareMs, coldMs, warmMs, withoutMs] = [bare, cold, warm, without].map(median) as [number, number, number, number]
    console.log(`first call of a Node function: ${coldMs.toFixed(1)} ms; the bare interpreter's first answer: ${bareMs.toFixed(1)} ms; ratio ${(coldMs / bareMs).toFixed(2)}`)
    console.log(`warm call of an empty Node function: ${warmMs.toFixed(2)} ms; a call without a function: ${withoutMs.toFixed(2)} ms; ratio ${(warmMs / withoutMs).toFixed(2)}, overhead ${(warmMs - withoutMs).toFixed(2)} ms`)
  } finally {
    socket.destroy()
    lambda.destroy()
    rmSync(directory, { recursive: true })
  }
}

/** From the spawn of an interpreter to its answer to an event that waits for it. */
function firstAnswer(directory: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const child = spawn(process.execPath, [join(directory, 'run.mjs')], { stdio: ['pipe', 'pipe', 'inherit'] })
    child.on('error', reject)
    child.stdin.write('{}')
    child.stdout.once('data', () => {
      const tookMs = performance.now() - startedAt
      child.once('exit', () => { resolve(tookMs) })
      child.kill('SIGKILL')
    })
  })
}

/** One request and its answer, which carries a content length. */
function exchange(socket: Socket, request: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0)
    const startedAt = performance.now()
    const read = (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk])
      const end = answer.indexOf('\r\n\r\n')
      const length = end === -1 ? undefined : /content-length: (\d+)/i.exec(answer.toString('latin1', 0, end))?.[1]
      if (length === undefined || answer.length < end + 4 + Number(length)) return
      socket.off('data', read)
      if (answer.toString('latin1', 9, 12) === '200') resolve(performance.now() - startedAt)
      else reject(new Error(answer.toString()))
    }
    socket.on('data', read)
    socket.write(request)
  })
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
