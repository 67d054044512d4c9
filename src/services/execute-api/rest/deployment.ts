// A deployment made ready to serve: routes, templates, patterns, validators and policy compiled once, at its first request.

import { parsePolicy } from '#aws/policy/parse.ts'
import { compilePolicy } from '#aws/policy/compile.ts'
import type { Policy } from '#aws/policy/document.ts'
import type { Integration, IntegrationResponse, RestApiSnapshot, SnapshotMethod, SnapshotResource } from '#services/apigateway/index.ts'
import { compileJavaPattern, PatternError } from '#lib/java-regex.ts'
import { compileBodyValidators, type BodyValidator } from '../body-validators.ts'
import { compileStoredTemplate, type CompiledTemplate } from '../templates/stored-template.ts'
import { compileAuthorizer, type CompiledAuthorizer } from './authorizers/compile.ts'
import { createRouter, type Router } from './router.ts'

export interface CompiledDeployment {
  snapshot: RestApiSnapshot
  router: Router<CompiledMethod>
  /** The API's resource policy, or why it cannot be understood. */
  policy: Policy | { broken: string } | undefined
  /** By id. */
  authorizers: ReadonlyMap<string, CompiledAuthorizer>
}

export interface CompiledMethod {
  resource: Pick<SnapshotResource, 'id' | 'path'>
  definition: SnapshotMethod
  integration: CompiledIntegration | undefined
  /** By content type; only under a validator that looks at bodies. */
  bodyValidators: ReadonlyMap<string, BodyValidator>
  /** Names of required parameters in the order in which AWS lists them; empty without a validator that looks at them. */
  requiredParameters: readonly RequiredParameter[]
}

export interface RequiredParameter {
  from: 'path' | 'querystring' | 'header'
  name: string
}

export interface CompiledIntegration {
  definition: Integration
  /** By content type. */
  requestTemplates: ReadonlyMap<string, CompiledTemplate>
  /** In the order in which they are tried: by status code. */
  responses: readonly CompiledResponse[]
}

export interface CompiledResponse {
  definition: IntegrationResponse
  /** Undefined on a default response; a pattern that does not compile never matches. */
  pattern: RegExp | undefined
  /** In the order in which they were put. */
  templates: ReadonlyMap<string, CompiledTemplate>
}

/** Compiles everything that requests of a deployment need. */
export function compileDeployment(snapshot: RestApiSnapshot): CompiledDeployment {
  const validators = compileBodyValidators(snapshot)
  const resources = snapshot.resources.map(({ id, path, methods }) => ({
    path,
    methods: new Map(Object.entries(methods).map(([name, method]) => [name, compileMethod({ id, path }, method, validators)])),
  }))
  const authorizers = new Map(Object.entries(snapshot.authorizers ?? {}).map(([id, authorizer]) => [id, compileAuthorizer(authorizer)]))
  return { snapshot, router: createRouter(resources), policy: compileResourcePolicy(snapshot), authorizers }
}

function compileMethod(
  resource: CompiledMethod['resource'],
  definition: SnapshotMethod,
  validatorOf: (model: string) => BodyValidator,
): CompiledMethod {
  const { requestValidator, requestModels = {}, requestParameters = {}, methodIntegration } = definition
  const models = requestValidator?.validateRequestBody ? Object.entries(requestModels) : []
  return {
    resource,
    definition,
    integration: methodIntegration && compileIntegration(methodIntegration, `${definition.httpMethod} ${resource.path}`),
    bodyValidators: new Map(models.map(([contentType, model]) => [contentType.toLowerCase(), validatorOf(model)])),
    requiredParameters: requestValidator?.validateRequestParameters ? requiredOf(requestParameters) : [],
  }
}

/** Observed: AWS, 10-01-2024, recorded by localstack's test_api_gateway_request_validator: headers, then path, then query string. */
function requiredOf(parameters: Readonly<Record<string, boolean>>): RequiredParameter[] {
  return Object.keys(parameters).filter((key) => parameters[key]).toSorted().flatMap((key) => {
    const match = /^method\.request\.(path|querystring|header)\.(.+)$/.exec(key)
    return match ? [{ from: match[1] as RequiredParameter['from'], name: match[2]! }] : []
  })
}

function compileIntegration(definition: Integration, method: string): CompiledIntegration {
  const responses = Object.values(definition.integrationResponses ?? {}).toSorted((a, b) => Number(a.statusCode) - Number(b.statusCode))
  return {
    definition,
    requestTemplates: compileTemplates(definition.requestTemplates, `request template of ${method}`),
    responses: responses.map((response) => ({
      definition: response,
      pattern: response.selectionPattern ? compilePattern(response.selectionPattern) : undefined,
      templates: compileTemplates(response.responseTemplates, `response template of ${method}, status ${response.statusCode}`),
    })),
  }
}

function compileTemplates(templates: Readonly<Record<string, string>> | undefined, name: string): Map<string, CompiledTemplate> {
  return new Map(Object.entries(templates ?? {}).map(([contentType, text]) =>
    [contentType.toLowerCase(), compileStoredTemplate(text, `${name} (${contentType})`)]))
}

/** Java's `matches`: the pattern must cover the whole text. */
function compilePattern(pattern: string): RegExp {
  try {
    return compileJavaPattern(pattern, 'whole text')
  } catch (error) {
    if (error instanceof PatternError) return /(?!)/
    throw error
  }
}

/** Short resources (`execute-api:/stage/GET/path`) are completed with the API's own ARN, as API Gateway does when a policy is attached. */
function compileResourcePolicy({ policy, region, accountId, apiId }: RestApiSnapshot): CompiledDeployment['policy'] {
  if (policy === undefined || policy === '') return undefined
  try {
    const completed = policy.replaceAll('"execute-api:/', `"arn:aws:execute-api:${region}:${accountId}:${apiId}/`)
    return compilePolicy(parsePolicy(completed, 'resource'), `resource policy of API ${apiId}`)
  } catch (error) {
    return { broken: (error as Error).message }
  }
}
