// Event streams: an answer that is many messages, one frame each. Source: "Event stream encoding" in AWS's service guides; Smithy, "Event streams".

import { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import type { ServiceModel, Shape } from '../model.ts'
import type { JsonCodec } from './json-codec.ts'

/** The media type of such an answer. */
export const EVENT_STREAM = 'application/vnd.amazon.eventstream'

/** The bytes of an event: `{ PayloadChunk: { Payload: … } }`. */
export type WriteEvent = (event: Readonly<Record<string, unknown>>) => Buffer

/** Source: Amazon Transcribe developer guide, "Event stream encoding": lengths and their checksum, and the checksum of it all. */
const preludeBytes = 12
const checksumBytes = 4
const stringHeader = 7

/** A frame: its headers are strings, in the order given. */
export function writeFrame(headers: readonly (readonly [name: string, value: string])[], payload: Buffer): Buffer {
  const encoded = headers.map(([name, value]) => ({ name: Buffer.from(name), value: Buffer.from(value) }))
  const headerBytes = encoded.reduce((bytes, { name, value }) => bytes + 1 + name.length + 1 + 2 + value.length, 0)
  const frame = Buffer.allocUnsafe(preludeBytes + headerBytes + payload.length + checksumBytes)
  frame.writeUInt32BE(frame.length, 0)
  frame.writeUInt32BE(headerBytes, 4)
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8)
  let at = preludeBytes
  for (const { name, value } of encoded) {
    at = frame.writeUInt8(name.length, at)
    at += name.copy(frame, at)
    at = frame.writeUInt8(stringHeader, at)
    at = frame.writeUInt16BE(value.length, at)
    at += value.copy(frame, at)
  }
  at += payload.copy(frame, at)
  frame.writeUInt32BE(crc32(frame.subarray(0, at)), at)
  return frame
}

/** Writes the events of a stream's union: the payload member's bytes as they are, other members as JSON. */
export function eventWriter(model: ServiceModel, codec: JsonCodec, stream: Shape): WriteEvent {
  const writers = new Map(Object.entries(stream.members ?? {}).map(([name, ref]) => {
    const shape = model.shape(ref)
    const payload = Object.entries(shape.members ?? {}).find(([, member]) => member.eventpayload)?.[0]
    const encode = codec.encoder(ref)
    const contentType = payload === undefined ? 'application/json' : 'application/octet-stream'
    const headers = [[':event-type', name], [':content-type', contentType], [':message-type', 'event']] as const
    const bytesOf = (value: Record<string, unknown>) => payload === undefined ? Buffer.from(JSON.stringify(encode(value))) : asBuffer(value[payload] as Uint8Array | undefined)
    return [name, (value: Record<string, unknown>) => writeFrame(headers, bytesOf(value))]
  }))
  return (event) => {
    const [name, value] = Object.entries(event)[0]!
    const write = writers.get(name)
    if (!write) throw new Error(`${stream.name} has no event ${name}`)
    return write(value as Record<string, unknown>)
  }
}

/** The body of the answer: made while it is read, so that a slow client slows the source down. */
export function eventStreamOf(events: AsyncIterable<Readonly<Record<string, unknown>>>, write: WriteEvent): Readable {
  async function* frames(): AsyncGenerator<Buffer> {
    for await (const event of events) yield write(event)
  }
  return Readable.from(frames(), { objectMode: false })
}

function asBuffer(bytes: Uint8Array | undefined): Buffer {
  if (bytes === undefined) return Buffer.alloc(0)
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
