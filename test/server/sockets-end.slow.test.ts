// What becomes of WebSockets when their server is stopped, when it is killed, and when another process over the same PostgreSQL is asked about them.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { DeleteConnectionCommand, GetConnectionCommand, GoneException } from '@aws-sdk/client-apigatewaymanagementapi'
import { DeleteApiCommand } from '@aws-sdk/client-apigatewayv2'
import { keptDirectory } from '#test/support/kept-directory.ts'
import { freshPostgres, postgresIsAbsent } from '#test/support/postgres.ts'
import { startProcess, type ServerProcess } from '#test/support/process.ts'
import { backendOf, clientsOf, eventually, functionBehind, recorder, socketApi, type SocketServer } from '#test/support/socket-server.ts'
import { openSocket } from '#test/support/web-socket-client.ts'

const mock = { IntegrationType: 'MOCK', RequestTemplates: { $default: '{"statusCode": 200}' } } as const
const answersId = { ...mock, isTwoWay: true, responses: { $default: '$context.connectionId' } }
/** Service managers kill what has not ended by then. */
const STOP_MS_MAX = 10_000
const sleeps = 'export const handler = async () => { await new Promise((done) => setTimeout(done, 25_000)); return { statusCode: 200 } }'

async function started(t: TestContext, dataDir: string, settings: Record<string, string> = {}): Promise<{ process: ServerProcess, server: SocketServer }> {
  const process = await startProcess({ dataDir, settings })
  const server = clientsOf(process)
  t.after(async () => {
    server.destroy()
    await process.end('SIGKILL')
  })
  return { process, server }
}

describe('a server that is stopped', () => {
  test('closes its connections, has told $disconnect of all, and waits for nobody for ever', async (t) => {
    const { process, server } = await started(t, keptDirectory())
    const record = await recorder(t)
    const api = await socketApi(server, { $default: answersId, $disconnect: record.integration })
    const hanging = await functionBehind(server, 'hanging', sleeps)
    const hangingEnd = await socketApi(server, { $default: answersId, $disconnect: hanging }, ['hanging'])
    const hangingBegin = await socketApi(server, { $connect: hanging }, ['hanging'])
    const clients = await Promise.all(Array.from({ length: 20 }, () => openSocket(api.url)))
    const ids = await Promise.all(clients.map((client) => client.ask('id')))
    const other = await openSocket(hangingEnd.url)
    // Never answers the closing frame.
    const mute = connect({ host: '127.0.0.1', port: server.port }).on('error', () => {})
    t.after(() => mute.destroy())
    mute.write(`GET ${new URL(api.url).pathname} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`)
    await once(mute, 'data')
    const refused = openSocket(hangingBegin.url).then(() => 'open', () => 'refused')
    await new Promise((done) => setTimeout(done, 300))
    const startedAt = performance.now()
    const { code } = await process.end('SIGTERM')
    const tookMs = performance.now() - startedAt
    assert.equal(code, 0)
    assert.ok(tookMs < STOP_MS_MAX, `${tookMs} ms`)
    for (const client of [...clients, other]) assert.deepEqual(await client.closed, { code: 1001, reason: 'Going away' })
    assert.equal(await refused, 'refused')
    assert.equal(record.told.length, 21)
    for (const id of ids) assert.ok(record.told.includes(`${id} 1001 Going away`))
    t.diagnostic(`stopped in ${Math.round(tookMs)} ms`)
  })
})

test('a server that was killed knows its APIs, and none of its connections', async (t) => {
  const dataDir = keptDirectory()
  const first = await started(t, dataDir)
  const api = await socketApi(first.server, { $default: answersId })
  const client = await openSocket(api.url)
  const id = await client.ask('id')
  await first.process.end('SIGKILL')
  assert.equal((await client.closed).code, 1006)
  const { server } = await started(t, dataDir)
  using backend = backendOf(server, api.ApiId)
  await assert.rejects(backend.push(id, 'x'), GoneException)
  await using again = await openSocket(api.url.replace(/:\d+\//, `:${server.port}/`))
  const newId = await again.ask('id')
  assert.notEqual(newId, id)
  await backend.push(newId, 'pushed')
  assert.equal(await again.next(), 'pushed')
})

test('two processes over one PostgreSQL reach each other\'s clients, until one is killed', { skip: postgresIsAbsent() }, async (t) => {
  const { engine: { url }, remove } = await freshPostgres()
  t.after(remove)
  const shared = { DATABASE_URL: url, MASTER_KEY_FILE: join(keptDirectory(), 'master.key') }
  const [a, b] = await Promise.all([started(t, keptDirectory(), shared), started(t, keptDirectory(), shared)])
  const api = await socketApi(a.server, { $default: answersId })
  await using client = await openSocket(api.url)
  await using leaving = await openSocket(api.url)
  const [id, leavingId] = [await client.ask('id'), await leaving.ask('id')]
  using backend = backendOf(b.server, api.ApiId)
  await eventually(async () => { await backend.push(id, 'first') })
  assert.equal(await client.next(), 'first')
  for (let at = 0; at < 100; at++) await backend.push(id, String(at))
  for (let at = 0; at < 100; at++) assert.equal(await client.next(), String(at))
  assert.equal((await backend.management.send(new GetConnectionCommand({ ConnectionId: id }))).Identity?.SourceIp, '127.0.0.1')
  await backend.management.send(new DeleteConnectionCommand({ ConnectionId: leavingId }))
  assert.equal((await leaving.closed).code, 1000)
  await assert.rejects(backend.push(leavingId, 'x'), GoneException)

  const doomed = await socketApi(a.server, { $default: answersId })
  await using orphan = await openSocket(doomed.url)
  await orphan.ask('id')
  await eventually(async () => { await b.server.apigatewayv2.send(new DeleteApiCommand({ ApiId: doomed.ApiId })) })
  await eventually(async () => { assert.match(await orphan.ask('x'), /"message":"Forbidden"/) })

  await a.process.end('SIGKILL')
  const killedAt = performance.now()
  await eventually(() => assert.rejects(backend.push(id, 'x'), GoneException), 30_000)
  t.diagnostic(`gone after ${Math.round(performance.now() - killedAt)} ms`)
})
