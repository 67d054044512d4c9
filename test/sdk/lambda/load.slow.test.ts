// Many invocations: no more run than may, and memory stays flat.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { InvokeCommand, LambdaClient, PutFunctionConcurrencyCommand, type LambdaClientConfig } from '@aws-sdk/client-lambda'
import { keptDirectory } from '#test/support/kept-directory.ts'
import { startProcess, type ServerProcess } from '#test/support/process.ts'
import { startServer } from '#test/support/server.ts'
import { deployNode } from './deploy.ts'

/** A server of its own process with one function, and a client with so many connections. */
async function startWith(t: TestContext, source: string, { reserved, connections }: { reserved?: number, connections: number }): Promise<{ server: ServerProcess, client: LambdaClient }> {
  const dataDir = keptDirectory()
  {
    await using setup = await startServer(undefined, { dataDir })
    await deployNode(setup, 'f', source)
    if (reserved !== undefined) await setup.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'f', ReservedConcurrentExecutions: reserved }))
  }
  const server = await startProcess({ dataDir })
  const requestHandler = { httpAgent: { maxSockets: connections } } as NonNullable<LambdaClientConfig['requestHandler']>
  const client = new LambdaClient({ endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials, maxAttempts: 1, requestHandler })
  t.after(async () => {
    client.destroy()
    await server.end('SIGTERM')
  })
  return { server, client }
}

/** Of a function, as the endpoint counts it. */
async function counted({ endpoint }: ServerProcess, name: string): Promise<number> {
  const text = await (await fetch(`${endpoint}/_countersign/metrics`)).text()
  return Number(new RegExp(`^countersign_lambda_${name}\\{[^}]*function="f"\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
}

const call = async (client: LambdaClient) => {
  try {
    const { FunctionError } = await client.send(new InvokeCommand({ FunctionName: 'f', Payload: '{}' }))
    return FunctionError ?? 'answered'
  } catch (error) {
    return (error as { Reason?: string }).Reason ?? (error as Error).message
  }
}

test('500 calls at once of a function of 100 ms that has reserved 50: no more than 50 run, the rest is refused, nothing leaks', async (t) => {
  const { server, client } = await startWith(t, 'export const handler = async () => new Promise((r) => setTimeout(r, 100))', { reserved: 50, connections: 500 })
  let most = 0
  let isOver = false
  const watching = (async () => {
    while (!isOver) {
      most = Math.max(most, await counted(server, 'concurrent_executions'))
      await sleep(5)
    }
  })()
  for (let round = 0; round < 3; round++) {
    const results = Map.groupBy(await Promise.all(Array.from({ length: 500 }, () => call(client))), (result) => result)
    const [answered, refused] = ['answered', 'ReservedFunctionConcurrentInvocationLimitExceeded'].map((result) => results.get(result)?.length ?? 0)
    assert.equal(answered! + refused!, 500, JSON.stringify([...results.keys()]))
    assert.ok(answered! >= 50, `${answered} were answered`)
    assert.ok(refused! > 0, 'some were refused')
  }
  isOver = true
  await watching
  assert.ok(most > 1 && most <= 50, `${most} ran at once`)
  assert.equal(await counted(server, 'concurrent_executions'), 0)
  assert.equal(await counted(server, 'invocations_total') + await counted(server, 'throttles_total'), 1_500)
  assert.equal(await call(client), 'answered')
})

test('700 calls at once, more than there may be environments: they wait for one another, and all are answered', async (t) => {
  const { client } = await startWith(t, 'export const handler = async () => new Promise((r) => setTimeout(r, 500))', { connections: 700 })
  for (let round = 0; round < 2; round++) {
    const results = Map.groupBy(await Promise.all(Array.from({ length: 700 }, () => call(client))), (result) => result)
    assert.deepEqual([...results].map(([result, calls]) => [result, calls.length]), [['answered', 700]])
  }
})

const INVOCATIONS = 50_000

test(`memory is flat over ${INVOCATIONS.toLocaleString('en')} invocations, refused ones among them`, { skip: process.platform === 'linux' ? false : 'absent: /proc' }, async (t) => {
  const { server, client } = await startWith(t, 'export const handler = async (event) => event', { reserved: 8, connections: 16 })
  const residentMb = () => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))![1]) / 1024
  const seen: number[] = []
  let done = 0
  const callers = Array.from({ length: 16 }, async () => {
    while (done < INVOCATIONS) {
      done++
      await call(client)
      if (done % 5_000 === 0) seen.push(residentMb())
    }
  })
  await Promise.all(callers)
  // The first fifth warms up; what was needed then is needed at the end.
  const [before, after] = [Math.max(...seen.slice(0, 3)), Math.max(...seen.slice(-3))]
  t.diagnostic(`resident MB: ${seen.map((mb) => Math.round(mb)).join(', ')}`)
  assert.ok(after < before * 1.25 + 16, `${before} MB, then ${after} MB`)
  assert.equal(await counted(server, 'concurrent_executions'), 0)
})
