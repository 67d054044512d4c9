// JSON values to inputs and outputs to JSON values, compiled once per shape. Shared by the two JSON protocols.

import type { ServiceModel, Shape, ShapeRef, TimestampFormat } from '../model.ts'
import { formatTimestamp, parseTimestamp } from './timestamps.ts'
import { isJudgedByService, nestingFault, typeFaultsOf, type TypeFault } from './type-faults.ts'

/** Checks the types of a parsed JSON value and turns it into an input. The value is never null and may be changed in place. */
export type Decode = (value: unknown, depth: number) => unknown
/** Turns an output into a value for `JSON.stringify`. What needs no change is handed back as it is. */
export type Encode = (value: unknown) => unknown

export interface JsonCodec {
  decoder(ref: ShapeRef): Decode
  encoder(ref: ShapeRef): Encode
  /** Of a structure, for those members that `isIncluded` chooses. */
  structureDecoder(shape: Shape, isIncluded: (member: ShapeRef) => boolean): Decode
  structureEncoder(shape: Shape, isIncluded: (member: ShapeRef) => boolean): Encode
}

/** The deepest value that is read. DynamoDB's limit, the highest of a service, is 32 levels of two each. */
const NESTING_MAX = 128

/**
 * The codec of a model. Members that the model does not know are dropped, both ways; null counts as absent.
 *
 * Observed: Athena, 23-09-2026, recorded by athena-local: unknown members and nulls are ignored, also in lists.
 */
export function createJsonCodec(model: ServiceModel): JsonCodec {
  const fault = typeFaultsOf(model)
  const decoders = new Map<string, Decode>()
  const encoders = new Map<string, Encode>()

  function decoder(ref: ShapeRef, isElement = false): Decode {
    const key = `${ref.shape}${isElement ? '[]' : ''}`
    const known = decoders.get(key)
    if (known) return known
    // A shape that contains itself finds this while it is being compiled.
    let compiled: Decode | undefined
    decoders.set(key, (value, depth) => compiled!(value, depth))
    compiled = compileDecoder(model.shape(ref), isElement)
    decoders.set(key, compiled)
    return compiled
  }

  function compileDecoder(shape: Shape, isElement: boolean): Decode {
    switch (shape.type) {
      case 'structure': return structureDecoder(shape, inBody, isElement)
      case 'list': return listDecoder(shape, decoder(shape.member!, true), fault, isElement)
      case 'map': return mapDecoder(shape, decoder(shape.value!, true), fault, isElement)
      default: return scalarDecoder(shape, fault, isElement)
    }
  }

  function structureDecoder(shape: Shape, isIncluded: (member: ShapeRef) => boolean, isElement = false): Decode {
    const chosen = Object.entries(shape.members ?? {}).filter(([, ref]) => isIncluded(ref))
    const byWireName = new Map(chosen.map(([name, ref]) => [ref.locationName ?? name, { name, decode: isJudgedByService(model, shape, name) ? asItCame : decoder(ref) }]))
    const isRenamed = chosen.some(([name, ref]) => ref.locationName !== undefined && ref.locationName !== name)
    return (value, depth) => {
      if (typeof value !== 'object' || Array.isArray(value)) throw fault(value, shape, isElement)
      if (depth > NESTING_MAX) throw nestingFault()
      const given = value as Record<string, unknown>
      const into: Record<string, unknown> = isRenamed ? {} : given
      for (const key in given) {
        const member = byWireName.get(key)
        const held = given[key]
        if (member === undefined || held === null) {
          if (!isRenamed) delete given[key]
          continue
        }
        const decoded = member.decode(held, depth + 1)
        if (isRenamed || decoded !== held) into[member.name] = decoded
      }
      return into
    }
  }

  function encoder(ref: ShapeRef): Encode {
    const key = `${ref.shape} ${ref.timestampFormat ?? ''}`
    const known = encoders.get(key)
    if (known) return known
    let compiled: Encode | undefined
    encoders.set(key, (value) => compiled!(value))
    compiled = compileEncoder(model.shape(ref), ref.timestampFormat)
    encoders.set(key, compiled)
    return compiled
  }

  function compileEncoder(shape: Shape, timestampFormat: TimestampFormat | undefined): Encode {
    switch (shape.type) {
      case 'structure': return structureEncoder(shape, inBody)
      case 'list': return listEncoder(encoder(shape.member!))
      case 'map': return mapEncoder(encoder(shape.value!))
      case 'timestamp': return (value) => formatTimestamp(value as Date, timestampFormat ?? shape.timestampFormat ?? 'unixTimestamp')
      case 'blob': return (value) => base64(value as Uint8Array)
      case 'float':
      case 'double': return (value) => Number.isFinite(value) ? value : String(value)
      default: return same
    }
  }

  function structureEncoder(shape: Shape, isIncluded: (member: ShapeRef) => boolean): Encode {
    const members = new Map<string, { wireName: string, encode: Encode }>()
    for (const [name, ref] of Object.entries(shape.members ?? {})) {
      if (isIncluded(ref)) members.set(name, { wireName: ref.locationName ?? name, encode: encoder(ref) })
    }
    return entriesEncoder((name) => members.get(name))
  }

  return { decoder, encoder, structureDecoder, structureEncoder }
}

const inBody = (member: ShapeRef): boolean => member.location === undefined
const same: Encode = (value) => value
const asItCame: Decode = (value) => value

function listDecoder(shape: Shape, decode: Decode, fault: TypeFault, isElement: boolean): Decode {
  return (value, depth) => {
    if (!Array.isArray(value)) throw fault(value, shape, isElement)
    if (depth > NESTING_MAX) throw nestingFault()
    const elements = value.includes(null) ? value.filter((element) => element !== null) : value
    for (let index = 0; index < elements.length; index++) elements[index] = decode(elements[index], depth + 1)
    return elements
  }
}

function mapDecoder(shape: Shape, decode: Decode, fault: TypeFault, isElement: boolean): Decode {
  return (value, depth) => {
    if (typeof value !== 'object' || Array.isArray(value)) throw fault(value, shape, isElement)
    if (depth > NESTING_MAX) throw nestingFault()
    // Changed in place: `JSON.parse` made every key an own property, `__proto__` too, and writing an own property keeps it one.
    const entries = value as Record<string, unknown>
    for (const key in entries) {
      const held = entries[key]
      if (held === null) {
        delete entries[key]
        continue
      }
      const decoded = decode(held, depth + 1)
      if (decoded !== held) entries[key] = decoded
    }
    return entries
  }
}

function scalarDecoder(shape: Shape, fault: TypeFault, isElement: boolean): Decode {
  const refuse = (value: unknown): never => { throw fault(value, shape, isElement) }
  switch (shape.type) {
    case 'string': return (value) => typeof value === 'string' ? value : refuse(value)
    case 'boolean': return (value) => typeof value === 'boolean' ? value : refuse(value)
    // A fraction is cut off. Observed: Athena, 23-09-2026, recorded by athena-local.
    case 'integer':
    case 'long': return (value) => typeof value === 'number' && Number.isFinite(value) ? Math.trunc(value) : refuse(value)
    case 'float':
    case 'double': return (value) => typeof value === 'number' && Number.isFinite(value) ? value : refuse(value)
    case 'timestamp': return (value) => (typeof value === 'number' || typeof value === 'string' ? parseTimestamp(value) : undefined) ?? refuse(value)
    default: return (value) => (typeof value === 'string' ? bytesOf(value) : undefined) ?? refuse(value)
  }
}

/** The bytes of a base64 text; undefined unless it is padded, of the standard alphabet, and has no stray last bits. */
export function bytesOf(base64Text: string): Buffer | undefined {
  if (base64Text.length % 4 !== 0) return undefined
  const bytes = Buffer.from(base64Text, 'base64')
  const padding = base64Text.endsWith('==') ? 2 : base64Text.endsWith('=') ? 1 : 0
  // Node skips what is not base64 and accepts the URL alphabet; either shows in length or in the last group.
  if (bytes.length !== base64Text.length / 4 * 3 - padding || base64Text.includes('-') || base64Text.includes('_')) return undefined
  const lastGroup = bytes.subarray(bytes.length - (bytes.length % 3 || 3))
  return base64Text.endsWith(lastGroup.toString('base64')) ? bytes : undefined
}

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

function listEncoder(encode: Encode): Encode {
  return (value) => {
    const elements = value as readonly unknown[]
    let changed: unknown[] | undefined
    for (let index = 0; index < elements.length; index++) {
      const encoded = encode(elements[index])
      if (changed === undefined && encoded !== elements[index]) changed = elements.slice(0, index)
      changed?.push(encoded)
    }
    return changed ?? elements
  }
}

function mapEncoder(encode: Encode): Encode {
  // Wire names of map entries are their keys: one object serves for all of them.
  const entry = { wireName: '', encode }
  return entriesEncoder((key) => {
    entry.wireName = key
    return entry
  })
}

/** Encodes an object's entries; `chosen` says how, or that an entry is none of the wire's. */
function entriesEncoder(chosen: (key: string) => { wireName: string, encode: Encode } | undefined): Encode {
  return (value) => {
    const given = value as Record<string, unknown>
    let changed: Record<string, unknown> | undefined
    for (const key in given) {
      const held = given[key]
      const member = held === undefined || held === null ? undefined : chosen(key)
      const wireName = member?.wireName
      const encoded = member?.encode(held)
      if (changed === undefined) {
        if (encoded === held && (wireName === undefined || wireName === key)) continue
        changed = entriesBefore(given, key)
      }
      if (wireName !== undefined) define(changed, wireName, encoded)
    }
    return changed ?? given
  }
}

function entriesBefore(given: Readonly<Record<string, unknown>>, end: string): Record<string, unknown> {
  const entries: Record<string, unknown> = {}
  for (const key in given) {
    if (key === end) return entries
    define(entries, key, given[key])
  }
  return entries
}

/** Sets an own property whatever its name is. */
function define(entries: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(entries, key, { value, enumerable: true, configurable: true, writable: true })
  else entries[key] = value
}
