// A plan made real on an API's configuration, merged into what is there or in its place.

import type { Scope } from '#aws/arn.ts'
import { compressionSize, endpoints, policyText } from '../api-settings.ts'
import { addAuthorizer, newAuthorizer } from '../authorizer-rules.ts'
import { addPart } from '../documentation-rules.ts'
import { errors } from '../errors.ts'
import { addGatewayResponse } from '../gateway-responses.ts'
import { functionOf, invalidFunction, newIntegration } from '../integration-rules.ts'
import { addIntegrationResponse } from '../integrations.ts'
import { addMethod, addMethodResponse } from '../methods.ts'
import type { ApiDesign, Resource, RestApi } from '../model.ts'
import { validatorName } from '../models.ts'
import { addResource, findByPath } from '../resource-tree.ts'
import { apiKeySource, emptyDesign } from '../rest-apis.ts'
import { modelName, schemaText } from '../schemas.ts'
import type { Findings } from './findings.ts'
import type { ImportPlan, PlannedMethod } from './plan.ts'

export interface ApplyOptions {
  /** Source: API Gateway developer guide, "Update an existing API definition": merge keeps what the definition does not name. */
  mode: 'merge' | 'overwrite'
  findings: Findings
  newId: () => string
  /** Functions that the plan names and that do not exist. */
  absentFunctions: ReadonlySet<string>
}

/** Changes `api` in place. What cannot be made is an error among the findings. */
export function applyPlan(plan: ImportPlan, api: RestApi, options: ApplyOptions): void {
  const previous = api.design
  // A resource that is at the same path again keeps its id. Observed: AWS, recorded by localstack's test_import_rest_api_with_base_path_oas30.
  const ids = new Map(Object.values(previous.resources).map(({ path, id }) => [path, id]))
  if (options.mode === 'overwrite') api.design = { ...emptyDesign(previous.rootResourceId), documentationParts: plan.documentationParts ? {} : previous.documentationParts }
  applySettings(plan, api, options)
  applyModels(plan, api.design, previous, options)
  applyValidators(plan, api.design, previous, options)
  applyAuthorizers(plan, api.design, previous, options)
  for (const response of plan.gatewayResponses) {
    options.findings.attempt(`Unable to put gateway response '${response.responseType}'`, () => addGatewayResponse(api.design, response))
  }
  for (const part of plan.documentationParts ?? []) addPart(api.design, { ...part, id: options.newId() }, { merges: true })
  for (const path of plan.paths) ensureResource(api.design, path, ids, options)
  for (const planned of plan.methods) {
    const resource = findByPath(api.design, planned.path)
    if (resource) applyMethod(planned, resource, api.design, options)
  }
}

/** The endpoint's type stays, as do tags and, unless the definition has one, the policy. */
function applySettings(plan: ImportPlan, api: RestApi, { mode, findings }: ApplyOptions): void {
  const { settings } = api
  const scope: Scope & { apiId: string } = { accountId: api.accountId, region: api.region, apiId: api.id }
  const isOverwrite = mode === 'overwrite'
  settings.name = plan.name
  settings.description = plan.description ?? (isOverwrite ? undefined : settings.description)
  settings.version = plan.version ?? (isOverwrite ? undefined : settings.version)
  const types = isOverwrite ? plan.binaryMediaTypes ?? [] : [...settings.binaryMediaTypes ?? [], ...plan.binaryMediaTypes ?? []]
  settings.binaryMediaTypes = types.length > 0 ? [...new Set(types)] : undefined
  if (plan.minimumCompressionSize !== undefined || isOverwrite) {
    settings.minimumCompressionSize = findings.attempt('Unable to set the minimum compression size', () => compressionSize(plan.minimumCompressionSize))
  }
  if (plan.apiKeySource !== undefined || isOverwrite) {
    settings.apiKeySource = findings.attempt('Unable to set the API key source', () => apiKeySource(plan.apiKeySource ?? 'HEADER')) ?? 'HEADER'
  }
  if (plan.policy !== undefined) settings.policy = findings.attempt('Unable to set the resource policy', () => policyText(plan.policy, scope))
  if (plan.disableExecuteApiEndpoint !== undefined) settings.disableExecuteApiEndpoint = plan.disableExecuteApiEndpoint
  if (plan.vpcEndpointIds !== undefined) {
    findings.attempt('Unable to set the endpoint configuration', () => {
      settings.endpointConfiguration = endpoints({ ...settings.endpointConfiguration, vpcEndpointIds: plan.vpcEndpointIds })
    })
  }
}

function applyModels({ models }: ImportPlan, design: ApiDesign, previous: ApiDesign, { findings, newId }: ApplyOptions): void {
  for (const { name, description, schema } of models.models) {
    findings.attempt(`Unable to create model for '${name}'`, () => {
      const contentType = 'application/json'
      const id = previous.models[name]?.id ?? newId()
      design.models[modelName(name)] = { id, name, description, contentType, schema: schemaText(schema, contentType) }
    })
  }
}

function applyValidators({ requestValidators }: ImportPlan, design: ApiDesign, previous: ApiDesign, { findings, newId }: ApplyOptions): void {
  for (const validator of requestValidators) {
    findings.attempt(`Unable to create request validator '${validator.name}'`, () => {
      validatorName(validator.name)
      const known = Object.values(previous.requestValidators).find(({ name }) => name === validator.name)
      const id = known?.id ?? newId()
      design.requestValidators[id] = { id, ...validator }
    })
  }
}

/** An authorizer of a name that is there already keeps its id. */
function applyAuthorizers({ authorizers }: ImportPlan, design: ApiDesign, previous: ApiDesign, { findings, newId }: ApplyOptions): void {
  for (const planned of authorizers) {
    findings.attempt(`Unable to create authorizer '${planned.name}'`, () => {
      const known = Object.values(previous.authorizers).find(({ name }) => name === planned.name)
      addAuthorizer(design, newAuthorizer(known?.id ?? newId(), planned))
    })
  }
}

/** Makes a path's resource with those that it stands below. */
function ensureResource(design: ApiDesign, path: string, ids: ReadonlyMap<string, string>, { findings, newId }: ApplyOptions): void {
  let parent: Resource = design.resources[design.rootResourceId]!
  for (const pathPart of path.split('/').filter((part) => part !== '')) {
    const at = `${parent.path === '/' ? '' : parent.path}/${pathPart}`
    const parentId = parent.id
    const next = findByPath(design, at) ?? findings.attempt(`Unable to create resource at path '${at}'`, () =>
      addResource(design, { parentId, pathPart, id: ids.get(at) ?? newId() }))
    if (!next) return
    parent = next
  }
}

/** Puts a method in the place of the one that may be there: of two definitions of a method, the imported one counts whole. */
function applyMethod(planned: PlannedMethod, resource: Resource, design: ApiDesign, { findings, absentFunctions }: ApplyOptions): void {
  const { path, method: { validatorName: validator, authorizerName, ...request }, integration } = planned
  const httpMethod = request.httpMethod ?? ''
  const at = `'${httpMethod}' for resource at path '${path}'`
  delete resource.methods[httpMethod]
  const method = findings.attempt(`Unable to put method '${httpMethod}' on resource at path '${path}'`, () =>
    addMethod(design, resource, { ...request, requestValidatorId: validatorId(design, validator), authorizerId: authorizerId(design, authorizerName) }))
  if (!method) return
  for (const response of planned.responses) {
    findings.attempt(`Unable to put method response '${response.statusCode}' on ${at}`, () => addMethodResponse(design, method, response))
  }
  if (!integration) return
  const put = findings.attempt(`Unable to put integration on ${at}`, () => {
    if (absentFunctions.has(functionOf(integration.uri) ?? '')) throw invalidFunction()
    return method.methodIntegration = newIntegration(resource, method, integration)
  })
  if (!put) return
  for (const response of planned.integrationResponses) {
    findings.attempt(`Unable to put integration response '${response.statusCode}' on ${at}`, () => addIntegrationResponse(method, response))
  }
}

/** The id of an authorizer that was made; without one the method is refused by its own rule. */
function authorizerId({ authorizers }: ApiDesign, wanted: string | undefined): string | undefined {
  return wanted === undefined ? undefined : Object.values(authorizers).find(({ name }) => name === wanted)?.id
}

function validatorId({ requestValidators }: ApiDesign, wanted: string | undefined): string | undefined {
  if (wanted === undefined || wanted === '') return undefined
  const known = Object.values(requestValidators).find(({ name }) => name === wanted)
  if (!known) throw errors.BadRequestException('Invalid Request Validator identifier specified')
  return known.id
}
