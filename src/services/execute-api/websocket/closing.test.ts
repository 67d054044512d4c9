// A server that ends: what becomes of its WebSocket connections, and of what is under way on them.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openSocket, refusedSocket } from '#test/support/web-socket-client.ts'
import { socketSnapshot, startSocketGateway, toApi, type GivenSocketRoutes } from './websocket.testing.ts'

const routes: GivenSocketRoutes = { $connect: {}, $disconnect: {}, $default: { isTwoWay: true } }

/** A gateway whose function does not answer events of one kind before it is let go. */
async function slowIn(t: Parameters<typeof startSocketGateway>[0], eventType: string) {
  const asked = Promise.withResolvers<void>()
  const letGo = Promise.withResolvers<void>()
  const gateway = await startSocketGateway(t, socketSnapshot(routes), { invoke: async ({ payload }) => {
    if (payload.includes(`"eventType":"${eventType}"`)) {
      asked.resolve()
      await letGo.promise
    }
    return { statusCode: 200 }
  } })
  return { ...gateway, asked: asked.promise, letGo: letGo.resolve }
}

describe('a server that ends', () => {
  test('closes its connections with 1001, and has told $disconnect of each when it has ended', async (t) => {
    const gateway = await startSocketGateway(t, socketSnapshot(routes))
    const clients = await Promise.all(Array.from({ length: 5 }, () => openSocket(gateway.url, { headers: toApi })))
    await gateway.close(5_000)
    for (const client of clients) assert.deepEqual(await client.closed, { code: 1001, reason: 'Going away' })
    const ends = gateway.events().filter(({ requestContext }) => requestContext.eventType === 'DISCONNECT').map(({ requestContext }) => [requestContext.disconnectStatusCode, requestContext.disconnectReason])
    assert.deepEqual(ends, Array(5).fill([1001, 'Going away']))
  })

  test('waits for the function that $disconnect is told to', async (t) => {
    const gateway = await slowIn(t, 'DISCONNECT')
    await openSocket(gateway.url, { headers: toApi })
    const closed = gateway.close(5_000)
    await gateway.asked
    gateway.letGo()
    await closed
    assert.deepEqual(gateway.traces.map(({ facts }) => facts.operation), ['api123/prod $connect', 'api123/prod $disconnect'])
  })

  test('waits for messages that are being worked on', async (t) => {
    const gateway = await slowIn(t, 'MESSAGE')
    const client = await openSocket(gateway.url, { headers: toApi })
    client.send('x')
    await gateway.asked
    const closed = gateway.close(5_000)
    await client.closed
    await gateway.settled('$disconnect')
    gateway.letGo()
    await closed
    assert.deepEqual(gateway.traces.map(({ facts }) => [facts.operation, facts.status]), [['api123/prod $connect', 200], ['api123/prod $disconnect', 200], ['api123/prod $default', 200]])
  })

  test('gives up handshakes that $connect has not decided yet, and tells $disconnect of those that it let in', async (t) => {
    const gateway = await slowIn(t, 'CONNECT')
    const refused = refusedSocket(gateway.url, { headers: toApi })
    await gateway.asked
    const closed = gateway.close(5_000)
    gateway.letGo()
    assert.equal((await refused).status, 503)
    await closed
    assert.deepEqual(gateway.events().map(({ requestContext }) => [requestContext.eventType, requestContext.disconnectStatusCode]), [['CONNECT', undefined], ['DISCONNECT', 1006]])
  })

  test('does not wait longer than it was given', async (t) => {
    const gateway = await slowIn(t, 'DISCONNECT')
    await openSocket(gateway.url, { headers: toApi })
    await gateway.close(50)
    assert.equal(gateway.events().length, 2)
    gateway.letGo()
  })
})
