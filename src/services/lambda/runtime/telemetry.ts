// The Telemetry API and its predecessor, the Logs API: extensions are sent what the platform, the function and they themselves say.
// Source: Lambda developer guide, "Accessing real-time telemetry data for extensions using the Telemetry API" and "Lambda Logs API".

import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Clock } from '#lib/clock.ts'
import { TELEMETRY_QUEUE_BYTES_MAX } from '../limits.ts'
import type { TelemetryEvent } from './platform-log.ts'
import type { Reply } from './runtime-server.ts'

type TelemetryType = 'platform' | 'function' | 'extension'

interface Subscription {
  name: string
  types: readonly TelemetryType[]
  api: 'telemetry' | 'logs'
  destination: { protocol: 'HTTP' | 'TCP', port: number, path: string, method: 'POST' | 'PUT' }
  buffering: { itemsMax: number, bytesMax: number, waitMs: number }
  queue: string[]
  bytes: number
  dropped: { records: number, bytes: number }
  sending: Promise<void> | undefined
  isWaiting: boolean
  socket?: Socket | undefined
}

export interface Telemetry {
  subscribe(name: string, api: 'telemetry' | 'logs', body: Buffer): { reply: Reply, types?: readonly TelemetryType[] }
  publish(type: TelemetryType, event: TelemetryEvent): void
  /** Sends what waits, for at most as long as `signal` lets it. */
  flush(): Promise<void>
  close(): void
  /** Whether anything is to be published: there are subscribers, or the start is under way and there may be. */
  readonly isUsed: boolean
  /** Nobody subscribes any more. */
  endStart(): void
}

/** Source: the guide, "Buffering configuration": smallest, default and largest. */
const buffers = { maxItems: [1_000, 10_000, 10_000], maxBytes: [262_144, 262_144, 1_048_576], timeoutMs: [25, 1_000, 30_000] } as const
const DELIVERY_MS_MAX = 2_000
const earlyEventsMax = 1_000
const types = new Set(['platform', 'function', 'extension'])
const invalid = (errorMessage: string): { reply: Reply } => ({ reply: { status: 400, body: { errorType: 'ValidationError', errorMessage } } })

/** `hasExtensions` keeps what is said during the start for those who subscribe later. */
export function createTelemetry({ clock, hasExtensions }: { clock: Clock, hasExtensions: boolean }): Telemetry {
  const subscriptions = new Map<string, Subscription>()
  let early: { type: TelemetryType, event: TelemetryEvent }[] | undefined = hasExtensions ? [] : undefined
  const closed = new AbortController()

  function enqueue(subscription: Subscription, event: TelemetryEvent): void {
    const text = JSON.stringify(subscription.api === 'logs' ? inLogsSchema(event) : event)
    if (subscription.bytes + text.length > TELEMETRY_QUEUE_BYTES_MAX) {
      subscription.dropped.records++
      subscription.dropped.bytes += text.length
      return
    }
    subscription.queue.push(text)
    subscription.bytes += text.length
    const { buffering } = subscription
    if (subscription.queue.length >= buffering.itemsMax || subscription.bytes >= buffering.bytesMax) void send(subscription)
    else void sendLater(subscription)
  }

  async function sendLater(subscription: Subscription): Promise<void> {
    if (subscription.isWaiting) return
    subscription.isWaiting = true
    await clock.sleep(subscription.buffering.waitMs, closed.signal)
    subscription.isWaiting = false
    await send(subscription)
  }

  async function send(subscription: Subscription): Promise<void> {
    while (subscription.sending) await subscription.sending
    if (subscription.queue.length === 0) return
    const batch = subscription.queue.splice(0)
    subscription.bytes = 0
    const { dropped } = subscription
    if (dropped.records > 0) {
      batch.push(JSON.stringify({
        time: new Date(clock.now()).toISOString(), type: 'platform.logsDropped',
        record: { reason: 'The extension took its telemetry too slowly.', droppedRecords: dropped.records, droppedBytes: dropped.bytes },
      }))
      subscription.dropped = { records: 0, bytes: 0 }
    }
    subscription.sending = deliver(subscription, batch).catch(() => {})
    await subscription.sending
    subscription.sending = undefined
  }

  return {
    get isUsed() { return subscriptions.size > 0 || early !== undefined },
    endStart() { early = undefined },
    subscribe(name, api, body) {
      const read = subscriptionOf(name, api, body)
      if ('reply' in read) return read
      const known = subscriptions.get(name)
      // Source: the guide: after one of the two, the other one is refused.
      if (known && known.api !== api) return invalid(`The extension is already subscribed to the ${known.api === 'logs' ? 'Logs' : 'Telemetry'} API.`)
      const subscription = { ...read, ...(known && { queue: known.queue, bytes: known.bytes }) }
      subscriptions.set(name, subscription)
      if (!known) for (const { type, event } of early ?? []) if (subscription.types.includes(type)) enqueue(subscription, event)
      return { reply: { status: 200, body: 'OK' }, types: read.types }
    },
    publish(type, event) {
      if (early !== undefined && early.length < earlyEventsMax) early.push({ type, event })
      for (const subscription of subscriptions.values()) if (subscription.types.includes(type)) enqueue(subscription, event)
    },
    async flush() { await Promise.all([...subscriptions.values()].map(send)) },
    close() {
      closed.abort('closed')
      for (const { socket } of subscriptions.values()) socket?.destroy()
    },
  }
}

function subscriptionOf(name: string, api: 'telemetry' | 'logs', body: Buffer): Subscription | { reply: Reply } {
  let asked: { types?: unknown, buffering?: Record<string, unknown>, destination?: Record<string, unknown> }
  try {
    asked = JSON.parse(body.toString('utf8')) as typeof asked
  } catch {
    return invalid('The request is not JSON.')
  }
  if (typeof asked !== 'object' || asked === null) return invalid('The request is not a JSON object.')
  if (!Array.isArray(asked.types) || asked.types.length === 0 || !asked.types.every((type) => types.has(String(type)))) return invalid('types must name some of platform, function and extension.')
  const destination = destinationOf(asked.destination)
  if (destination === undefined) return invalid('The destination must be HTTP with a URI on sandbox.localdomain, or TCP with a port.')
  const sizes: number[] = []
  for (const [field, [smallest, usual, largest]] of Object.entries(buffers)) {
    const value = asked.buffering?.[field] ?? usual
    if (typeof value !== 'number' || value < smallest || value > largest) return invalid(`buffering.${field} must be from ${smallest} to ${largest}.`)
    sizes.push(value)
  }
  const [itemsMax, bytesMax, waitMs] = sizes as [number, number, number]
  return {
    name, api, types: asked.types as TelemetryType[], destination, buffering: { itemsMax, bytesMax, waitMs },
    queue: [], bytes: 0, dropped: { records: 0, bytes: 0 }, sending: undefined, isWaiting: false,
  }
}

/** Only the environment itself can be a destination: whatever its host is called, the connection goes to loopback. */
function destinationOf(asked: Record<string, unknown> | undefined): Subscription['destination'] | undefined {
  const protocol = asked?.protocol
  if (protocol === 'TCP' && Number.isInteger(asked?.port)) return { protocol, port: Number(asked!.port), path: '/', method: 'POST' }
  if (protocol !== 'HTTP' || typeof asked?.URI !== 'string' || !URL.canParse(asked.URI)) return undefined
  const { protocol: scheme, hostname, port, pathname, search } = new URL(asked.URI)
  if (scheme !== 'http:' || !['sandbox', 'sandbox.localdomain', 'localhost', '127.0.0.1'].includes(hostname)) return undefined
  return { protocol, port: Number(port || 80), path: `${pathname}${search}`, method: asked.method === 'PUT' ? 'PUT' : 'POST' }
}

function deliver(subscription: Subscription, batch: readonly string[]): Promise<void> {
  const { protocol, port, path, method } = subscription.destination
  return new Promise((resolve, reject) => {
    if (protocol === 'TCP') {
      subscription.socket ??= connect({ host: '127.0.0.1', port, timeout: DELIVERY_MS_MAX })
        .unref()
        .on('error', (error) => {
          subscription.socket = undefined
          reject(error)
        })
      subscription.socket.write(batch.map((event) => `${event}\n`).join(''), () => { resolve() })
      return
    }
    const body = Buffer.from(`[${batch.join(',')}]`)
    const outgoing = request({ host: '127.0.0.1', port, path, method, timeout: DELIVERY_MS_MAX, headers: { 'Content-Type': 'application/json', 'Content-Length': body.length, Host: 'sandbox.localdomain' } }, (response) => {
      response.resume()
      response.on('end', resolve)
      response.on('error', reject)
    })
    outgoing.on('timeout', () => { outgoing.destroy(new Error('the extension did not take its telemetry in time')) })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** The Logs API has fewer members. Source: Lambda developer guide, "Lambda Logs API", message types. */
function inLogsSchema({ time, type, record }: TelemetryEvent): TelemetryEvent {
  const { requestId, version, status, metrics } = record as Record<string, unknown>
  switch (type) {
    case 'platform.start': return { time, type, record: { requestId, version } }
    case 'platform.runtimeDone': return { time, type, record: { requestId, status } }
    case 'platform.report': return { time, type, record: { metrics, requestId } }
    default: return { time, type, record }
  }
}
