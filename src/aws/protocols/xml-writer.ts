// Outputs as XML, compiled once per shape: what the query protocol answers.

import type { ServiceModel, Shape, ShapeRef } from '../model.ts'
import { base64 } from './json-codec.ts'
import { formatTimestamp } from './timestamps.ts'

/** Writes a value as an element of a name; nothing for a value that is absent. */
export type XmlWriter = (value: unknown, name: string) => string

export interface XmlWriters {
  element(ref: ShapeRef): XmlWriter
  /** The members of a structure, without an element around them. */
  members(shape: Shape): (value: unknown) => string
}

export function createXmlWriters(model: ServiceModel): XmlWriters {
  const writers = new Map<string, XmlWriter>()

  function element(ref: ShapeRef): XmlWriter {
    const known = writers.get(ref.shape)
    if (known) return known
    let compiled: XmlWriter | undefined
    writers.set(ref.shape, (value, name) => compiled!(value, name))
    compiled = compile(model.shape(ref), ref)
    writers.set(ref.shape, compiled)
    return compiled
  }

  function compile(shape: Shape, ref: ShapeRef): XmlWriter {
    switch (shape.type) {
      case 'structure': {
        const write = members(shape)
        return (value, name) => `<${name}>${write(value)}</${name}>`
      }
      case 'list': {
        const write = element(shape.member!)
        const elementName = shape.member!.locationName ?? 'member'
        if (shape.flattened) return (value, name) => (value as unknown[]).map((one) => write(one, name)).join('')
        return (value, name) => `<${name}>${(value as unknown[]).map((one) => write(one, elementName)).join('')}</${name}>`
      }
      case 'map': {
        const [keyName, valueName] = [shape.key!.locationName ?? 'key', shape.value!.locationName ?? 'value']
        const write = element(shape.value!)
        const entry = ([key, value]: [string, unknown]) => `<${keyName}>${escapeXml(key)}</${keyName}>${write(value, valueName)}`
        if (shape.flattened) return (value, name) => Object.entries(value as object).map((one) => `<${name}>${entry(one)}</${name}>`).join('')
        return (value, name) => `<${name}>${Object.entries(value as object).map((one) => `<entry>${entry(one)}</entry>`).join('')}</${name}>`
      }
      case 'timestamp': {
        const format = ref.timestampFormat ?? shape.timestampFormat ?? 'iso8601'
        return (value, name) => `<${name}>${formatTimestamp(value as Date, format)}</${name}>`
      }
      case 'blob': return (value, name) => `<${name}>${base64(value as Uint8Array)}</${name}>`
      default: return (value, name) => `<${name}>${escapeXml(String(value))}</${name}>`
    }
  }

  function members(shape: Shape): (value: unknown) => string {
    const entries = Object.entries(shape.members ?? {}).map(([name, ref]) => ({ name, wireName: ref.locationName ?? name, write: element(ref) }))
    return (value) => {
      let text = ''
      for (const { name, wireName, write } of entries) {
        const held = (value as Record<string, unknown>)[name]
        if (held !== undefined && held !== null) text += write(held, wireName)
      }
      return text
    }
  }

  return { element, members }
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#13;' }

/** Text for an XML 1.0 document. Characters that it cannot hold, even as references, become U+FFFD. */
export function escapeXml(text: string): string {
  if (!/[&<>"\p{Cc}\uFFFE\uFFFF\p{Cs}]/u.test(text)) return text
  return text.replace(/[&<>"\r]/g, (character) => entities[character]!)
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
}
