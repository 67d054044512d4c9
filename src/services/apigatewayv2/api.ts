// API Gateway v2's operations, with what each needs permission for. Whatever is missing here answers 501.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { operation, type Operations } from '#aws/service.ts'
import * as apiMappings from './api-mappings.ts'
import * as apis from './apis.ts'
import * as authorizers from './authorizers.ts'
import { exportApi } from './definition/export-api.ts'
import * as imports from './definition/import-api.ts'
import * as deployments from './deployments.ts'
import * as domainNames from './domain-names.ts'
import type { ApiGatewayV2 } from './index.ts'
import * as integrations from './integrations.ts'
import * as models from './models.ts'
import { may, mayAt, mayPassRole, mayTag } from './permissions.ts'
import * as responses from './responses.ts'
import * as routes from './routes.ts'
import * as stages from './stages.ts'
import * as tags from './tags.ts'

export const operations: Operations<ApiGatewayV2> = {
  CreateApi: operation<ApiGatewayV2, sdk.CreateApiRequest, sdk.CreateApiResponse>({
    access: (input, call) => [mayAt('POST', call, 'apis'), ...mayPassRole(input.CredentialsArn)],
    run: apis.createApi,
  }),
  GetApi: operation<ApiGatewayV2, sdk.GetApiRequest, sdk.GetApiResponse>({
    access: (input, call) => [may('GET', call, input)],
    run: apis.getApi,
  }),
  GetApis: operation<ApiGatewayV2, sdk.GetApisRequest, sdk.GetApisResponse>({
    access: (_input, call) => [mayAt('GET', call, 'apis')],
    run: apis.getApis,
  }),
  UpdateApi: operation<ApiGatewayV2, sdk.UpdateApiRequest, sdk.UpdateApiResponse>({
    access: (input, call) => [may('PATCH', call, input), ...mayPassRole(input.CredentialsArn)],
    run: apis.updateApi,
  }),
  DeleteApi: operation<ApiGatewayV2, sdk.DeleteApiRequest, void>({
    access: (input, call) => [may('DELETE', call, input)],
    run: apis.deleteApi,
  }),
  DeleteCorsConfiguration: operation<ApiGatewayV2, sdk.DeleteCorsConfigurationRequest, void>({
    access: (input, call) => [may('DELETE', call, input, 'cors')],
    run: apis.deleteCorsConfiguration,
  }),

  // What an import sets decides about further permissions; its handler asks for them.
  ImportApi: operation<ApiGatewayV2, sdk.ImportApiRequest, sdk.ImportApiResponse>({
    access: (_input, call) => [mayAt('PUT', call, 'apis')],
    run: imports.importApi,
  }),
  ReimportApi: operation<ApiGatewayV2, sdk.ReimportApiRequest, sdk.ReimportApiResponse>({
    access: (input, call) => [may('PUT', call, input)],
    run: imports.reimportApi,
  }),
  ExportApi: operation<ApiGatewayV2, sdk.ExportApiRequest, sdk.ExportApiResponse>({
    access: (input, call) => [may('GET', call, input, 'exports', input.Specification)],
    run: exportApi,
  }),

  CreateRoute: operation<ApiGatewayV2, sdk.CreateRouteRequest, sdk.CreateRouteResult>({
    access: (input, call) => [may('POST', call, input, 'routes')],
    run: routes.createRoute,
  }),
  GetRoute: operation<ApiGatewayV2, sdk.GetRouteRequest, sdk.GetRouteResult>({
    access: (input, call) => [may('GET', call, input, 'routes', input.RouteId)],
    run: routes.getRoute,
  }),
  GetRoutes: operation<ApiGatewayV2, sdk.GetRoutesRequest, sdk.GetRoutesResponse>({
    access: (input, call) => [may('GET', call, input, 'routes')],
    run: routes.getRoutes,
  }),
  UpdateRoute: operation<ApiGatewayV2, sdk.UpdateRouteRequest, sdk.UpdateRouteResult>({
    access: (input, call) => [may('PATCH', call, input, 'routes', input.RouteId)],
    run: routes.updateRoute,
  }),
  DeleteRoute: operation<ApiGatewayV2, sdk.DeleteRouteRequest, void>({
    access: (input, call) => [may('DELETE', call, input, 'routes', input.RouteId)],
    run: routes.deleteRoute,
  }),
  DeleteRouteRequestParameter: operation<ApiGatewayV2, sdk.DeleteRouteRequestParameterRequest, void>({
    access: (input, call) => [may('DELETE', call, input, 'routes', input.RouteId, 'requestparameters', input.RequestParameterKey)],
    run: routes.deleteRouteRequestParameter,
  }),

  CreateIntegration: operation<ApiGatewayV2, sdk.CreateIntegrationRequest, sdk.CreateIntegrationResult>({
    access: (input, call) => [may('POST', call, input, 'integrations'), ...mayPassRole(input.CredentialsArn)],
    run: integrations.createIntegration,
  }),
  GetIntegration: operation<ApiGatewayV2, sdk.GetIntegrationRequest, sdk.GetIntegrationResult>({
    access: (input, call) => [may('GET', call, input, 'integrations', input.IntegrationId)],
    run: integrations.getIntegration,
  }),
  GetIntegrations: operation<ApiGatewayV2, sdk.GetIntegrationsRequest, sdk.GetIntegrationsResponse>({
    access: (input, call) => [may('GET', call, input, 'integrations')],
    run: integrations.getIntegrations,
  }),
  UpdateIntegration: operation<ApiGatewayV2, sdk.UpdateIntegrationRequest, sdk.UpdateIntegrationResult>({
    access: (input, call) => [may('PATCH', call, input, 'integrations', input.IntegrationId), ...mayPassRole(input.CredentialsArn)],
    run: integrations.updateIntegration,
  }),
  DeleteIntegration: operation<ApiGatewayV2, sdk.DeleteIntegrationRequest, void>({
    access: (input, call) => [may('DELETE', call, input, 'integrations', input.IntegrationId)],
    run: integrations.deleteIntegration,
  }),

  CreateStage: operation<ApiGatewayV2, sdk.CreateStageRequest, sdk.CreateStageResponse>({
    access: (input, call) => [may('POST', call, input, 'stages')],
    run: stages.createStage,
  }),
  GetStage: operation<ApiGatewayV2, sdk.GetStageRequest, sdk.GetStageResponse>({
    access: (input, call) => [may('GET', call, input, 'stages', input.StageName)],
    run: stages.getStage,
  }),
  GetStages: operation<ApiGatewayV2, sdk.GetStagesRequest, sdk.GetStagesResponse>({
    access: (input, call) => [may('GET', call, input, 'stages')],
    run: stages.getStages,
  }),
  UpdateStage: operation<ApiGatewayV2, sdk.UpdateStageRequest, sdk.UpdateStageResponse>({
    access: (input, call) => [may('PATCH', call, input, 'stages', input.StageName)],
    run: stages.updateStage,
  }),
  DeleteStage: operation<ApiGatewayV2, sdk.DeleteStageRequest, void>({
    access: (input, call) => [may('DELETE', call, input, 'stages', input.StageName)],
    run: stages.deleteStage,
  }),
  DeleteAccessLogSettings: operation<ApiGatewayV2, sdk.DeleteAccessLogSettingsRequest, void>({
    access: (input, call) => [may('DELETE', call, input, 'stages', input.StageName, 'accesslogsettings')],
    run: stages.deleteAccessLogSettings,
  }),
  DeleteRouteSettings: operation<ApiGatewayV2, sdk.DeleteRouteSettingsRequest, void>({
    access: (input, call) => [may('DELETE', call, input, 'stages', input.StageName, 'routesettings', input.RouteKey)],
    run: stages.deleteRouteSettings,
  }),

  CreateDeployment: operation<ApiGatewayV2, sdk.CreateDeploymentRequest, sdk.CreateDeploymentResponse>({
    access: (input, call) => [may('POST', call, input, 'deployments')],
    run: deployments.createDeployment,
  }),
  GetDeployment: operation<ApiGatewayV2, sdk.GetDeploymentRequest, sdk.GetDeploymentResponse>({
    access: (input, call) => [may('GET', call, input, 'deployments', input.DeploymentId)],
    run: deployments.getDeployment,
  }),
  GetDeployments: operation<ApiGatewayV2, sdk.GetDeploymentsRequest, sdk.GetDeploymentsResponse>({
    access: (input, call) => [may('GET', call, input, 'deployments')],
    run: deployments.getDeployments,
  }),
  UpdateDeployment: operation<ApiGatewayV2, sdk.UpdateDeploymentRequest, sdk.UpdateDeploymentResponse>({
    access: (input, call) => [may('PATCH', call, input, 'deployments', input.DeploymentId)],
    run: deployments.updateDeployment,
  }),
  DeleteDeployment: operation<ApiGatewayV2, sdk.DeleteDeploymentRequest, void>({
    access: (input, call) => [may('DELETE', call, input, 'deployments', input.DeploymentId)],
    run: deployments.deleteDeployment,
  }),

  CreateRouteResponse: operation<ApiGatewayV2, sdk.CreateRouteResponseRequest, sdk.CreateRouteResponseResponse>({
    access: (input, call) => [may('POST', call, input, 'routes', input.RouteId, 'routeresponses')],
    run: responses.createRouteResponse,
  }),
  GetRouteResponse: operation<ApiGatewayV2, sdk.GetRouteResponseRequest, sdk.GetRouteResponseResponse>({
    access: (input, call) => [may('GET', call, input, 'routes', input.RouteId, 'routeresponses', input.RouteResponseId)],
    run: responses.getRouteResponse,
  }),
  GetRouteResponses: operation<ApiGatewayV2, sdk.GetRouteResponsesRequest, sdk.GetRouteResponsesResponse>({
    access: (input, call) => [may('GET', call, input, 'routes', input.RouteId, 'routeresponses')],
    run: responses.getRouteResponses,
  }),
  UpdateRouteResponse: operation<ApiGatewayV2, sdk.UpdateRouteResponseRequest, sdk.UpdateRouteResponseResponse>({
    access: (input, call) => [may('PATCH', call, input, 'routes', input.RouteId, 'routeresponses', input.RouteResponseId)],
    run: responses.updateRouteResponse,
  }),
  DeleteRouteResponse: operation<ApiGatewayV2, sdk.DeleteRouteResponseRequest, void>({
    access: (input, call) => [may('DELETE', call, input, 'routes', input.RouteId, 'routeresponses', input.RouteResponseId)],
    run: responses.deleteRouteResponse,
  }),
  CreateIntegrationResponse: operation<ApiGatewayV2, sdk.CreateIntegrationResponseRequest, sdk.CreateIntegrationResponseResponse>({
    access: (input, call) => [may('POST', call, input, 'integrations', input.IntegrationId, 'integrationresponses')],
    run: responses.createIntegrationResponse,
  }),
  GetIntegrationResponse: operation<ApiGatewayV2, sdk.GetIntegrationResponseRequest, sdk.GetIntegrationResponseResponse>({
    access: (input, call) => [may('GET', call, input, 'integrations', input.IntegrationId, 'integrationresponses', input.IntegrationResponseId)],
    run: responses.getIntegrationResponse,
  }),
  GetIntegrationResponses: operation<ApiGatewayV2, sdk.GetIntegrationResponsesRequest, sdk.GetIntegrationResponsesResponse>({
    access: (input, call) => [may('GET', call, input, 'integrations', input.IntegrationId, 'integrationresponses')],
    run: responses.getIntegrationResponses,
  }),
  UpdateIntegrationResponse: operation<ApiGatewayV2, sdk.UpdateIntegrationResponseRequest, sdk.UpdateIntegrationResponseResponse>({
    access: (input, call) => [may('PATCH', call, input, 'integrations', input.IntegrationId, 'integrationresponses', input.IntegrationResponseId)],
    run: responses.updateIntegrationResponse,
  }),
  DeleteIntegrationResponse: operation<ApiGatewayV2, sdk.DeleteIntegrationResponseRequest, void>({
    access: (input, call) => [may('DELETE', call, input, 'integrations', input.IntegrationId, 'integrationresponses', input.IntegrationResponseId)],
    run: responses.deleteIntegrationResponse,
  }),

  CreateAuthorizer: operation<ApiGatewayV2, sdk.CreateAuthorizerRequest, sdk.CreateAuthorizerResponse>({
    access: (input, call) => [may('POST', call, input, 'authorizers'), ...mayPassRole(input.AuthorizerCredentialsArn)],
    run: authorizers.createAuthorizer,
  }),
  GetAuthorizer: operation<ApiGatewayV2, sdk.GetAuthorizerRequest, sdk.GetAuthorizerResponse>({
    access: (input, call) => [may('GET', call, input, 'authorizers', input.AuthorizerId)],
    run: authorizers.getAuthorizer,
  }),
  GetAuthorizers: operation<ApiGatewayV2, sdk.GetAuthorizersRequest, sdk.GetAuthorizersResponse>({
    access: (input, call) => [may('GET', call, input, 'authorizers')],
    run: authorizers.getAuthorizers,
  }),
  UpdateAuthorizer: operation<ApiGatewayV2, sdk.UpdateAuthorizerRequest, sdk.UpdateAuthorizerResponse>({
    access: (input, call) => [may('PATCH', call, input, 'authorizers', input.AuthorizerId), ...mayPassRole(input.AuthorizerCredentialsArn)],
    run: authorizers.updateAuthorizer,
  }),
  DeleteAuthorizer: operation<ApiGatewayV2, sdk.DeleteAuthorizerRequest, void>({
    access: (input, call) => [may('DELETE', call, input, 'authorizers', input.AuthorizerId)],
    run: authorizers.deleteAuthorizer,
  }),
  ResetAuthorizersCache: operation<ApiGatewayV2, sdk.ResetAuthorizersCacheRequest, void>({
    access: (input, call) => [may('DELETE', call, input, 'stages', input.StageName, 'cache', 'authorizers')],
    run: authorizers.resetAuthorizersCache,
  }),

  CreateModel: operation<ApiGatewayV2, sdk.CreateModelRequest, sdk.CreateModelResponse>({
    access: (input, call) => [may('POST', call, input, 'models')],
    run: models.createModel,
  }),
  GetModel: operation<ApiGatewayV2, sdk.GetModelRequest, sdk.GetModelResponse>({
    access: (input, call) => [may('GET', call, input, 'models', input.ModelId)],
    run: models.getModel,
  }),
  GetModels: operation<ApiGatewayV2, sdk.GetModelsRequest, sdk.GetModelsResponse>({
    access: (input, call) => [may('GET', call, input, 'models')],
    run: models.getModels,
  }),
  GetModelTemplate: operation<ApiGatewayV2, sdk.GetModelTemplateRequest, sdk.GetModelTemplateResponse>({
    access: (input, call) => [may('GET', call, input, 'models', input.ModelId, 'template')],
    run: models.getModelTemplate,
  }),
  UpdateModel: operation<ApiGatewayV2, sdk.UpdateModelRequest, sdk.UpdateModelResponse>({
    access: (input, call) => [may('PATCH', call, input, 'models', input.ModelId)],
    run: models.updateModel,
  }),
  DeleteModel: operation<ApiGatewayV2, sdk.DeleteModelRequest, void>({
    access: (input, call) => [may('DELETE', call, input, 'models', input.ModelId)],
    run: models.deleteModel,
  }),

  CreateDomainName: operation<ApiGatewayV2, sdk.CreateDomainNameRequest, sdk.CreateDomainNameResponse>({
    access: (_input, call) => [mayAt('POST', call, 'domainnames')],
    run: domainNames.createDomainName,
  }),
  GetDomainName: operation<ApiGatewayV2, sdk.GetDomainNameRequest, sdk.GetDomainNameResponse>({
    access: (input, call) => [mayAt('GET', call, 'domainnames', input.DomainName)],
    run: domainNames.getDomainName,
  }),
  GetDomainNames: operation<ApiGatewayV2, sdk.GetDomainNamesRequest, sdk.GetDomainNamesResponse>({
    access: (_input, call) => [mayAt('GET', call, 'domainnames')],
    run: domainNames.getDomainNames,
  }),
  UpdateDomainName: operation<ApiGatewayV2, sdk.UpdateDomainNameRequest, sdk.UpdateDomainNameResponse>({
    access: (input, call) => [mayAt('PATCH', call, 'domainnames', input.DomainName)],
    run: domainNames.updateDomainName,
  }),
  DeleteDomainName: operation<ApiGatewayV2, sdk.DeleteDomainNameRequest, void>({
    access: (input, call) => [mayAt('DELETE', call, 'domainnames', input.DomainName)],
    run: domainNames.deleteDomainName,
  }),
  CreateApiMapping: operation<ApiGatewayV2, sdk.CreateApiMappingRequest, sdk.CreateApiMappingResponse>({
    access: (input, call) => [mayAt('POST', call, 'domainnames', input.DomainName, 'apimappings')],
    run: apiMappings.createApiMapping,
  }),
  GetApiMapping: operation<ApiGatewayV2, sdk.GetApiMappingRequest, sdk.GetApiMappingResponse>({
    access: (input, call) => [mayAt('GET', call, 'domainnames', input.DomainName, 'apimappings', input.ApiMappingId)],
    run: apiMappings.getApiMapping,
  }),
  GetApiMappings: operation<ApiGatewayV2, sdk.GetApiMappingsRequest, sdk.GetApiMappingsResponse>({
    access: (input, call) => [mayAt('GET', call, 'domainnames', input.DomainName, 'apimappings')],
    run: apiMappings.getApiMappings,
  }),
  UpdateApiMapping: operation<ApiGatewayV2, sdk.UpdateApiMappingRequest, sdk.UpdateApiMappingResponse>({
    access: (input, call) => [mayAt('PATCH', call, 'domainnames', input.DomainName, 'apimappings', input.ApiMappingId)],
    run: apiMappings.updateApiMapping,
  }),
  DeleteApiMapping: operation<ApiGatewayV2, sdk.DeleteApiMappingRequest, void>({
    access: (input, call) => [mayAt('DELETE', call, 'domainnames', input.DomainName, 'apimappings', input.ApiMappingId)],
    run: apiMappings.deleteApiMapping,
  }),

  TagResource: operation<ApiGatewayV2, sdk.TagResourceRequest, void>({
    access: (input, call) => [mayTag('POST', call, input.ResourceArn)],
    run: tags.tagResource,
  }),
  UntagResource: operation<ApiGatewayV2, sdk.UntagResourceRequest, void>({
    access: (input, call) => [mayTag('DELETE', call, input.ResourceArn)],
    run: tags.untagResource,
  }),
  GetTags: operation<ApiGatewayV2, sdk.GetTagsRequest, sdk.GetTagsResponse>({
    access: (input, call) => [mayTag('GET', call, input.ResourceArn)],
    run: tags.getTags,
  }),
}
