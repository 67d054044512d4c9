// A thousand clients of one server process: everybody gets what is theirs, nobody is lost, and the process gives back what it took.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startProcess } from '#test/support/process.ts'
import { backendOf, clientsOf, eventually, functionBehind, recorder, socketApi } from '#test/support/socket-server.ts'
import { openSocket, type TestSocket } from '#test/support/web-socket-client.ts'

const CLIENTS = 1_000
const MESSAGES = 3
const PUSHERS = 4
/** Ten times the environments that there may be: their calls wait for one another. */
const TALKING_AT_ONCE = 1_000
const ROUNDS = 2
/** For each client one on either side, and some for the rest. */
const DESCRIPTORS_MIN = CLIENTS + 500

function tooFewDescriptors(): string | false {
  const allowed = execFileSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim()
  return allowed !== 'unlimited' && Number(allowed) < DESCRIPTORS_MIN ? `absent: ${DESCRIPTORS_MIN} file descriptors (ulimit -n)` : false
}

const memoryMiB = (pid: number): number => Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024)

/** Connections to the server that are open, pooled ones of the clients used here among them. */
function connectionsTo(pid: number, endpoint: string): number {
  const port = Number(new URL(endpoint).port).toString(16).toUpperCase().padStart(4, '0')
  const ESTABLISHED = '01'
  const rows = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1).map((row) => row.trim().split(/\s+/))
  return rows.filter(([, local, , state]) => local?.endsWith(`:${port}`) && state === ESTABLISHED).length
}

/** Does something for each, so many at once. */
async function forEach<Item>(items: readonly Item[], atOnce: number, work: (item: Item, index: number) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let index = next++; index < items.length; index = next++) await work(items[index]!, index)
  }))
}

interface Client {
  id: string
  socket: TestSocket
  received: string[]
  /** Resolves with the next message that is no push. */
  answered(): Promise<void>
}

test(`${CLIENTS} clients of one process, ${ROUNDS} times`, { skip: tooFewDescriptors(), timeout: 90_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'countersign-sockets-'))
  const server = await startProcess({ dataDir, settings: { LOG_LEVEL: 'info' } })
  const clients = clientsOf(server)
  t.after(async () => {
    clients.destroy()
    await server.end('SIGKILL')
    rmSync(dataDir, { recursive: true, force: true })
  })
  const pid = server.child.pid!
  const record = await recorder(t)
  const echo = await functionBehind(clients, 'echo', 'export const handler = async ({ body, requestContext: { connectionId } }) => ({ statusCode: 200, body: connectionId + " " + body })')
  const api = await socketApi(clients, { $default: { ...echo, isTwoWay: true }, $disconnect: record.integration }, ['echo'])
  const pushers = Array.from({ length: PUSHERS }, () => backendOf(clients, api.ApiId))
  t.after(() => { for (const pusher of pushers) pusher[Symbol.dispose]() })
  {
    await using warm = await openSocket(api.url)
    await pushers[0]!.push((await warm.ask('warm')).split(' ')[0]!, 'warm')
  }
  await eventually(async () => assert.equal(record.told.length, 1))
  const memory = [memoryMiB(pid)]

  for (let round = 0; round < ROUNDS; round++) {
    record.told.length = 0
    const startedAt = performance.now()
    const all: Client[] = []
    await forEach(Array.from({ length: CLIENTS }), 50, async () => {
      const socket = await openSocket(api.url)
      const received: string[] = []
      const id = (await socket.ask('who')).split(' ')[0]!
      let answer = Promise.withResolvers<void>()
      socket.socket.on('message', (data: Buffer) => {
        received.push(data.toString())
        if (!data.toString().startsWith('pushed ')) answer.resolve()
      })
      all.push({ id, socket, received, answered: async () => {
        await answer.promise
        answer = Promise.withResolvers()
      } })
    })
    const connectedAt = performance.now()
    assert.equal(new Set(all.map(({ id }) => id)).size, CLIENTS)
    let left = 0
    for (const { socket } of all) void socket.closed.then(() => { left += 1 })

    // Messages of all, while every backend sends to all.
    const expected = MESSAGES + PUSHERS
    const talking = forEach(all, TALKING_AT_ONCE, async ({ socket, answered }, index) => {
      for (let at = 0; at < MESSAGES; at++) {
        socket.send(`${round} ${index} ${at}`)
        await answered()
      }
    })
    const pushing = Promise.all(pushers.map((pusher, number) => forEach(all, 20, async ({ id }, index) => { await pusher.push(id, `pushed ${round} ${index} by ${number}`) })))
    await Promise.all([talking, pushing])
    await eventually(async () => { assert.equal(all.filter(({ received }) => received.length < expected).length, 0) }, 60_000)
    all.forEach(({ id, received }, index) => {
      const own = Array.from({ length: MESSAGES }, (_, at) => `${id} ${round} ${index} ${at}`)
      const pushed = Array.from({ length: PUSHERS }, (_, number) => `pushed ${round} ${index} by ${number}`)
      assert.deepEqual(received.toSorted(), [...own, ...pushed].sort())
    })
    assert.equal(left, 0)
    const talkedAt = performance.now()
    memory.push(memoryMiB(pid))

    for (const { socket } of all) socket.socket.close(1000, 'bye')
    await Promise.all(all.map(({ socket }) => socket.closed))
    await eventually(async () => { assert.ok(record.told.length >= CLIENTS) }, 30_000)
    assert.deepEqual(record.told.toSorted(), all.map(({ id }) => `${id} 1000 bye`).sort())
    memory.push(memoryMiB(pid))
    t.diagnostic(`round ${round + 1}: connected in ${Math.round(connectedAt - startedAt)} ms, ${CLIENTS * MESSAGES} messages and ${CLIENTS * PUSHERS} pushes in ${Math.round(talkedAt - connectedAt)} ms, all left and told in ${Math.round(performance.now() - talkedAt)} ms`)
  }
  await eventually(async () => { assert.ok(connectionsTo(pid, server.endpoint) <= PUSHERS * 50, `${connectionsTo(pid, server.endpoint)} connections are left`) })
  t.diagnostic(`memory before, in and after each round: ${memory.join(', ')} MiB`)
  const [, , afterFirst = 0, , afterSecond = 0] = memory
  assert.ok(afterSecond < afterFirst * 1.3 + 30, `memory after each round: ${afterFirst}, ${afterSecond} MiB`)
  assert.doesNotMatch(server.stderr(), /"level":(?:"error"|"fatal"|50|60)/)
})
