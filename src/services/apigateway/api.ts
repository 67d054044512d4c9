// API Gateway's operations for REST APIs, with what each needs permission for. Whatever is missing here answers 501.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { operation, type Operations } from '#aws/service.ts'
import * as account from './account.ts'
import * as apiKeys from './api-keys.ts'
import * as authorizers from './authorizers.ts'
import * as deployments from './deployments.ts'
import { getExport } from './export/get-export.ts'
import * as documentation from './documentation.ts'
import * as gatewayResponses from './gateway-responses.ts'
import * as imports from './import/import-rest-api.ts'
import { importApiKeys } from './import-api-keys.ts'
import type { ApiGateway } from './index.ts'
import * as integrations from './integrations.ts'
import * as methods from './methods.ts'
import * as models from './models.ts'
import { may, mayAt, mayMethod, mayPassRole, maySetPolicy, mayTag } from './permissions.ts'
import * as resources from './resources.ts'
import * as restApis from './rest-apis.ts'
import * as stages from './stages.ts'
import * as tags from './tags.ts'
import { testInvokeAuthorizer } from './test-authorizer.ts'
import { testInvokeMethod } from './test-invoke.ts'
import * as usage from './usage.ts'
import * as usagePlans from './usage-plans.ts'

/** What patch operations say of one path. */
const valueAt = (operations: readonly sdk.PatchOperation[] | undefined, path: string) =>
  (operations ?? []).filter((one) => one.path === path).map(({ value }) => value)

export const operations: Operations<ApiGateway> = {
  CreateRestApi: operation<ApiGateway, sdk.CreateRestApiRequest, sdk.RestApi>({
    access: (input, call) => [may('POST', call), ...input.policy ? [maySetPolicy(call)] : [], ...input.cloneFrom ? [may('GET', call, input.cloneFrom)] : []],
    run: restApis.createRestApi,
  }),
  GetRestApi: operation<ApiGateway, sdk.GetRestApiRequest, sdk.RestApi>({
    access: (input, call) => [may('GET', call, input.restApiId)],
    run: restApis.getRestApi,
  }),
  GetRestApis: operation<ApiGateway, sdk.GetRestApisRequest, sdk.RestApis>({
    access: (_input, call) => [may('GET', call)],
    run: restApis.getRestApis,
  }),
  UpdateRestApi: operation<ApiGateway, sdk.UpdateRestApiRequest, sdk.RestApi>({
    access: (input, call) => [
      may('PATCH', call, input.restApiId),
      ...valueAt(input.patchOperations, '/policy').length > 0 ? [maySetPolicy(call, input.restApiId)] : [],
    ],
    run: restApis.updateRestApi,
  }),
  DeleteRestApi: operation<ApiGateway, sdk.DeleteRestApiRequest, void>({
    access: (input, call) => [may('DELETE', call, input.restApiId)],
    run: restApis.deleteRestApi,
  }),
  // What an import sets decides about further permissions; its handler asks for them.
  ImportRestApi: operation<ApiGateway, sdk.ImportRestApiRequest, sdk.RestApi>({
    access: (_input, call) => [may('POST', call)],
    run: imports.importRestApi,
  }),
  PutRestApi: operation<ApiGateway, sdk.PutRestApiRequest, sdk.RestApi>({
    access: (input, call) => [may('PUT', call, input.restApiId)],
    run: imports.putRestApi,
  }),

  CreateResource: operation<ApiGateway, sdk.CreateResourceRequest, sdk.Resource>({
    access: (input, call) => [may('POST', call, input.restApiId, 'resources', input.parentId)],
    run: resources.createResource,
  }),
  GetResource: operation<ApiGateway, sdk.GetResourceRequest, sdk.Resource>({
    access: (input, call) => [may('GET', call, input.restApiId, 'resources', input.resourceId)],
    run: resources.getResource,
  }),
  GetResources: operation<ApiGateway, sdk.GetResourcesRequest, sdk.Resources>({
    access: (input, call) => [may('GET', call, input.restApiId, 'resources')],
    run: resources.getResources,
  }),
  UpdateResource: operation<ApiGateway, sdk.UpdateResourceRequest, sdk.Resource>({
    access: (input, call) => [may('PATCH', call, input.restApiId, 'resources', input.resourceId)],
    run: resources.updateResource,
  }),
  DeleteResource: operation<ApiGateway, sdk.DeleteResourceRequest, void>({
    access: (input, call) => [may('DELETE', call, input.restApiId, 'resources', input.resourceId)],
    run: resources.deleteResource,
  }),

  PutMethod: operation<ApiGateway, sdk.PutMethodRequest, sdk.Method>({
    access: (input, call) => [mayMethod('PUT', call, input)],
    run: methods.putMethod,
  }),
  GetMethod: operation<ApiGateway, sdk.GetMethodRequest, sdk.Method>({
    access: (input, call) => [mayMethod('GET', call, input)],
    run: methods.getMethod,
  }),
  UpdateMethod: operation<ApiGateway, sdk.UpdateMethodRequest, sdk.Method>({
    access: (input, call) => [mayMethod('PATCH', call, input)],
    run: methods.updateMethod,
  }),
  DeleteMethod: operation<ApiGateway, sdk.DeleteMethodRequest, void>({
    access: (input, call) => [mayMethod('DELETE', call, input)],
    run: methods.deleteMethod,
  }),
  TestInvokeMethod: operation<ApiGateway, sdk.TestInvokeMethodRequest, sdk.TestInvokeMethodResponse>({
    access: (input, call) => [mayMethod('POST', call, input)],
    run: testInvokeMethod,
  }),
  PutMethodResponse: operation<ApiGateway, sdk.PutMethodResponseRequest, sdk.MethodResponse>({
    access: (input, call) => [mayMethod('PUT', call, input, 'responses', input.statusCode)],
    run: methods.putMethodResponse,
  }),
  GetMethodResponse: operation<ApiGateway, sdk.GetMethodResponseRequest, sdk.MethodResponse>({
    access: (input, call) => [mayMethod('GET', call, input, 'responses', input.statusCode)],
    run: methods.getMethodResponse,
  }),
  UpdateMethodResponse: operation<ApiGateway, sdk.UpdateMethodResponseRequest, sdk.MethodResponse>({
    access: (input, call) => [mayMethod('PATCH', call, input, 'responses', input.statusCode)],
    run: methods.updateMethodResponse,
  }),
  DeleteMethodResponse: operation<ApiGateway, sdk.DeleteMethodResponseRequest, void>({
    access: (input, call) => [mayMethod('DELETE', call, input, 'responses', input.statusCode)],
    run: methods.deleteMethodResponse,
  }),

  PutIntegration: operation<ApiGateway, sdk.PutIntegrationRequest, sdk.Integration>({
    access: (input, call) => [mayMethod('PUT', call, input, 'integration'), ...mayPassRole(input.credentials)],
    run: integrations.putIntegration,
  }),
  GetIntegration: operation<ApiGateway, sdk.GetIntegrationRequest, sdk.Integration>({
    access: (input, call) => [mayMethod('GET', call, input, 'integration')],
    run: integrations.getIntegration,
  }),
  UpdateIntegration: operation<ApiGateway, sdk.UpdateIntegrationRequest, sdk.Integration>({
    access: (input, call) => [mayMethod('PATCH', call, input, 'integration'), ...valueAt(input.patchOperations, '/credentials').flatMap(mayPassRole)],
    run: integrations.updateIntegration,
  }),
  DeleteIntegration: operation<ApiGateway, sdk.DeleteIntegrationRequest, void>({
    access: (input, call) => [mayMethod('DELETE', call, input, 'integration')],
    run: integrations.deleteIntegration,
  }),
  PutIntegrationResponse: operation<ApiGateway, sdk.PutIntegrationResponseRequest, sdk.IntegrationResponse>({
    access: (input, call) => [mayMethod('PUT', call, input, 'integration', 'responses', input.statusCode)],
    run: integrations.putIntegrationResponse,
  }),
  GetIntegrationResponse: operation<ApiGateway, sdk.GetIntegrationResponseRequest, sdk.IntegrationResponse>({
    access: (input, call) => [mayMethod('GET', call, input, 'integration', 'responses', input.statusCode)],
    run: integrations.getIntegrationResponse,
  }),
  UpdateIntegrationResponse: operation<ApiGateway, sdk.UpdateIntegrationResponseRequest, sdk.IntegrationResponse>({
    access: (input, call) => [mayMethod('PATCH', call, input, 'integration', 'responses', input.statusCode)],
    run: integrations.updateIntegrationResponse,
  }),
  DeleteIntegrationResponse: operation<ApiGateway, sdk.DeleteIntegrationResponseRequest, void>({
    access: (input, call) => [mayMethod('DELETE', call, input, 'integration', 'responses', input.statusCode)],
    run: integrations.deleteIntegrationResponse,
  }),

  CreateAuthorizer: operation<ApiGateway, sdk.CreateAuthorizerRequest, sdk.Authorizer>({
    access: (input, call) => [may('POST', call, input.restApiId, 'authorizers'), ...mayPassRole(input.authorizerCredentials)],
    run: authorizers.createAuthorizer,
  }),
  GetAuthorizer: operation<ApiGateway, sdk.GetAuthorizerRequest, sdk.Authorizer>({
    access: (input, call) => [may('GET', call, input.restApiId, 'authorizers', input.authorizerId)],
    run: authorizers.getAuthorizer,
  }),
  GetAuthorizers: operation<ApiGateway, sdk.GetAuthorizersRequest, sdk.Authorizers>({
    access: (input, call) => [may('GET', call, input.restApiId, 'authorizers')],
    run: authorizers.getAuthorizers,
  }),
  UpdateAuthorizer: operation<ApiGateway, sdk.UpdateAuthorizerRequest, sdk.Authorizer>({
    access: (input, call) => [
      may('PATCH', call, input.restApiId, 'authorizers', input.authorizerId),
      ...valueAt(input.patchOperations, '/authorizerCredentials').flatMap(mayPassRole),
    ],
    run: authorizers.updateAuthorizer,
  }),
  DeleteAuthorizer: operation<ApiGateway, sdk.DeleteAuthorizerRequest, void>({
    access: (input, call) => [may('DELETE', call, input.restApiId, 'authorizers', input.authorizerId)],
    run: authorizers.deleteAuthorizer,
  }),
  TestInvokeAuthorizer: operation<ApiGateway, sdk.TestInvokeAuthorizerRequest, sdk.TestInvokeAuthorizerResponse>({
    access: (input, call) => [may('POST', call, input.restApiId, 'authorizers', input.authorizerId)],
    run: testInvokeAuthorizer,
  }),
  FlushStageAuthorizersCache: operation<ApiGateway, sdk.FlushStageAuthorizersCacheRequest, void>({
    access: (input, call) => [may('DELETE', call, input.restApiId, 'stages', input.stageName, 'cache', 'authorizers')],
    run: authorizers.flushStageAuthorizersCache,
  }),

  CreateModel: operation<ApiGateway, sdk.CreateModelRequest, sdk.Model>({
    access: (input, call) => [may('POST', call, input.restApiId, 'models')],
    run: models.createModel,
  }),
  GetModel: operation<ApiGateway, sdk.GetModelRequest, sdk.Model>({
    access: (input, call) => [may('GET', call, input.restApiId, 'models', input.modelName)],
    run: models.getModel,
  }),
  GetModels: operation<ApiGateway, sdk.GetModelsRequest, sdk.Models>({
    access: (input, call) => [may('GET', call, input.restApiId, 'models')],
    run: models.getModels,
  }),
  UpdateModel: operation<ApiGateway, sdk.UpdateModelRequest, sdk.Model>({
    access: (input, call) => [may('PATCH', call, input.restApiId, 'models', input.modelName)],
    run: models.updateModel,
  }),
  DeleteModel: operation<ApiGateway, sdk.DeleteModelRequest, void>({
    access: (input, call) => [may('DELETE', call, input.restApiId, 'models', input.modelName)],
    run: models.deleteModel,
  }),
  CreateRequestValidator: operation<ApiGateway, sdk.CreateRequestValidatorRequest, sdk.RequestValidator>({
    access: (input, call) => [may('POST', call, input.restApiId, 'requestvalidators')],
    run: models.createRequestValidator,
  }),
  GetRequestValidator: operation<ApiGateway, sdk.GetRequestValidatorRequest, sdk.RequestValidator>({
    access: (input, call) => [may('GET', call, input.restApiId, 'requestvalidators', input.requestValidatorId)],
    run: models.getRequestValidator,
  }),
  GetRequestValidators: operation<ApiGateway, sdk.GetRequestValidatorsRequest, sdk.RequestValidators>({
    access: (input, call) => [may('GET', call, input.restApiId, 'requestvalidators')],
    run: models.getRequestValidators,
  }),
  UpdateRequestValidator: operation<ApiGateway, sdk.UpdateRequestValidatorRequest, sdk.RequestValidator>({
    access: (input, call) => [may('PATCH', call, input.restApiId, 'requestvalidators', input.requestValidatorId)],
    run: models.updateRequestValidator,
  }),
  DeleteRequestValidator: operation<ApiGateway, sdk.DeleteRequestValidatorRequest, void>({
    access: (input, call) => [may('DELETE', call, input.restApiId, 'requestvalidators', input.requestValidatorId)],
    run: models.deleteRequestValidator,
  }),

  PutGatewayResponse: operation<ApiGateway, sdk.PutGatewayResponseRequest, sdk.GatewayResponse>({
    access: (input, call) => [may('PUT', call, input.restApiId, 'gatewayresponses', input.responseType)],
    run: gatewayResponses.putGatewayResponse,
  }),
  GetGatewayResponse: operation<ApiGateway, sdk.GetGatewayResponseRequest, sdk.GatewayResponse>({
    access: (input, call) => [may('GET', call, input.restApiId, 'gatewayresponses', input.responseType)],
    run: gatewayResponses.getGatewayResponse,
  }),
  GetGatewayResponses: operation<ApiGateway, sdk.GetGatewayResponsesRequest, sdk.GatewayResponses>({
    access: (input, call) => [may('GET', call, input.restApiId, 'gatewayresponses')],
    run: gatewayResponses.getGatewayResponses,
  }),
  UpdateGatewayResponse: operation<ApiGateway, sdk.UpdateGatewayResponseRequest, sdk.GatewayResponse>({
    access: (input, call) => [may('PATCH', call, input.restApiId, 'gatewayresponses', input.responseType)],
    run: gatewayResponses.updateGatewayResponse,
  }),
  DeleteGatewayResponse: operation<ApiGateway, sdk.DeleteGatewayResponseRequest, void>({
    access: (input, call) => [may('DELETE', call, input.restApiId, 'gatewayresponses', input.responseType)],
    run: gatewayResponses.deleteGatewayResponse,
  }),

  CreateDeployment: operation<ApiGateway, sdk.CreateDeploymentRequest, sdk.Deployment>({
    access: (input, call) => [may('POST', call, input.restApiId, 'deployments')],
    run: deployments.createDeployment,
  }),
  GetDeployment: operation<ApiGateway, sdk.GetDeploymentRequest, sdk.Deployment>({
    access: (input, call) => [may('GET', call, input.restApiId, 'deployments', input.deploymentId)],
    run: deployments.getDeployment,
  }),
  GetDeployments: operation<ApiGateway, sdk.GetDeploymentsRequest, sdk.Deployments>({
    access: (input, call) => [may('GET', call, input.restApiId, 'deployments')],
    run: deployments.getDeployments,
  }),
  UpdateDeployment: operation<ApiGateway, sdk.UpdateDeploymentRequest, sdk.Deployment>({
    access: (input, call) => [may('PATCH', call, input.restApiId, 'deployments', input.deploymentId)],
    run: deployments.updateDeployment,
  }),
  DeleteDeployment: operation<ApiGateway, sdk.DeleteDeploymentRequest, void>({
    access: (input, call) => [may('DELETE', call, input.restApiId, 'deployments', input.deploymentId)],
    run: deployments.deleteDeployment,
  }),
  CreateStage: operation<ApiGateway, sdk.CreateStageRequest, sdk.Stage>({
    access: (input, call) => [may('POST', call, input.restApiId, 'stages')],
    run: stages.createStage,
  }),
  GetStage: operation<ApiGateway, sdk.GetStageRequest, sdk.Stage>({
    access: (input, call) => [may('GET', call, input.restApiId, 'stages', input.stageName)],
    run: stages.getStage,
  }),
  GetStages: operation<ApiGateway, sdk.GetStagesRequest, sdk.Stages>({
    access: (input, call) => [may('GET', call, input.restApiId, 'stages')],
    run: stages.getStages,
  }),
  UpdateStage: operation<ApiGateway, sdk.UpdateStageRequest, sdk.Stage>({
    access: (input, call) => [may('PATCH', call, input.restApiId, 'stages', input.stageName)],
    run: stages.updateStage,
  }),
  DeleteStage: operation<ApiGateway, sdk.DeleteStageRequest, void>({
    access: (input, call) => [may('DELETE', call, input.restApiId, 'stages', input.stageName)],
    run: stages.deleteStage,
  }),

  GetExport: operation<ApiGateway, sdk.GetExportRequest, sdk.ExportResponse>({
    access: (input, call) => [may('GET', call, input.restApiId, 'stages', input.stageName, 'exports', input.exportType)],
    run: getExport,
  }),

  CreateDocumentationPart: operation<ApiGateway, sdk.CreateDocumentationPartRequest, sdk.DocumentationPart>({
    access: (input, call) => [may('POST', call, input.restApiId, 'documentation', 'parts')],
    run: documentation.createDocumentationPart,
  }),
  GetDocumentationPart: operation<ApiGateway, sdk.GetDocumentationPartRequest, sdk.DocumentationPart>({
    access: (input, call) => [may('GET', call, input.restApiId, 'documentation', 'parts', input.documentationPartId)],
    run: documentation.getDocumentationPart,
  }),
  GetDocumentationParts: operation<ApiGateway, sdk.GetDocumentationPartsRequest, sdk.DocumentationParts>({
    access: (input, call) => [may('GET', call, input.restApiId, 'documentation', 'parts')],
    run: documentation.getDocumentationParts,
  }),
  UpdateDocumentationPart: operation<ApiGateway, sdk.UpdateDocumentationPartRequest, sdk.DocumentationPart>({
    access: (input, call) => [may('PATCH', call, input.restApiId, 'documentation', 'parts', input.documentationPartId)],
    run: documentation.updateDocumentationPart,
  }),
  DeleteDocumentationPart: operation<ApiGateway, sdk.DeleteDocumentationPartRequest, void>({
    access: (input, call) => [may('DELETE', call, input.restApiId, 'documentation', 'parts', input.documentationPartId)],
    run: documentation.deleteDocumentationPart,
  }),
  ImportDocumentationParts: operation<ApiGateway, sdk.ImportDocumentationPartsRequest, sdk.DocumentationPartIds>({
    access: (input, call) => [may('PUT', call, input.restApiId, 'documentation', 'parts')],
    run: documentation.importDocumentationParts,
  }),

  GetAccount: operation<ApiGateway, sdk.GetAccountRequest, sdk.Account>({
    access: (_input, call) => [mayAt('GET', call, 'account')],
    run: account.getAccount,
  }),
  UpdateAccount: operation<ApiGateway, sdk.UpdateAccountRequest, sdk.Account>({
    access: (input, call) => [mayAt('PATCH', call, 'account'), ...valueAt(input.patchOperations, '/cloudwatchRoleArn').flatMap(mayPassRole)],
    run: account.updateAccount,
  }),
  CreateApiKey: operation<ApiGateway, sdk.CreateApiKeyRequest, sdk.ApiKey>({
    access: (_input, call) => [mayAt('POST', call, 'apikeys')],
    run: apiKeys.createApiKey,
  }),
  GetApiKey: operation<ApiGateway, sdk.GetApiKeyRequest, sdk.ApiKey>({
    access: (input, call) => [mayAt('GET', call, 'apikeys', input.apiKey)],
    run: apiKeys.getApiKey,
  }),
  GetApiKeys: operation<ApiGateway, sdk.GetApiKeysRequest, sdk.ApiKeys>({
    access: (_input, call) => [mayAt('GET', call, 'apikeys')],
    run: apiKeys.getApiKeys,
  }),
  UpdateApiKey: operation<ApiGateway, sdk.UpdateApiKeyRequest, sdk.ApiKey>({
    access: (input, call) => [mayAt('PATCH', call, 'apikeys', input.apiKey)],
    run: apiKeys.updateApiKey,
  }),
  DeleteApiKey: operation<ApiGateway, sdk.DeleteApiKeyRequest, void>({
    access: (input, call) => [mayAt('DELETE', call, 'apikeys', input.apiKey)],
    run: apiKeys.deleteApiKey,
  }),
  ImportApiKeys: operation<ApiGateway, sdk.ImportApiKeysRequest, sdk.ApiKeyIds>({
    access: (_input, call) => [mayAt('POST', call, 'apikeys')],
    run: importApiKeys,
  }),
  CreateUsagePlan: operation<ApiGateway, sdk.CreateUsagePlanRequest, sdk.UsagePlan>({
    access: (_input, call) => [mayAt('POST', call, 'usageplans')],
    run: usagePlans.createUsagePlan,
  }),
  GetUsagePlan: operation<ApiGateway, sdk.GetUsagePlanRequest, sdk.UsagePlan>({
    access: (input, call) => [mayAt('GET', call, 'usageplans', input.usagePlanId)],
    run: usagePlans.getUsagePlan,
  }),
  GetUsagePlans: operation<ApiGateway, sdk.GetUsagePlansRequest, sdk.UsagePlans>({
    access: (_input, call) => [mayAt('GET', call, 'usageplans')],
    run: usagePlans.getUsagePlans,
  }),
  UpdateUsagePlan: operation<ApiGateway, sdk.UpdateUsagePlanRequest, sdk.UsagePlan>({
    access: (input, call) => [mayAt('PATCH', call, 'usageplans', input.usagePlanId)],
    run: usagePlans.updateUsagePlan,
  }),
  DeleteUsagePlan: operation<ApiGateway, sdk.DeleteUsagePlanRequest, void>({
    access: (input, call) => [mayAt('DELETE', call, 'usageplans', input.usagePlanId)],
    run: usagePlans.deleteUsagePlan,
  }),
  CreateUsagePlanKey: operation<ApiGateway, sdk.CreateUsagePlanKeyRequest, sdk.UsagePlanKey>({
    access: (input, call) => [mayAt('POST', call, 'usageplans', input.usagePlanId, 'keys')],
    run: usagePlans.createUsagePlanKey,
  }),
  GetUsagePlanKey: operation<ApiGateway, sdk.GetUsagePlanKeyRequest, sdk.UsagePlanKey>({
    access: (input, call) => [mayAt('GET', call, 'usageplans', input.usagePlanId, 'keys', input.keyId)],
    run: usagePlans.getUsagePlanKey,
  }),
  GetUsagePlanKeys: operation<ApiGateway, sdk.GetUsagePlanKeysRequest, sdk.UsagePlanKeys>({
    access: (input, call) => [mayAt('GET', call, 'usageplans', input.usagePlanId, 'keys')],
    run: usagePlans.getUsagePlanKeys,
  }),
  DeleteUsagePlanKey: operation<ApiGateway, sdk.DeleteUsagePlanKeyRequest, void>({
    access: (input, call) => [mayAt('DELETE', call, 'usageplans', input.usagePlanId, 'keys', input.keyId)],
    run: usagePlans.deleteUsagePlanKey,
  }),
  GetUsage: operation<ApiGateway, sdk.GetUsageRequest, sdk.Usage>({
    access: (input, call) => [mayAt('GET', call, 'usageplans', input.usagePlanId, 'usage')],
    run: usage.getUsage,
  }),
  UpdateUsage: operation<ApiGateway, sdk.UpdateUsageRequest, sdk.Usage>({
    access: (input, call) => [mayAt('PATCH', call, 'usageplans', input.usagePlanId, 'keys', input.keyId, 'usage')],
    run: usage.updateUsage,
  }),

  TagResource: operation<ApiGateway, sdk.TagResourceRequest, void>({
    access: (input, call) => [mayTag('PUT', call, input.resourceArn)],
    run: tags.tagResource,
  }),
  UntagResource: operation<ApiGateway, sdk.UntagResourceRequest, void>({
    access: (input, call) => [mayTag('DELETE', call, input.resourceArn)],
    run: tags.untagResource,
  }),
  GetTags: operation<ApiGateway, sdk.GetTagsRequest, sdk.Tags>({
    access: (input, call) => [mayTag('GET', call, input.resourceArn)],
    run: tags.getTags,
  }),
}
