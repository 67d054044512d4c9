// Models and request validators: the schemas of bodies, and whether they are checked.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { editApi, readApi, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import { newId } from './ids.ts'
import type { ApiGateway } from './index.ts'
import type { ApiDesign, Model, RequestValidator } from './model.ts'
import { pageOf } from './pages.ts'
import { applyPatches, booleanOf, type PatchRule } from './patch.ts'
import { flattened, modelName, modelOfUrl, referencesIn, schemaText } from './schemas.ts'

export function createModel(
  { restApiId, name, description, contentType, schema }: Input<sdk.CreateModelRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Model> {
  const id = newId(gateway.random)
  return editApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId), ({ design }) => {
    modelName(name)
    if (Object.hasOwn(design.models, name)) throw errors.ConflictException('Model name already exists for this REST API')
    return design.models[name] = { id, name, description: description || undefined, contentType, schema: schemaText(schema, contentType) }
  })
}

/** Without the API AWS misses the model. Observed: AWS, 15-04-2024, recorded by localstack's test_model_validation. */
export async function getModel(
  { restApiId, modelName: name, flatten }: Input<sdk.GetModelRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Model> {
  const { design } = await readApi(gateway, call, restApiId, () => missing.model(name))
  const model = requireModel(design, name)
  return flatten ? { ...model, schema: flattened(model, design) } : model
}

export async function getModels({ restApiId, ...page }: Input<sdk.GetModelsRequest>, call: Caller, gateway: ApiGateway): Promise<sdk.Models> {
  const { design } = await readApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId))
  return pageOf(Object.values(design.models), ({ name }) => name, page)
}

export function updateModel(
  { restApiId, modelName: name, patchOperations }: Input<sdk.UpdateModelRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Model> {
  return editApi(gateway, call, restApiId, () => missing.model(name), ({ design }) => {
    const model = requireModel(design, name)
    applyPatches(model, patchOperations, modelRules, 'listed')
    return model
  })
}

export function deleteModel({ restApiId, modelName: name }: Input<sdk.DeleteModelRequest>, call: Caller, gateway: ApiGateway): Promise<void> {
  return editApi(gateway, call, restApiId, () => missing.model(name), ({ design }) => {
    requireModel(design, name)
    const use = useOf(design, name)
    if (use !== undefined) throw errors.ConflictException(`Cannot delete model '${name}', is referenced in ${use}`)
    delete design.models[name]
  })
}

export function createRequestValidator(
  request: Input<sdk.CreateRequestValidatorRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.RequestValidator> {
  const { restApiId, name = '', validateRequestBody = false, validateRequestParameters = false } = request
  const id = newId(gateway.random)
  // Observed: AWS, 15-04-2024, recorded by localstack's test_validators_crud_no_api.
  return editApi(gateway, call, restApiId, () => errors.BadRequestException('Invalid REST API identifier specified'), ({ design }) =>
    design.requestValidators[id] = { id, name: validatorName(name), validateRequestBody, validateRequestParameters })
}

export async function getRequestValidator(
  { restApiId, requestValidatorId }: Input<sdk.GetRequestValidatorRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.RequestValidator> {
  const { design } = await readApi(gateway, call, restApiId, missing.requestValidator)
  return requireValidator(design, requestValidatorId)
}

export async function getRequestValidators(
  { restApiId, ...page }: Input<sdk.GetRequestValidatorsRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.RequestValidators> {
  const { design } = await readApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId))
  return pageOf(Object.values(design.requestValidators), ({ id }) => id, page)
}

export function updateRequestValidator(
  { restApiId, requestValidatorId, patchOperations }: Input<sdk.UpdateRequestValidatorRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.RequestValidator> {
  return editApi(gateway, call, restApiId, missing.requestValidator, ({ design }) => {
    const validator = requireValidator(design, requestValidatorId)
    applyPatches(validator, patchOperations, validatorRules, 'listed')
    return validator
  })
}

export function deleteRequestValidator(
  { restApiId, requestValidatorId }: Input<sdk.DeleteRequestValidatorRequest>, call: Caller, gateway: ApiGateway,
): Promise<void> {
  return editApi(gateway, call, restApiId, missing.requestValidator, ({ design }) => {
    requireValidator(design, requestValidatorId)
    for (const { path, methods } of Object.values(design.resources)) {
      const user = Object.values(methods).find((method) => method.requestValidatorId === requestValidatorId)
      // Ours: the words.
      if (user) throw errors.ConflictException(`Cannot delete request validator, is referenced in method: ${path}/${user.httpMethod}`)
    }
    delete design.requestValidators[requestValidatorId]
  })
}

function requireModel({ models }: ApiDesign, name: string): Model {
  const model = Object.hasOwn(models, name) ? models[name] : undefined
  if (!model) throw missing.model(name)
  return model
}

function requireValidator({ requestValidators }: ApiDesign, id: string): RequestValidator {
  const validator = Object.hasOwn(requestValidators, id) ? requestValidators[id] : undefined
  if (!validator) throw missing.requestValidator()
  return validator
}

export function validatorName(name: string): string {
  if (name.trim() === '') throw errors.BadRequestException('Request Validator name cannot be blank')
  return name
}

/** Where a model is used, newest resource first. Observed: AWS, 15-04-2024, recorded by localstack's test_put_method_model (method requests). */
function useOf({ resources, models }: ApiDesign, name: string): string | undefined {
  for (const { path, methods } of Object.values(resources).toReversed()) {
    for (const { httpMethod, requestModels, methodResponses } of Object.values(methods)) {
      if (Object.values(requestModels ?? {}).includes(name)) return `method request: ${path}/${httpMethod}`
      const isAnswered = Object.values(methodResponses ?? {}).some(({ responseModels }) => Object.values(responseModels ?? {}).includes(name))
      if (isAnswered) return `method response: ${path}/${httpMethod}`
    }
  }
  const refersToIt = (model: Model) => referencesIn(JSON.parse(model.schema ?? '{}')).some((ref) => modelOfUrl(ref) === name)
  const user = Object.values(models).find((model) => model.name !== name && model.contentType.includes('json') && refersToIt(model))
  return user && `model: ${user.name}`
}

const modelRules: readonly PatchRule<Model>[] = [
  { path: '/description', replace: (model, value) => { model.description = value || undefined } },
  { path: '/schema', replace: (model, value) => { model.schema = schemaText(value, model.contentType) } },
]

const validatorRules: readonly PatchRule<RequestValidator>[] = [
  { path: '/name', replace: (validator, value) => { validator.name = validatorName(value) } },
  { path: '/validateRequestParameters', replace: (validator, value) => { validator.validateRequestParameters = booleanOf(value) } },
  { path: '/validateRequestBody', replace: (validator, value) => { validator.validateRequestBody = booleanOf(value) } },
]
