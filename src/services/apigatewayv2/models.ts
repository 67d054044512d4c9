// Models of WebSocket APIs: JSON Schemas by name.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { textOf } from './api-settings.ts'
import { editApi, readApi, type Caller, type Input } from './edit.ts'
import { errors, missing, tooMany } from './errors.ts'
import { newId } from './ids.ts'
import type { ApiGatewayV2 } from './index.ts'
import { MODELS_PER_API_MAX } from './limits.ts'
import { templateOf } from './model-template.ts'
import type { ApiDesign, Model } from './model.ts'
import { own } from './own.ts'
import { pageOf } from './pages.ts'

/** Characters. Source: API Gateway v2 API reference, CreateModel, `schema` and `name`. */
const SCHEMA_CHARACTERS_MAX = 32_768
const NAME_CHARACTERS_MAX = 128

export function createModel({ ApiId, ...request }: Input<sdk.CreateModelRequest>, call: Caller, gateway: ApiGatewayV2): Promise<sdk.CreateModelResponse> {
  return editApi(gateway, call, ApiId, ({ settings, design }) => {
    // Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-model-websocket-only.
    if (settings.protocolType === 'HTTP') throw errors.BadRequestException('Currently, Models are not permitted for APIs with a protocol type of HTTP')
    const model: Model = {
      modelId: newId(gateway.random),
      name: modelName(request.Name),
      contentType: request.ContentType || undefined,
      description: textOf(request.Description, 1024, 'description'),
      schema: schemaText(request.Schema),
    }
    requireFreeName(design, model)
    if (Object.keys(design.models).length >= MODELS_PER_API_MAX) throw tooMany('Models')
    design.models[model.modelId] = model
    return describeModel(model)
  })
}

export async function getModel({ ApiId, ModelId }: Input<sdk.GetModelRequest>, call: Caller, gateway: ApiGatewayV2): Promise<sdk.GetModelResponse> {
  const { design } = await readApi(gateway, call, ApiId)
  return describeModel(requireModel(design, ModelId))
}

export async function getModels({ ApiId, ...page }: Input<sdk.GetModelsRequest>, call: Caller, gateway: ApiGatewayV2): Promise<sdk.GetModelsResponse> {
  const { design } = await readApi(gateway, call, ApiId)
  const { Items, NextToken } = pageOf(Object.values(design.models), ({ modelId }) => modelId, page)
  return { Items: Items.map(describeModel), NextToken }
}

/** A mapping template that makes what the model describes. */
export async function getModelTemplate(
  { ApiId, ModelId }: Input<sdk.GetModelTemplateRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.GetModelTemplateResponse> {
  const { design } = await readApi(gateway, call, ApiId)
  return { Value: templateOf(JSON.parse(requireModel(design, ModelId).schema)) }
}

export function updateModel(
  { ApiId, ModelId, ...request }: Input<sdk.UpdateModelRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.UpdateModelResponse> {
  return editApi(gateway, call, ApiId, ({ design }) => {
    const model = requireModel(design, ModelId)
    const changed: Model = {
      ...model,
      name: request.Name === undefined ? model.name : modelName(request.Name),
      contentType: request.ContentType === undefined ? model.contentType : request.ContentType || undefined,
      description: request.Description === undefined ? model.description : textOf(request.Description, 1024, 'description'),
      schema: request.Schema === undefined ? model.schema : schemaText(request.Schema),
    }
    requireFreeName(design, changed)
    design.models[ModelId] = changed
    return describeModel(changed)
  })
}

/** Ours: the words about one in use. */
export function deleteModel({ ApiId, ModelId }: Input<sdk.DeleteModelRequest>, call: Caller, gateway: ApiGatewayV2): Promise<void> {
  return editApi(gateway, call, ApiId, ({ design }) => {
    const { name } = requireModel(design, ModelId)
    const users = Object.values(design.routes).filter(({ requestModels, routeResponses }) =>
      [requestModels, ...Object.values(routeResponses).map(({ responseModels }) => responseModels)].some((models) => Object.values(models ?? {}).includes(name)))
    if (users.length > 0) {
      throw errors.ConflictException(`Cannot delete Model because it is referenced by the following Routes with Ids: [${users.map(({ routeId }) => routeId).join(', ')}]`)
    }
    delete design.models[ModelId]
  })
}

/** Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-model-name-alphanumeric. */
function modelName(name: string | undefined): string {
  if (name === undefined || !/^[a-zA-Z0-9]+$/.test(name) || name.length > NAME_CHARACTERS_MAX) {
    throw errors.BadRequestException(`Model name must be alphanumeric: ${name ?? null}`)
  }
  return name
}

/** Ours: the words, which are REST APIs'. */
function schemaText(schema: string | undefined): string {
  if (schema === undefined || schema === '') throw errors.BadRequestException('Model schema must have at least 1 property or array items defined')
  if (schema.length > SCHEMA_CHARACTERS_MAX) throw errors.BadRequestException(`Model schema cannot be longer than ${SCHEMA_CHARACTERS_MAX} characters`)
  let parsed: unknown
  try {
    parsed = JSON.parse(schema)
  } catch {
    throw invalidSchema()
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw invalidSchema()
  return schema
}

const invalidSchema = () =>
  errors.BadRequestException('Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]')

/** Ours: the words; AWS answers 409, as its reference says of CreateModel. */
function requireFreeName({ models }: ApiDesign, { modelId, name }: Model): void {
  if (Object.values(models).some((other) => other.name === name && other.modelId !== modelId)) {
    throw errors.ConflictException(`Model with name ${name} already exists for this API`)
  }
}

function requireModel({ models }: ApiDesign, modelId: string): Model {
  const model = own(models, modelId)
  if (!model) throw missing.model(modelId)
  return model
}

function describeModel({ modelId, name, contentType, description, schema }: Model): sdk.Model {
  return { ContentType: contentType, Description: description, ModelId: modelId, Name: name, Schema: schema }
}
