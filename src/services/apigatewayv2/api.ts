// API Gateway v2's operations, with what each needs permission for. Whatever is missing here answers 501.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { operation, type Operations } from '#aws/service.ts'
import * as apis from './apis.ts'
import * as deployments from './deployments.ts'
import type { ApiGatewayV2 } from './index.ts'
import * as integrations from './integrations.ts'
import { may, mayAt, mayPassRole } from './permissions.ts'
import * as routes from './routes.ts'
import * as stages from './stages.ts'

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
}
