// The schemas of a definition as models: references between them, and names for those that have none.

import { invalidModel, modelUrl } from '../schemas.ts'
import type { Findings } from './findings.ts'
import { isObject, objectOf, textOf, type Definition, type Json, type JsonObject } from './read-definition.ts'

export interface PlannedModel { name: string, description: string | undefined, schema: string }

export interface ModelPlan {
  /** Named ones first, then those of inline schemas. A model that cannot be made is an error among the findings. */
  readonly models: readonly PlannedModel[]
  /** The model for a schema at a method: the one referred to, a new one for an inline schema, or undefined with a warning. */
  modelFor(schema: Json | undefined): string | undefined
}

/** What JSON Schema draft 4 does not have, or what only documents. Source: API Gateway developer guide, known issues and "Data models". */
const droppedKeywords = new Set(['example', 'examples', 'xml', 'externalDocs', 'discriminator', 'readOnly', 'writeOnly', 'deprecated', 'nullable'])

/** Keywords whose members are named by the author. */
const mapKeywords = new Set(['properties', 'patternProperties', 'definitions', 'dependencies'])

export function planModels(
  { format, document }: Definition, { apiId, findings, newModelName }: { apiId: string, findings: Findings, newModelName: () => string },
): ModelPlan {
  const named = format === 'swagger2' ? objectOf(document['definitions']) : objectOf(objectOf(document['components'])['schemas'])
  const base = format === 'swagger2' ? '#/definitions/' : '#/components/schemas/'
  const models: PlannedModel[] = []
  const inline = new Map<string, string>()

  const nameOf = (ref: string): string | undefined => ref.startsWith(base) ? ref.slice(base.length) : undefined

  function convert(value: Json | undefined): Json | undefined {
    if (Array.isArray(value)) return value.map((inner) => convert(inner) ?? null)
    if (!isObject(value)) return value
    if (typeof value['$ref'] === 'string') {
      const name = nameOf(value['$ref'])
      if (name === undefined) throw invalidModel('Model reference must be in canonical form')
      if (!Object.hasOwn(named, name)) findings.warn(`Reference to model '${name}' not found. Ignoring.`)
      return Object.hasOwn(named, name) ? { $ref: modelUrl(apiId, name) } : {}
    }
    return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => {
      if (droppedKeywords.has(key) || key.startsWith('x-')) return []
      if (mapKeywords.has(key) && isObject(inner)) return [[key, convertEach(inner)]]
      // These hold values, not schemas.
      if (key === 'enum' || key === 'default' || key === 'required') return [[key, inner]]
      return [[key, convert(inner)]]
    })) as JsonObject
  }

  const convertEach = (schemas: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, convert(schema)]))

  function add(name: string, schema: Json | undefined): void {
    const text = findings.attempt(`Unable to create model for '${name}'`, () => JSON.stringify(convert(schema) ?? {}))
    if (text !== undefined) models.push({ name, description: textOf(objectOf(schema)['description']), schema: text })
  }

  for (const [name, schema] of Object.entries(named)) add(name, schema)
  return {
    models,
    modelFor(schema) {
      if (!isObject(schema)) return undefined
      const ref = textOf(schema['$ref'])
      if (ref !== undefined) {
        const name = nameOf(ref)
        if (name !== undefined && Object.hasOwn(named, name)) return name
        findings.warn(`Reference to model '${name ?? ref}' not found. Ignoring.`)
        return undefined
      }
      // One model for all places with the same schema.
      const key = JSON.stringify(schema)
      const known = inline.get(key)
      if (known !== undefined) return known
      const name = newModelName()
      inline.set(key, name)
      add(name, schema)
      return name
    },
  }
}
