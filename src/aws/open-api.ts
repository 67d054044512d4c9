// API definitions as clients send them: Swagger 2.0 or OpenAPI 3.0, JSON or YAML, and how to look into them without trusting them.

import { createRequire } from 'node:module'

/** Whatever an author may have written; every reader below checks what it takes. */
export type Json = string | number | boolean | null | Json[] | JsonObject
export interface JsonObject { [name: string]: Json | undefined }

export interface Definition {
  format: 'swagger2' | 'openapi3'
  document: JsonObject
}

/** Loaded with the first file that is no JSON: most processes never need it. */
const load = createRequire(import.meta.url)

/** How deep a definition may be nested. Ours: it bounds every walk over it. */
const DEPTH_MAX = 200

/** The definition, or undefined when the text is none. */
export function parseDefinition(text: string): Definition | undefined {
  const document = parse(text)
  if (!isObject(document) || isDeeper(document, DEPTH_MAX)) return undefined
  const swagger = String(document['swagger'] ?? '')
  const openapi = String(document['openapi'] ?? '')
  // YAML reads `swagger: 2.0` as the number 2.
  if (swagger === '2.0' || swagger === '2') return { format: 'swagger2', document }
  if (/^3\.0(?:\.\d+)?$/.test(openapi) || openapi === '3') return { format: 'openapi3', document }
  return undefined
}

function parse(text: string): Json | undefined {
  try {
    // JSON is tried first because it is far faster; YAML reads both.
    if (/^\s*[{[]/.test(text)) return JSON.parse(text) as Json
    const { parse: parseYaml } = load('yaml') as typeof import('yaml')
    return parseYaml(text, { prettyErrors: false, logLevel: 'silent' }) as Json
  } catch {
    return undefined
  }
}

/** A document as YAML. */
export function yamlOf(document: JsonObject): string {
  const { stringify } = load('yaml') as typeof import('yaml')
  return stringify(document)
}

function isDeeper(value: Json | undefined, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object, or an empty one for anything else. */
export const objectOf = (value: Json | undefined): JsonObject => isObject(value) ? value : {}

export const listOf = (value: Json | undefined): Json[] => Array.isArray(value) ? value : []

/** A text, number or boolean as text; undefined for anything else and for nothing. */
export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** A map of texts; what is not a text is written as JSON. */
export function textsOf(value: Json | undefined): Record<string, string> | undefined {
  if (!isObject(value)) return undefined
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, textOf(inner) ?? (inner === null ? '' : JSON.stringify(inner))]))
}

/** What `#/…` names inside the document; undefined when nothing is there. */
export function referenced(document: JsonObject, ref: string): Json | undefined {
  return ref.slice(2).split('/').reduce<Json | undefined>((inner, name) => objectOf(inner)[unescapePointer(name)], document)
}

/** Follows `#/…` inside the document, a few times at most; the value itself when it is no reference. */
export function resolved(document: JsonObject, value: Json | undefined): JsonObject {
  let at = value
  for (let hops = 0; hops < 10 && isObject(at) && typeof at['$ref'] === 'string'; hops++) {
    const ref: string = at['$ref']
    if (!ref.startsWith('#/')) return {}
    at = referenced(document, ref)
  }
  return objectOf(at)
}

/** A segment of a reference: percent-encoded, with `~1` for `/`. Source: RFC 6901, sections 4 and 6. */
function unescapePointer(segment: string): string {
  try {
    return decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return segment
  }
}

/** Source: API Gateway developer guide, "Set the OpenAPI basePath property". */
export type BasePathMode = 'ignore' | 'prepend' | 'split'

/** The path parts that stand before every path. Source: as above. */
export function prefixOf(definition: Definition, mode: BasePathMode): string {
  if (mode === 'ignore') return ''
  const parts = basePathOf(definition).split('/').filter((part) => part !== '')
  return (mode === 'split' ? parts.slice(1) : parts).join('/')
}

function basePathOf({ format, document }: Definition): string {
  if (format === 'swagger2') return textOf(document['basePath']) ?? ''
  const servers = listOf(document['servers']).map(objectOf)
  for (const server of servers) {
    const variable = objectOf(objectOf(server['variables'])['basePath'])
    const value = textOf(variable['default'])
    if (value !== undefined) return value
  }
  const url = textOf(servers[0]?.['url']) ?? ''
  return url.replace(/^[a-z]+:\/\/[^/]*/i, '')
}
