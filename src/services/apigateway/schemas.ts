// Models: JSON Schema draft 4 with references between the models of one API.

import { errors } from './errors.ts'
import { MODEL_BYTES_MAX } from './limits.ts'
import type { ApiDesign, Model } from './model.ts'

/** The two models of an API that was created, not imported. Observed: AWS, 15-04-2024, recorded by localstack's test_model_lifecycle. */
export function defaultModels(newId: () => string): Record<string, Model> {
  const $schema = 'http://json-schema.org/draft-04/schema#'
  const model = (name: string, description: string, schema: object): Model =>
    ({ id: newId(), name, description, contentType: 'application/json', schema: JSON.stringify(schema, null, 2) })
  return {
    Empty: model('Empty', 'This is a default empty schema model', { $schema, title: 'Empty Schema', type: 'object' }),
    Error: model('Error', 'This is a default error schema model', {
      $schema, title: 'Error Schema', type: 'object', properties: { message: { type: 'string' } },
    }),
  }
}

/** How a schema refers to another model of its API. Source: API Gateway developer guide, "Data models for REST APIs". */
export const modelUrl = (apiId: string, name: string): string => `https://apigateway.amazonaws.com/restapis/${apiId}/models/${name}`

/** The model that a reference names, if it has the form of `modelUrl`. */
export function modelOfUrl(ref: string): string | undefined {
  return /^https:\/\/apigateway\.amazonaws\.com\/restapis\/[a-z0-9]+\/models\/([a-zA-Z0-9]+)$/.exec(ref)?.[1]
}

/** Observed: AWS, 15-04-2024, recorded by localstack's test_model_validation (the empty name); Source: API Gateway developer guide, known issues. */
export function modelName(name: string): string {
  if (name === '') throw errors.BadRequestException('Model name must be non-empty')
  if (!/^[a-zA-Z0-9]+$/.test(name)) throw errors.BadRequestException(`Model name must be alphanumeric: ${name}`)
  return name
}

/** A schema that a client sent, or the refusal. Only JSON content is looked into. */
export function schemaText(schema: string | undefined, contentType: string): string {
  if (schema === undefined || schema === '') {
    throw errors.BadRequestException('Model schema must have at least 1 property or array items defined')
  }
  if (Buffer.byteLength(schema) > MODEL_BYTES_MAX) throw errors.BadRequestException(`Model schema cannot be larger than ${MODEL_BYTES_MAX} bytes`)
  if (!contentType.includes('json')) return schema
  let parsed: unknown
  try {
    parsed = JSON.parse(schema)
  } catch {
    throw invalidModel('Invalid model schema specified')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw invalidModel('Invalid model schema specified')
  for (const ref of referencesIn(parsed)) {
    if (!ref.startsWith('#') && modelOfUrl(ref) === undefined) throw invalidModel('Model reference must be in canonical form')
  }
  return schema
}

/** Seen in reports of refused imports. */
export const invalidModel = (fault: string) =>
  errors.BadRequestException(`Invalid model specified: Validation Result: warnings : [], errors : [${fault}]`)

/** Every `$ref` below a schema. */
export function referencesIn(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(referencesIn)
  if (typeof schema !== 'object' || schema === null) return []
  return Object.entries(schema).flatMap(([key, value]) => key === '$ref' && typeof value === 'string' ? [value] : referencesIn(value))
}

/** The schema with every model that it refers to, directly or not, below `definitions`. Source: API Gateway API reference, GetModel, `flatten`. */
export function flattened({ schema }: Model, { models }: ApiDesign): string | undefined {
  if (schema === undefined) return undefined
  const definitions: Record<string, unknown> = {}
  const root = localize(JSON.parse(schema) as object)
  return JSON.stringify(Object.keys(definitions).length === 0 ? root : { ...root, definitions })

  function localize<Value>(value: Value): Value {
    return JSON.parse(JSON.stringify(value, (key, inner: unknown) => {
      const name = key === '$ref' && typeof inner === 'string' ? modelOfUrl(inner) : undefined
      if (name === undefined) return inner
      if (!(name in definitions)) {
        definitions[name] = {}
        definitions[name] = localize(JSON.parse(models[name]?.schema ?? '{}'))
      }
      return `#/definitions/${name}`
    })) as Value
  }
}
