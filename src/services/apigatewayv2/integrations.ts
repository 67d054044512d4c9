// Integrations: what routes call.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { editApi, readApi, type Caller, type Input } from './edit.ts'
import { errors, missing, tooMany } from './errors.ts'
import { newLongId } from './ids.ts'
import type { ApiGatewayV2 } from './index.ts'
import { changedIntegration, newIntegration } from './integration-rules.ts'
import { INTEGRATIONS_PER_API_MAX } from './limits.ts'
import type { ApiDesign, Integration } from './model.ts'
import { own } from './own.ts'
import { pageOf } from './pages.ts'

export function createIntegration(
  { ApiId, ...request }: Input<sdk.CreateIntegrationRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.CreateIntegrationResult> {
  return editApi(gateway, call, ApiId, ({ settings, design }) => {
    const integration = newIntegration(request, { integrationId: newLongId(gateway.random), settings })
    if (Object.keys(design.integrations).length >= INTEGRATIONS_PER_API_MAX) throw tooMany('Integrations')
    design.integrations[integration.integrationId] = integration
    return describeIntegration(integration)
  })
}

export async function getIntegration(
  { ApiId, IntegrationId }: Input<sdk.GetIntegrationRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.GetIntegrationResult> {
  const { design } = await readApi(gateway, call, ApiId)
  return describeIntegration(requireIntegration(design, IntegrationId))
}

export async function getIntegrations(
  { ApiId, ...page }: Input<sdk.GetIntegrationsRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.GetIntegrationsResponse> {
  const { design } = await readApi(gateway, call, ApiId)
  const { Items, NextToken } = pageOf(Object.values(design.integrations), ({ integrationId }) => integrationId, page)
  return { Items: Items.map(describeIntegration), NextToken }
}

export function updateIntegration(
  { ApiId, IntegrationId, ...request }: Input<sdk.UpdateIntegrationRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.UpdateIntegrationResult> {
  return editApi(gateway, call, ApiId, ({ settings, design }) => {
    const integration = changedIntegration(requireIntegration(design, IntegrationId), request, settings)
    design.integrations[IntegrationId] = integration
    return describeIntegration(integration)
  })
}

/** Seen in reports: milliHQ/terraform-aws-next-js issue 247 (the conflict). */
export function deleteIntegration({ ApiId, IntegrationId }: Input<sdk.DeleteIntegrationRequest>, call: Caller, gateway: ApiGatewayV2): Promise<void> {
  return editApi(gateway, call, ApiId, ({ design }) => {
    const { apiGatewayManaged } = requireIntegration(design, IntegrationId)
    // Source: API Gateway v2 API reference, Integration, `apiGatewayManaged`. Ours: the words.
    if (apiGatewayManaged) throw errors.BadRequestException('Cannot delete an Integration that is managed by API Gateway')
    const users = Object.values(design.routes).filter(({ target }) => target === `integrations/${IntegrationId}`).map(({ routeId }) => routeId)
    if (users.length > 0) throw errors.ConflictException(`Cannot delete Integration because it is referenced by the following Routes with Ids: [${users.join(', ')}]`)
    delete design.integrations[IntegrationId]
  })
}

export function requireIntegration({ integrations }: ApiDesign, integrationId: string): Integration {
  const integration = own(integrations, integrationId)
  if (!integration) throw missing.integration(integrationId)
  return integration
}

/** As AWS shows an integration. Source: AWS CLI reference, examples of `create-integration` and `get-integration`. */
export function describeIntegration(integration: Integration): sdk.Integration {
  return {
    ApiGatewayManaged: integration.apiGatewayManaged,
    ConnectionId: integration.connectionId,
    ConnectionType: integration.connectionType,
    ContentHandlingStrategy: integration.contentHandlingStrategy,
    CredentialsArn: integration.credentialsArn,
    Description: integration.description,
    IntegrationId: integration.integrationId,
    IntegrationMethod: integration.integrationMethod,
    IntegrationResponseSelectionExpression: integration.integrationResponseSelectionExpression,
    IntegrationSubtype: integration.integrationSubtype,
    IntegrationType: integration.integrationType,
    IntegrationUri: integration.integrationUri,
    PassthroughBehavior: integration.passthroughBehavior,
    PayloadFormatVersion: integration.payloadFormatVersion,
    RequestParameters: integration.requestParameters,
    RequestTemplates: integration.requestTemplates,
    ResponseParameters: integration.responseParameters,
    TemplateSelectionExpression: integration.templateSelectionExpression,
    TimeoutInMillis: integration.timeoutInMillis,
    TlsConfig: integration.tlsConfig && { ServerNameToVerify: integration.tlsConfig.serverNameToVerify },
  }
}
