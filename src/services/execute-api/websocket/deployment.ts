// A deployment of a WebSocket API made ready to serve: selections, templates, patterns and models compiled once.

import { compileJavaPattern, PatternError } from '#lib/java-regex.ts'
import type { Authorizer, Integration, IntegrationResponse, Model, Route, V2ApiSnapshot } from '#services/apigatewayv2/index.ts'
import { compileBodyValidators, type BodyValidator } from '../body-validators.ts'
import { compileStoredTemplate, type CompiledTemplate } from '../templates/stored-template.ts'
import { compileSelection, DEFAULT_KEY, type Selection } from './selection.ts'

export interface CompiledWebSocketApi {
  snapshot: V2ApiSnapshot
  selectRoute: Selection
  /** By route key. */
  routes: ReadonlyMap<string, CompiledSocketRoute>
}

export interface CompiledSocketRoute {
  routeKey: string
  definition: Route
  integration: CompiledSocketIntegration | undefined
  authorizer: Authorizer | undefined
  /** Whether what the integration answers goes back to the client. */
  isTwoWay: boolean
  /** Selects among `models`; undefined where nothing is validated. */
  selectModel: Selection | undefined
  /** By model selection. */
  models: ReadonlyMap<string, BodyValidator>
  /** Names of parameters that a handshake must bring. */
  requiredParameters: readonly { from: 'header' | 'querystring', name: string }[]
}

export interface CompiledSocketIntegration {
  definition: Integration
  selectTemplate: Selection
  templates: ReadonlyMap<string, CompiledTemplate>
  /** In the order of their keys; the default is apart. */
  responses: readonly CompiledSocketResponse[]
  defaultResponse: CompiledSocketResponse | undefined
}

export interface CompiledSocketResponse {
  definition: IntegrationResponse
  /** Undefined on the default; a pattern that does not compile never matches. */
  pattern: RegExp | undefined
  selectTemplate: Selection
  templates: ReadonlyMap<string, CompiledTemplate>
}

export function compileWebSocketApi(snapshot: V2ApiSnapshot): CompiledWebSocketApi {
  const integrations = new Map(Object.values(snapshot.integrations).map((definition) => [definition.integrationId, compileIntegration(definition)]))
  const validatorOf = compileBodyValidators({ models: modelsByName(snapshot.models) })
  const routes = Object.values(snapshot.routes).map((definition): CompiledSocketRoute => {
    const integration = integrations.get(definition.target?.replace(/^integrations\//, '') ?? '')
    return {
      routeKey: definition.routeKey,
      definition,
      integration,
      authorizer: definition.authorizerId === undefined ? undefined : snapshot.authorizers[definition.authorizerId],
      isTwoWay: definition.routeResponseSelectionExpression !== undefined
        && Object.values(definition.routeResponses).some(({ routeResponseKey }) => routeResponseKey === DEFAULT_KEY),
      ...compileModels(definition, validatorOf),
      requiredParameters: requiredOf(definition),
    }
  })
  return { snapshot, selectRoute: compileSelection(snapshot.routeSelectionExpression), routes: new Map(routes.map((route) => [route.routeKey, route])) }
}

const modelsByName = (models: Readonly<Record<string, Model>>) => Object.fromEntries(Object.values(models).map((model) => [model.name, model]))

/**
 * Source: API Gateway developer guide, "Request validation for WebSocket APIs": wherever there is a model selection expression, before a proxy, too. ("WebSocket
 * selection expressions" names integrations that are no proxies only.)
 */
function compileModels(
  { modelSelectionExpression, requestModels = {} }: Route, validatorOf: (model: string) => BodyValidator,
): Pick<CompiledSocketRoute, 'selectModel' | 'models'> {
  return {
    selectModel: modelSelectionExpression === undefined ? undefined : compileSelection(modelSelectionExpression),
    models: new Map(Object.entries(requestModels).map(([key, model]) => [key, validatorOf(model)])),
  }
}

function requiredOf({ requestParameters = {} }: Route): CompiledSocketRoute['requiredParameters'] {
  return Object.entries(requestParameters).flatMap(([key, { required }]) => {
    const match = required ? /^route\.request\.(?:multivalue)?(header|querystring)\.(.+)$/.exec(key) : null
    return match ? [{ from: match[1] as 'header' | 'querystring', name: match[2]! }] : []
  })
}

function compileIntegration(definition: Integration): CompiledSocketIntegration {
  const responses = Object.values(definition.integrationResponses).map(compileResponse)
  return {
    definition,
    selectTemplate: compileSelection(definition.templateSelectionExpression ?? `\\${DEFAULT_KEY}`),
    templates: compileTemplates(definition.requestTemplates, `request template of integration ${definition.integrationId}`),
    responses: responses.filter(({ pattern }) => pattern !== undefined)
      .toSorted((a, b) => (a.definition.integrationResponseKey < b.definition.integrationResponseKey ? -1 : 1)),
    defaultResponse: responses.find(({ pattern }) => pattern === undefined),
  }
}

function compileResponse(definition: IntegrationResponse): CompiledSocketResponse {
  const { integrationResponseKey: key } = definition
  return {
    definition,
    pattern: key === DEFAULT_KEY ? undefined : compilePattern(key.replace(/^\/|\/$/g, '')),
    selectTemplate: compileSelection(definition.templateSelectionExpression ?? `\\${DEFAULT_KEY}`),
    templates: compileTemplates(definition.responseTemplates, `template of integration response ${key}`),
  }
}

function compileTemplates(templates: Readonly<Record<string, string>> | undefined, name: string): Map<string, CompiledTemplate> {
  return new Map(Object.entries(templates ?? {}).map(([key, text]) => [key, compileStoredTemplate(text, `${name} (${key})`)]))
}

function compilePattern(pattern: string): RegExp {
  try {
    return compileJavaPattern(pattern, 'whole text')
  } catch (error) {
    if (error instanceof PatternError) return /(?!)/
    throw error
  }
}
