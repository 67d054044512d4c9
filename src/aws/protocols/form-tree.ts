// The dotted names of a query-protocol form (`Tags.member.1.Key=a`) as the tree that they describe, and inputs read from it.

import type { ServiceModel, Shape, ShapeRef } from '../model.ts'
import { bytesOf } from './json-codec.ts'
import { wireErrors } from './protocol.ts'
import { parseTimestamp } from './timestamps.ts'

export interface FormNode {
  text?: string
  children?: Map<string, FormNode>
}

/** Deeper than any input of a query service; further parts of a name are ignored. */
const NAME_PARTS_MAX = 32

export function treeOf(form: URLSearchParams): FormNode {
  const root: FormNode = {}
  for (const [name, text] of form) {
    let node = root
    for (const part of name.split('.', NAME_PARTS_MAX)) {
      node.children ??= new Map()
      let child = node.children.get(part)
      if (!child) node.children.set(part, child = {})
      node = child
    }
    // Of two values for one name the first counts.
    node.text ??= text
  }
  return root
}

export type FormReader = (node: FormNode) => unknown

/**
 * A reader for a shape, compiled once. What the form does not mention is undefined.
 *
 * Source: Smithy, "AWS query protocol": lists as `Name.member.N`, maps as `Name.entry.N.key` and `.value`, both without the middle
 * part when flattened; an empty value for a list means an empty list.
 */
export function createFormReaders(model: ServiceModel): (ref: ShapeRef) => FormReader {
  const readers = new Map<string, FormReader>()

  function reader(ref: ShapeRef): FormReader {
    const known = readers.get(ref.shape)
    if (known) return known
    let compiled: FormReader | undefined
    readers.set(ref.shape, (node) => compiled!(node))
    compiled = compile(model.shape(ref))
    readers.set(ref.shape, compiled)
    return compiled
  }

  function compile(shape: Shape): FormReader {
    switch (shape.type) {
      case 'structure': return structureReader(shape)
      case 'list': return listReader(shape, reader(shape.member!))
      case 'map': return mapReader(shape)
      default: return (node) => node.text === undefined ? undefined : scalarOf(shape, node.text)
    }
  }

  function structureReader(shape: Shape): FormReader {
    const members = Object.entries(shape.members ?? {}).map(([name, ref]) => ({ name, wireName: ref.locationName ?? name, ref }))
    return (node) => {
      if (node.text) throw wireErrors.MalformedInput('Unexpected complex element termination')
      const input: Record<string, unknown> = {}
      for (const { name, wireName, ref } of members) {
        const child = node.children?.get(wireName)
        const value = child && reader(ref)(child)
        if (value !== undefined) input[name] = value
      }
      return input
    }
  }

  function listReader(shape: Shape, readElement: FormReader): FormReader {
    return (node) => {
      if (node.text) throw wireErrors.MalformedInput('Unexpected list element termination')
      const held = shape.flattened ? node : node.children?.get(shape.member!.locationName ?? 'member')
      return numbered(held).map(readElement).filter((element) => element !== undefined)
    }
  }

  function mapReader(shape: Shape): FormReader {
    const keyName = shape.key!.locationName ?? 'key'
    const valueName = shape.value!.locationName ?? 'value'
    return (node) => {
      const held = shape.flattened ? node : node.children?.get('entry')
      const entries = numbered(held).map((entry) => {
        const value = entry.children?.get(valueName)
        return [entry.children?.get(keyName)?.text, value && reader(shape.value!)(value)] as const
      })
      // `fromEntries` defines own properties, whatever the keys are.
      return Object.fromEntries(entries.filter(([key, value]) => key !== undefined && value !== undefined))
    }
  }

  return reader
}

/** The children whose names are numbers, in their order; gaps do not matter. */
function numbered(node: FormNode | undefined): FormNode[] {
  const children = [...node?.children ?? []].filter(([name]) => /^\d{1,9}$/.test(name))
  return children.sort(([a], [b]) => Number(a) - Number(b)).map(([, child]) => child)
}

/** Ours: AWS publishes the code of these refusals; the sentence about booleans is recorded, that about numbers is not. */
function scalarOf(shape: Shape, text: string): unknown {
  switch (shape.type) {
    case 'integer':
    case 'long': {
      if (!/^[+-]?\d{1,15}$/.test(text)) throw wireErrors.MalformedInput(`'${text.slice(0, 100)}' is not a valid number`)
      return Number(text)
    }
    case 'float':
    case 'double': {
      const value = Number(text)
      if (text.trim() === '' || !Number.isFinite(value)) throw wireErrors.MalformedInput(`'${text.slice(0, 100)}' is not a valid number`)
      return value
    }
    case 'boolean': {
      if (text === 'true' || text === '1') return true
      if (text === 'false' || text === '0') return false
      throw wireErrors.MalformedInput('boolean must follow xsd1.1 definition')
    }
    case 'timestamp': {
      const at = parseTimestamp(text)
      if (!at) throw wireErrors.MalformedInput('timestamp must follow ISO8601')
      return at
    }
    case 'blob': {
      const bytes = bytesOf(text)
      if (!bytes) throw wireErrors.MalformedInput('blob must be base64-encoded')
      return bytes
    }
    default: return text
  }
}
