// Asynchronous invocations of two servers over one PostgreSQL: both run them, each event once, and one goes on when the other stops.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { InvokeCommand } from '@aws-sdk/client-lambda'
import { freshPostgres, postgresIsAbsent } from '#test/support/postgres.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { deployNode } from '../sdk/lambda/deploy.ts'

async function twoServers(t: TestContext): Promise<[TestServer, TestServer]> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-shared-'))
  const { engine: { url }, remove } = await freshPostgres()
  const settings = { DATABASE_URL: url, MASTER_KEY_FILE: join(directory, 'master.key') }
  const servers = await Promise.all([startServer(undefined, { settings }), startServer(undefined, { settings })])
  t.after(async () => {
    for (const server of servers) await server.close()
    await remove()
    rmSync(directory, { recursive: true, force: true })
  })
  return servers as [TestServer, TestServer]
}

/** Says on which server it runs: a function calls the one that started it. */
const says = (body: string) => `export const handler = async (event, context) => { ${body}; console.log("RAN " + context.awsRequestId + " " + process.env.AWS_ENDPOINT_URL) }`

async function send({ lambda }: TestServer, FunctionName: string): Promise<string> {
  return (await lambda.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload: '{}' }))).$metadata.requestId!
}

/** Where each event ran, once so many have. */
async function ran(server: TestServer, name: string, count: number): Promise<{ id: string, endpoint: string }[]> {
  for (let tries = 0; tries < 400; tries++) {
    const { events } = await server.logs.send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}`, filterPattern: 'RAN' })).catch(() => ({ events: [] }))
    const found = (events ?? []).map(({ message }) => /RAN (\S+) (\S+)/.exec(message!)!).map(([, id, endpoint]) => ({ id: id!, endpoint: endpoint! }))
    if (found.length >= count) return found
    await sleep(50)
  }
  throw new Error('the events did not run')
}

describe('two servers over one PostgreSQL', { skip: postgresIsAbsent() }, () => {
  test('share the events that one of them accepted, and run each once', async (t) => {
    const [first, second] = await twoServers(t)
    await deployNode(first, 'f', says('await new Promise((r) => setTimeout(r, 300))'))
    const sent = await Promise.all(Array.from({ length: 60 }, () => send(first, 'f')))
    const runs = await ran(first, 'f', 60)
    assert.deepEqual(runs.map(({ id }) => id).sort(), sent.toSorted())
    assert.deepEqual([...new Set(runs.map(({ endpoint }) => endpoint))].sort(), [first.endpoint, second.endpoint].sort())
  })

  test('take over what the other one was doing when it stopped', async (t) => {
    const [first, second] = await twoServers(t)
    await deployNode(first, 'f', says(`if (process.env.AWS_ENDPOINT_URL === ${JSON.stringify(first.endpoint)}) { console.log("BEGUN"); await new Promise((r) => setTimeout(r, 60_000)) }`), { Timeout: 90 })
    const id = await send(first, 'f')
    for (;;) {
      const { events } = await second.logs.send(new FilterLogEventsCommand({ logGroupName: '/aws/lambda/f', filterPattern: 'BEGUN' })).catch(() => ({ events: [] }))
      if (events?.length) break
      await sleep(50)
    }
    await first.close()
    assert.deepEqual(await ran(second, 'f', 1), [{ id, endpoint: second.endpoint }])
  })
})
