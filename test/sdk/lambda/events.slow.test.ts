// Accepted events survive a server that is killed again and again.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { InvokeCommand, LambdaClient, PutFunctionEventInvokeConfigCommand } from '@aws-sdk/client-lambda'
import { keptDirectory } from '#test/support/kept-directory.ts'
import { startProcess } from '#test/support/process.ts'
import { startServer } from '#test/support/server.ts'
import { deployNode } from './deploy.ts'

const ROUNDS = 50
/** One retry of a function that fails takes a minute. */
const PATIENCE_MS = 240_000

test(`${ROUNDS} times kill -9: every accepted event runs, retries and destinations go on`, async (t) => {
  const ran = new Map<string, number>()
  const delivered = new Set<string>()
  // Functions tell the test, which outlives every server. What begins with `flaky` fails at first.
  const report = createServer((request, response) => {
    const [, what, id = ''] = request.url!.split('/')
    if (what === 'delivered') delivered.add(id)
    else ran.set(id, (ran.get(id) ?? 0) + 1)
    response.end(what === 'ran' && id.startsWith('flaky') && ran.get(id) === 1 ? 'fail' : 'fine')
  })
  await new Promise<void>((ready) => report.listen(0, '127.0.0.1', ready))
  t.after(() => { report.close(); report.closeAllConnections() })
  const url = `http://127.0.0.1:${(report.address() as { port: number }).port}`

  const dataDir = keptDirectory()
  {
    await using server = await startServer(undefined, { dataDir })
    const Role = await server.role('reports', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*' }])
    await deployNode(server, 'works', `export const handler = async ({ id }) => { if (await (await fetch('${url}/ran/' + id)).text() === 'fail') throw new Error('not yet') }`, { Role, Timeout: 30 })
    await deployNode(server, 'hears', `export const handler = async ({ requestPayload: { id } }) => { await (await fetch('${url}/delivered/' + id)).text() }`, { Role, Timeout: 30 })
    await server.lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: 'works', DestinationConfig: { OnSuccess: { Destination: 'arn:aws:lambda:us-east-1:000000000000:function:hears' } } }))
  }

  const accepted: string[] = []
  let sent = 0
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startProcess({ dataDir })
    t.after(() => server.end('SIGKILL'))
    const client = new LambdaClient({ endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials, maxAttempts: 1 })
    let isKilled = false
    const senders = Array.from({ length: 4 }, async () => {
      while (!isKilled) {
        const id = `${sent % 50 === 0 ? 'flaky' : 'steady'}-${++sent}`
        try {
          await client.send(new InvokeCommand({ FunctionName: 'works', InvocationType: 'Event', Payload: JSON.stringify({ id }) }))
          accepted.push(id)
        } catch { /* in the moment of the kill */ }
        await sleep(10)
      }
    })
    await sleep(200 + Math.random() * 600)
    await server.end('SIGKILL')
    isKilled = true
    await Promise.all(senders)
    client.destroy()
  }

  const last = await startProcess({ dataDir })
  t.after(() => last.end('SIGKILL'))
  const missing = () => accepted.filter((id) => !delivered.has(id))
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until && missing().length > 0;) await sleep(200)
  assert.ok(accepted.length > ROUNDS, String(accepted.length))
  assert.deepEqual(accepted.filter((id) => !ran.has(id)), [], 'accepted, and never run')
  assert.deepEqual(missing(), [], 'answered, and the record never delivered')
  const flaky = accepted.filter((id) => id.startsWith('flaky'))
  assert.ok(flaky.length > 0 && flaky.every((id) => ran.get(id)! >= 2), 'what failed at first was tried again')
  await last.end('SIGTERM')
})
