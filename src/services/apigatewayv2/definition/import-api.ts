// ImportApi and ReimportApi: an HTTP API from an OpenAPI 3.0 definition, new or in the place of what it was.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import type { Scope } from '#aws/arn.ts'
import { parseDefinition, type BasePathMode } from '#aws/open-api.ts'
import type { Call } from '#aws/service.ts'
import { apiName, corsOf, newSettings } from '../api-settings.ts'
import { describeApi } from '../apis.ts'
import { newAuthorizer, requireFreeName } from '../authorizer-rules.ts'
import { editApi, newAutoDeployment, readApi, withRetries, type Input } from '../edit.ts'
import { errors, tooMany } from '../errors.ts'
import { newApiId, newId, newLongId } from '../ids.ts'
import type { ApiGatewayV2 } from '../index.ts'
import { newIntegration } from '../integration-rules.ts'
import { APIS_PER_REGION_MAX, AUTHORIZERS_PER_API_MAX, DEFINITION_BYTES_MAX, ROUTES_PER_API_MAX } from '../limits.ts'
import type { V2Api } from '../model.ts'
import { mayPassRole } from '../permissions.ts'
import { newRoute, requireFreeKey } from '../route-rules.ts'
import { transactions } from '../store.ts'
import { checkTags } from '../tags.ts'
import { createFindings, type Findings } from './findings.ts'
import { planImport, type ImportPlan, type PlannedRoute } from './plan.ts'

export async function importApi(
  { Body, Basepath, FailOnWarnings = false }: Input<sdk.ImportApiRequest>, call: Call, gateway: ApiGatewayV2,
): Promise<sdk.ImportApiResponse> {
  const { database, clock, random } = gateway
  const findings = createFindings()
  const plan = await planned(Body, Basepath, findings, call)
  const api: V2Api = {
    id: newApiId(random),
    accountId: call.scope.accountId,
    region: call.scope.region,
    createdAtMs: clock.now(),
    settings: newSettings({ Name: plan.name, ProtocolType: 'HTTP' }),
    design: { routes: {}, integrations: {}, authorizers: {}, models: {} },
  }
  applyPlan(plan, api, findings, gateway)
  findings.settle({ failOnWarnings: FailOnWarnings })
  await withRetries(() => database.transact(transactions.insertApi, { api, auto: newAutoDeployment(gateway), apisMax: APIS_PER_REGION_MAX }))
  return withFindings(describeApi(api, gateway), findings)
}

/** The API becomes what the definition says: its routes, integrations and authorizers are made anew, its stages stay. */
export async function reimportApi(
  { ApiId, Body, Basepath, FailOnWarnings = false }: Input<sdk.ReimportApiRequest>, call: Call, gateway: ApiGatewayV2,
): Promise<sdk.ReimportApiResponse> {
  const { settings } = await readApi(gateway, call, ApiId)
  // Source: API Gateway v2 API reference, ReimportApi, `body`: supported for HTTP APIs only. Ours: the words.
  if (settings.protocolType !== 'HTTP') throw errors.BadRequestException('Only APIs with a protocol type of HTTP can be imported')
  const reading = createFindings()
  const plan = await planned(Body, Basepath, reading, call)
  return editApi(gateway, call, ApiId, (api) => {
    // An edit may run again, and then must not say everything twice.
    const findings = createFindings()
    for (const warning of reading.warnings) findings.warn(warning)
    for (const text of reading.information) findings.inform(text)
    api.design = { ...api.design, routes: {}, integrations: {}, authorizers: {} }
    applyPlan(plan, api, findings, gateway)
    findings.settle({ failOnWarnings: FailOnWarnings })
    return withFindings(describeApi(api, gateway), findings)
  })
}

/** Reads and plans a definition, and asks for the permissions that its content needs. */
async function planned(body: string, basePath: string | undefined, findings: Findings, call: Call): Promise<ImportPlan> {
  // Ours: the words.
  if (Buffer.byteLength(body) > DEFINITION_BYTES_MAX) throw errors.BadRequestException(`API definition cannot be larger than ${DEFINITION_BYTES_MAX} bytes`)
  const definition = parseDefinition(withVariables(body, call.scope))
  // Source: API Gateway developer guide, "Use OpenAPI definitions for HTTP APIs": OpenAPI 3.0 only. Ours: the words, which are REST APIs'.
  if (definition?.format !== 'openapi3') throw errors.BadRequestException('Invalid OpenAPI input.')
  const plan = planImport(definition, { findings, basePath: basePathMode(basePath) })
  const roles = [...plan.routes.map(({ integration }) => integration?.CredentialsArn), ...plan.authorizers.map((authorizer) => authorizer.AuthorizerCredentialsArn)]
  for (const permission of mayPassRole(...roles)) await call.require(permission)
  return plan
}

/** Source: API Gateway developer guide, "AWS variables for OpenAPI import". */
function withVariables(body: string, { accountId, region }: Scope): string {
  const values = new Map([['AccountId', accountId], ['Partition', 'aws'], ['Region', region], ['URLSuffix', 'amazonaws.com']])
  return body.replace(/\$\{AWS::(\w+)\}/g, (text, name: string) => values.get(name) ?? text)
}

/** Source: API Gateway v2 API reference, ImportApi, `basepath`. Ours: the words. */
function basePathMode(mode: string | undefined): BasePathMode {
  if (mode === undefined || mode === '') return 'ignore'
  if (mode === 'ignore' || mode === 'prepend' || mode === 'split') return mode
  throw errors.BadRequestException(`Invalid basepath specified: ${mode}. Valid options are ignore,prepend,split`)
}

function applyPlan(plan: ImportPlan, api: V2Api, findings: Findings, gateway: ApiGatewayV2): void {
  const { settings, design } = api
  settings.name = apiName(plan.name)
  settings.description = plan.description
  settings.version = plan.version
  settings.corsConfiguration = plan.cors && findings.attempt('Unable to set the CORS configuration', () => corsOf(plan.cors))
  if (plan.disableExecuteApiEndpoint !== undefined) settings.disableExecuteApiEndpoint = plan.disableExecuteApiEndpoint
  if (plan.tags) settings.tags = checkTags(plan.tags)
  for (const request of plan.authorizers) {
    findings.attempt(`Unable to create Authorizer '${request.Name}'`, () => {
      const authorizer = newAuthorizer(request, { authorizerId: newId(gateway.random), settings })
      requireFreeName(design, authorizer)
      if (Object.keys(design.authorizers).length >= AUTHORIZERS_PER_API_MAX) throw tooMany('Authorizers')
      design.authorizers[authorizer.authorizerId] = authorizer
    })
  }
  for (const route of plan.routes) addRoute(route, api, findings, gateway)
}

/** A route whose authorizer could not be made is left out, never opened. */
function addRoute({ routeKey, operationName, integration: request, security }: PlannedRoute, api: V2Api, findings: Findings, { random }: ApiGatewayV2): void {
  const { settings, design } = api
  findings.attempt(`Unable to create route '${routeKey}'`, () => {
    const authorizer = typeof security === 'object'
      ? Object.values(design.authorizers).find(({ name }) => name === security.authorizerName)
      : undefined
    // Ours: the words.
    if (typeof security === 'object' && !authorizer) throw errors.BadRequestException(`Unable to find Authorizer '${security.authorizerName}'`)
    const route = newRoute({
      RouteKey: routeKey,
      OperationName: operationName,
      AuthorizationType: security === 'open' ? 'NONE' : security === 'signed' ? 'AWS_IAM' : authorizer!.authorizerType === 'JWT' ? 'JWT' : 'CUSTOM',
      AuthorizerId: authorizer?.authorizerId,
      AuthorizationScopes: typeof security === 'object' && security.scopes.length > 0 ? security.scopes : undefined,
    }, { routeId: newLongId(random), api })
    requireFreeKey(design, routeKey)
    if (Object.keys(design.routes).length >= ROUTES_PER_API_MAX) throw tooMany('Routes')
    const integration = request && findings.attempt(`Unable to create integration for resource at path '${routeKey}'`, () =>
      newIntegration(request, { integrationId: newLongId(random), settings }))
    if (integration) design.integrations[integration.integrationId] = integration
    design.routes[route.routeId] = { ...route, target: integration && `integrations/${integration.integrationId}` }
  })
}

function withFindings(api: sdk.Api, { warnings, information }: Findings): sdk.ImportApiResponse {
  return {
    ...api,
    ImportInfo: information.length > 0 ? [...information] : undefined,
    Warnings: warnings.length > 0 ? [...warnings] : undefined,
  }
}
