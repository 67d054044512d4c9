// Extensions and telemetry as values: limits at their edges, events before anybody asked.

import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import { EXTENSIONS_MAX, TELEMETRY_QUEUE_BYTES_MAX } from '../limits.ts'
import { createExtensions } from './extensions.ts'
import { createTelemetry } from './telemetry.ts'

const make = (external: string[] = []) => createExtensions({
  external, random: systemRandom, function: { functionName: 'f', functionVersion: '1', handler: 'h', accountId: '000000000000' }, onProgress: () => {}, onFault: () => {},
})
const events = (...names: string[]) => Buffer.from(JSON.stringify({ events: names }))

test('there are at most ten extensions', () => {
  const extensions = make(['external'])
  for (let n = 1; n < EXTENSIONS_MAX; n++) assert.equal(extensions.register(`e${n}`, events('INVOKE'), undefined).status, 200)
  // Source: AWS's runtime interface emulator.
  assert.deepEqual(extensions.register('more', events(), undefined), { status: 403, body: { errorMessage: 'Extension limit (10) reached', errorType: 'Extension.TooManyExtensions' } })
  assert.deepEqual(extensions.register('e1', events(), undefined).body, { errorMessage: 'Extension with this name already registered', errorType: 'Extension.InvalidExtensionState' })
  assert.equal(extensions.register('external', events('SHUTDOWN'), undefined).status, 200)
})

test('an event that comes before an extension asks waits for it', async () => {
  const extensions = make(['e'])
  assert.equal(extensions.isWaitingForRegistrations, true)
  const { headers } = extensions.register('e', events('INVOKE'), undefined)
  assert.deepEqual([extensions.isWaitingForRegistrations, extensions.areReady], [false, false])
  const id = headers!['Lambda-Extension-Identifier']
  extensions.invoke({ n: 1 })
  const first = await extensions.next(id, new AbortController().signal)
  assert.deepEqual(first!.body, { n: 1 })
  const gone = new AbortController()
  const waiting = extensions.next(id, gone.signal)
  assert.equal(extensions.areReady, true)
  gone.abort()
  assert.equal(await waiting, undefined)
  extensions.invoke({ n: 2 })
  assert.deepEqual((await extensions.next(id, new AbortController().signal))!.body, { n: 2 })
})

test('telemetry that nobody takes is dropped beyond a limit, and the extension is told how much', async (t) => {
  let taken: any[] = []
  const server = createServer((request: IncomingMessage, response) => {
    void buffer(request).then((body) => {
      taken = [...taken, ...JSON.parse(body.toString()) as unknown[]]
      response.end()
    })
  }).listen(0, '127.0.0.1')
  await new Promise((done) => { server.once('listening', done) })
  t.after(() => { server.close() })
  const telemetry = createTelemetry({ clock: { ...systemClock, sleep: () => new Promise(() => {}) }, hasExtensions: false })
  const subscribe = (changes: object) => telemetry.subscribe('e', 'telemetry', Buffer.from(JSON.stringify({
    types: ['function'], buffering: { maxBytes: 1_048_576, maxItems: 10_000 }, destination: { protocol: 'HTTP', URI: `http://sandbox:${(server.address() as AddressInfo).port}/` }, ...changes,
  })))
  // Source: Lambda developer guide, "Telemetry API", buffering configuration.
  for (const [buffering, status] of [[{ timeoutMs: 24 }, 400], [{ timeoutMs: 25 }, 200], [{ timeoutMs: 30_001 }, 400], [{ maxBytes: 262_143 }, 400], [{ maxItems: 999 }, 400], [{ maxItems: 10_001 }, 400]] as const) {
    assert.equal(subscribe({ buffering }).reply.status, status, JSON.stringify(buffering))
  }
  assert.equal(subscribe({ destination: { protocol: 'HTTP', URI: 'http://example.com/' } }).reply.status, 400)
  assert.equal(subscribe({}).reply.status, 200)
  const record = 'x'.repeat(100_000)
  const one = { time: 't', type: 'function', record }
  const fit = Math.floor(TELEMETRY_QUEUE_BYTES_MAX / JSON.stringify(one).length)
  // All in one turn: nothing can be sent meanwhile, but the first batch, which is on its way.
  for (let n = 0; n < 2 * fit; n++) telemetry.publish('function', one)
  while (!taken.some(({ type }) => type === 'platform.logsDropped')) {
    await telemetry.flush()
    telemetry.publish('function', { time: 't', type: 'function', record: 'last' })
    await new Promise((done) => { setImmediate(done) })
  }
  const dropped = taken.find(({ type }) => type === 'platform.logsDropped').record
  assert.equal(taken.filter(({ record: text }) => text === record).length + dropped.droppedRecords, 2 * fit)
  assert.ok(dropped.droppedBytes >= dropped.droppedRecords * 100_000)
  telemetry.close()
})
