// The bytes of a definition as a document: Swagger 2.0 or OpenAPI 3.0, JSON or YAML.

import { createRequire } from 'node:module'
import { errors } from '../errors.ts'
import { IMPORT_BODY_BYTES_MAX } from '../limits.ts'
import { unescapeSegment } from '../patch.ts'

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

/** @throws BadRequestException. Observed: AWS, 18-11-2025, recorded by localstack's test_import_api_bad_file (what cannot be read). */
export function readDefinition(body: Uint8Array): Definition {
  if (body.length > IMPORT_BODY_BYTES_MAX) throw errors.BadRequestException(`API definition cannot be larger than ${IMPORT_BODY_BYTES_MAX} bytes`)
  const document = parse(Buffer.from(body).toString('utf8'))
  if (!isObject(document) || isDeeper(document, DEPTH_MAX)) throw invalid()
  const swagger = String(document['swagger'] ?? '')
  const openapi = String(document['openapi'] ?? '')
  // YAML reads `swagger: 2.0` as the number 2.
  if (swagger === '2.0' || swagger === '2') return { format: 'swagger2', document }
  if (/^3\.0(?:\.\d+)?$/.test(openapi) || openapi === '3') return { format: 'openapi3', document }
  throw invalid()
}

const invalid = () => errors.BadRequestException('Invalid OpenAPI input.')

function parse(text: string): Json | undefined {
  try {
    // JSON is tried first because it is far faster; YAML reads both.
    if (/^\s*[{[]/.test(text)) return JSON.parse(text) as Json
    const { parse: parseYaml } = load('yaml') as typeof import('yaml')
    return parseYaml(text, { prettyErrors: false, logLevel: 'silent' }) as Json
  } catch {
    throw invalid()
  }
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

/** Follows `#/…` inside the document, a few times at most; the value itself when it is no reference. */
export function resolved(document: JsonObject, value: Json | undefined): JsonObject {
  let at = value
  for (let hops = 0; hops < 10 && isObject(at) && typeof at['$ref'] === 'string'; hops++) {
    const ref: string = at['$ref']
    if (!ref.startsWith('#/')) return {}
    at = ref.slice(2).split('/').reduce<Json | undefined>((inner, name) => objectOf(inner)[unescapePointer(name)], document)
  }
  return objectOf(at)
}

/** A segment of a reference: percent-encoded, with `~1` for `/`. */
function unescapePointer(segment: string): string {
  try {
    return unescapeSegment(decodeURIComponent(segment))
  } catch {
    return segment
  }
}
