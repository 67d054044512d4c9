// Judges request bodies by an API's models: JSON Schema draft 4, with references between models.

import { createRequire } from 'node:module'
import type Ajv from 'ajv-draft-04'
import type { ValidateFunction } from 'ajv-draft-04'

/** Loaded with the first model: most processes never need it. */
const load = createRequire(import.meta.url)

/** By name. */
type Models = Readonly<Record<string, { readonly name: string, readonly schema?: string | undefined }>>

/** What a body violates, in one text, or undefined when it is fine. */
export type BodyValidator = (body: unknown) => string | undefined

/** Schemas with more `$ref`s into each other than any API has are still only compiled once. */
const modelUrl = (name: string) => `https://apigateway.amazonaws.com/restapis/api/models/${name}`
/** The id in a reference is whatever API the file was written for; models are looked up in their own API. */
const modelReference = /https:\/\/apigateway\.amazonaws\.com\/restapis\/[^/"]+\/models\//g

/**
 * Compiles the models of an API on demand, each once. A model that is missing or no schema lets no body pass.
 * Source: API Gateway developer guide, "Data models for REST APIs" (draft 4) and "Request validation for REST APIs".
 */
export function compileBodyValidators({ models }: { models: Models }): (model: string) => BodyValidator {
  let ajv: InstanceType<typeof Ajv.default> | undefined
  const compiled = new Map<string, BodyValidator>()
  return (name) => {
    ajv ??= loadModels(models)
    let validator = compiled.get(name)
    if (!validator) compiled.set(name, validator = compileModel(ajv, name))
    return validator
  }
}

function loadModels(models: Models): InstanceType<typeof Ajv.default> {
  const { default: AjvDraft4 } = load('ajv-draft-04') as { default: typeof Ajv.default }
  const ajv = new AjvDraft4({ strict: false, logger: false, validateFormats: false, addUsedSchema: false })
  for (const model of Object.values(models)) {
    try {
      const schema: unknown = JSON.parse((model.schema ?? '').replaceAll(modelReference, modelUrl('')))
      if (typeof schema === 'object' && schema !== null) ajv.addSchema({ ...schema, id: modelUrl(model.name) }, modelUrl(model.name))
    } catch {
      // A model that is no schema is as good as missing.
    }
  }
  return ajv
}

function compileModel(ajv: InstanceType<typeof Ajv.default>, name: string): BodyValidator {
  let validate: ValidateFunction | undefined
  let fault = `the model ${name} is missing or no schema`
  try {
    validate = ajv.getSchema(modelUrl(name))
  } catch (error) {
    fault = (error as Error).message
  }
  if (!validate) return () => fault
  const found = validate
  return (body) => (found(body) ? undefined : `[${ajv.errorsText(found.errors, { dataVar: 'object' })}]`)
}
